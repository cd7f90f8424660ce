/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An origin on a fresh directory that dies when told so, and two satellites.
 *
 * The origin and its tree are the real ones; time and store are the fuzzers'.
 */
#ifndef GNS_UNIT_ORIGIN_RIG_H
#define GNS_UNIT_ORIGIN_RIG_H

#include "../fuzz/toy.h"
#include "origin/origin.h"
#include "posix_rig.h"

/* What becomes of the next change that reaches the tree. */
enum fate {
	LIVES,
	CRASH_BEFORE,
	CRASH_AFTER,
};

struct syncing {
	void (*done)(void *arg, int err);
	void *arg;
};

struct peer {
	struct gns_conn conn;
	struct gns_msg rep; /* the last answer; no payload */
	u32 got; /* answers */
	u32 revokes;
	struct gns_m_revoke revoke; /* the last one */
	u64 sid;
};

static struct toy toy;
static struct gns_origin *origin;
static struct gns_fs tree; /* rig.fs, with an end */
static enum fate fate;
static bool crashed;
static struct peer peers[2];
static u32 syncs; /* in the tree */
static int disk_error; /* of the next sync, once; 0: none */
static struct gns_fsop *not_synced; /* FSYNC that has it */
static u32 max_leases; /* of the next start; 0: as it is */

static inline void ran_to_the_end(struct gns_fsop *op)
{
	crashed = true;
	if (op->bulk)
		op->bulk->release(op->bulk);
	free(op);
}

static inline void tree_submit(struct gns_fs *fs, struct gns_fsop *op)
{
	enum fate f = gns_msg_is_change(op->req->type) ? fate : LIVES;
	struct gns_fsop *copy;

	(void)fs;
	if (op->req->type == GNS_FSYNC && disk_error) {
		op->rep = (struct gns_msg){ .type = GNS_FSYNC };
		op->rep.reply = true;
		op->rep.status = disk_error;
		disk_error = 0;
		not_synced = op;
		return;
	}
	if (f == LIVES) {
		rig.fs->ops->submit(rig.fs, op);
		return;
	}
	fate = LIVES;
	crashed = f == CRASH_BEFORE;
	if (crashed)
		return;
	copy = calloc(1, sizeof(*copy));
	assert_non_null(copy);
	copy->req = op->req;
	copy->keep = op->keep;
	copy->done = ran_to_the_end;
	rig.fs->ops->submit(rig.fs, copy);
}

static inline void tree_synced(void *arg, int err)
{
	struct syncing *s = arg;

	syncs--;
	if (disk_error) {
		err = -disk_error;
		disk_error = 0;
	}
	s->done(s->arg, err);
	free(s);
}

static inline void tree_sync(struct gns_fs *fs, const struct gns_fh *fh,
			     void (*done)(void *arg, int err), void *arg)
{
	struct syncing *s = calloc(1, sizeof(*s));

	(void)fs;
	assert_non_null(s);
	s->done = done;
	s->arg = arg;
	syncs++;
	rig.fs->ops->sync(rig.fs, fh, tree_synced, s);
}

/* An origin that dies is not told of a sync that ends later. */
static inline void origin_end(void)
{
	while (syncs)
		uv_run(&rig.loop, UV_RUN_ONCE);
	gns_origin_destroy(origin);
}

static inline void tree_orphans(struct gns_fs *fs,
				void (*each)(void *arg,
					     const struct gns_fh *fh),
				void *arg)
{
	(void)fs;
	rig.fs->ops->orphans(rig.fs, each, arg);
}

static inline void tree_forget(struct gns_fs *fs, const struct gns_fh *fh)
{
	(void)fs;
	rig.fs->ops->forget(rig.fs, fh);
}

static inline u32 tree_refuses(struct gns_fs *fs, const struct gns_msg *req)
{
	(void)fs;
	return rig.fs->ops->refuses(rig.fs, req);
}

static inline u32 tree_split(struct gns_fs *fs, const struct gns_fh *fh,
			     struct gns_fh *id)
{
	(void)fs;
	return rig.fs->ops->split(rig.fs, fh, id);
}

static inline void tree_join(struct gns_fs *fs, const struct gns_fh *id,
			     u32 view, struct gns_fh *fh)
{
	(void)fs;
	rig.fs->ops->join(rig.fs, id, view, fh);
}

static inline int tree_views_were(struct gns_fs *fs,
				  const struct gns_fs_view *v, u32 n)
{
	(void)fs;
	return rig.fs->ops->views_were(rig.fs, v, n);
}

