// SPDX-License-Identifier: GPL-2.0
/*
 * The posix backend: extended attributes, ranges and copies are changed as the
 * caller, and what others change takes the setuid bit along. As root.
 */
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "posix_rig.h"

static void one_changed(const struct gns_r_change *r, const struct gns_fh *fh)
{
	assert_int_equal(r->changed.n, 1);
	assert_true(gns_fh_eq(&r->changed.v[0].fh, fh));
}

static void file_of(const char *name, const char *text, u32 uid, u32 mode,
		    struct gns_fh *fh)
{
	put_file(below(name), text, strlen(text));
	assert_int_equal(chown(below(name), uid, uid), 0);
	assert_int_equal(chmod(below(name), mode), 0);
	assert_int_equal(lookup(&rig.root, name, &cred_root, fh), 0);
}

static void holds(const char *name, const char *want, size_t len)
{
	char buf[128];
	int fd = open(below(name), O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), len);
	assert_memory_equal(buf, want, len);
	close(fd);
}

/* ---- extended attributes ---- */

static u32 xattr(const struct gns_fh *fh, const char *name, const char *value,
		 u8 flags, const struct gns_cred *cred, struct gns_r_change *r)
{
	struct call c = { .req.type = GNS_SETXATTR };
	u32 status;

	c.req.setxattr.fh = *fh;
	c.req.setxattr.name = str(name);
	c.req.setxattr.flags = flags;
	c.req.setxattr.cred = *cred;
	c.req.payload = value;
	c.req.payload_len = (u32)strlen(value);
	status = call_run(&c);
	if (r)
		*r = c.op.rep.r_change;
	return status;
}

static void xattr_is(const char *file, const char *name, const char *want)
{
	char buf[64];
	ssize_t n = lgetxattr(below(file), name, buf, sizeof(buf));

	if (!want) {
		assert_int_equal(n, -1);
		assert_int_equal(errno, ENODATA);
		return;
	}
	assert_int_equal(n, strlen(want));
	assert_memory_equal(buf, want, n);
}

static bool has_xattrs(void)
{
	put_file(below("probe"), "", 0);
	return !lsetxattr(below("probe"), "user.p", "", 0, 0);
}

static void test_setxattr(void **state)
{
	const struct gns_cred *u = &cred_user, *o = &cred_other;
	struct gns_r_change r;
	struct gns_fh f, s, ro;

	if (!has_xattrs())
		skip();
	file_of("f", "x", USER, 0644, &f);
	assert_int_equal(xattr(&f, "user.k", "one", 0, u, &r), 0);
	one_changed(&r, &f);
	xattr_is("f", "user.k", "one");
	assert_int_equal(xattr(&f, "user.k", "", GNS_XA_CREATE, u, &r), EEXIST);
	assert_int_equal(r.changed.n, 0);
	assert_int_equal(xattr(&f, "user.k", "", GNS_XA_REPLACE, u, &r), 0);
	xattr_is("f", "user.k", "");
	assert_int_equal(xattr(&f, "user.n", "", GNS_XA_REPLACE, u, &r),
			 ENODATA);
	assert_int_equal(xattr(&f, "user.n", "n", GNS_XA_CREATE, u, &r), 0);
	xattr_is("f", "user.n", "n");
	/* Who may write may, and nobody else. */
	assert_int_equal(xattr(&f, "user.k", "two", 0, o, &r), EACCES);
	assert_int_equal(xattr(&f, "user.k", "", GNS_XA_REMOVE, o, &r), EACCES);
	chmod(below("f"), 0666);
	assert_int_equal(xattr(&f, "user.k", "two", 0, o, &r), 0);
	xattr_is("f", "user.k", "two");
	assert_int_equal(xattr(&f, "user.k", "", GNS_XA_REMOVE, u, &r), 0);
	one_changed(&r, &f);
	xattr_is("f", "user.k", NULL);
	assert_int_equal(xattr(&f, "user.k", "", GNS_XA_REMOVE, u, &r),
			 ENODATA);
	assert_int_equal(xattr(&f, "user.n", "",
			       GNS_XA_REMOVE | GNS_XA_REPLACE, u, &r),
			 EINVAL);
	xattr_is("f", "user.n", "n");
	assert_int_equal(xattr(&f, "nothing", "", 0, u, &r), EOPNOTSUPP);
	/* A symbolic link is meant itself; user.* is not for those. */
	assert_int_equal(symlink("f", below("s")), 0);
	assert_int_equal(lookup(&rig.root, "s", &cred_root, &s), 0);
	assert_int_equal(xattr(&s, "user.n", "s", 0, &cred_root, &r), EPERM);
	xattr_is("f", "user.n", "n");
	assert_int_equal(mount_as("ro", &ro), 0);
	assert_int_equal(lookup(&ro, "f", &cred_root, &f), 0);
	assert_int_equal(xattr(&f, "user.n", "x", 0, &cred_root, &r), EROFS);
}

