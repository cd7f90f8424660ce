/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An instance: gns in one network namespace. It has at most one helper, the
 * origins that are mounted there, and the table of calls that wait for them.
 *
 * Lifetime: made with the namespace, gone with it. Mounts hold the namespace
 * (fs_context), the helper's open file does too.
 * Locks: @lock is taken in any context that may not be a hard interrupt; only
 * the table's own lock is taken under it. @pulling is taken by PULL alone, and
 * held until the message is on its way: words arrive in the order in which
 * they were in line. See lease.h for the whole order.
 *
 * The doorbell: @rung says that the helper was told, and has not seen the end
 * of the line since. Who puts a word in line and finds it false rings. Only an
 * empty PULL clears it, or a doorbell that could not be sent; that is tried
 * again by @ringer.
 *
 * Fields: I set at creation, L under @lock, A atomic.
 */
#ifndef GNS_INSTANCE_H
#define GNS_INSTANCE_H

#include <linux/list.h>
#include <linux/mutex.h>
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
 * @calls:    struct gns_call by id, from submit to its end; put there, found
 *            to be claimed and taken out under @lock
 * @ncalls:   A calls in the table
 * @next_id:  A ids are never used twice
 * @seqs:     A of changes; never used twice, for slots outlive sessions
 * @helper:   L NULL: none
 * @tgid:     L R process that is the helper, a reference; NULL: none
 * @features: L GNS_F_* of the last helper that was bound
 * @portid:   L netlink socket of the helper; 0: not bound
 * @rung:     L a doorbell is out, and not everything was pulled since
 * @ringer:   rings again
 * @pulling:  one PULL at a time
 * @bound:    woken when a helper binds
 * @sessions: L struct gns_session
 * @next_nr:  L number of the newest session; mounts have gns_new_nr()
 * @suspending: the host is about to sleep: nothing may be mapped
 * @wq:       I fences; WQ_UNBOUND | WQ_MEM_RECLAIM; all instances' one
 * @zap_wq:   I zaps: they have a deadline, and wait behind no fence; the same
 * @link:     in the list of all instances
 * @cache:    of its mounts; under @cache_mutex
 * @cache_mutex: opening and closing of the cache, and of its devices
 */
struct gns_instance {
	struct net *net;
	u8 id[GNS_UID_LEN];
	spinlock_t lock; /* L */
	struct list_head words;
	struct xarray calls;
	atomic_t ncalls;
	atomic64_t next_id;
	atomic64_t seqs;
	struct gns_helper *helper;
	struct pid *tgid;
	u64 features;
	u32 portid;
	bool rung;
	struct delayed_work ringer;
	struct mutex pulling; /* one PULL */
	wait_queue_head_t bound;
	struct list_head sessions;
	u32 next_nr;
	bool suspending;
	struct workqueue_struct *wq;
	struct workqueue_struct *zap_wq;
	struct list_head link;
	struct gns_cache *cache;
	struct mutex cache_mutex; /* cache */
};

/**
 * struct gns_word - something to tell the helper; embedded in its subject
 * @link: L in inst->words; empty: not in line
 * @kind: L enum gns_word_kind
 * @put:  drops what the line holds; may be NULL. Called without locks when
 *        the word was pulled, or nobody will. Never for ORIGIN: its session
 *        takes it out of line
 * @fill: writes the word's attributes; called under @lock, must not sleep.
 *        0, -EMSGSIZE: pulled in the next message
 *
 * When the helper dies, calls that are not answered are put in line again for
 * the next one, behind the origins that there are; RELEASED, FENCED, UNLOCK,
 * ORIGIN_GONE and CANCEL are forgotten, for a new helper asks for what it
 * needs.
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
 * gns_word_post_locked() - put a word in line, inst->lock held
 * @inst: the instance
 * @w:    the word
 *
 * Return: for gns_word_ring(), without the lock.
 */
u32 gns_word_post_locked(struct gns_instance *inst, struct gns_word *w);
void gns_word_ring(struct gns_instance *inst, u32 portid); /* 0: nobody */

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

/*
 * The helper's life, for chardev.c and netlink.c.
 */

/**
 * gns_helper_attach() - /dev/gns was opened
 * @inst: the instance
 * @h:    the open file
 *
 * Return: 0; -EBUSY: there is a helper.
 */
int gns_helper_attach(struct gns_instance *inst, struct gns_helper *h);

/** gns_helper_detach() - its file is closed and cleaned up */
void gns_helper_detach(struct gns_instance *inst);

/**
 * gns_helper_bind() - a netlink socket speaks for the helper
 * @inst:     the instance
 * @h:        its open file
 * @portid:   the socket
 * @features: GNS_F_* that both have
 *
 * The line begins anew, and the doorbell rings.
 * Context: process, the helper's. Return: 0; -ENOTCONN: @h is not the helper
 * (any more); -EBUSY: another socket does.
 */
int gns_helper_bind(struct gns_instance *inst, struct gns_helper *h, u32 portid,
		    u64 features);

/** gns_helper_unbound() - the socket @portid is closed, whoever's it was */
void gns_helper_unbound(struct gns_instance *inst, u32 portid);

/**
 * gns_words_pull() - write words into a message, oldest first
 * @inst:   the instance; inst->pulling held
 * @portid: who asks
 * @skb:    the message
 * @pulled: @room of words, for gns_words_sent()
 * @room:   words at most
 *
 * Return: words written; 0: there are none, and the doorbell rings again.
 * -ENOTCONN: somebody else is bound.
 */
int gns_words_pull(struct gns_instance *inst, u32 portid, struct sk_buff *skb,
		   struct gns_word **pulled, int room);

/** gns_words_sent() - let go of the words that were pulled */
void gns_words_sent(struct gns_word **pulled, int n);

/** gns_words_init() - of a new instance */
void gns_words_init(struct gns_instance *inst);

/** gns_words_exit() - the namespace goes, nobody posts any more; sleeps */
void gns_words_exit(struct gns_instance *inst);

/**
 * gns_session_next() - the sessions of an instance, one after the other
 * @inst:  the instance
 * @after: the number of the one before; 0: from the first
 *
 * Return: a reference; NULL: no more.
 */
struct gns_session *gns_session_next(struct gns_instance *inst, u32 after);

/**
 * gns_new_nr() - a number for a mount
 *
 * Return: one that no other mount has had since the module was loaded, in
 * whichever namespace: it is in names under /sys.
 */
u32 gns_new_nr(void);

int gns_instance_init(void);
void gns_instance_exit(void);

#endif
