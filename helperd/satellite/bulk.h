/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory that answers with bytes are taken from by the kernel.
 *
 * One region, registered with /dev/gns, pinned by the kernel. Large payloads
 * are received straight into blocks of it, and need no copy here. What came in
 * another way is copied into the scratch block at its start, for the time of
 * one call.
 *
 * Limits: a connection receives one payload at a time, and the kernel takes it
 * before the next one. Should the region be full all the same, a payload goes
 * to malloc(3) and through the scratch block: slower, and never stuck.
 *
 * Lifetime: gns_bulk_create() .. gns_bulk_destroy(); the memory stays until the
 * transport that receives into it is done, too.
 * Locks: none; one thread.
 */
#ifndef GNS_SATELLITE_BULK_H
#define GNS_SATELLITE_BULK_H

#include <linux/gns.h>

#include "lib/mem.h"

#define GNS_BULK_MIN (8u << 20)
#define GNS_BULK_DEFAULT (64u << 20)
#define GNS_BULK_SCRATCH (2u << 20) /* any payload and listing fits */

struct gns_bulk_region;

/** struct gns_bulk_stats - since the start */
struct gns_bulk_stats {
	u64 fills;
	u64 bytes;
	u64 copied; /* of the bytes */
	u64 full; /* blocks that had to come from malloc(3) */
};

/**
 * gns_bulk_create() - make the region
 * @size: bytes, from GNS_BULK_MIN to GNS_UBUF_MAX; rounded up to 2 MiB
 *
 * Return: the region, not registered; NULL with errno set.
 */
struct gns_bulk_region *gns_bulk_create(u32 size);

/** gns_bulk_destroy() - NULL is harmless */
void gns_bulk_destroy(struct gns_bulk_region *b);

/** gns_bulk_mem() - for one transport's configuration */
struct gns_mem *gns_bulk_mem(struct gns_bulk_region *b);

/**
 * gns_bulk_register() - register the region with a helper's file
 * @b:  the region
 * @fd: /dev/gns, newly opened; kept by the caller as long as the region is
 *      used with it
 *
 * Return: 0; a negative errno.
 */
int gns_bulk_register(struct gns_bulk_region *b, int fd);

/**
 * gns_bulk_scratch() - room for what is not received into the region
 * @b: the region
 *
 * Return: GNS_BULK_SCRATCH bytes, overwritten by the next fill with a payload
 * from elsewhere.
 */
void *gns_bulk_scratch(struct gns_bulk_region *b);

/**
 * gns_bulk_fill() - give an answer with bytes to the kernel
 * @b:    the region, registered
 * @fill: the answer; buf, offset and len are set here
 * @p:    its bytes: anywhere
 * @len:  their number, at most GNS_BULK_SCRATCH
 *
 * Return: 0; a negative errno of the kernel.
 */
int gns_bulk_fill(struct gns_bulk_region *b, struct gns_ufill *fill,
		  const void *p, u32 len);

/**
 * gns_bulk_take() - fetch the bytes of a call into the scratch block
 * @b:   the region, registered
 * @id:  the call
 * @len: bytes, at most GNS_BULK_SCRATCH
 *
 * Return: 0; a negative errno of the kernel, -ENOENT: the call has ended.
 */
int gns_bulk_take(struct gns_bulk_region *b, u64 id, u32 len);

/** gns_bulk_stats() - copy the counters */
void gns_bulk_stats(const struct gns_bulk_region *b, struct gns_bulk_stats *st);

#endif
