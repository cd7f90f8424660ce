// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of programs-onetree. Names and values come from few, so that
 * operations meet.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "onetree.h"

#define ONE_OF(v) (v[rnd_below(&dice, ARRAY_SIZE(v))])
#define COPY_MAX 20000

static uid_t user;

static const mode_t modes[] = { 0755, 0644, 0777, 0666, 0700, 0600, 0,
				02775, 04755, 06711, 01777, 0444, 02644 };

static const char *const dirs[] = { "A", "B", "C" };

/* What a name ends in: most often no directory. */
static const char *last_part(void)
{
	static const char *const parts[] = {
		"a",
		"b",
		"c",
		"d",
		"e",
		"f",
		"g.with-more",
		"h h",
		"a-name-that-is-longer-than-those-which-a-dentry-keeps-inside-of-itself",
	};

	return rnd_one_in(&dice, 12) ? ONE_OF(dirs) : ONE_OF(parts);
}

/* With "..", where it can not lead out of the tree. */
void some_name(char *name)
{
	static const char *const between[] = { "/", "//", "/./", "/B/../" };
	static const char *const behind[] = { "/", "/.", "/C/..", "//" };
	unsigned int levels = rnd_below(&dice, 7);
	size_t n = 0;

	for (levels = levels < 3 ? 1 : levels < 6 ? 2 :
						    3;
	     levels > 1; levels--)
		n += snprintf(name + n, NAME_SPACE - n, "%s%s", ONE_OF(dirs),
			      rnd_one_in(&dice, 12) ? ONE_OF(between) : "/");
	n += snprintf(name + n, NAME_SPACE - n, "%s", last_part());
	if (rnd_one_in(&dice, 20))
		snprintf(name + n, NAME_SPACE - n, "%s", ONE_OF(behind));
}

/* The same bytes below both roots. */
static char bytes[FILE_MAX];

static size_t new_bytes(size_t most)
{
	size_t n = rnd_below(&dice, most + 1);

	rnd_fill(&dice, bytes, n);
	return n;
}

static long open_and_write(const char *path, int flags, mode_t mode, size_t len,
			   off_t off)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, mode), err;
	long n = 0;

	if (fd < 0)
		return -1;
	if (len)
		n = flags & O_APPEND ? write(fd, bytes, len) :
				       pwrite(fd, bytes, len, off);
	err = errno;
	close(fd);
	errno = err;
	return n;
}

static void op_create(const char *a, const char *b)
{
	static const int extra[] = { 0, 0, O_EXCL, O_EXCL,
				     O_TRUNC, O_NOFOLLOW, O_APPEND };
	int flags = O_CREAT | ONE_OF(extra);
	mode_t mode = ONE_OF(modes);
	size_t len = rnd_one_in(&dice, 2) ? new_bytes(9000) : 0;

	flags |= len ? O_RDWR : rnd_one_in(&dice, 2) ? O_RDONLY :
						       O_WRONLY;
	doing("create %s, %#x, %#o, %zu bytes, as %u", a, flags, mode, len, user);
	BOTH(open_and_write(at(r, a), flags, mode, len, 0));
}

static void op_write(const char *a, const char *b)
{
	int flags = O_RDWR | (rnd_one_in(&dice, 3) ? O_APPEND : 0) |
		    (rnd_one_in(&dice, 6) ? O_TRUNC : 0) |
		    (rnd_one_in(&dice, 6) ? O_DSYNC : 0);
	off_t off = rnd_below(&dice, FILE_MAX / 2);
	size_t len = new_bytes(FILE_MAX / 8);
	struct stat st;

	/* Appending has to end somewhere. */
	if (flags & O_APPEND && !stat(at(0, a), &st) && st.st_size > FILE_MAX / 2)
		return;
	doing("write %s, %#x, %zu bytes at %ld, as %u", a, flags, len, off, user);
	BOTH(open_and_write(at(r, a), flags, 0, len, off));
}

static void op_mkdir(const char *a, const char *b)
{
	mode_t mode = rnd_one_in(&dice, 3) ? ONE_OF(modes) : 0777;

	doing("mkdir %s, %#o, as %u", a, mode, user);
	BOTH(mkdir(at(r, a), mode));
}

