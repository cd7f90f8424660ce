/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lease of an inode: when what is cached may be used, and how that ends.
 *
 * Events and what they do:
 *
 *		  lease    cached state          mappings
 *	grant     live     kept if the version   may be made
 *	                   is the same, else
 *	                   dropped first
 *	expiry    asleep   kept, unverified      zapped at deadline - ttl/4
 *	renewal   live     as it is              may be made
 *	lost      none     kept, unverified      zapped, then FENCED is said
 *	revoke    none     dropped               zapped, then RELEASED is said
 *
 * "Live" is asked by gns_lease_ok() at each access: the inode's held_gen is
 * its session's, and the session's deadline has not passed. Nothing else says
 * that a cached byte, attribute, name or absence may be used.
 *
 * Epoch: each life of a lease has a number that never comes again. A reader
 * takes it before, and compares it after, it has copied: the same, and all it
 * saw was of one version. A fill carries the one that it was sent under, and
 * counts only while that life goes on.
 *
 * Revoke against grant: the origin numbers its grants; REVOKE(N) ends all up
 * to N, also those in answers that are still on their way. gi->revoked
 * remembers it, session->revoked does for objects without an inode. Both are
 * looked at under session->lock after the inode was hashed, and REVOKE looks
 * for the inode under the same lock, so one of the two sees the other.
 *
 * Lock order, outermost first:
 *
 *	i_rwsem > mmap_lock > gi->lease_mutex > invalidate_lock > folio lock >
 *	session->lock > gi->lock > session->cached_lock, mapped_lock,
 *	opened_lock, sized_lock > gsb->calls_lock > inst->lock
 *
 * Nobody waits for a call while holding lease_mutex. The fence takes neither
 * i_rwsem nor mmap_lock, and waits for no call: it ends the fills of the old
 * epoch before it asks for a lock that their readers hold.
 */
#ifndef GNS_LEASE_H
#define GNS_LEASE_H

#include "gns.h"
#include "session.h"

/** gns_lease_ok() - may what is cached of @gi be used now? Any context. */
static inline bool gns_lease_ok(const struct gns_inode *gi)
{
	const struct gns_session *s = gi->s;

	if (!gns_session_live(s))
		return false;
	/* Pairs with the barrier of set_deadline(). The other way round, who
	 * stood still in between could find an old session by its generation
	 * and live by the next one's deadline.
	 */
	smp_rmb();
	return READ_ONCE(gi->held_gen) == READ_ONCE(s->gen);
}

/** gns_attr_ok() - may the cached attributes of @gi be used now? Any context. */
static inline bool gns_attr_ok(const struct gns_inode *gi)
{
	/* Pairs with the barrier in take_attr(). */
	return gns_lease_ok(gi) && smp_load_acquire(&gi->attr_ok);
}

/** gns_lease_may_map() - may pages of @gi be mapped now? Any context. */
static inline bool gns_lease_may_map(const struct gns_inode *gi)
{
	return gns_lease_ok(gi) && gns_session_may_map(gi->s);
}

/**
 * gns_lease_enter() - begin a read of cached state
 * @gi:    the inode
 * @epoch: set to the life of the lease
 *
 * Context: any. Return: false: there is no live lease, use nothing.
 */
static inline bool gns_lease_enter(const struct gns_inode *gi, u64 *epoch)
{
	*epoch = READ_ONCE(gi->epoch);
	/* Pairs with the barrier of new_epoch(): lease and data are of that
	 * epoch, or of a later one, which gns_lease_same() notices.
	 */
	smp_rmb();
	return gns_lease_ok(gi);
}

/**
 * gns_lease_same() - was what has been read since enter of one version?
 * @gi:    the inode
 * @epoch: from gns_lease_enter()
 */
static inline bool gns_lease_same(const struct gns_inode *gi, u64 epoch)
{
	smp_rmb(); /* what was read before the epoch, see gns_lease_enter() */
	return READ_ONCE(gi->epoch) == epoch;
}

/**
 * gns_lease_get() - make lease and attributes live, asking if it must
 * @gi:   the inode
 * @want: GNS_UWANT_LEASE, with GNS_UWANT_TURN for a page fault
 * @cred: who asks
 * @ans:  optional: the origin's answer, of use without a lease as well
 *        (attributes); zeroed when the lease was live already
 *
 * One asker at a time for an inode; many objects whose leases were lost with
 * a session are asked for in one message. Afterwards gns_lease_enter() may
 * fail all the same: the lease was revoked again.
 *
 * Context: process; sleeps, killable; no folio lock, no lease_mutex held.
 * Return: 0: asked, or live; else as gns_call_sync(): -ESTALE when the object
 * is gone.
 */
int gns_lease_get(struct gns_inode *gi, u32 want, const struct cred *cred,
		  struct gns_answer *ans);

/**
 * gns_lease_regain() - work: leases of open files, in a new session
 * @work: a mount's
 *
 * So the origin comes to know again what is open here. Best effort: an origin
 * that can not be asked has not got a session.
 */
