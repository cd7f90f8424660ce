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

/**
 * struct direct - a read that is under way
 * @cache:  kept busy
 * @iocb:   who is told; NULL: somebody waits
 * @len:    bytes that the reader gets
 * @bios:   under way, and who starts them
 * @failed: one of them
 * @bad:    its device
 * @err:    what the reader gets, if it is not bytes
 * @dirty:  the pages are a process's, and have to be told that they changed
 * @first:  of all bios, until the end
 * @last:   where the next one goes
 * @ref:    of the memory
 * @done:   all is over
 * @work:   what must be done by a worker
 * @max:    room in @piece
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
	struct gns_cbio *first;
	struct gns_cbio **last;
	refcount_t ref;
	struct completion done;
	struct work_struct work;
	u32 max;
	u32 npieces;
	struct gns_cpiece piece[];
};

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
	struct gns_cbio *b;

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
	struct gns_cbio *b;

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
	struct gns_cbio *b;
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
	/* Nobody polls for what is going to be freed. */
	if (d->iocb && d->iocb->ki_flags & IOCB_HIPRI)
		WRITE_ONCE(d->iocb->private, NULL);
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
	struct bio_vec *bv;
	int i;

	if (bio->bi_status != BLK_STS_TARGET || bio_flagged(bio, BIO_CLONED))
		return false;
	bio_for_each_bvec_all(bv, bio, i) {
		if (is_pci_p2pdma_page(bv->bv_page))
			return true;
	}
	return false;
}

static void direct_endio(struct bio *bio)
{
	struct direct *d = bio->bi_private;

	if (is_refused(bio)) {
		WRITE_ONCE(d->err, -EREMOTEIO);
	} else if (bio->bi_status) {
		d->bad = gns_cbio_dev(bio);
		gns_cdev_error(d->bad);
		WRITE_ONCE(d->failed, true);
	}
	put_bio(d);
}

/*
 * All are held until the read is over: only the first one may wait for those of
 * others. NULL: there is no memory.
 */
static struct gns_cbio *dbio_new(struct direct *d, const struct gns_cpiece *p,
				 u32 off, struct iov_iter *to)
{
	gfp_t gfp = d->first ? GFP_NOWAIT | __GFP_NOWARN : GFP_NOFS;
	u64 in = p->pos + off - (u64)p->x->off * GNS_MEDIA_BLOCK;
	u32 vecs = bio_iov_vecs_to_alloc(to, BIO_MAX_VECS);
	struct gns_cbio *b;
	struct bio *bio;

	bio = gns_cext_bio(p->x, in, vecs, REQ_OP_READ | REQ_SYNC | REQ_IDLE,
			   gfp);
	if (!bio)
		return NULL;
	b = container_of(bio, struct gns_cbio, bio);
	bio->bi_private = d;
	bio->bi_end_io = direct_endio;
	b->next = NULL;
	b->whole = (struct bvec_iter){};
	*d->last = b;
	d->last = &b->next;
	return b;
}

/* The bios of a piece, with the reader's pages. */
static int make_bios(struct direct *d, const struct gns_cpiece *p,
		     struct iov_iter *to)
{
	struct gns_cbio *b;
	u32 off = 0;
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
	}
	return 0;
}

/*
 * Of all pieces, or an error. Regions are pinned: nobody's page fault, which may
 * take as long as it likes, is waited for.
 */
static int make_all(struct direct *d, struct iov_iter *to)
{
	size_t rest = iov_iter_count(to);
	u32 i, len;
	int err = 0;

	to->nofault = d->dirty;
	for (i = 0; i < d->npieces && !err; i++) {
		len = d->piece[i].len;
		iov_iter_truncate(to, len);
		err = make_bios(d, &d->piece[i], to);
		rest -= len - iov_iter_count(to);
		iov_iter_reexpand(to, rest);
	}
	to->nofault = false;
	return err;
}

