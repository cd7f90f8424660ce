/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A backend on a fresh directory, and requests to it one at a time.
 */
#ifndef GNS_TEST_POSIX_RIG_H
#define GNS_TEST_POSIX_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"
#include "origin/posix.h"

#define USER 12345u
#define OTHER 23456u
#define ANON 34567u

struct rig {
	uv_loop_t loop;
	struct gns_fs *fs;
	char top[64]; /* outside of the exports */
	char path[128]; /* exported as main, ro, root and all */
	struct gns_fh root;
};

struct call {
	struct gns_fsop op;
	struct gns_msg req;
	u32 done;
};

static struct rig rig;
static const struct gns_cred cred_root;
static const struct gns_cred cred_user = { USER, USER, 0, { 0 } };
static const struct gns_cred cred_other = { OTHER, OTHER, 0, { 0 } };

static inline void call_done(struct gns_fsop *op)
{
	container_of(op, struct call, op)->done++;
}

static inline void call_start(struct call *c)
{
	c->op.req = &c->req;
	c->op.done = call_done;
	rig.fs->ops->submit(rig.fs, &c->op);
}

/* Returns the status. */
static inline u32 call_run(struct call *c)
{
	call_start(c);
	while (!c->done)
		uv_run(&rig.loop, UV_RUN_ONCE);
	assert_int_equal(c->done, 1);
	return c->op.rep.status;
}

static inline void call_free(struct call *c)
{
	if (c->op.bulk)
		c->op.bulk->release(c->op.bulk);
	free(c->op.entries);
	free(c->op.reval);
	memset(c, 0, sizeof(*c));
}

static inline struct gns_str str(const char *s)
{
	return (struct gns_str){ s, (u32)strlen(s) };
}

static inline u32 mount_as(const char *name, struct gns_fh *fh)
{
	struct call c = { .req.type = GNS_MOUNT };
	u32 status;

	c.req.mount.export = str(name);
	status = call_run(&c);
	*fh = c.op.rep.r_obj.fh;
	return status;
}

/* Status; *absent says whether there was no such name. */
static inline u32 lookup_str(const struct gns_fh *dir, struct gns_str name,
			     const struct gns_cred *cred, struct gns_r_obj *out,
			     bool *absent)
{
	struct call c = { .req.type = GNS_LOOKUP };
	u32 status;

	c.req.name.fh = *dir;
	c.req.name.name = name;
	c.req.name.cred = *cred;
	status = call_run(&c);
	*out = c.op.rep.r_lookup.child;
	*absent = c.op.rep.r_lookup.absent;
	if (!status)
		assert_true(c.op.self.nlink);
	return status;
}

/* Status, or ENOENT for an absent name. */
static inline u32 lookup(const struct gns_fh *dir, const char *name,
			 const struct gns_cred *cred, struct gns_fh *fh)
{
	struct gns_r_obj child;
	bool absent;
	u32 status = lookup_str(dir, str(name), cred, &child, &absent);

	*fh = child.fh;
	return !status && absent ? ENOENT : status;
}

static inline u32 getattr(const struct gns_fh *fh, struct gns_attr *attr)
{
	struct call c = { .req.type = GNS_GETATTR };
	u32 status;

	c.req.obj.fh = *fh;
	status = call_run(&c);
	*attr = c.op.self;
	return status;
}

static inline u32 stat_status(const struct gns_fh *fh)
{
	struct gns_attr attr;

	return getattr(fh, &attr);
}

static inline u32 make(u16 type, const struct gns_fh *dir, const char *name,
		       u32 mode, u8 flags, const struct gns_cred *cred,
		       struct gns_r_change *rep)
{
	struct call c = { .req.type = type };
	u32 status;

	c.req.make.dir = *dir;
	c.req.make.name = str(name);
	c.req.make.mode = mode;
	c.req.make.flags = flags;
	c.req.make.cred = *cred;
	status = call_run(&c);
	if (rep)
		*rep = c.op.rep.r_change;
	return status;
}

static inline u32 write_at(const struct gns_fh *fh, const void *p, u32 len,
			   u64 off, const struct gns_cred *cred,
			   struct gns_r_change *rep)
{
	struct call c = { .req.type = GNS_WRITE };
	u32 status;

