// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: how one comes to be written, is sealed, and emptied.
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

/* The device is not to be trusted with this region any more. */
void gns_cregion_bad(struct gns_cregion *r, int err)
{
	struct gns_cache *c = r->dev->cache;
	struct gns_cext *x;

	lockdep_assert_not_held(&c->lock);
	pr_err_ratelimited("gns: cache %s: region %u can not be written (error %d), and is left out until the next mount; look at the drive\n",
			   r->dev->path, r->nr, err);
	gns_cdev_error(r->dev);
	for (x = r->ext; x; x = x->next)
		gns_cext_drop(x);
	spin_lock(&c->lock);
	r->state = GNS_CR_BAD;
	gns_cregion_assign(r, NULL);
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
		gns_cregion_bad(r, err);
		spin_lock(&c->lock);
		r->dev->nwritten--;
		spin_unlock(&c->lock);
		gns_cache_done(c);
		return;
	}
	spin_lock(&c->lock);
	r->dev->nwritten--;
	if (r->count) {
		r->state = GNS_CR_SEALED;
		list_add_tail(&r->link, &r->set->sealed[r->dev->index]);
	} else {
		r->state = GNS_CR_FREE;
		gns_cregion_assign(r, NULL);
		list_add_tail(&r->link, &r->dev->free);
	}
	/* From here on the device may be taken away. */
	spin_unlock(&c->lock);
	/* It may be that somebody waits for one that he can give up. */
	gns_cprepare_soon(c);
	gns_cache_done(c);
}

/* c->lock held. NULL: it is nobody's. */
void gns_cregion_assign(struct gns_cregion *r, struct gns_cset *s)
{
	struct gns_cdev *d = r->dev;
	u64 size = gns_cdev_usable(d) ? d->geo.region_size : 0;

	lockdep_assert_held(&d->cache->lock);
	if (r->set)
		r->set->held -= size;
	d->nheld -= !!r->set;
	r->set = s;
	r->found = U32_MAX;
	r->tries = 0;
	if (s)
		s->held += size;
	d->nheld += !!s;
}

void gns_cregion_unpin(struct gns_cregion *r)
{
	struct gns_cache *c = r->dev->cache;

	/* The device may be taken away then. */
	if (atomic_dec_and_test(&r->pins))
		gns_cache_wake(c);
}

/* One write less; nobody writes to it any more after the last one. */
void gns_cregion_put_write(struct gns_cregion *r)
{
	if (atomic_dec_and_test(&r->writes))
		queue_work(r->dev->cache->regions_wq, &r->seal);
}

void gns_cregion_written(struct gns_cregion *r, bool failed)
{
	if (failed)
		WRITE_ONCE(r->failed, true);
	gns_cregion_put_write(r);
}

/* Nobody finds it any more, and who has found it reads on to the end. */
void gns_cregion_empty(struct gns_cregion *r)
{
	struct gns_cext *x;

	for (x = r->ext; x; x = x->next)
		gns_cext_drop(x);
	wait_event(r->dev->cache->idle, !atomic_read(&r->pins));
	gns_cregion_free(r);
}

/* The drive need not keep what is to be overwritten; many do better then. */
static void discard(struct gns_cregion *r)
{
	struct block_device *bdev = r->dev->bdev;
	u64 at = gns_media_region_at(&r->dev->geo, r->nr);
	u64 len = r->dev->geo.region_size - GNS_MEDIA_BLOCK;

	if (bdev_max_discard_sectors(bdev))
		blkdev_issue_discard(bdev, at >> SECTOR_SHIFT,
				     len >> SECTOR_SHIFT, GFP_NOFS);
}

/*
 * It is PREPARING; gets a new life, in which it can be written to. 0; -ENOMEM; an
 * error of the device. Sleeps.
 */
int gns_cregion_ready(struct gns_cregion *r)
{
	struct gns_cdev *d = r->dev;
	struct gns_media_life life = { .seq = ++d->seq };
	int err;

	gns_cregion_empty(r);
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
	err = write_foot(r, &life, 0);
	/* Nobody believes what is there any more, whatever becomes of it. */
	if (!err)
		discard(r);
	return err;
}
