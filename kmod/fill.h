/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fill: one missing range of a file on its way into the page cache.
 *
 * It owns its folios' locks from the moment it is made, and its claimer (see
 * call.h) unlocks each of them exactly once: uptodate when the lease has been
 * live since the fill was sent and the version is the one held, else not.
 * Whoever then finds a folio unlocked and not uptodate asks anew.
 *
 * Lifetime: made by read.c with a reference on the inode; a struct gns_call.
 * Locks: gi->lock guards gi->fills. The end of a fill takes gi->lock only.
 */
#ifndef GNS_FILL_H
#define GNS_FILL_H

#include "gns.h"

/**
 * struct gns_fill - see above
 * @c:      the call; req.off and req.len are the folios' range, cut at EOF
 * @gi:     whose; a reference on its inode
 * @by_inode: in gi->fills, under gi->lock
 * @epoch:  of the lease when it was made
 * @size:   of the file then, bytes
 * @got:    bytes that deliver() has put into the folios
 * @usable: deliver() found that they may be cached
 * @nr:     folios
 * @folios: locked, ascending, without a gap; the lock holds them in the cache
 */
struct gns_fill {
	struct gns_call c;
	struct gns_inode *gi;
	struct list_head by_inode;
	u64 epoch;
	u64 size;
	u32 got;
	bool usable;
	u32 nr;
	u32 room;
	struct folio *folios[];
};

/**
 * gns_fill_new() - an empty fill
 * @inode: a regular file
 * @cred:  who reads
 * @epoch: of the live lease
 * @room:  folios that it can take
 *
 * Context: process; GFP_NOFS. Return: put by gns_call_put(&f->c); NULL.
 */
struct gns_fill *gns_fill_new(struct inode *inode, const struct cred *cred,
			      u64 epoch, u32 room);

/**
 * gns_fill_submit() - send it
 * @f: with its folios, which it owns from here on in every case
 * @wait: somebody will gns_call_wait() for it
 *
 * Ends the fill itself when the lease is gone or the call is refused.
 * Return: 0, or the error it ended with.
 */
int gns_fill_submit(struct gns_fill *f);

/**
 * gns_fill_abort_all() - end every fill of an inode; its folios are unlocked
 * @gi:  the inode
 * @err: -ESTALE
 *
 * A fill whose bytes are being copied right now ends by itself, soon.
 * Context: process; no locks that a fill's end takes.
 */
void gns_fill_abort_all(struct gns_inode *gi, int err);

#endif
