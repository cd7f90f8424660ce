/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session: this host's standing with one origin, and the one deadline of
 * every lease that was granted in it.
 *
 * The struct lives as long as something of the origin is mounted; sessions
 * (ids, secrets) come and go in it. A lease counts only while its inode's
 * held_gen equals @gen, so that the loss of a session ends all its leases by
 * one store.
 *
 * Deadline: each renewal carries the stamp of the transmission that it
 * answers; the newest stamp decides, not the longest promise, for an older
 * one may have been counted by a clock that stood still.
 *
 * At deadline - ttl/4 mappings are zapped and faults wait, so that a stalled
 * processor does not outlive the lease; at the deadline reads wait too. What
 * is cached stays, unverified: a late renewal opens it again.
 *
 * Locks: @lock orders REVOKE against grants; inode locks nest inside of it.
 * Fields: I set at creation, S under @lock, R read without it (READ_ONCE), A
 * atomic.
 */
#ifndef GNS_SESSION_H
#define GNS_SESSION_H

#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rhashtable-types.h>
#include <linux/siphash.h>
#include <linux/timekeeping.h>
#include "call.h"

struct gns_inode;

/* The coarse clock is up to a jiffy late; leases end this much earlier. */
#define GNS_CLOCK_SLACK_NS (20 * NSEC_PER_MSEC)

/* Revokes of objects that have no inode, remembered one by one. */
#define GNS_REVOKED_MAX 64u
/* Objects that may be a file that is being made; few are asked for so early. */
#define GNS_MAYBE_MAX 16u

/* Objects of changes that ended, remembered one by one. */
#define GNS_OWNED_MAX 64u

/* Objects of changes that were given up, in one slot. */
#define GNS_LOST_MAX (2 * GNS_UCHANGED_MAX)

/** struct gns_owned - one of them: answers on their way may show it as before */
struct gns_owned {
	struct gns_fh fh;
	u64 seq;
};

/**
 * struct gns_slot - a change's place in its session; see change.h
 * @seq:    of the newest change in it; grows through the instance's life
 * @busy:   a change is under way
 * @orphan: one was given up: it may run yet, until a later one was answered
 * @n:      of @fh
 * @fh:     what the change under way touches
 * @removes: of these what it may take the last name of, not being open here
 *          when it was sent; len 0: none
 * @nlost:  of @lost
 * @lost:   what the one that was given up touches
 */
struct gns_slot {
	u64 seq;
	bool busy;
	bool orphan;
	u32 n;
	struct gns_fh fh[GNS_UCHANGED_MAX];
	struct gns_fh removes;
	u32 nlost;
	struct gns_fh lost[GNS_LOST_MAX];
};

/** struct gns_revoked - one of them: answers on their way may carry its grants */
struct gns_revoked {
	struct gns_fh fh;
	u64 upto;
};

/** struct gns_maybe - it may be what one of the first @nr makings makes */
struct gns_maybe {
	struct gns_fh fh;
	u64 upto;
	u64 nr;
};

/**
 * struct gns_session - see above
 * @ref:       mounts, calls
 * @inst:      I
 * @nr:        I its number in GNS_A_ORIGIN
 * @origin:    I as in mount's source: host[:port]
 * @instance:  I random: what the origin counts slots by. One origin may be
 *             mounted by two names, and has to take them for two satellites
 * @by_inst:   in inst->sessions, under inst->lock
 * @word:      ORIGIN or ORIGIN_GONE, in line
 * @lock:      S
 * @sid:       S R 0: no session
 * @secret:    S of @sid
 * @new_secret: S of the session being asked for
 * @had_slots: S changes were sent in the instance's life
 * @gen:       S R of @sid; never 0; old leases have another
 * @epochs:    A lives of leases; never used twice
 * @stamp:     S that @expires was counted from
 * @expires:   S R ns of BOOTTIME, slack taken off; 0: dead
 * @shut:      S R the deadline was near, and everything was unmapped: nothing is
 *             mapped until the next renewal
 * @ttl:       S R ns
 * @slots:     S changes that may be in flight
 * @slot:      S GNS_USLOTS_MAX of them; numbers belong to the instance, and
 *             outlive sessions
 * @nbusy:     S of @slot that are busy or orphans
 * @own_seq:   S R counts beginnings and ends of changes made here
 * @nowned:    S changes remembered in @owned; as @nrevoked
 * @owned:     S objects of changes that ended
 * @own_floor: S what fell out of @owned
 * @lock_seq:  A of requests for locks
 * @unlocks:   S of mounts that are given up; see unlock.c
 * @lock_key:  I makes owners of locks out of addresses
 * @incarnation: S
 * @features:  S what the origin can, for the next helper; opaque
 * @newest:    S newest grant number seen of @sid
 * @nheld:     S leases of @gen
 * @nrevoked:  S revokes remembered in @revoked since @sid began; the place of
 *             the next one is @nrevoked % GNS_REVOKED_MAX
 * @revoked:   S revokes of objects without an inode
 * @floor:     S grants up to it are refused, whatever they are for: what fell
 *             out of @revoked
 * @inodes:    struct gns_inode by handle; a handle may be in several mounts
 * @cached_lock: of the next two
 * @cached:    inodes with a version, in the order they came
 * @ncached:   their number
 * @mapped_lock: of the next one
 * @mapped:    inodes that were mapped once
 * @sized_lock: of the next one, see size.h
 * @sized:     regular files whose i_size is what it should be
 * @opened_lock: of the next one, and of what is in it
 * @opened:    mounts with open files
 * @making:    S struct gns_making
 * @makes:     S R counts them
 * @nmaybe:    S of @maybe
 * @maybe:     S what the origin was told is open, and may not be: see making.h
 * @zap_mutex: one zap at a time
 * @zap_pass:  under @zap_mutex; marks of inodes under @mapped_lock
 * @timer:     fires at @expires - @ttl / 4
 * @zap:       work: unmap everything; says FENCED when @lost_sid is set
 * @lost_sid:  S session to say FENCED of; 0: none. Until that is said no lease
 *             of another session is live
 * @trouble:   S why the origin can not be reached; empty: nothing is known
 * @trouble_err: S as errno; 0: nothing is known
 * @trouble_gen: S counts reports
 * @wait:      woken by sessions and trouble
 */
