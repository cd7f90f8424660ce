// SPDX-License-Identifier: GPL-2.0
/*
 * write-names: names made and taken away on a mount, beside a local tree that
 * is treated in the same way.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "both.h"
#include "client.h"
#include "lab.h"
#include "names.h"
#include "tap.h"
#include "twin.h"

#define MANY 200

/* What the mount has never heard of when it is first asked for. */
static void make_cold(void)
{
	QUIET(0, mkdir(at("cold"), 0755));
	QUIET(0, put(at("cold/file"), O_CREAT | O_WRONLY, 0644, "old"));
	QUIET(0, put(at("cold/excl"), O_CREAT | O_WRONLY, 0644, "old"));
	QUIET(0, put(at("cold/cut"), O_CREAT | O_WRONLY, 0644, "old"));
	QUIET(0, put(at("cold/shut"), O_CREAT | O_WRONLY, 0600, "old"));
	QUIET(0, mkdir(at("cold/dir"), 0755));
	QUIET(0, symlink("file", at("cold/link")));
	QUIET(0, symlink("none", at("cold/dangling")));
	QUIET(0, mkfifo(at("cold/fifo"), 0644));
	QUIET(0, put(at("cold/gone"), O_CREAT | O_WRONLY, 0644, "old"));
	QUIET(0, put(at("cold/moved"), O_CREAT | O_WRONLY, 0644, "old"));
}

static void check_cold(void)
{
	SAME(0, put(at("cold/file"), O_CREAT | O_WRONLY, 0600, "NEW"));
	SAME(EEXIST, put(at("cold/excl"), O_CREAT | O_EXCL | O_WRONLY, 0600, "n"));
	SAME(0, put(at("cold/cut"), O_CREAT | O_TRUNC | O_WRONLY, 0600, "n"));
	SAME_AS(USER, EACCES, put(at("cold/shut"), O_CREAT | O_RDWR, 0666, NULL));
	SAME_AS(USER, EACCES,
		put(at("cold/shut"), O_CREAT | O_TRUNC | O_RDWR, 0666, NULL));
	SAME(EISDIR, put(at("cold/dir"), O_CREAT | O_WRONLY, 0600, NULL));
	SAME(EISDIR, put(at("cold/dir"), O_CREAT | O_RDONLY, 0600, NULL));
	SAME(0, put(at("cold/link"), O_CREAT | O_WRONLY, 0600, "by"));
	SAME(EEXIST, put(at("cold/dangling"), O_CREAT | O_EXCL | O_RDWR, 0600, NULL));
	SAME(0, put(at("cold/dangling"), O_CREAT | O_WRONLY, 0600, "made"));
	SAME(0, put(at("cold/fifo"), O_CREAT | O_RDWR, 0600, NULL));
	SAME(0, unlink(at("cold/gone")));
	SAME(0, rename(at("cold/moved"), at("cold/gone")));
	tap_good("names that were not cached");
}