void gns_lease_regain(struct work_struct *work);

/**
 * gns_lease_grant() - an answer came: take its lease, or verify by it
 * @gi:   the inode, hashed in its session
 * @sid:  session of the answer
 * @g:    version and grant number
 * @attr: attributes of that version; NULL: the answer has none. Names may be
 *        cached then, and the attributes stay known if the version is the same
 *
 * With a grant that counts: drops what is cached of another version, sets the
 * attributes, and the lease is live. Without one nothing changes.
 *
 * Context: process, may sleep; no folio lock held.
 * Return: true: what the answer shows is of the version that is live now.
 */
bool gns_lease_grant(struct gns_inode *gi, u64 sid, const struct gns_grant *g,
		     const struct gns_uattr *attr);

/**
 * gns_lease_learn() - what a change made here says of an object
 * @gi: an inode that may be new
 * @e:  from the change's answer
 *
 * If nothing is cached of it, its attributes are, unverified: a grant of that
 * version opens them. Context: process, may sleep; waits for no call.
 */
void gns_lease_learn(struct gns_inode *gi, const struct gns_uchanged *e);

/**
 * gns_lease_shows() - may an answer without a usable grant be cached?
 * @gi:    the inode
 * @epoch: of the lease when the call was sent; 0: there was none
 * @g:     of the answer
 *
 * It may when the lease has been live since, and the version is the one held.
 * To decide and to use it must be one step: hold gi->lock, or compare the
 * epoch again afterwards. Context: any.
 */
bool gns_lease_shows(const struct gns_inode *gi, u64 epoch,
		     const struct gns_grant *g);

/**
 * gns_lease_revoke() - REVOKE came
 * @s:    the session
 * @sid:  named in it
 * @fh:   the object
 * @upto: every grant up to it
 *
 * The lease is off when this returns; a worker drops what is cached, and says
 * RELEASED. Context: process; does not sleep. Return: 0; -ESTALE; -ENOMEM.
 */
int gns_lease_revoke(struct gns_session *s, u64 sid, const struct gns_fh *fh,
		     u64 upto);

/**
 * gns_lease_released() - nothing is held, and nothing open, that a REVOKE named
 * @s:    the session
 * @sid:  the REVOKE's
 * @fh:   its object
 * @upto: its number
 *
 * Says RELEASED, and nothing else. Context: process, may sleep.
 */
void gns_lease_released(struct gns_session *s, u64 sid,
			const struct gns_fh *fh, u64 upto);

/** gns_lease_unmap() - unmap all pages of @gi that are mapped now; may sleep */
void gns_lease_unmap(struct gns_inode *gi);

/**
 * gns_lease_zap() - unmap all pages, faults in progress included
 * @gi: the inode; the gate is shut: faults that begin now wait
 *
 * Pages stay cached. Context: process, may sleep; waits for no call.
 */
void gns_lease_zap(struct gns_inode *gi);

/**
 * gns_lease_unmap_all() - nothing of an inode is mapped any more, for now
 * @gi: the inode; its lease is off, so that faults that begin now wait
 *
 * As gns_lease_zap(), and faults around another page are waited for, too.
 * Context: process, may sleep; waits for no call.
 */
void gns_lease_unmap_all(struct gns_inode *gi);

/**
 * gns_lease_drop() - give up the lease and what is cached, for gnsctl drop
 * @gi: the inode
 *
 * Context: process, may sleep; waits for no call.
 */
void gns_lease_drop(struct gns_inode *gi);

/**
 * gns_lease_quiesce() - a mount goes: no fence and no zap holds its inodes
 * @gsb: without users, its calls are ended
 *
 * Revokes are answered without a fence from here on, for nobody can read.
 * Context: process, sleeps until the fences at work are through; they wait
 * for no call.
 */
void gns_lease_quiesce(struct gns_sb *gsb);

/**
 * gns_lease_mapped() - an inode is mapped for the first time
 * @gi: the inode
 */
void gns_lease_mapped(struct gns_inode *gi);

/**
 * gns_lease_init() - everything of a new inode that is about leases
 * @gi: its memory, whatever is in it
 * @s:  its session; the mount holds the reference
 */
void gns_lease_init(struct gns_inode *gi, struct gns_session *s);

/**
 * gns_lease_hash() - a new inode enters its session
 * @gi: its handle is set
 *
 * Return: 0; -ENOMEM.
 */
int gns_lease_hash(struct gns_inode *gi);

/** gns_lease_unhash() - an inode goes; never sleeps for long, calls nobody */
void gns_lease_unhash(struct gns_inode *gi);

/** gns_lease_table_init() - the handles of a new session; -ENOMEM */
int gns_lease_table_init(struct gns_session *s);

/** gns_lease_table_destroy() - it is empty; may sleep */
void gns_lease_table_destroy(struct gns_session *s);

#endif
