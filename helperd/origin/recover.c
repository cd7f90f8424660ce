// SPDX-License-Identifier: GPL-2.0
/*
 * After a crash: which of the changes that were under way did run?
 *
 * An intent without an answer was the last thing done to its objects (see
 * slot.c), so what the names mean now tells. Writes and attribute changes are
 * run again when their satellite asks again, unless something else has
 * changed the object first: then nobody can tell, and the answer says so.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/log.h"
#include "origin/core.h"

struct recovery {
	struct gns_origin *o;
	struct slot *sl;
	struct gns_msg *req;
	struct gns_fh child[2]; /* what the names meant before */
	struct gns_fh now[2]; /* and mean now */
	u64 size; /* of the file appended to, now */
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

	if (r->req->type == GNS_CREATE || r->req->type == GNS_MKDIR) {
		rep.r_change.fh = r->now[0];
		rep.r_change.created = 1;
	}
	r->sl->reply = gns_msg_dup(&rep, false);
	slot_set_state(r->o, r->sl, SLOT_DONE);
	slot_log_done(r->o, r->sl);
}

static void may_run_again(struct recovery *r, const struct gns_fh *fh)
{
	r->sl->fh = *fh;
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

static void judge(struct recovery *r)
{
	switch (r->req->type) {
	case GNS_WRITE:
		/* A power loss took the bytes before it, so it did not run,
		 * and is to go to where the end is now.
		 */
		if (r->req->write.flags & GNS_WR_APPEND &&
		    r->size < r->req->write.off)
			slot_not_run(r->o, r->sl);
		else
			may_run_again(r, &r->req->write.fh);
		break;
	case GNS_SETATTR:
		may_run_again(r, &r->req->setattr.fh);
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

static void answered(struct gns_fsop *op)
{
	struct recovery *r = container_of(op, struct recovery, op);

	if (op->rep.status) {
		gns_warn("a change that was under way at the crash can not be judged: %s",
			 gns_status_str(op->rep.status));
		slot_unknown(r->o, r->sl);
		recovery_end(r);
		return;
	}
	if (r->ask.type == GNS_GETATTR)
		r->size = op->self.size;
	else if (!op->rep.r_lookup.absent)
		r->now[r->step] = op->rep.r_lookup.child.fh;
	r->step++;
	recovery_step(r);
}

static void recovery_step(struct recovery *r)
{
	const struct gns_msg *req = r->req;
	u32 names = req->type == GNS_RENAME ? 2 : 1;

	if (req->type == GNS_SETATTR || r->step == names ||
	    (req->type == GNS_WRITE &&
	     !(req->write.flags & GNS_WR_APPEND))) {
		judge(r);
		return;
	}
	/* As who asked for the change: root may be squashed to a nobody. */
	r->ask = (struct gns_msg){ .type = GNS_LOOKUP };
	r->ask.name.cred = *change_cred(req);
	if (req->type == GNS_WRITE) {
		r->ask.type = GNS_GETATTR;
		r->ask.obj.cred = *change_cred(req);
		r->ask.obj.fh = req->write.fh;
	} else if (names == 2) {
		r->ask.name.fh = r->step ? req->rename.ndir : req->rename.odir;
		r->ask.name.name = r->step ? req->rename.nname :
					     req->rename.oname;
	} else {
		r->ask.name.fh = req->make.dir;
		r->ask.name.name = req->make.name;
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
