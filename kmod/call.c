// SPDX-License-Identifier: GPL-2.0
/*
 * Calls: the table, their one end, and the wait for it; see call.h.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "gns.h"
#include "session.h"
#include "trace.h"

/* Between two times of asking an origin that is busy. */
#define PAUSE_MS 100u

#define NOBODY 65534u /* on every Linux */

/** struct cancel - the word that nobody waits for a call any more */
struct cancel {
	struct gns_word word;
	u64 id;
};

static int cancel_fill(struct gns_word *w, struct sk_buff *skb)
{
	return gns_put_u64(skb, GNS_A_ID,
			   container_of(w, struct cancel, word)->id);
}

static void cancel_put(struct gns_word *w)
{
	kfree(container_of(w, struct cancel, word));
}

/* Without memory it is not said: then an answer comes, and is ignored. */
static struct cancel *cancel_new(u64 id)
{
	struct cancel *x = kzalloc(sizeof(*x), GFP_NOWAIT | __GFP_NOWARN);

	if (!x)
		return NULL;
	INIT_LIST_HEAD(&x->word.link);
	x->word.kind = GNS_WORD_CANCEL;
	x->word.fill = cancel_fill;
	x->word.put = cancel_put;
	x->id = id;
	return x;
}

/* Who is mapped nowhere asks as nobody. */
static u32 or_nobody(u32 id)
{
	return id == U32_MAX ? NOBODY : id;
}

static int put_groups(struct sk_buff *skb, const struct gns_sb *gsb,
		      const struct group_info *gi)
{
	u32 n = min_t(u32, gi->ngroups, GNS_UGROUPS_MAX), i, *g;
	struct nlattr *a;

	if (!n)
		return 0;
	a = nla_reserve(skb, GNS_A_GROUPS, n * sizeof(u32));
	if (!a)
		return -EMSGSIZE;
	g = nla_data(a);
	for (i = 0; i < n; i++)
		g[i] = or_nobody(gns_gid_origin(gsb, gi->gid[i]));
	return 0;
}

static int put_cred_ids(struct sk_buff *skb, const struct gns_sb *gsb,
			const struct cred *cred)
{
	if (nla_put_u32(skb, GNS_A_UID,
			or_nobody(gns_uid_origin(gsb, cred->fsuid))) ||
	    nla_put_u32(skb, GNS_A_GID,
			or_nobody(gns_gid_origin(gsb, cred->fsgid))))
		return -EMSGSIZE;
	return put_groups(skb, gsb, cred->group_info);
}

static int put_u32(struct sk_buff *skb, int type, u32 v)
{
	return v ? nla_put_u32(skb, type, v) : 0;
}

static int put_u64(struct sk_buff *skb, int type, u64 v)
{
	return v ? gns_put_u64(skb, type, v) : 0;
}

static int put_bytes(struct sk_buff *skb, int type, const void *p, u32 len)
{
	return len ? nla_put(skb, type, len, p) : 0;
}

/* A helper that knows no umask gets a mode without its bits. */
static int put_mode(struct sk_buff *skb, const struct gns_req *q, u64 features)
{
	if (!(features & GNS_F_ACL))
		return put_u32(skb, GNS_A_MODE, q->mode & ~q->umask);
	return put_u32(skb, GNS_A_MODE, q->mode) ||
			       put_u32(skb, GNS_A_UMASK, q->umask) ?
		       -EMSGSIZE :
		       0;
}

static int put_victim(struct sk_buff *skb, const struct gns_fh *fh,
		      u64 features)
{
	if (!fh || !(features & GNS_F_HOLD))
		return 0;
	return put_bytes(skb, GNS_A_VICTIM, fh->b, fh->len);
}

/*
 * What only changes have, FSYNC and LOCK. A zero is not said; that is slot 0's
 * too, but SEQ says that it is a change.
 */
