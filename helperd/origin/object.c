// SPDX-License-Identifier: GPL-2.0
/*
 * The table of objects that somebody leases, reads or changes.
 */
#include <stdlib.h>

#include "origin/core.h"

/* Objects kept without a user, for their versions. */
#define IDLE_MAX 65536u

static struct obj *find(struct gns_origin *o, const struct gns_fh *id)
{
	struct obj *obj;

	HASH_FIND(hh, o->objs, id->b, id->len, obj);
	return obj;
}

struct obj *obj_find(struct gns_origin *o, const struct gns_fh *fh)
{
	struct gns_fh id;

	view_split(o, fh, &id);
	return find(o, &id);
}

/* One more reference to what the table has. */
void obj_hold(struct gns_origin *o, struct obj *obj)
{
	if (!obj->refs++)
		TAILQ_REMOVE(&o->lru, obj, lru);
}

/* Returns the object with a reference, or NULL without memory. */
struct obj *obj_get(struct gns_origin *o, const struct gns_fh *fh)
{
	struct gns_fh id;
	struct obj *obj;

	view_split(o, fh, &id);
	obj = find(o, &id);
	if (obj) {
		obj_hold(o, obj);
		return obj;
	}
	obj = calloc(1, sizeof(*obj));
	if (!obj)
		return NULL;
	obj->fh = id;
	obj->refs = 1;
	LIST_INIT(&obj->leases);
	TAILQ_INIT(&obj->waiting);
	HASH_ADD_KEYPTR(hh, o->objs, obj->fh.b, obj->fh.len, obj);
	o->stats.objects++;
	return obj;
}

static void obj_free(struct gns_origin *o, struct obj *obj)
{
	loss_forget(o, obj);
	HASH_DELETE(hh, o->objs, obj);
	o->stats.objects--;
	free(obj);
}

/*
 * A read that began before an object's last change must still find that
 * change here when it ends (obj_changed_since), so such objects stay.
 */
static bool obj_needed(struct gns_origin *o, const struct obj *obj)
{
	const struct read *oldest = TAILQ_FIRST(&o->reads);

	return obj->marked || obj->loss ||
	       (oldest && obj->changed_gen >= oldest->gen);
}

static void obj_shrink(struct gns_origin *o)
{
	struct obj *obj = TAILQ_FIRST(&o->lru);

	if (HASH_COUNT(o->objs) <= IDLE_MAX || !obj)
		return;
	TAILQ_REMOVE(&o->lru, obj, lru);
	if (obj_needed(o, obj))
		TAILQ_INSERT_TAIL(&o->lru, obj, lru);
	else
		obj_free(o, obj);
}

void obj_put(struct gns_origin *o, struct obj *obj)
{
	if (!obj)
		return;
	if (--obj->refs) {
		if (GNS_MUTANT(ORPHAN_HELD_GOES))
			orphan_unused(o, &obj->fh);
		return;
	}
	orphan_unused(o, &obj->fh);
	TAILQ_INSERT_TAIL(&o->lru, obj, lru);
	if (!obj->version && !obj_needed(o, obj)) {
		TAILQ_REMOVE(&o->lru, obj, lru);
		obj_free(o, obj);
	}
	obj_shrink(o);
}

void obj_drop_all(struct gns_origin *o)
{
	struct obj *obj, *next;

	HASH_ITER(hh, o->objs, obj, next)
		obj_free(o, obj);
}

/* Has @fh been changed, or is it being, since the generation @gen? */
bool obj_changed_since(struct gns_origin *o, const struct gns_fh *fh, u64 gen)
{
	const struct obj *obj = obj_find(o, fh);

	if (GNS_MUTANT(LATE_CHILD_ATTR))
		return false;
	return obj && (obj->applying || obj->changed_gen >= gen);
}
