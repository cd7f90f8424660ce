// SPDX-License-Identifier: GPL-2.0
/*
 * Devices: opening, and what is known of them before anybody reads.
 */
#include <linux/bio.h>
#include <linux/fs_context.h>
#include <linux/mm.h>
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
	d->keeps = alloc_workqueue("gns_cache_keep",
				   WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	d->path = kstrdup(path, GFP_KERNEL);
	if (d->path && d->keeps)
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

	if (d->keeps)
		destroy_workqueue(d->keeps);
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