static int put_change(struct sk_buff *skb, const struct gns_req *q,
		      u64 features)
{
	if (put_u32(skb, GNS_A_SLOT, q->slot) ||
	    put_u64(skb, GNS_A_SEQ, q->seq) ||
	    put_mode(skb, q, features) ||
	    put_u32(skb, GNS_A_RDEV, q->rdev) ||
	    put_bytes(skb, GNS_A_FH2, q->fh2.b, q->fh2.len) ||
	    put_bytes(skb, GNS_A_NAME2, q->name2, q->namelen2) ||
	    put_u64(skb, GNS_A_OFF2, q->off2) ||
	    put_u64(skb, GNS_A_COUNT, q->count) ||
	    put_u64(skb, GNS_A_INCARNATION, q->incarnation) ||
	    put_bytes(skb, GNS_A_SETATTR, q->setattr,
		      q->setattr ? sizeof(*q->setattr) : 0) ||
	    put_victim(skb, q->victim, features) ||
	    put_bytes(skb, GNS_A_LOCK, q->lock,
		      q->lock ? sizeof(*q->lock) : 0))
		return -EMSGSIZE;
	return 0;
}

/* inst->lock held: the call has not ended, what it points to is there. */
static int call_fill(struct gns_word *w, struct sk_buff *skb)
{
	struct gns_call *c = container_of(w, struct gns_call, word);
	const struct gns_req *q = &c->req;
	u32 unknown = c->s->inst->features & GNS_F_NAMES ? 0 : GNS_UWANT_NAMES;

	if (nla_put_u32(skb, GNS_A_ORIGIN, c->s->nr) ||
	    gns_put_u64(skb, GNS_A_ID, c->id) ||
	    nla_put_u32(skb, GNS_A_CALL, q->type) ||
	    put_u64(skb, GNS_A_EPOCH, q->epoch) ||
	    put_u64(skb, GNS_A_LEASE, q->lease) ||
	    put_u32(skb, GNS_A_WANT, q->want & ~unknown) ||
	    put_bytes(skb, GNS_A_FH, q->fh.b, q->fh.len) ||
	    put_bytes(skb, GNS_A_NAME, q->name, q->namelen) ||
	    put_u64(skb, GNS_A_OFF, q->off) ||
	    put_u32(skb, GNS_A_LEN, q->len) ||
	    put_u32(skb, GNS_A_FLAGS, q->flags) ||
	    put_u32(skb, GNS_A_PAYLOAD, q->payload_len) ||
	    put_change(skb, q, c->s->inst->features) ||
	    put_cred_ids(skb, c->gsb, q->cred))
		return -EMSGSIZE;
	set_bit(GNS_CALL_SENT, &c->state);
	trace_gns_call_sent(c, 0);
	return 0;
}

static void call_put(struct gns_word *w)
{
	gns_call_put(container_of(w, struct gns_call, word));
}

void gns_call_init(struct gns_call *c, const struct gns_call_ops *ops,
		   struct gns_session *s, struct gns_sb *gsb, u32 type,
		   const struct cred *cred)
{
	kref_init(&c->ref);
	INIT_LIST_HEAD(&c->word.link);
	c->word.kind = GNS_WORD_CALL;
	c->word.fill = call_fill;
	c->word.put = call_put;
	c->ops = ops;
	gns_session_get(s);
	c->s = s;
	c->gsb = gsb;
	if (gsb)
		atomic_inc(&gsb->ncalls);
	INIT_LIST_HEAD(&c->by_sb);
	init_completion(&c->done);
	c->req.type = type;
	c->req.cred = get_cred(cred);
}

void gns_call_get(struct gns_call *c)
{
	kref_get(&c->ref);
}

static void release(struct kref *ref)
{
	struct gns_call *c = container_of(ref, struct gns_call, ref);
	struct gns_session *s = c->s;
	struct gns_sb *gsb = c->gsb;

	put_cred(c->req.cred);
	c->ops->free(c);
	/* Before the mount may go, for the namespace may go with it. */
	gns_session_put(s);
	if (gsb) {
		/* The lock keeps the mount until it is woken. */
		spin_lock(&gsb->calls_lock);
		if (atomic_dec_and_test(&gsb->ncalls))
			wake_up_all(&gsb->calls_gone);
		spin_unlock(&gsb->calls_lock);
	}
}

