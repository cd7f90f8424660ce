// SPDX-License-Identifier: GPL-2.0
/*
 * After a crash: which of the changes that were under way did run?
 *
 * An intent without an answer was the last thing done to its objects (see
 * slot.c), so what the names mean now tells, or whether an extended attribute
 * is there. What a second run does not do differently (writes, copies, changes
 * of attributes) is run again when its satellite asks again, unless something
 * else has changed one of its objects first: then nobody can tell, and the
 * answer says so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/log.h"
#include "origin/core.h"

struct recovery {
	struct gns_origin *o;
	struct slot *sl;
	struct gns_msg *req;
	struct gns_fh child[2]; /* what the names meant before */
	struct gns_fh now[2]; /* and mean now */
	struct gns_attr attr; /* of the file appended to, of now[0] */
	bool same; /* SYMLINK: now[0] leads where it was to lead */
	bool has; /* SETXATTR: the attribute is there */
	u32 step;
	struct gns_msg ask;
	struct gns_fsop op;
	LIST_ENTRY(recovery) link;
};

int recover_add(struct gns_origin *o, struct slot *sl, struct gns_msg *req,
		const struct gns_fh *child)
{
	struct recovery *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->o = o;
	r->sl = sl;
	r->req = req;
	r->child[0] = child[0];
	r->child[1] = child[1];
	sl->state = SLOT_UNKNOWN;
	LIST_INSERT_HEAD(&o->recovering, r, link);
	return 0;
}

static void recovery_end(struct recovery *r)
{
	struct gns_origin *o = r->o;

	LIST_REMOVE(r, link);
	free(r->req);
	free(r);
	if (LIST_EMPTY(&o->recovering)) {
		o->db->ops->commit(o->db, true, NULL, NULL);
		sched_run(o);
	}
}

static void did_run(struct recovery *r)
{
	struct gns_msg rep = { .type = r->req->type, .reply = true };

	switch (rep.type) {
	case GNS_CREATE:
	case GNS_MKDIR:
	case GNS_SYMLINK:
	case GNS_MKNOD:
		rep.r_change.fh = r->now[0];
		rep.r_change.created = 1;
	}
	r->sl->reply = gns_msg_dup(&rep, false);
	slot_set_state(r->o, r->sl, SLOT_DONE);
	slot_log_done(r->o, r->sl);
}

/* @fh: what it runs on; NULL: what its request names by handle. */
static void may_run_again(struct recovery *r, const struct gns_fh *fh)
{
	const struct gns_fh *all[REQUEST_FHS];
	u32 i, n = request_fhs(r->req, all);

	if (fh)
		all[0] = fh;
	for (i = 0; i < REQUEST_FHS; i++)
		r->sl->fh[i] = i < n ? *all[i] : (struct gns_fh){ 0 };
	r->sl->off = r->req->type == GNS_WRITE ? r->req->write.off : 0;
	slot_set_state(r->o, r->sl, SLOT_REDO);
}

static void judge_rename(struct recovery *r)
{
	bool exchange = r->req->rename.flags & GNS_RN_EXCHANGE;
	bool ran = gns_fh_eq(&r->now[1], &r->child[0]) &&
		   !gns_fh_eq(&r->now[0], &r->child[0]);
	bool not_ran = gns_fh_eq(&r->now[0], &r->child[0]) &&
		       gns_fh_eq(&r->now[1], &r->child[1]);

	if (exchange)
		ran = ran && gns_fh_eq(&r->now[0], &r->child[1]);
	if (ran)
		did_run(r);
	else if (not_ran)
		slot_not_run(r->o, r->sl);
}

/* The name was not there before, or the intent would not have been logged. */
static void judge_made(struct recovery *r)
{
	const struct gns_msg *req = r->req;
	bool ran = false;

	if (!r->now[0].len) {
		slot_not_run(r->o, r->sl);
		return;
	}
	if (req->type == GNS_LINK)
		ran = gns_fh_eq(&r->now[0], &req->link.fh);
	else if (req->type == GNS_SYMLINK)
		ran = r->same;
	else if (S_ISCHR(req->mknod.mode) || S_ISBLK(req->mknod.mode))
		ran = !((r->attr.mode ^ req->mknod.mode) & S_IFMT) &&
		      r->attr.rdev == req->mknod.rdev;
	else
		ran = !((r->attr.mode ^ req->mknod.mode) & S_IFMT);
	if (ran)
		did_run(r);
	else
		slot_unknown(r->o, r->sl);
}

/* One that fails for what was there before has not run, and fails again. */
static void judge_xattr(struct recovery *r)
{
	bool had = r->child[0].len;

	if (!request_moves_xattr(r->req))
		may_run_again(r, NULL);
	else if (had != r->has)
		did_run(r);
	else
		slot_not_run(r->o, r->sl);
}

