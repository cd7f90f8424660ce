// SPDX-License-Identifier: GPL-2.0
/*
 * Changes: log, apply, version, answer.
 */
#include <errno.h>
#include <stdlib.h>

#include "origin/core.h"

static const struct gns_changed *backend_saw(const struct change *c,
					     const struct gns_fh *fh)
{
	const struct gns_changed_list *l = &c->op.rep.r_change.changed;
	u32 i;

	for (i = 0; i < l->n; i++)
		if (gns_fh_eq(&l->v[i].fh, fh))
			return &l->v[i];
	return NULL;
}

/* The object is as the backend saw it, or gone; give it its next version. */
static void version_object(struct change *c, u32 i,
			   struct gns_changed_list *out)
{
	struct gns_origin *o = c->o;
	struct obj *obj = c->obj[i];
	struct gns_changed *ch = &out->v[out->n++];
	const struct gns_changed *seen;

	*ch = (struct gns_changed){ .before = c->before[i] };
	view_join(o, obj, c->view, &ch->fh);
	seen = backend_saw(c, &ch->fh);
	obj->changed_gen = ++o->gen;
	/* It may have been seen to change beside gns in the meantime. */
	obj->version = version_next(o, max_u64(c->before[i], obj->version));
	obj->ctime = seen ? seen->attr.ctime : 0;
	obj->gone = false;
	ch->after = obj->version;
	if (seen)
		ch->attr = seen->attr;
	if (seen && !seen->attr.nlink)
		orphan_made(c, obj, &ch->fh);
	else if (!seen && i >= c->nbase)
		version_gone(o, obj);
	version_settle_later(o, obj);
}

static void version_child(struct change *c, struct gns_changed_list *out)
{
	const struct gns_fh *fh = &c->op.rep.r_change.fh;
	const struct gns_changed *s = backend_saw(c, fh);
	struct gns_changed *ch;
	u32 i;

	for (i = 0; i < out->n; i++)
		if (gns_fh_eq(&out->v[i].fh, fh))
			return;
	if (!fh->len || !s || out->n >= GNS_CHANGED_MAX)
		return;
	ch = &out->v[out->n++];
	ch->fh = *fh;
	ch->before = 0;
	ch->attr = s->attr;
	ch->after = version_see(c->o, fh, obj_find(c->o, fh), &s->attr);
}

static void applied(struct gns_fsop *op)
{
	struct change *c = container_of(op, struct change, op);
	struct gns_msg rep = { .status = op->rep.status };
	struct gns_changed_list list = { 0 };
	u32 i;

	rep.r_change = op->rep.r_change;
	/* A write that failed may have gone half its way. */
	if (!rep.status ||
	    (!op->untouched && !request_all_or_nothing(c->req))) {
		for (i = 0; i < c->nobj; i++)
			if (c->obj[i] != c->from)
				version_object(c, i, &list);
		if (!rep.status) {
			version_child(c, &list);
			orphan_applied(c);
		}
	}
	rep.r_change.changed = list;
	change_finish(c, &rep);
}

static void apply(struct change *c)
{
	c->state = CH_APPLYING;
	c->op.req = c->req;
	c->op.rep = (struct gns_msg){ 0 };
	c->op.untouched = false;
	c->op.keep = orphan_keeps(c);
	c->op.done = applied;
	c->o->fs->ops->submit(c->o->fs, &c->op);
}

/* Let the reads that began before end; those that come now wait. */
static void drain(struct change *c)
{
	u32 i, readers = 0;

	if (c->s->dead && !GNS_MUTANT(DEAD_CHANGE_RUNS)) {
		change_cancel(c);
		return;
	}
	c->state = CH_DRAINING;
	for (i = 0; i < c->nobj; i++) {
		/* It stays as it is: reads of it may go on. */
		if (c->obj[i] == c->from)
			continue;
		c->obj[i]->applying = true;
		readers += c->obj[i]->readers;
	}
	if (!readers || GNS_MUTANT(TORN_READ))
		apply(c);
}

static void logged(void *arg, int err)
{
	struct change *c = arg;

	/* What it put is still to come, with the next batch that is synced. */
	if (err)
		c->o->must_sync = true;
	if (err)
		change_fail(c, EIO);
	else
		drain(c);
}

/*
 * Nothing of it is cached by others any more. Say durably what may happen,
 * then do it.
 */
void apply_begin(struct change *c)
{
	struct gns_origin *o = c->o;
	bool sync = request_wants_sync(c->req);
	u32 i;

	if (c->state == CH_DRAINING) {
		drain(c);
		return;
	}
	c->state = CH_LOGGING;
	sync |= o->must_sync;
	o->must_sync = false;
	for (i = 0; i < c->nobj; i++) {
		if (c->obj[i] == c->from)
			continue;
		sync |= version_reserve(o, c->before[i]);
		if (version_log(o, c->obj[i], &sync)) {
			o->must_sync |= sync;
			change_fail(c, ENOMEM);
			return;
		}
	}
	slot_touch(o, c);
	if (!GNS_MUTANT(NO_INTENT))
		slot_log_intent(c);
	o->db->ops->commit(o->db, sync, logged, c);
}