void gns_call_put(struct gns_call *c)
{
	kref_put(&c->ref, release);
}

void gns_call_drain(struct gns_sb *gsb)
{
	wait_event(gsb->calls_gone, !atomic_read(&gsb->ncalls));
	spin_lock(&gsb->calls_lock); /* see release() */
	spin_unlock(&gsb->calls_lock);
}

/* The feature that a helper needs for calls of a type; 0: none. */
static u64 feature_for(u32 type)
{
	if (type == GNS_CALL_SEEK)
		return GNS_F_SEEK;
	if (type == GNS_CALL_LOCK)
		return GNS_F_LOCK;
	if (type == GNS_CALL_TMPFILE)
		return GNS_F_CHANGE | GNS_F_HOLD | GNS_F_TMPFILE;
	return type >= GNS_CALL_WRITE ? GNS_F_CHANGE : 0;
}

/* A place in the table, so that entering it can not fail any more. */
static int reserve(struct gns_call *c)
{
	struct gns_instance *inst = c->s->inst;
	u64 needed = feature_for(c->req.type);
	int err = -EBUSY;

	if (needed & ~READ_ONCE(inst->features))
		return -EOPNOTSUPP;
	if (atomic_inc_return(&inst->ncalls) <= GNS_CALLS_MAX) {
		c->id = atomic64_inc_return(&inst->next_id);
		err = xa_reserve_bh(&inst->calls, c->id, GFP_NOFS);
	}
	if (err)
		atomic_dec(&inst->ncalls);
	return err;
}

static void unreserve(struct gns_call *c)
{
	struct gns_instance *inst = c->s->inst;

	xa_erase_bh(&inst->calls, c->id);
	atomic_dec(&inst->ncalls);
}

static int join_mount(struct gns_call *c)
{
	struct gns_sb *gsb = c->gsb;
	int err = 0;

	if (!gsb)
		return 0;
	spin_lock(&gsb->calls_lock);
	if (READ_ONCE(gsb->dead))
		err = -EIO;
	else if (!test_bit(GNS_CALL_CLAIMED, &c->state))
		list_add_tail(&c->by_sb, &gsb->calls);
	spin_unlock(&gsb->calls_lock);
	return err;
}

static void leave_mount(struct gns_call *c)
{
	if (!c->gsb)
		return;
	spin_lock(&c->gsb->calls_lock);
	list_del_init(&c->by_sb);
	spin_unlock(&c->gsb->calls_lock);
}

/*
 * False: it has ended before it began, or must not begin. Of a session that is
 * being lost either the new gen is seen here, or the call by who ends those that
 * depend on it.
 */
static bool publish(struct gns_call *c)
{
	struct gns_instance *inst = c->s->inst;
	u32 portid = 0;
	bool ok;

	spin_lock_bh(&inst->lock);
	ok = !test_bit(GNS_CALL_CLAIMED, &c->state) && !gns_call_is_lost(c);
	if (ok) {
		gns_call_get(c); /* the table's */
		xa_store(&inst->calls, c->id, c, GFP_NOWAIT);
		gns_call_get(c); /* the line's */
		portid = gns_word_post_locked(inst, &c->word);
	}
	spin_unlock_bh(&inst->lock);
	gns_word_ring(inst, portid);
	return ok;
}

int gns_call_submit(struct gns_call *c)
{
	int err = -EDEADLK;

	c->begun = ktime_get_boottime_ns();
	c->asked = READ_ONCE(c->s->own_seq);
	if (!gns_helper_is_me(c->s->inst))
		err = reserve(c);
	if (!err) {
		err = join_mount(c);
		if (err)
			unreserve(c);
	}
	/* Nobody ends it from here on; unless somebody just has. */
	if (err)
		return test_and_set_bit(GNS_CALL_CLAIMED, &c->state) ? 0 : err;
	if (c->gsb)
		gns_count(c->gsb, GNS_C_CALLS, 1);
	trace_gns_call_submit(c, 0);
	if (publish(c))
		return 0;
	unreserve(c);
	if (!gns_call_is_lost(c) || test_and_set_bit(GNS_CALL_CLAIMED, &c->state))
		return 0;
	leave_mount(c);
	return -EIO;
}