static inline u32 tree_views(struct gns_fs *fs, struct gns_fs_view *v, u32 max)
{
	(void)fs;
	return rig.fs->ops->views(rig.fs, v, max);
}

static inline u32 tree_meant(struct gns_fs *fs, const struct gns_fh *fh,
			     struct gns_fh *id, u32 max)
{
	(void)fs;
	return rig.fs->ops->meant(rig.fs, fh, id, max);
}

static inline bool tree_own(struct gns_fs *fs, const struct gns_fh *fh)
{
	(void)fs;
	return rig.fs->ops->own(rig.fs, fh);
}

static const struct gns_fs_ops tree_ops = {
	.own = tree_own,
	.submit = tree_submit,
	.sync = tree_sync,
	.orphans = tree_orphans,
	.forget = tree_forget,
	.refuses = tree_refuses,
	.split = tree_split,
	.join = tree_join,
	.views_were = tree_views_were,
	.views = tree_views,
	.meant = tree_meant,
};

static inline int peer_send(struct gns_conn *conn, const struct gns_msg *msg,
			    struct gns_bulk *bulk)
{
	struct peer *p = container_of(conn, struct peer, conn);

	if (bulk)
		bulk->release(bulk);
	if (msg->reply) {
		p->rep = *msg;
		p->got++;
	} else {
		p->revokes++;
		p->revoke = msg->revoke;
	}
	return 0;
}

static inline void peer_close(struct gns_conn *conn)
{
	(void)conn;
}

static const struct gns_conn_ops peer_ops = { peer_send, peer_close };

/* Let things happen for a moment. */
static inline void pass(u64 ns)
{
	struct gns_fsop *op = not_synced;

	not_synced = NULL;
	if (op)
		op->done(op);
	uv_run(&rig.loop, UV_RUN_ONCE);
	toy_advance(&toy, ns);
}

static inline void tell(struct peer *p, struct gns_msg *msg)
{
	msg->sid = p->sid;
	assert_int_equal(p->conn.user->message(&p->conn, msg), 0);
}

static inline u32 ask(struct peer *p, struct gns_msg *msg)
{
	u32 before = p->got, i;

	tell(p, msg);
	for (i = 0; i < 1000 && p->got == before && !crashed; i++)
		pass(NSEC_PER_MSEC);
	assert_true(crashed || p->got == before + 1);
	return p->rep.status;
}

static inline void hello(struct peer *p, u8 inst)
{
	struct gns_msg msg = { .type = GNS_HELLO };
	u32 i;

	*p = (struct peer){ .conn.ops = &peer_ops };
	assert_int_equal(gns_origin_accept(origin, &p->conn), 0);
	msg.hello.proto_min = 1;
	msg.hello.proto_max = 1;
	msg.hello.features = GNS_FEATURES;
	msg.hello.instance.b[0] = inst;
	msg.hello.secret.b[0] = (u8)gns_random(&toy.env);
	/* It says EBUSY until it has found out about all changes. */
	for (i = 0; i < 100 && ask(p, &msg) == EBUSY; i++)
		pass(NSEC_PER_MSEC);
	assert_int_equal(p->rep.status, 0);
	assert_int_equal(p->rep.r_hello.features, GNS_FEATURES);
	p->sid = p->rep.r_hello.sid;
}

static inline void origin_start(void)
{
	struct gns_origin_config cfg = { .boot_id = { "boot" },
					 .max_leases = max_leases };
	u32 i;

	origin = gns_origin_create(&toy.env, &tree, &toy.db, &cfg);
	assert_non_null(origin);
	/* Past the grace, before there is a session whose time it takes. */
	for (i = 0; i < 20; i++)
		pass(NSEC_PER_SEC);
	hello(&peers[0], 1);
	hello(&peers[1], 2);
}

static inline void origin_crash(void)
{
	origin_end();
	toy_crash(&toy, false, 0);
	crashed = false;
	origin_start();
	assert_true(peers[0].rep.r_hello.slots_known);
}

static inline struct gns_fh fh_of(const char *name)
{
	struct gns_fh fh;

	assert_int_equal(lookup(&rig.root, name, &cred_root, &fh), 0);
	return fh;
}

/* @files makes what the tree is to have before the origin comes up. */
static inline void origin_setup(void **state, void (*files)(void))
{
	rig_setup(state);
	files();
	fate = LIVES;
	crashed = false;
	tree.ops = &tree_ops;
	toy_init(&toy);
	origin_start();
}

static inline int origin_teardown(void **state)
{
	origin_end();
	toy_exit(&toy);
	return rig_teardown(state);
}

#endif
