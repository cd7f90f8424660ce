// SPDX-License-Identifier: GPL-2.0
/*
 * Where the next extent goes: devices in turn, and of each the region of the
 * extent's set.
 */
#include <linux/mm.h>
#include "int.h"

/* Reads of chunks in which nothing was written to an open region: it is closed. */
#define UNWRITTEN_FOR 4096u

/* c->lock held: nobody gets space in it from now on. */
void gns_cset_close(struct gns_cset *s, struct gns_cdev *d)
{
	struct gns_cregion *r = s->open[d->index];

	s->open[d->index] = NULL;
	d->nopen--;
	r->state = GNS_CR_FULL;
	gns_cache_busy(d->cache);
	gns_cregion_put_write(r);
}

/*
 * How much of an extent of @len bytes has place in a region: all of it, or so
 * many whole units that it is worth an extent; 0: the region is full. What is
 * moved is so as a whole.
 */
static u32 fits(const struct gns_cregion *r, u32 len, enum gns_ckeep how)
{
	u32 table, room;

	if (r->count == GNS_CEXTENTS_MAX || READ_ONCE(r->failed))
		return 0;
	table = gns_media_table_at(&r->dev->geo, r->count + 1,
				   r->nsums + gns_media_sums(len));
	room = table > r->end ? table - r->end : 0;
	if (len <= room)
		return len;
	return how == GNS_CK_MOVED ? 0 : ALIGN_DOWN(room, GNS_MEDIA_SUM_UNIT);
}

/*
 * Tables of open regions take memory: one that is full for the most part is
 * closed, or one that was not written to for long. False: there is none, and
 * closing another would fill the device with hardly anything. What is moved is
 * worth that.
 */
static bool close_one(struct gns_cdev *d, enum gns_ckeep how)
{
	u32 i, end, most = 0, enough = d->geo.region_size / 2;
	struct gns_cset *s, *best = NULL;
	struct gns_cregion *r;

	for (i = 0; i < d->cache->nsets; i++) {
		s = d->cache->set[i];
		r = s->open[d->index];
		if (!r)
			continue;
		end = d->cache->now - r->wrote > UNWRITTEN_FOR ? U32_MAX :
								 r->end;
		if ((end > enough || how == GNS_CK_MOVED) && end > most) {
			most = end;
			best = s;
		}
	}
	if (best)
		gns_cset_close(best, d);
	return best;
}

/* A region that is meant for the set, or one for all if it may grow. */
static struct gns_cregion *find_ready(struct gns_cset *s, struct gns_cdev *d)
{
	u64 size = d->geo.region_size;
	bool grows = !s->quota || s->held + size <= s->quota;
	struct gns_cregion *r;

	list_for_each_entry(r, &d->ready, link) {
		if (r->set == s || (!r->set && grows))
			return r;
	}
	return NULL;
}

/* c->lock held. The region of a device that has place for some of @len bytes. */
static struct gns_cregion *open_region(struct gns_cset *s, struct gns_cdev *d,
				       u32 *len, enum gns_ckeep how)
{
	struct gns_cregion *r = s->open[d->index], *ready;
	u32 some = r ? fits(r, *len, how) : 0;
	bool again = how != GNS_CK_NEW;

	if (some && r->picky && !again)
		return NULL;
	if (some) {
		*len = some;
		return r;
	}
	s->again |= again;
	s->wants = true;
	gns_cprepare_soon(d->cache);
	ready = find_ready(s, d);
	/* What is moved may have had no place, and others have. */
	if (r && (ready || how != GNS_CK_MOVED))
		gns_cset_close(s, d);
	if (!ready || (d->nopen == GNS_COPEN_MAX && !close_one(d, how)))
		return NULL;
	r = ready;
	list_del_init(&r->link);
	if (!r->set) {
		d->nready--;
		gns_cregion_assign(r, s);
	}
	d->nopen++;
	d->nwritten++;
	r->state = GNS_CR_OPEN;
	r->seen = s->policy ? s->policy->now : 0;
	atomic_set(&r->writes, 1);
	s->open[d->index] = r;
	return !r->picky || again ? r : NULL;
}

static void enter(struct gns_cregion *r, struct gns_cext *x, u64 version,
		  u32 len)
{
	struct gns_media_extent *e = &r->table[r->count++];

	memset(e, 0, sizeof(*e));
	memcpy(e->obj, x->obj->key, sizeof(e->obj));
	e->version = cpu_to_le64(version);
	e->set = cpu_to_le64(r->set->id);
	e->off = cpu_to_le64((u64)x->off * GNS_MEDIA_BLOCK);
	e->len = cpu_to_le32(len);
	e->at = cpu_to_le32(r->end);
	e->sum = cpu_to_le32(r->nsums);
	gns_cext_place(x, r, r->end, r->nsums);
	r->wrote = r->dev->cache->now;
	r->end += len;
	r->nsums += gns_media_sums(len);
}

/* An extent takes memory, which can not be had back: a part of it at most. */
bool gns_cregion_memory(const struct gns_cache *c)
{
	u64 max = (totalram_pages() << PAGE_SHIFT) / GNS_CMEMORY_PART;

	return atomic_long_read(&c->extents) * sizeof(struct gns_cext) < max;
}

/*
 * A place for @x, whose object, offset and length are set; it may be made
 * shorter. It belongs to its region then, the caller writes the bytes and the
 * region's checksums, and calls gns_cregion_written(). False: there is none now,
 * or not for what is new.
 */
bool gns_cregion_space(struct gns_cset *s, struct gns_cext *x, u64 version,
		       enum gns_ckeep how)
{
	struct gns_cache *c = s->cache;
	u32 len = x->len * GNS_MEDIA_BLOCK, i;
	struct gns_cregion *r = NULL;
	struct gns_cdev *d;

	if (!gns_cregion_memory(c))
		return false;
	spin_lock(&c->lock);
	for (i = 0; i < c->ndevs && !r && !c->closing; i++) {
		d = c->dev[c->turn++ % c->ndevs];
		if (gns_cdev_usable(d) &&
		    atomic_long_read(&d->writes) < GNS_CWRITES_MAX)
			r = open_region(s, d, &len, how);
	}
	if (r) {
		atomic_inc(&r->writes);
		x->len = len / GNS_MEDIA_BLOCK;
		enter(r, x, version, len);
	}
	spin_unlock(&c->lock);
	return r;
}

/* c->lock held. What is open is sealed, for all sets. */
void gns_cdev_close_open(struct gns_cdev *d)
{
	u32 i;

	for (i = 0; i < d->cache->nsets; i++)
		if (d->cache->set[i]->open[d->index])
			gns_cset_close(d->cache->set[i], d);
}

void gns_cregion_close_all(struct gns_cache *c)
{
	u32 i;

	spin_lock(&c->lock);
	c->closing = true;
	for (i = 0; i < c->ndevs; i++)
		if (c->dev[i])
			gns_cdev_close_open(c->dev[i]);
	spin_unlock(&c->lock);
	/* Whoever waits to write something again. */
	wake_up_all(&c->idle);
}