	c.req.write.fh = *fh;
	c.req.write.off = off;
	c.req.write.cred = *cred;
	c.req.payload = p;
	c.req.payload_len = len;
	status = call_run(&c);
	if (rep)
		*rep = c.op.rep.r_change;
	return status;
}

static inline u32 move(const struct gns_fh *odir, const char *oname,
		       const struct gns_fh *ndir, const char *nname, u8 flags,
		       struct gns_r_change *rep)
{
	struct call c = { .req.type = GNS_RENAME };
	u32 status;

	c.req.rename.odir = *odir;
	c.req.rename.oname = str(oname);
	c.req.rename.ndir = *ndir;
	c.req.rename.nname = str(nname);
	c.req.rename.flags = flags;
	status = call_run(&c);
	if (rep)
		*rep = c.op.rep.r_change;
	return status;
}

/* Bytes, out of memory or a pipe, into @buf; returns how many. */
static inline u32 call_bytes(struct call *c, void *buf)
{
	u32 got = 0, len = c->op.rep.payload_len;
	ssize_t n;

	if (!len)
		return 0;
	assert_non_null(c->op.bulk);
	if (c->op.bulk->data) {
		memcpy(buf, c->op.bulk->data, len);
		return len;
	}
	while (got < len) {
		n = read(c->op.bulk->fd, (char *)buf + got, len - got);
		assert_true(n > 0);
		got += (u32)n;
	}
	return got;
}

static inline u32 read_at(const struct gns_fh *fh, void *buf, u32 len, u64 off,
			  bool leased, const struct gns_cred *cred, u32 *got,
			  bool *eof)
{
	struct call c = { .req.type = GNS_READ };
	u32 status;

	c.req.range.fh = *fh;
	c.req.range.off = off;
	c.req.range.len = len;
	c.req.range.cred = *cred;
	c.op.leased = leased;
	status = call_run(&c);
	*got = status ? 0 : call_bytes(&c, buf);
	*eof = c.op.rep.r_obj.eof;
	call_free(&c);
	return status;
}

static inline u32 read_status(const struct gns_fh *fh,
			      const struct gns_cred *cred)
{
	char buf[16];
	bool eof;
	u32 got;

	return read_at(fh, buf, sizeof(buf), 0, false, cred, &got, &eof);
}

/* A path below the export's directory; the next four stay valid. */
static inline const char *below(const char *name)
{
	static char buf[4][256];
	static u32 next;
	char *p = buf[next++ % 4];

	snprintf(p, sizeof(buf[0]), "%s/%s", rig.path, name);
	return p;
}

static inline void put_file(const char *path, const void *p, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), len);
	close(fd);
}

static inline int rm_one(const char *path, const struct stat *st, int type,
			 struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void rig_export(const char *name, bool ro, enum gns_squash squash)
{
	struct gns_posix_export ex = { name, rig.path, ro, squash, ANON, ANON };
	char err[256] = "";

	if (gns_posix_export(rig.fs, &ex, err, sizeof(err)))
		fail_msg("%s", err);
}

static inline void rig_open(void)
{
	struct gns_posix_config cfg = { .key = "0123456789abcde" };

	rig.fs = gns_posix_create(&rig.loop, &cfg);
	assert_non_null(rig.fs);
}

static inline int rig_setup(void **state)
{
	(void)state;
	strcpy(rig.top, "/tmp/test_posix.XXXXXX");
	assert_non_null(mkdtemp(rig.top));
	snprintf(rig.path, sizeof(rig.path), "%s/tree", rig.top);
	assert_int_equal(mkdir(rig.path, 0755), 0);
	assert_int_equal(chmod(rig.path, 0755), 0);
	uv_loop_init(&rig.loop);
	rig_open();
	rig_export("main", false, GNS_SQUASH_NONE);
	rig_export("ro", true, GNS_SQUASH_NONE);
	rig_export("root", false, GNS_SQUASH_ROOT);
	rig_export("all", false, GNS_SQUASH_ALL);
	assert_int_equal(mount_as("main", &rig.root), 0);
	return 0;
}

static inline int rig_teardown(void **state)
{
	(void)state;
	gns_posix_destroy(rig.fs);
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&rig.loop), 0);
	return nftw(rig.top, rm_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

#endif