struct gns_session {
	struct kref ref;
	struct gns_instance *inst;
	u32 nr;
	char *origin;
	u8 instance[GNS_UID_LEN];
	struct list_head by_inst;
	struct gns_word word;
	spinlock_t lock; /* S */
	u64 sid;
	u8 secret[GNS_UID_LEN];
	u8 new_secret[GNS_UID_LEN];
	bool had_slots;
	u64 gen;
	atomic64_t epochs;
	u64 stamp;
	u64 expires;
	bool shut;
	u64 ttl;
	u32 slots;
	struct gns_slot *slot;
	u32 nbusy;
	u64 own_seq;
	u64 nowned;
	struct gns_owned owned[GNS_OWNED_MAX];
	u64 own_floor;
	atomic64_t lock_seq;
	struct list_head unlocks;
	siphash_key_t lock_key;
	u64 incarnation;
	u64 features;
	u64 newest;
	u64 nheld;
	u64 nrevoked;
	struct gns_revoked revoked[GNS_REVOKED_MAX];
	u64 floor;
	struct rhltable inodes;
	spinlock_t cached_lock; /* cached */
	struct list_head cached;
	u64 ncached;
	spinlock_t mapped_lock; /* mapped */
	struct list_head mapped;
	spinlock_t sized_lock; /* sized */
	struct list_head sized;
	spinlock_t opened_lock; /* opened */
	struct list_head opened;
	struct list_head making;
	u64 makes;
	u32 nmaybe;
	struct gns_maybe maybe[GNS_MAYBE_MAX];
	struct mutex zap_mutex; /* one zap */
	u64 zap_pass;
	struct hrtimer timer;
	struct work_struct zap;
	u64 lost_sid;
	char trouble[GNS_UTEXT_MAX + 1];
	int trouble_err;
	u64 trouble_gen;
	wait_queue_head_t wait;
};

/** gns_now() - ns of BOOTTIME, up to a jiffy late; any context */
static inline u64 gns_now(void)
{
	return ktime_get_coarse_boottime_ns();
}

/** gns_session_live() - has the deadline not passed? Any context. */
static inline bool gns_session_live(const struct gns_session *s)
{
	return gns_now() < READ_ONCE(s->expires);
}

/** gns_session_may_map() - is the deadline far enough for new mappings? */
static inline bool gns_session_may_map(const struct gns_session *s)
{
	return gns_now() + READ_ONCE(s->ttl) / 4 < READ_ONCE(s->expires) &&
	       !READ_ONCE(s->shut) && !READ_ONCE(s->inst->suspending);
}

/**
 * gns_session_get_origin() - the session with an origin; made if there is none
 * @inst:   the instance
 * @origin: host[:port]
 *
 * Context: process, may sleep.
 * Return: a reference, or ERR_PTR(-ENOMEM).
 */
struct gns_session *gns_session_get_origin(struct gns_instance *inst,
					   const char *origin);

/** gns_session_find() - by number; a reference, or NULL */
struct gns_session *gns_session_find(struct gns_instance *inst, u32 nr);

void gns_session_get(struct gns_session *s);
void gns_session_put(struct gns_session *s);

/** struct gns_up - what GNS_CMD_UP says */
struct gns_up {
	u64 sid;
	u64 stamp;
	u64 ttl;
	u64 incarnation;
	u64 features;
	u32 slots;
	bool slots_known;
};

/*
 * What the helper says; all in process context, none sleeps. -EINVAL: a stamp
 * from the future, a ttl out of range; -ESTALE: of another session than the
 * present one; -ENOMEM.
 */
int gns_session_up(struct gns_session *s, const struct gns_up *up);
int gns_session_renewed(struct gns_session *s, u64 sid, u64 stamp, u64 ttl);
int gns_session_lost(struct gns_session *s, u64 sid);
void gns_session_secret(struct gns_session *s, u8 *secret);
void gns_session_trouble(struct gns_session *s, int err, const char *text);

/** gns_session_zap_now() - unmap everything, at once; may sleep */
void gns_session_zap_now(struct gns_session *s);

/**
 * gns_session_note_revoked() - remember a revoke of an object without an inode
 * @s:    the session; s->lock held
 * @fh:   the object
 * @upto: its grants up to this one are void
 */
void gns_session_note_revoked(struct gns_session *s, const struct gns_fh *fh,
			      u64 upto);

/**
 * gns_session_revoked_upto() - what is remembered of an object
 * @s:  the session; s->lock held
 * @fh: the object
 *
 * Return: grants up to it are void; 0: none is.
 */
u64 gns_session_revoked_upto(const struct gns_session *s,
			     const struct gns_fh *fh);

#endif
