// SPDX-License-Identifier: GPL-2.0
/*
 * write-views: an origin that shows the same directory by two exports, one of
 * them further up. Whoever has mounted the one sees what is changed by the other
 * as if it were the same mount: on two hosts, and on one that has both.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"
#include "view.h"

static const char *const names[] = { "f", "g", "d", "s" };

static int put(int flags, const char *text)
{
	int fd = open(at("f"), O_WRONLY | O_CLOEXEC | flags, 0644);
	ssize_t len = strlen(text);

	if (fd < 0)
		return -1;
	if (write(fd, text, len) != len) {
		close(fd);
		return -1;
	}
	return close(fd);
}

static int do_create(void)
{
	return put(O_CREAT | O_EXCL, "first");
}

static int do_write(void)
{
	return put(0, "other");
}

static int do_append(void)
{
	return put(O_APPEND, " and more");
}

static int do_truncate(void)
{
	return truncate(at("f"), 3);
}

static int do_chmod(void)
{
	return chmod(at("f"), 0640);
}

static int do_setxattr(void)
{
	return setxattr(at("f"), "user.x", "y", 1, 0);
}

static int do_link(void)
{
	return link(at("f"), at("g"));
}

static int do_unlink(void)
{
	return unlink(at("f"));
}

static int do_rename(void)
{
	return rename(at("g"), at("f"));
}

static int do_symlink(void)
{
	return symlink("f", at("s"));
}

static int do_mkdir(void)
{
	return mkdir(at("d"), 0755);
}

static int do_replace(void)
{
	return rename(at("f"), at("s"));
}

static int do_rmdir(void)
{
	return rmdir(at("d"));
}

static int do_remove(void)
{
	return unlink(at("s"));
}

static const struct {
	const char *name;
	int (*fn)(void);
} calls[] = {
	{ "create", do_create },
	{ "write", do_write },
	{ "append", do_append },
	{ "truncate", do_truncate },
	{ "chmod", do_chmod },
	{ "setxattr", do_setxattr },
	{ "link", do_link },
	{ "unlink", do_unlink },
	{ "rename", do_rename },
	{ "symlink", do_symlink },
	{ "mkdir", do_mkdir },
	{ "rename over a link", do_replace },
	{ "rmdir", do_rmdir },
	{ "the last unlink", do_remove },
};

static void run_calls(const char *where)
{
	size_t i;

	/* What is looked at is cached from here on, absent names as well. */
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		view_compare("before");
		if (calls[i].fn())
			tap_bad("%s: %s", calls[i].name, strerror(errno));
		view_compare(calls[i].name);
	}
	tap_good("changed by %s", where);
}

static void check_mapped(const char *where)
{
	const char *p;
	int fd;

	actor = PLACE_A;
	if (do_create())
		die("f: %s", strerror(errno));
	fd = lab_open(at_place(PLACE_B, "f"));
	p = mmap(NULL, 5, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (memcmp(p, "first", 5))
		tap_bad("the mapping shows '%.5s'", p);
	if (do_write())
		tap_bad("write: %s", strerror(errno));
	if (memcmp(p, "other", 5))
		tap_bad("the mapping shows '%.5s' after the write", p);
	munmap((void *)p, 5);
	tap_good("mapped by the one, written by the other, %s", where);

	if (unlink(at("f")))
		tap_bad("unlink: %s", strerror(errno));
	if (access(at_place(PLACE_ORIGIN, "f"), F_OK) != -1)
		tap_bad("the name is still there");
	close(fd);
}

static void check_open(const char *where)
{
	char got[8] = "";
	struct stat st;
	int fd;

	actor = PLACE_A;
	if (do_create())
		die("f: %s", strerror(errno));
	fd = open(at_place(PLACE_B, "f"), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("f: %s", strerror(errno));
	if (unlink(at("f")))
		tap_bad("unlink: %s", strerror(errno));
	if (fstat(fd, &st) || st.st_nlink)
		tap_bad("it has %u names", (unsigned int)st.st_nlink);
	if (pwrite(fd, "lives", 5, 0) != 5 || pread(fd, got, 5, 0) != 5 ||
	    memcmp(got, "lives", 5))
		tap_bad("it can not be used: '%s', %s", got, strerror(errno));
	close(fd);
	tap_good("open by the one, removed by the other, %s", where);
}

static void check_lock(const char *where)
{
	int a, b;

	actor = PLACE_A;
	if (do_create())
		die("f: %s", strerror(errno));
	a = lab_open(at_place(PLACE_A, "f"));
	b = lab_open(at_place(PLACE_B, "f"));
	if (flock(a, LOCK_EX))
		tap_bad("flock: %s", strerror(errno));
	if (flock(b, LOCK_EX | LOCK_NB) != -1 || errno != EWOULDBLOCK)
		tap_bad("both have the lock");
	close(a);
	if (flock(b, LOCK_EX))
		tap_bad("flock after the other one: %s", strerror(errno));
	close(b);
	if (unlink(at("f")))
		tap_bad("unlink: %s", strerror(errno));
	tap_good("locked by both, %s", where);
}

static void both_ways(const char *where)
{
	actor = PLACE_A;
	run_calls("the upper one");
	actor = PLACE_B;
	run_calls("the lower one");
	check_mapped(where);
	check_open(where);
	check_lock(where);
}

int main(void)
{
	umask(0);
	lab("cluster_start a b");
	lab("mkdir $EXPORT/t");
	lab("origin_start --export lower=$EXPORT/t,squash=none");
	lab("helper_start a && helper_start b");
	lab("gns_mount a");
	lab("gns_mount a '' $LAB/both $ORIGIN:/lower");
	lab("gns_mount b '' $LAB/b $ORIGIN:/lower");
	snprintf(view_top[PLACE_A], 256, "%s/a/t", lab_env("LAB"));
	snprintf(view_top[PLACE_B], 256, "%s/b", lab_env("LAB"));
	snprintf(view_top[PLACE_ORIGIN], 256, "%s/t", lab_env("EXPORT"));
	view_only(names, ARRAY_SIZE(names));
	both_ways("on two hosts");
	snprintf(view_top[PLACE_B], 256, "%s/both", lab_env("LAB"));
	both_ways("on one host");
	lab("gns_umount $LAB/both");
	return tap_end();
}
