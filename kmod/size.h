/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The size that the VFS may see.
 *
 * gi->size is the size of the version that is cached, or of the one that was
 * known last; all of gns looks at that one, and at the lease. But the VFS ends
 * a copy at i_size, counts locks from it, and so on, and asks nobody: there an
 * old size would be an old answer. So a regular file's i_size is gi->size
 * ("shown") only while the lease is live and pages may be mapped, and ends
 * like a mapping does: with the lease, and ahead of the session's deadline.
 * Else it is GNS_SIZE_HIDDEN, larger than any file: who goes by that comes
 * here, and is told what the origin says.
 *
 * Locks: i_size of regular files and gi->sized change under s->sized_lock,
 * which is a leaf; gi->size under gi->lock and that one, and is read without
 * (READ_ONCE).
 */
#ifndef GNS_SIZE_H
#define GNS_SIZE_H

#include "lease.h"

/* Places near the end, as the VFS counts them from that. */
#define GNS_SIZE_NEAR ((loff_t)1 << 43)

#define GNS_SIZE_HIDDEN (OFFSET_MAX - 2 * GNS_SIZE_NEAR)

/**
 * gns_size_set() - the size that is known now
 * @gi:   the inode
 * @size: bytes
 *
 * Stays hidden, or shown. Context: gi->lock held.
 */
void gns_size_set(struct gns_inode *gi, u64 size);

/** gns_size_show_slow() - the rest of gns_size_show() */
void gns_size_show_slow(struct gns_inode *gi);

/**
 * gns_size_show() - let the VFS see the size, if it may
 * @gi: a regular file
 *
 * Context: any in which gi->lock could be taken.
 */
static inline void gns_size_show(struct gns_inode *gi)
{
	if (unlikely(i_size_read(&gi->vfs_inode) == GNS_SIZE_HIDDEN))
		gns_size_show_slow(gi);
}

/** gns_size_hide() - from now on it is the origin that knows; no sleep */
void gns_size_hide(struct gns_inode *gi);

/**
 * gns_size_hide_all() - the same of all inodes of a session
 * @s: the session, whose gate is shut: nothing is shown meanwhile
 *
 * Context: process, may sleep.
 */
void gns_size_hide_all(struct gns_session *s);

/**
 * gns_size_may_be() - does the caller's limit allow a new size?
 * @gi:   the file
 * @old:  its size, bytes
 * @size: wanted, bytes
 *
 * Return: 0; -EFBIG, and SIGXFSZ is sent if it is by RLIMIT_FSIZE.
 */
int gns_size_may_be(const struct gns_inode *gi, u64 old, u64 size);

/**
 * gns_size_of_lock() - where a range begins and ends that the VFS counted
 * @file: locked in
 * @fl:   positions near GNS_SIZE_HIDDEN are set to what they are
 *
 * Counted from a hidden end of the file they mean nothing: the origin is asked
 * where that is. Context: process; may wait for the origin, killable.
 * Return: 0; -EINVAL: before the beginning; an errno.
 */
int gns_size_of_lock(struct file *file, struct file_lock *fl);

#endif