void gns_call_requeue(struct gns_call *c)
{
	struct gns_instance *inst = c->s->inst;

	lockdep_assert_held(&inst->lock);
	if (!list_empty(&c->word.link)) {
		list_move_tail(&c->word.link, &inst->words);
	} else if (!test_bit(GNS_CALL_CLAIMED, &c->state)) {
		clear_bit(GNS_CALL_SENT, &c->state);
		gns_call_get(c);
		list_add_tail(&c->word.link, &inst->words);
	}
}

/* Out of table and line. Returns the references that both held. */
static int unpublish(struct gns_call *c)
{
	struct gns_instance *inst = c->s->inst;
	struct cancel *x = NULL;
	u32 portid = 0;
	int refs = 0;

	if (!test_bit(GNS_CALL_ANSWERED, &c->state))
		x = cancel_new(c->id);
	spin_lock_bh(&inst->lock);
	if (xa_load(&inst->calls, c->id) == c) {
		xa_erase(&inst->calls, c->id);
		atomic_dec(&inst->ncalls);
		refs++;
	}
	if (!list_empty(&c->word.link)) {
		list_del_init(&c->word.link);
		refs++;
	} else if (x && refs && inst->portid &&
		   test_bit(GNS_CALL_SENT, &c->state)) {
		portid = gns_word_post_locked(inst, &x->word);
		x = NULL;
	}
	spin_unlock_bh(&inst->lock);
	gns_word_ring(inst, portid);
	kfree(x);
	return refs;
}

void gns_call_end(struct gns_call *c, int err)
{
	int refs = unpublish(c);

	leave_mount(c);
	c->ans.err = err;
	trace_gns_call_end(c, err);
	if (c->ops->end)
		c->ops->end(c);
	/* Its parser's, who goes on as soon as this call has ended. */
	c->ans.nchanged = 0;
	c->ans.changed = NULL;
	complete_all(&c->done);
	while (refs--)
		gns_call_put(c);
}

bool gns_call_abort(struct gns_call *c, int err)
{
	if (test_and_set_bit(GNS_CALL_CLAIMED, &c->state))
		return false;
	gns_call_end(c, err);
	return true;
}

/*
 * Found and claimed in one step: a call that was reset for another try is in
 * the table under another id, or not at all.
 */
static struct gns_call *claim_for_answer(struct gns_instance *inst, u64 id,
					 const struct gns_bytes *bytes,
					 int *err)
{
	u32 len = bytes ? bytes->len : 0;
	struct gns_call *c;

	*err = 0;
	spin_lock_bh(&inst->lock);
	c = xa_load(&inst->calls, id);
	if (c && len && (!c->ops->deliver || len > c->req.len)) {
		*err = -EINVAL;
		c = NULL;
	} else if (c && test_and_set_bit(GNS_CALL_CLAIMED, &c->state)) {
		c = NULL;
	}
	if (c) {
		set_bit(GNS_CALL_ANSWERED, &c->state);
		gns_call_get(c);
	}
	spin_unlock_bh(&inst->lock);
	return c;
}

int gns_call_answer(struct gns_instance *inst, u64 id,
		    const struct gns_answer *ans,
		    const struct gns_bytes *bytes)
{
	static const struct gns_bytes none;
	struct gns_call *c;
	int err;

	c = claim_for_answer(inst, id, bytes, &err);
	if (!c)
		return err;
	c->ans = *ans;
	c->ans.grant.asked = c->asked;
	c->ans.dir.asked = c->asked;
	c->ans.len = bytes ? bytes->len : 0;
	err = ans->err;
	if (!err && c->ops->deliver)
		err = c->ops->deliver(c, bytes ? bytes : &none);
	gns_call_end(c, err);
	gns_call_put(c);
	return 0;
}

struct gns_call *gns_call_find(struct gns_instance *inst, u64 id)
{
	struct gns_call *c;

