/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A call: one request to an origin, from submit to its end.
 *
 *	NEW      in line to be pulled
 *	SENT     a helper has it; NEW again when that helper dies
 *	CLAIMED  somebody ends it: an answer, its waiter who was killed, a
 *	         fence, an unmount. Who sets GNS_CALL_CLAIMED first is the only
 *	         one who does
 *	ENDED    out of the table; ops->end() was called, the waiter runs on
 *
 * Exactly one end follows a submit that returned 0; none one that failed.
 *
 * Lifetime: refcounted. The table holds one reference from submit to the end,
 * the line one while the call's word is in it, its maker the one from
 * gns_call_init(). The last put calls ops->free(). A mount counts its calls
 * from init to free, and does not go before: gns_call_drain().
 * Locks: none of its own; state bits are atomic. A call enters and leaves
 * table and line in one step under inst->lock, so that a helper is told of the
 * end of what it has pulled (CANCEL, behind the call), and pulls nothing that
 * has ended. An answer is applied by the claimer in process context, under no
 * lock.
 */
#ifndef GNS_CALL_H
#define GNS_CALL_H

#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/kref.h>
#include <linux/list.h>
#include "instance.h"

struct gns_sb;
struct gns_session;
struct gns_call;

/** struct gns_fh - as on the wire; compared by len and len bytes */
#define gns_fh gns_ufh

/**
 * struct gns_grant - the version an answer shows, and the lease with it
 * @version: 0: not cacheable
 * @number:  0: no lease
 * @asked:   session->own_seq when it was asked for
 */
struct gns_grant {
	u64 version;
	u64 number;
	u64 asked;
};

/**
 * struct gns_req - what is asked; unused fields are zero
 * @type:    enum gns_call_type
 * @want:    GNS_UWANT_*
 * @flags:   as @type has them, see linux/gns.h
 * @len:     bytes of the answer
 * @fh:      the object, or the directory
 * @name:    owned by the call's maker until the end
 * @namelen: bytes of @name, no end mark
 * @off:     bytes, or a cookie
 * @epoch:   life of the lease it is sent under; 0: none, and shared with none
 * @lease:   grant held; 0: none
 * @cred:    who asks, a reference; put by the call
 * @payload: for TAKE, owned by the maker until the end
 * @payload_len: bytes of it
 * @slot:    change: its slot, below the session's slots
 * @seq:     change: the slot's count; 0: it is none
 * @fh2:     RENAME: the other directory; LINK, COPY: the other object
 * @name2:   RENAME: the new name; SYMLINK: the target. Owned as @name
 * @namelen2: bytes of @name2, no end mark
 * @off2:    COPY: bytes
 * @count:   FALLOCATE, COPY: bytes
 * @mode:    of what is made
 * @umask:   of who makes it: not taken off @mode
 * @rdev:    MKNOD: as in struct gns_uattr
 * @incarnation: FSYNC: of the origin that took the writes
 * @victim:  UNLINK, RENAME: what the name is taken for; owned as @name, and NULL
 *           where nobody wants to know
 * @lock:    LOCK; owned as @name
 * @setattr: SETATTR; owned as @name
 */
struct gns_req {
	u32 type;
	u32 want;
	u32 flags;
	u32 len;
	struct gns_fh fh;
	const char *name;
	u32 namelen;
	u64 off;
	u64 epoch;
	u64 lease;
	const struct cred *cred;
	const void *payload;
	u32 payload_len;
	u32 slot;
	u64 seq;
	struct gns_fh fh2;
	const char *name2;
	u32 namelen2;
	u32 mode;
	u32 umask;
	u64 off2;
	u64 count;
	u32 rdev;
	u64 incarnation;
	const struct gns_usetattr *setattr;
	const struct gns_fh *victim;
	const struct gns_ulock *lock;
};

/**
 * struct gns_answer - what came back
 * @err:   0 or a negative errno, ready for the application
 * @sid:   session that it was given in
 * @flags: GNS_UF_*
 * @dir:   LOOKUP: of the directory
 * @grant: of the object; LOOKUP: of the child
 * @fh:    LOOKUP, MOUNT, and a change that made or found one: the object
 * @attr:  of the object
 * @statfs: STATFS
 * @len:   bytes delivered
 * @off:   SEEK: what was found; WRITE: where the bytes went
 * @count: change: bytes done
 * @found:  LOCK: @lock is what a test has found
 * @lock:   LOCK
 * @nchanged: entries of @changed, at most GNS_UCHANGED_MAX
 * @changed: change: what it touched, checked: each has a handle of 1 to
 *         GNS_UFH_MAX bytes. Not the call's: it is gone when ops->end() has
 *         returned, which copies what it needs. NULL where @nchanged is 0
 */
