// SPDX-License-Identifier: GPL-2.0
/*
 * Requests for locks: in line, one at a time, each with a number that grows, so
 * that the origin knows a late copy; see lock.h.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "fence.h"
#include "lock.h"

/* Between two times of asking an origin that wants to be asked again. */
#define AGAIN_MS 20u
#define AGAIN_MAX_MS 250u

enum lockop_bit {
	LOCKOP_OVER, /* answered, or left by who waited: the second one acts */
	LOCKOP_SENT, /* alone: its call is under way, or has ended */
	LOCKOP_UNDO, /* alone: an unlock follows */
};

static struct gns_lockop *to_op(struct gns_call *c)
{
	return container_of(c, struct gns_lockop, c);
}

/* NULL: there is none yet. */
static struct gns_lockq *lockq_of(struct gns_inode *gi)
{
	/* Pairs with the cmpxchg() in gns_lockq_get(). */
	return smp_load_acquire(&gi->lockq);
}

struct gns_lockq *gns_lockq_get(struct gns_inode *gi)
{
	struct gns_lockq *q = lockq_of(gi), *old;

	if (q)
		return q;
	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return NULL;
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->line);
	init_waitqueue_head(&q->wait);
	old = cmpxchg(&gi->lockq, NULL, q);
	if (old)
		kfree(q);
	return old ?: q;
}

void gns_lockq_free(struct gns_inode *gi)
{
	kfree(gi->lockq);
	gi->lockq = NULL;
}

static void wake_lockq(struct gns_inode *gi, void *unused)
{
	struct gns_lockq *q = lockq_of(gi);

	if (!q)
		return;
	WRITE_ONCE(q->unlocked, q->unlocked + 1);
	wake_up_all(&q->wait);
}

void gns_lock_unlocked(struct gns_session *s, const struct gns_fh *fh)
{
	spin_lock(&s->lock);
	gns_lease_for_each(s, fh, wake_lockq, NULL);
	spin_unlock(&s->lock);
}

/* The reference of the work goes with it, to its end. */
static void go_on(struct gns_lockop *op, u32 ms)
{
	queue_delayed_work(op->c.s->inst->wq, &op->work, msecs_to_jiffies(ms));
}

static void op_end(struct gns_call *c)
{
	struct gns_lockop *op = to_op(c);

	/* Somebody waits for it. */
	if (!test_and_set_bit(LOCKOP_OVER, &op->state))
		return;
	go_on(op, 0);
}

static void op_free(struct gns_call *c)
{
	struct gns_lockop *op = to_op(c);

	iput(&op->gi->vfs_inode);
	kfree(op);
}

static const struct gns_call_ops op_ops = {
	.end = op_end,
	.free = op_free,
};

/* q->lock held. The one in front begins, if it may and has not. */
static void kick(struct gns_lockq *q)
{
	struct gns_lockop *op = list_first_entry_or_null(&q->line,
							 struct gns_lockop,
							 link);

	if (!op || !op->ready || completion_done(&op->turn))
		return;
	if (test_bit(LOCKOP_OVER, &op->state)) {
		if (q->left && op->lk.op == GNS_ULK_UNLOCK)
			return;
		go_on(op, 0);
	}
	complete_all(&op->turn);
}

void gns_lockq_hold(struct gns_inode *gi)
{
	struct gns_lockq *q = lockq_of(gi);

	if (!q)
		return;
	spin_lock(&q->lock);
	q->left++;
	spin_unlock(&q->lock);
}

void gns_lockq_release(struct gns_inode *gi)
{
	struct gns_lockq *q = lockq_of(gi);

	if (!q)
		return;
	spin_lock(&q->lock);
	q->left--;
	kick(q);
	spin_unlock(&q->lock);
}

void gns_lockop_leave(struct gns_lockop *op)
{
	struct gns_lockq *q = op->q;

	spin_lock(&q->lock);
	list_del_init(&op->link);
	kick(q);
	spin_unlock(&q->lock);
	complete_all(&op->over);
}

static void enter(struct gns_lockop *op, bool ready)
{
	struct gns_lockq *q = op->q;

	spin_lock(&q->lock);
	op->nr = ++q->nr;
	op->ready = ready;
	list_add_tail(&op->link, &q->line);
	kick(q);
	spin_unlock(&q->lock);
}

static void number(struct gns_lockop *op)
{
	op->lk.seq = atomic64_inc_return(&op->c.s->lock_seq);
}

/*
 * What the origin has made of it nobody will say any more. Of a lock it is all
 * that the owner has which goes: nothing can be done under it here.
 */
static void given_up(struct gns_lockop *op)
{
	struct gns_ulock lk = op->lk;

	if (!READ_ONCE(op->c.gsb->dead) || lk.op == GNS_ULK_CANCEL ||
	    lk.how == GNS_ULH_TEST)
		return;
	if (lk.op != GNS_ULK_UNLOCK) {
		lk.start = 0;
		lk.end = U64_MAX;
	}
	gns_unlock_given_up(op->c.s, &op->c.req.fh, &lk);
}

static void finish(struct gns_lockop *op, int err)
{
	if (err == -EIO)
		given_up(op);
	op->err = err;
	gns_lockop_leave(op);
	gns_call_put(&op->c);
}

