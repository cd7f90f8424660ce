// SPDX-License-Identifier: GPL-2.0
/*
 * The posix backend: access control lists are seen, set and obeyed, and the
 * umask is applied as for a local call. As root.
 */
#include "posix_rig.h"

#include <sys/xattr.h>

#include "../lib/acl.h"

static u32 set_list(const struct gns_fh *fh, const char *name,
		    const struct acl *a, const struct gns_cred *cred,
		    struct gns_r_change *r)
{
	struct call c = { .req.type = GNS_SETXATTR };
	u32 status;

	c.req.setxattr.fh = *fh;
	c.req.setxattr.name = str(name);
	c.req.setxattr.cred = *cred;
	if (a) {
		c.req.payload = a;
		c.req.payload_len = acl_size(a);
	} else {
		c.req.setxattr.flags = GNS_XA_REMOVE;
	}
	status = call_run(&c);
	if (r)
		*r = c.op.rep.r_change;
	return status;
}

/* The bits above the mode, as every kind of answer has them. */
static u32 bits_of(const char *name)
{
	struct call list = { .req.type = GNS_READDIR };
	struct call again = { .req.type = GNS_REVALIDATE };
	struct gns_r_obj child;
	struct gns_attr attr;
	bool absent;
	u32 bits, i;

	assert_int_equal(lookup_str(&rig.root, str(name), &cred_root, &child,
				    &absent),
			 0);
	assert_false(absent);
	bits = child.attr.mode & ~0177777u;
	assert_int_equal(getattr(&child.fh, &attr), 0);
	assert_int_equal(attr.mode & ~0177777u, bits);
	list.req.range.fh = rig.root;
	list.req.range.len = 65536;
	assert_int_equal(call_run(&list), 0);
	for (i = 0; i < list.op.nentries; i++)
		if (list.op.entries[i].name.len == strlen(name) &&
		    !memcmp(list.op.entries[i].name.p, name, strlen(name)))
			break;
	assert_true(i < list.op.nentries);
	assert_int_equal(list.op.entries[i].attr.mode & ~0177777u, bits);
	call_free(&list);
	again.op.reval = calloc(1, sizeof(*again.op.reval));
	again.op.reval->fh = child.fh;
	again.op.nreval = 1;
	assert_int_equal(call_run(&again), 0);
	assert_int_equal(again.op.reval->attr.mode & ~0177777u, bits);
	call_free(&again);
	return bits;
}

static const struct gns_attr *attr_in(const struct gns_r_change *r,
				      const struct gns_fh *fh)
{
	u32 i;

	for (i = 0; i < r->changed.n; i++)
		if (gns_fh_eq(&r->changed.v[i].fh, fh))
			return &r->changed.v[i].attr;
	fail_msg("an object is not in the answer");
	return NULL;
}

static void test_seen(void **state)
{
	struct acl one = acl_one(0640, OTHER, 4), plain = acl_mode(0604);
	struct gns_fh f, d;
	struct gns_r_change r;
	struct gns_attr attr;
	char buf[16];
	bool eof;
	u32 got;

	put_file(below("f"), "x", 1);
	mkdir(below("d"), 0755);
	assert_int_equal(symlink("f", below("s")), 0);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &f), 0);
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &d), 0);
	assert_int_equal(bits_of("f"), 0);
	assert_int_equal(bits_of("d"), 0);
	assert_int_equal(bits_of("s"), 0);
	assert_int_equal(read_status(&f, &cred_other), 0);
	assert_int_equal(set_list(&f, ACL_ACCESS, &one, &cred_root, &r), 0);
	/* The mask is the group's bits now. */
	assert_int_equal(attr_in(&r, &f)->mode, S_IFREG | 0670 | GNS_AM_ACL);
	assert_int_equal(bits_of("f"), GNS_AM_ACL);
	assert_int_equal(read_at(&f, buf, 1, 0, false, &cred_other, &got, &eof),
			 0);
	assert_int_equal(read_status(&f, &cred_user), EACCES);
	/* Nothing but a mode: no list is kept. */
	assert_int_equal(set_list(&f, ACL_ACCESS, &plain, &cred_root, &r), 0);
	assert_int_equal(attr_in(&r, &f)->mode, S_IFREG | 0604);
	assert_int_equal(bits_of("f"), 0);
	assert_int_equal(set_list(&d, ACL_DEFAULT, &one, &cred_root, &r), 0);
	assert_int_equal(attr_in(&r, &d)->mode, S_IFDIR | 0755 | GNS_AM_DEFACL);
	assert_int_equal(set_list(&d, ACL_ACCESS, &one, &cred_root, NULL), 0);
	assert_int_equal(bits_of("d"), GNS_AM_ALL);
	assert_int_equal(set_list(&d, ACL_DEFAULT, NULL, &cred_root, NULL), 0);
	assert_int_equal(bits_of("d"), GNS_AM_ACL);
	assert_int_equal(set_list(&d, ACL_ACCESS, NULL, &cred_root, NULL), 0);
	assert_int_equal(bits_of("d"), 0);
	assert_int_equal(set_list(&f, ACL_DEFAULT, &one, &cred_root, NULL),
			 EACCES);
	/* On the root of an export, as a mount is told. */
	assert_int_equal(set_list(&rig.root, ACL_ACCESS, &one, &cred_root,
				  NULL),
			 0);
	assert_int_equal(getattr(&rig.root, &attr), 0);
	assert_int_equal(attr.mode, S_IFDIR | 0670 | GNS_AM_ACL);
}