struct gns_answer {
	int err;
	u64 sid;
	u32 flags;
	struct gns_grant dir;
	struct gns_grant grant;
	struct gns_fh fh;
	struct gns_uattr attr;
	struct gns_ustatfs statfs;
	u32 len;
	u64 off;
	u64 count;
	bool found;
	struct gns_ulock lock;
	u32 nchanged;
	const struct gns_uchanged *changed;
};

/**
 * struct gns_bytes - bytes of an answer, in pinned pages of the helper
 * @pages:  the buffer's pages
 * @offset: of the first byte from the start of @pages[0]
 * @len:    bytes
 */
struct gns_bytes {
	struct page **pages;
	u64 offset;
	u32 len;
};

/**
 * gns_bytes_copy() - copy out of an answer
 * @src: the answer's bytes
 * @pos: from here, bytes; @pos + @len is within @src (checked by the caller)
 * @dst: kernel memory
 * @len: bytes
 *
 * The helper may change the bytes meanwhile: check a copy, never the source.
 * Context: any; does not sleep, does not fault.
 */
void gns_bytes_copy(const struct gns_bytes *src, u32 pos, void *dst, u32 len);

/** gns_bytes_put() - the other way round, into pinned pages; else the same */
void gns_bytes_put(const struct gns_bytes *dst, u32 pos, const void *src,
		   u32 len);

/**
 * struct gns_call_ops - what kind of call it is
 * @deliver: takes the bytes of an answer without an error, none may be bytes
 *           as well; NULL: such a call has none, and an answer with bytes is
 *           refused. Sees call->ans as it came, len included. Returns
 *           0, or the error that the call ends with. Process context, the
 *           helper's: must not wait for a call or a lock held over one
 * @end:     may be NULL. Called once at the end, in process context, by the
 *           claimer, under no lock; call->ans.err is set. After it, whether
 *           there is one or not, call->done is completed: who waits in
 *           gns_call_wait() finds the work of end() done, in every case
 * @free:    frees the call; process context
 */
struct gns_call_ops {
	int (*deliver)(struct gns_call *c, const struct gns_bytes *bytes);
	void (*end)(struct gns_call *c);
	void (*free)(struct gns_call *c);
};

enum gns_call_bit {
	GNS_CALL_CLAIMED,
	GNS_CALL_SENT, /* inst->lock */
	GNS_CALL_ANSWERED, /* claimed by its answer: no CANCEL */
};

/**
 * struct gns_call - see above
 * @ref:   references
 * @id:    set by submit, unique in the instance's life
 * @state: GNS_CALL_* bits
 * @word:  in line until it is pulled or ends
 * @ops:   its kind
 * @s:     its session, a reference
 * @gsb:   its mount; NULL while mounting. In gsb->calls while in the table
 * @by_sb: in gsb->calls, under gsb->calls_lock
 * @done:  completed at the end
 * @begun: ns of BOOTTIME, at submit
 * @asked: session->own_seq at submit: see change.h
 * @guard: session->gen that it depends on: in another one it ends with EIO, and
 *         is not sent; 0: on none
 * @req:   what is asked
 * @ans:   what came back
 */
struct gns_call {
	struct kref ref;
	u64 id;
	unsigned long state;
	struct gns_word word;
	const struct gns_call_ops *ops;
	struct gns_session *s;
	struct gns_sb *gsb;
	struct list_head by_sb;
	struct completion done;
	u64 begun;
	u64 asked;
	u64 guard;
	struct gns_req req;
	struct gns_answer ans;
};

/**
 * gns_call_init() - a call with one reference, the caller's
 * @c:    zeroed memory of the kind's
 * @ops:  its kind
 * @s:    the origin; a reference is taken
 * @gsb:  the mount that asks; NULL while mounting
 * @type: enum gns_call_type
 * @cred: who asks; a reference is taken
 */
void gns_call_init(struct gns_call *c, const struct gns_call_ops *ops,
		   struct gns_session *s, struct gns_sb *gsb, u32 type,
		   const struct cred *cred);

/**
 * gns_call_submit() - into the table, and in line for the helper
 * @c: its req is complete
 *
 * It may be aborted from init on, also while this runs: then that is its end.
 * Context: process; may sleep for memory (GFP_NOFS), waits for nobody.
 * Return: 0: exactly one end follows, or has come already. -EDEADLK: the
 * caller is the helper; -EIO: the mount was given up (umount -f), or the session
 * that it depends on is lost; -EBUSY: too
 * many calls wait; -EOPNOTSUPP: the helper does not know such calls; -ENOMEM.
 * After an error nothing follows, and the caller puts the call.
 */
int gns_call_submit(struct gns_call *c);

/**
 * gns_call_wait() - wait for the end of a call, and for its ops->end
 * @c: submitted
 *
 * A soft mount gives up after its timeo, a mount that is being made after
 * GNS_MOUNT_TIMEO_MS; a hard one waits on.
 * Context: process, may sleep.
 * Return: c->ans.err; -ERESTARTSYS when the caller was killed (-EINTR for the
 * application), -ETIMEDOUT: the call is ended then, no answer comes.
 */