static void check_create(void)
{
	SAME(0, mkdir(at("c"), 0755));
	SAME(0, put(at("c/a"), O_CREAT | O_EXCL | O_WRONLY, 0644, "one"));
	SAME(EEXIST, put(at("c/a"), O_CREAT | O_EXCL | O_WRONLY, 0644, "two"));
	SAME(0, put(at("c/a"), O_CREAT | O_WRONLY, 0600, "two"));
	SAME(0, put(at("c/a"), O_CREAT | O_WRONLY | O_TRUNC, 0600, "x"));
	SAME(0, put(at("c/a"), O_WRONLY | O_TRUNC, 0, NULL));
	SAME(0, put(at("c/b"), O_CREAT | O_RDONLY, 0640, NULL));
	/* Its mode does not hold for who makes it. */
	SAME(0, put(at("c/ro"), O_CREAT | O_RDWR, 0400, "made"));
	SAME_AS(USER, EACCES, put(at("c/no"), O_CREAT | O_RDWR, 0644, NULL));
	SAME(0, chmod(at("c"), 0777));
	SAME_AS(USER, 0, put(at("c/none"), O_CREAT | O_RDWR, 0, "made"));
	SAME_AS(USER, EACCES, put(at("c/none"), O_CREAT | O_RDWR, 0, NULL));
	SAME(ENOENT, put(at("c/absent"), O_WRONLY, 0, NULL));
	SAME(0, put(at("c/absent"), O_WRONLY | O_CREAT, 0644, "now"));
	SAME(0, put(at("c/strange"), O_WRONLY | O_CREAT, 07777, NULL));
	SAME(EISDIR, put(at("c"), O_CREAT | O_WRONLY, 0644, NULL));
	SAME(EISDIR, put(at("c/d/"), O_CREAT | O_WRONLY, 0644, NULL));
	SAME(ENOENT, put(at("c/e/f"), O_CREAT | O_WRONLY, 0644, NULL));
	SAME(ENOTDIR, put(at("c/a/f"), O_CREAT | O_WRONLY, 0644, NULL));
	SAME(0, symlink("behind", at("c/l")));
	SAME(ELOOP, put(at("c/l"), O_CREAT | O_WRONLY | O_NOFOLLOW, 0644, NULL));
	SAME(EEXIST, put(at("c/l"), O_CREAT | O_EXCL | O_WRONLY, 0644, NULL));
	SAME(0, put(at("c/l"), O_CREAT | O_WRONLY, 0644, "behind"));
	SAME(0, symlink("l2", at("c/l2")));
	SAME(ELOOP, put(at("c/l2"), O_CREAT | O_WRONLY, 0644, NULL));
	tap_good("open with O_CREAT");
}

