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

#include <linux/fs.h>
#include <linux/sizes.h>
#include "gns.h"

/* Larger ones take longer to come than to be asked for. */
#define GNS_AHEAD_SIZE_MAX SZ_1M

/**
 * gns_ahead_begins() - the first pages of a file are on their way
 * @gi: a regular file
 *
 * Context: any.
 */
static inline void gns_ahead_begins(struct gns_inode *gi)
{
	if (READ_ONCE(gi->size) <= GNS_AHEAD_SIZE_MAX)
		WRITE_ONCE(gi->ahead, true);
}

/** gns_ahead_goes_on() - the rest of gns_ahead_read() */
void gns_ahead_goes_on(struct file *file);

/**
 * gns_ahead_read() - a file was read up to @pos, bytes
 * @file: it
 * @pos:  where the next read would begin
 *
 * When that is the end of a small file, the first time since it was fetched,
 * and goes on as it seems to, the next ones are asked for: as much as the
 * mount's rasize. Who reads the begins of files gets nothing else. Best effort,
 * as readahead.
 *
 * Context: process, may sleep for memory; waits for no call. No lock of a
 * mapping, for those of others are taken.
 */
static inline void gns_ahead_read(struct file *file, loff_t pos)
{
	struct gns_inode *gi = gns_i(file_inode(file));

	if (READ_ONCE(gi->ahead) && pos >= READ_ONCE(gi->size))
		gns_ahead_goes_on(file);
}

#endif
