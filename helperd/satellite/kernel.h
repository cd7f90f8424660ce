/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The satellite role: what the kernel of this network namespace asks for.
 *
 * The kernel names origins to keep sessions with, and calls to carry out; all
 * of that is pulled from its line of words. Whoever serves here may die at any
 * time: the kernel keeps what matters, and the next helper pulls it again. So
 * there is one way out of everything that should not happen: let go of
 * /dev/gns, and begin again.
 *
 * Lifetime: gns_kernel_create() .. gns_kernel_destroy(); the loop has to run
 * once more after the destroy before it may be closed itself.
 * Locks: none; all on the loop's thread, which never waits for a peer.
 */
#ifndef GNS_SATELLITE_KERNEL_H
#define GNS_SATELLITE_KERNEL_H

#include <uv.h>

#include "lib/env.h"

struct gns_kernel;

/** struct gns_kernel_status - for people */
struct gns_kernel_status {
	bool open; /* this helper serves the namespace */
	u32 origins;
};

/**
 * struct gns_kernel_config - how to serve
 * @must:    an error now when it can not be served; else it is tried again
 *           every second
 * @buffer:  bytes that answers are received into; 0: GNS_BULK_DEFAULT
 * @changed: optional: the status has changed
 * @arg:     handed to it
 */
struct gns_kernel_config {
	bool must;
	u32 buffer;
	void (*changed)(void *arg);
	void *arg;
};

/**
 * gns_kernel_create() - serve the kernel, now or as soon as it is there
 * @uv:   the loop
 * @env:  its environment
 * @cfg:  copied
 * @err:  set to what is wrong, when it fails
 * @size: bytes of @err
 *
 * Return: it; NULL with errno set, EBUSY: another helper serves the namespace.
 */
struct gns_kernel *gns_kernel_create(uv_loop_t *uv, struct gns_env *env,
				     const struct gns_kernel_config *cfg,
				     char *err, size_t size);

/**
 * gns_kernel_destroy() - end it; mounts wait for the next helper
 * @k: gone after the call; NULL is harmless
 */
void gns_kernel_destroy(struct gns_kernel *k);

/** gns_kernel_status() - how it stands; NULL: nothing is served */
void gns_kernel_status(const struct gns_kernel *k,
		       struct gns_kernel_status *st);

#endif