/* In a directory that has no name any more. */
static int in_gone_dir(void)
{
	int dir = open(at("m/gone"), O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	if (dir < 0 || rmdir(at("m/gone")))
		return -1;
	fd = openat(dir, "new", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	close(dir);
	return fd;
}

static void check_mkdir(void)
{
	SAME(0, mkdir(at("m"), 0755));
	SAME(0, mkdir(at("m/a"), 0700));
	SAME(0, mkdir(at("m/a/b"), 01777));
	SAME(0, mkdir(at("m/a/b/c"), 0));
	SAME(EEXIST, mkdir(at("m/a"), 0755));
	SAME(EEXIST, mkdir(at("m/."), 0755));
	SAME(EEXIST, mkdir(at("m/a/.."), 0755));
	SAME(0, put(at("m/f"), O_CREAT | O_WRONLY, 0644, NULL));
	SAME(EEXIST, mkdir(at("m/f"), 0755));
	SAME(0, symlink("none", at("m/l")));
	SAME(EEXIST, mkdir(at("m/l"), 0755));
	SAME(ENOENT, mkdir(at("m/none/d"), 0755));
	SAME(ENOTDIR, mkdir(at("m/f/d"), 0755));
	SAME_AS(USER, EACCES, mkdir(at("m/d"), 0755));
	SAME(ENOTEMPTY, rmdir(at("m/a")));
	SAME(ENOTDIR, rmdir(at("m/f")));
	SAME(ENOTDIR, rmdir(at("m/l")));
	SAME(ENOENT, rmdir(at("m/none")));
	SAME(EINVAL, rmdir(at("m/a/.")));
	SAME(ENOTEMPTY, rmdir(at("m/a/b/..")));
	SAME_AS(USER, EACCES, rmdir(at("m/a")));
	SAME(0, rmdir(at("m/a/b/c")));
	SAME(0, rmdir(at("m/a/b/")));
	SAME(0, rmdir(at("m/a")));
	SAME(ENOENT, rmdir(at("m/a")));
	SAME(0, mkdir(at("m/a"), 0755));
	SAME(0, mkdir(at("m/gone"), 0755));
	SAME(ENOENT, in_gone_dir());
	SAME(0, put(at("m/gone"), O_CREAT | O_WRONLY, 0644, "a file now"));
	tap_good("mkdir, rmdir");
}

static void check_unlink(void)
{
	SAME(0, mkdir(at("u"), 0755));
	SAME(0, put(at("u/f"), O_CREAT | O_WRONLY, 0644, "f"));
	SAME(0, symlink("f", at("u/l")));
	SAME(0, mkdir(at("u/d"), 0755));
	SAME(EISDIR, unlink(at("u/d")));
	SAME(ENOTDIR, unlink(at("u/f/g")));
	SAME(ENOENT, unlink(at("u/none")));
	SAME(ENOTDIR, unlink(at("u/f/")));
	SAME_AS(USER, EACCES, unlink(at("u/f")));
	SAME(0, unlink(at("u/l")));
	SAME(0, unlink(at("u/f")));
	SAME(ENOENT, unlink(at("u/f")));
	SAME(0, mkdir(at("u/f"), 0755));
	SAME(0, rmdir(at("u/f")));
	SAME(0, put(at("u/f"), O_CREAT | O_EXCL | O_WRONLY, 0644, "again"));
	tap_good("unlink");
}

static void check_symlink(void)
{
	char target[4097];

	SAME(0, mkdir(at("s"), 0755));
	SAME(0, symlink("../c/a", at("s/one")));
	SAME(EEXIST, symlink("x", at("s/one")));
	SAME(ENOENT, symlink("", at("s/empty")));
	SAME(ENOENT, symlink("x", at("s/none/x")));
	SAME(ENOTDIR, symlink("x", at("c/a/x")));
	SAME_AS(USER, EACCES, symlink("x", at("s/two")));
	memset(target, 'y', sizeof(target));
	target[4095] = '\0';
	SAME(0, symlink(target, at("s/long")));
	target[4095] = 'y';
	target[4096] = '\0';
	SAME(ENAMETOOLONG, symlink(target, at("s/longer")));
	SAME(0, symlink("\xff/\n\\", at("s/odd")));
	SAME(0, put(at("s/one"), O_WRONLY | O_TRUNC, 0, "through"));
	tap_good("symlink");
}

static void check_link(void)
{
	SAME(0, mkdir(at("h"), 0755));
	SAME(0, mkdir(at("h/d"), 0755));
	SAME(0, put(at("h/f"), O_CREAT | O_WRONLY, 0644, "linked"));
	SAME(0, link(at("h/f"), at("h/g")));
	SAME(0, link(at("h/g"), at("h/d/h")));
	SAME(EEXIST, link(at("h/f"), at("h/g")));
	SAME(EPERM, link(at("h/d"), at("h/e")));
	SAME(ENOENT, link(at("h/none"), at("h/e")));
	SAME(ENOENT, link(at("h/f"), at("h/none/e")));
	SAME(ENOTDIR, link(at("h/f"), at("h/f/e")));
	/* As fs.protected_hardlinks says: EPERM or EACCES. */
	SAME_AS(USER, ANY, link(at("h/f"), at("h/user")));
	SAME(0, symlink("f", at("h/l")));
	SAME(0, link(at("h/l"), at("h/l2")));
	SAME(0, linkat(AT_FDCWD, at("h/l"), AT_FDCWD, at("h/l3"),
		       AT_SYMLINK_FOLLOW));
	SAME(0, mkfifo(at("h/p"), 0644));
	SAME(0, link(at("h/p"), at("h/p2")));
	SAME(0, put(at("h/d/h"), O_WRONLY | O_TRUNC, 0, "by another name"));
	SAME(0, chmod(at("h/g"), 0600));
	SAME(0, unlink(at("h/f")));
	SAME(0, unlink(at("h/g")));
	SAME(0, unlink(at("h/l3")));
	SAME(0, unlink(at("h/d/h")));
	twin_side = TWIN_GNS;
	refused(link(at("h/p"), lab_path(lab_env("LAB"), "p")), EXDEV,
		"a link elsewhere");
	refused(rename(at("h/p"), lab_path(lab_env("LAB"), "p")), EXDEV,
		"a rename elsewhere");
	twin_tree("links elsewhere");
	tap_good("link");
}

/* Paths of sockets are short: by way of an open directory. */
static int bind_at(const char *dir, const char *name)
{
	int d = open(dir, O_PATH | O_CLOEXEC), s, ret, err;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%s", d,
		 name);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ret = bind(s, (struct sockaddr *)&sa, sizeof(sa));
	err = errno;
	close(s);
	close(d);
	errno = err;
	return ret;
}

/* Bytes go through it, in this kernel. */
static int through_fifo(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	char byte = 0;

	if (fd < 0)
		return -1;
	if (write(fd, "x", 1) != 1 || read(fd, &byte, 1) != 1 || byte != 'x')
		errno = EIO;
	close(fd);
	return byte == 'x' ? 0 : -1;
}

static void check_mknod(void)
{
	SAME(0, mkdir(at("n"), 0777));
	SAME(0, mknod(at("n/fifo"), S_IFIFO | 0640, 0));
	SAME(0, through_fifo(at("n/fifo")));
	SAME(0, mknod(at("n/sock"), S_IFSOCK | 0600, 0));
	SAME(0, mknod(at("n/null"), S_IFCHR | 0666, makedev(1, 3)));
	SAME(0, put(at("n/null"), O_WRONLY, 0, "gone"));
	SAME(0, mknod(at("n/block"), S_IFBLK | 0600, makedev(259, 70000)));
	SAME(0, mknod(at("n/reg"), S_IFREG | 0644, 0));
	SAME(0, mknod(at("n/reg0"), 0644, 0));
	SAME(EPERM, mknod(at("n/dir"), S_IFDIR | 0755, 0));
	SAME(EEXIST, mknod(at("n/reg"), S_IFREG | 0644, 0));
	SAME(EEXIST, mknod(at("n/fifo"), S_IFIFO | 0644, 0));
	SAME(ENOENT, mknod(at("n/none/x"), S_IFIFO | 0644, 0));
	SAME(ENOTDIR, mknod(at("n/reg/x"), S_IFIFO | 0644, 0));
	SAME_AS(USER, EPERM, mknod(at("n/dev"), S_IFCHR | 0666, makedev(1, 3)));
	SAME_AS(USER, 0, mknod(at("n/mine"), S_IFIFO | 0600, 0));
	SAME(0, bind_at(at("n"), "bound"));
	SAME(EADDRINUSE, bind_at(at("n"), "bound"));
	SAME(0, unlink(at("n/bound")));
	SAME(0, bind_at(at("n"), "bound"));
	SAME(0, unlink(at("n/null")));
	tap_good("mknod, sockets");
}

static void check_rights(void)
{
	SAME(0, mkdir(at("r"), 0755));
	SAME(0, mkdir(at("r/sticky"), 01777));
	SAME(0, mkdir(at("r/open"), 0777));
	SAME(0, mkdir(at("r/blind"), 0766));
	SAME_AS(USER, 0, put(at("r/sticky/u"), O_CREAT | O_RDWR, 0666, "u"));
	SAME_AS(OTHER, 0, put(at("r/sticky/o"), O_CREAT | O_RDWR, 0666, "o"));
	SAME_AS(USER, EPERM, unlink(at("r/sticky/o")));
	SAME_AS(USER, EPERM, rename(at("r/sticky/o"), at("r/sticky/x")));
	SAME_AS(USER, EPERM, rename(at("r/sticky/u"), at("r/sticky/o")));
	SAME_AS(USER, 0, rename(at("r/sticky/u"), at("r/sticky/u2")));
	/* As fs.protected_regular says. */
	SAME_AS(USER, ANY, put(at("r/sticky/o"), O_CREAT | O_RDWR, 0666, "w"));
	SAME_AS(USER, 0, mkdir(at("r/sticky/d"), 0755));
	SAME_AS(OTHER, EPERM, rmdir(at("r/sticky/d")));
	SAME_AS(USER, 0, rmdir(at("r/sticky/d")));
	SAME_AS(USER, 0, put(at("r/open/u"), O_CREAT | O_RDWR, 0600, "u"));
	/* As fs.protected_hardlinks says. */
	SAME_AS(OTHER, ANY, link(at("r/open/u"), at("r/open/o")));
	SAME_AS(OTHER, EACCES, put(at("r/open/u"), O_CREAT | O_RDWR, 0, NULL));
	SAME_AS(OTHER, EACCES,
		put(at("r/open/u"), O_CREAT | O_TRUNC | O_WRONLY, 0, NULL));
	SAME_AS(OTHER, 0, unlink(at("r/open/u")));
	SAME_AS(USER, EACCES, put(at("r/blind/x"), O_CREAT | O_RDWR, 0666, NULL));
	SAME_AS(USER, EACCES, put(at("r/x"), O_CREAT | O_RDWR, 0666, NULL));
	SAME_AS(USER, EEXIST,
		put(at("r/open"), O_CREAT | O_EXCL | O_RDWR, 0666, NULL));
	SAME(0, chmod(at("r/open"), 0700));
	SAME_AS(USER, EACCES, put(at("r/open/x"), O_CREAT | O_RDWR, 0666, NULL));
	SAME(0, chown(at("r/open"), USER, USER));
	SAME_AS(USER, 0, put(at("r/open/x"), O_CREAT | O_RDWR, 0666, "mine"));
	tap_good("who may do what");
}

static void check_spelling(void)
{
	char name[300] = "l/";

	SAME(0, mkdir(at("l"), 0755));
	memset(name + 2, 'n', 256);
	SAME(ENAMETOOLONG, put(at(name), O_CREAT | O_WRONLY, 0644, NULL));
	SAME(ENAMETOOLONG, mkdir(at(name), 0755));
	SAME(ENAMETOOLONG, symlink("x", at(name)));
	SAME(ENAMETOOLONG, mkfifo(at(name), 0644));
	SAME(ENAMETOOLONG, unlink(at(name)));
	SAME(ENAMETOOLONG, rmdir(at(name)));
	SAME(ENAMETOOLONG, rename(at("c/a"), at(name)));
	SAME(ENAMETOOLONG, link(at("c/a"), at(name)));
	name[2 + 255] = '\0';
	SAME(0, put(at(name), O_CREAT | O_EXCL | O_WRONLY, 0644, "long"));
	SAME(0, put(at("l/ x\n\t\xff\\"), O_CREAT | O_EXCL | O_WRONLY, 0644, "odd"));
	SAME(0, rename(at("l/ x\n\t\xff\\"), at("l/...")));
	SAME(0, unlink(at(name)));
	tap_good("names of all kinds");
}

static void check_many(void)
{
	char name[32];
	int i;

	SAME(0, mkdir(at("many"), 0755));
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		QUIET(0, put(at(name), O_CREAT | O_EXCL | O_WRONLY, 0644, name));
	}
	twin_tree("many names");
	for (i = 0; i < MANY; i += 2) {
		snprintf(name, sizeof(name), "many/%d", i);
		QUIET(0, unlink(at(name)));
	}
	twin_tree("half of them gone");
	tap_good("%d names in a directory", MANY);
}

int main(void)
{
	twin_begin();
	make_cold();
	twin_mount();
	check_cold();
	check_create();
	check_mkdir();
	check_unlink();
	check_symlink();
	check_link();
	check_mknod();
	check_rename();
	check_rename_flags();
	check_rename_refused();
	check_rights();
	check_spelling();
	check_many();
	return tap_end();
}
