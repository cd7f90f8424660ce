// SPDX-License-Identifier: GPL-2.0
/*
 * The worker that gets regions ready to be written, in front of those who will
 * need them: out of those that are free, or of what has to go.
 */
#include <linux/mm.h>
#include "int.h"

static_assert(GNS_CSETS_MAX <= 64);

/* A device with fewer regions has none to spare. */
#define MANY 64u

/* Any context. */
void gns_cprepare_soon(struct gns_cache *c)
{
	queue_work(c->regions_wq, &c->prepare);
}

/* A free region, as long as there are not enough ready for whoever comes first. */
static struct gns_cregion *take_free(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;
	struct gns_cregion *r = NULL;

	spin_lock(&c->lock);
	if (!c->closing && gns_cdev_usable(d) && d->nready < GNS_CREADY)
		r = list_first_entry_or_null(&d->free, struct gns_cregion,
					     link);
	if (r) {
		list_del_init(&r->link);
		r->state = GNS_CR_PREPARING;
		r->picky = false; /* there is room for all */
	}
	spin_unlock(&c->lock);
	return r;
}

/* c->lock held; @s: NULL: for whoever comes first. */
static void enlist(struct gns_cregion *r, struct gns_cset *s)
{
	struct gns_cdev *d = r->dev;

	gns_cregion_assign(r, s);
	r->state = GNS_CR_READY;
	list_add_tail(&r->link, &d->ready);
	d->nready += !s;
}

static void set_free(struct gns_cregion *r)
{
	gns_cregion_empty(r);
	spin_lock(&r->dev->cache->lock);
	gns_cregion_assign(r, NULL);
	r->state = GNS_CR_FREE;
	list_add_tail(&r->link, &r->dev->free);
	spin_unlock(&r->dev->cache->lock);
}

/* It is PREPARING. False: it came to nothing, and the next one may, too. */
static bool make_ready(struct gns_cregion *r, struct gns_cset *s)
{
	int err = gns_cregion_ready(r);

	if (err == -ENOMEM) {
		set_free(r);
	} else if (err) {
		gns_cregion_bad(r, err);
		gns_cregion_free(r);
	} else {
		spin_lock(&r->dev->cache->lock);
		enlist(r, s);
		spin_unlock(&r->dev->cache->lock);
	}
	return !err;
}

/* Are there enough for @s already? */
static bool has_ready(struct gns_cdev *d, struct gns_cset *s)
{
	u32 enough = d->geo.regions < MANY ? 1 : GNS_CREADY, n = 0;
	struct gns_cregion *r;
	bool grows;

	spin_lock(&d->cache->lock);
	grows = !s->quota || s->held + d->geo.region_size <= s->quota;
	list_for_each_entry(r, &d->ready, link)
		n += r->set == s || (!r->set && grows);
	spin_unlock(&d->cache->lock);
	return n >= enough;
}

/* Of those in @wants whoever has found no place on this device. */
static void make_room(struct gns_cdev *d, u64 wants)
{
	struct gns_cregion *r;
	struct gns_cset *s;

	for (; wants; wants &= wants - 1) {
		s = d->cache->set[__ffs64(wants)];
		if (!gns_cdev_usable(d) || READ_ONCE(d->cache->closing))
			return;
		while (!has_ready(d, s) && (r = gns_cevict(d, s))) {
			if (!make_ready(r, s))
				return;
			cond_resched();
		}
	}
}

/* What was ready is not needed; a region at a time. True: there is more. */
static bool drain(struct gns_cdev *d)
{
	struct gns_cregion *r;
	bool more = false;

	spin_lock(&d->cache->lock);
	r = list_first_entry_or_null(&d->ready, struct gns_cregion, link);
	if (r) {
		list_del_init(&r->link);
		r->state = GNS_CR_PREPARING;
		d->nready -= !r->set;
	}
	spin_unlock(&d->cache->lock);
	if (!r)
		r = gns_cevict_drained(d, &more);
	if (r)
		set_free(r);
	return r || more;
}

/* What was meant for a set that has too much, or has gone, is for all again. */
static void release(struct gns_cdev *d)
{
	struct gns_cregion *r;
	struct gns_cset *s;
	u32 i;

	spin_lock(&d->cache->lock);
	list_for_each_entry(r, &d->ready, link) {
		s = r->set;
		if (!s || (s->share && (!s->quota || s->held <= s->quota)))
			continue;
		gns_cregion_assign(r, NULL);
		r->picky = false;
		d->nready++;
	}
	for (i = 0; i < d->cache->nsets; i++) {
		s = d->cache->set[i];
		if (s->open[d->index] && s->quota && s->held > s->quota)
			gns_cset_close(s, d);
	}
	spin_unlock(&d->cache->lock);
}

/* True: it is to be asked again. */
static bool prepare_one(struct gns_cdev *d, u64 wants)
{
	struct gns_cregion *r;

	if (!d->emptied && atomic_read(&d->errors) >= gns_cdev_errors_max(d)) {
		pr_err("gns: cache %s: %d errors: it is not used any more, and what it had is fetched again; take it out with gnsctl cache remove, or add it once more to try it\n",
		       d->path, gns_cdev_errors_max(d));
		gns_cdev_out(d);
		gns_cdev_forget(d);
	}
	if (READ_ONCE(d->out))
		return false;
	if (READ_ONCE(d->drain))
		return drain(d) && !READ_ONCE(d->cache->closing);
	release(d);
	while ((r = gns_cevict_over(d)))
		set_free(r);
	while ((r = take_free(d)) && make_ready(r, NULL))
		cond_resched();
	make_room(d, wants);
	return false;
}

/* The next device, which stays where it is until prepare is at another one. */
static struct gns_cdev *go_to(struct gns_cache *c, u32 i)
{
	struct gns_cdev *d;

	spin_lock(&c->lock);
	d = i < c->ndevs ? c->dev[i] : NULL;
	if (d && d->joining)
		d = NULL;
	c->preparing = d;
	spin_unlock(&c->lock);
	return d;
}

static u64 who_wants(struct gns_cache *c)
{
	u64 wants = 0;
	u32 i;

	spin_lock(&c->lock);
	gns_csets_share(c);
	for (i = 0; i < c->nsets; i++) {
		wants |= (u64)c->set[i]->wants << i;
		c->set[i]->wants = false;
	}
	spin_unlock(&c->lock);
	return wants;
}

void gns_cprepare(struct work_struct *work)
{
	struct gns_cache *c = container_of(work, struct gns_cache, prepare);
	u64 wants = who_wants(c);
	struct gns_cdev *d;
	bool more = false;
	u32 i;

	/* Those that others are drained to come first. */
	for (i = 0; i < 2 * GNS_CDEVS_MAX; i++) {
		d = go_to(c, i % GNS_CDEVS_MAX);
		if (d && READ_ONCE(d->drain) == i / GNS_CDEVS_MAX)
			more |= prepare_one(d, wants);
	}
	go_to(c, GNS_CDEVS_MAX);
	if (more)
		gns_cprepare_soon(c);
}
