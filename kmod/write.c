// SPDX-License-Identifier: GPL-2.0
/*
 * Writing regular files: through to the origin, acknowledged when it has the
 * bytes, durable at fsync(2).
 *
 * A write is sent in pieces of GNS_UWRITE_MAX, each of which is one change: it
 * is there as a whole or not at all. No lock is held meanwhile: the origin
 * puts writes of one file in line, and finds the end for those that append.
 * Pieces of one write are under way together, and happen in any order; but
 * for those that append, whose order is where they go.
 */
#include <linux/falloc.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include "change.h"
#include "file.h"
#include "instance.h"
#include "lock.h"
#include "size.h"

/* Pieces of one write that are under way. */
#define PIECES_MAX 8u

/* Without bytes: they are taken from @from, @got of them. */
static struct gns_change *write_new(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	u32 len = min_t(size_t, iov_iter_count(from), GNS_UWRITE_MAX);
	struct gns_change *ch = gns_change_new(inode->i_sb, GNS_CALL_WRITE,
					       iocb->ki_filp->f_cred, len);
	size_t got;
	int err;

	if (!ch)
		return ERR_PTR(-ENOMEM);
	got = copy_from_iter(ch->buf, len, from);
	err = got ? gns_guard_call(&ch->c, iocb->ki_filp) : -EFAULT;
	if (err) {
		iov_iter_revert(from, got);
		gns_change_put(ch);
		return ERR_PTR(err);
	}
	gns_change_touches(ch, inode);
	ch->c.req.fh = gns_i(inode)->fh;
	ch->c.req.payload_len = got;
	ch->c.req.off = iocb->ki_pos;
	ch->c.req.flags = (iocb->ki_flags & IOCB_APPEND ? GNS_UW_APPEND : 0) |
			  (iocb_is_dsync(iocb) ? GNS_UW_SYNC : 0);
	return ch;
}

/* Bytes that the origin has; an errno. @err: of the change. */
static ssize_t write_result(struct gns_change *ch, int err)
{
	u64 count = ch->c.ans.count;

	if (err)
		return err;
	if (!count || count > ch->c.req.payload_len) {
		gns_err(ch->c.gsb, "WRITE of %u bytes: the origin says that it wrote %llu; look at its log\n",
			ch->c.req.payload_len, count);
		return -EIO;
	}
	gns_count(ch->c.gsb, GNS_C_WRITE_BYTES, count);
	return count;
}

/* One piece. Bytes written, fewer when there is no room for more; an errno. */
static ssize_t write_piece(struct kiocb *iocb, struct iov_iter *from)
{
	struct gns_change *ch = write_new(iocb, from);
	size_t got;
	ssize_t ret;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	got = ch->c.req.payload_len;
	ret = write_result(ch, gns_change_run(ch));
	if (ret > 0)
		iocb->ki_pos = ch->c.ans.off + ret;
	if (ret < (ssize_t)got)
		iov_iter_revert(from, got - max_t(ssize_t, ret, 0));
	gns_change_put(ch);
	return ret;
}

/**
 * struct row - pieces of one write
 * @first: oldest under way
 * @n:     under way
 * @piece: a ring of them
 */
struct row {
	u32 first;
	u32 n;
	struct gns_change *piece[PIECES_MAX];
};

/* Another one on its way, and ki_pos behind it. */
static int row_send(struct row *row, struct kiocb *iocb, struct iov_iter *from)
{
	struct gns_change *ch = write_new(iocb, from);
	int err;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	err = gns_change_start(ch, false);
	if (err) {
		iov_iter_revert(from, ch->c.req.payload_len);
		gns_change_put(ch);
		return err;
	}
	iocb->ki_pos += ch->c.req.payload_len;
	row->piece[(row->first + row->n++) % PIECES_MAX] = ch;
	return 0;
}

/* The oldest: what became of it. @len: of it, bytes. */
static ssize_t row_next(struct row *row, u32 *len)
{
	struct gns_change *ch = row->piece[row->first];
	ssize_t ret = write_result(ch, gns_change_wait(ch));

	row->first = (row->first + 1) % PIECES_MAX;
	row->n--;
	*len = ch->c.req.payload_len;
	gns_change_put(ch);
	return ret;
}

/* Nobody waits for them any more; they may happen yet. */
static void row_drop(struct row *row)
{
	for (; row->n; row->n--) {
		gns_change_put(row->piece[row->first]);
		row->first = (row->first + 1) % PIECES_MAX;
	}
}

/*
 * Bytes up to the first one that was not written; an errno if that is the
 * first of all. What is under way behind it is waited for: who writes it again
 * must not be overtaken by it.
 */
