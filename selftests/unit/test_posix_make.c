// SPDX-License-Identifier: GPL-2.0
/*
 * The posix backend: what is made is what a local call would have made. Links,
 * symbolic links, special files; setgid directories. As root.
 */
#include <sys/sysmacros.h>

#include "posix_rig.h"

static u32 add_link(const struct gns_fh *dir, const char *name,
		    const struct gns_fh *fh, const struct gns_cred *cred,
		    struct gns_r_change *r)
{
	struct call c = { .req.type = GNS_LINK };
	u32 status;

	c.req.link.dir = *dir;
	c.req.link.name = str(name);
	c.req.link.fh = *fh;
	c.req.link.cred = *cred;
	status = call_run(&c);
	*r = c.op.rep.r_change;
	return status;
}

static u32 add_symlink(const struct gns_fh *dir, const char *name,
		       struct gns_str target, const struct gns_cred *cred,
		       struct gns_r_change *r)
{
	struct call c = { .req.type = GNS_SYMLINK };
	u32 status;

	c.req.symlink.dir = *dir;
	c.req.symlink.name = str(name);
	c.req.symlink.target = target;
	c.req.symlink.cred = *cred;
	status = call_run(&c);
	*r = c.op.rep.r_change;
	return status;
}

static u32 add_node(const struct gns_fh *dir, const char *name, u32 mode,
		    u32 rdev, const struct gns_cred *cred,
		    struct gns_r_change *r)
{
	struct call c = { .req.type = GNS_MKNOD };
	u32 status;

	c.req.mknod.dir = *dir;
	c.req.mknod.name = str(name);
	c.req.mknod.mode = mode;
	c.req.mknod.rdev = rdev;
	c.req.mknod.cred = *cred;
	status = call_run(&c);
	*r = c.op.rep.r_change;
	return status;
}

/* The attributes of @fh in an answer; it has to be there. */
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

static void test_link(void **state)
{
	struct gns_r_change r;
	struct gns_fh f, d, s, fh, ro;

	put_file(below("f"), "x", 1);
	chown(below("f"), USER, USER);
	/* Nobody is kept from it by fs.protected_hardlinks. */
	chmod(below("f"), 0666);
	mkdir(below("d"), 0755);
	chown(below("d"), USER, USER);
	assert_int_equal(symlink("nowhere", below("s")), 0);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &f), 0);
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &d), 0);
	assert_int_equal(lookup(&rig.root, "s", &cred_root, &s), 0);
	assert_int_equal(add_link(&d, "g", &f, &cred_user, &r), 0);
	assert_int_equal(r.changed.n, 2);
	assert_int_equal(attr_in(&r, &f)->nlink, 2);
	attr_in(&r, &d);
	assert_int_equal(lookup(&d, "g", &cred_root, &fh), 0);
	assert_true(gns_fh_eq(&fh, &f));
	/* The link itself, not what it leads to. */
	assert_int_equal(add_link(&d, "s", &s, &cred_root, &r), 0);
	assert_int_equal(attr_in(&r, &s)->nlink, 2);
	assert_int_equal(add_link(&d, "g", &s, &cred_root, &r), EEXIST);
	assert_int_equal(add_link(&rig.root, "h", &d, &cred_root, &r), EPERM);
	assert_int_equal(add_link(&d, "h", &f, &cred_other, &r), EACCES);
	assert_int_equal(add_link(&f, "h", &f, &cred_root, &r), ENOTDIR);
	assert_int_equal(add_link(&d, "a/b", &f, &cred_root, &r), EINVAL);
	assert_int_equal(add_link(&d, "..", &f, &cred_root, &r), EINVAL);
	/* Without a name there is nothing to add one to. */
	assert_int_equal(unlink(below("f")), 0);
	assert_int_equal(unlink(below("d/g")), 0);
	assert_int_equal(add_link(&d, "h", &f, &cred_root, &r), ESTALE);
	assert_int_equal(mount_as("ro", &ro), 0);
	assert_int_equal(lookup(&ro, "d", &cred_root, &d), 0);
	assert_int_equal(lookup(&ro, "s", &cred_root, &fh), 0);
	assert_int_equal(add_link(&d, "h", &fh, &cred_root, &r), EROFS);
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &d), 0);
	assert_int_equal(add_link(&d, "h", &fh, &cred_root, &r), EXDEV);
}

