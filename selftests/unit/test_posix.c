// SPDX-License-Identifier: GPL-2.0
/*
 * The posix backend: what it answers and what it refuses. As root.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#include "posix_rig.h"

#define NAMES 5000u

static void test_lookup(void **state)
{
	static const char *const bad[] = { ".", "a/b", "/", "../x", "" };
	struct gns_r_obj child;
	struct gns_fh fh;
	bool absent;
	char name[300];
	u32 i;

	assert_int_equal(mount_as("nothing", &fh), GNS_ST_NOEXPORT);
	assert_int_equal(mount_as("mai", &fh), GNS_ST_NOEXPORT);
	put_file(below("f"), "x", 1);
	assert_int_equal(lookup(&rig.root, "f", &cred_user, &fh), 0);
	assert_int_equal(lookup(&rig.root, "g", &cred_user, &fh), ENOENT);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(lookup(&rig.root, bad[i], &cred_root, &fh),
				 EINVAL);
	assert_int_equal(lookup_str(&rig.root, (struct gns_str){ "f\0g", 3 },
				    &cred_root, &child, &absent),
			 EINVAL);
	memset(name, 'n', sizeof(name));
	name[255] = 0;
	assert_int_equal(lookup(&rig.root, name, &cred_root, &fh), ENOENT);
	name[255] = 'n';
	name[256] = 0;
	assert_int_equal(lookup(&rig.root, name, &cred_root, &fh),
			 ENAMETOOLONG);
}

static const char *beside(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", rig.top, name);
	return path;
}

static void test_parent(void **state)
{
	struct gns_fh d, e, f, up, out;

	mkdir(below("d"), 0700);
	mkdir(below("d/e"), 0700);
	put_file(below("d/f"), "x", 1);
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &d), 0);
	assert_int_equal(lookup(&d, "e", &cred_root, &e), 0);
	assert_int_equal(lookup(&d, "f", &cred_root, &f), 0);
	/* Who has the handle needs no rights on the way. */
	assert_int_equal(lookup(&e, "..", &cred_user, &up), 0);
	assert_true(gns_fh_eq(&up, &d));
	assert_int_equal(lookup(&d, "..", &cred_root, &up), 0);
	assert_true(gns_fh_eq(&up, &rig.root));
	assert_int_equal(lookup(&rig.root, "..", &cred_root, &up), ENOENT);
	assert_int_equal(lookup(&f, "..", &cred_root, &up), ENOTDIR);
	/* Out of the export, where nobody shall look. */
	assert_int_equal(rename(below("d"), beside("d")), 0);
	assert_int_equal(lookup(&d, "..", &cred_root, &out), ENOENT);
	assert_int_equal(lookup(&e, "..", &cred_root, &out), ENOENT);
	assert_int_equal(rename(beside("d"), below("d")), 0);
	assert_int_equal(rmdir(below("d/e")), 0);
	assert_int_equal(lookup(&e, "..", &cred_root, &up), ESTALE);
}

static void test_handle_survives_rename(void **state)
{
	struct gns_fh f, f2, d;
	struct gns_attr a, b;
	char buf[8];
	bool eof;
	u32 got;

	mkdir(below("d"), 0755);
	put_file(below("f"), "content", 7);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &f), 0);
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &d), 0);
	assert_int_equal(getattr(&f, &a), 0);
	/* By gns, and beside it. */
	assert_int_equal(move(&rig.root, "f", &d, "g", 0, NULL), 0);
	assert_int_equal(rename(below("d"), below("e")), 0);
	put_file(below("f"), "another", 7);
	assert_int_equal(getattr(&f, &b), 0);
	assert_int_equal(a.ino, b.ino);
	assert_int_equal(read_at(&f, buf, 7, 0, false, &cred_root, &got, &eof),
			 0);
	assert_memory_equal(buf, "content", 7);
	assert_int_equal(lookup(&d, "g", &cred_root, &f2), 0);
	assert_true(gns_fh_eq(&f, &f2));
}

