// SPDX-License-Identifier: GPL-2.0
/*
 * What must hold at the origin in the moment a change is applied, whatever
 * applications get to see of it: looked up in the core's own tables.
 */
#include "kmodel.h"
#include "origin/lock.h"

static bool others_lease(struct gns_origin *o, struct session *s,
			 const struct gns_fh *fh)
{
	struct obj *obj = obj_find(o, fh);
	struct lease *l;

	if (!obj)
		return false;
	LIST_FOREACH(l, &obj->leases, by_obj)
		if (l->s != s && !l->s->dead && !l->hold)
			return true;
	return false;
}

/* The kernel that a session belongs to, if it lives by that session. */
static struct kmodel *kernel_of(struct sim *s, const struct session *ses)
{
	u32 i;

	for (i = 0; i < SIM_SATS; i++)
		if (s->kern[i] && s->kern[i]->sid == ses->sid)
			return s->kern[i];
	return NULL;
}

/* What is locked of a register somebody has, or has under way. */
void oracle_locks(struct sim *s, u32 ino)
{
	struct gns_fh fh = simfs_fh(ino, 0);
	const struct lock_held *h;
	const struct klock *l;
	struct kmodel *k;
	struct obj *obj;

	if (!s->orig->up)
		return;
	obj = obj_find(s->orig->o, &fh);
	if (!obj || !obj->locks)
		return;
	TAILQ_FOREACH(h, &obj->locks->held, link) {
		k = kernel_of(s, h->w.r->s);
		l = k ? &k->lock[ino - INO_REG(0)] : NULL;
		if (l && !l->held && !l->asked)
			sim_fail(s, "locks",
				 "the origin holds a lock of %u for sat%u, which has none",
				 ino, k->nr);
	}
}

/* @req is being applied; @child is the object behind its name, if any. */
void oracle_apply(struct sim *s, const struct gns_msg *req,
		  const struct gns_fh *child)
{
	struct gns_origin *o = s->orig->o;
	struct session *ses;

	HASH_FIND(hh, o->sessions, &req->sid, sizeof(req->sid), ses);
	if (!ses) {
		sim_fail(s, "dead", "a change of a dead session is applied");
		return;
	}
	if (child && others_lease(o, ses, child))
		sim_fail(s, "leased",
			 "%s applied while others lease the object behind the name",
			 gns_msg_name(req->type));
}