static void op_mknod(const char *a, const char *b)
{
	static const mode_t types[] = { S_IFIFO, S_IFIFO, S_IFSOCK, S_IFREG, 0,
					S_IFDIR, S_IFCHR };
	mode_t mode = ONE_OF(types) | ONE_OF(modes);

	doing("mknod %s, %#o, as %u", a, mode, user);
	BOTH(mknod(at(r, a), mode, makedev(1, 3)));
}

static void op_symlink(const char *a, const char *b)
{
	doing("symlink %s to %s, as %u", a, b, user);
	BOTH(symlink(b, at(r, a)));
}

static void op_link(const char *a, const char *b)
{
	int flags = rnd_one_in(&dice, 3) ? AT_SYMLINK_FOLLOW : 0;

	doing("link %s %s, %#x, as %u", a, b, flags, user);
	BOTH(linkat(AT_FDCWD, at(r, a), AT_FDCWD, at(r, b), flags));
}

static void op_unlink(const char *a, const char *b)
{
	doing("unlink %s, as %u", a, user);
	BOTH(unlink(at(r, a)));
}

static void op_rmdir(const char *a, const char *b)
{
	doing("rmdir %s, as %u", a, user);
	BOTH(rmdir(at(r, a)));
}

static void op_rename(const char *a, const char *b)
{
	static const unsigned int all[] = { 0, 0, 0, RENAME_NOREPLACE,
					    RENAME_EXCHANGE,
					    RENAME_EXCHANGE | RENAME_NOREPLACE };
	unsigned int flags = ONE_OF(all);

	doing("rename %s %s, %#x, as %u", a, b, flags, user);
	BOTH(renameat2(AT_FDCWD, at(r, a), AT_FDCWD, at(r, b), flags));
}

static void op_chmod(const char *a, const char *b)
{
	mode_t mode = ONE_OF(modes);

	doing("chmod %s %#o, as %u", a, mode, user);
	BOTH(chmod(at(r, a), mode));
}

static void op_chown(const char *a, const char *b)
{
	static const uid_t ids[] = { 0, 1000, 1001, -1, -1 };
	uid_t uid = ONE_OF(ids);
	gid_t gid = ONE_OF(ids);
	int flags = rnd_one_in(&dice, 2) ? AT_SYMLINK_NOFOLLOW : 0;

	doing("chown %s %d:%d, %#x, as %u", a, (int)uid, (int)gid, flags, user);
	BOTH(fchownat(AT_FDCWD, at(r, a), uid, gid, flags));
}

/* Times that both can be given; what "now" is they need not agree on. */
static void op_utimes(const char *a, const char *b)
{
	static const long nsecs[] = { 0, 999999999, 123456789, UTIME_OMIT,
				      UTIME_OMIT, UTIME_NOW, 1000000000 };
	static const time_t secs[] = { 0, 1, 1000000000, -1000, 4000000000 };
	int flags = rnd_one_in(&dice, 2) ? AT_SYMLINK_NOFOLLOW : 0;
	struct timespec ts[2] = {
		{ ONE_OF(secs), ONE_OF(nsecs) },
		{ ONE_OF(secs), ONE_OF(nsecs) },
	};

	doing("utimens %s %ld.%ld %ld.%ld, %#x, as %u", a, ts[0].tv_sec,
	      ts[0].tv_nsec, ts[1].tv_sec, ts[1].tv_nsec, flags, user);
	BOTH(utimensat(AT_FDCWD, at(r, a), ts, flags));
}

static void op_truncate(const char *a, const char *b)
{
	static const off_t sizes[] = { 0, 1, 4095, 4096, 20000, -1 };
	off_t size = ONE_OF(sizes);

	doing("truncate %s %ld, as %u", a, size, user);
	BOTH(truncate(at(r, a), size));
}

static void op_setxattr(const char *a, const char *b)
{
	static const char *const names[] = { "user.one", "user.two", "trusted.t",
					     "nothing.n", "user." };
	static const int all[] = { 0, 0, XATTR_CREATE, XATTR_REPLACE };
	const char *name = ONE_OF(names);
	int flags = ONE_OF(all);
	size_t len = new_bytes(100);

	if (rnd_one_in(&dice, 3)) {
		doing("removexattr %s %s, as %u", a, name, user);
		BOTH(lremovexattr(at(r, a), name));
		return;
	}
	doing("setxattr %s %s %zu, %#x, as %u", a, name, len, flags, user);
	if (rnd_one_in(&dice, 2))
		BOTH(setxattr(at(r, a), name, bytes, len, flags));
	else
		BOTH(lsetxattr(at(r, a), name, bytes, len, flags));
}