static void test_links(void **state)
{
	struct call c = { .req.type = GNS_READLINK };
	struct gns_fh dir, link, fh;
	struct gns_attr attr;
	struct stat st;

	mkdir(below("d"), 0755);
	symlink("/etc", below("out"));
	symlink("/etc/passwd", below("d/pw"));
	mkfifo(below("fifo"), 0666);
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &dir), 0);
	assert_int_equal(lookup(&rig.root, "out", &cred_root, &link), 0);
	assert_int_equal(getattr(&link, &attr), 0);
	assert_true(S_ISLNK(attr.mode));
	assert_int_equal(lookup(&link, "passwd", &cred_root, &fh), ENOTDIR);
	assert_int_equal(lookup(&dir, "pw", &cred_root, &fh), 0);
	assert_int_equal(read_status(&fh, &cred_root), EINVAL);
	assert_int_equal(write_at(&fh, "x", 1, 0, &cred_root, NULL), EINVAL);
	assert_int_equal(make(GNS_CREATE, &dir, "pw", 0644, GNS_CR_TRUNC,
			      &cred_root, NULL),
			 ELOOP);
	assert_int_equal(stat("/etc/passwd", &st), 0);
	assert_true(st.st_size);
	c.req.obj.fh = link;
	assert_int_equal(call_run(&c), 0);
	assert_int_equal(c.op.rep.payload_len, 4);
	assert_memory_equal(c.op.bulk->data, "/etc", 4);
	call_free(&c);
	c.req.type = GNS_READLINK;
	c.req.obj.fh = dir;
	assert_int_equal(call_run(&c), EINVAL);
	/* Nobody opens the other end of this one: it must not be opened. */
	assert_int_equal(lookup(&rig.root, "fifo", &cred_root, &fh), 0);
	assert_int_equal(read_status(&fh, &cred_root), EINVAL);
	assert_int_equal(read_status(&dir, &cred_root), EISDIR);
}

static void test_forged(void **state)
{
	struct gns_posix_config cfg = { .key = "another key...." };
	struct gns_posix_export ex = { .name = "main" };
	struct gns_fs *own = rig.fs;
	struct gns_fh fh, bad;
	char err[256];
	u32 bit;

	put_file(below("f"), "x", 1);
	snprintf(err, sizeof(err), "%s/secret", rig.top);
	put_file(err, "secret", 6);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &fh), 0);
	for (bit = 0; bit < fh.len * 8u; bit++) {
		bad = fh;
		bad.b[bit / 8] ^= 1u << bit % 8;
		assert_int_equal(stat_status(&bad), ESTALE);
		assert_int_equal(read_status(&bad, &cred_root), ESTALE);
	}
	for (bad = fh; bad.len--;)
		assert_int_equal(stat_status(&bad), ESTALE);
	bad = fh;
	bad.len = GNS_FH_MAX;
	assert_int_equal(stat_status(&bad), ESTALE);
	memset(&bad, 0xff, sizeof(bad));
	bad.len = 20;
	assert_int_equal(stat_status(&bad), ESTALE);
	/* Outside of the export, made by one that does export it. */
	rig.fs = gns_posix_create(&rig.loop, &cfg);
	ex.path = rig.top;
	assert_int_equal(gns_posix_export(rig.fs, &ex, err, sizeof(err)), 0);
	assert_int_equal(mount_as("main", &bad), 0);
	assert_int_equal(lookup(&bad, "secret", &cred_root, &bad), 0);
	assert_int_equal(read_status(&bad, &cred_root), 0);
	gns_posix_destroy(rig.fs);
	rig.fs = own;
	assert_int_equal(read_status(&bad, &cred_root), ESTALE);
	assert_int_equal(stat_status(&fh), 0);
}

static void test_mount_point(void **state)
{
	struct gns_fh fh;
	u32 status;

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		skip();
	/* Descriptors of before are of the namespace of before. */
	rig_teardown(NULL);
	rig_setup(NULL);
	mkdir(below("mnt"), 0755);
	mkdir(below("d"), 0755);
	if (mount("none", below("mnt"), "tmpfs", 0, NULL))
		skip();
	status = lookup(&rig.root, "mnt", &cred_root, &fh);
	assert_int_equal(status, EXDEV);
	assert_int_equal(make(GNS_RMDIR, &rig.root, "mnt", 0, 0, &cred_root,
			      NULL),
			 EBUSY);
	assert_int_equal(move(&rig.root, "mnt", &rig.root, "m", 0, NULL),
			 EBUSY);
	umount(below("mnt"));
	assert_int_equal(lookup(&rig.root, "mnt", &cred_root, &fh), 0);
}