	spin_lock_bh(&inst->lock);
	c = xa_load(&inst->calls, id);
	if (c)
		gns_call_get(c);
	spin_unlock_bh(&inst->lock);
	return c;
}

/*
 * The payload is its maker's, and is gone after the end. An end goes through
 * inst->lock, so a page at a time is copied under it, of a call not claimed.
 */
int gns_call_take(struct gns_instance *inst, u64 id, u32 pos,
		  const struct gns_bytes *dst)
{
	struct gns_call *c;
	u32 done = 0, n;
	int err = 0;

	do {
		n = min_t(u32, dst->len - done, PAGE_SIZE);
		spin_lock_bh(&inst->lock);
		c = xa_load(&inst->calls, id);
		if (!c || test_bit(GNS_CALL_CLAIMED, &c->state))
			err = -ENOENT;
		else if (pos > c->req.payload_len ||
			 dst->len > c->req.payload_len - pos)
			err = -EINVAL;
		else
			gns_bytes_put(dst, done, c->req.payload + pos + done, n);
		spin_unlock_bh(&inst->lock);
		done += n;
	} while (!err && done < dst->len);
	return err;
}

int gns_status_errno(u32 status)
{
	switch (status) {
	case GNS_US_NOEXPORT:
		return -ENOENT;
	case GNS_US_REFUSED:
		return -EACCES;
	case GNS_US_AGAIN:
		return -EBUSY;
	case EINTR: /* nobody interrupted the caller */
		return -EIO;
	}
	/* What is above these has a meaning inside of the kernel only. */
	return status <= EHWPOISON ? -(int)status : -EIO;
}

/* How long a call may take, in ms; 0: for ever. */
static u32 limit_ms(const struct gns_call *c)
{
	if (!c->gsb)
		return GNS_MOUNT_TIMEO_MS;
	return READ_ONCE(c->gsb->opt.soft) ? READ_ONCE(c->gsb->opt.timeo_ms) : 0;
}

/*
 * A hard mount's waiter does not keep the host from its sleep: the helper,
 * which could answer it, may be frozen already.
 */
static int wait_some(struct gns_call *c, u32 ms)
{
	long left;

	if (!ms)
		return wait_for_completion_state(&c->done,
						 TASK_KILLABLE |
							 TASK_FREEZABLE_UNSAFE);
	left = wait_for_completion_killable_timeout(&c->done,
						    msecs_to_jiffies(ms));
	if (!left)
		return -ETIMEDOUT;
	return left < 0 ? left : 0;
}

static int wait_for(struct gns_call *c, u32 ms)
{
	int err = wait_some(c, ms);

	if (!err)
		return c->ans.err;
	if (gns_call_abort(c, err))
		return err;
	/* Somebody ends it right now, with what is ours: that is soon. */
	wait_for_completion(&c->done);
	return c->ans.err;
}

int gns_call_wait(struct gns_call *c)
{
	return wait_for(c, limit_ms(c));
}

void gns_call_reset(struct gns_call *c)
{
	struct gns_instance *inst = c->s->inst;

	spin_lock_bh(&inst->lock);
	c->state = 0;
	spin_unlock_bh(&inst->lock);
	c->id = 0;
	memset(&c->ans, 0, sizeof(c->ans));
	reinit_completion(&c->done);
}

int gns_call_sync(struct gns_call *c)
{
	u32 limit = limit_ms(c), waited;
	u64 begun = ktime_get_boottime_ns();
	int err;

	for (waited = 0;; gns_call_reset(c)) {
		err = gns_call_submit(c);
		if (!err)
			err = wait_for(c, limit ? limit - waited : 0);
		if (err != -EAGAIN && err != -EBUSY)
			return err;
		/* It may return early for no reason: then the pause is short. */
		schedule_timeout_killable(msecs_to_jiffies(PAUSE_MS));
		if (fatal_signal_pending(current))
			return -ERESTARTSYS;
		waited = min_t(u64, U32_MAX,
			       div_u64(ktime_get_boottime_ns() - begun,
				       NSEC_PER_MSEC));
		if (limit && waited >= limit)
			return -ETIMEDOUT;
	}
}
