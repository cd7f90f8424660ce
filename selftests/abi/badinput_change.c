// SPDX-License-Identifier: GPL-2.0
/*
 * What a helper must not say about changes: lists of what they touched that
 * have a wrong length or a wrong handle, and attributes that only the kernel
 * says. And applications that change something, to be answered by garbage.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "badinput.h"

#define ENTRY ((u32)sizeof(struct gns_uchanged))

static void good_list(struct gns_uchanged *c, u32 n)
{
	memset(c, 0, n * sizeof(*c));
	while (n--) {
		c[n].fh.len = 1;
		c[n].fh.b[0] = n ? 'f' : 'd';
		c[n].before = 100;
		c[n].after = 101;
	}
}

static void reply_to(struct msg *m, u64 id)
{
	m->len = 0;
	put_u64(m, GNS_A_ID, id);
	put_u64(m, GNS_A_SID, 7);
}

static bool refused(struct sock *s, const struct msg *m, const char *what)
{
	int err = ask(s, GNS_CMD_REPLY, 0, m, NULL, NULL);

	if (err && clean(err) && err != -ETIMEDOUT)
		return true;
	note("REPLY with %s: %d", what, err);
	return false;
}

static bool bad_list(struct sock *s, u64 id, const struct gns_uchanged *c,
		     u32 len, const char *what)
{
	struct msg m;

	reply_to(&m, id);
	put(&m, GNS_A_CHANGED, c, len);
	return refused(s, &m, what);
}

static bool bad_handle(struct sock *s, u64 id, u32 n, u8 len, const char *what)
{
	struct gns_uchanged c[GNS_UCHANGED_MAX];

	good_list(c, n);
	c[n - 1].fh.len = len;
	return bad_list(s, id, c, n * ENTRY, what);
}

bool bad_changed(struct sock *s, u64 id)
{
	struct gns_uchanged c[GNS_UCHANGED_MAX + 2];
	bool good;

	good_list(c, ARRAY_SIZE(c));
	good = bad_list(s, id, c, 0, "an empty CHANGED");
	good &= bad_list(s, id, c, 1, "a byte of CHANGED");
	good &= bad_list(s, id, c, ENTRY - 1, "a short CHANGED");
	good &= bad_list(s, id, c, ENTRY + 1, "a byte behind CHANGED");
	good &= bad_list(s, id, c, 3 * ENTRY + 80, "half an entry in CHANGED");
	good &= bad_list(s, id, c, GNS_UCHANGED_MAX * ENTRY + 1,
			 "a byte too much of CHANGED");
	good &= bad_list(s, id, c, (GNS_UCHANGED_MAX + 1) * ENTRY,
			 "too many in CHANGED");
	good &= bad_handle(s, id, 1, 0, "no handle in CHANGED");
	good &= bad_handle(s, id, 1, GNS_UFH_MAX + 1, "a long handle");
	good &= bad_handle(s, id, 1, 255, "a very long handle");
	good &= bad_handle(s, id, GNS_UCHANGED_MAX, 0, "no handle in the last");
	good &= bad_handle(s, id, GNS_UCHANGED_MAX, 64, "a long one there");
	return good;
}

/* What the kernel says of a change is not for the helper to say. */
static bool kernels_own(struct sock *s)
{
	static const u8 types[] = {
		GNS_A_SLOT,
		GNS_A_SEQ,
		GNS_A_MODE,
		GNS_A_RDEV,
		GNS_A_FH2,
		GNS_A_NAME2,
		GNS_A_OFF2,
		GNS_A_SETATTR,
		GNS_A_PAYLOAD,
		GNS_A_INCARNATION,
	};
	bool good = true;
	struct msg m;
	char what[32];
	u32 i, len;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (len = 1; len <= 64; len *= 2) {
			reply_to(&m, 1ull << 60);
			put_random(&m, types[i], len);
			snprintf(what, sizeof(what), "attribute %u", types[i]);
			good &= refused(s, &m, what);
		}
	}
	return good;
}

static bool bad_numbers(struct sock *s)
{
	struct msg m;
	bool good;

	reply_to(&m, 1ull << 60);
	put_u32(&m, GNS_A_COUNT, 1);
	good = refused(s, &m, "a short COUNT");
	reply_to(&m, 1ull << 60);
	put_u32(&m, GNS_A_FLAGS, GNS_UF_ALL + 1);
	good &= refused(s, &m, "unknown FLAGS");
	return good;
}

