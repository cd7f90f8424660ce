// SPDX-License-Identifier: GPL-2.0
/*
 * Reads: everything that asks and changes nothing.
 *
 * A read of an object runs beside other reads of it and never beside an
 * apply, so its answer is of one version. Attributes of children (lookup,
 * listing, revalidation) are read without their locks; what changed in the
 * meantime is left out, and the satellite asks for it alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "origin/core.h"
#include "proto/cursor.h"

struct packed {
	struct gns_bulk bulk;
	u8 data[];
};

static void packed_release(struct gns_bulk *bulk)
{
	free(container_of(bulk, struct packed, bulk));
}

static struct packed *packed_new(u32 cap)
{
	struct packed *p = malloc(sizeof(*p) + cap);

	if (p)
		p->bulk = (struct gns_bulk){ p->data, -1, packed_release };
	return p;
}

/* Which object a request is about; NULL: it has none of its own. */
static const struct gns_fh *read_fh(const struct gns_msg *msg)
{
	switch (msg->type) {
	case GNS_LOOKUP:
	case GNS_GETXATTR:
		return &msg->name.fh;
	case GNS_READ:
	case GNS_READDIR:
		return &msg->range.fh;
	case GNS_SEEK:
		return &msg->seek.fh;
	case GNS_GETATTR:
	case GNS_READLINK:
	case GNS_LISTXATTR:
		return &msg->obj.fh;
	}
	return NULL;
}

static u8 read_want(const struct gns_msg *msg)
{
	switch (msg->type) {
	case GNS_LOOKUP:
	case GNS_GETXATTR:
		return msg->name.want;
	case GNS_READ:
	case GNS_READDIR:
		return msg->range.want;
	case GNS_SEEK:
		return 0;
	case GNS_MOUNT:
	case GNS_REVALIDATE:
		return GNS_WANT_LEASE;
	}
	return msg->obj.want;
}

void read_free(struct read *r)
{
	if (r->op.bulk)
		r->op.bulk->release(r->op.bulk);
	free(r->op.reval);
	free(r->op.entries);
	if (r->obj)
		obj_put(r->o, r->obj);
	session_put(r->s);
	oconn_end(r->oc);
	free(r->req);
	free(r);
}

/* Version and, if asked, lease of @fh as @attr shows it; none if it moved. */
static void read_grant(struct read *r, const struct gns_fh *fh,
		       const struct gns_attr *attr, struct gns_grant *g)
{
	u8 want = read_want(r->req);
	struct gns_origin *o = r->o;
	struct obj *obj;

	*g = (struct gns_grant){ 0 };
	obj = want & GNS_WANT_LEASE ? obj_get(o, fh) : obj_find(o, fh);
	if (obj && obj->applying && obj != r->obj)
		goto out;
	g->version = version_see(o, fh, obj, attr);
	if (want & GNS_WANT_LEASE && obj)
		g->number = lease_grant(r->s, obj, view_of(o, fh), r->turn);
out:
	if (want & GNS_WANT_LEASE && obj)
		obj_put(o, obj);
}

static void answer_lookup(struct read *r)
{
	struct gns_r_lookup *l = &r->op.rep.r_lookup;

	read_grant(r, read_fh(r->req), &r->op.self, &l->dir);
	if (!l->absent)
		read_grant(r, &l->child.fh, &l->child.attr, &l->child.grant);
}

static int answer_entries(struct read *r)
{
	u32 cap = min_u64(max_u64(r->req->range.len, 4096), GNS_DIR_MAX);
	struct packed *p = packed_new(cap);
	struct gns_dirent *d = r->op.entries;
	u32 i, used = 0;
	int n;

	if (!p)
		return -ENOMEM;
	for (i = 0; i < r->op.nentries; i++, d++) {
		/* What is behind the name is right, for the directory held
		 * still; its attributes may be of before.
		 */
		if (d->has == GNS_DE_ATTR &&
		    !obj_changed_since(r->o, &d->fh, r->gen))
			read_grant(r, &d->fh, &d->attr, &d->grant);
		if (!session_has_acl(r->s))
			d->attr.mode &= ~GNS_AM_ALL;
		n = gns_dirent_put(p->data + used, cap - used, d);
		if (n < 0)
			break;
		used += n;
	}
	if (i < r->op.nentries)
		r->op.rep.r_obj.eof = 0;
	r->op.rep.payload_len = used;
	r->op.bulk = &p->bulk;
	return 0;
}

