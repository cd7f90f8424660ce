// SPDX-License-Identifier: GPL-2.0
/*
 * Leases: grant, revoke, and their end.
 */
#include <stdlib.h>

#include "origin/core.h"

struct lease *lease_find(struct session *s, struct obj *obj, u64 view)
{
	struct lease_key key = { obj, view };
	struct lease *l;

	HASH_FIND(hh, s->leases, &key, sizeof(key), l);
	return l;
}

/*
 * The last eighth is for what is urgent. In the upper half nobody gets more than twice
 * a fair share, so that one who walks a large tree leaves room for others.
 */
static bool lease_room(const struct session *s, bool urgent)
{
	const struct gns_origin *o = s->o;
	u64 max = o->cfg.max_leases;

	if (o->stats.leases >= (urgent ? max : max - max / 8))
		return false;
	return o->stats.leases < max / 2 ||
	       s->nleases < 2 * max / o->stats.sessions;
}

/* What a copy only reads may be cached all the while. */
static bool is_changing(const struct obj *obj)
{
	const struct change *c = obj->owner;

	return c && !c->turn && c->from != obj;
}

static struct lease *lease_new(struct session *s, struct obj *obj, u64 view,
			       bool urgent)
{
	struct gns_origin *o = s->o;
	struct lease *l;

	if (!lease_room(s, urgent))
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->s = s;
	l->of = (struct lease_key){ obj, view };
	obj_hold(o, obj);
	LIST_INSERT_HEAD(&obj->leases, l, by_obj);
	HASH_ADD(hh, s->leases, of, sizeof(l->of), l);
	o->stats.leases++;
	s->nleases++;
	return l;
}

/*
 * Give @s a lease on @obj, as seen in @view, with the answer being made now.
 * Returns the grant's number, or 0: the answer goes out without a lease. @urgent:
 * a fault, or there is nothing else that keeps the object.
 */
u64 lease_grant(struct session *s, struct obj *obj, u64 view, bool urgent)
{
	struct gns_origin *o = s->o;
	struct lease *l;

	if (s->dead || gns_boottime(o->env) >= s->deadline)
		return 0;
	if (!obj->version)
		return 0;
	if (is_changing(obj) && !GNS_MUTANT(GRANT_DURING_CHANGE))
		return 0;
	l = lease_find(s, obj, view);
	if (l && l->revoke_at)
		return 0;
	if (!l)
		l = lease_new(s, obj, view, urgent);
	if (!l)
		return 0;
	o->stats.grants++;
	l->hold = false;
	l->number = ++s->last_grant;
	return l->number;
}

/* The file is open there, whatever is cached of it; NULL: no room. */
struct lease *lease_hold(struct session *s, struct obj *obj, u64 view)
{
	struct lease *l = lease_find(s, obj, view);

	if (l)
		return l;
	l = lease_new(s, obj, view, false);
	if (!l)
		return NULL;
	l->hold = true;
	l->number = ++s->last_grant;
	return l;
}

static void revoke_send(struct lease *l)
{
	struct session *s = l->s;
	struct gns_msg msg = { .type = GNS_REVOKE, .sid = s->sid };
	struct oconn *oc;

	/* One that is closed stays in the list while requests of it go on. */
	LIST_FOREACH(oc, &s->conns, by_session)
		if (oc->conn)
			break;
	/* Another one next time: this one may be dead without knowing. */
	if (oc)
		oconn_last(s, oc);
	l->resend_at = gns_boottime(s->o->env) + s->ttl / 8;
	view_join(s->o, l->of.obj, l->of.view, &msg.revoke.fh);
	msg.revoke.upto = l->number;
	/* Without a connection it goes out when one joins. */
	if (oc)
		gns_conn_send(oc->conn, &msg, NULL);
}

void lease_revoke(struct lease *l)
{
	struct gns_origin *o = l->s->o;

	if (l->revoke_at)
		return;
	o->stats.revokes++;
	l->revoke_at = gns_boottime(o->env);
	TAILQ_INSERT_TAIL(&l->s->revoking, l, revoking);
	revoke_send(l);
	if (!o->resend_timer.at)
		gns_timer_arm(&o->resend_timer, l->resend_at);
}

/* Say every unanswered REVOKE of the session again. */
void lease_resend(struct session *s)
{
	struct lease *l;

	TAILQ_FOREACH(l, &s->revoking, revoking)
		revoke_send(l);
}

void lease_resend_timer(void *arg)
{
	struct gns_origin *o = arg;
	u64 now = gns_boottime(o->env), next = 0;
	struct session *s, *tmp;
	struct lease *l;

	HASH_ITER(hh, o->sessions, s, tmp) {
		TAILQ_FOREACH(l, &s->revoking, revoking) {
			if (l->resend_at <= now)
				revoke_send(l);
			if (!next || l->resend_at < next)
				next = l->resend_at;
		}
	}
	if (next)
		gns_timer_arm(&o->resend_timer, next);
}

/* It is revoked no more; returns the change that waited for that, or NULL. */
static struct change *lease_settled(struct lease *l)
{
	struct change *c = l->waited ? l->of.obj->owner : NULL;

	if (l->revoke_at)
		TAILQ_REMOVE(&l->s->revoking, l, revoking);
	l->revoke_at = 0;
	l->waited = false;
	return c;
}

/* The lease is over: released, or its session is dead. */
void lease_end(struct lease *l)
{
	struct gns_origin *o = l->s->o;
	struct obj *obj = l->of.obj;
	struct change *c = lease_settled(l);

	LIST_REMOVE(l, by_obj);
	HASH_DEL(l->s->leases, l);
	l->s->nleases--;
	o->stats.leases--;
	free(l);
	if (c)
		change_lease_gone(c);
	obj_put(o, obj);
}

/* Nothing is cached under it any more; @open: but the file is open there. */
void lease_released(struct session *s, const struct gns_fh *fh, u64 upto,
		    bool open)
{
	struct obj *obj = obj_find(s->o, fh);
	struct lease *l = obj ? lease_find(s, obj, view_of(s->o, fh)) : NULL;
	struct change *c;

	/* A word about older grants says nothing about a newer one. */
	if (!l || (l->number > upto && !GNS_MUTANT(RELEASED_IGNORES_N)))
		return;
	if (!open || GNS_MUTANT(ORPHAN_NOT_HELD)) {
		lease_end(l);
		return;
	}
	l->hold = true;
	c = lease_settled(l);
	if (c)
		change_lease_gone(c);
}