static ssize_t write_row(struct kiocb *iocb, struct iov_iter *from)
{
	size_t whole = iov_iter_count(from);
	loff_t begin = iocb->ki_pos;
	struct row row = {};
	ssize_t total = 0, ret;
	bool cut = false;
	int err = 0;
	u32 len;

	for (;;) {
		while (!err && !cut && row.n < PIECES_MAX &&
		       iov_iter_count(from))
			err = row_send(&row, iocb, from);
		if (!row.n)
			break;
		ret = row_next(&row, &len);
		if (ret == -EINTR || ret == -ETIMEDOUT)
			row_drop(&row);
		if (cut)
			continue;
		if (ret > 0)
			total += ret;
		else
			err = ret;
		cut = ret < (ssize_t)len;
	}
	iov_iter_revert(from, whole - iov_iter_count(from) - total);
	iocb->ki_pos = begin + total;
	return total ? total : err;
}

static void write_over(struct gns_change *ch)
{
	ssize_t ret = write_result(ch, ch->c.ans.err);
	struct kiocb *iocb = ch->async.iocb;

	if (gns_async_claim(&ch->async)) {
		if (ret > 0)
			iocb->ki_pos = ch->c.ans.off + ret;
		iocb->ki_complete(iocb, ret);
	}
	/* Not before: who cancels it looks at ours. */
	gns_change_put(ch);
}

static ssize_t write_async(struct kiocb *iocb, struct iov_iter *from)
{
	size_t whole = iov_iter_count(from);
	struct gns_change *ch = write_new(iocb, from);
	int err;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	ch->over = write_over;
	gns_async_begin(&ch->async, iocb, &ch->c);
	err = gns_change_start(ch, iocb->ki_flags & IOCB_NOWAIT);
	if (!err)
		return -EIOCBQUEUED;
	iov_iter_revert(from, whole - iov_iter_count(from));
	err = gns_async_failed(&ch->async, err);
	gns_change_put(ch);
	return err;
}

/*
 * Where it appends is found by the origin. The limit of the process is checked
 * as near as can be, and only if there is one: the size has to be asked for.
 */
static ssize_t append_checks(struct kiocb *iocb, struct iov_iter *from)
{
	loff_t size = 0;
	ssize_t ret;

	if (rlimit(RLIMIT_FSIZE) != RLIM_INFINITY) {
		if (iocb->ki_flags & IOCB_NOWAIT)
			return -EAGAIN;
		ret = gns_file_size(iocb->ki_filp, &size);
		if (ret)
			return ret;
	}
	iocb->ki_pos = size;
	iocb->ki_flags &= ~IOCB_APPEND;
	ret = generic_write_checks(iocb, from);
	iocb->ki_flags |= IOCB_APPEND;
	return ret;
}

ssize_t gns_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	bool async = gns_async_can(iocb, iov_iter_count(from), GNS_UWRITE_MAX);
	loff_t begin = iocb->ki_pos;
	ssize_t ret, total = 0;
	size_t want;

	/* It waits for the origin. */
	if (iocb->ki_flags & IOCB_NOWAIT && !async)
		return -EAGAIN;
	ret = iocb->ki_flags & IOCB_APPEND ? append_checks(iocb, from) :
					     generic_write_checks(iocb, from);
	if (ret <= 0) {
		iocb->ki_pos = begin;
		return ret;
	}
	gns_count(gns_isb(inode), GNS_C_WRITES, 1);
	if (async)
		return write_async(iocb, from);
	if (iov_iter_count(from) > GNS_UWRITE_MAX &&
	    !(iocb->ki_flags & IOCB_APPEND))
		return write_row(iocb, from);
	while (iov_iter_count(from)) {
		want = min_t(size_t, iov_iter_count(from), GNS_UWRITE_MAX);
		ret = write_piece(iocb, from);
		if (ret > 0)
			total += ret;
		if (ret < (ssize_t)want)
			break;
		cond_resched();
	}
	if (total)
		return total;
	iocb->ki_pos = begin;
	return ret;
}

static int send_fsync(struct gns_inode *gi, u32 flags, u64 incarnation)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	struct gns_bufcall *c = gns_bufcall_new(gi->s, gsb, GNS_CALL_FSYNC,
						current_cred(), 0);
	int err;

	if (!c)
		return -ENOMEM;
	c->c.req.fh = gi->fh;
	c->c.req.flags = flags;
	c->c.req.incarnation = incarnation;
	err = gns_not_absent(gns_call_sync(&c->c));
	gns_call_put(&c->c);
	return err;
}

/* Nobody knows, or asked: the next one asks for the same. */
static bool is_left(int err)
{
	return err == -EINTR || err == -ERESTARTSYS || err == -ETIMEDOUT ||
	       err == -ENOMEM;
}