static int answer_reval(struct read *r)
{
	u32 cap = GNS_PAYLOAD_MAX, used = 0, i;
	struct packed *p = packed_new(cap);
	int n;

	if (!p)
		return -ENOMEM;
	for (i = 0; i < r->op.nreval; i++) {
		struct gns_reval *v = &r->op.reval[i];

		v->version = 0;
		v->grant = (struct gns_grant){ 0 };
		if (!v->status && obj_changed_since(r->o, &v->fh, r->gen))
			v->status = EAGAIN;
		if (!v->status)
			read_grant(r, &v->fh, &v->attr, &v->grant);
		if (!session_has_acl(r->s))
			v->attr.mode &= ~GNS_AM_ALL;
		n = gns_reval_put(p->data + used, cap - used, v, true);
		if (n < 0)
			break;
		used += n;
	}
	r->op.rep.count.count = i;
	r->op.rep.payload_len = used;
	r->op.bulk = &p->bulk;
	return i ? 0 : -ENOMEM;
}

static void read_answer(struct read *r)
{
	struct gns_msg *rep = &r->op.rep;
	struct gns_bulk *bulk;
	int err = 0;

	if (rep->status || r->s->dead)
		goto out;
	switch (r->req->type) {
	case GNS_LOOKUP:
		answer_lookup(r);
		break;
	case GNS_REVALIDATE:
		err = answer_reval(r);
		break;
	case GNS_MOUNT:
		read_grant(r, &rep->r_obj.fh, &r->op.self, &rep->r_obj.grant);
		rep->r_obj.attr = r->op.self;
		break;
	case GNS_STATFS:
	case GNS_FSYNC:
	case GNS_SEEK:
		break;
	default:
		rep->r_obj.fh = *read_fh(r->req);
		rep->r_obj.attr = r->op.self;
		read_grant(r, &rep->r_obj.fh, &r->op.self, &rep->r_obj.grant);
		if (r->req->type == GNS_READDIR)
			err = answer_entries(r);
		else if (r->req->type == GNS_READ)
			r->o->stats.read_bytes += rep->payload_len;
	}
out:
	if (err)
		rep->status = -err;
	else if (r->s->dead)
		rep->status = GNS_ST_DEAD;
	bulk = r->op.bulk;
	r->op.bulk = NULL;
	oconn_reply(r->oc, r->req, rep, bulk);
}

/* The object in the answer that was read without being ours; or NULL. */
static const struct gns_fh *read_child(const struct read *r)
{
	const struct gns_msg *rep = &r->op.rep;

	if (rep->status)
		return NULL;
	if (r->req->type == GNS_LOOKUP && !rep->r_lookup.absent)
		return &rep->r_lookup.child.fh;
	return r->req->type == GNS_MOUNT ? &rep->r_obj.fh : NULL;
}

/* The child moved meanwhile: the read starts over once it stands still. */
static void read_again(struct read *r, const struct gns_fh *child)
{
	struct obj *obj = obj_find(r->o, child);

	if (obj && obj->applying)
		TAILQ_INSERT_TAIL(&obj->waiting, r, link);
	else
		read_run(r);
}

/* FSYNC: what it is about; NULL: everything. */
static const struct gns_fh *synced_fh(const struct gns_msg *req)
{
	return req->obj.datasync == GNS_FS_ALL ? NULL : &req->obj.fh;
}

static void read_synced(void *arg, int err)
{
	struct read *r = arg;

	TAILQ_REMOVE(&r->o->reads, r, link);
	if (err)
		r->op.rep.status = EIO;
	read_answer(r);
	read_free(r);
}

