// SPDX-License-Identifier: GPL-2.0
/*
 * What has to go: which region of which set, and what becomes of what is read in
 * it. All of it is @prepare's: nobody else takes a sealed region out of its list.
 */
#include <linux/mm.h>
#include "int.h"

/* A region with a smaller part of its blocks found is given up for others. */
#define WORN_DIV 4
/* Regions that are looked at for such a one, at most; c->lock is held. */
#define WORN_LOOK 1024u

/* How many were read since somebody looked. */
static u32 count_visited(const struct gns_cregion *r)
{
	struct gns_cext *x;
	u32 n = 0;

	for (x = r->ext; x; x = x->next)
		n += READ_ONCE(x->visited) && !RB_EMPTY_NODE(&x->node);
	return n;
}

/* The version of an extent that is found; 0: it is not. */
static u64 version_of(struct gns_cext *x)
{
	u64 version;

	spin_lock(&x->obj->lock);
	version = RB_EMPTY_NODE(&x->node) ? 0 : x->obj->version;
	spin_unlock(&x->obj->lock);
	return version;
}

/* One of the devices has time; or none of them will ever have. */
static bool can_write(struct gns_cache *c)
{
	bool any = false, ret = false;
	struct gns_cdev *d;
	u32 i;

	spin_lock(&c->lock);
	for (i = 0; i < c->ndevs && !ret; i++) {
		d = c->dev[i];
		if (!gns_cdev_usable(d))
			continue;
		any = true;
		ret = atomic_long_read(&d->writes) < GNS_CWRITES_MAX / 2;
	}
	ret |= !any || c->closing;
	spin_unlock(&c->lock);
	return ret;
}

/*
 * A region that others need is read all the same: up to @left bytes of it are
 * written again. With @all: those that nobody has read, too.
 */
static void write_again(struct gns_cregion *r, u64 left, bool all)
{
	u8 *buf = kvmalloc(GNS_MEDIA_EXTENT_MAX, GFP_KERNEL);
	struct gns_cache *c = r->dev->cache;
	struct gns_cset *s = r->set;
	struct gns_cext *x;
	u64 version;

	for (x = r->ext; x && buf; x = x->next) {
		version = all || READ_ONCE(x->visited) ? version_of(x) : 0;
		if (!version || x->len * GNS_MEDIA_BLOCK > left)
			continue;
		/* Nobody waits for that; and it is not to be lost to haste. */
		wait_event(c->idle, can_write(c) || READ_ONCE(r->dev->out));
		if (READ_ONCE(c->closing) || READ_ONCE(r->dev->out))
			break;
		if (!gns_cext_read(x, buf)) {
			if (all)
				gns_cext_drop(x); /* it is of no use here */
			continue;
		}
		left -= x->len * GNS_MEDIA_BLOCK;
		/* Others have no place now, either. */
		if (!gns_cext_again(x, s, version, buf) && all)
			break;
		cond_resched();
	}
	kvfree(buf);
}

/* c->lock held: new chunks may push out what is there. */
static bool moves(const struct gns_cset *s)
{
	return s->policy && !s->pin && s->again && gns_pset_moves(s->policy);
}

/* c->lock held: it has been there long enough to be judged. */
static bool is_ripe(const struct gns_cset *s, const struct gns_cregion *r)
{
	return s->policy && gns_pset_ripe(s->policy, r->seen);
}

/* What is to become of the oldest sealed region of a set that needs place. */
static enum gns_pverdict judge(struct gns_cset *s, struct gns_cregion *r)
{
	enum gns_pverdict verdict = GNS_P_KEEP;
	u32 visited = count_visited(r);

	spin_lock(&s->cache->lock);
	r->picky = false;
	if (s->policy && !s->pin)
		verdict = gns_pset_judge(s->policy, r->seen, visited, r->count);
	if (verdict != GNS_P_RECLAIM && moves(s)) {
		verdict = GNS_P_RECLAIM;
		r->picky = true;
		s->again = false;
	}
	spin_unlock(&s->cache->lock);
	return verdict;
}

static void keep_oldest(struct gns_cset *s, struct gns_cregion *r)
{
	struct gns_cext *x;

	for (x = r->ext; x; x = x->next)
		WRITE_ONCE(x->visited, false);
	spin_lock(&s->cache->lock);
	r->seen = s->policy->now;
	list_move_tail(&r->link, &s->sealed[r->dev->index]);
	spin_unlock(&s->cache->lock);
}

static struct gns_cregion *oldest(struct gns_cset *s, const struct gns_cdev *d)
{
	return list_first_entry_or_null(&s->sealed[d->index],
					struct gns_cregion, link);
}

/* c->lock held. It is given up: nobody else comes by it from now on. */
static struct gns_cregion *take(struct gns_cregion *r)
{
	if (r) {
		list_del_init(&r->link);
		r->state = GNS_CR_PREPARING;
		r->picky = false;
	}
	return r;
}

/*
 * c->lock held. One of which hardly anything is of use any more, for there are
 * newer versions; what is pinned is kept to the last block.
 */