static void test_privileged_xattrs(void **state)
{
	struct gns_r_change r;
	struct gns_fh f, root;

	if (!has_xattrs())
		skip();
	file_of("f", "x", USER, 0644, &f);
	assert_int_equal(xattr(&f, "trusted.k", "t", 0, &cred_user, &r), EPERM);
	assert_int_equal(xattr(&f, "security.k", "t", 0, &cred_user, &r),
			 EPERM);
	xattr_is("f", "trusted.k", NULL);
	xattr_is("f", "security.k", NULL);
	assert_int_equal(xattr(&f, "trusted.k", "t", 0, &cred_root, &r), 0);
	xattr_is("f", "trusted.k", "t");
	/* Root of elsewhere is nobody here. */
	assert_int_equal(mount_as("root", &root), 0);
	assert_int_equal(lookup(&root, "f", &cred_root, &f), 0);
	assert_int_equal(xattr(&f, "trusted.k", "u", 0, &cred_root, &r), EPERM);
	assert_int_equal(xattr(&f, "user.k", "u", 0, &cred_root, &r), EACCES);
	xattr_is("f", "trusted.k", "t");
}

/* An access control list: the owner's to set, and the mode follows. */
static void test_acl(void **state)
{
	static const char acl[] = {
		2, 0, 0, 0, /* version */
		1, 0, 6, 0, -1, -1, -1, -1, /* owner */
		2, 0, 4, 0, 0x39, 0x30, 0, 0, /* a user */
		4, 0, 0, 0, -1, -1, -1, -1, /* group */
		16, 0, 4, 0, -1, -1, -1, -1, /* mask */
		32, 0, 0, 0, -1, -1, -1, -1, /* others */
	};
	struct call c = { .req.type = GNS_SETXATTR };
	struct gns_fh f;

	if (!has_xattrs() ||
	    (lsetxattr(below("probe"), "system.posix_acl_access", acl,
		       sizeof(acl), 0) &&
	     errno == EOPNOTSUPP))
		skip();
	file_of("f", "x", OTHER, 0600, &f);
	assert_int_equal(read_status(&f, &cred_user), EACCES);
	c.req.setxattr.fh = f;
	c.req.setxattr.name = str("system.posix_acl_access");
	c.req.setxattr.cred = cred_user;
	c.req.payload = acl;
	c.req.payload_len = sizeof(acl);
	assert_int_equal(call_run(&c), EPERM);
	c = (struct call){ .req = c.req };
	c.req.setxattr.cred = cred_other;
	assert_int_equal(call_run(&c), 0);
	assert_int_equal(c.op.rep.r_change.changed.v[0].attr.mode & 07777,
			 0640);
	assert_int_equal(read_status(&f, &cred_user), 0);
}

/* ---- ranges ---- */

static u32 falloc(const struct gns_fh *fh, u32 mode, u64 off, u64 len,
		  const struct gns_cred *cred, struct gns_r_change *r)
{
	struct call c = { .req.type = GNS_FALLOCATE };
	u32 status;

	c.req.fallocate.fh = *fh;
	c.req.fallocate.mode = mode;
	c.req.fallocate.off = off;
	c.req.fallocate.len = len;
	c.req.fallocate.cred = *cred;
	status = call_run(&c);
	*r = c.op.rep.r_change;
	return status;
}

static void test_fallocate(void **state)
{
	const struct gns_cred *u = &cred_user;
	struct gns_r_change r;
	struct gns_fh f;

	file_of("f", "12345678", USER, 0644, &f);
	if (falloc(&f, 0, 0, 4096, u, &r) == EOPNOTSUPP)
		skip();
	one_changed(&r, &f);
	assert_int_equal(r.changed.v[0].attr.size, 4096);
	assert_int_equal(falloc(&f, FALLOC_FL_KEEP_SIZE, 4096, 65536, u, &r),
			 0);
	assert_int_equal(r.changed.v[0].attr.size, 4096);
	assert_true(r.changed.v[0].attr.blocks >= 69632 / 512);
	assert_int_equal(truncate(below("f"), 8), 0);
	assert_int_equal(falloc(&f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				2, 3, u, &r),
			 0);
	holds("f", "12\0\0\0"
		   "678",
	      8);
	assert_int_equal(falloc(&f, 0, 0, 1, &cred_other, &r), EACCES);
	/* What is not known, or not at all, is refused, and says so. */
	assert_int_equal(falloc(&f, 0x4, 0, 1, u, &r), EOPNOTSUPP);
	assert_int_equal(falloc(&f, 0x80000000, 0, 1, u, &r), EOPNOTSUPP);
	assert_int_equal(falloc(&f, FALLOC_FL_PUNCH_HOLE, 0, 1, u, &r),
			 EOPNOTSUPP);
	assert_int_equal(falloc(&f, 0, 0, 0, u, &r), EINVAL);
	assert_int_equal(falloc(&f, 0, ~0ull, 1, u, &r), EFBIG);
	assert_int_equal(falloc(&f, 0, 1, INT64_MAX, u, &r), EFBIG);
	assert_int_equal(falloc(&f, 0, 1ull << 63, 1ull << 63, u, &r), EFBIG);
	assert_int_equal(falloc(&rig.root, 0, 0, 1, u, &r), EISDIR);
	holds("f", "12\0\0\0"
		   "678",
	      8);
}

