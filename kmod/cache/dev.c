// SPDX-License-Identifier: GPL-2.0
/*
 * Devices: opening, and what is known of them before anybody reads.
 */
#include <linux/bio.h>
#include <linux/fs_context.h>
#include <linux/list_sort.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "int.h"

/* Pages of one synchronous bio. */
#define RW_PAGES 256u

static struct page *page_of(void *p)
{
	return is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
}

/* @len: whole blocks; what is read or written is all of it, or an error. */
int gns_cdev_rw(struct gns_cdev *d, blk_opf_t opf, u64 at, void *buf, u32 len)
{
	u32 off, n;
	struct bio *bio;
	int err = 0;

	while (len && !err) {
		bio = bio_alloc(d->bdev, RW_PAGES, opf, GFP_NOFS);
		bio->bi_iter.bi_sector = at >> SECTOR_SHIFT;
		while (len) {
			off = offset_in_page(buf);
			n = min_t(u32, len, PAGE_SIZE - off);
			if (bio_add_page(bio, page_of(buf), n, off) != n)
				break;
			buf += n;
			at += n;
			len -= n;
		}
		err = submit_bio_wait(bio);
		bio_put(bio);
	}
	return err;
}

static int read_super(struct gns_cdev *d, struct fs_context *fc)
{
	u64 size = bdev_nr_bytes(d->bdev);
	const char *why = "it can not be read";
	void *block = (void *)__get_free_page(GFP_KERNEL);
	int err = -ENOMEM;

	if (!block)
		return err;
	err = size < GNS_MEDIA_BLOCK ?
		      -ENODATA :
		      gns_cdev_rw(d, REQ_OP_READ, 0, block, GNS_MEDIA_BLOCK);
	if (!err)
		err = gns_media_super_check(block, size, &d->geo, &why);
	free_page((unsigned long)block);
	if (err == -ENODATA)
		errorfc(fc, "cache=%s: it is not formatted: gnsctl cache format %s",
			d->path, d->path);
	else if (err)
		errorfc(fc, "cache=%s: %s", d->path, why);
	return err == -ENODATA ? -EINVAL : err;
}

static int make_regions(struct gns_cdev *d)
{
	u32 i;

	d->region = kvcalloc(d->geo.regions, sizeof(*d->region), GFP_KERNEL);
	if (!d->region)
		return -ENOMEM;
	for (i = 0; i < d->geo.regions; i++)
		gns_cregion_init(&d->region[i], d, i);
	return 0;
}

static int open_bdev(struct gns_cdev *d, struct fs_context *fc)
{
	int err;

	d->bdev = gns_bdev_open(d->path, d, &d->handle);
	if (!IS_ERR(d->bdev))
		return 0;
	err = PTR_ERR(d->bdev);
	d->bdev = NULL;
	if (err == -EBUSY)
		errorfc(fc, "cache=%s: in use: mounted, part of a device, or another mount's",
			d->path);
	else
		errorfc(fc, "cache=%s: can not be opened: error %d", d->path,
			err);
	return err;
}

struct gns_cdev *gns_cdev_open(struct gns_cache *c, u32 index, const char *path,
			       struct fs_context *fc)
{
	struct gns_cdev *d = kzalloc(sizeof(*d), GFP_KERNEL);
	int err = -ENOMEM;

	if (!d)
		return ERR_PTR(err);
	d->cache = c;
	d->index = index;
	d->joining = true;
	INIT_LIST_HEAD(&d->free);
	INIT_LIST_HEAD(&d->ready);
	d->path = kstrdup(path, GFP_KERNEL);
	if (d->path)
		err = open_bdev(d, fc);
	if (!err)
		err = read_super(d, fc);
	if (!err && bdev_logical_block_size(d->bdev) > GNS_MEDIA_BLOCK) {
		errorfc(fc, "cache=%s: its blocks are larger than %u bytes",
			path, GNS_MEDIA_BLOCK);
		err = -EINVAL;
	}
	if (!err)
		err = make_regions(d);
	if (!err)
		return d;
	gns_cdev_close(d);
	return ERR_PTR(err);
}

void gns_cdev_close(struct gns_cdev *d)
{
	u32 i;

	for (i = 0; d->region && i < d->geo.regions; i++) {
		gns_cregion_free(&d->region[i]);
		cond_resched();
	}
	kvfree(d->region);
	if (d->bdev)
		gns_bdev_close(d->bdev, d->handle, d);
	kfree(d->path);
	kfree(d);
}