int gns_call_wait(struct gns_call *c);

/**
 * gns_call_sync() - submit and wait
 * @c: its req is complete
 *
 * EAGAIN and EBUSY, of the origin or for too many calls, are asked again after
 * a pause, on a soft mount until its timeo; the call is in its first state
 * then, and submitted anew. Only its maker may abort it by its pointer.
 * Return: as submit and wait.
 */
int gns_call_sync(struct gns_call *c);

/**
 * gns_call_reset() - for another try of a call that has ended
 * @c: nobody but its maker has it
 *
 * It is as after init, but for its request.
 */
void gns_call_reset(struct gns_call *c);

/**
 * gns_call_end() - end a call that the caller has claimed
 * @c:   claimed by test_and_set_bit(GNS_CALL_CLAIMED)
 * @err: 0 or a negative errno
 */
void gns_call_end(struct gns_call *c, int err);

/**
 * gns_call_abort() - end a call, if nobody else does
 * @c:   the caller has a reference
 * @err: negative errno that it ends with
 *
 * The helper is told (CANCEL) when it has the call.
 * Context: process; does not sleep, unless ops->end does.
 * Return: true when it was this caller who ended it.
 */
bool gns_call_abort(struct gns_call *c, int err);

/** gns_call_abort_all() - end every call of a mount with @err */
void gns_call_abort_all(struct gns_sb *gsb, int err);

/**
 * gns_call_abort_lost() - end every call that depends on a session of before
 * @s: its gen is that of now
 *
 * None of them is sent from here on; what was sent may have been heard.
 * Context: process; does not sleep.
 */
void gns_call_abort_lost(struct gns_session *s);

/** gns_call_is_lost() - does it depend on a session of before? */
bool gns_call_is_lost(const struct gns_call *c);

/**
 * gns_call_drain() - wait until every call of a mount is freed
 * @gsb: its calls are ended, or will be; nobody makes new ones
 *
 * Context: process, sleeps. What calls held is let go of when it returns.
 */
void gns_call_drain(struct gns_sb *gsb);

/**
 * gns_call_requeue() - put a call in line for a new helper
 * @c: in the table; inst->lock held
 */
void gns_call_requeue(struct gns_call *c);

/**
 * gns_call_answer() - an answer came from the helper
 * @inst:  its instance
 * @id:    the call; one that has ended is ignored
 * @ans:   err is the errno of the status
 * @bytes: NULL: none
 *
 * Context: process, the helper's; does not wait.
 * Return: 0, also when the call has ended already; -EINVAL: bytes for a call
 * that takes none, or more than it asked for (the call is not ended).
 */
int gns_call_answer(struct gns_instance *inst, u64 id,
		    const struct gns_answer *ans,
		    const struct gns_bytes *bytes);

/**
 * gns_call_take() - copy bytes of a call's payload
 * @inst: the instance
 * @id:   the call
 * @pos:  from here in the payload
 * @dst:  to here, dst->len bytes
 *
 * Context: process; does not sleep. Return: 0; -ENOENT: it has ended, what was
 * copied is of no use; -EINVAL: it has not that many.
 */
int gns_call_take(struct gns_instance *inst, u64 id, u32 pos,
		  const struct gns_bytes *dst);

/** gns_call_find() - by id; a reference for the caller, or NULL */
struct gns_call *gns_call_find(struct gns_instance *inst, u64 id);

void gns_call_get(struct gns_call *c);
void gns_call_put(struct gns_call *c);

/**
 * gns_status_errno() - what an application sees of an answer's status
 * @status: as in GNS_A_STATUS
 *
 * Return: 0 or a negative errno; -EIO for what is no status.
 */
int gns_status_errno(u32 status);

/*
 * A call that waits and takes bytes into one buffer: listings, targets,
 * attributes, pass-through reads.
 */

/**
 * struct gns_bufcall - such a call
 * @c:   the call; c.ans.len bytes of @buf are there after it
 * @buf: @c.req.len bytes, kvmalloc, owned by the call
 */
struct gns_bufcall {
	struct gns_call c;
	void *buf;
};

/**
 * gns_bufcall_new() - a call with a buffer for its answer
 * @s:    the origin
 * @gsb:  the mount
 * @type: enum gns_call_type
 * @cred: who asks
 * @len:  bytes that the answer may have; 0: an answer without bytes
 *
 * Return: the call, put by gns_call_put(&b->c); NULL without memory.
 */
struct gns_bufcall *gns_bufcall_new(struct gns_session *s, struct gns_sb *gsb,
				    u32 type, const struct cred *cred,
				    u32 len);

#endif
