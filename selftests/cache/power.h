/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files whose blocks say whose they are, and cache devices that have them.
 * Locks: none; one process, one thread.
 */
#ifndef GNS_TEST_CACHE_POWER_H
#define GNS_TEST_CACHE_POWER_H

#include <stdbool.h>

#include "kmod/cache/media.h"

/**
 * blocks_make() - write the files of a generation, in place of an older one's
 * @dir:        exists; files f0, f1, ... of many sizes
 * @files:      so many
 * @generation: goes into each block
 *
 * Return: an exit status.
 */
int blocks_make(const char *dir, u32 files, u32 generation);

/** blocks_check() - all files there, of one generation each; an exit status */
int blocks_check(const char *dir);

/** struct judged - what a device had */
struct judged {
	u32 sealed;
	u64 bytes;
};

/* Regions are noted by these pieces of the device: all are at least so large. */
#define POWER_PIECES 1024u

static inline u32 power_piece(u64 at)
{
	return at < GNS_MEDIA_START ?
		       0 :
		       (at - GNS_MEDIA_START) / GNS_MEDIA_REGION_MIN %
			       POWER_PIECES;
}

/**
 * judge() - is all that a device has, and says it has, right?
 * @path:  of its image
 * @dirty: POWER_PIECES; regions that begin in a piece that is not are left out
 * @j:     set
 *
 * What was learned about names is kept from call to call: an object is one file,
 * a version of it one generation. Return: false: no; it was said why.
 */
bool judge(const char *path, const bool *dirty, struct judged *j);

/** judged_summary() - print how much was judged */
void judged_summary(u64 points, u64 writes);

#endif
