/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes: calls that make something other than it was.
 *
 * A change has an identity {slot, seq}, by which the origin runs it once,
 * however often it is sent. It takes a slot of its session before it is sent,
 * and gives it back when its answer was carried out here.
 *
 * The origin revokes every lease on what a change touches but those of the
 * session it comes from. So this kernel suspends them itself, from before the
 * change is sent until its answer is carried out: the leases are off, the
 * epochs others, nothing is mapped. While a change is under way no grant counts
 * on what it touches, nor afterwards one in an answer to what was asked before:
 * it may show the state before the change.
 *
 * The answer names each object touched, with its version before and after. An
 * object that was cached in the version before goes on with that after: pages
 * that the change wrote go, the rest stays, and a lease that was held all the
 * time is live again. What was cached in another version is dropped.
 *
 * Who waits for a change may be killed; the change can not be called back. It
 * goes on without its waiter, its objects suspended, until it is answered. A
 * change that is ended without an answer (umount -f) leaves its slot behind as
 * an orphan, and its objects suspended, until a later change in that slot was
 * answered: then the older one has run, or never will.
 *
 * Locks: slots and what is in them under s->lock. Nothing is held over a call
 * but what the VFS holds.
 */
#ifndef GNS_CHANGE_H
#define GNS_CHANGE_H

#include <linux/workqueue.h>
#include "async.h"
#include "lease.h"

/**
 * struct gns_change - a change, from its making to its end
 * @c:     its call; @c.req is complete before gns_change_run(), @c.ans is
 *         there after it
 * @state: bits, see change.c
 * @slot:  index; valid while it is under way
 * @incarnation: of what is durable at the origin, when it was sent
 * @from:  SETATTR, FALLOCATE, COPY: bytes of the file that it makes others:
 *         from here; @from = @to: none. What a smaller size cuts off goes anyhow
 * @to:    to here, exclusive; U64_MAX: to the end
 * @ngi:   of @gi in use
 * @gi:    what it touches, as known before, references
 * @victim: UNLINK, RENAME: one of @gi, which may lose its last name; NULL: none.
 *          The request says whether it is open here
 * @buf:   payload, kvmalloc, owned; NULL: none
 * @name:  owned; NULL: none
 * @name2: owned; NULL: none
 * @nchanged: of @changed
 * @changed: what the answer says of the objects touched
 * @work:  carries the answer out when nobody waits any more
 * @carried: gns_change_start(): its answer is carried out
 * @over:  gns_change_start(): called then; NULL: gns_change_wait() is.
 *         gns_change_run(): optional, the same when nobody waits any more
 * @async: for @over
 */
struct gns_change {
	struct gns_call c;
	unsigned long state;
	u32 slot;
	u64 incarnation;
	u64 from;
	u64 to;
	u32 ngi;
	struct gns_inode *gi[GNS_UCHANGED_MAX];
	struct gns_inode *victim;
	void *buf;
	char *name;
	char *name2;
	u32 nchanged;
	struct gns_uchanged changed[GNS_UCHANGED_MAX];
	struct work_struct work;
	struct completion carried;
	void (*over)(struct gns_change *ch);
	struct gns_async async;
};

/**
 * gns_change_new() - a change, not sent yet
 * @sb:      the mount
 * @type:    enum gns_call_type
 * @cred:    who asks; a reference is taken
 * @payload: bytes of payload; 0: none. @buf has room for them then, and
 *           c.req.payload and c.req.payload_len are set
 *
 * Context: process, may sleep. Return: the change, put by gns_change_put();
 * NULL without memory.
 */
struct gns_change *gns_change_new(struct super_block *sb, u32 type,
				  const struct cred *cred, u32 payload);

/**
 * gns_change_touches() - an object that the change is going to touch
 * @ch:    not run yet
 * @inode: at most GNS_UCHANGED_MAX, each once is enough; NULL is ignored
 */
void gns_change_touches(struct gns_change *ch, struct inode *inode);

/**
 * gns_change_name() - the name that a change is about
 * @ch:   not run yet
 * @dir:  its directory; touched
 * @name: stays the caller's; copied
 *
 * Return: 0; -ENAMETOOLONG; -ENOMEM.
 */
int gns_change_name(struct gns_change *ch, struct inode *dir,
		    const struct qstr *name);

/** gns_change_name2() - RENAME: the second one; else the same */
int gns_change_name2(struct gns_change *ch, struct inode *dir,
		     const struct qstr *name);

/** gns_change_text2() - SYMLINK: the target, @len bytes, copied; -ENOMEM */
int gns_change_text2(struct gns_change *ch, const char *text, u32 len);

/**
 * gns_change_run() - send it, wait, and carry its answer out here
 * @ch: complete
 *
 * When it returns, what is cached of the objects touched is as after the
 * change, or is dropped. It must not be run twice.
 *
 * Context: process, sleeps, killable; i_rwsem may be held.
 * Return: 0 with @ch->c.ans; -EINTR: killed, the change may happen yet;
 * -ETIMEDOUT on a soft mount, likewise; -EIO: it can not be told whether it
 * ran, or the locks of the file that it is asked for through are lost; -EROFS,
 * -EDEADLK, -EOPNOTSUPP: not sent; else the origin's error.
 */
int gns_change_run(struct gns_change *ch);

/**
 * gns_change_start() - send it, and wait for nothing
 * @ch:     complete, with its @over if it has one
 * @nowait: not even for a slot
 *
 * Once the answer is carried out here a worker calls @over, which has the
 * caller's reference then; @ch->c.ans is as after gns_change_run().
 *
 * Context: process, may sleep. Return: 0: @over is called once, or has been;
 * else it is not, and nothing was sent: -EAGAIN with @nowait, or as
 * gns_change_run().
 */
int gns_change_start(struct gns_change *ch, bool nowait);

/**
 * gns_change_wait() - wait for what was started without an @over
 * @ch: started; the caller's reference stays its own
 *
 * A worker carries the answer out: what the caller does in between may wait for
 * that, as a fault of the file that is changed.
 *
 * Context: process, sleeps, killable. Return: as gns_change_run().
 */
int gns_change_wait(struct gns_change *ch);

void gns_change_put(struct gns_change *ch);

/**
 * gns_change_stamp() - may names of a directory be cached after a change?
 * @ch:  run, answered without an error
 * @dir: touched by it
 *
 * For d_time of the dentries whose names it changed; see dir.h. Context:
 * process, dir's i_rwsem held exclusive. Return: the dgen; 0: no.
 */
u64 gns_change_stamp(struct gns_change *ch, struct inode *dir);

/**
 * gns_change_has() - is an object among those that a change has changed?
 * @ch: answered
 * @gi: what was believed to be behind a name, when the change was sent
 *
 * Return: true: it is; false: another one was there, or it is not known.
 */
bool gns_change_has(const struct gns_change *ch, const struct gns_inode *gi);

/**
 * gns_change_after() - the version of an object after a change
 * @ch: answered
 * @gi: touched by it
 *
 * Return: that version; that of what is cached, when the change has left it
 * alone; 0: not known.
 */
u64 gns_change_after(const struct gns_change *ch, const struct gns_inode *gi);

/**
 * gns_change_made() - the inode of what a change made or found
 * @ch: run, answered without an error
 * @sb: the mount
 *
 * Return: a reference, with a lease if the answer has one; ERR_PTR: -EIO when
 * the answer names nothing, -ENOMEM, -EUCLEAN.
 */
struct inode *gns_change_made(struct gns_change *ch, struct super_block *sb);

#endif
