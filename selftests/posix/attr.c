// SPDX-License-Identifier: GPL-2.0
/*
 * posix-attr: attributes, links, extended attributes, statfs, who may do what,
 * and that nothing can be written to a read-only mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "both.h"
#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"

#define GNS_MAGIC 0x676e7366
#define USER 1000
#define GROUP 2000
#define TARGET_MAX 4095u

static void times(const char *name, time_t sec, long nsec)
{
	struct timespec ts[2] = { { sec, nsec }, { sec, nsec } };

	must(utimensat(AT_FDCWD, here(name), ts, AT_SYMLINK_NOFOLLOW), name);
}

static void owned(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	must(chown(here(name), uid, gid), name);
	must(chmod(here(name), mode), name);
}

static const struct {
	const char *name;
	size_t len;
} xattrs[] = {
	{ "user.one", 1 },
	{ "user.none", 0 },
	{ "user.long", 40000 },
	{ "trusted.two", 100 },
};

static void make_xattrs(void)
{
	static char value[65536];
	size_t i;

	make_file("dir/attr", 0);
	memset(value, 'v', sizeof(value));
	for (i = 0; i < ARRAY_SIZE(xattrs); i++)
		if (setxattr(here("dir/attr"), xattrs[i].name, value,
			     xattrs[i].len, 0))
			tap_note("%s: the origin's filesystem has none: %s",
				 xattrs[i].name, strerror(errno));
}

static void make_tree(void)
{
	char target[TARGET_MAX + 1];
	int fd;

	make_file("plain", 12345);
	make_file("empty", 0);
	make_file("linked", 100);
	must(link(here("linked"), here("linked2")), "link");
	times("linked", 1, 999999999);
	times("empty", -5, 7);
	times("plain", 4000000000, 123456789);
	make_file("user", 10);
	owned("user", USER, USER, 0600);
	make_file("group", 10);
	owned("group", 0, GROUP, 0640);
	make_file("suid", 10);
	owned("suid", USER, GROUP, 06755);
	make_file("root", 10);
	owned("root", 0, 0, 0600);
	make_file("sparse", 0);
	must(truncate(here("sparse"), 5ll << 30), "truncate");
	fd = must(open(here("sparse"), O_WRONLY), "sparse");
	must(pwrite(fd, "x", 1, 4ll << 30), "sparse");
	close(fd);
	must(mkdir(here("dir"), 0755), "mkdir");
	must(mkdir(here("shut"), 0711), "mkdir");
	make_file("shut/known", 20);
	must(mkdir(here("sticky"), 01777), "mkdir");
	must(mknod(here("fifo"), S_IFIFO | 0644, 0), "fifo");
	must(mknod(here("socket"), S_IFSOCK | 0644, 0), "socket");
	must(mknod(here("null"), S_IFCHR | 0666, makedev(1, 3)), "null");
	must(mknod(here("block"), S_IFBLK | 0600, makedev(259, 70000)), "block");
	must(symlink("plain", here("short")), "symlink");
	must(symlink("dir/../../\xff\n", here("odd")), "symlink");
	memset(target, 'y', TARGET_MAX);
	target[TARGET_MAX] = '\0';
	must(symlink(target, here("long")), "symlink");
	make_xattrs();
}

static const char *const all[] = {
	"",
	"plain",
	"empty",
	"linked",
	"linked2",
	"user",
	"group",
	"suid",
	"root",
	"sparse",
	"dir",
	"shut",
	"shut/known",
	"sticky",
	"fifo",
	"socket",
	"null",
	"block",
	"short",
	"odd",
	"long",
};

static void check_stat(void)
{
	u64 before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		both_stat(all[i]);
	tap_good("every attribute is as the origin has it");
	before = host_count("a", GNS_C_CALLS);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		both_stat(all[i]);
	tap_good("the same from the cache");
	tap_ok(host_count("a", GNS_C_CALLS) == before,
	       "which asks nobody: %llu calls",
	       (unsigned long long)(host_count("a", GNS_C_CALLS) - before));
	both_link("short");
	both_link("odd");
	both_link("long");
	tap_good("targets of links");
}

static void check_absent(void)
{
	char name[300];
	struct stat st;
	u64 before;
	int i;

	refused(stat(there("nothing"), &st), ENOENT, "an absent name");
	before = host_count("a", GNS_C_CALLS);
	for (i = 0; i < 10; i++)
		refused(stat(there("nothing"), &st), ENOENT, "absent again");
	if (host_count("a", GNS_C_CALLS) != before)
		tap_bad("absence is asked for again");
	refused(stat(there("nothing/below"), &st), ENOENT, "below absence");
	refused(stat(there("plain/below"), &st), ENOTDIR, "below a file");
	memset(name, 'n', 256);
	name[256] = '\0';
	refused(stat(there(name), &st), ENAMETOOLONG, "256 bytes");
	name[255] = '\0';
	refused(stat(there(name), &st), ENOENT, "255 bytes");
	tap_good("names that are not there");
}

static void one_xattr(const char *file, const char *name, size_t len)
{
	static char a[65536], b[65536];
	ssize_t n, m;

	n = getxattr(here(file), name, a, sizeof(a));
	m = getxattr(there(file), name, b, sizeof(b));
	if (n < 0 && m >= 0)
		tap_bad("%s of %s is there", name, file);
	if (n < 0)
		return;
	if (n != m || memcmp(a, b, n))
		tap_bad("%s of %s: %zd bytes, not %zd", name, file, m, n);
	if (getxattr(there(file), name, NULL, 0) != n)
		tap_bad("%s of %s: its length", name, file);
	if (len > 1)
		refused(getxattr(there(file), name, b, len - 1), ERANGE,
			"a buffer that is too small");
}

static void check_xattr(void)
{
	char list[4096], want[4096];
	ssize_t n, m;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(xattrs); i++)
		one_xattr("dir/attr", xattrs[i].name, xattrs[i].len);
	refused(getxattr(there("dir/attr"), "trusted.absent", list, 10), ENODATA,
		"an absent one");
	n = must(listxattr(here("dir/attr"), want, sizeof(want)), "listxattr");
	m = listxattr(there("dir/attr"), list, sizeof(list));
	if (n != m || memcmp(list, want, n))
		tap_bad("the list has %zd bytes, not %zd", m, n);
	if (n > 1)
		refused(listxattr(there("dir/attr"), list, n - 1), ERANGE,
			"a list that is too small");
	tap_good("extended attributes");
}

static void check_statfs(void)
{
	struct statfs a, b;

	must(statfs(here(""), &a), "statfs");
	must(statfs(there(""), &b), "statfs");
	if (b.f_type != GNS_MAGIC)
		tap_bad("type %lx", (long)b.f_type);
	if (b.f_bsize != a.f_bsize || b.f_blocks != a.f_blocks)
		tap_bad("size: %ld x %ld", (long)b.f_bsize, (long)b.f_blocks);
	if (b.f_namelen != 255)
		tap_bad("names of %ld bytes", (long)b.f_namelen);
	if (b.f_flags & ST_RDONLY)
		tap_bad("read-only");
	tap_good("statfs");
}

static void readable(const char *name, int err)
{
	char byte;
	int fd = open(there(name), O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == err)
		return;
	if (fd < 0)
		tap_bad("%s: %s", name, strerrorname_np(errno));
	else if (err)
		tap_bad("%s can be opened by uid %d", name, getuid());
	else if (read(fd, &byte, 1) != 1)
		tap_bad("%s: read: %s", name, strerrorname_np(errno));
	if (fd >= 0)
		close(fd);
}

/* In a child: ids do not come back. */
static void as_user(const char *what, void (*fn)(void), uid_t uid, gid_t gid,
		    bool group)
{
	static const gid_t groups[] = { GROUP };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = must(fork(), "fork");
	if (!pid) {
		must(setgroups(group, groups), "setgroups");
		must(setresgid(gid, gid, gid), "setresgid");
		must(setresuid(uid, uid, uid), "setresuid");
		fn();
		exit(tap_is_bad());
	}
	must(waitpid(pid, &status, 0), "waitpid");
	tap_ok(!status, "%s", what);
}

