// SPDX-License-Identifier: GPL-2.0
/*
 * Reading through the page cache: what is missing is cut into fills.
 *
 * Nothing here waits for a lease: that would be done under folio locks and
 * invalidate_lock. Without a live one readahead does nothing, read_folio gives
 * an error of ours, and the reader asks for it outside (gns_try_begin()).
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>
#include <linux/uio.h>
#include "ahead.h"
#include "cache/cache.h"
#include "file.h"
#include "fill.h"

/* Where windows of readahead should not begin, bytes. */
#define POOR_PLACE SZ_128K

/* All that filemap_read() gives: it hides an error that comes after bytes. */
static int read_cached(struct kiocb *iocb, struct iov_iter *to, size_t *copied)
{
	ssize_t ret;

	while (iov_iter_count(to)) {
		ret = filemap_read(iocb, to, 0);
		if (ret <= 0)
			return ret;
		*copied += ret;
	}
	return 0;
}

/* At most GNS_UREAD_MAX bytes: all of one version. */
static ssize_t read_chunk(struct kiocb *iocb, struct iov_iter *to, size_t len)
{
	struct gns_try t = {
		.file = iocb->ki_filp,
		.gi = gns_i(file_inode(iocb->ki_filp)),
		.nowait = iocb->ki_flags & (IOCB_NOWAIT | IOCB_NOIO),
	};
	size_t whole = iov_iter_count(to), copied, n;
	int ret;

	for (;;) {
		ret = gns_try_begin(&t);
		if (ret < 0)
			return ret;
		if (!ret)
			return gns_pass_read(iocb, to, len);
		copied = 0;
		n = gns_left(t.gi, iocb->ki_pos, len);
		iov_iter_truncate(to, n);
		ret = read_cached(iocb, to, &copied);
		iov_iter_reexpand(to, whole - copied);
		if (gns_try_keeps(&t, &ret))
			break;
		iov_iter_revert(to, copied);
		iocb->ki_pos -= copied;
	}
	if (copied && !(iocb->ki_flags & IOCB_NOIO))
		gns_ahead_read(t.file, iocb->ki_pos);
	return gns_read_result(iocb, to, copied, ret);
}

ssize_t gns_buffered_read(struct kiocb *iocb, struct iov_iter *to)
{
	ssize_t total = 0, ret = 0;
	size_t len;

	while (iov_iter_count(to)) {
		len = min_t(size_t, iov_iter_count(to), GNS_UREAD_MAX);
		ret = read_chunk(iocb, to, len);
		if (ret > 0)
			total += ret;
		if (ret < 0 || ret < len)
			break;
	}
	return gns_read_result(iocb, to, total, ret < 0 ? ret : 0);
}

/* What readahead has gathered: out of the cache, or from the origin. */
struct ahead {
	struct readahead_control *rac;
	struct inode *inode;
	u64 epoch;
	u64 size;
	struct gns_cread *r;
	struct gns_fill *f;
};

static void ahead_send(struct ahead *a)
{
	gns_cread_send(a->r, false);
	a->r = NULL;
	if (!a->f)
		return;
	gns_fill_submit(a->f, false);
	gns_call_put(&a->f->c);
	a->f = NULL;
}

/* Runs of folios that are there, and runs of those that are not. */
static bool ahead_cached(struct ahead *a, struct folio *folio)
{
	if (!gns_i(a->inode)->cobj)
		return false;
	if (!a->f && gns_cread_add(&a->r, a->inode, a->epoch, a->size, folio))
		return true;
	if (a->r || a->f) {
		struct gns_cread *r = NULL;

		if (!gns_cread_add(&r, a->inode, a->epoch, a->size, folio))
			return false;
		ahead_send(a);
		a->r = r;
		return true;
	}
	return false;
}

/* False: the folio is still the caller's. */
static bool ahead_fill(struct ahead *a, struct folio *folio)
{
	u32 room;

	if (a->r)
		ahead_send(a);
	if (a->f && gns_fill_add(a->f, folio))
		return true;
	if (a->f)
		ahead_send(a);
	if (gns_fill_full(gns_isb(a->inode)))
		return false;
	room = min_t(u32, readahead_count(a->rac),
		     GNS_UREAD_MAX >> PAGE_SHIFT);
	a->f = gns_fill_new(a->inode, a->rac->file->f_cred, a->epoch, a->size,
			    room);
	if (a->f && gns_fill_add(a->f, folio))
		return true;
	return false;
}

/*
 * Folios of a window are at most two orders larger than what may be at the begin
 * of the one before it. Who reads 4 KiB at a time from the begin of a file on has
 * small ones to its end, for no window begins at a good place. So they begin at
 * borders of large ones once they are long. What is added to one for that has
 * the smallest ones, once in a file.
 */
static void ahead_align(struct readahead_control *rac)
{
	u64 pos = readahead_pos(rac), end = pos + readahead_length(rac);
	u64 border = round_up(end, GNS_UREAD_MAX);

	if (readahead_length(rac) >= 2 * GNS_UREAD_MAX &&
	    !IS_ALIGNED(pos, POOR_PLACE) && end != border &&
	    border <= i_size_read(rac->mapping->host))
		readahead_expand(rac, pos, border - pos);
}

/*
 * Never waits. What is not taken here is unlocked and dropped by the caller,
 * and read by gns_read_folio() when somebody wants it: that slows down who
 * reads ahead faster than the origin gives.
 */
static void gns_readahead(struct readahead_control *rac)
{
	struct ahead a = { .rac = rac, .inode = rac->mapping->host };
	bool first = !readahead_index(rac);
	struct folio *folio;

	if (!rac->file || !gns_data_enter(gns_i(a.inode), &a.epoch))
		return;
	a.size = READ_ONCE(gns_i(a.inode)->size);
	ahead_align(rac);
	while ((folio = readahead_folio(rac))) {
		if (ahead_cached(&a, folio) || ahead_fill(&a, folio))
			continue;
		folio_unlock(folio);
		break;
	}
	if (first && (a.r || a.f))
		gns_ahead_begins(gns_i(a.inode));
	ahead_send(&a);
}

static int fill_folio(struct file *file, struct folio *folio, u64 epoch)
{
	struct inode *inode = folio->mapping->host;
	struct gns_fill *f;
	int err;

	f = gns_fill_new(inode, file->f_cred, epoch,
			 READ_ONCE(gns_i(inode)->size), 1);
	if (!f || !gns_fill_add(f, folio))
		folio_unlock(folio);
	if (!f)
		return -ENOMEM;
	err = gns_fill_submit(f, true);
	if (!err)
		err = gns_call_wait(&f->c);
	gns_call_put(&f->c);
	return err;
}

static int gns_read_folio(struct file *file, struct folio *folio)
{
	struct inode *inode = folio->mapping->host;
	struct gns_cread *r = NULL;
	int err = 0;
	u64 epoch;

	if (!file)
		err = -EBADF; /* in whose name? */
	else if (!gns_data_enter(gns_i(inode), &epoch))
		err = -ESTALE;
	if (err) {
		folio_unlock(folio);
		return err;
	}
	if (gns_cread_add(&r, inode, epoch, READ_ONCE(gns_i(inode)->size),
			  folio))
		return gns_cread_send(r, true);
	return fill_folio(file, folio, epoch);
}

const struct address_space_operations gns_aops = {
	.readahead = gns_readahead,
	.read_folio = gns_read_folio,
};