static void test_symlink(void **state)
{
	struct gns_str to = str("some/where"), nul = { "a\0b", 3 };
	struct call c = { .req.type = GNS_READLINK };
	static char lots[GNS_TARGET_MAX + 1];
	struct gns_r_change r;
	struct gns_fh d, fh;
	char buf[64] = "";

	mkdir(below("d"), 0755);
	chown(below("d"), USER, USER);
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &d), 0);
	assert_int_equal(add_symlink(&d, "s", to, &cred_user, &r), 0);
	assert_true(r.created);
	attr_in(&r, &d);
	assert_int_equal(attr_in(&r, &r.fh)->uid, USER);
	assert_int_equal(attr_in(&r, &r.fh)->size, to.len);
	assert_true(S_ISLNK(attr_in(&r, &r.fh)->mode));
	assert_int_equal(lookup(&d, "s", &cred_root, &fh), 0);
	assert_true(gns_fh_eq(&fh, &r.fh));
	c.req.obj.fh = fh;
	assert_int_equal(call_run(&c), 0);
	assert_int_equal(call_bytes(&c, buf), to.len);
	assert_string_equal(buf, "some/where");
	call_free(&c);
	assert_int_equal(add_symlink(&d, "s", to, &cred_user, &r), EEXIST);
	assert_int_equal(add_symlink(&d, "t", to, &cred_other, &r), EACCES);
	assert_int_equal(add_symlink(&d, "t", nul, &cred_user, &r), EINVAL);
	memset(lots, 'x', sizeof(lots));
	to = (struct gns_str){ lots, sizeof(lots) };
	assert_int_equal(add_symlink(&d, "t", to, &cred_user, &r),
			 ENAMETOOLONG);
	to.len--;
	assert_int_equal(add_symlink(&d, "t", to, &cred_user, &r), 0);
	assert_int_equal(attr_in(&r, &r.fh)->size, GNS_TARGET_MAX);
	assert_int_equal(rmdir(below("d")), -1);
	assert_int_equal(unlink(below("d/s")), 0);
	assert_int_equal(unlink(below("d/t")), 0);
	assert_int_equal(rmdir(below("d")), 0);
	/* A directory that is gone has no names to tell about. */
	assert_int_equal(add_symlink(&d, "t", to, &cred_user, &r), ESTALE);
}

static void test_nodes(void **state)
{
	static const u32 kinds[] = { S_IFIFO, S_IFSOCK };
	struct gns_r_change r;
	struct stat st;
	u32 i;

	chmod(rig.path, 0777);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_int_equal(add_node(&rig.root, i ? "s" : "p",
					  kinds[i] | 0624, 77, &cred_user, &r),
				 0);
		assert_true(r.created);
		assert_int_equal(stat(below(i ? "s" : "p"), &st), 0);
		assert_int_equal(st.st_mode, kinds[i] | 0624);
		assert_int_equal(st.st_uid, USER);
		assert_int_equal(attr_in(&r, &r.fh)->mode, kinds[i] | 0624);
		assert_int_equal(attr_in(&r, &r.fh)->rdev, 0);
	}
	/* 12 bits of major, 20 of minor: what goes in comes back. */
	assert_int_equal(add_node(&rig.root, "c", S_IFCHR | 0600, 0xabcde4f7,
				  &cred_root, &r),
			 0);
	assert_int_equal(attr_in(&r, &r.fh)->rdev, 0xabcde4f7);
	assert_int_equal(stat(below("c"), &st), 0);
	assert_int_equal(major(st.st_rdev), 0xde4);
	assert_int_equal(minor(st.st_rdev), 0xabcf7);
	assert_int_equal(add_node(&rig.root, "b", S_IFBLK | 0600, 0x0800,
				  &cred_user, &r),
			 EPERM);
	assert_int_equal(add_node(&rig.root, "p", S_IFIFO, 0, &cred_user, &r),
			 EEXIST);
	assert_int_equal(add_node(&rig.root, "x", S_IFREG, 0, &cred_user, &r),
			 EINVAL);
	assert_int_equal(add_node(&rig.root, "x", S_IFDIR, 0, &cred_user, &r),
			 EINVAL);
	assert_int_equal(add_node(&rig.root, "x", 0644, 0, &cred_user, &r),
			 EINVAL);
	assert_int_equal(access(below("x"), F_OK), -1);
}