static void user_reads(void)
{
	readable("plain", 0);
	readable("user", 0);
	readable("group", EACCES);
	readable("root", EACCES);
	readable("shut", EACCES);
	readable("shut/known", 0);
	if (access(there("suid"), X_OK))
		tap_bad("suid can not be executed");
	refused(access(there("plain"), X_OK), EACCES, "execute plain");
}

static void member_reads(void)
{
	readable("group", 0);
	readable("root", EACCES);
}

static void check_write(void)
{
	struct statfs b;
	size_t i;

	lab("gns_umount $LAB/a && gns_mount a ro");
	must(statfs(there(""), &b), "statfs");
	if (!(b.f_flags & ST_RDONLY))
		tap_bad("not read-only");
	refused(open(there("plain"), O_WRONLY), EROFS, "open for writing");
	refused(open(there("plain"), O_RDWR), EROFS, "open for both");
	refused(open(there("new"), O_CREAT | O_RDONLY, 0644), EROFS, "creat");
	refused(mkdir(there("new"), 0755), EROFS, "mkdir");
	refused(rmdir(there("dir")), EROFS, "rmdir");
	refused(unlink(there("plain")), EROFS, "unlink");
	refused(rename(there("plain"), there("new")), EROFS, "rename");
	refused(link(there("plain"), there("new")), EROFS, "link");
	refused(symlink("x", there("new")), EROFS, "symlink");
	refused(mknod(there("new"), S_IFIFO, 0), EROFS, "mknod");
	refused(chmod(there("plain"), 0600), EROFS, "chmod");
	refused(chown(there("plain"), 1, 1), EROFS, "chown");
	refused(truncate(there("plain"), 0), EROFS, "truncate");
	refused(utimensat(AT_FDCWD, there("plain"), NULL, 0), EROFS, "utimes");
	refused(setxattr(there("plain"), "user.x", "", 0, 0), EROFS,
		"setxattr");
	refused(access(there("plain"), W_OK), EROFS, "access");
	for (i = 0; i < ARRAY_SIZE(all); i++)
		both_stat(all[i]);
	tap_good("nothing can be written to a read-only mount");
}