static void read_done(struct gns_fsop *op)
{
	struct read *r = container_of(op, struct read, op);
	struct gns_origin *o = r->o;
	struct obj *obj = r->obj;
	struct change *turn = r->turn ? obj->owner : NULL;
	const struct gns_fh *child;
	bool again;

	if (r->req->type == GNS_FSYNC && !op->rep.status) {
		/* What ran before this is then known to have run. */
		o->db->ops->commit(o->db, true, read_synced, r);
		return;
	}
	if (r->req->type == GNS_FSYNC && loss_is(op->rep.status))
		loss_note(o, synced_fh(r->req), r->s);
	TAILQ_REMOVE(&o->reads, r, link);
	child = read_child(r);
	again = child && obj_changed_since(o, child, r->gen);
	/* Answer before an apply that waits for us can move the version. */
	if (!again)
		read_answer(r);
	if (obj && !--obj->readers && obj->owner && !turn)
		change_reader_gone(obj->owner);
	if (again) {
		read_again(r, child);
		return;
	}
	if (turn) {
		obj->hold_until = gns_boottime(o->env) + o->cfg.hold;
		change_release(turn);
		change_free(turn);
	}
	read_free(r);
	if (turn)
		sched_run(o);
}

static bool read_holds_lease(const struct read *r)
{
	const struct lease *l;

	if (r->req->type != GNS_READ || !r->req->range.lease)
		return false;
	l = lease_find(r->s, r->obj,
		       view_of(r->o, &r->req->range.fh));
	return l && !l->hold && !l->revoke_at &&
	       l->number == r->req->range.lease;
}

/* Begin, or wait for the apply that is under way. */
void read_run(struct read *r)
{
	struct gns_origin *o = r->o;
	struct obj *obj = r->obj;

	if (obj && obj->applying && !GNS_MUTANT(TORN_READ)) {
		r->running = false;
		TAILQ_INSERT_TAIL(&obj->waiting, r, link);
		return;
	}
	r->running = true;
	r->gen = ++o->gen;
	r->op.rep = (struct gns_msg){ 0 };
	r->op.leased = obj && read_holds_lease(r);
	r->op.local = r->oc->conn && r->oc->conn->local;
	TAILQ_INSERT_TAIL(&o->reads, r, link);
	if (obj)
		obj->readers++;
	o->fs->ops->submit(o->fs, &r->op);
}

void read_wake(struct gns_origin *o, struct obj *obj)
{
	struct read_list list = TAILQ_HEAD_INITIALIZER(list);
	struct read *r;

	(void)o;
	TAILQ_CONCAT(&list, &obj->waiting, link);
	while ((r = TAILQ_FIRST(&list))) {
		TAILQ_REMOVE(&list, r, link);
		read_run(r);
	}
}

static int reval_items(struct read *r, const struct gns_msg *msg)
{
	const u8 *p = msg->payload;
	u32 left = msg->payload_len, i;
	int n;

	r->op.reval = calloc(msg->count.count + 1, sizeof(*r->op.reval));
	if (!r->op.reval)
		return -ENOMEM;
	for (i = 0; i < msg->count.count; i++) {
		n = gns_reval_get(p, left, &r->op.reval[i], false);
		if (n < 0)
			return n;
		p += n;
		left -= n;
	}
	r->op.nreval = i;
	return left || !i ? -EBADMSG : 0;
}

/* A request that reads came in on @oc. A negative errno closes it. */
int read_request(struct oconn *oc, struct session *s, const struct gns_msg *msg)
{
	const struct gns_fh *fh = read_fh(msg);
	struct read *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (!r)
		return -ENOMEM;
	r->o = oc->o;
	r->oc = oc;
	r->s = s;
	session_get(s);
	oconn_begin(oc);
	r->req = gns_msg_dup(msg, false);
	if (r->req && msg->type == GNS_REVALIDATE)
		err = reval_items(r, msg);
	else if (r->req)
		err = 0;
	if (!err && fh) {
		r->obj = obj_get(r->o, fh);
		if (!r->obj)
			err = -ENOMEM;
	}
	if (err) {
		read_free(r);
		return err;
	}
	if (msg->type == GNS_FSYNC && msg->obj.incarnation &&
	    !GNS_MUTANT(SYNC_AFTER_LOSS) &&
	    (msg->obj.incarnation != r->o->incarnation ||
	     loss_untold(r->o, synced_fh(msg), s))) {
		/* What was written before may be gone. */
		oconn_error(oc, msg, GNS_ST_LOST);
		read_free(r);
		return 0;
	}
	r->op.req = r->req;
	r->op.done = read_done;
	r->turn = fh && (read_want(msg) & GNS_WANT_TURN);
	if (r->turn) {
		struct change *c = change_turn(r);

		if (c) {
			sched_add(c);
			sched_run(r->o);
			return 0;
		}
		r->turn = false;
	}
	read_run(r);
	return 0;
}
