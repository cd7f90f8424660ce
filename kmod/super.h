/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mounted superblock: how it comes to be (mount.c), and how it goes.
 */
#ifndef GNS_SUPER_H
#define GNS_SUPER_H

#include "gns.h"

struct fs_context;

/* s_fs_info of a superblock that may be on its way out; leaf, under sb_lock. */
extern spinlock_t gns_mounts_lock;

/**
 * gns_sb_new() - the memory of a mount
 * @s:      its session; a reference is taken, and one on the namespace
 * @export: as in the source
 * @root:   handle of the export's root
 * @opt:    copied
 *
 * Context: process, may sleep. Return: freed by gns_sb_free(); NULL.
 */
struct gns_sb *gns_sb_new(struct gns_session *s, const char *export,
			  const struct gns_fh *root,
			  const struct gns_options *opt);

/** gns_sb_free() - nobody mounts it, or nobody does any more; NULL is harmless */
void gns_sb_free(struct gns_sb *gsb);

/**
 * gns_super_fill() - a superblock for what the origin answered
 * @sb:  new; its s_fs_info is set
 * @fc:  gets a message about what is wrong
 * @ans: of GNS_CALL_MOUNT
 *
 * Context: process, s_umount held; waits for nobody.
 * Return: 0; -ENOMEM; -EUCLEAN. Then the caller deactivates the superblock.
 */
int gns_super_fill(struct super_block *sb, struct fs_context *fc,
		   const struct gns_answer *ans);

/**
 * gns_super_learn() - have statfs's numbers before they are asked for
 * @gsb: new, not known to anybody
 *
 * umount(8) asks for them first, and may do so when the helper has gone.
 * Context: process, sleeps for a moment, killable.
 */
void gns_super_learn(struct gns_sb *gsb);

/** gns_super_set_rasize() - readahead of a mount, bytes */
void gns_super_set_rasize(struct super_block *sb, u32 rasize);

/* mount.c */
int gns_init_fs_context(struct fs_context *fc);

#endif
