// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: how they come to be written, are sealed, and given up.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "int.h"

static void seal_work(struct work_struct *work);

void gns_cregion_init(struct gns_cregion *r, struct gns_cdev *d, u32 nr)
{
	r->dev = d;
	r->nr = nr;
	INIT_LIST_HEAD(&r->link);
	INIT_WORK(&r->seal, seal_work);
	list_add_tail(&r->link, &d->free);
}

static u32 max_sums(const struct gns_cdev *d)
{
	return (u32)(d->geo.region_size / GNS_MEDIA_SUM_UNIT) +
	       GNS_CEXTENTS_MAX;
}

static void free_tables(struct gns_cregion *r)
{
	kvfree(r->table);
	kvfree(r->sums);
	r->table = NULL;
	r->sums = NULL;
}

/* Nobody writes to it any more: what is not needed to read from it goes. */
static void shrink_tables(struct gns_cregion *r)
{
	u32 len = r->nsums * sizeof(*r->sums);
	struct gns_cache *c = r->dev->cache;
	__le32 *old = r->sums, *sums = NULL;

	if (c->verify && len)
		sums = kvmalloc(len, GFP_KERNEL | __GFP_NOFAIL);
	if (sums)
		memcpy(sums, old, len);
	spin_lock(&c->lock);
	r->sums = sums;
	spin_unlock(&c->lock);
	kvfree(old);
	kvfree(r->table);
	r->table = NULL;
}

void gns_cregion_free(struct gns_cregion *r)
{
	struct gns_cext *x;

	while ((x = r->ext)) {
		r->ext = x->next;
		gns_cext_drop(x);
		gns_cext_free(x);
	}
	free_tables(r);
}

/* A bio has failed; any context. */
void gns_cdev_error(struct gns_cdev *d)
{
	if (atomic_inc_return(&d->errors) == gns_cdev_errors_max(d))
		queue_work(d->cache->regions_wq, &d->cache->prepare);
}

/* The device is not to be trusted with this region any more. */
static void gone_bad(struct gns_cregion *r, int err)
{
	struct gns_cache *c = r->dev->cache;
	struct gns_cext *x;

	pr_err_ratelimited("gns: cache %s: region %u can not be written (error %d), and is left out until the next mount; look at the drive\n",
			   r->dev->path, r->nr, err);
	gns_cdev_error(r->dev);
	for (x = r->ext; x; x = x->next)
		gns_cext_drop(x);
	spin_lock(&c->lock);
	r->state = GNS_CR_BAD;
	spin_unlock(&c->lock);
}

static int write_foot(struct gns_cregion *r, const struct gns_media_life *life,
		      blk_opf_t flags)
{
	u64 at = gns_media_foot_at(&r->dev->geo, r->nr);
	void *block = (void *)get_zeroed_page(GFP_NOFS | __GFP_NOFAIL);
	int err;

	gns_media_foot_make(&r->dev->geo, r->nr, life, block);
	err = gns_cdev_rw(r->dev, REQ_OP_WRITE | REQ_SYNC | REQ_FUA | flags, at,
			  block, GNS_MEDIA_BLOCK);
	free_page((unsigned long)block);
	return err;
}

/* The table, and behind a flush of that and of all data the foot. */
static int write_table(struct gns_cregion *r)
{
	struct gns_media_life life = { .seq = r->seq,
				       .extents = r->count,
				       .sums = r->nsums };
	u64 len = gns_media_table_len(r->count, r->nsums);
	u64 head = r->count * sizeof(*r->table);
	u32 all = ALIGN(len, GNS_MEDIA_BLOCK);
	u8 *buf = kvzalloc(all, GFP_KERNEL | __GFP_NOFAIL);
	int err;

	memcpy(buf, r->table, head);
	memcpy(buf + head, r->sums, len - head);
	gns_media_table_make(&r->dev->geo, buf, &life);
	r->table_at = life.table;
	err = gns_cdev_rw(r->dev, REQ_OP_WRITE | REQ_SYNC,
			  gns_media_region_at(&r->dev->geo, r->nr) + life.table,
			  buf, all);
	kvfree(buf);
	if (!err)
		err = write_foot(r, &life, REQ_PREFLUSH);
	return err;
}