static void test_stale(void **state)
{
	struct gns_fh d, f, g, fh;
	int fd;

	mkdir(below("d"), 0755);
	put_file(below("f"), "x", 1);
	put_file(below("g"), "x", 1);
	assert_int_equal(lookup(&rig.root, "d", &cred_root, &d), 0);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &f), 0);
	assert_int_equal(lookup(&rig.root, "g", &cred_root, &g), 0);
	assert_int_equal(read_status(&f, &cred_root), 0);
	assert_int_equal(read_status(&g, &cred_root), 0);
	fd = open(below("f"), O_RDONLY);
	unlink(below("f"));
	rmdir(below("d"));
	assert_int_equal(make(GNS_UNLINK, &rig.root, "g", 0, 0, &cred_root,
			      NULL),
			 0);
	assert_int_equal(stat_status(&f), ESTALE);
	assert_int_equal(read_status(&f, &cred_root), ESTALE);
	assert_int_equal(write_at(&f, "y", 1, 0, &cred_root, NULL), ESTALE);
	assert_int_equal(stat_status(&g), ESTALE);
	assert_int_equal(read_status(&g, &cred_root), ESTALE);
	close(fd);
	assert_int_equal(stat_status(&f), ESTALE);
	/* A directory that is gone knows nothing of names. */
	assert_int_equal(lookup(&d, "x", &cred_root, &fh), ESTALE);
	assert_int_equal(make(GNS_CREATE, &d, "x", 0600, 0, &cred_root, NULL),
			 ESTALE);
	assert_int_equal(make(GNS_MKDIR, &d, "x", 0700, 0, &cred_root, NULL),
			 ESTALE);
	assert_int_equal(make(GNS_UNLINK, &d, "x", 0, 0, &cred_root, NULL),
			 ESTALE);
	assert_int_equal(move(&rig.root, "q", &d, "x", 0, NULL), ESTALE);
	assert_int_equal(move(&rig.root, "q", &rig.root, "x", 0, NULL), ENOENT);
	assert_int_equal(make(GNS_UNLINK, &rig.root, "q", 0, 0, &cred_root,
			      NULL),
			 ENOENT);
}

static void has(const struct gns_r_change *r, const struct gns_fh *fh, u32 n)
{
	u32 i;

	assert_int_equal(r->changed.n, n);
	for (i = 0; i < n; i++)
		if (gns_fh_eq(&r->changed.v[i].fh, fh))
			return;
	fail_msg("not in the list");
}

