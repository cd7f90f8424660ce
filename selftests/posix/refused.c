// SPDX-License-Identifier: GPL-2.0
/*
 * posix-refused: what a mount can not do is refused, and not done by half:
 * mappings for writing that are shared, mounts with other ids, local leases,
 * options that would not be kept. And access times, which cached reads set none.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "both.h"
#include "client.h"
#include "lab.h"
#include "tap.h"

#define PAGE 4096u

static int map(int fd, int prot, int flags, void **at)
{
	*at = mmap(NULL, PAGE, prot, flags, fd, 0);
	return *at == MAP_FAILED ? -1 : 0;
}

static void check_map(void)
{
	int fd = must(open(there("file"), O_RDWR | O_CLOEXEC), "open");
	void *p;

	refused(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED, &p), ENODEV,
		"a shared mapping for writing");
	refused(map(fd, PROT_WRITE, MAP_SHARED_VALIDATE, &p), ENODEV,
		"one that is only written to");
	must(map(fd, PROT_READ, MAP_SHARED, &p), "a shared mapping");
	refused(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES,
		"writing to it later");
	munmap(p, PAGE);
	must(map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, &p),
	     "a private mapping");
	*(char *)p = 'x';
	munmap(p, PAGE);
	close(fd);
	tap_good("shared mappings for writing");
}

/* Some user namespace that is not the first one. */
static int other_users(pid_t *pid)
{
	char path[64];
	int fd, up[2];
	char byte;

	must(pipe(up), "pipe");
	*pid = must(fork(), "fork");
	if (!*pid) {
		if (unshare(CLONE_NEWUSER) || write(up[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(up[1]);
	if (read(up[0], &byte, 1) != 1)
		die("no user namespace");
	close(up[0]);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", *pid);
	lab("echo 0 1000 10 >%s", path);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", *pid);
	lab("echo 0 1000 10 >%s", path);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", *pid);
	fd = lab_open(path);
	return fd;
}

static int give_ids(const char *path, int users)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = users,
	};
	int ret, e, tree;

	tree = must(syscall(SYS_open_tree, AT_FDCWD, path,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
		    "open_tree");
	ret = syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr,
		      sizeof(attr));
	e = errno;
	close(tree);
	errno = e;
	return ret;
}

static void check_ids(void)
{
	pid_t pid;
	int users = other_users(&pid);

	refused(give_ids(there(""), users), EINVAL, "an idmapped mount");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(users);
	tap_good("idmapped mounts");
}

static void check_lease(void)
{
	int fd = lab_open(there("file"));

	refused(fcntl(fd, F_SETLEASE, F_RDLCK), EINVAL, "F_SETLEASE");
	close(fd);
	tap_good("leases of this host's own");
}

static void option(const char *name)
{
	if (!lab_try("gns_mount a %s $LAB/more >said 2>&1", name))
		tap_bad("%s: it is mounted", name);
	if (lab_try("grep -q 'leave it out' said"))
		tap_bad("%s: the message does not say what to do", name);
	if (!lab_try("on a \"$mount_gns\" $ORIGIN:/x $LAB/a -o remount,%s >said 2>&1",
		     name))
		tap_bad("%s: the mount is changed to it", name);
}

static void check_options(void)
{
	option("sync");
	option("dirsync");
	option("mand");
	tap_good("options that would not be kept");
}

static s64 atime(const char *path)
{
	struct stat st;

	must(stat(path, &st), path);
	return st.st_atime;
}

/* Whatever the mount is told. What the origin reads is its own affair. */
static void check_atime(void)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	char buf[2 * PAGE];
	s64 at_origin, at_mount;
	int fd;

	lab("mount -o remount,bind,strictatime $LAB/a");
	must(utimensat(AT_FDCWD, there("file"), old, 0), "utimensat");
	if (atime(there("file")) != 1000)
		tap_bad("it can not be set");
	fd = lab_open(there("file"));
	must(read(fd, buf, sizeof(buf)), "read");
	at_origin = atime(here("file"));
	at_mount = atime(there("file"));
	lab_sleep(1100);
	must(pread(fd, buf, sizeof(buf), 0), "pread");
	close(fd);
	if (atime(there("file")) != at_mount)
		tap_bad("it is %lld now, and was %lld",
			(long long)atime(there("file")), (long long)at_mount);
	if (atime(here("file")) != at_origin)
		tap_bad("at the origin it is %lld now, and was %lld",
			(long long)atime(here("file")), (long long)at_origin);
	tap_good("what is cached is read without an access time");
}

int main(void)
{
	lab("mkdir $EXPORT && head -c 8192 /dev/urandom >$EXPORT/file");
	lab("cluster a");
	check_map();
	check_ids();
	check_lease();
	check_options();
	check_atime();
	return tap_end();
}
