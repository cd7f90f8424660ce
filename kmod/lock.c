// SPDX-License-Identifier: GPL-2.0
/*
 * What the VFS asks for: at the origin first, then in its own record; see
 * lock.h.
 */
#include <linux/sched/signal.h>
#include "lock.h"
#include "size.h"

/* Who waits for somebody else's lock asks again after that, told or not. */
#define ASK_AGAIN HZ
/* A process that ends waits no longer for the origin to hear of its unlock. */
#define LAST_WAIT HZ

static u64 owner_of(const struct gns_session *s, const void *owner)
{
	return siphash_1u64((unsigned long)owner, &s->lock_key);
}

static struct gns_ulock to_ulock(const struct file *file,
				 const struct file_lock *fl)
{
	bool whole = gns_fl(fl, flags) & FL_FLOCK;
	struct gns_ulock lk = {
		.owner = owner_of(gns_i(file_inode(file))->s, gns_fl(fl, owner)),
		.start = whole ? 0 : fl->fl_start,
		.end = whole || fl->fl_end == OFFSET_MAX ? U64_MAX : fl->fl_end,
		.pid = task_tgid_nr(current),
		.kind = whole ? GNS_ULC_WHOLE : GNS_ULC_RANGE,
	};

	if (gns_fl(fl, type) == F_UNLCK)
		lk.op = GNS_ULK_UNLOCK;
	else if (gns_fl(fl, type) == F_WRLCK)
		lk.op = GNS_ULK_WRITE;
	return lk;
}

/* In the VFS's record, which has nobody wait. */
static int record(struct file *file, struct file_lock *fl, int type,
		  loff_t start, loff_t end)
{
	unsigned int flags = gns_fl(fl, flags);
	int old = gns_fl(fl, type), err;
	loff_t old_start = fl->fl_start, old_end = fl->fl_end;

	gns_fl(fl, flags) &= ~FL_SLEEP;
	gns_fl(fl, type) = type;
	fl->fl_start = start;
	fl->fl_end = end;
	err = locks_lock_file_wait(file, fl);
	fl->fl_start = old_start;
	fl->fl_end = old_end;
	gns_fl(fl, type) = old;
	gns_fl(fl, flags) = flags;
	return err;
}

static int record_unlock(struct file *file, struct file_lock *fl, u64 start,
			 u64 end)
{
	/* That there is nothing to unlock is no error. */
	gns_fl(fl, flags) &= ~FL_EXISTS;
	return record(file, fl, F_UNLCK, start,
		      end > OFFSET_MAX ? OFFSET_MAX : end);
}

/* What of it is in the record: of this owner, or through this file. */
static bool has_locks(const struct file *file, const struct file_lock *fl,
		      bool by_file)
{
	struct file_lock_context *ctx = locks_inode_context(file_inode(file));
	bool whole = gns_fl(fl, flags) & FL_FLOCK, found = false;
	struct file_lock *x;

	if (!ctx)
		return false;
	spin_lock(&ctx->flc_lock);
	if (by_file || !whole) {
		gns_for_each_lock(x, &ctx->flc_posix)
			found |= gns_fl(x, owner) == gns_fl(fl, owner) ||
				 (by_file && gns_fl(x, file) == file);
	}
	if (by_file || whole) {
		gns_for_each_lock(x, &ctx->flc_flock)
			found |= gns_fl(x, file) == file;
	}
	spin_unlock(&ctx->flc_lock);
	return found;
}

static void forget(struct file *file, struct file_lock *fl)
{
	if (!has_locks(file, fl, true))
		gns_guard_clear(file);
}

/*
 * What the owner has now nobody can tell, so that the origin takes it all away:
 * if he had some, then he has lost it.
 */
static void undone(struct file *file, struct file_lock *fl)
{
	if (has_locks(file, fl, false))
		gns_guard_lose(file);
	forget(file, fl);
}

static void unlock_later(struct gns_lockop *op)
{
	struct gns_ulock lk = op->lk;
	struct gns_lockop *un;

	lk.op = GNS_ULK_UNLOCK;
	lk.how = GNS_ULH_TRY;
	lk.start = 0;
	lk.end = U64_MAX;
	un = gns_lockop_new(op->q, op->gi, &lk, GFP_KERNEL | __GFP_NOFAIL);
	gns_lockop_alone(un);
	gns_lockop_go(un);
	gns_call_put(&un->c);
}

