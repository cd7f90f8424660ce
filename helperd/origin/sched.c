// SPDX-License-Identifier: GPL-2.0
/*
 * Whose turn it is.
 *
 * Changes, and reads that wait for a lease between them, stand in one line.
 * Whoever finds all its objects free takes them all at once; who does not
 * reserves them against those behind it, so nobody is overtaken on the same
 * object, and nobody holds one object while waiting for another.
 */
#include "origin/core.h"

void sched_add(struct change *c)
{
	struct gns_origin *o = c->o;
	struct change *pos;

	c->state = CH_WAITING;
	/* What was under way at a crash goes first: it was there first. */
	if (!c->order)
		c->order = c->redo ? ++o->redo_order : ++o->order;
	TAILQ_FOREACH_REVERSE(pos, &o->waiting, change_list, link) {
		if (pos->order < c->order) {
			TAILQ_INSERT_AFTER(&o->waiting, pos, c, link);
			return;
		}
	}
	TAILQ_INSERT_HEAD(&o->waiting, c, link);
}

/* Changes wait for the end of the grace time, and of recovery. */
static bool changes_allowed(struct gns_origin *o, u64 now, u64 *wake)
{
	if (!LIST_EMPTY(&o->recovering) || !o->ready)
		return false;
	if (now >= o->grace_until || GNS_MUTANT(NO_GRACE))
		return true;
	if (!*wake || o->grace_until < *wake)
		*wake = o->grace_until;
	return false;
}

static bool can_start(struct change *c, u64 now, u64 *wake)
{
	bool ok = true;
	u32 i;

	for (i = 0; i < c->nobj; i++) {
		struct obj *obj = c->obj[i];

		if (obj->owner || obj->claim == c->o->claim)
			ok = false;
		if (!c->turn && obj->hold_until > now) {
			ok = false;
			if (!*wake || obj->hold_until < *wake)
				*wake = obj->hold_until;
		}
	}
	return ok;
}

static void take(struct change *c)
{
	struct gns_origin *o = c->o;
	u32 i;

	TAILQ_REMOVE(&o->waiting, c, link);
	TAILQ_INSERT_TAIL(&o->running, c, link);
	for (i = 0; i < c->nobj; i++)
		c->obj[i]->owner = c;
	change_start(c);
}

static void claim(struct change *c)
{
	u32 i;

	for (i = 0; i < c->nobj; i++)
		c->obj[i]->claim = c->o->claim;
}

/* One pass over the line. Starting one may finish it and free others. */
static void sched_pass(struct gns_origin *o)
{
	u64 now = gns_boottime(o->env), wake = 0;
	bool changes = changes_allowed(o, now, &wake);
	struct change *c, *next;

	o->claim++;
	for (c = TAILQ_FIRST(&o->waiting); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!c->turn && !changes)
			continue;
		if (can_start(c, now, &wake)) {
			take(c);
			if (o->sched_again)
				return;
		} else {
			claim(c);
		}
	}
	if (wake)
		gns_timer_arm(&o->sched_timer, wake);
}

/* Something was freed or added: start what can start. */
void sched_run(struct gns_origin *o)
{
	o->sched_again = true;
	if (o->sched_busy)
		return;
	o->sched_busy = true;
	while (o->sched_again) {
		o->sched_again = false;
		sched_pass(o);
	}
	o->sched_busy = false;
}

void sched_timer(void *arg)
{
	sched_run(arg);
}