static u32 copy(const struct gns_fh *from, u64 from_off,
		const struct gns_fh *fh, u64 off, u64 len, u8 flags,
		const struct gns_cred *cred, struct gns_r_change *r)
{
	struct call c = { .req.type = GNS_COPY };
	u32 status;

	c.req.copy.from = *from;
	c.req.copy.from_off = from_off;
	c.req.copy.fh = *fh;
	c.req.copy.off = off;
	c.req.copy.len = len;
	c.req.copy.flags = flags;
	c.req.copy.cred = *cred;
	status = call_run(&c);
	*r = c.op.rep.r_change;
	return status;
}

static void test_copy(void **state)
{
	const struct gns_cred *u = &cred_user, *o = &cred_other;
	struct gns_fh a, b, all, fh;
	struct gns_r_change r;

	file_of("a", "0123456789", USER, 0600, &a);
	file_of("b", "abcdefghij", USER, 0600, &b);
	assert_int_equal(copy(&a, 2, &b, 5, 3, 0, u, &r), 0);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.off, 5);
	one_changed(&r, &b);
	holds("b", "abcde234ij", 10);
	holds("a", "0123456789", 10);
	/* It ends where the file does. */
	assert_int_equal(copy(&a, 8, &b, 9, 1ull << 40, 0, u, &r), 0);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.changed.v[0].attr.size, 11);
	holds("b", "abcde234i89", 11);
	assert_int_equal(copy(&a, 10, &b, 0, 5, 0, u, &r), 0);
	assert_int_equal(r.count, 0);
	/* Others have their turn after some time. */
	assert_int_equal(truncate(below("a"), 100 << 20), 0);
	assert_int_equal(copy(&a, 0, &b, 0, 100 << 20, 0, u, &r), 0);
	assert_int_equal(r.count, 64 << 20);
	assert_int_equal(truncate(below("a"), 10), 0);
	assert_int_equal(truncate(below("b"), 0), 0);
	put_file(below("b"), "abcde234i89", 11);
	assert_int_equal(chown(below("b"), USER, USER), 0);
	assert_int_equal(chmod(below("b"), 0600), 0);
	/* Within one file, but not over itself. */
	assert_int_equal(copy(&a, 0, &a, 5, 5, 0, u, &r), 0);
	assert_int_equal(r.count, 5);
	one_changed(&r, &a);
	holds("a", "0123401234", 10);
	assert_int_equal(copy(&a, 0, &a, 2, 5, 0, u, &r), EINVAL);
	assert_int_equal(copy(&a, 0, &b, 0, 1, 0, o, &r), EACCES);
	chmod(below("a"), 0644);
	assert_int_equal(copy(&a, 0, &b, 0, 1, 0, o, &r), EACCES);
	chmod(below("b"), 0602);
	assert_int_equal(copy(&a, 0, &b, 0, 1, 0, o, &r), 0);
	assert_int_equal(copy(&b, 0, &a, 0, 1, 0, o, &r), EACCES);
	assert_int_equal(copy(&a, 1ull << 63, &b, 0, 1, 0, u, &r), EFBIG);
	assert_int_equal(copy(&a, 0, &b, INT64_MAX, 1, 0, u, &r), EFBIG);
	assert_int_equal(copy(&a, 1, &b, 0, INT64_MAX, 0, u, &r), EFBIG);
	assert_int_equal(copy(&rig.root, 0, &b, 0, 1, 0, u, &r), EISDIR);
	assert_int_equal(copy(&a, 0, &rig.root, 0, 1, 0, u, &r), EISDIR);
	assert_int_equal(mount_as("all", &all), 0);
	assert_int_equal(lookup(&all, "b", u, &fh), 0);
	assert_int_equal(copy(&a, 0, &fh, 0, 1, 0, u, &r), EXDEV);
	holds("b", "0bcde234i89", 11);
}

