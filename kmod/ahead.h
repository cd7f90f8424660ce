/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small files are fetched before they are opened, for who reads a directory's
 * files in the order of its listing, or of their names: a round trip for each is
 * what reading them costs else.
 *
 * Locks: see order.h; none is held while a file is fetched.
 */
#ifndef GNS_AHEAD_H
#define GNS_AHEAD_H

#include <linux/pagemap.h>
#include "gns.h"

/* Larger ones take longer to come than to be asked for. */
#define GNS_AHEAD_SIZE_MAX (1u << 20)

/**
 * gns_ahead_wants() - is that the first read of a small file for a while?
 * @gi:  a regular file
 * @pos: where it is read, bytes
 *
 * Context: any.
 */
static inline bool gns_ahead_wants(const struct gns_inode *gi, loff_t pos)
{
	return !pos && READ_ONCE(gi->size) <= GNS_AHEAD_SIZE_MAX &&
	       (READ_ONCE(gi->ahead) || !gi->vfs_inode.i_mapping->nrpages);
}

/**
 * gns_ahead_read() - a small file is about to be read from its beginning
 * @file: it, under a live lease
 *
 * If that goes on as it seems to, the next files are asked for; this one before
 * them. Best effort, as readahead: as much as the mount's rasize.
 *
 * Context: process, may sleep for memory; waits for no call. No lock of a
 * mapping, for those of others are taken.
 */
void gns_ahead_read(struct file *file);

#endif
