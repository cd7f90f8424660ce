/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows of files in memory, to send from.
 *
 * A window stays mapped after its use: mapping costs about as much as sending
 * does. Only the kernel looks into one, in send(2): where a file has become
 * shorter, that fails with EFAULT, and a load would be a SIGBUS.
 *
 * Lifetime: a window goes when its file's are dropped or others need the room,
 * but not before the bulks in it are released. Those may outlive the pool.
 * Locks: the pool has its own; everything may be called on any thread.
 */
#ifndef GNS_ORIGIN_WINDOW_H
#define GNS_ORIGIN_WINDOW_H

#include <sys/queue.h>

#include "transport/transport.h"

struct gns_windows;
struct window;

/** struct gns_windows_of - the windows of one file; zeroed: it has none */
struct gns_windows_of {
	struct gns_windows *pool; /* NULL: it never had one */
	LIST_HEAD(, window) list; /* last used first */
};

/**
 * gns_windows_create() - a pool
 * @max: bytes mapped at once, at least one window's
 *
 * Return: the pool; NULL without memory.
 */
struct gns_windows *gns_windows_create(u64 max);

/**
 * gns_windows_destroy() - the end; all files' windows have been dropped
 * @pool: gone after the call; NULL is harmless
 */
void gns_windows_destroy(struct gns_windows *pool);

/**
 * gns_window_get() - bytes of a file where they lie
 * @pool: where new windows are counted
 * @of:   of the file
 * @fd:   of the file, readable
 * @off:  first byte
 * @len:  at most GNS_READ_MAX
 *
 * Does not block.
 *
 * Return: a bulk to be released; NULL when not all is in the page cache, or
 * there is no room for another window.
 */
struct gns_bulk *gns_window_get(struct gns_windows *pool,
				struct gns_windows_of *of, int fd, u64 off,
				u32 len);

/** gns_windows_drop() - the file is being closed */
void gns_windows_drop(struct gns_windows_of *of);

#endif
