// SPDX-License-Identifier: GPL-2.0
/*
 * Changes: from the request to the point where nothing cached is left that
 * they would make old. core.h has the states; apply.c has the rest.
 */
#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "origin/core.h"

/* Bytes of changes that wait, of all satellites together. */
#define QUEUED_MAX (1ull << 30)

void change_free(struct change *c)
{
	if (c->state == CH_WAITING)
		TAILQ_REMOVE(&c->o->waiting, c, link);
	else
		TAILQ_REMOVE(&c->o->running, c, link);
	if (c->slot && c->slot->change == c)
		c->slot->change = NULL;
	c->o->queued -= c->bytes;
	if (c->req) {
		session_put(c->s);
		oconn_end(c->oc);
		free(c->req);
	}
	if (c->op.bulk)
		c->op.bulk->release(c->op.bulk);
	free(c);
}

/* Give the objects back, to readers first. */
void change_release(struct change *c)
{
	struct obj *obj[GNS_CHANGED_MAX];
	struct lease *l;
	u32 i, n = c->nobj;

	for (i = 0; i < n; i++) {
		obj[i] = c->obj[i];
		if (obj[i]->owner != c)
			continue;
		obj[i]->owner = NULL;
		obj[i]->applying = false;
		LIST_FOREACH(l, &obj[i]->leases, by_obj)
			l->waited = false;
	}
	c->nobj = 0;
	for (i = 0; i < n; i++) {
		read_wake(c->o, obj[i]);
		obj_put(c->o, obj[i]);
	}
}

/*
 * Who made something is about to use it. Nobody else knows of it yet, so this
 * lease takes nothing from anybody.
 */
static u64 lease_made(struct change *c, const struct gns_msg *rep)
{
	const struct gns_r_change *r = &rep->r_change;
	struct obj *obj;
	u64 number = 0;
	u32 i;

	if (rep->status || !r->created)
		return 0;
	for (i = 0; i < r->changed.n; i++)
		if (gns_fh_eq(&r->changed.v[i].fh, &r->fh))
			break;
	if (i == r->changed.n)
		return 0;
	obj = obj_get(c->o, &r->fh);
	if (!obj)
		return 0;
	if (version_see(c->o, &r->fh, obj, &r->changed.v[i].attr) ==
	    r->changed.v[i].after)
		number = lease_grant(c->s, obj, view_of(c->o, &r->fh),
				     c->req->type == GNS_TMPFILE);
	obj_put(c->o, obj);
	return number;
}

/* It can hold nothing; what it asked for it asks for again, in another one. */
static bool is_over(const struct session *s)
{
	return s->dead || gns_boottime(s->o->env) >= s->deadline;
}

/* Answer, remember the answer for retries, and make room for the next. */
void change_finish(struct change *c, struct gns_msg *rep)
{
	struct gns_origin *o = c->o;
	struct slot *sl = c->slot;
	u64 number = lease_made(c, rep);

	/* A file without a name, and without a lease, is gone again. */
	if (c->req->type == GNS_TMPFILE && !rep->status && !number) {
		if (is_over(c->s)) {
			change_cancel(c);
			return;
		}
		*rep = (struct gns_msg){ .status = ENFILE };
	}
	rep->type = c->req->type;
	rep->reply = true;
	free(sl->reply);
	sl->reply = gns_msg_dup(rep, false);
	slot_set_state(o, sl, SLOT_DONE);
	slot_log_done(o, sl);
	o->db->ops->commit(o->db, false, NULL, NULL);
	/* Of this session only: no part of what is remembered. */
	rep->r_change.number = number;
	oconn_reply(c->oc, c->req, rep, NULL);
	change_release(c);
	change_free(c);
	sched_run(o);
}

void change_fail(struct change *c, u32 status)
{
	struct gns_msg rep = { .status = status };

	change_finish(c, &rep);
}

/*
 * Forget a change that has not been applied, as if it had never come: its
 * session is dead, or its satellite has moved on.
 */
void change_cancel(struct change *c)
{
	struct gns_origin *o = c->o;

	if (c->slot)
		slot_not_run(o, c->slot);
	change_release(c);
	change_free(c);
	sched_run(o);
}

/*
 * The session is dead. What is only in line goes at once; what has something
 * under way looks at c->s->dead when that comes back.
 */
