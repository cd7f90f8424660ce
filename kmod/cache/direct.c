// SPDX-License-Identifier: GPL-2.0
/*
 * O_DIRECT: from a device into the reader's memory, that of another device
 * (P2PDMA) included; no byte is touched by a processor on its way.
 *
 * All extents of a read are looked up in one step, and then the lease is asked
 * for once: what they have was the newest in that moment, after the read began.
 * So a lease that ends while the device works takes nothing back, and a fence
 * does not wait for these reads; their regions are pinned.
 *
 * The kernel's own helper for such reads, iomap_dio_rw(), looks up extent by
 * extent, and gives a device's error to who reads: here such a read is begun
 * anew, as a whole, at the origin.
 */
#include <linux/bio.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/task_io_accounting_ops.h>
#include <linux/uio.h>
#include "../async.h"
#include "../file.h"
#include "../lock.h"
#include "int.h"

/* Extents of one read; what is behind them is another one's. */
#define PIECES_MAX 256u

/** struct dbio - a bio, in the order in which they were made */
struct dbio {
	struct dbio *next;
	struct bvec_iter whole; /* as it was before it began */
	struct bio bio;
};

/**
 * struct direct - a read that is under way
 * @cache:  kept busy
 * @iocb:   who is told; NULL: somebody waits
 * @len:    bytes that the reader gets
 * @bios:   under way, and who starts them
 * @failed: one of them
 * @bad:    its device
 * @err:    it could not be begun as a whole
 * @dirty:  the pages are a process's, and have to be told that they changed
 * @first:  of all bios, until the end
 * @ref:    of the memory
 * @done:   all is over
 * @work:   what must be done by a worker
 */
struct direct {
	struct gns_cache *cache;
	struct kiocb *iocb;
	size_t len;
	atomic_t bios;
	bool failed;
	struct gns_cdev *bad;
	int err;
	bool dirty;
	struct dbio *first;
	struct dbio **last;
	refcount_t ref;
	struct completion done;
	struct work_struct work;
	u32 npieces;
	struct gns_cpiece piece[];
};

static struct bio_set bios;

int gns_cdirect_init(void)
{
	return bioset_init(&bios, BIO_POOL_SIZE, offsetof(struct dbio, bio),
			   BIOSET_NEED_BVECS);
}

void gns_cdirect_exit(void)
{
	bioset_exit(&bios);
}

static void put(struct direct *d)
{
	if (refcount_dec_and_test(&d->ref))
		kfree(d);
}

/* Of a process's memory: it is to be written out one day. May sleep. */
static void dirty_pages(struct bio *bio)
{
	struct folio_iter fi;

	bio_for_each_folio_all(fi, bio) {
		folio_lock(fi.folio);
		folio_mark_dirty(fi.folio);
		folio_unlock(fi.folio);
	}
}

/* They were dirty when the read began; some may have been written out since. */
static bool are_dirty(const struct direct *d)
{
	struct folio_iter fi;
	struct dbio *b;

	for (b = d->first; b && d->dirty; b = b->next) {
		bio_for_each_folio_all(fi, &b->bio) {
			if (!folio_test_dirty(fi.folio))
				return false;
		}
	}
	return true;
}

static void free_bios(struct direct *d, bool dirty)
{
	struct dbio *b;

	while ((b = d->first)) {
		d->first = b->next;
		if (dirty && d->dirty)
			dirty_pages(&b->bio);
		bio_release_pages(&b->bio, false);
		bio_put(&b->bio);
	}
}

/* Any context; the reader may be gone with the last line of it. */
static void over(struct direct *d)
{
	struct gns_cache *c = d->cache;
	struct kiocb *iocb = d->iocb;
	struct gns_sb *gsb;
	ssize_t ret = d->err;

	gns_cpieces_unpin(d->piece, d->npieces);
	if (iocb) {
		gsb = gns_isb(file_inode(iocb->ki_filp));
		if (!ret)
			ret = gns_guard_check(iocb->ki_filp) ?: d->len;
		if (ret > 0) {
			iocb->ki_pos += ret;
			gns_count(gsb, GNS_C_READ_BYTES, ret);
			gns_count(gsb, GNS_C_DIRECT_BYTES, ret);
		}
		iocb->ki_complete(iocb, ret);
	}
	complete(&d->done);
	put(d);
	gns_cache_done(c);
}

/* The reader's memory, piece by piece; @to: NULL: only counted. */
static u32 list_pages(const struct direct *d, struct bio_vec *to)
{
	struct bvec_iter iter;
	struct bio_vec bv;
	struct dbio *b;
	u32 n = 0;

	for (b = d->first; b; b = b->next)
		__bio_for_each_segment(bv, &b->bio, iter, b->whole) {
			if (to)
				to[n] = bv;
			n++;
		}
	return n;
}

