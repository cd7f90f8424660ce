/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data sets of the cache, by mounts and names; see cache/cache.h.
 *
 * Locks: gi->cset and gi->trees are written under gi->lock.
 */
#ifndef GNS_SETS_H
#define GNS_SETS_H

#include "gns.h"

struct gns_climit;
struct seq_file;

/**
 * gns_set_use() - what is kept of a file from now on is of the set of its name
 * @dentry: of a regular file, the name it is opened by
 *
 * Context: process, may sleep; waits for nobody.
 */
void gns_set_use(struct dentry *dentry);

/**
 * gns_set_of_mount() - a mount's own set
 * @gsb:   with a cache; gsb->cset is set
 * @limit: of the set
 *
 * Context: process, sleeps. Return: 0; as gns_cset_of_export().
 */
int gns_set_of_mount(struct gns_sb *gsb, const struct gns_climit *limit);

/** gns_set_show() - what a mount's set may have, as options; it has a cache */
void gns_set_show(struct seq_file *m, struct gns_sb *gsb);

/**
 * gns_dir_ioctl() - ->unlocked_ioctl() of directories
 * @file: a directory
 * @cmd:  GNS_IOC_CACHE_SET
 * @arg:  a struct gns_ucache_set of the caller's
 *
 * Return: the set's number; -EPERM; -EINVAL; -EOPNOTSUPP: the mount has no cache;
 * as gns_cset_of_tree().
 */
long gns_dir_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif
