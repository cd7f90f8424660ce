// SPDX-License-Identifier: GPL-2.0
/*
 * Reading what is kept: from a device into folios, without a copy.
 *
 * What was there when the cache was opened is looked at before it is used for
 * the first time: by a worker, for nobody who reads ahead should wait.
 */
#include <linux/bio.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include "../lease.h"
#include "int.h"

#define FOLIOS_MAX 128u
#define PIECES_MAX 16u

/** struct piece - bytes of one extent; its region is pinned */
struct piece {
	struct gns_cext *x;
	u64 pos; /* in the file, bytes */
	u32 len;
};

/**
 * struct gns_cread - folios that are being read
 * @gi:     their inode's; not to be looked at when they are unlocked
 * @obj:    likewise
 * @cache:  kept busy
 * @epoch:  of the lease
 * @size:   of the file in that, bytes
 * @pos:    of the first folio, bytes
 * @next:   behind the last one
 * @end:    of the bytes that are kept, at the end of the file
 * @bios:   under way, and who starts them
 * @failed: one of them
 * @stale:  it was for nothing
 * @ref:    of the memory
 * @done:   all is over
 * @work:   what must be done by a worker
 */
struct gns_cread {
	struct gns_inode *gi;
	struct gns_cobj *obj;
	struct gns_cache *cache;
	u64 epoch;
	u64 size;
	u64 pos;
	u64 next;
	u64 end;
	atomic_t bios;
	bool failed;
	bool stale;
	refcount_t ref;
	struct completion done;
	struct work_struct work;
	u32 npieces;
	u32 nr;
	struct piece piece[PIECES_MAX];
	struct folio *folios[FOLIOS_MAX];
};

static void put(struct gns_cread *r)
{
	if (refcount_dec_and_test(&r->ref))
		kfree(r);
}

/* Any context. Who ends the lease from now on waits for the folios' locks. */
static void end(struct gns_cread *r)
{
	struct gns_cache *c = r->cache;
	bool good;
	u32 i;

	for (i = 0; i < r->npieces; i++)
		gns_cregion_unpin(gns_cext_region(r->piece[i].x));
	good = !r->failed && gns_lease_same(r->gi, r->epoch) &&
	       gns_lease_ok(r->gi);
	r->stale = !good;
	if (good)
		gns_count(gns_isb(&r->gi->vfs_inode), GNS_C_CACHE_BYTES,
			  r->end - r->pos);
	for (i = 0; i < r->nr; i++) {
		if (good)
			folio_mark_uptodate(r->folios[i]);
		folio_unlock(r->folios[i]);
	}
	complete(&r->done);
	put(r);
	gns_cache_done(c);
}

/* The device could not read it: it is not asked for that again. */
static void end_failed(struct work_struct *work)
{
	struct gns_cread *r = container_of(work, struct gns_cread, work);
	u32 i;

	pr_err_ratelimited("gns: cache %s: can not be read in region %u; what it had is fetched again\n",
			   gns_cext_region(r->piece[0].x)->dev->path,
			   gns_cext_region(r->piece[0].x)->nr);
	for (i = 0; i < r->npieces; i++)
		gns_cext_drop(r->piece[i].x);
	end(r);
}

static void put_bio(struct gns_cread *r)
{
	if (!atomic_dec_and_test(&r->bios))
		return;
	if (!READ_ONCE(r->failed)) {
		end(r);
		return;
	}
	INIT_WORK(&r->work, end_failed);
	queue_work(r->cache->wq, &r->work);
}

static void read_endio(struct bio *bio)
{
	struct gns_cread *r = bio->bi_private;

	if (bio->bi_status)
		WRITE_ONCE(r->failed, true);
	bio_put(bio);
	put_bio(r);
}

