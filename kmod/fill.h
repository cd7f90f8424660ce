/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fill: one missing range of a file on its way into the page cache.
 *
 * It owns its folios' locks from the moment it is made, and its claimer (see
 * call.h) unlocks each of them exactly once: uptodate when the lease has been
 * live since the fill was sent and the version is the one held, else not.
 * Whoever then finds a folio unlocked and not uptodate asks anew.
 *
 * How it ends, for who waits:
 *
 *	0		the folios are uptodate
 *	-ESTALE		the lease went, or the object: begin again, and if that
 *			does not help, ask the origin past the cache
 *	-EREMCHG	the origin shows another version than it has leased:
 *			drop the lease, begin again
 *	-EBUSY		the origin had no time: pause, begin again
 *	others		for the application
 *
 * Lifetime: a struct gns_call, made by read.c; it holds the inode until its
 * end. Who submits holds the inode, too.
 * Locks: gi->lock guards gi->fills and @over. The end of a fill takes gi->lock
 * only, and drops its inode last.
 */
#ifndef GNS_FILL_H
#define GNS_FILL_H

#include <linux/workqueue.h>
#include "gns.h"

/**
 * struct gns_fill - see above
 * @c:        the call; req.off and req.len are the folios' range, cut at EOF
 * @gi:       whose; a reference on its inode until the end
 * @by_inode: in gi->fills, under gi->lock
 * @over:     the end has begun; under gi->lock
 * @usable:   deliver() has put all bytes into the folios, and they count
 * @timeout:  of a soft mount, when nobody waits; holds a reference
 * @epoch:    of the lease when it was made
 * @version:  likewise
 * @size:     of the file then, bytes
 * @pages:    of all folios
 * @nr:       folios
 * @room:     for folios
 * @folios:   locked, ascending, without a gap; the lock holds them in the cache
 */
struct gns_fill {
	struct gns_call c;
	struct gns_inode *gi;
	struct list_head by_inode;
	bool over;
	bool usable;
	struct delayed_work timeout;
	u64 epoch;
	u64 version;
	u64 size;
	u32 pages;
	u32 nr;
	u32 room;
	struct folio *folios[];
};

/**
 * gns_fill_new() - an empty fill
 * @inode: a regular file, held by an open file or a dentry
 * @cred:  who reads
 * @epoch: of the live lease
 * @size:  of the file in that epoch, bytes
 * @room:  folios that it can take
 *
 * Context: process; GFP_NOFS. Return: put by gns_call_put(&f->c) after it was
 * submitted, which has to follow; NULL without memory.
 */
struct gns_fill *gns_fill_new(struct inode *inode, const struct cred *cred,
			      u64 epoch, u64 size, u32 room);

/**
 * gns_fill_add() - give it one more folio, and the folio's lock
 * @f:     not submitted
 * @folio: locked, not uptodate, behind the last one
 *
 * Return: false when it does not fit: no room, or the fill would cross a
 * border of GNS_UREAD_MAX in the file. The folio is the caller's then. The
 * first one always fits, unless it alone is too large.
 */
bool gns_fill_add(struct gns_fill *f, struct folio *folio);

/**
 * gns_fill_submit() - send it
 * @f:    with its folios, which it owns in every case
 * @wait: the caller will gns_call_wait() for it if this returns 0
 *
 * Ends the fill itself when the lease is gone or the call is refused.
 * Context: process; does not wait. Return: 0, or the error it ended with.
 */
int gns_fill_submit(struct gns_fill *f, bool wait);

/**
 * gns_fill_full() - have fills of this mount so many pages that readahead
 * should leave the rest for later?
 * @gsb: the mount
 */
bool gns_fill_full(struct gns_sb *gsb);

/**
 * gns_fill_abort_all() - end every fill of an inode; its folios are unlocked
 * @gi:  the inode; the epoch is another already, so that none is added
 * @err: -ESTALE
 *
 * A fill whose bytes are being copied right now ends by itself, soon.
 * Context: process; no locks that a fill's end takes.
 */
void gns_fill_abort_all(struct gns_inode *gi, int err);

#endif