static void judge(struct recovery *r)
{
	switch (r->req->type) {
	case GNS_WRITE:
		/* A power loss took the bytes before it, and then it did not
		 * run; or it took what the log has of a truncation behind it,
		 * and then it did.
		 */
		if (r->req->write.flags & GNS_WR_APPEND &&
		    r->attr.size < r->req->write.off)
			slot_unknown(r->o, r->sl);
		else
			may_run_again(r, NULL);
		break;
	case GNS_FALLOCATE:
		if (request_shifts(r->req))
			slot_unknown(r->o, r->sl);
		else
			may_run_again(r, NULL);
		break;
	case GNS_SETATTR:
	case GNS_COPY:
		may_run_again(r, NULL);
		break;
	case GNS_SETXATTR:
		judge_xattr(r);
		break;
	case GNS_LINK:
	case GNS_SYMLINK:
	case GNS_MKNOD:
		judge_made(r);
		break;
	case GNS_TMPFILE:
		/* Nobody has heard of what it may have made. */
		slot_not_run(r->o, r->sl);
		break;
	case GNS_CREATE:
	case GNS_MKDIR:
		if (r->child[0].len)
			may_run_again(r, &r->child[0]);
		else if (r->now[0].len)
			did_run(r);
		else
			slot_not_run(r->o, r->sl);
		break;
	case GNS_UNLINK:
	case GNS_RMDIR:
		if (gns_fh_eq(&r->now[0], &r->child[0]))
			slot_not_run(r->o, r->sl);
		else
			did_run(r);
		break;
	case GNS_RENAME:
		judge_rename(r);
		break;
	}
	recovery_end(r);
}

static void recovery_step(struct recovery *r);

static void release_bytes(struct gns_fsop *op)
{
	if (op->bulk)
		op->bulk->release(op->bulk);
	op->bulk = NULL;
}

static void note_answer(struct recovery *r)
{
	const struct gns_str *target = &r->req->symlink.target;
	const struct gns_fsop *op = &r->op;

	switch (r->ask.type) {
	case GNS_GETATTR:
		r->attr = op->self;
		break;
	case GNS_READLINK:
		r->same = op->bulk && op->rep.payload_len == target->len &&
			  !memcmp(op->bulk->data, target->p, target->len);
		break;
	case GNS_LISTXATTR:
		r->has = request_has_xattr(r->req, op);
		break;
	default:
		if (op->rep.r_lookup.absent)
			break;
		r->now[r->step] = op->rep.r_lookup.child.fh;
		if (!r->step)
			r->attr = op->rep.r_lookup.child.attr;
	}
}

static void answered(struct gns_fsop *op)
{
	struct recovery *r = container_of(op, struct recovery, op);

	if (op->rep.status) {
		release_bytes(op);
		gns_warn("a change that was under way at the crash can not be judged: %s",
			 gns_status_str(op->rep.status));
		slot_unknown(r->o, r->sl);
		recovery_end(r);
		return;
	}
	note_answer(r);
	release_bytes(op);
	r->step++;
	recovery_step(r);
}

/* Is there something more to be known? Then r->ask is the question. */
static bool next_question(struct recovery *r)
{
	const struct gns_msg *req = r->req;
	struct gns_msg *ask = &r->ask;
	u32 names = request_names(req);

	if (r->step < names) {
		request_lookup(req, r->step, ask);
		return true;
	}
	if (req->type == GNS_SYMLINK && r->step == names && r->now[0].len &&
	    S_ISLNK(r->attr.mode)) {
		*ask = (struct gns_msg){ .type = GNS_READLINK };
		ask->obj.cred = *request_cred(req);
		ask->obj.fh = r->now[0];
		return true;
	}
	if (r->step)
		return false;
	if (request_moves_xattr(req)) {
		request_listxattr(req, ask);
		return true;
	}
	if (req->type == GNS_WRITE && req->write.flags & GNS_WR_APPEND) {
		*ask = (struct gns_msg){ .type = GNS_GETATTR };
		ask->obj.cred = req->write.cred;
		ask->obj.fh = req->write.fh;
		return true;
	}
	return false;
}

static void recovery_step(struct recovery *r)
{
	if (!next_question(r)) {
		judge(r);
		return;
	}
	r->op.req = &r->ask;
	r->op.rep = (struct gns_msg){ 0 };
	r->op.done = answered;
	r->o->fs->ops->submit(r->o->fs, &r->op);
}

void recover_start(struct gns_origin *o)
{
	struct recovery *r, *next;

	for (r = LIST_FIRST(&o->recovering); r; r = next) {
		next = LIST_NEXT(r, link);
		recovery_step(r);
	}
}

void recover_drop_all(struct gns_origin *o)
{
	struct recovery *r;

	while ((r = LIST_FIRST(&o->recovering))) {
		LIST_REMOVE(r, link);
		free(r->req);
		free(r);
	}
}
