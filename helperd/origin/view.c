// SPDX-License-Identifier: GPL-2.0
/*
 * One object, several handles.
 *
 * The exports of a tree may show the same objects: one directory lies in the
 * other, it is exported by two names, a file has names in both. Each export has
 * handles of its own, for what a client may do goes by the one that it has
 * mounted. What is changed, cached and locked goes by the object. So the tables
 * know objects, versions and orphans by one handle that stands for all of them,
 * and a lease knows the view that it was given in: a revoke names the handle
 * that is cached.
 *
 * Records in the store are by the handle that stood for the object then. Which
 * views there were is written down, too, for the one that it was of may be gone
 * with the next start.
 */
#include <errno.h>

#include "lib/log.h"
#include "origin/core.h"
#include "proto/cursor.h"

#define PAIR_LEN 8u
#define PAIRS_MAX (GNS_DB_VAL_MAX / PAIR_LEN)

/* The handle that stands for what @fh means; returns the view of @fh. */
u64 view_split(struct gns_origin *o, const struct gns_fh *fh, struct gns_fh *id)
{
	if (o->fs->ops->split && !GNS_MUTANT(VIEWS_APART))
		return o->fs->ops->split(o->fs, fh, id);
	*id = *fh;
	return 0;
}

u64 view_of(struct gns_origin *o, const struct gns_fh *fh)
{
	if (o->fs->ops->split && !GNS_MUTANT(VIEWS_APART))
		return o->fs->ops->split(o->fs, fh, NULL);
	return 0;
}

/* The handle of @obj in @view. */
void view_join(struct gns_origin *o, const struct obj *obj, u64 view,
	       struct gns_fh *fh)
{
	*fh = obj->fh;
	if (o->fs->ops->join && !GNS_MUTANT(VIEWS_APART))
		o->fs->ops->join(o->fs, &obj->fh, view, fh);
}

/* Is @fh, in whichever view, a handle of @obj? */
bool view_means(struct gns_origin *o, const struct gns_fh *fh,
		const struct obj *obj)
{
	struct gns_fh id;

	view_split(o, fh, &id);
	return gns_fh_eq(&id, &obj->fh);
}

/* The objects that a handle out of the store may mean; returns how many. */
u32 view_meant(struct gns_origin *o, const struct gns_fh *fh, struct gns_fh *id,
	       u32 max)
{
	if (o->fs->ops->meant && !GNS_MUTANT(VIEWS_APART))
		return o->fs->ops->meant(o->fs, fh, id, max);
	id[0] = *fh;
	return 1;
}

/* What view_put() has put. */
int view_load(struct gns_origin *o, struct gns_cursor *c)
{
	struct gns_fs_view v[PAIRS_MAX];
	u32 n;

	for (n = 0; c->p < c->end && n < PAIRS_MAX; n++) {
		v[n].view = (u32)gns_take(c, 4);
		v[n].as = (u32)gns_take(c, 4);
	}
	if (c->bad || c->p < c->end)
		return -EINVAL;
	return o->fs->ops->views_were ? o->fs->ops->views_were(o->fs, v, n) : 0;
}

/* Into the open batch: no record of a new view is durable before this is. */
void view_put(struct gns_origin *o)
{
	u8 val[GNS_DB_VAL_MAX];
	struct gns_cursor c = { val, val + sizeof(val), false };
	struct gns_fs_view v[PAIRS_MAX];
	u32 i, n;

	if (!o->fs->ops->views)
		return;
	n = o->fs->ops->views(o->fs, v, PAIRS_MAX);
	for (i = 0; i < n; i++) {
		gns_put(&c, v[i].view, 4);
		gns_put(&c, v[i].as, 4);
	}
	if (n)
		o->db->ops->put(o->db, "Cviews", 6, val, n * PAIR_LEN);
}

void gns_origin_views_changed(struct gns_origin *o)
{
	view_put(o);
	o->db->ops->commit(o->db, true, NULL, NULL);
}
