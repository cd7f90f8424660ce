// SPDX-License-Identifier: GPL-2.0
/*
 * What is locked of one object; see lock.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "origin/lock.h"

bool range_same_owner(const struct lock_want *a, const struct lock_want *b)
{
	return a->r == b->r && a->owner == b->owner && a->kind == b->kind;
}

static bool overlap(const struct lock_want *a, const struct lock_want *b)
{
	return a->start <= b->end && b->start <= a->end;
}

bool range_against(const struct lock_want *a, const struct lock_want *b)
{
	return a->kind == b->kind && !range_same_owner(a, b) &&
	       (a->op == GNS_LK_WRITE || b->op == GNS_LK_WRITE) &&
	       overlap(a, b);
}

/* Only a broken rule: locks end with their session, not before. */
static bool is_over(const struct lock_want *w)
{
	const struct session *s = w->r->s;

	return GNS_MUTANT(LOCK_ENDS_EARLY) &&
	       gns_boottime(s->o->env) + s->ttl * 3 / 4 >= s->deadline;
}

static bool stands_against(const struct lock_held *h,
			   const struct lock_want *w)
{
	return range_against(&h->w, w) && !is_over(&h->w);
}

bool range_taken(struct lock_table *t, const struct lock_want *w)
{
	struct lock_held *h;

	TAILQ_FOREACH(h, &t->held, link)
		if (stands_against(h, w))
			return true;
	return false;
}

struct lock_held *range_conflict(struct lock_table *t,
				 const struct lock_want *w)
{
	struct lock_held *h, *first = NULL;

	TAILQ_FOREACH(h, &t->held, link)
		if (stands_against(h, w) &&
		    (!first || h->w.start < first->w.start))
			first = h;
	return first;
}

struct lock_held *range_owner(struct lock_table *t, const struct lock_want *w)
{
	struct lock_held *h;

	TAILQ_FOREACH(h, &t->held, link)
		if (range_same_owner(&h->w, w))
			break;
	return h;
}

void range_drop(struct lock_table *t, struct lock_held *h)
{
	TAILQ_REMOVE(&t->held, h, link);
	h->w.r->held--;
	free(h);
}

static void add(struct lock_table *t, struct lock_held *h,
		const struct lock_want *w)
{
	h->w = *w;
	w->r->held++;
	TAILQ_INSERT_TAIL(&t->held, h, link);
}

/* Side by side, or one in the other. */
static bool touches(const struct lock_want *a, const struct lock_want *b)
{
	return overlap(a, b) ||
	       (a->end != UINT64_MAX && a->end + 1 == b->start) ||
	       (b->end != UINT64_MAX && b->end + 1 == a->start);
}

static bool splits(const struct lock_want *old, const struct lock_want *w)
{
	return old->op != w->op && old->start < w->start && old->end > w->end;
}

/* What is left of a lock of another kind of use; @right for its second half. */
static void cut(struct lock_table *t, struct lock_held *h,
		const struct lock_want *w, struct lock_held **right)
{
	struct lock_want rest = h->w;

	if (GNS_MUTANT(LOCK_UNLOCKS_ALL) && w->op == GNS_LK_UNLOCK) {
		free(*right);
		*right = NULL;
		range_drop(t, h);
	} else if (splits(&h->w, w)) {
		rest.start = w->end + 1;
		h->w.end = w->start - 1;
		add(t, *right, &rest);
		*right = NULL;
	} else if (h->w.start < w->start) {
		h->w.end = w->start - 1;
	} else if (h->w.end > w->end) {
		h->w.start = w->end + 1;
	} else {
		range_drop(t, h);
	}
}

static bool prepare(struct lock_table *t, const struct lock_want *w, u32 room,
		    struct lock_held **fresh, struct lock_held **right)
{
	bool split = false;
	struct lock_held *h;
	u32 need = w->op != GNS_LK_UNLOCK;

	TAILQ_FOREACH(h, &t->held, link)
		if (range_same_owner(&h->w, w) && splits(&h->w, w))
			split = true;
	*fresh = need ? malloc(sizeof(**fresh)) : NULL;
	*right = split ? malloc(sizeof(**right)) : NULL;
	return need + split <= room && (!need || *fresh) && (!split || *right);
}

u32 range_set(struct lock_table *t, const struct lock_want *w, u32 room)
{
	struct lock_held *fresh, *right, *h, *next;
	struct lock_want all = *w;

	if (!prepare(t, w, room, &fresh, &right)) {
		free(fresh);
		free(right);
		return ENOLCK;
	}
	for (h = TAILQ_FIRST(&t->held); h; h = next) {
		next = TAILQ_NEXT(h, link);
		if (!range_same_owner(&h->w, w))
			continue;
		if (h->w.op == w->op && touches(&h->w, w)) {
			all.start = min_u64(all.start, h->w.start);
			all.end = max_u64(all.end, h->w.end);
			range_drop(t, h);
		} else if (h->w.op != w->op && overlap(&h->w, w)) {
			cut(t, h, w, &right);
		}
	}
	if (fresh)
		add(t, fresh, &all);
	return 0;
}
