/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An instance: gns in one network namespace. It has at most one helper, the
 * origins that are mounted there, and the table of calls that wait for them.
 *
 * Lifetime: made with the namespace, gone with it. Mounts hold the namespace
 * (fs_context), the helper's open file does too.
 * Locks: @lock is a leaf; it is taken in any context that may not be a hard
 * interrupt, with nothing taken under it. See lease.h for the whole order.
 *
 * Fields: I set at creation, L under @lock, A atomic.
 */
#ifndef GNS_INSTANCE_H
#define GNS_INSTANCE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/netlink.h>
#include <net/net_namespace.h>
#include <uapi/linux/gns.h>

struct gns_helper;
struct gns_session;

/* Words that wait to be pulled; more of a kind than this is refused. */
#define GNS_CALLS_MAX 65536u

/**
 * struct gns_instance - gns in one network namespace
 * @net:      I the namespace
 * @id:       I random, of this life of the module in this namespace
 * @lock:     L below
 * @words:    L struct gns_word, not pulled yet, oldest first
 * @calls:    struct gns_call by id, from submit to its end; its own lock
 * @ncalls:   A calls in the table
 * @next_id:  A ids are never used twice
 * @helper:   L NULL: none
 * @portid:   L netlink socket of the helper; 0: not bound
 * @rung:     L a doorbell is out, and not everything was pulled since
 * @bound:    woken when a helper binds
 * @sessions: L struct gns_session
 * @next_nr:  L number of the next session and mount
 * @suspending: the host is about to sleep: nothing may be mapped
 * @wq:       I fences, zaps; WQ_UNBOUND | WQ_MEM_RECLAIM
 */
struct gns_instance {
	struct net *net;
	u8 id[GNS_UID_LEN];
	spinlock_t lock;
	struct list_head words;
	struct xarray calls;
	atomic_t ncalls;
	atomic64_t next_id;
	struct gns_helper *helper;
	u32 portid;
	bool rung;
	wait_queue_head_t bound;
	struct list_head sessions;
	u32 next_nr;
	bool suspending;
	struct workqueue_struct *wq;
};

/**
 * struct gns_word - something to tell the helper; embedded in its subject
 * @link: L in inst->words; empty: not in line
 * @kind: L enum gns_word_kind
 * @put:  drops what the line holds; may be NULL. Called without locks when
 *        the word was pulled, or nobody will
 * @fill: writes the word's attributes; called under @lock, must not sleep.
 *        0, -EMSGSIZE: pulled in the next message
 *
 * Words of calls are put back in line when the helper dies; RELEASED, FENCED
 * and CANCEL are forgotten then, for a new helper asks for what it needs.
 */
struct gns_word {
	struct list_head link;
	u32 kind;
	void (*put)(struct gns_word *w);
	int (*fill)(struct gns_word *w, struct sk_buff *skb);
};

/** gns_put_u64() - nla_put() of a u64, without padding; -EMSGSIZE */
static inline int gns_put_u64(struct sk_buff *skb, int type, u64 v)
{
	return nla_put(skb, type, sizeof(v), &v);
}

/**
 * gns_instance_of() - the instance of a network namespace
 * @net: the namespace, held by the caller
 *
 * Context: any. Return: never NULL while the module is loaded.
 */
struct gns_instance *gns_instance_of(const struct net *net);

/**
 * gns_word_post() - put a word in line, and ring
 * @inst: the instance
 * @w:    initialised with its kind; a word in line already stays there
 *
 * Context: process or softirq; takes inst->lock; does not sleep.
 */
void gns_word_post(struct gns_instance *inst, struct gns_word *w);

/**
 * gns_word_drop() - take a word out of line again
 * @inst: the instance
 * @w:    the word
 *
 * Return: true when it was in line; its put() is then the caller's duty.
 */
bool gns_word_drop(struct gns_instance *inst, struct gns_word *w);

/**
 * gns_helper_is_me() - does the calling process serve this instance?
 * @inst: the instance
 *
 * It must never wait for a call that it would have to carry out itself.
 * Context: process.
 */
bool gns_helper_is_me(struct gns_instance *inst);

/**
 * gns_helper_gone() - the helper's file was closed, or its socket
 * @inst: the instance
 *
 * Every call that it had is put in line for the next one.
 * Context: process.
 */
void gns_helper_gone(struct gns_instance *inst);

int gns_instance_init(void);
void gns_instance_exit(void);

#endif