/* Nobody waits, and the device has failed: the origin has the bytes, too. */
static void ask_origin(struct direct *d)
{
	u32 n = list_pages(d, NULL);
	struct bio_vec *to;

	to = kvmalloc_array(n, sizeof(*to), GFP_NOFS | __GFP_NOFAIL);
	list_pages(d, to);
	d->err = gns_pass_again(d->iocb, to, n, d->dirty);
	if (d->err == -EIOCBQUEUED)
		d->iocb = NULL;
}

static void end_work(struct work_struct *work)
{
	struct direct *d = container_of(work, struct direct, work);

	if (d->failed)
		gns_cpieces_drop(d->piece, d->npieces, d->bad);
	if (d->failed && d->iocb && !d->err)
		ask_origin(d);
	free_bios(d, true);
	over(d);
}

static void put_bio(struct direct *d)
{
	if (!atomic_dec_and_test(&d->bios))
		return;
	if (!READ_ONCE(d->failed) && are_dirty(d)) {
		free_bios(d, false);
		over(d);
		return;
	}
	INIT_WORK(&d->work, end_work);
	queue_work(d->cache->wq, &d->work);
}

/* No way leads from the device to its peer: that is nobody's damage. */
static bool is_refused(struct bio *bio)
{
	return bio->bi_status == BLK_STS_TARGET && !bio_flagged(bio, BIO_CLONED) &&
	       is_pci_p2pdma_page(bio_first_page_all(bio));
}

static void direct_endio(struct bio *bio)
{
	struct direct *d = bio->bi_private;

	if (is_refused(bio)) {
		WRITE_ONCE(d->err, -EREMOTEIO);
	} else if (bio->bi_status) {
		d->bad = gns_cpieces_dev(d->piece, d->npieces, bio->bi_bdev);
		gns_cdev_error(d->bad);
		WRITE_ONCE(d->failed, true);
	}
	put_bio(d);
}

/*
 * All are held until the read is over: only the first one may wait for those of
 * others. NULL: there is no memory.
 */
static struct dbio *dbio_new(struct direct *d, const struct gns_cpiece *p,
			     u32 off, struct iov_iter *to)
{
	gfp_t gfp = d->first ? GFP_NOWAIT | __GFP_NOWARN : GFP_NOFS;
	u64 in = p->pos + off - (u64)p->x->off * GNS_MEDIA_BLOCK;
	u32 vecs = bio_iov_vecs_to_alloc(to, BIO_MAX_VECS);
	struct dbio *b;
	struct bio *bio;

	bio = gns_cext_bio(p->x, in, vecs, REQ_OP_READ | REQ_SYNC | REQ_IDLE,
			   gfp, &bios);
	if (!bio)
		return NULL;
	b = container_of(bio, struct dbio, bio);
	bio->bi_private = d;
	bio->bi_end_io = direct_endio;
	b->next = NULL;
	b->whole = (struct bvec_iter){};
	*d->last = b;
	d->last = &b->next;
	return b;
}

/* All of a piece; or an error, which leaves those that have been sent. */
static int send_piece(struct direct *d, const struct gns_cpiece *p,
		      struct iov_iter *to)
{
	bool poll = d->iocb && d->iocb->ki_flags & IOCB_HIPRI &&
		    d->npieces == 1 &&
		    gns_bdev_polls(gns_cext_region(p->x)->dev->bdev);
	u32 off = 0;
	struct dbio *b;
	int err;

	while (off < p->len) {
		b = dbio_new(d, p, off, to);
		err = b ? bio_iov_iter_get_pages(&b->bio, to) : -ENOMEM;
		if (err)
			return err;
		b->whole = b->bio.bi_iter;
		if (d->dirty)
			dirty_pages(&b->bio);
		off += b->whole.bi_size;
		atomic_inc(&d->bios);
		/* Only the one and only bio of a read can be polled for. */
		if (poll && off == p->len && d->first == b) {
			b->bio.bi_opf |= REQ_POLLED;
			submit_bio(&b->bio);
			WRITE_ONCE(d->iocb->private, &b->bio);
		} else {
			submit_bio(&b->bio);
		}
	}
	return 0;
}

static void send(struct direct *d, struct iov_iter *to)
{
	size_t rest = iov_iter_count(to);
	struct blk_plug plug;
	u32 i, len;

	blk_start_plug(&plug);
	for (i = 0; i < d->npieces && !d->err; i++) {
		len = d->piece[i].len;
		iov_iter_truncate(to, len);
		d->err = send_piece(d, &d->piece[i], to);
		rest -= len - iov_iter_count(to);
		iov_iter_reexpand(to, rest);
	}
	blk_finish_plug(&plug);
}

/*
 * What is to be read is looked up, and is the newest: 0, or why not. With
 * @whole: all of it or nothing.
 */