static void test_who(void **state)
{
	struct acl one = acl_one(0640, OTHER, 4), bad = one;
	struct gns_fh f, root;

	put_file(below("f"), "x", 1);
	chown(below("f"), USER, USER);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &f), 0);
	assert_int_equal(set_list(&f, ACL_ACCESS, &one, &cred_other, NULL),
			 EPERM);
	assert_int_equal(set_list(&f, ACL_ACCESS, &one, &cred_user, NULL), 0);
	assert_int_equal(set_list(&f, ACL_ACCESS, NULL, &cred_other, NULL),
			 EPERM);
	bad.n--;
	assert_int_equal(set_list(&f, ACL_ACCESS, &bad, &cred_user, NULL),
			 EINVAL);
	bad = one;
	bad.version = 3;
	assert_int_equal(set_list(&f, ACL_ACCESS, &bad, &cred_user, NULL),
			 EOPNOTSUPP);
	assert_int_equal(bits_of("f"), GNS_AM_ACL);
	/* A root that counts for nobody. */
	assert_int_equal(mount_as("root", &root), 0);
	assert_int_equal(lookup(&root, "f", &cred_root, &f), 0);
	assert_int_equal(set_list(&f, ACL_ACCESS, NULL, &cred_root, NULL),
			 EPERM);
	assert_int_equal(mount_as("ro", &root), 0);
	assert_int_equal(lookup(&root, "f", &cred_root, &f), 0);
	assert_int_equal(set_list(&f, ACL_ACCESS, NULL, &cred_user, NULL),
			 EROFS);
}

/* What is remembered of an object ends with its ctime. */
static void test_remembered(void **state)
{
	struct acl one = acl_one(0640, OTHER, 4);
	struct gns_fh f, d;

	put_file(below("f"), "x", 1);
	mkdir(below("d"), 0755);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &f), 0);
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &d), 0);
	sleep(3);
	assert_int_equal(bits_of("f"), 0);
	assert_int_equal(bits_of("d"), 0);
	assert_int_equal(set_list(&f, ACL_ACCESS, &one, &cred_root, NULL), 0);
	assert_int_equal(setxattr(below("d"), ACL_DEFAULT, &one, acl_size(&one),
				  0),
			 0);
	assert_int_equal(bits_of("f"), GNS_AM_ACL);
	assert_int_equal(bits_of("d"), GNS_AM_DEFACL);
	sleep(3);
	assert_int_equal(bits_of("f"), GNS_AM_ACL);
	assert_int_equal(bits_of("f"), GNS_AM_ACL);
	assert_int_equal(bits_of("d"), GNS_AM_DEFACL);
	assert_int_equal(bits_of("d"), GNS_AM_DEFACL);
	assert_int_equal(removexattr(below("f"), ACL_ACCESS), 0);
	assert_int_equal(removexattr(below("d"), ACL_DEFAULT), 0);
	assert_int_equal(bits_of("f"), 0);
	assert_int_equal(bits_of("d"), 0);
}

