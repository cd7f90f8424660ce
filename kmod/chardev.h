/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/gns: the helper's open file, and the memory that it registered.
 *
 * Lifetime: one open file is the life of one helper. It holds its network
 * namespace; its buffers are pinned from REGISTER to the close. An ioctl holds
 * the file, so none is in progress when it is closed.
 * Locks: @mutex of the buffers orders REGISTERs; a buffer does not change once
 * it is there.
 */
#ifndef GNS_CHARDEV_H
#define GNS_CHARDEV_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include "call.h"

struct gns_buffer;
struct gns_helper;

/** struct gns_buffers - what a helper registered; @n of them, R */
struct gns_buffers {
	struct mutex mutex; /* REGISTER */
	u32 n;
	struct gns_buffer *buf[GNS_UBUFS_MAX];
};

void gns_buffers_init(struct gns_buffers *b);

/**
 * gns_buffers_add() - pin memory of the caller
 * @b:    the buffers
 * @addr: page-aligned
 * @len:  page-aligned, bytes
 *
 * The pages count against RLIMIT_MEMLOCK of the caller.
 * Context: process, sleeps. Return: the buffer's number; -EINVAL; -ENOSPC: too
 * many; -ENOMEM: no memory, or above the limit; -EFAULT; -EINTR.
 */
int gns_buffers_add(struct gns_buffers *b, u64 addr, u64 len);

/**
 * gns_buffers_range() - a place in a buffer
 * @b:      the buffers
 * @nr:     the buffer's number
 * @offset: in it, bytes
 * @len:    bytes
 * @bytes:  set
 *
 * Return: 0; -EINVAL: there is no such place.
 */
int gns_buffers_range(struct gns_buffers *b, u32 nr, u64 offset, u32 len,
		      struct gns_bytes *bytes);

/** gns_buffers_destroy() - unpin all; nobody uses them any more */
void gns_buffers_destroy(struct gns_buffers *b);

/** gns_helper_of() - the helper whose open file that is; NULL: it is none */
struct gns_helper *gns_helper_of(struct file *file);

/** gns_helper_instance() - the instance that it serves */
struct gns_instance *gns_helper_instance(const struct gns_helper *h);

#endif
