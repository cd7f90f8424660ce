// SPDX-License-Identifier: GPL-2.0
/*
 * write-two: what is changed on one host is seen at once on the other, and at
 * the origin, by every call that looks; and the other way round. Before each
 * change both hosts have cached all that they are going to look at, names that
 * are not there included.
 *
 *	write-two turns		one change by the one, the next by the other
 *	write-two each		all by the one, then all by the other
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client.h"
#include "host.h"
#include "lab.h"
#include "race.h"
#include "tap.h"
#include "view.h"

/* A change that goes through, and what everybody sees of it. */
#define DO(call) \
	do { \
		view(PLACE_A); \
		view(PLACE_B); \
		if ((call) < 0) \
			tap_bad("%s in %s: %s", #call, view_top[actor], \
				strerror(errno)); \
		view_compare(#call); \
		other_one(); \
	} while (0)

static bool in_turn;

static void other_one(void)
{
	if (in_turn)
		actor = actor == PLACE_A ? PLACE_B : PLACE_A;
}

static int put(const char *path, int flags, const char *text)
{
	int fd = open(path, flags | O_WRONLY | O_CLOEXEC, 0644);
	ssize_t len = strlen(text), n;

	if (fd < 0)
		return -1;
	n = len ? write(fd, text, len) : 0;
	if (close(fd) || n < 0)
		return -1;
	errno = EIO;
	return n == len ? 0 : -1;
}

static int swap(const char *a, const char *b)
{
	return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static void change_names(void)
{
	DO(put(at("f"), O_CREAT | O_EXCL, "one"));
	DO(put(at("g"), O_CREAT, ""));
	DO(mkdir(at("d"), 0755));
	DO(mkdir(at("e"), 0700));
	DO(put(at("d/f"), O_CREAT, "in d"));
	DO(link(at("f"), at("h")));
	DO(link(at("d/f"), at("e/f")));
	DO(symlink("d/f", at("l")));
	DO(mkfifo(at("p"), 0600));
	DO(rename(at("g"), at("d/g")));
	DO(rename(at("h"), at("d/g")));
	DO(mkdir(at("d/d"), 0755));
	DO(put(at("d/d/f"), O_CREAT, "deep"));
	DO(rename(at("d/d"), at("e/d")));
	DO(put(at("e/d/f"), O_TRUNC, "deep, moved"));
	DO(rename(at("e/d/f"), at("d/h")));
	DO(swap(at("d/h"), at("f")));
	DO(swap(at("e/d"), at("d/f")));
	DO(swap(at("d"), at("e")));
	DO(rename(at("e"), at("d/e")));
	DO(rename(at("d/e"), at("e")));
	DO(unlink(at("l")));
	DO(unlink(at("p")));
	DO(unlink(at("f")));
	DO(put(at("f"), O_CREAT | O_EXCL, "another file"));
	DO(rmdir(at("e/f")));
	DO(mkdir(at("e/f"), 0711));
	DO(rmdir(at("e/f")));
}

static void change_attrs(void)
{
	struct timespec ts[2] = { { 1, 2 }, { 3, 4 } };

	DO(chmod(at("f"), 0600));
	DO(chmod(at("d"), 0711));
	DO(chmod(at("."), 0750));
	DO(chown(at("f"), 1000, 2000));
	DO(lchown(at("d"), 5, -1));
	DO(truncate(at("f"), 3));
	DO(truncate(at("f"), 200));
	DO(put(at("f"), O_APPEND, "the end"));
	DO(put(at("f"), 0, "THE START"));
	DO(put(at("f"), O_TRUNC, ""));
	DO(utimensat(AT_FDCWD, at("f"), ts, 0));
	DO(utimensat(AT_FDCWD, at("d"), ts, 0));
	DO(utimensat(AT_FDCWD, at("f"), NULL, 0));
	DO(setxattr(at("f"), "trusted.x", "value", 5, 0));
	DO(setxattr(at("f"), "trusted.x", "other", 5, XATTR_REPLACE));
	DO(removexattr(at("f"), "trusted.x"));
	DO(setxattr(at("d"), "trusted.x", "dir", 3, XATTR_CREATE));
}

/* Below first; each may be a file or a directory by now. */
static void clean_up(void)
{
	unsigned int depth, i, n;
	const char *p;

	for (depth = 3; depth--;) {
		for (i = 1; i < VIEW_NAMES; i++) {
			for (n = 0, p = view_names[i]; *p; p++)
				n += *p == '/';
			if (n == depth && unlink(at(view_names[i])))
				rmdir(at(view_names[i]));
		}
	}
	if (rmdir(view_top[actor]) || mkdir(view_top[actor], 0755))
		tap_bad("%s can not be emptied: %s", view_top[actor],
			strerror(errno));
	view_compare("to begin anew");
}

static void check(enum place first, bool turns, const char *what)
{
	actor = first;
	in_turn = turns;
	change_names();
	change_attrs();
	in_turn = false;
	clean_up();
	tap_good("%s", what);
}

#define USER 1000

static int as_user(int (*fn)(const char *path), const char *path)
{
	int ret, err;

	if (setresuid(-1, USER, -1))
		die("setresuid: %s", strerror(errno));
	ret = fn(path);
	err = errno;
	if (setresuid(-1, 0, -1))
		die("setresuid: %s", strerror(errno));
	errno = err;
	return ret;
}

/* The owner, which the VFS looks at before it asks for a name to go. */
static void check_sticky(enum place here, enum place there, const char *what)
{
	struct stat st;

	actor = here;
	if (chmod(at("."), 01777) || put(at("f"), O_CREAT, "root's") ||
	    put(at("g"), O_CREAT, "a user's") || chown(at("g"), USER, USER))
		tap_bad("%s", strerror(errno));
	view(there);
	if (chown(at("f"), USER, USER) || chown(at("g"), 0, 0))
		tap_bad("chown: %s", strerror(errno));
	actor = there;
	if (as_user(unlink, at("f")))
		tap_bad("his file stays: %s", strerror(errno));
	if (!as_user(unlink, at("g")) || errno != EPERM)
		tap_bad("root's file: %s", strerror(errno));
	actor = here;
	if (!stat(at("f"), &st) || stat(at("g"), &st))
		tap_bad("not as it should be now");
	clean_up();
	tap_good("a sticky directory, %s", what);
}

/* Or the rest of this proves little. */
static void check_cached(void)
{
	u64 before;

	view(PLACE_B);
	view(PLACE_B);
	before = host_count("b", GNS_C_LOOKUPS);
	view(PLACE_B);
	if (host_count("b", GNS_C_LOOKUPS) != before)
		tap_bad("names were looked up again");
	tap_good("names, and that they are not there, are cached");
}

int main(int argc, char **argv)
{
	bool turns = argc == 2 && !strcmp(argv[1], "turns");

	if (!turns && (argc != 2 || strcmp(argv[1], "each")))
		die("usage: write-two turns|each");
	view_begin();
	check_cached();
	if (turns) {
		check(PLACE_A, true, "a and b in turn");
		/* What was b's is a's now; once is enough where all is slow. */
		if (!lab_is_slow())
			check(PLACE_B, true, "b and a in turn");
	} else {
		check(PLACE_A, false, "what a changes is seen on b");
		check(PLACE_B, false, "what b changes is seen on a");
	}
	check_sticky(PLACE_A, PLACE_B, "as b sees it");
	check_sticky(PLACE_B, PLACE_A, "as a sees it");
	check_races();
	return tap_end();
}