/*
 * Nobody else would do it: an unlock that is not sent is a lock that nobody has
 * and that is in everybody's way.
 */
static bool for_now(int err)
{
	return err == -EBUSY || err == -ENOMEM;
}

static void send_alone(struct gns_lockop *op)
{
	int err;

	gns_call_reset(&op->c);
	set_bit(LOCKOP_SENT, &op->state);
	number(op);
	err = gns_call_submit(&op->c);
	if (for_now(err)) {
		clear_bit(LOCKOP_SENT, &op->state);
		go_on(op, AGAIN_MAX_MS);
	} else if (err) {
		finish(op, err);
	}
}

/* It has the turn; it was not sent yet, or has an answer. */
static void alone_work(struct work_struct *work)
{
	struct gns_lockop *op = container_of(to_delayed_work(work),
					     struct gns_lockop, work);

	if (!test_bit(LOCKOP_SENT, &op->state)) {
		send_alone(op);
		return;
	}
	/* Its end has come this far, and is about to say so. */
	wait_for_completion(&op->c.done);
	clear_bit(LOCKOP_SENT, &op->state);
	if (test_and_clear_bit(LOCKOP_UNDO, &op->state)) {
		op->lk.op = GNS_ULK_UNLOCK;
		op->lk.how = GNS_ULH_TRY;
		op->lk.start = 0;
		op->lk.end = U64_MAX;
		send_alone(op);
	} else if (for_now(op->c.ans.err)) {
		go_on(op, AGAIN_MS);
	} else {
		finish(op, op->c.ans.err);
	}
}

struct gns_lockop *gns_lockop_new(struct gns_lockq *q, struct gns_inode *gi,
				  const struct gns_ulock *lk, gfp_t gfp)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	struct gns_lockop *op = kzalloc(sizeof(*op), gfp);

	if (!op)
		return NULL;
	op->q = q;
	op->lk = *lk;
	ihold(&gi->vfs_inode);
	op->gi = gi;
	INIT_LIST_HEAD(&op->link);
	init_completion(&op->turn);
	init_completion(&op->over);
	INIT_DELAYED_WORK(&op->work, alone_work);
	gns_call_init(&op->c, &op_ops, gi->s, gsb, GNS_CALL_LOCK,
		      current_cred());
	op->c.req.fh = gi->fh;
	op->c.req.lock = &op->lk;
	return op;
}

void gns_lockop_alone(struct gns_lockop *op)
{
	set_bit(LOCKOP_OVER, &op->state);
	/* Its caller may be gone before it has the turn. */
	gns_call_get(&op->c);
	enter(op, false);
}

void gns_lockop_go(struct gns_lockop *op)
{
	spin_lock(&op->q->lock);
	op->ready = true;
	kick(op->q);
	spin_unlock(&op->q->lock);
}

int gns_lockop_begin(struct gns_lockop *op)
{
	long left = gns_patience(op->c.gsb);
	int err;

	enter(op, true);
	err = gns_waited(wait_for_completion_killable_timeout(&op->turn, left));
	if (err)
		gns_lockop_leave(op);
	return err;
}

/* It goes on without us. Its reference is that of its work. */
static bool abandon(struct gns_lockop *op)
{
	gns_call_get(&op->c);
	set_bit(LOCKOP_SENT, &op->state);
	set_bit(LOCKOP_UNDO, &op->state);
	if (!test_and_set_bit(LOCKOP_OVER, &op->state))
		return true;
	/* It was answered just now. */
	gns_call_put(&op->c);
	wait_for_completion(&op->c.done);
	return false;
}

int gns_lockop_ask(struct gns_lockop *op)
{
	long patience = gns_patience(op->c.gsb), left;
	u32 pause = 0;
	int err;

	for (;; gns_call_reset(&op->c)) {
		clear_bit(LOCKOP_OVER, &op->state);
		number(op);
		err = gns_call_submit(&op->c);
		if (!err) {
			left = wait_for_completion_killable_timeout(&op->c.done,
								    patience);
			if (left <= 0 && abandon(op))
				return -EINPROGRESS;
			err = op->c.ans.err;
		}
		if (err == -EIO)
			given_up(op);
		if (err == -EOPNOTSUPP)
			return -ENOLCK;
		if (err != -EBUSY)
			return gns_not_absent(err);
		/* Overtaken: at once. The next time it may be a grace time. */
		schedule_timeout_killable(msecs_to_jiffies(pause));
		pause = clamp(2 * pause, AGAIN_MS, AGAIN_MAX_MS);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
}

bool gns_lockop_behind(struct gns_lockop *op, u64 *nr, struct gns_ulock *lk)
{
	struct gns_lockop *x;
	bool found = false;

	spin_lock(&op->q->lock);
	list_for_each_entry(x, &op->q->line, link) {
		if (x->nr <= *nr || x->lk.op != GNS_ULK_UNLOCK ||
		    x->lk.owner != op->lk.owner || x->lk.kind != op->lk.kind)
			continue;
		*nr = x->nr;
		*lk = x->lk;
		found = true;
		break;
	}
	spin_unlock(&op->q->lock);
	return found;
}
