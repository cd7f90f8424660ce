/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks of files, private to origin/: lock.c has requests, sessions and their
 * end, range.c what is locked of one object, and who waits for it.
 *
 * Locks are in memory, and belong to a session: they end with it, and with the
 * origin. They touch neither versions nor leases.
 *
 *	session --- lock_rec (by handle) --- held, waiting
 *	                     |
 *	obj ------- lock_table (held by all, waiting in the order they came)
 *
 * A record says which request was the newest of its session for the object,
 * and how it was answered. One with locks or waiters holds the table, and that
 * the object. Others are kept for a while, the oldest goes into the session's
 * floor: what is not newer than that and has no record may be a late copy.
 *
 * Locks: none; one thread.
 */
#ifndef GNS_ORIGIN_LOCK_H
#define GNS_ORIGIN_LOCK_H

#include "origin/core.h"

/* Held and waited for, by one session. */
#define LOCKS_SESSION 16384u
/* Records of a session without either. */
#define LOCK_IDLE 64u
/* Of one object; who finds no room asks again by himself. */
#define LOCK_WAITERS 1024u
/* Satellites ask again every second: who has not for so long is not there. */
#define LOCK_FRESH_NS (3 * NSEC_PER_SEC)
/* Who was told that it is free may take it first. */
#define LOCK_KEPT_NS (250 * NSEC_PER_MSEC)
/*
 * Who waits lets those before him go first, but not for ever: what each of them
 * waits for may be his.
 */
#define LOCK_YIELD_NS (5 * NSEC_PER_SEC)

struct lock_table;

struct lock_rec {
	struct gns_fh fh;
	struct session *s;
	struct lock_table *t; /* NULL: none held or waited for */
	u64 seq; /* newest request */
	u32 status; /* its answer */
	u32 held;
	u32 waiting;
	u64 told; /* pass of lock_tell() */
	TAILQ_ENTRY(lock_rec) idle; /* in s->lock_idle, while t is NULL */
	UT_hash_handle hh; /* in s->lock_recs */
};

/** struct lock_want - a lock as somebody asks for it */
struct lock_want {
	struct lock_rec *r;
	u64 owner;
	u64 start;
	u64 end; /* inclusive */
	u32 pid;
	u8 kind; /* GNS_LC_* */
	u8 op; /* GNS_LK_READ, GNS_LK_WRITE; range_set(): GNS_LK_UNLOCK */
};

struct lock_held {
	struct lock_want w;
	TAILQ_ENTRY(lock_held) link;
};

struct lock_waiter {
	struct lock_want w;
	u64 since; /* boottime */
	u64 asked; /* last time */
	u64 told; /* that it may be free; 0: not yet */
	TAILQ_ENTRY(lock_waiter) link;
};

struct lock_table {
	struct obj *obj;
	u32 users; /* records */
	u32 nwaiters;
	TAILQ_HEAD(, lock_held) held;
	TAILQ_HEAD(, lock_waiter) waiters;
};

/**
 * range_set() - lock or unlock a range, whoever else has it
 * @t:    the object's
 * @w:    op GNS_LK_UNLOCK: as fcntl(2) has it, what is in it goes, the rest of
 *        a lock stays; else the range has this op from now on, and joins its
 *        neighbours of the same
 * @room: locks that there may be more
 *
 * Return: 0; ENOLCK: no room or memory, nothing was done.
 */
u32 range_set(struct lock_table *t, const struct lock_want *w, u32 room);

/**
 * range_taken() - is anybody in the way?
 * @t: the object's
 * @w: what somebody wants
 *
 * Return: as range_conflict(), which looks at all of them.
 */
bool range_taken(struct lock_table *t, const struct lock_want *w);

/**
 * range_conflict() - who is in the way
 * @t: the object's
 * @w: what somebody wants
 *
 * Return: the one that begins first; NULL: nobody.
 */
struct lock_held *range_conflict(struct lock_table *t,
				 const struct lock_want *w);

/** range_owner() - the first lock of the same owner and kind, or NULL */
struct lock_held *range_owner(struct lock_table *t, const struct lock_want *w);

/** range_drop() - one lock less */
void range_drop(struct lock_table *t, struct lock_held *h);

/** range_against() - can the two not be held at a time? */
bool range_against(const struct lock_want *a, const struct lock_want *b);

/** range_same_owner() - of one owner, and of one kind */
bool range_same_owner(const struct lock_want *a, const struct lock_want *b);

#endif