static struct bio *new_bio(struct gns_cread *r, const struct piece *p, u64 pos)
{
	const struct gns_cext *x = p->x;
	u64 in = pos - (u64)x->off * GNS_MEDIA_BLOCK;
	struct gns_cregion *region = gns_cext_region(x);
	u64 at = x->at * (u64)GNS_MEDIA_BLOCK + in;
	struct bio *bio;

	bio = bio_alloc(region->dev->bdev, bio_max_segs(r->nr), REQ_OP_READ,
			GFP_NOFS);
	bio->bi_iter.bi_sector = gns_cregion_sector(region, at);
	bio->bi_private = r;
	bio->bi_end_io = read_endio;
	atomic_inc(&r->bios);
	return bio;
}

/* The part of each folio that the piece has; the folios stay locked. */
static void read_piece(struct gns_cread *r, const struct piece *p)
{
	struct bio *bio = NULL;
	u64 at = r->pos, from, to;
	struct folio *folio;
	u32 i;

	for (i = 0; i < r->nr; i++, at += folio_size(folio)) {
		folio = r->folios[i];
		from = max(at, p->pos);
		to = min_t(u64, at + folio_size(folio), p->pos + p->len);
		if (from >= to)
			continue;
		if (bio && gns_bio_add(bio, folio, to - from, from - at))
			continue;
		if (bio)
			submit_bio(bio);
		bio = new_bio(r, p, from);
		/* The first one always fits. */
		WARN_ON_ONCE(!gns_bio_add(bio, folio, to - from, from - at));
	}
	if (bio)
		submit_bio(bio);
}

/* Behind the end of the file: nothing of that is kept. */
static void zero_rest(struct gns_cread *r)
{
	struct folio *last = r->folios[r->nr - 1];
	u64 at = folio_pos(last);

	if (r->end < r->next)
		folio_zero_range(last, r->end - at, r->next - r->end);
}

static void start(struct gns_cread *r)
{
	u32 i;

	zero_rest(r);
	for (i = 0; i < r->npieces; i++)
		read_piece(r, &r->piece[i]);
	put_bio(r);
}

/* All of an extent against its checksums. */
static bool is_right(struct gns_cext *x)
{
	u32 len = x->len * GNS_MEDIA_BLOCK, at, n;
	struct gns_cregion *region = gns_cext_region(x);
	const __le32 *sum = region->sums + x->sum;
	u8 *buf = kvmalloc(len, GFP_NOFS | __GFP_NOFAIL);
	bool right;

	right = !gns_cdev_rw(region->dev, REQ_OP_READ,
			     gns_media_region_at(&region->dev->geo,
						 region->nr) +
				     x->at * (u64)GNS_MEDIA_BLOCK,
			     buf, len);
	for (at = 0; right && at < len; at += n) {
		n = min(len - at, GNS_MEDIA_SUM_UNIT);
		right = gns_media_crc(buf + at, n) == le32_to_cpu(*sum++);
	}
	kvfree(buf);
	return right;
}

static void look_first(struct work_struct *work)
{
	struct gns_cread *r = container_of(work, struct gns_cread, work);
	struct gns_cext *x;
	u32 i;

	for (i = 0; i < r->npieces && !r->failed; i++) {
		x = r->piece[i].x;
		if (!READ_ONCE(x->unsure))
			continue;
		if (is_right(x)) {
			WRITE_ONCE(x->unsure, false);
			continue;
		}
		gns_count(gns_isb(&r->gi->vfs_inode), GNS_C_CACHE_BAD, 1);
		pr_err_ratelimited("gns: cache %s: region %u: damaged bytes are dropped, and fetched again; look at the drive\n",
				   gns_cext_region(x)->dev->path, gns_cext_region(x)->nr);
		gns_cext_drop(x);
		r->failed = true;
	}
	if (r->failed)
		end(r);
	else
		start(r);
}

static bool is_unsure(const struct gns_cread *r)
{
	u32 i;

	for (i = 0; i < r->npieces; i++)
		if (READ_ONCE(r->piece[i].x->unsure))
			return true;
	return false;
}