static u32 make_under(u16 type, const struct gns_fh *dir, const char *name,
		      u32 mode, u32 mask)
{
	struct call c = { .req.type = type };

	if (type == GNS_MKNOD) {
		c.req.mknod.dir = *dir;
		c.req.mknod.name = str(name);
		c.req.mknod.mode = S_IFIFO | mode;
		c.req.mknod.umask = mask;
		c.req.mknod.cred = cred_user;
	} else {
		c.req.make.dir = *dir;
		c.req.make.name = str(name);
		c.req.make.mode = mode;
		c.req.make.umask = mask;
		c.req.make.cred = cred_user;
	}
	return call_run(&c);
}

static void make_local(u16 type, const char *path, u32 mode, u32 mask)
{
	int rc;

	umask(mask);
	assert_int_equal(setegid(USER), 0);
	assert_int_equal(seteuid(USER), 0);
	if (type == GNS_MKNOD)
		rc = mkfifo(path, mode);
	else if (type == GNS_MKDIR)
		rc = mkdir(path, mode);
	else
		rc = close(open(path, O_CREAT | O_EXCL | O_WRONLY, mode));
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	umask(0);
	assert_int_equal(rc, 0);
}

static void same_list(const char *a, const char *b, const char *name)
{
	char v[2][1024];
	ssize_t n = getxattr(a, name, v[0], sizeof(v[0]));
	ssize_t m = getxattr(b, name, v[1], sizeof(v[1]));

	assert_int_equal(n, m);
	if (n > 0)
		assert_memory_equal(v[0], v[1], n);
}

/* In a directory, through gns and by a local process. */
static void make_both(const char *dir, u32 mode, u32 mask)
{
	static const u16 types[] = { GNS_CREATE, GNS_MKDIR, GNS_MKNOD };
	static u32 count;
	char path[2][256], name[32];
	struct stat st[2];
	struct gns_fh d;
	u32 i, k;

	assert_int_equal(lookup(&rig.root, dir, &cred_root, &d), 0);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		snprintf(name, sizeof(name), "gns%u", ++count);
		assert_int_equal(make_under(types[i], &d, name, mode, mask), 0);
		for (k = 0; k < 2; k++)
			snprintf(path[k], sizeof(path[k]), "%s/%s/%s%u",
				 rig.path, dir, k ? "local" : "gns", count);
		make_local(types[i], path[1], mode, mask);
		for (k = 0; k < 2; k++)
			assert_int_equal(stat(path[k], &st[k]), 0);
		assert_int_equal(st[0].st_mode, st[1].st_mode);
		same_list(path[0], path[1], ACL_ACCESS);
		same_list(path[0], path[1], ACL_DEFAULT);
	}
}

static void test_umask(void **state)
{
	static const u32 masks[] = { 022, 0, 077, 0777, 027 };
	struct acl one = acl_one(0770, OTHER, 5);
	struct stat st;
	u32 i;

	chmod(rig.top, 0755);
	mkdir(below("plain"), 0777);
	mkdir(below("listed"), 0777);
	chmod(below("plain"), 0777);
	chmod(below("listed"), 0777);
	assert_int_equal(setxattr(below("listed"), ACL_DEFAULT, &one,
				  acl_size(&one), 0),
			 0);
	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		make_both("plain", 0777, masks[i]);
		make_both("plain", 0640, masks[i]);
		make_both("listed", 0777, masks[i]);
		make_both("listed", 0640, masks[i]);
	}
	/* What one asked for is not the next one's. */
	assert_int_equal(make_under(GNS_CREATE, &rig.root, "x", 0666, 0),
			 EACCES);
	chmod(rig.path, 0777);
	for (i = 0; i < 16; i++) {
		assert_int_equal(make_under(GNS_CREATE, &rig.root, "x", 0666,
					    i & 1 ? 077 : 0),
				 0);
		assert_int_equal(stat(below("x"), &st), 0);
		assert_int_equal(st.st_mode & 0777, i & 1 ? 0600 : 0666);
		assert_int_equal(unlink(below("x")), 0);
	}
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_seen),
		T(test_who),
		T(test_remembered),
		T(test_umask),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
