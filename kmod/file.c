// SPDX-License-Identifier: GPL-2.0
/*
 * Regular files: which way a read goes, and when cached state counts.
 */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include "async.h"
#include "file.h"
#include "instance.h"
#include "lock.h"
#include "sets.h"
#include "size.h"

/* For a new session to count, before reads go past the cache. */
#define SESSION_WAIT HZ

/*
 * Leases of a session that has just begun count once the one before it is
 * unmapped, which is soon. False: that was not what was missing.
 */
static bool session_counts(struct gns_session *s)
{
	return !gns_session_live(s) &&
	       wait_event_killable_timeout(s->wait, gns_session_live(s),
					   SESSION_WAIT) > 0;
}

int gns_try_begin(struct gns_try *t)
{
	bool asked = false, waited = false;
	int err;

	if (t->restarts > GNS_RESTARTS_MAX)
		return t->nowait ? -EAGAIN : 0;
	while (!gns_data_enter(t->gi, &t->epoch)) {
		if (t->nowait)
			return -EAGAIN;
		if (asked) {
			if (waited || !session_counts(t->gi->s))
				return 0;
			waited = true;
			continue;
		}
		err = gns_lease_get(t->gi, GNS_UWANT_LEASE, t->file->f_cred,
				    NULL);
		if (err)
			return err;
		asked = true;
	}
	gns_size_show(t->gi);
	return 1;
}

/* The origin had no time. Pause; or, on a soft mount, give up one day. */
static int pause_busy(struct gns_try *t)
{
	struct gns_sb *gsb = gns_isb(&t->gi->vfs_inode);

	if (t->nowait)
		return -EAGAIN;
	if (!t->busy)
		t->busy = jiffies | 1;
	if (READ_ONCE(gsb->opt.soft) &&
	    time_after(jiffies, t->busy + msecs_to_jiffies(gsb->opt.timeo_ms)))
		return -ETIMEDOUT;
	schedule_timeout_killable(msecs_to_jiffies(GNS_BUSY_MS));
	return fatal_signal_pending(current) ? -EINTR : 0;
}

bool gns_try_keeps(struct gns_try *t, int *err)
{
	if (gns_lease_same(t->gi, t->epoch)) {
		if (*err == -EBUSY) {
			*err = pause_busy(t);
			return *err;
		}
		if (*err != -ESTALE && *err != -EREMCHG)
			return true;
		if (*err == -EREMCHG)
			gns_lease_drop(t->gi);
	}
	t->restarts++;
	gns_count(gns_isb(&t->gi->vfs_inode), GNS_C_RESTARTS, 1);
	return false;
}

int gns_file_size(struct file *file, loff_t *size)
{
	struct gns_inode *gi = gns_i(file_inode(file));
	struct gns_answer ans;
	u64 epoch;
	int err;

	for (;;) {
		if (gns_data_enter(gi, &epoch)) {
			*size = READ_ONCE(gi->size);
			if (gns_lease_same(gi, epoch))
				return 0;
			continue;
		}
		err = gns_lease_get(gi, GNS_UWANT_LEASE, file->f_cred, &ans);
		if (err)
			return err;
		/* Zeros: the lease had become live without a question. */
		if (ans.sid) {
			*size = min_t(u64, ans.attr.size, MAX_LFS_FILESIZE);
			return 0;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
	}
}

static ssize_t gns_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct gns_sb *gsb = gns_isb(file_inode(iocb->ki_filp));
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	if (gns_guard_check(iocb->ki_filp))
		return -EIO;
	gns_count(gsb, GNS_C_READS, 1);
	if (!(iocb->ki_flags & IOCB_DIRECT))
		ret = gns_buffered_read(iocb, to);
	else
		ret = gns_direct_read(iocb, to);
	/* It may have ended, and be no more. */
	if (ret == -EIOCBQUEUED)
		return ret;
	/* What another one did whose lock came after a lost one. */
	if (gns_guard_check(iocb->ki_filp))
		return -EIO;
	if (ret > 0)
		gns_count(gsb, GNS_C_READ_BYTES, ret);
	return ret;
}

static int gns_file_open(struct inode *inode, struct file *file)
{
	struct gns_inode *gi = gns_i(inode);
	int err;

	/* It would wait for itself, sooner or later. */
	if (gns_helper_is_me(gns_isb(inode)->s->inst))
		return -EDEADLK;
	file->f_mode |= FMODE_CAN_ODIRECT | FMODE_NOWAIT;
	gns_set_parallel_write(file);
	err = gns_open_begin(gi, file->f_cred);
	if (err)
		return err;
	gns_set_use(file_dentry(file));
	gns_size_show(gi);
	if (!(file->f_flags & O_LARGEFILE) &&
	    READ_ONCE(gi->size) > MAX_NON_LFS) {
		gns_open_end(gi);
		return -EOVERFLOW;
	}
	return 0;
}

static int gns_file_release(struct inode *inode, struct file *file)
{
	gns_guard_release(file);
	gns_open_end(gns_i(inode));
	return 0;
}

const struct file_operations gns_file_fops = {
	.owner = THIS_MODULE,
	.open = gns_file_open,
	.release = gns_file_release,
	.read_iter = gns_read_iter,
	.iopoll = iocb_bio_iopoll,
	.splice_read = gns_splice_read,
	.llseek = gns_file_llseek,
	.mmap = gns_file_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
	.write_iter = gns_write_iter,
	.splice_write = iter_file_splice_write,
	.fsync = gns_fsync,
	.fallocate = gns_fallocate,
	.copy_file_range = gns_copy_file_range,
	.remap_file_range = gns_remap_file_range,
	.lock = gns_lock,
	.flock = gns_flock,
	/* A local lease would not hear of changes elsewhere. */
	.setlease = simple_nosetlease,
	GNS_FOP_FLAGS
};