void change_cancel_session(struct session *s)
{
	struct gns_origin *o = s->o;
	struct change *c, *next;

	if (GNS_MUTANT(DEAD_CHANGE_RUNS))
		return;
	for (c = TAILQ_FIRST(&o->waiting); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->s != s || c->turn)
			continue;
		if (c->slot)
			slot_not_run(o, c->slot);
		change_release(c);
		change_free(c);
	}
	for (c = TAILQ_FIRST(&o->running); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->s != s || c->turn || c->state != CH_REVOKING)
			continue;
		slot_not_run(o, c->slot);
		change_release(c);
		change_free(c);
	}
}

static bool add_obj(struct change *c, const struct gns_fh *fh)
{
	struct obj *obj = obj_get(c->o, fh);
	u32 i;

	if (!obj)
		return false;
	for (i = 0; i < c->nobj; i++) {
		if (c->obj[i] == obj) {
			obj_put(c->o, obj);
			return true;
		}
	}
	c->obj[c->nobj++] = obj;
	return true;
}

static bool add_base(struct change *c)
{
	const struct gns_fh *fh[REQUEST_FHS];
	u32 i, n = request_fhs(c->req, fh);
	bool ok = true;

	/* All of one view, or the backend refuses it. */
	c->view = n ? view_of(c->o, fh[0]) : 0;
	for (i = 0; i < n && ok; i++)
		ok = add_obj(c, fh[i]);
	c->nbase = c->nobj;
	/* A copy within one file changes what it reads. */
	if (c->req->type == GNS_COPY && c->nobj == n)
		c->from = c->obj[n - 1];
	return ok;
}

/* A read's turn between changes: it owns its object, and changes nothing. */
struct change *change_turn(struct read *r)
{
	struct change *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->o = r->o;
	c->turn = r;
	c->s = r->s;
	obj_hold(r->o, r->obj);
	c->obj[c->nobj++] = r->obj;
	return c;
}

/* What the change is, whichever way and session it comes by. */
static u64 request_hash(const struct gns_msg *msg)
{
	u8 buf[GNS_BODY_MAX];
	struct gns_msg m = *msg;
	int n;

	m.tag = 0;
	m.sid = 0;
	/* Said in sessions that know of it only. */
	if (m.type == GNS_UNLINK) {
		m.make.flags &= ~GNS_UN_OPEN;
		m.make.victim.len = 0;
	} else if (m.type == GNS_RENAME) {
		m.rename.flags &= ~GNS_RN_OPEN;
		m.rename.victim.len = 0;
	}
	n = gns_msg_encode(&m, buf, sizeof(buf));
	return XXH3_64bits_withSeed(msg->payload, msg->payload_len,
				    n > 0 ? XXH3_64bits(buf, n) : 0);
}

static int change_new(struct oconn *oc, struct session *s, struct slot *sl,
		      const struct gns_msg *msg)
{
	struct change *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->o = oc->o;
	c->req = gns_msg_dup(msg, true);
	if (!c->req) {
		free(c);
		return -ENOMEM;
	}
	c->bytes = msg->payload_len;
	c->o->queued += c->bytes;
	c->oc = oc;
	oconn_begin(oc);
	c->s = s;
	session_get(s);
	c->slot = sl;
	/* A newer change in the slot has nothing of the one before. */
	c->redo = sl->state == SLOT_REDO &&
		  sl->seq == gns_msg_change(c->req)->seq;
	if (c->redo && msg->type == GNS_WRITE &&
	    msg->write.flags & GNS_WR_APPEND)
		c->req->write.off = sl->off;
	slot_set_state(c->o, sl, SLOT_BUSY);
	sl->hash = request_hash(msg);
	sl->seq = gns_msg_change(c->req)->seq;
	sl->change = c;
	free(sl->reply);
	sl->reply = NULL;
	c->o->stats.changes++;
	sched_add(c);
	if (!add_base(c)) {
		change_cancel(c);
		return -ENOMEM;
	}
	sched_run(c->o);
	return 0;
}

