/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where bytes of a file are on their way to the network: buffers and pipes.
 *
 * Lifetime: the bulks of a pool may outlive it; the pool's memory goes with
 * the last of them.
 * Locks: the pool has its own; everything may be called on any thread.
 */
#ifndef GNS_ORIGIN_BULK_H
#define GNS_ORIGIN_BULK_H

#include "transport/transport.h"

struct gns_pipes;

/**
 * gns_buf_new() - bytes in memory
 * @len:  how many
 * @data: set to where they go
 *
 * Return: a bulk to be released; NULL without memory.
 */
struct gns_bulk *gns_buf_new(u32 len, u8 **data);

/**
 * gns_pipes_create() - a pool of pipes
 * @max: pipes at once, in use or waiting for it
 *
 * Return: the pool; NULL without memory.
 */
struct gns_pipes *gns_pipes_create(u32 max);

/**
 * gns_pipes_destroy() - close the idle pipes, and the others when released
 * @pool: gone after the call; NULL is harmless
 */
void gns_pipes_destroy(struct gns_pipes *pool);

/**
 * gns_pipe_get() - an empty pipe
 * @pool:  from where
 * @slots: pages it must be able to hold, each maybe filled in part only
 * @wr:    set to the end to write to
 *
 * Its release takes it back when it was drained, and closes it if not.
 *
 * Return: a bulk whose fd is the end to read from; NULL when the pool is used
 * up, or the kernel allows no pipe that large.
 */
struct gns_bulk *gns_pipe_get(struct gns_pipes *pool, u32 slots, int *wr);

#endif