static void test_changes(void **state)
{
	struct gns_r_change r;
	struct gns_fh f, d, g;

	assert_int_equal(make(GNS_CREATE, &rig.root, "f", 0644, GNS_CR_EXCL,
			      &cred_root, &r),
			 0);
	assert_true(r.created);
	f = r.fh;
	has(&r, &f, 2);
	has(&r, &rig.root, 2);
	assert_int_equal(make(GNS_CREATE, &rig.root, "f", 0644, GNS_CR_EXCL,
			      &cred_root, NULL),
			 EEXIST);
	assert_int_equal(write_at(&f, "12345", 5, 3, &cred_root, &r), 0);
	assert_int_equal(r.count, 5);
	has(&r, &f, 1);
	assert_int_equal(r.changed.v[0].attr.size, 8);
	assert_int_equal(make(GNS_CREATE, &rig.root, "f", 0644, GNS_CR_TRUNC,
			      &cred_root, &r),
			 0);
	assert_false(r.created);
	assert_true(gns_fh_eq(&r.fh, &f));
	has(&r, &f, 2);
	assert_int_equal(r.changed.v[1].attr.size, 0);
	assert_int_equal(make(GNS_MKDIR, &rig.root, "d", 0755, 0, &cred_root,
			      &r),
			 0);
	d = r.fh;
	has(&r, &d, 2);
	assert_true(S_ISDIR(r.changed.v[1].attr.mode));
	/* A file with another name lives on. */
	assert_int_equal(link(below("f"), below("g")), 0);
	assert_int_equal(make(GNS_UNLINK, &rig.root, "g", 0, 0, &cred_root,
			      &r),
			 0);
	has(&r, &f, 2);
	assert_int_equal(make(GNS_CREATE, &d, "g", 0644, 0, &cred_root, &r), 0);
	g = r.fh;
	assert_int_equal(move(&rig.root, "f", &d, "g", GNS_RN_NOREPLACE, NULL),
			 EEXIST);
	assert_int_equal(move(&rig.root, "f", &d, "g", GNS_RN_EXCHANGE, &r), 0);
	has(&r, &g, 4);
	has(&r, &d, 4);
	assert_int_equal(move(&rig.root, "f", &d, "g", 0, &r), 0);
	has(&r, &g, 3);
	assert_int_equal(stat_status(&f), ESTALE);
	assert_int_equal(move(&d, "g", &d, "h", 0, &r), 0);
	has(&r, &g, 2);
	assert_int_equal(make(GNS_RMDIR, &rig.root, "d", 0, 0, &cred_root,
			      NULL),
			 ENOTEMPTY);
	assert_int_equal(make(GNS_UNLINK, &rig.root, "d", 0, 0, &cred_root,
			      NULL),
			 EISDIR);
	assert_int_equal(make(GNS_UNLINK, &d, "h", 0, 0, &cred_root, &r), 0);
	has(&r, &d, 1);
	assert_int_equal(make(GNS_RMDIR, &rig.root, "d", 0, 0, &cred_root, &r),
			 0);
	has(&r, &rig.root, 1);
	assert_int_equal(stat_status(&d), ESTALE);
}

static u32 setattr(const struct gns_m_setattr *sa, struct gns_r_change *r)
{
	struct call c = { .req.type = GNS_SETATTR };
	u32 status;

	c.req.setattr = *sa;
	status = call_run(&c);
	*r = c.op.rep.r_change;
	return status;
}

static void test_setattr(void **state)
{
	struct gns_m_setattr sa = { .cred = cred_user };
	const struct gns_attr *a;
	struct gns_r_change r;

	put_file(below("f"), "12345", 5);
	chown(below("f"), USER, USER);
	chmod(below("f"), 0400);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &sa.fh), 0);
	sa.valid = GNS_SA_MODE | GNS_SA_SIZE | GNS_SA_ATIME | GNS_SA_MTIME;
	sa.mode = 0640;
	sa.size = 3;
	sa.atime = -1;
	sa.mtime = 1234567890123456789;
	assert_int_equal(setattr(&sa, &r), 0);
	has(&r, &sa.fh, 1);
	a = &r.changed.v[0].attr;
	assert_int_equal(a->mode, S_IFREG | 0640);
	assert_int_equal(a->size, 3);
	assert_int_equal(a->atime, -1);
	assert_int_equal(a->mtime, 1234567890123456789);
	sa.cred = cred_other;
	assert_int_equal(setattr(&sa, &r), EACCES);
	sa.valid = GNS_SA_MODE;
	assert_int_equal(setattr(&sa, &r), EPERM);
	sa.valid = GNS_SA_MTIME_NOW;
	assert_int_equal(setattr(&sa, &r), EPERM);
	sa.valid |= GNS_SA_ATIME_NOW;
	assert_int_equal(setattr(&sa, &r), EACCES);
	sa.valid = GNS_SA_UID | GNS_SA_GID;
	sa.uid = OTHER;
	sa.gid = OTHER;
	assert_int_equal(setattr(&sa, &r), EPERM);
	sa.cred = cred_root;
	assert_int_equal(setattr(&sa, &r), 0);
	assert_int_equal(r.changed.v[0].attr.uid, OTHER);
	sa.uid = UINT32_MAX;
	assert_int_equal(setattr(&sa, &r), EINVAL);
	sa.fh = rig.root;
	sa.valid = GNS_SA_SIZE;
	assert_int_equal(setattr(&sa, &r), EISDIR);
}