int gns_cread_send(struct gns_cread *r, bool wait)
{
	int err;

	if (!r)
		return 0;
	if (wait)
		refcount_inc(&r->ref);
	gns_cache_note(r->obj, r->pos, r->end - r->pos, r->size);
	if (is_unsure(r)) {
		INIT_WORK(&r->work, look_first);
		queue_work(r->cache->wq, &r->work);
	} else {
		start(r);
	}
	if (!wait)
		return 0;
	err = wait_for_completion_killable(&r->done);
	if (!err && r->stale)
		err = -ESTALE;
	put(r);
	return err;
}

/* Pieces for the bytes from @pos to @end; obj->lock held. */
static bool map(struct gns_cread *r, u64 pos, u64 end)
{
	u32 was = r->npieces;
	struct gns_cext *x;
	struct piece *p;

	while (pos < end) {
		p = r->npieces ? &r->piece[r->npieces - 1] : NULL;
		x = gns_cext_find(r->obj, pos / GNS_MEDIA_BLOCK);
		if (!x || (r->npieces == PIECES_MAX && p->x != x))
			break;
		if (!p || p->x != x) {
			p = &r->piece[r->npieces++];
			*p = (struct piece){ .x = x, .pos = pos };
			atomic_inc(&gns_cext_region(x)->pins);
			WRITE_ONCE(x->visited, true);
		}
		pos = min(end, (u64)(x->off + (u64)x->len) * GNS_MEDIA_BLOCK);
		p->len = pos - p->pos;
	}
	if (pos == end)
		return true;
	while (r->npieces > was)
		gns_cregion_unpin(gns_cext_region(r->piece[--r->npieces].x));
	/* The one before may have been made longer: who has the folio now? */
	if (was) {
		p = &r->piece[was - 1];
		p->len = min_t(u64, p->len, r->next - p->pos);
	}
	return false;
}

static struct gns_cread *cread_new(struct gns_inode *gi, u64 epoch, u64 size,
				   u64 pos)
{
	struct gns_cread *r = kzalloc(sizeof(*r), GFP_NOFS);

	if (!r)
		return NULL;
	r->gi = gi;
	r->obj = gi->cobj;
	r->cache = gi->cobj->cache;
	r->epoch = epoch;
	r->size = size;
	r->pos = pos;
	r->next = pos;
	atomic_set(&r->bios, 1);
	refcount_set(&r->ref, 1);
	init_completion(&r->done);
	gns_cache_busy(r->cache);
	return r;
}

bool gns_cread_add(struct gns_cread **rp, struct inode *inode, u64 epoch,
		   u64 size, struct folio *folio)
{
	struct gns_inode *gi = gns_i(inode);
	struct gns_cobj *obj = gi->cobj;
	struct gns_cread *r = *rp;
	u64 pos = folio_pos(folio), next = pos + folio_size(folio), end;
	bool there;

	if (!obj || pos >= size || !READ_ONCE(obj->extents.rb_node))
		return false;
	end = min(next, ALIGN(size, (u64)GNS_MEDIA_BLOCK));
	if (end / GNS_MEDIA_BLOCK > U32_MAX)
		return false;
	if (r && (r->nr == FOLIOS_MAX || r->next != pos || r->end != pos ||
		  pos / GNS_UREAD_MAX != r->pos / GNS_UREAD_MAX))
		return false;
	if (!r)
		r = cread_new(gi, epoch, size, pos);
	if (!r)
		return false;
	spin_lock(&obj->lock);
	/* That it is the version of this epoch is seen at the end. */
	there = obj->version == READ_ONCE(gi->version) && map(r, pos, end);
	spin_unlock(&obj->lock);
	if (there) {
		r->folios[r->nr++] = folio;
		r->next = next;
		r->end = end;
		*rp = r;
	} else if (!*rp) {
		gns_cache_done(r->cache);
		put(r);
	}
	return there;
}
