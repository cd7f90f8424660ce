// SPDX-License-Identifier: GPL-2.0
/*
 * Keeping: bytes that have come go from the page cache to a device.
 */
#include <linux/bio.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include "int.h"

/**
 * struct keep - an extent that is being written
 * @x:       the region's
 * @version: of its bytes
 * @len:     bytes
 * @bios:    under way, and who starts them
 * @failed:  one of them
 * @work:    the end
 */
struct keep {
	struct gns_cext *x;
	u64 version;
	u32 len;
	atomic_t bios;
	bool failed;
	struct work_struct work;
};

static void keep_over(struct work_struct *work)
{
	struct keep *k = container_of(work, struct keep, work);
	struct gns_cregion *r = gns_cext_region(k->x);
	struct gns_cache *c = r->dev->cache;

	if (!k->failed)
		gns_cext_add(k->x, k->version);
	atomic_long_sub(k->len, &r->dev->writes);
	gns_cregion_written(r, k->failed);
	kfree(k);
	gns_cache_done(c);
}

static void put_bio(struct keep *k)
{
	if (atomic_dec_and_test(&k->bios))
		queue_work(gns_cext_region(k->x)->dev->cache->wq, &k->work);
}

static void keep_endio(struct bio *bio)
{
	struct keep *k = bio->bi_private;
	struct folio_iter fi;

	if (bio->bi_status)
		WRITE_ONCE(k->failed, true);
	bio_for_each_folio_all(fi, bio)
		folio_put(fi.folio);
	bio_put(bio);
	put_bio(k);
}

static struct bio *new_bio(struct keep *k, u32 off, u32 vecs)
{
	struct gns_cext *x = k->x;
	struct gns_cregion *region = gns_cext_region(x);
	u64 at = x->at * (u64)GNS_MEDIA_BLOCK + off;
	struct bio *bio;

	bio = bio_alloc(region->dev->bdev, bio_max_segs(vecs), REQ_OP_WRITE,
			GFP_NOFS);
	bio->bi_iter.bi_sector = gns_cregion_sector(region, at);
	bio->bi_private = k;
	bio->bi_end_io = keep_endio;
	atomic_inc(&k->bios);
	return bio;
}

/* A run of folios, and where in it the extent begins, bytes. */
struct run {
	struct folio **folios;
	u32 nr;
	u32 skip;
};

/* The extent's bytes out of the folios, in as many bios as it takes. */
static void write_folios(struct keep *k, const struct run *run)
{
	u32 i, n, from, at = 0, off = 0;
	struct bio *bio = NULL;
	struct folio *folio;

	for (i = 0; i < run->nr && off < k->len; i++, at += folio_size(folio)) {
		folio = run->folios[i];
		if (at + folio_size(folio) <= run->skip)
			continue;
		from = run->skip + off - at;
		n = min_t(u32, folio_size(folio) - from, k->len - off);
		folio_get(folio);
		if (!bio || !gns_bio_add(bio, folio, n, from)) {
			if (bio)
				submit_bio(bio);
			bio = new_bio(k, off, run->nr - i);
			/* The first one always fits. */
			WARN_ON_ONCE(!gns_bio_add(bio, folio, n, from));
		}
		off += n;
	}
	if (bio)
		submit_bio(bio);
}

/* A checksum for each unit, counted from the extent's begin. */
static void sum_up(struct keep *k, const struct run *run)
{
	__le32 *sum = gns_cext_region(k->x)->sums + k->x->sum;
	u32 i, n, from, at = 0, off = 0, crc = ~0u;
	struct folio *folio;
	void *p;

	for (i = 0; i < run->nr && off < k->len; i++, at += folio_size(folio)) {
		folio = run->folios[i];
		while (off < k->len &&
		       run->skip + off < at + folio_size(folio)) {
			from = run->skip + off - at;
			n = min_t(u32, PAGE_SIZE - offset_in_page(from),
				  k->len - off);
			p = kmap_local_folio(folio, from);
			crc = gns_crc32c(crc, p, n);
			kunmap_local(p);
			off += n;
			if (off % GNS_MEDIA_SUM_UNIT && off < k->len)
				continue;
			*sum++ = cpu_to_le32(~crc);
			crc = ~0u;
		}
	}
}

/* What is there already need not be written again. */
static bool is_kept(struct gns_cobj *obj, u32 off)
{
	bool ret;

	spin_lock(&obj->lock);
	ret = gns_cext_find(obj, off);
	spin_unlock(&obj->lock);
	return ret;
}

/* As much of it as there is place for in one region; NULL: there is none. */
static struct keep *keep_new(struct gns_cobj *obj, u64 version, u32 off,
			     u32 len)
{
	struct keep *k = kzalloc(sizeof(*k), GFP_NOFS);

	if (!k)
		return NULL;
	k->version = version;
	atomic_set(&k->bios, 1);
	INIT_WORK(&k->work, keep_over);
	k->x = gns_cext_new(obj, off, len / GNS_MEDIA_BLOCK);
	if (k->x && gns_cregion_space(obj->cache, k->x, version)) {
		k->len = k->x->len * GNS_MEDIA_BLOCK;
		return k;
	}
	if (k->x)
		gns_cext_free(k->x);
	kfree(k);
	return NULL;
}

void gns_cobj_keep(struct gns_cobj *obj, u64 version, u64 size, u64 pos,
		   u32 len, struct folio **folios, u32 nr)
{
	struct run run = { .folios = folios, .nr = nr };
	u64 off = pos / GNS_MEDIA_BLOCK;
	struct keep *k;

	if (!obj || !version || !len)
		return;
	gns_cache_note(obj, pos, len, size);
	len = ALIGN(len, GNS_MEDIA_BLOCK);
	if (off > U32_MAX - len / GNS_MEDIA_BLOCK || len > GNS_MEDIA_EXTENT_MAX)
		return;
	gns_cobj_turn(obj, version);
	while (run.skip < len && !is_kept(obj, (u32)off)) {
		k = keep_new(obj, version, (u32)off, len - run.skip);
		if (!k)
			return;
		gns_cache_busy(obj->cache);
		atomic_long_add(k->len, &gns_cext_region(k->x)->dev->writes);
		sum_up(k, &run);
		write_folios(k, &run);
		run.skip += k->len;
		off += k->x->len;
		put_bio(k);
	}
}