/*
 * What the origin makes of root is not what this kernel makes of it: the file
 * may be opened, but its bytes do not come.
 */
static void check_squash(void)
{
	const char *mnt = strdup(lab_path(lab_env("LAB"), "squashed"));
	char byte;
	int fd;

	lab("gns_mount a '' $LAB/squashed $ORIGIN:/squashed");
	fd = open(lab_path(mnt, "root"), O_RDONLY | O_CLOEXEC);
	refused(fd < 0 ? fd : read(fd, &byte, 1), EACCES,
		"root, as nobody, reads root's file");
	close(fd);
	fd = lab_open(lab_path(mnt, "plain"));
	if (read(fd, &byte, 1) != 1)
		tap_bad("plain: %s", strerror(errno));
	close(fd);
	lab("gns_umount $LAB/squashed");
	tap_good("root is nobody where the origin says so");
}

int main(void)
{
	lab("cluster_start a");
	make_tree();
	lab("origin_start --export squashed=$EXPORT,squash=root");
	lab("helper_start a");
	lab("gns_mount a");
	check_absent();
	check_stat();
	check_xattr();
	check_statfs();
	as_user("a user's rights", user_reads, USER, USER, false);
	as_user("a group's rights", member_reads, USER, USER, true);
	check_write();
	check_squash();
	return tap_end();
}