static void seal_work(struct work_struct *work)
{
	struct gns_cregion *r = container_of(work, struct gns_cregion, seal);
	struct gns_cache *c = r->dev->cache;
	int err = r->failed ? -EIO : 0;

	/* It was opened for an extent, and that has come to nothing. */
	if (!err && r->count)
		err = write_table(r);
	/* Before anybody can use the region anew. */
	shrink_tables(r);
	if (err) {
		gone_bad(r, err);
	} else if (!r->count) {
		spin_lock(&c->lock);
		r->state = GNS_CR_FREE;
		list_add_tail(&r->link, &r->dev->free);
		spin_unlock(&c->lock);
	} else {
		spin_lock(&c->lock);
		r->state = GNS_CR_SEALED;
		list_add_tail(&r->link, &r->dev->sealed);
		spin_unlock(&c->lock);
	}
	gns_cache_done(c);
}

void gns_cregion_unpin(struct gns_cregion *r)
{
	if (atomic_dec_and_test(&r->pins))
		wake_up_all(&r->dev->cache->idle);
}

/* One write less; nobody writes to it any more after the last one. */
static void put_write(struct gns_cregion *r)
{
	if (atomic_dec_and_test(&r->writes))
		queue_work(r->dev->cache->regions_wq, &r->seal);
}

void gns_cregion_written(struct gns_cregion *r, bool failed)
{
	if (failed)
		WRITE_ONCE(r->failed, true);
	put_write(r);
}

/* c->lock held: nobody gets space in it from now on. */
static void close_region(struct gns_cdev *d)
{
	struct gns_cregion *r = d->open;

	d->open = NULL;
	r->state = GNS_CR_FULL;
	gns_cache_busy(d->cache);
	put_write(r);
}

/*
 * How much of an extent of @len bytes has place in a region: all of it, or so
 * many whole units that it is worth an extent; 0: the region is full.
 */
static u32 fits(const struct gns_cregion *r, u32 len)
{
	u32 table, room;

	if (r->count == GNS_CEXTENTS_MAX || READ_ONCE(r->failed))
		return 0;
	table = gns_media_table_at(&r->dev->geo, r->count + 1,
				   r->nsums + gns_media_sums(len));
	room = table > r->end ? table - r->end : 0;
	return len <= room ? len : ALIGN_DOWN(room, GNS_MEDIA_SUM_UNIT);
}

/*
 * c->lock held. The region of a device that has place for some of @len bytes.
 * @again: they were missed a moment ago.
 */
static struct gns_cregion *open_region(struct gns_cdev *d, u32 *len, bool again)
{
	u32 some = d->open ? fits(d->open, *len) : 0;
	struct gns_cregion *r;

	if (some && d->open->picky && !again)
		return NULL;
	if (some) {
		*len = some;
		return d->open;
	}
	if (d->open)
		close_region(d);
	d->cache->again |= again;
	queue_work(d->cache->regions_wq, &d->cache->prepare);
	if (list_empty(&d->ready))
		return NULL;
	r = list_first_entry(&d->ready, struct gns_cregion, link);
	list_del_init(&r->link);
	d->nready--;
	r->state = GNS_CR_OPEN;
	r->seen = d->cache->policy->now;
	atomic_set(&r->writes, 1);
	d->open = r;
	return !r->picky || again ? r : NULL;
}