/*
 * Behind its session's deadline it may be somebody else's already. Whether it is
 * can be told once the session is renewed, or another one has begun.
 */
static int wait_certain(struct gns_lockop *op)
{
	struct gns_session *s = op->c.s;
	struct gns_sb *gsb = op->c.gsb;
	long left = wait_event_killable_timeout(s->wait,
						gns_session_live(s) ||
							READ_ONCE(gsb->dead),
						gns_patience(gsb));

	if (left > 0 && READ_ONCE(gsb->dead))
		return -EIO;
	return gns_waited(left);
}

/* The origin gave it; others of this owner may be unlocking already. */
static int granted(struct file *file, struct file_lock *fl,
		   struct gns_lockop *op)
{
	int err = wait_certain(op);
	struct gns_ulock lk;
	u64 nr = op->nr;

	if (!err)
		err = gns_guard_add(file, op->c.ans.sid);
	if (err == -ESTALE)
		return err;
	if (!err)
		err = record(file, fl, gns_fl(fl, type), fl->fl_start,
			     fl->fl_end);
	if (err) {
		unlock_later(op);
		undone(file, fl);
		return err;
	}
	while (gns_lockop_behind(op, &nr, &lk))
		record_unlock(file, fl, lk.start, lk.end);
	return 0;
}

/* Has the turn. -EAGAIN: somebody has it. -ESTALE: as granted(). */
static int ask_origin(struct file *file, struct file_lock *fl,
		      struct gns_lockop *op)
{
	int err = gns_lockop_ask(op);

	if (!err)
		return granted(file, fl, op);
	if (err == -EIO) {
		/* The origin may have given it, with nobody to hear of it. */
		unlock_later(op);
		undone(file, fl);
	} else if (err == -EAGAIN && op->lk.kind == GNS_ULC_WHOLE) {
		/* What it had before is lost by that, there as well as here. */
		record_unlock(file, fl, 0, U64_MAX);
	}
	return err;
}

/* -EAGAIN: somebody has it. -ESTALE: it was got in a session that is lost. */
static int ask(struct file *file, struct file_lock *fl, struct gns_lockop *op)
{
	int err = gns_guard_check(file);

	if (!err)
		err = ask_origin(file, fl, op);
	if (err == -EINPROGRESS) {
		undone(file, fl);
		return fatal_signal_pending(current) ? -EINTR : -ETIMEDOUT;
	}
	if (err)
		forget(file, fl);
	gns_lockop_leave(op);
	return err;
}

static int ask_once(struct file *file, struct file_lock *fl,
		    struct gns_lockq *q, u8 how)
{
	struct gns_ulock lk = to_ulock(file, fl);
	struct gns_lockop *op;
	int err;

	lk.how = how;
	op = gns_lockop_new(q, gns_i(file_inode(file)), &lk, GFP_KERNEL);
	if (!op)
		return -ENOMEM;
	err = gns_lockop_begin(op);
	if (!err)
		err = ask(file, fl, op);
	gns_call_put(&op->c);
	return err;
}

static void cancel(struct file *file, struct file_lock *fl,
		   struct gns_lockq *q)
{
	struct gns_ulock lk = to_ulock(file, fl);
	struct gns_lockop *op;

	lk.op = GNS_ULK_CANCEL;
	op = gns_lockop_new(q, gns_i(file_inode(file)), &lk, GFP_KERNEL);
	/* In a while the origin will not wait for it any more. */
	if (!op)
		return;
	gns_lockop_alone(op);
	gns_lockop_go(op);
	gns_call_put(&op->c);
}

static int set_lock(struct file *file, struct file_lock *fl,
		    struct gns_lockq *q, bool wait)
{
	bool waited = false;
	long left;
	int err;
	u64 seen;

	for (;;) {
		seen = READ_ONCE(q->unlocked);
		err = ask_once(file, fl, q,
			       wait ? GNS_ULH_WAIT : GNS_ULH_TRY);
		if (err == -ESTALE && !fatal_signal_pending(current))
			continue;
		if (err != -EAGAIN || !wait)
			break;
		waited = true;
		left = wait_event_interruptible_timeout(q->wait,
							READ_ONCE(q->unlocked) != seen,
							ASK_AGAIN);
		if (left < 0) {
			err = left;
			break;
		}
	}
	if (err && waited)
		cancel(file, fl, q);
	return err;
}

