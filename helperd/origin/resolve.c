// SPDX-License-Identifier: GPL-2.0
/*
 * What a change's names mean: before anything is revoked, the core asks the
 * backend for the versions it does not know, for the end of a file that is
 * appended to, for the objects behind names, and whether an extended attribute
 * is there that is to come or go.
 */
#include <errno.h>

#include "origin/core.h"

static void ask(struct change *c, void (*done)(struct gns_fsop *op))
{
	c->op.req = &c->ask;
	c->op.rep = (struct gns_msg){ 0 };
	c->op.done = done;
	c->o->fs->ops->submit(c->o->fs, &c->op);
}

/* Everything back, and to one's place in the line again. */
static void back_off(struct change *c)
{
	u32 i, n = c->nobj;
	struct obj *keep[GNS_CHANGED_MAX];

	for (i = 0; i < n; i++) {
		keep[i] = c->obj[i];
		obj_hold(c->o, keep[i]);
	}
	change_release(c);
	for (i = 0; i < n; i++)
		c->obj[i] = keep[i];
	c->nobj = n;
	TAILQ_REMOVE(&c->o->running, c, link);
	sched_add(c);
	sched_run(c->o);
}

static bool is_child(const struct change *c, const struct obj *obj)
{
	u32 i;

	for (i = 0; i < c->nchild; i++)
		if (view_means(c->o, &c->child[i], obj))
			return true;
	return false;
}

/* Objects held from an earlier try that the names no longer mean. */
static void drop_strangers(struct change *c)
{
	u32 i = c->nbase;

	while (i < c->nobj) {
		struct obj *obj = c->obj[i];

		if (is_child(c, obj)) {
			i++;
			continue;
		}
		c->obj[i] = c->obj[--c->nobj];
		obj->owner = NULL;
		obj_put(c->o, obj);
	}
}

/* Own what the names mean; false: somebody else does, and we backed off. */
static bool own_children(struct change *c)
{
	u64 now = gns_boottime(c->o->env);
	bool busy = false;
	u32 i, k;

	drop_strangers(c);
	for (i = 0; i < c->nchild; i++) {
		struct obj *obj;

		if (!c->child[i].len)
			continue;
		obj = obj_get(c->o, &c->child[i]);
		if (!obj) {
			change_fail(c, ENOMEM);
			return false;
		}
		for (k = 0; k < c->nobj && c->obj[k] != obj; k++)
			;
		if (k < c->nobj) {
			obj_put(c->o, obj);
			continue;
		}
		c->obj[c->nobj++] = obj;
		if (obj->owner || obj->hold_until > now)
			busy = true;
		else
			obj->owner = c;
	}
	if (busy)
		back_off(c);
	return !busy;
}

/* What the names mean decides some changes already: 0 or a negative errno. */
static int early_status(const struct change *c)
{
	const struct gns_msg *req = c->req;
	bool have = c->child[0].len;

	switch (req->type) {
	case GNS_CREATE:
		return have && req->make.flags & GNS_CR_EXCL ? -EEXIST : 0;
	case GNS_MKDIR:
	case GNS_LINK:
	case GNS_SYMLINK:
	case GNS_MKNOD:
		return have ? -EEXIST : 0;
	case GNS_UNLINK:
	case GNS_RMDIR:
		return have ? 0 : -ENOENT;
	case GNS_RENAME:
		if (!have)
			return -ENOENT;
		have = c->child[1].len;
		if (have && req->rename.flags & GNS_RN_NOREPLACE)
			return -EEXIST;
		if (!have && req->rename.flags & GNS_RN_EXCHANGE)
			return -ENOENT;
	}
	return 0;
}