void cases_changed(void)
{
	struct gns_uchanged c[GNS_UCHANGED_MAX];
	bool good = true;
	struct sock s;
	struct msg m;
	int dev = device();
	u32 n;

	if (!ok(dev >= 0 && sock_open(&s), "a helper that tells of changes"))
		return;
	ok(!bind_to(&s, dev), "it is bound");
	ok(bad_changed(&s, 1ull << 60), "CHANGED that is none");
	ok(kernels_own(&s), "attributes of the kernel's own words");
	ok(bad_numbers(&s), "COUNT and FLAGS that are none");
	/* So that what was refused was not refused for something else. */
	for (n = 1; n <= GNS_UCHANGED_MAX; n++) {
		good_list(c, n);
		reply_to(&m, 1ull << 60);
		put(&m, GNS_A_CHANGED, c, n * ENTRY);
		put_u64(&m, GNS_A_COUNT, ~0ull);
		put_u32(&m, GNS_A_FLAGS, GNS_UF_ALL);
		good &= !ask(&s, GNS_CMD_REPLY, 0, &m, NULL, NULL);
	}
	ok(good, "CHANGED as it should be, of a call that has ended");
	sock_close(&s);
	close(dev);
}

void garbage_changed(struct msg *m)
{
	struct gns_uchanged c[GNS_UCHANGED_MAX];
	u32 n = 1 + rnd() % GNS_UCHANGED_MAX, i;

	good_list(c, n);
	for (i = 0; i < n; i++) {
		if (rnd() % 4 == 0)
			rnd_bytes(&c[i], sizeof(c[i]));
		if (rnd() % 8)
			c[i].fh.len = (u8)(1 + rnd() % GNS_UFH_MAX);
		if (rnd() % 2) {
			c[i].fh.len = 1;
			c[i].fh.b[0] = "dfx"[rnd() % 3];
		}
		c[i].before = rnd() % 4 ? 99 + rnd() % 3 : rnd();
		/* Never what the file has that is read afterwards. */
		c[i].after = rnd() % 4 ? 200 + rnd() % 5 : rnd() | 256;
		c[i].attr.size = rnd() % 4 ? rnd() % 20000 : ~0ull >> rnd() % 3;
		c[i].attr.ino = rnd() % 3;
		if (rnd() % 2)
			c[i].attr.mode = rnd() % 2 ? S_IFDIR | 0755 :
						     S_IFREG | 0644;
	}
	put(m, GNS_A_CHANGED, c, n * ENTRY);
	if (rnd() % 2)
		put_u64(m, GNS_A_COUNT, rnd() % 2 ? rnd() % 8192 : ~0ull);
}

/* Whatever comes of it. */
static void write_to(const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_CREAT, 0644);
	char b[5000] = "";

	if (fd < 0)
		return;
	if (pwrite(fd, b, rnd() % sizeof(b), rnd() % 20000) < 0 ||
	    ftruncate(fd, rnd() % 20000) || fallocate(fd, 0, 0, 4096))
		fdatasync(fd);
	fsync(fd);
	close(fd);
}

/* A file without a name, beside @path; now and then it gets that one. */
static void make_beside(const char *path)
{
	char dir[256];
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path),
		 path);
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	if (pwrite(fd, path, strlen(path), 0) < 0 || rnd() % 2)
		linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH);
	close(fd);
}

void change_at(const char *path)
{
	char other[256];

	snprintf(other, sizeof(other), "%s-other", path);
	switch (rnd() % 9) {
	case 0:
		mkdir(path, 0755);
		break;
	case 1:
		rmdir(path);
		break;
	case 2:
		unlink(path);
		break;
	case 3:
		if (link(path, other))
			symlink("target", path);
		break;
	case 4:
		rename(path, other);
		break;
	case 5:
		if (mknod(path, S_IFIFO | 0600, 0))
			chmod(path, 0600);
		break;
	case 6:
		if (setxattr(path, "user.x", "v", 1, 0))
			removexattr(path, "user.x");
		break;
	case 7:
		make_beside(path);
		break;
	default:
		write_to(path);
	}
}
