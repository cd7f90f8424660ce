// SPDX-License-Identifier: GPL-2.0
/*
 * export-knfsd: the kernel's NFS server on host a serves its mount of gns, a
 * client on host b mounts that, by NFSv4.2. What the client writes is at the
 * origin, and what is written there, or on a mount of gns, is what it reads.
 *
 *	export-knfsd [3]	by NFSv3
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"

#define BIG (3u << 20)
#define ROUNDS 10
#define FILES 12
#define V4_MOUNT "nfs_mount b a $LAB/n"
#define V3_MOUNT "nfs3_mount b a $LAB/a $LAB/n"

static char top_n[256], top_b[256], top_o[256];
static bool by_v3;

static const char *n(const char *name)
{
	return lab_path(top_n, name);
}

static const char *b(const char *name)
{
	return lab_path(top_b, name);
}

static const char *o(const char *name)
{
	return lab_path(top_o, name);
}

static void put(const char *path, const char *buf, size_t len)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, buf, len) != (ssize_t)len || close(fd))
		tap_bad("%s can not be written: %s", path, strerror(errno));
}

static void check_is(const char *path, const char *buf, size_t len)
{
	static char got[BIG + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t ret = 1;

	if (fd < 0) {
		tap_bad("%s: %s", path, strerror(errno));
		return;
	}
	while (have < sizeof(got) && ret > 0) {
		ret = read(fd, got + have, sizeof(got) - have);
		have += ret > 0 ? ret : 0;
	}
	if (ret < 0)
		tap_bad("%s can not be read: %s", path, strerror(errno));
	else if (have != len || memcmp(got, buf, len))
		tap_bad("%s has other bytes, %zu of %zu", path, have, len);
	close(fd);
}

static void check_bytes(void)
{
	static char big[BIG];
	unsigned int i;
	char text[32];

	for (i = 0; i < BIG; i++)
		big[i] = i * 2654435761u >> 24;
	put(n("big"), big, BIG);
	check_is(o("big"), big, BIG);
	lab_forget();
	check_is(n("big"), big, BIG);
	check_is(b("big"), big, BIG);
	tap_good("a file written by the client");
	/* Of the same size, one behind the other. */
	for (i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof(text), "round %04u", i);
		/* By NFSv3 a client knows a change by its time only. */
		if (by_v3)
			lab_sleep(50);
		put(i % 2 ? b("turns") : n("turns"), text, strlen(text));
		check_is(i % 2 ? n("turns") : b("turns"), text, strlen(text));
	}
	tap_good("the client and a mount write in turn, and see it");
}

static unsigned int names(const char *path)
{
	DIR *d = opendir(path);
	unsigned int ret = 0;

	if (!d)
		die("%s: %s", path, strerror(errno));
	while (readdir(d))
		ret++;
	closedir(d);
	return ret;
}

static void check_names(void)
{
	struct stat st, at_o;
	char name[32];
	int i;

	if (mkdir(n("d"), 0750) || mkdir(n("d/e"), 0755))
		tap_bad("mkdir: %s", strerror(errno));
	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "d/e/%d", i);
		put(n(name), name, strlen(name));
	}
	if (names(n("d/e")) != FILES + 2 || names(o("d/e")) != FILES + 2)
		tap_bad("%u names, %u at the origin", names(n("d/e")),
			names(o("d/e")));
	if (rename(n("d/e"), n("m")) || unlink(n("m/3")) ||
	    symlink("m/4", n("l")) || link(n("m/5"), n("five")))
		tap_bad("%s", strerror(errno));
	check_is(n("l"), "d/e/4", 5);
	check_is(o("five"), "d/e/5", 5);
	if (!access(o("m/3"), F_OK) || !access(o("d/e"), F_OK))
		tap_bad("what the client has removed is there");
	if (chmod(n("five"), 0604) || chown(n("five"), 12, 34) ||
	    truncate(n("five"), 2) || stat(n("five"), &st) ||
	    stat(o("five"), &at_o))
		tap_bad("five: %s", strerror(errno));
	else if (st.st_mode != at_o.st_mode || st.st_uid != 12 ||
		 at_o.st_gid != 34 || st.st_size != 2 || at_o.st_size != 2 ||
		 (at_o.st_mode & 07777) != 0604)
		tap_bad("attributes differ");
	tap_good("names and attributes");
}

/* What the client holds is a handle and nothing else. */
static void check_handles(void)
{
	int dir = open(n("m"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = open(n("m/7"), O_RDONLY | O_DIRECT | O_CLOEXEC);
	static char buf[4096] __attribute__((aligned(4096)));
	struct stat st;

	if (fd < 0 || dir < 0)
		die("m/7: %s", strerror(errno));
	if (rename(b("m"), b("d/below")))
		tap_bad("rename: %s", strerror(errno));
	lab_forget();
	if (pread(fd, buf, sizeof(buf), 0) != 5 || memcmp(buf, "d/e/7", 5))
		tap_bad("the open file: %s", strerror(errno));
	if (fstatat(dir, "8", &st, 0) || st.st_size != 5)
		tap_bad("a file of the open directory: %s", strerror(errno));
	if (mkdirat(dir, "new", 0755) || access(o("d/below/new"), F_OK))
		tap_bad("a new name in it: %s", strerror(errno));
	tap_good("what is open goes on, moved and forgotten by the server");
	close(fd);
	if (unlink(b("d/below/9")) || rmdir(b("d/below/new")))
		tap_bad("unlink: %s", strerror(errno));
	lab_forget();
	if (!fstatat(dir, "9", &st, 0) || errno != ENOENT)
		tap_bad("a name that is gone: %s", strerror(errno));
	close(dir);
	tap_good("what is gone on a mount is gone for the client");
}

/* With a subtree check the server wants to know a file's place. */
static void check_subtree(void)
{
	lab("umount $LAB/n; nfs_flags a $LAB/a 8194; %s",
	    by_v3 ? V3_MOUNT : V4_MOUNT);
	put(n("d/placed"), "place", 5);
	lab_forget();
	check_is(n("d/placed"), "place", 5);
	check_is(n("d/below/11"), "d/e/11", 6);
	tap_good("an export with a subtree check");
}

int main(int argc, char **argv)
{
	by_v3 = argc > 1 && !strcmp(argv[1], "3");
	lab("cluster a b");
	snprintf(top_n, sizeof(top_n), "%s/n", lab_env("LAB"));
	snprintf(top_b, sizeof(top_b), "%s/b", lab_env("LAB"));
	snprintf(top_o, sizeof(top_o), "%s", lab_env("EXPORT"));
	lab(". $GNS_TOP/selftests/bench/nfs.sh");
	if (by_v3)
		lab("nfs3_serve a $LAB/a && " V3_MOUNT);
	else
		lab("nfs_serve a $LAB/a; " V4_MOUNT);
	check_bytes();
	check_names();
	check_handles();
	check_subtree();
	lab("umount $LAB/n; nfs_stop a");
	return tap_end();
}
