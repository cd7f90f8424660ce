/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a lease ends; between lease.c, fence.c and ask.c only. The rules and the
 * order of locks are in lease.h.
 */
#ifndef GNS_FENCE_H
#define GNS_FENCE_H

#include "lease.h"

/**
 * gns_fence_drop() - forget all that is cached of an inode
 * @gi: the inode
 *
 * The lease is off and the epoch another before the first byte goes. Fills in
 * flight are ended, mappings go, then pages, names and attributes.
 * Context: process, may sleep; gi->lease_mutex held; waits for no call.
 */
void gns_fence_drop(struct gns_inode *gi);

/**
 * struct gns_written - what a change made of a file
 * @pos:  bytes from here
 * @len:  so many; U64_MAX - @pos: to the end
 * @buf:  what they are now; NULL: not known
 * @size: of the file afterwards, bytes
 */
struct gns_written {
	u64 pos;
	u64 len;
	const void *buf;
	u64 size;
};

/**
 * gns_fence_step() - what is cached goes on as of after a change made here
 * @gi: the inode; its lease is suspended
 * @ch: what the change made of it
 * @w:  bytes that it made others; len 0: none
 *
 * What is cached of another version than the change found is dropped, all of
 * it. Context: process, may sleep; gi->lease_mutex held; waits for no call.
 * Return: true: what is cached is of @ch->after.
 */
bool gns_fence_step(struct gns_inode *gi, const struct gns_uchanged *ch,
		    const struct gns_written *w);

/**
 * gns_fence_write() - put what was written into the page cache
 * @gi: a regular file; its lease is suspended, nothing is mapped
 * @w:  with its bytes
 *
 * Context: process, may sleep; gi->lease_mutex held; waits for no call.
 */
void gns_fence_write(struct gns_inode *gi, const struct gns_written *w);

/** gns_lease_new_epoch() - another life; gi->lock held */
void gns_lease_new_epoch(struct gns_inode *gi);

/** gns_lease_off() - end the lease; s->lock held */
void gns_lease_off(struct gns_inode *gi);

/** gns_lease_uncache() - the inode has no version any more */
void gns_lease_uncache(struct gns_inode *gi);

/**
 * gns_lease_for_each() - the inodes of a handle, in every mount of the origin
 * @s:   the session; s->lock held
 * @fh:  the handle
 * @fn:  called under RCU and s->lock; NULL: only count
 * @arg: for @fn
 *
 * Return: how many there are.
 */
u32 gns_lease_for_each(struct gns_session *s, const struct gns_fh *fh,
		       void (*fn)(struct gns_inode *gi, void *arg), void *arg);

#endif