static struct gns_cregion *worn(struct gns_cset *s, const struct gns_cdev *d)
{
	struct gns_cregion *r;
	u32 n = 0, least;

	list_for_each_entry(r, &s->sealed[d->index], link) {
		least = s->pin ? 1 : r->end / GNS_MEDIA_BLOCK / WORN_DIV;
		if (atomic_read(&r->live) < max(least, 1u))
			return r;
		if (++n == WORN_LOOK)
			break;
	}
	return NULL;
}

/* Of what the set has itself: if it is not worth its place, or has to move. */
static struct gns_cregion *of_its_own(struct gns_cset *s, struct gns_cdev *d)
{
	struct gns_cache *c = s->cache;
	bool ripe = false, may = false;
	struct gns_cregion *r;

	spin_lock(&c->lock);
	r = take(worn(s, d));
	if (r) {
		spin_unlock(&c->lock);
		return r;
	}
	r = oldest(s, d);
	if (r) {
		ripe = is_ripe(s, r);
		may = ripe || moves(s);
	}
	spin_unlock(&c->lock);
	/* It stays where it is while it is looked at. */
	if (!may)
		return NULL;
	if (judge(s, r) != GNS_P_RECLAIM) {
		if (ripe)
			keep_oldest(s, r);
		return NULL;
	}
	spin_lock(&c->lock);
	list_del_init(&r->link);
	r->state = GNS_CR_PREPARING;
	spin_unlock(&c->lock);
	if (r->picky)
		write_again(r,
			    d->geo.region_size / 100 * GNS_P_AGAIN_PERCENT,
			    false);
	return r;
}

/*
 * c->lock held. Who has most above his share gives, if the set that needs a
 * region has less than its own.
 */
static struct gns_cset *giver(struct gns_cset *s, const struct gns_cdev *d)
{
	u64 most = d->geo.region_size;
	struct gns_cset *g = s, *o;
	u32 i;

	/* The last region need not be needed as a whole; a quota is kept as one. */
	if (s->held >= s->share ||
	    (s->quota && s->held + d->geo.region_size > s->quota))
		return s;
	for (i = 0; i < s->cache->nsets; i++) {
		o = s->cache->set[i];
		if (o->pin || o->held < o->share + most || !oldest(o, d))
			continue;
		g = o;
		most = o->held - o->share;
	}
	return g;
}

/*
 * A region of a device for a set that has found no place: PREPARING, and what
 * was in it can still be found. NULL: there is none. Sleeps.
 */
struct gns_cregion *gns_cevict(struct gns_cdev *d, struct gns_cset *s)
{
	struct gns_cregion *r = NULL;
	struct gns_cset *g;

	spin_lock(&d->cache->lock);
	g = giver(s, d);
	if (g != s)
		r = take(oldest(g, d));
	spin_unlock(&d->cache->lock);
	return g == s ? of_its_own(s, d) : r;
}

/* One of a set that has more than its quota; likewise. */
struct gns_cregion *gns_cevict_over(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;
	struct gns_cregion *r = NULL;
	struct gns_cset *s;
	u32 i;

	spin_lock(&c->lock);
	for (i = 0; i < c->nsets && !r; i++) {
		s = c->set[i];
		if (s->quota && s->held > s->quota)
			r = take(oldest(s, d));
	}
	spin_unlock(&c->lock);
	return r;
}

/* c->lock held. Something can be written to one of the devices. */
static bool any_usable(const struct gns_cache *c)
{
	u32 i;

	for (i = 0; i < c->ndevs; i++)
		if (gns_cdev_usable(c->dev[i]))
			return true;
	return false;
}

/* c->lock held. Where it was: it is looked at once more. */
static void put_back(struct gns_cregion *r)
{
	r->state = GNS_CR_SEALED;
	list_add(&r->link, &r->set->sealed[r->dev->index]);
}

/*
 * One of a device that is drained, when what it had is elsewhere, or has found no
 * place there several times; likewise. What is written is found here until it is
 * there: the last write calls for the next look. NULL with @more: others have to
 * get regions ready first.
 */
struct gns_cregion *gns_cevict_drained(struct gns_cdev *d, bool *more)
{
	struct gns_cache *c = d->cache;
	struct gns_cregion *r = NULL;
	u32 i, found;

	*more = false;
	if (atomic_read(&c->moving))
		return NULL;
	spin_lock(&c->lock);
	for (i = 0; i < c->nsets && !r && any_usable(c); i++)
		r = take(oldest(c->set[i], d));
	spin_unlock(&c->lock);
	if (!r)
		return NULL;
	found = atomic_read(&r->live);
	if (found >= r->found)
		r->tries++;
	if (!found || r->tries > GNS_CDRAIN_TRIES)
		return r;
	r->found = found;
	write_again(r, d->geo.region_size, true);
	spin_lock(&c->lock);
	r->set->wants = true;
	put_back(r);
	spin_unlock(&c->lock);
	*more = !atomic_read(&c->moving);
	return NULL;
}