/* One extent of a table; all of its numbers have been judged. */
static int recover_extent(struct gns_cregion *r,
			  const struct gns_media_extent *e)
{
	u32 len = le32_to_cpu(e->len);
	struct gns_cobj *obj = gns_cobj_by_key(r->dev->cache, e->obj);
	struct gns_cext *x;

	if (!obj)
		return -ENOMEM;
	x = gns_cext_new(obj, le64_to_cpu(e->off) / GNS_MEDIA_BLOCK,
			 len / GNS_MEDIA_BLOCK);
	gns_cobj_put(obj);
	if (!x)
		return -ENOMEM;
	gns_cext_place(x, r, le32_to_cpu(e->at), le32_to_cpu(e->sum));
	x->unsure = true;
	if (le64_to_cpu(e->off) / GNS_MEDIA_BLOCK > U32_MAX - x->len)
		return 0;
	/* The newest is the likeliest to be granted. */
	if (x->obj->version < le64_to_cpu(e->version))
		gns_cobj_turn(x->obj, le64_to_cpu(e->version));
	gns_cext_add(x, le64_to_cpu(e->version));
	return 0;
}

static int keep_sums(struct gns_cregion *r, const struct gns_media_life *life,
		     const void *sums)
{
	r->sums = kvmalloc_array(life->sums, sizeof(*r->sums), GFP_KERNEL);
	if (!r->sums)
		return -ENOMEM;
	memcpy(r->sums, sums, life->sums * sizeof(*r->sums));
	return 0;
}

static int recover_table(struct gns_cregion *r,
			 const struct gns_media_life *life)
{
	u64 len = gns_media_table_len(life->extents, life->sums);
	u32 all = ALIGN(len, GNS_MEDIA_BLOCK), i;
	struct gns_media_extent *e = kvmalloc(all, GFP_KERNEL);
	const char *why = "it can not be read";
	struct gns_cset *set;
	int err = -ENOMEM;

	if (!e)
		return err;
	err = gns_cdev_rw(r->dev, REQ_OP_READ,
			  gns_media_region_at(&r->dev->geo, r->nr) +
				  life->table,
			  e, all);
	if (!err)
		err = gns_media_table_check(e, life, &why);
	if (err) {
		pr_warn_ratelimited("gns: cache %s: region %u is given up: %s\n",
				    r->dev->path, r->nr, why);
		err = 0;
		goto out;
	}
	if (r->dev->cache->verify) {
		err = keep_sums(r, life, e + life->extents);
		if (err)
			goto out;
	}
	set = gns_cset_found(r->dev->cache, le64_to_cpu(e->set));
	if (!set) {
		err = -ENOMEM;
		goto out;
	}
	r->count = life->extents;
	r->nsums = life->sums;
	r->end = life->table;
	r->table_at = life->table;
	for (i = 0; i < life->extents && !err; i++)
		err = recover_extent(r, &e[i]);
	spin_lock(&r->dev->cache->lock);
	r->state = GNS_CR_SEALED;
	gns_cregion_assign(r, set);
	list_move_tail(&r->link, &set->sealed[r->dev->index]);
	spin_unlock(&r->dev->cache->lock);
out:
	kvfree(e);
	return err;
}

static int by_age(void *priv, const struct list_head *a,
		  const struct list_head *b)
{
	return list_entry(a, struct gns_cregion, link)->seq >
	       list_entry(b, struct gns_cregion, link)->seq;
}

/* As they were written; nobody else has one of this device yet. */
static void sort_sealed(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;
	u32 i;

	for (i = 0; i < c->nsets; i++)
		list_sort(NULL, &c->set[i]->sealed[d->index], by_age);
}

/*
 * What the feet and tables say; others may read from other devices meanwhile, and
 * from what has been found here. A region that can not be used is free; only the
 * lack of memory is an error.
 */
int gns_cdev_recover(struct gns_cdev *d)
{
	void *block = (void *)__get_free_page(GFP_KERNEL);
	struct gns_media_life life;
	struct gns_cregion *r;
	const char *why;
	int err = 0;
	u32 i;

	if (!block)
		return -ENOMEM;
	for (i = 0; i < d->geo.regions && !err; i++) {
		r = &d->region[i];
		if (gns_cdev_rw(d, REQ_OP_READ,
				gns_media_foot_at(&d->geo, i), block,
				GNS_MEDIA_BLOCK) ||
		    gns_media_foot_check(block, &d->geo, i, &life, &why))
			continue;
		d->seq = max(d->seq, life.seq);
		r->seq = life.seq;
		/* Beyond that it is as if it had not been sealed. */
		if (life.sealed && gns_cregion_memory(d->cache))
			err = recover_table(r, &life);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	sort_sealed(d);
	free_page((unsigned long)block);
	return err;
}