static void attr_done(struct gns_fsop *op)
{
	struct change *c = container_of(op, struct change, op);
	struct gns_msg *req = c->req;

	if (op->rep.status) {
		change_fail(c, op->rep.status);
		return;
	}
	version_see(c->o, &c->obj[c->step]->fh, c->obj[c->step], &op->self);
	/* One that runs again does so where it did. */
	if (req->type == GNS_WRITE && req->write.flags & GNS_WR_APPEND &&
	    !c->redo)
		req->write.off = op->self.size;
	c->step++;
	resolve_next(c);
}

static void name_done(struct gns_fsop *op)
{
	struct change *c = container_of(op, struct change, op);

	if (op->rep.status) {
		change_fail(c, op->rep.status);
		return;
	}
	c->child[c->nchild] = (struct gns_fh){ 0 };
	if (!op->rep.r_lookup.absent)
		c->child[c->nchild] = op->rep.r_lookup.child.fh;
	c->nchild++;
	resolve_next(c);
}

static void ask_attr(struct change *c)
{
	c->ask = (struct gns_msg){ .type = GNS_GETATTR };
	view_join(c->o, c->obj[c->step], c->view, &c->ask.obj.fh);
	ask(c, attr_done);
}

static void ask_name(struct change *c)
{
	request_lookup(c->req, c->nchild, &c->ask);
	ask(c, name_done);
}

static void xattrs_done(struct gns_fsop *op)
{
	struct change *c = container_of(op, struct change, op);

	if (!op->rep.status)
		c->child[c->nchild++] = (struct gns_fh){
			.len = request_has_xattr(c->req, op)
		};
	if (op->bulk)
		op->bulk->release(op->bulk);
	op->bulk = NULL;
	if (op->rep.status)
		change_fail(c, op->rep.status);
	else
		resolve_next(c);
}

static void ask_xattrs(struct change *c)
{
	request_listxattr(c->req, &c->ask);
	ask(c, xattrs_done);
}

static bool needs_attr(const struct change *c)
{
	const struct gns_msg *req = c->req;

	if (c->obj[c->step] == c->from)
		return false;
	if (!c->obj[c->step]->version)
		return true;
	return req->type == GNS_WRITE && req->write.flags & GNS_WR_APPEND;
}

/* CREATE found a file and changes nothing: say what it found. */
static bool found_only(struct change *c)
{
	struct gns_msg rep = { 0 };

	if (c->req->type != GNS_CREATE || !c->child[0].len ||
	    c->req->make.flags & GNS_CR_TRUNC)
		return false;
	rep.r_change.fh = c->child[0];
	change_finish(c, &rep);
	return true;
}

/* It is not to run, whatever the names mean; it is over then. */
static bool ended_early(struct change *c)
{
	struct gns_fs *fs = c->o->fs;
	u32 status = 0;

	if (c->s->dead && !GNS_MUTANT(DEAD_CHANGE_RUNS)) {
		change_cancel(c);
		return true;
	}
	if (c->overtaken)
		status = GNS_ST_UNKNOWN;
	else if (fs->ops->refuses && !c->step && !c->nchild)
		status = fs->ops->refuses(fs, c->req);
	if (status)
		change_fail(c, status);
	return status;
}

/* Ask the next question, or go on when there is none left. */
void resolve_next(struct change *c)
{
	u32 names = request_names(c->req);
	int err;

	if (ended_early(c))
		return;
	while (c->step < c->nbase && !needs_attr(c))
		c->step++;
	if (c->step < c->nbase) {
		ask_attr(c);
		return;
	}
	if (c->nchild < names) {
		ask_name(c);
		return;
	}
	if (!c->nchild && request_moves_xattr(c->req)) {
		ask_xattrs(c);
		return;
	}
	if (c->step == c->nbase && names) {
		err = early_status(c);
		if (err) {
			change_fail(c, -err);
			return;
		}
		if (found_only(c) || !own_children(c))
			return;
	}
	while (c->step < c->nobj && c->obj[c->step]->version)
		c->step++;
	if (c->step < c->nobj)
		ask_attr(c);
	else
		change_resolved(c);
}