static void send(struct direct *d)
{
	struct gns_cbio *b, *next;
	struct blk_plug plug;

	/* Only the one and only bio of a read can be polled for. */
	b = d->first;
	if (d->iocb && d->iocb->ki_flags & IOCB_HIPRI && !b->next &&
	    gns_bdev_polls(b->dev->bdev)) {
		atomic_inc(&d->bios);
		b->bio.bi_opf |= REQ_POLLED;
		submit_bio(&b->bio);
		WRITE_ONCE(d->iocb->private, &b->bio);
		return;
	}
	blk_start_plug(&plug);
	for (; b; b = next) {
		next = b->next;
		atomic_inc(&d->bios);
		submit_bio(&b->bio);
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
		to = gns_cext_map(obj, d->piece, &d->npieces, d->max, pos, end);
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
	d->max = max;
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

	free_bios(d, false);
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

/* -EFAULT: the reader's pages are not all there; else as gns_cdirect_read(). */
static ssize_t read_once(struct kiocb *iocb, struct iov_iter *to, size_t want,
			 u64 epoch, u64 size, bool whole)
{
	struct gns_inode *gi = gns_i(file_inode(iocb->ki_filp));
	struct gns_cache *c = gi->cobj->cache;
	bool async = !is_sync_kiocb(iocb) && whole;
	size_t count = iov_iter_count(to);
	u64 pos = iocb->ki_pos;
	struct direct *d;
	ssize_t ret;

	d = direct_new(c, want);
	if (!d)
		return -ENOMEM;
	ret = look_up(d, gi, epoch, pos, pos + want, whole);
	if (!ret)
		ret = look_first(d, gns_isb(&gi->vfs_inode),
				 iocb->ki_flags & IOCB_NOWAIT);
	/* A device with larger blocks may have come since somebody looked. */
	if (!ret && (pos | d->len | iov_iter_alignment(to)) &
			    (gns_cdirect_align(gi->cobj) - 1))
		ret = -ENODATA;
	if (ret)
		return give_up(d, ret);
	want = d->len;
	d->dirty = user_backed_iter(to);
	iov_iter_truncate(to, want);
	ret = make_all(d, to);
	iov_iter_reexpand(to, count - (want - iov_iter_count(to)));
	if (ret) {
		iov_iter_revert(to, count - iov_iter_count(to));
		if (ret != -EREMOTEIO && ret != -EFAULT)
			ret = -ENODATA;
		return give_up(d, ret);
	}
	gns_cache_note(gi->cobj, pos, want, size, false);
	task_io_account_read(want);
	d->len = min_t(u64, want, size - pos);
	d->iocb = async ? iocb : NULL;
	if (!async)
		refcount_inc(&d->ref);
	send(d);
	put_bio(d);
	if (async)
		return -EIOCBQUEUED;
	ret = wait(d, iocb);
	/* What was read stays read; the last block is behind the end, in part. */
	iov_iter_revert(to, want - max_t(ssize_t, ret, 0));
	return ret;
}

ssize_t gns_cdirect_read(struct kiocb *iocb, struct iov_iter *to, u64 epoch,
			 u64 size, bool whole)
{
	struct gns_inode *gi = gns_i(file_inode(iocb->ki_filp));
	u32 align = gi->cobj->cache->align;
	u64 pos = iocb->ki_pos;
	size_t want;
	ssize_t ret;

	/* The last block is read as a whole: behind the end it has zeros. */
	want = min_t(u64, iov_iter_count(to), round_up(size, align) - pos);
	if ((pos + want) / GNS_MEDIA_BLOCK >= U32_MAX)
		return -ENODATA;
	/* To fault pages in that are there costs a fault each: only if it must be. */
	ret = read_once(iocb, to, want, epoch, size, whole);
	if (ret == -EFAULT && user_backed_iter(to) &&
	    !fault_in_iov_iter_writeable(to, want))
		ret = read_once(iocb, to, want, epoch, size, whole);
	/* Pages that went again, or are no memory: another way then. */
	return ret == -EFAULT ? -ENODATA : ret;
}

u64 gns_cdirect_absent(struct gns_inode *gi, u64 pos, u64 len)
{
	return gns_cext_absent(gi->cobj, READ_ONCE(gi->version), pos,
			       pos + len) -
	       pos;
}

u32 gns_cdirect_align(const struct gns_cobj *obj)
{
	return READ_ONCE(obj->cache->align);
}
