// SPDX-License-Identifier: GPL-2.0
/*
 * write-two: what is changed on one host is seen at once on the other, and at
 * the origin, by every call that looks; and the other way round. Before each
 * change both hosts have cached all that they are going to look at, names that
 * are not there included.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
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

enum place {
	PLACE_A,
	PLACE_B,
	PLACE_ORIGIN,
	PLACES,
};

static const char *const place_name[] = { "a", "b", "the origin" };
static char top[PLACES][256];
static enum place actor;

/* Where the change is made. */
static const char *at(const char *name)
{
	return lab_path(top[actor], name);
}

/* All that is looked at; most of it is not there most of the time. */
static const char *const names[] = {
	".", "f", "g", "h", "l", "p", "d", "e", "d/f", "d/g", "d/d", "e/f",
	"e/d", "e/d/f", "e/g", "d/h", "d/d/f", "d/d/g", "e/h", "d/e/f", "d/e"
};

/** struct view - what one host shows: a line for each thing looked at */
struct view {
	char text[32768];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct view *v,
						      const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(v->text + v->len, sizeof(v->text) - v->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(v->text) - v->len)
		die("a view is too long");
	v->len += n;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void view_dir(struct view *v, const char *name, const char *path)
{
	struct dirent **e;
	int n = scandir(path, &e, NULL, by_name), i;

	if (n < 0) {
		say(v, "%s: readdir: %s\n", name, strerrorname_np(errno));
		return;
	}
	say(v, "%s:", name);
	for (i = 0; i < n; i++) {
		say(v, " %s/%d", e[i]->d_name, e[i]->d_type);
		free(e[i]);
	}
	say(v, "\n");
	free(e);
}

static void view_file(struct view *v, const char *name, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[257];
	ssize_t n;

	if (fd < 0) {
		say(v, "%s: open: %s\n", name, strerrorname_np(errno));
		return;
	}
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0) {
		say(v, "%s: read: %s\n", name, strerrorname_np(errno));
		return;
	}
	buf[n] = '\0';
	say(v, "%s: %zd bytes: %s\n", name, n, buf);
}

static void view_link(struct view *v, const char *name, const char *path)
{
	char buf[257];
	ssize_t n = readlink(path, buf, sizeof(buf) - 1);

	buf[n < 0 ? 0 : n] = '\0';
	say(v, "%s: -> %s\n", name, buf);
}

static void view_xattr(struct view *v, const char *name, const char *path)
{
	char buf[257];
	ssize_t n = lgetxattr(path, "trusted.x", buf, sizeof(buf) - 1);

	if (n < 0) {
		say(v, "%s: trusted.x: %s\n", name, strerrorname_np(errno));
		return;
	}
	buf[n] = '\0';
	say(v, "%s: trusted.x: %s\n", name, buf);
}

static void view_one(struct view *v, const char *name, const char *path)
{
	struct stat st;

	if (lstat(path, &st)) {
		say(v, "%s: stat: %s\n", name, strerrorname_np(errno));
		/* Another way to the same name. */
		say(v, "%s: access: %s\n", name,
		    access(path, F_OK) ? strerrorname_np(errno) : "is there");
		return;
	}
	say(v, "%s: mode %o nlink %lu uid %u gid %u size %lld ino %lu\n", name,
	    st.st_mode, (unsigned long)st.st_nlink, st.st_uid, st.st_gid,
	    (long long)st.st_size, (unsigned long)st.st_ino);
	say(v, "%s: mtime %ld.%09ld ctime %ld.%09ld\n", name,
	    (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
	    (long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	if (S_ISDIR(st.st_mode))
		view_dir(v, name, path);
	else if (S_ISREG(st.st_mode))
		view_file(v, name, path);
	else if (S_ISLNK(st.st_mode))
		view_link(v, name, path);
	view_xattr(v, name, path);
}

static struct view *view(enum place p)
{
	static struct view views[PLACES];
	struct view *v = &views[p];
	size_t i;

	v->len = 0;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		view_one(v, names[i], lab_path(top[p], names[i]));
	return v;
}

/* The first line in which two views differ. */
static void differ(enum place p, const struct view *v, const struct view *o,
		   const char *call)
{
	const char *a = v->text, *b = o->text;
	size_t n, m;

	for (;;) {
		n = strcspn(a, "\n");
		m = strcspn(b, "\n");
		if (n != m || memcmp(a, b, n))
			break;
		if (!a[n] || !b[m])
			return;
		a += n + 1;
		b += m + 1;
	}
	tap_bad("%s on %s: %s shows '%.*s', not '%.*s'", call,
		place_name[actor], place_name[p], (int)n, a, (int)m, b);
}

static void compare(const char *call)
{
	enum place other = actor == PLACE_A ? PLACE_B : PLACE_A;
	const struct view *v = view(other), *w = view(actor);
	const struct view *o = view(PLACE_ORIGIN);

	differ(other, v, o, call);
	differ(actor, w, o, call);
}

/* A change that goes through, and what everybody sees of it. */
#define DO(call) \
	do { \
		view(PLACE_A); \
		view(PLACE_B); \
		if ((call) < 0) \
			tap_bad("%s on %s: %s", #call, place_name[actor], \
				strerror(errno)); \
		compare(#call); \
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
		for (i = 1; i < ARRAY_SIZE(names); i++) {
			for (n = 0, p = names[i]; *p; p++)
				n += *p == '/';
			if (n == depth && unlink(at(names[i])))
				rmdir(at(names[i]));
		}
	}
	if (rmdir(top[actor]) || mkdir(top[actor], 0755))
		tap_bad("%s can not be emptied: %s", top[actor],
			strerror(errno));
	compare("to begin anew");
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

int main(void)
{
	umask(0);
	lab("cluster a b");
	snprintf(top[PLACE_A], sizeof(top[0]), "%s/a/t", lab_env("LAB"));
	snprintf(top[PLACE_B], sizeof(top[0]), "%s/b/t", lab_env("LAB"));
	snprintf(top[PLACE_ORIGIN], sizeof(top[0]), "%s/t", lab_env("EXPORT"));
	if (mkdir(top[PLACE_A], 0755))
		die("%s: %s", top[PLACE_A], strerror(errno));
	check_cached();
	check(PLACE_A, false, "what a changes is seen on b");
	check(PLACE_B, false, "what b changes is seen on a");
	check(PLACE_A, true, "a and b in turn");
	check(PLACE_B, true, "b and a in turn");
	check_sticky(PLACE_A, PLACE_B, "as b sees it");
	check_sticky(PLACE_B, PLACE_A, "as a sees it");
	check_races();
	return tap_end();
}