static int look_up(struct direct *d, struct gns_inode *gi, u64 epoch, u64 pos,
		   u64 end, bool whole)
{
	struct gns_cobj *obj = gi->cobj;
	u64 to = pos;

	spin_lock(&obj->lock);
	if (obj->version && obj->version == READ_ONCE(gi->version))
		to = gns_cext_map(obj, d->piece, &d->npieces, PIECES_MAX, pos,
				  end);
	spin_unlock(&obj->lock);
	if (!gns_lease_same(gi, epoch) || !gns_lease_ok(gi))
		return -ESTALE;
	if (to == pos || (whole && to < end))
		return -ENODATA;
	d->len = to - pos;
	return 0;
}

/* What was there at the start of the cache, and was not read yet. */
static int look_first(struct direct *d, struct gns_sb *gsb, bool nowait)
{
	u32 i;

	for (i = 0; i < d->npieces; i++) {
		if (!READ_ONCE(d->piece[i].x->unsure))
			continue;
		if (nowait)
			return -EAGAIN;
		if (!gns_cext_verify(d->piece[i].x, gsb))
			return -ESTALE;
	}
	return 0;
}

/* No piece has less than a block. */
static struct direct *direct_new(struct gns_cache *c, size_t len)
{
	u32 max = min_t(size_t, 2 + len / GNS_MEDIA_BLOCK, PIECES_MAX);
	struct direct *d = kzalloc(struct_size(d, piece, max), GFP_KERNEL);

	if (!d)
		return NULL;
	d->cache = c;
	d->last = &d->first;
	atomic_set(&d->bios, 1);
	refcount_set(&d->ref, 1);
	init_completion(&d->done);
	gns_cache_busy(c);
	return d;
}

/* It is not begun: there is nothing to end but what is held. */
static int give_up(struct direct *d, int err)
{
	struct gns_cache *c = d->cache;

	gns_cpieces_unpin(d->piece, d->npieces);
	put(d);
	gns_cache_done(c);
	return err;
}

static ssize_t wait(struct direct *d, struct kiocb *iocb)
{
	struct gns_sb *gsb = gns_isb(file_inode(iocb->ki_filp));
	ssize_t ret = 0;

	/* Only a process's pages are held as long as the device needs them. */
	if (d->dirty)
		ret = wait_for_completion_killable(&d->done);
	else
		wait_for_completion(&d->done);
	if (!ret && d->failed)
		ret = -ESTALE; /* nothing of it is kept any more */
	if (!ret)
		ret = d->err ?: d->len;
	if (ret > 0) {
		iocb->ki_pos += ret;
		gns_count(gsb, GNS_C_DIRECT_BYTES, ret);
	}
	put(d);
	return ret;
}

ssize_t gns_cdirect_read(struct kiocb *iocb, struct iov_iter *to, u64 epoch,
			 u64 size, bool whole)
{
	struct gns_inode *gi = gns_i(file_inode(iocb->ki_filp));
	struct gns_cache *c = gi->cobj->cache;
	size_t count = iov_iter_count(to), want;
	bool async = !is_sync_kiocb(iocb) && whole;
	u64 pos = iocb->ki_pos;
	struct direct *d;
	ssize_t ret;

	/* The last block is read as a whole: behind the end it has zeros. */
	want = min_t(u64, count, round_up(size, c->align) - pos);
	d = direct_new(c, want);
	if (!d)
		return -ENOMEM;
	ret = look_up(d, gi, epoch, pos, pos + want, whole);
	if (!ret)
		ret = look_first(d, gns_isb(&gi->vfs_inode),
				 iocb->ki_flags & IOCB_NOWAIT);
	if (ret)
		return give_up(d, ret);
	gns_cache_note(gi->cobj, pos, d->len, size, false);
	d->dirty = user_backed_iter(to);
	d->iocb = async ? iocb : NULL;
	if (!async)
		refcount_inc(&d->ref);
	want = d->len;
	d->len = min_t(u64, want, size - pos);
	iov_iter_truncate(to, want);
	send(d, to);
	iov_iter_reexpand(to, count - (want - iov_iter_count(to)));
	task_io_account_read(want);
	put_bio(d);
	if (async)
		return -EIOCBQUEUED;
	ret = wait(d, iocb);
	/* What was read stays read; the last block is behind the end, in part. */
	iov_iter_revert(to, count - iov_iter_count(to) - max_t(ssize_t, ret, 0));
	return ret;
}

u64 gns_cdirect_absent(struct gns_inode *gi, u64 pos, u64 len)
{
	return gns_cext_absent(gi->cobj, READ_ONCE(gi->version), pos,
			       pos + len) -
	       pos;
}

u32 gns_cdirect_align(const struct gns_cobj *obj)
{
	return obj->cache->align;
}
