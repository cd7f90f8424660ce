/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mounts of the host, by number: for those who come from outside and not
 * by a path, netlink and sysfs. A mount is listed while it is in sysfs.
 *
 * Locks: gns_mounts_mutex keeps each listed mount where it is. It is taken by
 * umount: nothing is waited for under it.
 */
#ifndef GNS_MOUNTS_H
#define GNS_MOUNTS_H

#include "gns.h"

extern struct mutex gns_mounts_mutex;

/**
 * gns_mounts_next() - the mounts of an instance, one after the other
 * @inst:  the instance
 * @after: the number of the one before; 0: from the first
 *
 * Context: gns_mounts_mutex held. Return: valid under it; NULL: no more.
 */
struct gns_sb *gns_mounts_next(struct gns_instance *inst, u32 after);

/**
 * gns_mounts_get() - the superblock of a mount
 * @inst: the instance
 * @nr:   the mount's number
 *
 * Return: let go of by deactivate_super(); NULL: there is none, or it is
 * being unmounted.
 */
struct super_block *gns_mounts_get(struct gns_instance *inst, u32 nr);

#endif