/* With the session the lock goes, too: then nobody has to hear of it. */
static void wait_unlocked(struct gns_lockop *op)
{
	u32 patience = current->flags & PF_EXITING ? 2 : U32_MAX;

	while (patience-- && gns_session_live(op->c.s))
		if (wait_for_completion_killable_timeout(&op->over,
							 LAST_WAIT / 2))
			break;
}

static int unlock(struct file *file, struct file_lock *fl, struct gns_lockq *q)
{
	struct gns_ulock lk = to_ulock(file, fl);
	struct gns_lockop *op;
	int err;

	/* Of what is on its way nobody can say that it was there before. */
	if (!has_locks(file, fl, false))
		return record(file, fl, F_UNLCK, fl->fl_start, fl->fl_end);
	op = gns_lockop_new(q, gns_i(file_inode(file)), &lk,
			    GFP_KERNEL | __GFP_NOFAIL);
	gns_lockop_alone(op);
	err = record(file, fl, F_UNLCK, fl->fl_start, fl->fl_end);
	/* Two are left of one, without memory for it: who goes by the error
	 * believes that he has it all.
	 */
	if (err)
		gns_guard_lose(file);
	forget(file, fl);
	gns_lockop_go(op);
	wait_unlocked(op);
	gns_call_put(&op->c);
	/* Another one here, whom a lost lock was in the way of. */
	wake_up_all(&q->wait);
	return err;
}

/* The record knows who it is, if it is somebody here. */
static int test_lock(struct file *file, struct file_lock *fl)
{
	struct gns_inode *gi = gns_i(file_inode(file));
	struct gns_ulock lk = to_ulock(file, fl);
	struct gns_lockq *q = gns_lockq_get(gi);
	struct gns_lockop *op;
	int err;

	posix_test_lock(file, fl);
	if (gns_fl(fl, type) != F_UNLCK)
		return 0;
	lk.how = GNS_ULH_TEST;
	op = q ? gns_lockop_new(q, gi, &lk, GFP_KERNEL) : NULL;
	if (!op)
		return -ENOMEM;
	err = gns_lockop_begin(op);
	if (!err) {
		err = gns_lockop_ask(op);
		if (err != -EINPROGRESS)
			gns_lockop_leave(op);
		else
			err = -EINTR;
	}
	if (!err && op->c.ans.found) {
		lk = op->c.ans.lock;
		gns_fl(fl, type) = lk.op == GNS_ULK_WRITE ? F_WRLCK : F_RDLCK;
		fl->fl_start = min_t(u64, lk.start, OFFSET_MAX);
		fl->fl_end = min_t(u64, lk.end, OFFSET_MAX);
		/* Of another host, as the VFS has it. */
		gns_fl(fl, pid) = -(pid_t)(lk.pid & INT_MAX);
	}
	gns_call_put(&op->c);
	return err;
}

static int set(struct file *file, int cmd, struct file_lock *fl)
{
	struct gns_inode *gi = gns_i(file_inode(file));
	struct gns_lockq *q = gns_lockq_get(gi);

	if (gns_fl(fl, type) == F_UNLCK) {
		/* Nothing was ever locked. */
		if (!q)
			return record(file, fl, F_UNLCK, fl->fl_start,
				      fl->fl_end);
		return unlock(file, fl, q);
	}
	if (!q || gns_guard_make(file))
		return -ENOMEM;
	return set_lock(file, fl, q, cmd == F_SETLKW);
}

int gns_lock(struct file *file, int cmd, struct file_lock *fl)
{
	int err = gns_size_of_lock(file, fl);

	if (err)
		return err;
	if (cmd == F_GETLK)
		return test_lock(file, fl);
	/* That a lock manager is told later is not known here. */
	if (cmd == F_CANCELLK)
		return -EINVAL;
	return set(file, cmd, fl);
}

int gns_flock(struct file *file, int cmd, struct file_lock *fl)
{
	return set(file, cmd, fl);
}