/* Blocks are shared, or nothing happens: as a local process finds it here. */
static void test_clone(void **state)
{
	struct gns_r_change r;
	struct gns_fh a, b;
	int from, to, rc;
	u32 want;

	file_of("a", "0123456789", USER, 0600, &a);
	file_of("b", "ab", USER, 0600, &b);
	file_of("c", "", USER, 0600, &b);
	from = open(below("a"), O_RDONLY);
	to = open(below("c"), O_RDWR);
	rc = ioctl(to, FICLONE, from);
	want = rc ? (u32)errno : 0;
	close(from);
	close(to);
	assert_int_equal(lookup(&rig.root, "b", &cred_root, &b), 0);
	assert_int_equal(copy(&a, 0, &b, 0, 0, GNS_CP_CLONE, &cred_user, &r),
			 want);
	if (want)
		holds("b", "ab", 2);
	else
		holds("b", "0123456789", 10);
	assert_int_equal(r.count, 0);
	assert_int_equal(copy(&a, 0, &b, 0, 0, GNS_CP_CLONE, &cred_other, &r),
			 EACCES);
}

/* ---- what a change takes along ---- */

enum taker {
	BY_WRITE,
	BY_SIZE,
	BY_CREATE,
	BY_FALLOCATE,
	BY_COPY,
	TAKERS,
};

static u32 taken_by(enum taker how, const char *name, const struct gns_fh *fh,
		    const struct gns_cred *cred)
{
	struct call c = { .req.type = GNS_SETATTR };
	struct gns_r_change r;
	struct gns_fh from;

	switch (how) {
	case BY_WRITE:
		return write_at(fh, "y", 1, 0, cred, NULL);
	case BY_SIZE:
		c.req.setattr.fh = *fh;
		c.req.setattr.cred = *cred;
		c.req.setattr.valid = GNS_SA_SIZE;
		return call_run(&c);
	case BY_CREATE:
		return make(GNS_CREATE, &rig.root, name, 0644, GNS_CR_TRUNC,
			    cred, NULL);
	case BY_FALLOCATE:
		return falloc(fh, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			      1, cred, &r);
	default:
		file_of("from", "from", 0, 0644, &from);
		return copy(&from, 0, fh, 0, 4, 0, cred, &r);
	}
}

static void mode_after(enum taker how, u32 uid, const struct gns_cred *cred,
		       u32 before, u32 after)
{
	struct gns_fh fh;
	struct stat st;
	u32 status;

	file_of("f", "12345", uid, before, &fh);
	status = taken_by(how, "f", &fh, cred);
	assert_int_equal(stat(below("f"), &st), 0);
	if (status == EOPNOTSUPP && how == BY_FALLOCATE)
		return;
	if (status || (st.st_mode & 07777) != after)
		fail_msg("way %d, 0%o of %u by %u: status %u, 0%o", how, before,
			 uid, cred->uid, status, st.st_mode);
	assert_int_equal(unlink(below("f")), 0);
}

static void test_setuid_goes(void **state)
{
	int how;

	for (how = 0; how < TAKERS; how++) {
		mode_after(how, USER, &cred_user, 04755, 0755);
		mode_after(how, USER, &cred_user, 06755, 0755);
		mode_after(how, OTHER, &cred_user, 06777, 0777);
		mode_after(how, 0, &cred_user, 04777, 0777);
		/* Without the group's execute bit, setgid means something else. */
		mode_after(how, USER, &cred_user, 02764, 02764);
		mode_after(how, USER, &cred_user, 01755, 01755);
		mode_after(how, USER, &cred_root, 06755, 06755);
	}
}

/* The bytes of @fh, and all others, are durable: what can be seen of it here
 * is that it comes back, once for each who asks.
 */
static void test_sync_all(void **state)
{
	struct call c[8] = { 0 };
	struct gns_fh f, gone;
	u32 i, done = 0;

	file_of("f", "x", USER, 0600, &f);
	file_of("g", "x", USER, 0600, &gone);
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		c[i].req.type = GNS_FSYNC;
		c[i].req.obj.fh = i == 3 ? rig.root : f;
		c[i].req.obj.cred = cred_user;
		c[i].req.obj.datasync = GNS_FS_ALL;
		call_start(&c[i]);
	}
	while (done < ARRAY_SIZE(c)) {
		uv_run(&rig.loop, UV_RUN_ONCE);
		for (done = i = 0; i < ARRAY_SIZE(c); i++)
			done += c[i].done;
	}
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		assert_int_equal(c[i].done, 1);
		assert_int_equal(c[i].op.rep.status, 0);
	}
	gone.b[gone.len - 1] ^= 1;
	c[0] = (struct call){ .req.type = GNS_FSYNC };
	c[0].req.obj.fh = gone;
	c[0].req.obj.datasync = GNS_FS_ALL;
	assert_int_equal(call_run(&c[0]), ESTALE);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_setxattr),
		T(test_privileged_xattrs),
		T(test_acl),
		T(test_fallocate),
		T(test_copy),
		T(test_clone),
		T(test_setuid_goes),
		T(test_sync_all),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