static void sync_done(void *arg, int err)
{
	*(int *)arg = err;
}

static int run_sync(const struct gns_fh *fh)
{
	int err = 1;

	rig.fs->ops->sync(rig.fs, fh, sync_done, &err);
	while (err == 1)
		uv_run(&rig.loop, UV_RUN_ONCE);
	return err;
}

static void test_rest(void **state)
{
	struct call c = { .req.type = GNS_GETXATTR };
	struct gns_fh f, gone;

	put_file(below("f"), "x", 1);
	put_file(below("g"), "x", 1);
	chown(below("f"), USER, USER);
	chmod(below("f"), 0600);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &f), 0);
	assert_int_equal(lookup(&rig.root, "g", &cred_root, &gone), 0);
	unlink(below("g"));
	if (!setxattr(below("f"), "user.k", "value", 5, 0)) {
		c.req.name = (struct gns_m_name){ cred_user, f, str("user.k"),
						  0 };
		assert_int_equal(call_run(&c), 0);
		assert_int_equal(c.op.rep.payload_len, 5);
		assert_memory_equal(c.op.bulk->data, "value", 5);
		call_free(&c);
		c.req.type = GNS_GETXATTR;
		c.req.name = (struct gns_m_name){ cred_other, f, str("user.k"),
						  0 };
		assert_int_equal(call_run(&c), EACCES);
		call_free(&c);
		c.req.type = GNS_LISTXATTR;
		c.req.obj.fh = f;
		assert_int_equal(call_run(&c), 0);
		assert_memory_equal(c.op.bulk->data, "user.k", 7);
		call_free(&c);
		c.req.type = GNS_GETXATTR;
		c.req.name = (struct gns_m_name){ cred_user, f, str("user.n"),
						  0 };
		assert_int_equal(call_run(&c), ENODATA);
	}
	call_free(&c);
	c.req.type = GNS_STATFS;
	c.req.obj.fh = f;
	assert_int_equal(call_run(&c), 0);
	assert_true(c.op.rep.r_statfs.blocks);
	call_free(&c);
	c.req.type = GNS_FSYNC;
	c.req.obj.fh = f;
	assert_int_equal(call_run(&c), 0);
	call_free(&c);
	c.req.type = GNS_REVALIDATE;
	c.op.nreval = 3;
	c.op.reval = calloc(3, sizeof(*c.op.reval));
	c.op.reval[0].fh = f;
	c.op.reval[1].fh = gone;
	c.op.reval[2].fh = rig.root;
	assert_int_equal(call_run(&c), 0);
	assert_int_equal(c.op.reval[0].status, 0);
	assert_int_equal(c.op.reval[0].attr.uid, USER);
	assert_int_equal(c.op.reval[1].status, ESTALE);
	assert_true(S_ISDIR(c.op.reval[2].attr.mode));
	call_free(&c);
	assert_int_equal(run_sync(&f), 0);
	assert_int_equal(run_sync(&rig.root), 0);
	assert_int_equal(run_sync(NULL), 0);
	/* Nothing of it is left to be made durable but its absence. */
	assert_int_equal(run_sync(&gone), 0);
	gone.b[0] ^= 1;
	assert_int_equal(run_sync(&gone), -ESTALE);
}

/* Status; *off is where it is. */
static u32 seek(const struct gns_fh *fh, u64 from, u8 whence,
		const struct gns_cred *cred, u64 *off)
{
	struct call c = { .req.type = GNS_SEEK };
	u32 status;

	c.req.seek = (struct gns_m_seek){ *cred, *fh, from, whence };
	status = call_run(&c);
	*off = c.op.rep.r_seek.off;
	call_free(&c);
	return status;
}