/* The same change again: its answer, or a newer way back for it. */
static int change_again(struct oconn *oc, struct session *s, struct slot *sl,
			const struct gns_msg *msg)
{
	struct change *c = sl->change;
	struct gns_msg rep;

	/* A machine brought back from a snapshot counts from where it was. */
	if (sl->hash != request_hash(msg)) {
		oconn_error(oc, msg, GNS_ST_UNKNOWN);
		return 0;
	}
	switch (sl->state) {
	case SLOT_BUSY:
		if (!c)
			return -EBADMSG;
		oconn_begin(oc);
		oconn_end(c->oc);
		c->oc = oc;
		/* It lives on with who asks now, should the first one die. */
		session_get(s);
		session_put(c->s);
		c->s = s;
		c->req->tag = msg->tag;
		c->req->sid = msg->sid;
		return 0;
	case SLOT_DONE:
		oc->o->stats.replays++;
		if (!sl->reply || sl->reply->type != msg->type) {
			oconn_error(oc, msg, GNS_ST_UNKNOWN);
			return 0;
		}
		rep = *sl->reply;
		oconn_reply(oc, msg, &rep, NULL);
		return 0;
	case SLOT_REDO:
		return change_new(oc, s, sl, msg);
	case SLOT_UNKNOWN:
		oconn_error(oc, msg, GNS_ST_UNKNOWN);
		return 0;
	}
	return 0;
}

/* A change came in on @oc. A negative errno closes the connection. */
int change_request(struct oconn *oc, struct session *s,
		   const struct gns_msg *msg)
{
	const struct gns_change *ch = gns_msg_change((struct gns_msg *)msg);
	struct gns_origin *o = oc->o;
	struct slot *sl;

	if (ch->slot >= GNS_SLOTS)
		return -EBADMSG;
	if (o->quiescing) {
		oconn_error(oc, msg, GNS_ST_DEAD);
		return 0;
	}
	sl = slot_get(s->inst, ch->slot);
	if (!sl)
		return -ENOMEM;
	/* No room: it comes again, as everything that is not answered does. */
	if (o->queued > QUEUED_MAX && !sl->change)
		return 0;
	if (ch->seq == sl->seq && !GNS_MUTANT(SLOT_NOT_REPLAYED))
		return change_again(oc, s, sl, msg);
	if (ch->seq < sl->seq && !GNS_MUTANT(STALE_SLOT)) {
		oconn_error(oc, msg, GNS_ST_STALESLOT);
		return 0;
	}
	if (sl->change) {
		/* Its satellite has given the older one up. */
		if (sl->change->state != CH_WAITING &&
		    sl->change->state != CH_REVOKING)
			return 0;
		change_cancel(sl->change);
	}
	return change_new(oc, s, sl, msg);
}

/* sched.c gave it its objects. */
void change_start(struct change *c)
{
	c->state = CH_RESOLVING;
	if (c->turn) {
		read_run(c->turn);
		return;
	}
	c->step = 0;
	c->nchild = 0;
	resolve_next(c);
}

/* Of the mount that asks, which brings what it has up to date by itself. */
static bool is_own(const struct change *c, const struct lease *l)
{
	return l->s == c->s &&
	       l->of.view == c->view;
}

/* All objects are known and ours: nobody may go on caching them. */
void change_resolved(struct change *c)
{
	u32 i, n = GNS_MUTANT(CHILD_NOT_REVOKED) ? c->nbase : c->nobj;
	struct obj *unmeant = orphan_unmeant(c);
	struct lease *l, *next;

	c->state = CH_REVOKING;
	c->pending = 1;
	for (i = 0; i < c->nobj; i++)
		c->before[i] = c->obj[i]->version;
	for (i = 0; i < n; i++) {
		for (l = LIST_FIRST(&c->obj[i]->leases); l; l = next) {
			next = LIST_NEXT(l, by_obj);
			if (l->hold || c->obj[i] == c->from ||
			    (is_own(c, l) && c->obj[i] != unmeant))
				continue;
			l->waited = true;
			c->pending++;
			lease_revoke(l);
		}
	}
	if (GNS_MUTANT(ACK_BEFORE_RELEASED)) {
		for (i = 0; i < n; i++)
			LIST_FOREACH(l, &c->obj[i]->leases, by_obj)
				l->waited = false;
		c->pending = 1;
	}
	change_lease_gone(c);
}

/* One lease that it waited for is gone. */
void change_lease_gone(struct change *c)
{
	if (--c->pending == 0)
		apply_begin(c);
}

/* A read that began before it has ended. */
void change_reader_gone(struct change *c)
{
	if (c->state == CH_DRAINING)
		apply_begin(c);
}
