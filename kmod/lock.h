/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks of files, held at the origin: flock(2), and fcntl(2) of processes and
 * of open files.
 *
 *	lock.c		what the VFS asks for, and its own record of it
 *	lockop.c	requests, one at a time for each inode
 *	unlock.c	what a mount that is given up has left locked
 *	guard.c		what becomes of an open file whose locks are lost
 *
 * The origin decides; the VFS's record of what this host holds follows, and is
 * never less than what the origin has for it. Requests of an inode stand in
 * line: one is on its way, and who has the turn keeps it until the record is as
 * the answer. Nobody waits for somebody else's lock meanwhile.
 *
 * An unlock can not fail: it goes on without its caller, but not before changes
 * under the lock that were left by theirs. Where the record has no memory for
 * it, the file is as if its locks were lost. A request whose caller was killed
 * goes on, too; it is followed by an unlock, for nobody knows what came of it.
 * The same follows an EIO, behind which the helper may have lost an answer.
 *
 * A lock is had if its session is seen to live behind the answer: until then its
 * caller waits. Locks end with the session that they were got in. From then on
 * all that is asked for through an open file that had one is EIO, until it is
 * closed; what it has under way is ended before another session can begin.
 *
 * Locks: lockq->lock is a leaf but for wake-ups; nothing is held over a call.
 */
#ifndef GNS_LOCK_H
#define GNS_LOCK_H

#include <linux/workqueue.h>
#include "lease.h"

/**
 * struct gns_lockq - the requests of an inode
 * @lock: of the next three
 * @line: struct gns_lockop, in order; the first one has the turn
 * @nr:   of the newest
 * @left: changes under way under locks, whose callers were killed
 * @unlocked: counts what may have become free
 * @wait: woken then
 */
struct gns_lockq {
	spinlock_t lock; /* line, nr, left */
	struct list_head line;
	u64 nr;
	u32 left;
	u64 unlocked;
	wait_queue_head_t wait;
};

/**
 * struct gns_lockop - one request
 * @c:     its call
 * @lk:    what is asked
 * @gi:    of, a reference
 * @q:     its line
 * @link:  in @q->line; empty: in none
 * @nr:    in the order of the line
 * @state: bits, see lockop.c
 * @ready: it may begin when it has the turn; @q->lock
 * @turn:  it has it
 * @over:  it is out of line, and @err is there
 * @err:   how it ended
 * @work:  goes on with what nobody waits for
 */
struct gns_lockop {
	struct gns_call c;
	struct gns_ulock lk;
	struct gns_inode *gi;
	struct gns_lockq *q;
	struct list_head link;
	u64 nr;
	unsigned long state;
	bool ready;
	struct completion turn;
	struct completion over;
	int err;
	struct delayed_work work;
};

/** gns_lockq_get() - the line of an inode, made if there is none; NULL: -ENOMEM */
struct gns_lockq *gns_lockq_get(struct gns_inode *gi);
void gns_lockq_free(struct gns_inode *gi); /* the inode goes */

/**
 * gns_lockop_new() - a request, not in line
 * @q:  the inode's line
 * @gi: the inode; a reference is taken
 * @lk: what is asked; copied
 * @gfp: for its memory
 *
 * Return: put by gns_call_put(&op->c); NULL without memory.
 */
struct gns_lockop *gns_lockop_new(struct gns_lockq *q, struct gns_inode *gi,
				  const struct gns_ulock *lk, gfp_t gfp);

/**
 * gns_lockop_begin() - stand in line for the turn
 * @op: new
 *
 * Context: process, sleeps, killable. Return: 0: it is ours, until
 * gns_lockop_leave(); -EINTR, -ETIMEDOUT: it is in no line.
 */
int gns_lockop_begin(struct gns_lockop *op);

/**
 * gns_lockop_ask() - ask the origin
 * @op: has the turn
 *
 * Context: process, sleeps, killable. Return: 0 with op->c.ans; -EAGAIN:
 * somebody has it; -ENOLCK; -EINPROGRESS: we are killed, or out of patience,
 * and the request goes on without us, followed by an unlock of all that its
 * owner has: it will leave the line itself; else an errno.
 */
int gns_lockop_ask(struct gns_lockop *op);

/** gns_lockop_leave() - out of line; the next one has the turn */
void gns_lockop_leave(struct gns_lockop *op);

/**
 * gns_lockop_alone() - a request that nobody has to wait for
 * @op: new
 *
 * It stands in line, and begins when gns_lockop_go() was called, too.
 */
void gns_lockop_alone(struct gns_lockop *op);
void gns_lockop_go(struct gns_lockop *op);

/**
 * gns_lockop_behind() - is there an unlock of the same owner behind this one?
 * @op: has the turn
 * @nr: behind this one; set to that of what was found
 * @lk: set to what it unlocks
 */
bool gns_lockop_behind(struct gns_lockop *op, u64 *nr, struct gns_ulock *lk);

/**
 * gns_lockq_hold() - a change under a lock goes on without its caller
 * @gi: what it changes
 *
 * Until gns_lockq_release() nothing of it is unlocked.
 */
void gns_lockq_hold(struct gns_inode *gi);
void gns_lockq_release(struct gns_inode *gi);

/** gns_lock_unlocked() - the origin says that something may be free */
void gns_lock_unlocked(struct gns_session *s, const struct gns_fh *fh);

/*
 * unlock.c
 */

/**
 * gns_unlock_given_up() - the mount is given up, and can not unlock any more
 * @s:  its session
 * @fh: the file
 * @lk: owner, kind and range; copied
 *
 * Best effort: if it gets lost, it ends with the session. Context: process, may
 * sleep; waits for no call.
 */
void gns_unlock_given_up(struct gns_session *s, const struct gns_fh *fh,
			 const struct gns_ulock *lk);

/** gns_unlocks_go() - changes are over: what do they hold up no more? */
void gns_unlocks_go(struct gns_session *s);

/** gns_unlocks_drop() - the session goes, and all with it */
void gns_unlocks_drop(struct gns_session *s);

/* lock.c: file operations. */
int gns_lock(struct file *file, int cmd, struct file_lock *fl);
int gns_flock(struct file *file, int cmd, struct file_lock *fl);

/*
 * guard.c
 */

/**
 * struct gns_guard - what an open file has of locks
 * @gen:  s->gen of the session that they were got in; 0: it has none
 * @lost: they were lost: nothing goes through it any more
 */
struct gns_guard {
	u64 gen;
	bool lost;
};

/**
 * gns_guard_check() - may something be done through an open file?
 * @file: regular, or a directory
 *
 * Context: any that may log. Return: 0; -EIO: it had locks, and they are lost.
 */
int gns_guard_check(struct file *file);

/**
 * gns_guard_call() - a call ends with the locks of who asks for it
 * @c:    not submitted
 * @file: through which it is asked for
 *
 * Return: as gns_guard_check().
 */
int gns_guard_call(struct gns_call *c, struct file *file);

/** gns_guard_make() - have room for it; -ENOMEM */
int gns_guard_make(struct file *file);

/**
 * gns_guard_add() - a lock was got through the file
 * @file: with a guard
 * @sid:  in this session
 *
 * Return: 0; -EIO: the file is lost; -ESTALE: that session is.
 */
int gns_guard_add(struct file *file, u64 sid);

/** gns_guard_clear() - it has no locks any more; what was lost stays lost */
void gns_guard_clear(struct file *file);

/** gns_guard_lose() - what it has can not be told any more */
void gns_guard_lose(struct file *file);

/** gns_guard_release() - a regular file is closed */
void gns_guard_release(struct file *file);

#endif
