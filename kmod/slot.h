/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots: which changes of this host are under way with an origin, what they
 * touch, and what they touched not long ago. Between change.c, slot.c and
 * lease.c only; change.h has the rules.
 *
 * Locks: everything under s->lock.
 */
#ifndef GNS_SLOT_H
#define GNS_SLOT_H

#include "lease.h"

struct gns_change;

/**
 * gns_slots_touch() - is a change of this object under way, or given up?
 * @s:  the session; s->lock held
 * @fh: the object
 */
bool gns_slots_touch(const struct gns_session *s, const struct gns_fh *fh);

/**
 * gns_slots_remove() - may a change under way take its last name?
 * @s:  the session; s->lock held
 * @fh: the object
 *
 * Return: false also where that change has said that the object is open here.
 */
bool gns_slots_remove(const struct gns_session *s, const struct gns_fh *fh);

/**
 * gns_slots_owned() - when did a change of this object end last?
 * @s:  the session; s->lock held
 * @fh: the object
 *
 * Return: s->own_seq of then, or of later; 0: answers may be as old as they
 * like.
 */
u64 gns_slots_owned(const struct gns_session *s, const struct gns_fh *fh);

/**
 * gns_slot_take() - a slot for a change, and everything suspended that it
 * touches
 * @ch:     not sent; its req gets slot and seq
 * @nowait: -EAGAIN when there is no free slot
 *
 * Waits for a session, and for a slot to become free. Leases are off when it
 * returns, and nothing is mapped any more.
 * Context: process, sleeps, killable.
 * Return: 0; -EINTR: killed; -ETIMEDOUT: a soft mount's patience is over;
 * -EIO: the mount was given up, or it depends on a session that is lost.
 */
int gns_slot_take(struct gns_change *ch, bool nowait);

/**
 * enum gns_slot_end - what is known of a change that is over
 * @GNS_SLOT_UNSENT:   the origin has not heard of it. An orphan that had the
 *                     slot before is one still
 * @GNS_SLOT_UNKNOWN:  it was given up, and may run yet: the slot is an orphan
 * @GNS_SLOT_ANSWERED: so nothing that had the slot before runs any more
 */
enum gns_slot_end {
	GNS_SLOT_UNSENT,
	GNS_SLOT_UNKNOWN,
	GNS_SLOT_ANSWERED,
};

/**
 * gns_slot_give() - the change is over, and what is cached is as after it
 * @ch:    has a slot
 * @how:   what is known of it
 *
 * Leases that were held all the time, of inodes in ch->gi that are cached in
 * the version of now, are live again if no other change is under way.
 * Context: process.
 */
void gns_slot_give(struct gns_change *ch, enum gns_slot_end how);

/**
 * gns_slot_each_other() - the inodes of other mounts that a change touches
 * @ch: a change
 * @fh: object
 * @fn: called with a reference held, without locks; may sleep
 *
 * Context: process, sleeps.
 */
void gns_slot_each_other(struct gns_change *ch, const struct gns_fh *fh,
			 void (*fn)(struct gns_inode *gi));

#endif
