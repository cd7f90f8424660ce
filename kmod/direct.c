// SPDX-License-Identifier: GPL-2.0
/*
 * O_DIRECT: which way it goes. Nothing goes another way in silence: bytes that
 * did not come straight from a device are counted, by the way they took.
 */
#include <linux/mm.h>
#include <linux/uio.h>
#include "async.h"
#include "cache/cache.h"
#include "file.h"

/* From the origin, each time. @whole: it is all of a read. */
static ssize_t past(struct kiocb *iocb, struct iov_iter *to, size_t len,
		    bool whole)
{
	if (whole && gns_async_can(iocb, iov_iter_count(to), GNS_UREAD_MAX))
		return gns_pass_async(iocb, to);
	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	return gns_pass_read(iocb, to, len);
}

/* Through the page cache, which takes pieces from wherever they are. */
static ssize_t buffered(struct kiocb *iocb, struct iov_iter *to)
{
	struct gns_sb *gsb = gns_isb(file_inode(iocb->ki_filp));
	ssize_t ret = gns_buffered_read(iocb, to);

	if (ret > 0)
		gns_count(gsb, GNS_C_DIRECT_BUFFERED, ret);
	return ret;
}

/**
 * struct way - a read, until it knows its way
 * @t:     its lease
 * @whole: it is small enough to have to be of one version
 * @again: its lease has ended: once more
 */
struct way {
	struct gns_try t;
	bool whole;
	bool again;
};

/*
 * Nothing of it is on the devices from here on, or not all of a read that has to
 * be of one version.
 */
static ssize_t not_kept(struct way *w, struct kiocb *iocb, struct iov_iter *to)
{
	size_t left = iov_iter_count(to);
	u64 absent = gns_cdirect_absent(w->t.gi, iocb->ki_pos, left);

	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	/* Only a part, or it has come just now. */
	if (!absent || (w->whole && absent < left))
		return buffered(iocb, to);
	return past(iocb, to, absent, w->whole);
}

/* Some of it: bytes; 0: it ends here, or @again is set; else as read_iter. */
static ssize_t step(struct way *w, struct kiocb *iocb, struct iov_iter *to)
{
	struct gns_try *t = &w->t;
	ssize_t ret;
	u64 size;
	int err;

	w->again = false;
	ret = gns_try_begin(t);
	if (ret < 0)
		return ret;
	if (!ret)
		return past(iocb, to, iov_iter_count(to), w->whole);
	size = READ_ONCE(t->gi->size);
	if (iocb->ki_pos < size)
		ret = gns_cdirect_read(iocb, to, t->epoch, size, w->whole);
	else
		ret = 0;
	if (ret == -ENODATA)
		return not_kept(w, iocb, to);
	if (ret && ret != -ESTALE)
		return ret;
	err = ret;
	w->again = !gns_try_keeps(t, &err);
	return w->again ? 0 : err;
}

static bool is_aligned(const struct gns_inode *gi, const struct kiocb *iocb,
		       const struct iov_iter *to)
{
	/* The kernel's own memory no bio of all kernels takes. */
	return !iov_iter_is_kvec(to) &&
	       !((iocb->ki_pos | iov_iter_alignment(to)) &
		 (gns_cdirect_align(gi->cobj) - 1));
}

ssize_t gns_direct_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct gns_inode *gi = gns_i(file_inode(iocb->ki_filp));
	size_t all = iov_iter_count(to), done = 0;
	struct way w = {
		.t.file = iocb->ki_filp,
		.t.gi = gi,
		.t.nowait = iocb->ki_flags & IOCB_NOWAIT,
		.whole = all <= GNS_UREAD_MAX,
	};
	ssize_t ret;

	if (!gi->cobj)
		return past(iocb, to, all, true);
	if (!is_aligned(gi, iocb, to))
		return buffered(iocb, to);
	/* In several steps, each of which is waited for. */
	if (w.t.nowait && !w.whole)
		return -EAGAIN;
	do {
		ret = step(&w, iocb, to);
		if (ret > 0)
			done += ret;
		/* At its end a file may have less than a block. */
		if (ret > 0 && (w.whole || !is_aligned(gi, iocb, to)))
			break;
	} while (w.again || (ret > 0 && done < all));
	return ret == -EIOCBQUEUED ?
		       ret :
		       gns_read_result(iocb, to, done, min_t(ssize_t, ret, 0));
}
