// SPDX-License-Identifier: GPL-2.0
/*
 * write-calls: how often the origin is asked. A change takes one round trip, a
 * synchronous write too; what it left is known without another one; and what was
 * cached when a session was lost is asked for again by the thousand.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"

#define FILES 1000
#define BLOCK 4096
#define BLOCKS 5 /* of the file, once it has grown */

static int fd, appending, made;
static char block[BLOCK];

static const char *at(const char *name)
{
	return lab_path("a", name);
}

static int do_write(void)
{
	return pwrite(fd, block, BLOCK, BLOCK) == BLOCK ? 0 : -1;
}

static int do_grow(void)
{
	return pwrite(fd, block, BLOCK, (BLOCKS - 1) * BLOCK) == BLOCK ? 0 : -1;
}

static int do_append(void)
{
	return write(appending, block, BLOCK) == BLOCK ? 0 : -1;
}

static int do_sync_write(void)
{
	struct iovec v = { block, BLOCK };

	return pwritev2(fd, &v, 1, 0, RWF_DSYNC) == BLOCK ? 0 : -1;
}

static int do_create(void)
{
	made = open(at("new"), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	return made < 0 ? -1 : 0;
}

static int do_first_write(void)
{
	return write(made, block, BLOCK) == BLOCK && !close(made) ? 0 : -1;
}

static int do_stat(void)
{
	struct stat st;

	return stat(at("new"), &st) || st.st_size != BLOCK ? -1 : 0;
}

static int do_rename(void)
{
	return rename(at("new"), at("newer"));
}

static int do_link(void)
{
	return link(at("newer"), at("link"));
}

static int do_chmod(void)
{
	return chmod(at("newer"), 0600);
}

static int do_truncate(void)
{
	return truncate(at("newer"), 5);
}

static int do_setxattr(void)
{
	return setxattr(at("newer"), "user.x", "v", 1, 0);
}

static int do_unlink(void)
{
	return unlink(at("newer"));
}

static int do_mkdir(void)
{
	return mkdir(at("dir"), 0755);
}

static int do_symlink(void)
{
	return symlink("newer", at("dir/link"));
}

static int do_move(void)
{
	return rename(at("link"), at("dir/file"));
}

static const struct {
	int (*fn)(void);
	const char *what;
	u64 calls;
} steps[] = {
	{ do_write, "write", 1 },
	{ do_grow, "write behind the end", 1 },
	{ do_append, "append", 1 },
	{ do_sync_write, "synchronous write", 1 },
	{ do_create, "create", 1 },
	{ do_first_write, "write to a new file", 1 },
	{ do_stat, "stat behind it", 0 },
	{ do_rename, "rename", 1 },
	{ do_link, "link", 1 },
	{ do_chmod, "chmod", 1 },
	/* The VFS looks whether the file has capabilities to lose. */
	{ do_truncate, "truncate", 2 },
	{ do_setxattr, "setxattr", 1 },
	{ do_unlink, "unlink", 1 },
	{ do_mkdir, "mkdir", 1 },
	{ do_symlink, "symlink in it", 1 },
	{ do_move, "rename into it", 1 },
};

/* That there is no such name is known: who makes one looks for it first. */
static void look_for(void)
{
	static const char *const names[] = { "new", "newer", "link", "dir",
					     "dir/link", "dir/file" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		access(at(names[i]), F_OK);
}

static void count_steps(void)
{
	u64 calls;
	size_t i;

	fd = open(at("file"), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	appending = open(at("log"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC,
			 0644);
	if (fd < 0 || appending < 0 || do_write() || do_append())
		die("to begin with: %s", strerror(errno));
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		look_for();
		calls = host_count("a", GNS_C_CALLS);
		if (steps[i].fn())
			tap_bad("%s: %s", steps[i].what, strerror(errno));
		calls = host_count("a", GNS_C_CALLS) - calls;
		if (calls != steps[i].calls)
			tap_bad("%s: %llu calls", steps[i].what,
				(unsigned long long)calls);
	}
	tap_good("a change is one round trip, and what it left is known");
}

static void stat_all(void)
{
	char name[32];
	struct stat st;
	int i;

	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		if (stat(at(name), &st))
			tap_bad("%s: %s", name, strerror(errno));
	}
}

static void make_all(void)
{
	char name[32];
	int i;

	if (mkdir(lab_path("export", "many"), 0755))
		die("many: %s", strerror(errno));
	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		if (mknod(lab_path("export", name), S_IFREG | 0644, 0))
			die("%s: %s", name, strerror(errno));
	}
}

static void count_again(void)
{
	struct host_status before, after;
	u64 calls, kept;

	stat_all();
	host_status("a", &before);
	stat_all();
	if (host_count("a", GNS_C_CALLS) != before.v[GNS_C_CALLS])
		tap_bad("they are not cached");
	lab("helper_kill a");
	lab_sleep(before.ttl / NSEC_PER_MSEC * 5 / 4);
	lab("helper_start a");
	stat_all();
	host_status("a", &after);
	calls = after.v[GNS_C_CALLS] - before.v[GNS_C_CALLS];
	kept = after.v[GNS_C_KEPT] - before.v[GNS_C_KEPT];
	tap_note("%llu calls, %llu are the same", (unsigned long long)calls,
		 (unsigned long long)kept);
	/* One for the files; the rest is what directories cost, and a spare. */
	if (calls > 8 || kept < FILES)
		tap_bad("%llu calls for %llu", (unsigned long long)calls,
			(unsigned long long)kept);
	tap_good("after the loss of a session, %d objects are asked for in one call",
		 FILES);
}

/* All of it: what is read ahead comes, and is counted, when nobody waits. */
static void read_it(const char *path)
{
	int f = lab_open(path);
	char got[BLOCK];
	int i;

	for (i = 0; i < BLOCKS; i++)
		if (read(f, got, BLOCK) != BLOCK)
			tap_bad("%s: %s", path, strerror(errno));
	close(f);
}

/* Who is told that a file can not be changed asks again; nobody else has to. */
static void count_refused(void)
{
	const char *here = lab_path("fixed.a", "file");
	const char *there = lab_path("fixed.b", "file");
	u64 b;

	lab("gns_mount a '' fixed.a $ORIGIN:/fixed");
	lab("gns_mount b '' fixed.b $ORIGIN:/fixed");
	read_it(here);
	read_it(there);
	b = host_count("b", GNS_C_FILL_BYTES);
	if (chmod(here, 0600) != -1 || errno != EROFS)
		tap_bad("chmod: %s", strerror(errno));
	if (setxattr(here, "user.y", "v", 1, 0) != -1 || errno != EROFS)
		tap_bad("setxattr: %s", strerror(errno));
	read_it(here);
	read_it(there);
	b = host_count("b", GNS_C_FILL_BYTES) - b;
	if (b)
		tap_bad("%llu bytes were fetched again", (unsigned long long)b);
	lab("gns_umount fixed.a && gns_umount fixed.b");
	tap_good("a change that is refused takes nothing from the caches of others");
}

int main(void)
{
	lab("cluster_start a b && origin_start --export fixed=$EXPORT,ro");
	make_all();
	lab("helper_start a && gns_mount a && helper_start b");
	count_steps();
	count_refused();
	count_again();
	return tap_end();
}