static void op_getxattr(const char *a, const char *b)
{
	size_t room = rnd_one_in(&dice, 2) ? 0 : 50;
	char value[100];

	doing("getxattr %s, room for %zu, as %u", a, room, user);
	BOTH(getxattr(at(r, a), "user.one", value, room));
	BOTH(lgetxattr(at(r, a), "user.two", value, sizeof(value)));
}

static long open_and_fallocate(const char *path, int mode, off_t off, off_t len)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK), ret, err;

	if (fd < 0)
		return -1;
	ret = fallocate(fd, mode, off, len);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

static void op_fallocate(const char *a, const char *b)
{
	static const int all[] = { 0, FALLOC_FL_KEEP_SIZE,
				   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE };
	int mode = ONE_OF(all);
	off_t off = rnd_below(&dice, FILE_MAX / 2);
	off_t len = rnd_below(&dice, FILE_MAX / 4);

	doing("fallocate %s %#x %ld at %ld, as %u", a, mode, len, off, user);
	BOTH(open_and_fallocate(at(r, a), mode, off, len));
}

static long copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK), out, err;
	long n = -1;

	if (in < 0)
		return -1;
	out = open(to, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (out >= 0)
		n = copy_file_range(in, NULL, out, NULL, COPY_MAX, 0);
	err = errno;
	close(in);
	if (out >= 0)
		close(out);
	errno = err;
	return n;
}

static void op_copy(const char *a, const char *b)
{
	doing("copy %s to %s, as %u", a, b, user);
	BOTH(copy(at(r, a), at(r, b)));
}

static long open_only(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static void op_open(const char *a, const char *b)
{
	static const int all[] = { O_RDONLY, O_RDWR, O_RDONLY | O_DIRECTORY,
				   O_RDONLY | O_NOFOLLOW, O_PATH,
				   O_PATH | O_NOFOLLOW, O_RDONLY | O_NOATIME,
				   O_RDONLY | O_TRUNC };
	int flags = ONE_OF(all);

	doing("open %s, %#x, as %u", a, flags, user);
	BOTH(open_only(at(r, a), flags));
}

static void op_access(const char *a, const char *b)
{
	int how = rnd_below(&dice, 8);

	doing("access %s, %d, as %u", a, how, user);
	BOTH(faccessat(AT_FDCWD, at(r, a), how, AT_EACCESS));
}

static void op_look(const char *a, const char *b)
{
	char buf[PATH_MAX];
	struct stat st;
	struct statvfs sv;

	doing("look at %s, as %u", a, user);
	BOTH(stat(at(r, a), &st));
	BOTH(lstat(at(r, a), &st));
	BOTH(statvfs(at(r, a), &sv));
	BOTH(readlink(at(r, a), buf, 10));
	if (stat(at(0, a), &st))
		return;
	if (S_ISDIR(st.st_mode))
		same_list(via, a);
	if (S_ISREG(st.st_mode))
		same_content(via, a);
	same_xattrs(via, a);
}

struct op {
	unsigned int weight;
	void (*fn)(const char *a, const char *b);
};

void one_op(const char *name1, const char *name2)
{
	static const struct op ops[] = {
		{ 12, op_create },
		{ 6, op_mkdir },
		{ 3, op_mknod },
		{ 4, op_symlink },
		{ 8, op_link },
		{ 4, op_unlink },
		{ 2, op_rmdir },
		{ 12, op_rename },
		{ 5, op_chmod },
		{ 4, op_chown },
		{ 4, op_utimes },
		{ 4, op_truncate },
		{ 4, op_setxattr },
		{ 2, op_getxattr },
		{ 3, op_fallocate },
		{ 3, op_copy },
		{ 5, op_open },
		{ 3, op_access },
		{ 10, op_look },
		{ 12, op_write },
	};
	const struct op *o = ops;
	unsigned int sum = 0, i;

	user = rnd_one_in(&dice, 5) ? 1000 : 0;
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		sum += ops[i].weight;
	for (i = rnd_below(&dice, sum); i >= o->weight; o++)
		i -= o->weight;
	o->fn(name1, name2);
}
