// SPDX-License-Identifier: GPL-2.0
/*
 * The line of words, the doorbell, and the life of the helper; see instance.h.
 */
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include "netlink.h"
#include "session.h"

#define RING_AGAIN (HZ / 50)

void gns_word_ring(struct gns_instance *inst, u32 portid)
{
	if (!portid || !gns_netlink_ring(inst, portid))
		return;
	/* Its buffer is full, or there is no memory. Words that were put in
	 * line since found it rung: they depend on this.
	 */
	spin_lock_bh(&inst->lock);
	if (inst->portid == portid) {
		inst->rung = false;
		queue_delayed_work(inst->wq, &inst->ringer, RING_AGAIN);
	}
	spin_unlock_bh(&inst->lock);
}

/* inst->lock held. Returns the port to ring at; 0: nobody, or not needed. */
static u32 must_ring(struct gns_instance *inst)
{
	if (inst->rung || list_empty(&inst->words))
		return 0;
	inst->rung = inst->portid;
	return inst->portid;
}

static void ringer_work(struct work_struct *work)
{
	struct gns_instance *inst = container_of(to_delayed_work(work),
						 struct gns_instance, ringer);
	u32 portid;

	spin_lock_bh(&inst->lock);
	portid = must_ring(inst);
	spin_unlock_bh(&inst->lock);
	gns_word_ring(inst, portid);
}

u32 gns_word_post_locked(struct gns_instance *inst, struct gns_word *w)
{
	lockdep_assert_held(&inst->lock);
	if (list_empty(&w->link))
		list_add_tail(&w->link, &inst->words);
	return must_ring(inst);
}

void gns_word_post(struct gns_instance *inst, struct gns_word *w)
{
	u32 portid;

	spin_lock_bh(&inst->lock);
	portid = gns_word_post_locked(inst, w);
	spin_unlock_bh(&inst->lock);
	gns_word_ring(inst, portid);
}

/* inst->lock held. One word; -EMSGSIZE: it does not fit any more. */
static int put_word(struct sk_buff *skb, struct gns_word *w)
{
	struct nlattr *nest = nla_nest_start(skb, GNS_A_WORD);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, GNS_A_WORD_KIND, w->kind) || w->fill(w, skb)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int gns_words_pull(struct gns_instance *inst, u32 portid, struct sk_buff *skb,
		   struct gns_word **pulled, int room)
{
	struct gns_word *w;
	int n = 0;

	lockdep_assert_held(&inst->pulling);
	/* The lock is let go between words: others want to post. */
	while (n < room) {
		spin_lock_bh(&inst->lock);
		w = list_first_entry_or_null(&inst->words, struct gns_word,
					     link);
		if (inst->portid != portid) {
			/* What was taken is in line again already. */
			spin_unlock_bh(&inst->lock);
			gns_words_sent(pulled, n);
			return -ENOTCONN;
		}
		if (!w && !n)
			inst->rung = false;
		if (!w || put_word(skb, w)) {
			spin_unlock_bh(&inst->lock);
			WARN_ON_ONCE(w && !n); /* each one fits */
			break;
		}
		list_del_init(&w->link);
		/* An ORIGIN may be gone as soon as the lock is free. */
		pulled[n++] = w->kind == GNS_WORD_ORIGIN ? NULL : w;
		spin_unlock_bh(&inst->lock);
	}
	return n;
}

void gns_words_sent(struct gns_word **pulled, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (pulled[i] && pulled[i]->put)
			pulled[i]->put(pulled[i]);
}

/*
 * The line holds nothing of an ORIGIN: its session takes it out, under the
 * lock, when it goes. inst->lock held.
 */
static void drop_origins(struct list_head *old)
{
	struct gns_word *w, *next;

	list_for_each_entry_safe(w, next, old, link)
		if (w->kind == GNS_WORD_ORIGIN)
			list_del_init(&w->link);
}

/*
 * The line as a new helper has to see it: the origins, then every call that
 * nobody ends. inst->lock held; what is left in @old is for nobody.
 */
static void line_begin(struct gns_instance *inst, struct list_head *old)
{
	struct gns_session *s;
	struct gns_call *c;
	unsigned long id;

	list_splice_init(&inst->words, old);
	list_for_each_entry(s, &inst->sessions, by_inst)
		if (s->word.kind == GNS_WORD_ORIGIN)
			list_move_tail(&s->word.link, &inst->words);
	xa_for_each(&inst->calls, id, c)
		gns_call_requeue(c);
	drop_origins(old);
	inst->rung = false;
}

static void forget(struct list_head *old)
{
	struct gns_word *w;

	while ((w = list_first_entry_or_null(old, struct gns_word, link))) {
		list_del_init(&w->link);
		if (w->put)
			w->put(w);
	}
}

void gns_helper_unbound(struct gns_instance *inst, u32 portid)
{
	LIST_HEAD(old);

	spin_lock_bh(&inst->lock);
	if (portid && inst->portid == portid) {
		inst->portid = 0;
		line_begin(inst, &old);
	}
	spin_unlock_bh(&inst->lock);
	forget(&old);
}

void gns_helper_gone(struct gns_instance *inst)
{
	gns_helper_unbound(inst, READ_ONCE(inst->portid));
}

int gns_helper_attach(struct gns_instance *inst, struct gns_helper *h)
{
	int err = -EBUSY;

	spin_lock_bh(&inst->lock);
	if (!inst->helper) {
		inst->helper = h;
		WRITE_ONCE(inst->tgid, get_pid(task_tgid(current)));
		err = 0;
	}
	spin_unlock_bh(&inst->lock);
	return err;
}

void gns_helper_detach(struct gns_instance *inst)
{
	struct pid *tgid;

	spin_lock_bh(&inst->lock);
	tgid = inst->tgid;
	WRITE_ONCE(inst->tgid, NULL);
	inst->helper = NULL;
	spin_unlock_bh(&inst->lock);
	put_pid(tgid);
}

int gns_helper_bind(struct gns_instance *inst, struct gns_helper *h, u32 portid,
		    u64 features)
{
	struct pid *old_tgid = NULL;
	LIST_HEAD(old);
	int err = 0;

	spin_lock_bh(&inst->lock);
	if (inst->helper != h) {
		err = -ENOTCONN;
	} else if (inst->portid) {
		err = -EBUSY;
	} else {
		inst->portid = portid;
		inst->features = features;
		/* The file may have been handed on by who opened it. */
		old_tgid = inst->tgid;
		WRITE_ONCE(inst->tgid, get_pid(task_tgid(current)));
		line_begin(inst, &old);
		portid = must_ring(inst);
	}
	spin_unlock_bh(&inst->lock);
	put_pid(old_tgid);
	forget(&old);
	if (err)
		return err;
	wake_up_all(&inst->bound);
	gns_word_ring(inst, portid);
	return 0;
}

/* Only compared: the reference is the instance's. */
bool gns_helper_is_me(struct gns_instance *inst)
{
	return READ_ONCE(inst->tgid) == task_tgid(current);
}

void gns_words_init(struct gns_instance *inst)
{
	INIT_LIST_HEAD(&inst->words);
	INIT_DELAYED_WORK(&inst->ringer, ringer_work);
	mutex_init(&inst->pulling);
}

void gns_words_exit(struct gns_instance *inst)
{
	LIST_HEAD(old);

	cancel_delayed_work_sync(&inst->ringer);
	spin_lock_bh(&inst->lock);
	list_splice_init(&inst->words, &old);
	drop_origins(&old);
	spin_unlock_bh(&inst->lock);
	forget(&old);
}