static void enter(struct gns_cregion *r, struct gns_cext *x, u64 version,
		  u32 len)
{
	struct gns_media_extent *e = &r->table[r->count++];

	memset(e, 0, sizeof(*e));
	memcpy(e->obj, x->obj->key, sizeof(e->obj));
	e->version = cpu_to_le64(version);
	e->off = cpu_to_le64((u64)x->off * GNS_MEDIA_BLOCK);
	e->len = cpu_to_le32(len);
	e->at = cpu_to_le32(r->end);
	e->sum = cpu_to_le32(r->nsums);
	gns_cext_place(x, r, r->end, r->nsums);
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
 * or not for what was not missed @again.
 */
bool gns_cregion_space(struct gns_cache *c, struct gns_cext *x, u64 version,
		       bool again)
{
	u32 len = x->len * GNS_MEDIA_BLOCK, i;
	struct gns_cregion *r = NULL;
	struct gns_cdev *d;

	if (!gns_cregion_memory(c))
		return false;
	spin_lock(&c->lock);
	for (i = 0; i < c->ndevs && !r && !c->closing; i++) {
		d = c->dev[c->turn++ % c->ndevs];
		if (!d->out && atomic_long_read(&d->writes) < GNS_CWRITES_MAX)
			r = open_region(d, &len, again);
	}
	if (r) {
		atomic_inc(&r->writes);
		x->len = len / GNS_MEDIA_BLOCK;
		enter(r, x, version, len);
	}
	spin_unlock(&c->lock);
	return r;
}

void gns_cregion_close_all(struct gns_cache *c)
{
	u32 i;

	spin_lock(&c->lock);
	c->closing = true;
	for (i = 0; i < c->ndevs; i++)
		if (c->dev[i]->open)
			close_region(c->dev[i]);
	spin_unlock(&c->lock);
	/* Whoever waits to write something again. */
	wake_up_all(&c->idle);
}

/*
 * Nothing is read from a device that fails again and again: each time would be
 * for nothing. Its regions stay as they are, and nobody asks for one of them.
 */
static void take_out(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;
	struct gns_cext *x;
	u32 i;

	spin_lock(&c->lock);
	d->out = true;
	if (d->open)
		close_region(d);
	c->room -= d->geo.regions * d->geo.region_size;
	spin_unlock(&c->lock);
	pr_err("gns: cache %s: %d errors: it is not used any more, and what it had is fetched again; replace the drive, or unmount and mount to try it once more\n",
	       d->path, gns_cdev_errors_max(d));
	for (i = 0; i < d->geo.regions; i++) {
		for (x = READ_ONCE(d->region[i].ext); x; x = x->next)
			gns_cext_drop(x);
		cond_resched();
	}
	d->emptied = true;
}

/* How many were read since somebody looked; nobody but this worker gives up. */
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

/* Much of a region that others need is read all the same: it is written again. */
static void write_again(struct gns_cregion *r)
{
	u64 left = r->dev->geo.region_size * GNS_P_AGAIN_PERCENT / 100;
	u8 *buf = kvmalloc(GNS_MEDIA_EXTENT_MAX, GFP_KERNEL);
	struct gns_cdev *d = r->dev;
	struct gns_cext *x;
	u64 version;

	for (x = r->ext; x && buf; x = x->next) {
		version = READ_ONCE(x->visited) ? version_of(x) : 0;
		if (!version || x->len * GNS_MEDIA_BLOCK > left)
			continue;
		/* Nobody waits for that; and it is not to be lost to haste. */
		wait_event(d->cache->idle,
			   atomic_long_read(&d->writes) < GNS_CWRITES_MAX / 2 ||
				   READ_ONCE(d->cache->closing));
		if (READ_ONCE(d->cache->closing))
			break;
		if (!gns_cext_read(x, buf))
			continue;
		left -= x->len * GNS_MEDIA_BLOCK;
		gns_cext_again(x, version, buf);
		cond_resched();
	}
	kvfree(buf);
}

/* What is to become of the oldest sealed region. */
static enum gns_pverdict judge(struct gns_cregion *r)
{
	struct gns_cache *c = r->dev->cache;
	enum gns_pverdict verdict;
	u32 visited = count_visited(r);

	spin_lock(&c->lock);
	verdict = gns_pset_judge(c->policy, r->seen, visited, r->count);
	r->picky = false;
	if (verdict != GNS_P_RECLAIM && c->again && gns_pset_moves(c->policy)) {
		verdict = GNS_P_RECLAIM;
		r->picky = true;
		c->again = false;
	}
	spin_unlock(&c->lock);
	return verdict;
}

static void keep_oldest(struct gns_cregion *r)
{
	struct gns_cdev *d = r->dev;
	struct gns_cext *x;

	for (x = r->ext; x; x = x->next)
		WRITE_ONCE(x->visited, false);
	spin_lock(&d->cache->lock);
	r->seen = d->cache->policy->now;
	list_move_tail(&r->link, &d->sealed);
	spin_unlock(&d->cache->lock);
}

/*
 * The oldest sealed region, if it is not worth its place, or if it has to go for
 * what is read more. It stays where it is while it is looked at: nobody else
 * takes one out of the list.
 */
static struct gns_cregion *give_up_oldest(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;
	struct gns_cregion *r;
	bool ripe = false;

	spin_lock(&c->lock);
	r = list_first_entry_or_null(&d->sealed, struct gns_cregion, link);
	if (r)
		ripe = gns_pset_ripe(c->policy, r->seen);
	if (r && !ripe && !(c->again && gns_pset_moves(c->policy)))
		r = NULL;
	spin_unlock(&c->lock);
	if (!r)
		return NULL;
	if (judge(r) != GNS_P_RECLAIM) {
		if (ripe)
			keep_oldest(r);
		return NULL;
	}
	spin_lock(&c->lock);
	list_del_init(&r->link);
	spin_unlock(&c->lock);
	if (r->picky)
		write_again(r);
	return r;
}

static struct gns_cregion *take_one(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;
	struct gns_cregion *r = NULL;
	bool wanted;

	spin_lock(&c->lock);
	wanted = !c->closing && !d->out && d->nready < GNS_CREADY;
	if (wanted)
		r = list_first_entry_or_null(&d->free, struct gns_cregion,
					     link);
	if (r)
		list_del_init(&r->link);
	spin_unlock(&c->lock);
	if (wanted && !r)
		r = give_up_oldest(d);
	else if (r)
		r->picky = false; /* there is room for all */
	if (r)
		r->state = GNS_CR_PREPARING;
	return r;
}

/* Nobody finds it any more, and who has found it reads on to the end. */
static int make_ready(struct gns_cregion *r)
{
	struct gns_cdev *d = r->dev;
	struct gns_media_life life = { .seq = ++d->seq };
	struct gns_cext *x;

	for (x = r->ext; x; x = x->next)
		gns_cext_drop(x);
	wait_event(d->cache->idle, !atomic_read(&r->pins));
	gns_cregion_free(r);
	r->table = kvmalloc_array(GNS_CEXTENTS_MAX, sizeof(*r->table),
				  GFP_KERNEL);
	r->sums = kvmalloc_array(max_sums(d), sizeof(*r->sums), GFP_KERNEL);
	if (!r->table || !r->sums)
		return -ENOMEM;
	r->seq = life.seq;
	r->end = 0;
	r->count = 0;
	r->nsums = 0;
	r->failed = false;
	return write_foot(r, &life, 0);
}

static bool prepare_one(struct gns_cdev *d)
{
	struct gns_cregion *r = take_one(d);
	struct gns_cache *c = d->cache;
	int err;

	if (!r)
		return false;
	err = make_ready(r);
	if (err && err != -ENOMEM) {
		gone_bad(r, err);
		free_tables(r);
		/* The next one may be as bad: when somebody needs it. */
		return false;
	}
	spin_lock(&c->lock);
	if (err) {
		r->state = GNS_CR_FREE;
		list_add_tail(&r->link, &d->free);
	} else {
		r->state = GNS_CR_READY;
		list_add_tail(&r->link, &d->ready);
		d->nready++;
	}
	spin_unlock(&c->lock);
	return !err;
}

void gns_cregion_prepare(struct work_struct *work)
{
	struct gns_cache *c = container_of(work, struct gns_cache, prepare);
	u32 i;

	for (i = 0; i < c->ndevs; i++) {
		if (!c->dev[i]->emptied &&
		    atomic_read(&c->dev[i]->errors) >=
			    gns_cdev_errors_max(c->dev[i]))
			take_out(c->dev[i]);
		while (prepare_one(c->dev[i]))
			cond_resched();
	}
}
