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
 * @bad:    its device
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
	struct gns_cdev *bad;
	bool stale;
	refcount_t ref;
	struct completion done;
	struct work_struct work;
	u32 npieces;
	u32 nr;
	struct gns_cpiece piece[PIECES_MAX];
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

	gns_cpieces_unpin(r->piece, r->npieces);
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

static void end_failed(struct work_struct *work)
{
	struct gns_cread *r = container_of(work, struct gns_cread, work);

	gns_cpieces_drop(r->piece, r->npieces, r->bad);
	end(r);
}

/* With verify=all: the bytes are in the folios, where nobody sees them yet. */
static void look_last(struct work_struct *work)
{
	struct gns_cread *r = container_of(work, struct gns_cread, work);
	struct gns_sb *gsb = gns_isb(&r->gi->vfs_inode);
	u32 i;

	for (i = 0; i < r->npieces && !r->failed; i++)
		r->failed = !gns_cpiece_verify(&r->piece[i], r->folios, r->nr,
					       gsb);
	end(r);
}

static void put_bio(struct gns_cread *r)
{
	bool failed;

	if (!atomic_dec_and_test(&r->bios))
		return;
	failed = READ_ONCE(r->failed);
	if (!failed && !r->cache->verify) {
		end(r);
		return;
	}
	INIT_WORK(&r->work, failed ? end_failed : look_last);
	queue_work(r->cache->wq, &r->work);
}

static void read_endio(struct bio *bio)
{
	struct gns_cread *r = bio->bi_private;

	if (bio->bi_status) {
		r->bad = gns_cbio_dev(bio);
		gns_cdev_error(r->bad);
		WRITE_ONCE(r->failed, true);
	}
	bio_put(bio);
	put_bio(r);
}

static struct bio *new_bio(struct gns_cread *r, const struct gns_cpiece *p, u64 pos)
{
	u64 in = pos - (u64)p->x->off * GNS_MEDIA_BLOCK;
	struct bio *bio = gns_cext_bio(p->x, in, r->nr, REQ_OP_READ, GFP_NOFS);

	bio->bi_private = r;
	bio->bi_end_io = read_endio;
	atomic_inc(&r->bios);
	return bio;
}

/* The part of each folio that the piece has; the folios stay locked. */
static void read_piece(struct gns_cread *r, const struct gns_cpiece *p)
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

static void look_first(struct work_struct *work)
{
	struct gns_cread *r = container_of(work, struct gns_cread, work);
	struct gns_sb *gsb = gns_isb(&r->gi->vfs_inode);
	u32 i;

	for (i = 0; i < r->npieces && !r->failed; i++)
		if (READ_ONCE(r->piece[i].x->unsure))
			r->failed = !gns_cext_verify(r->piece[i].x, gsb);
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
	gns_cache_note(r->obj, r->pos, r->end - r->pos, r->size, false);
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

/* Pieces for all bytes from @pos to @end, or none; obj->lock held. */
static bool map(struct gns_cread *r, u64 pos, u64 end)
{
	u32 was = r->npieces;
	struct gns_cpiece *p;

	if (gns_cext_map(r->obj, r->piece, &r->npieces, PIECES_MAX, pos, end) ==
	    end)
		return true;
	gns_cpieces_unpin(r->piece + was, r->npieces - was);
	r->npieces = was;
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