static void test_seek(void **state)
{
	struct gns_fh f;
	u64 off;

	(void)state;
	put_file(below("f"), "x", 1);
	assert_int_equal(chmod(below("f"), 0600), 0);
	assert_int_equal(truncate(below("f"), 4 << 20), 0);
	assert_int_equal(lookup(&rig.root, "f", &cred_root, &f), 0);
	assert_int_equal(seek(&f, 0, GNS_SK_DATA, &cred_root, &off), 0);
	assert_int_equal(off, 0);
	assert_int_equal(seek(&f, 0, GNS_SK_HOLE, &cred_root, &off), 0);
	assert_true(off && off <= 4 << 20);
	assert_int_equal(seek(&f, 4 << 20, GNS_SK_HOLE, &cred_root, &off),
			 ENXIO);
	assert_int_equal(seek(&f, 4 << 20, GNS_SK_DATA, &cred_root, &off),
			 ENXIO);
	assert_int_equal(seek(&f, ~0ull, GNS_SK_DATA, &cred_root, &off),
			 ENXIO);
	assert_int_equal(seek(&f, 0, GNS_SK_DATA, &cred_user, &off), EACCES);
	assert_int_equal(seek(&rig.root, 0, GNS_SK_DATA, &cred_root, &off),
			 EISDIR);
}

static void test_export_errors(void **state)
{
	struct gns_posix_export ex = { .name = "p", .path = "/proc" };
	char err[256] = "";

	assert_true(gns_posix_export(rig.fs, &ex, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "file handles"));
	ex.path = "/nonexistent";
	assert_int_equal(gns_posix_export(rig.fs, &ex, err, sizeof(err)),
			 -ENOENT);
	ex.path = "relative";
	assert_int_equal(gns_posix_export(rig.fs, &ex, err, sizeof(err)),
			 -EINVAL);
	ex = (struct gns_posix_export){ .name = "main", .path = rig.path };
	assert_int_equal(gns_posix_export(rig.fs, &ex, err, sizeof(err)),
			 -EEXIST);
}

/* One answer; its entries stay until call_free(). */
static void list_some(struct call *c, const struct gns_fh *dir, u64 cookie,
		      u8 want)
{
	*c = (struct call){ .req.type = GNS_READDIR };
	c->req.range.fh = *dir;
	c->req.range.off = cookie;
	c->req.range.len = 1 << 20;
	c->req.range.want = want;
	c->req.range.cred = cred_user;
	assert_int_equal(call_run(c), 0);
}

/* A listing of names, with the inode numbers that the attributes have. */
static void test_names_only(void **state)
{
	struct call full, c;
	struct gns_fh dir;
	char name[32];
	u64 cookie = 0;
	u32 i, n;

	(void)state;
	assert_int_equal(mkdir(below("names"), 0755), 0);
	for (i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "names/%u", i);
		if (i % 100)
			put_file(below(name), name, i % 5);
		else
			assert_int_equal(mkdir(below(name), 0700), 0);
	}
	assert_int_equal(lookup(&rig.root, "names", &cred_user, &dir), 0);
	for (n = 0; n < NAMES; n += i) {
		list_some(&full, &dir, cookie, 0);
		list_some(&c, &dir, cookie, GNS_WANT_NAMES);
		for (i = 0; i < c.op.nentries && i < full.op.nentries; i++) {
			const struct gns_dirent *e = &c.op.entries[i];
			const struct gns_dirent *f = &full.op.entries[i];

			assert_int_equal(f->has, GNS_DE_ATTR);
			assert_int_equal(e->has, GNS_DE_INO);
			assert_int_equal(e->cookie, f->cookie);
			assert_int_equal(e->type, f->type);
			assert_int_equal(e->attr.ino, f->attr.ino);
			assert_int_equal(e->fh.len, 0);
			cookie = e->cookie;
		}
		assert_true(i);
		call_free(&full);
		call_free(&c);
	}
	assert_int_equal(n, NAMES);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_lookup),
		T(test_parent),
		T(test_handle_survives_rename),
		T(test_links),
		T(test_names_only),
		T(test_forged),
		T(test_stale),
		T(test_changes),
		T(test_setattr),
		T(test_rest),
		T(test_seek),
		T(test_export_errors),
		T(test_mount_point),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
