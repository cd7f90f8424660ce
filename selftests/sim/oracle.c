// SPDX-License-Identifier: GPL-2.0
/*
 * What must hold at the origin in the moment a change is applied, whatever
 * applications get to see of it: looked up in the core's own tables.
 */
#include "origin/core.h"
#include "sim.h"

static bool others_lease(struct gns_origin *o, struct session *s,
			 const struct gns_fh *fh)
{
	struct obj *obj = obj_find(o, fh);
	struct lease *l;

	if (!obj)
		return false;
	LIST_FOREACH(l, &obj->leases, by_obj)
		if (l->s != s && !l->s->dead)
			return true;
	return false;
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