/* What is made in a setgid directory, through gns and by a local process. */
static void same_as_local(const char *name, const struct gns_cred *cred,
			  u32 type, u32 mode)
{
	char path[2][256];
	struct gns_r_change r;
	struct stat st[2];
	struct gns_fh d;
	int i, rc = -1;

	for (i = 0; i < 2; i++)
		snprintf(path[i], sizeof(path[i]), "%s/d/%s-%s", rig.path, name,
			 i ? "local" : "gns");
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &d), 0);
	name = strrchr(path[0], '/') + 1;
	if (type == GNS_MKNOD)
		assert_int_equal(add_node(&d, name, S_IFIFO | mode, 0, cred,
					  &r),
				 0);
	else if (type == GNS_SYMLINK)
		assert_int_equal(add_symlink(&d, name, str("x"), cred, &r), 0);
	else
		assert_int_equal(make(type, &d, name, mode, 0, cred, &r), 0);
	assert_int_equal(setegid(cred->gid), 0);
	assert_int_equal(seteuid(cred->uid), 0);
	if (type == GNS_MKNOD)
		rc = mkfifo(path[1], mode);
	else if (type == GNS_SYMLINK)
		rc = symlink("x", path[1]);
	else if (type == GNS_MKDIR)
		rc = mkdir(path[1], mode);
	else
		rc = close(open(path[1], O_CREAT | O_EXCL | O_WRONLY, mode));
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	assert_int_equal(rc, 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(lstat(path[i], &st[i]), 0);
	if (st[0].st_mode != st[1].st_mode || st[0].st_uid != st[1].st_uid ||
	    st[0].st_gid != st[1].st_gid)
		fail_msg("%s: 0%o %u:%u, by a local process 0%o %u:%u", name,
			 st[0].st_mode, st[0].st_uid, st[0].st_gid,
			 st[1].st_mode, st[1].st_uid, st[1].st_gid);
	assert_int_equal(attr_in(&r, &r.fh)->gid, st[1].st_gid);
	assert_int_equal(attr_in(&r, &r.fh)->mode, st[1].st_mode);
}

static void test_setgid_directory(void **state)
{
	struct gns_cred member = { USER, OTHER, 0, { 0 } };
	struct stat st;

	chmod(rig.top, 0711);
	mkdir(below("d"), 0777);
	chown(below("d"), 0, OTHER);
	chmod(below("d"), 02777);
	same_as_local("file", &cred_user, GNS_CREATE, 0644);
	assert_int_equal(stat(below("d/file-gns"), &st), 0);
	assert_int_equal(st.st_gid, OTHER);
	same_as_local("dir", &cred_user, GNS_MKDIR, 0755);
	assert_int_equal(stat(below("d/dir-gns"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 02755);
	same_as_local("pipe", &cred_user, GNS_MKNOD, 0644);
	same_as_local("link", &cred_user, GNS_SYMLINK, 0777);
	/* The setgid bit of a group that the caller is not of goes. */
	same_as_local("strange", &cred_user, GNS_CREATE, 02775);
	assert_int_equal(stat(below("d/strange-gns"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0775);
	same_as_local("own", &member, GNS_CREATE, 02775);
	assert_int_equal(stat(below("d/own-gns"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 02775);
	same_as_local("setuid", &cred_user, GNS_CREATE, 04755);
	same_as_local("by-root", &cred_root, GNS_CREATE, 06775);
	same_as_local("sticky", &cred_user, GNS_MKDIR, 03777);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_link),
		T(test_symlink),
		T(test_nodes),
		T(test_setgid_directory),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