/* Several at a time are told the same of what was there before all of them. */
static u64 fsync_begin(struct gns_inode *gi)
{
	u64 unsynced;

	spin_lock(&gi->lock);
	if (!gi->syncing)
		gi->syncing = gi->unsynced;
	unsynced = gi->syncing;
	gi->unsynced = 0;
	gi->nsyncing++;
	spin_unlock(&gi->lock);
	return unsynced;
}

static void fsync_end(struct gns_inode *gi, u64 unsynced, bool left)
{
	spin_lock(&gi->lock);
	if (!--gi->nsyncing)
		gi->syncing = 0;
	if (left && unsynced)
		gi->unsynced = unsynced;
	spin_unlock(&gi->lock);
}

/*
 * An error is told once to each file that was open at the time, as errseq_t
 * has it: what could not be made durable will not be by asking again.
 */
int gns_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file_inode(file);
	struct gns_inode *gi = gns_i(inode);
	u64 unsynced;
	int err;

	err = gns_guard_check(file);
	if (err)
		return err;
	unsynced = fsync_begin(gi);
	err = send_fsync(gi, datasync ? GNS_UFS_DATA : 0, unsynced);
	if (is_left(err)) {
		fsync_end(gi, unsynced, true);
		return err;
	}
	if (err && S_ISREG(inode->i_mode)) {
		mapping_set_error(inode->i_mapping, err);
		err = 0;
	}
	fsync_end(gi, unsynced, false);
	return err ?: file_check_and_advance_wb_err(file);
}

static u64 swap_unsynced(struct gns_sb *gsb, u64 with)
{
	u64 was;

	spin_lock(&gsb->calls_lock);
	was = gsb->unsynced;
	gsb->unsynced = with;
	spin_unlock(&gsb->calls_lock);
	return was;
}

static u64 incarnation_now(struct gns_session *s)
{
	u64 now;

	spin_lock(&s->lock);
	now = s->incarnation;
	spin_unlock(&s->lock);
	return now;
}

/*
 * One at a time: who finds nothing to do must not return before another one,
 * who does it. An error is told to who asks, and once to each file that is
 * open; the next one asks for what the origin's disk has of now.
 */
int gns_sync_fs(struct super_block *sb, int wait)
{
	struct gns_sb *gsb = gns_sb(sb);
	u64 unsynced;
	int err;

	/* Every change is at the origin already: there is nothing to begin. */
	if (!wait)
		return 0;
	/* The last one is when it is gone, and nobody can wait any more. */
	if (READ_ONCE(gsb->dead) || gns_helper_is_me(gsb->s->inst))
		return 0;
	err = mutex_lock_killable(&gsb->sync_mutex);
	if (err)
		return err;
	unsynced = swap_unsynced(gsb, 0);
	if (unsynced)
		err = send_fsync(gns_i(d_inode(sb->s_root)), GNS_UFS_ALL,
				 unsynced);
	if (is_left(err)) {
		swap_unsynced(gsb, unsynced);
	} else if (err) {
		errseq_set(&sb->s_wb_err, err);
		swap_unsynced(gsb, incarnation_now(gsb->s));
	}
	mutex_unlock(&gsb->sync_mutex);
	return err;
}

/* How far the process may make it grow; the origin knows nothing of that. */
static int check_growth(struct file *file, int mode, loff_t off, loff_t len)
{
	loff_t size;
	int err;

	if (rlimit(RLIMIT_FSIZE) == RLIM_INFINITY ||
	    mode & (FALLOC_FL_KEEP_SIZE | FALLOC_FL_COLLAPSE_RANGE))
		return 0;
	err = gns_file_size(file, &size);
	if (err)
		return err;
	if (mode & FALLOC_FL_INSERT_RANGE)
		off = size;
	return gns_size_may_be(gns_i(file_inode(file)), size, (u64)off + len);
}

long gns_fallocate(struct file *file, int mode, loff_t off, loff_t len)
{
	struct inode *inode = file_inode(file);
	struct gns_change *ch;
	int err;

	err = check_growth(file, mode, off, len);
	if (err)
		return err;
	ch = gns_change_new(inode->i_sb, GNS_CALL_FALLOCATE, file->f_cred, 0);
	if (!ch)
		return -ENOMEM;
	gns_change_touches(ch, inode);
	ch->c.req.fh = gns_i(inode)->fh;
	ch->c.req.off = off;
	ch->c.req.count = len;
	ch->c.req.flags = mode;
	/* Some modes move all that is behind. */
	ch->from = off;
	ch->to = mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE) ?
			 U64_MAX :
			 off + len;
	err = gns_guard_call(&ch->c, file);
	if (!err)
		err = gns_change_run(ch);
	gns_change_put(ch);
	return err;
}
