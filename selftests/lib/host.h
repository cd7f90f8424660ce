/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel says of gns on one host, by netlink: sessions and counters.
 *
 * Locks: its own; any thread may call it.
 */
#ifndef GNS_TEST_HOST_H
#define GNS_TEST_HOST_H

#include <linux/gns.h>

#include "lib/types.h"

/**
 * struct host_status - all origins and mounts of a host together
 * @sid:     session, of the last origin that has one
 * @left:    ns until the leases expire, of the same
 * @ttl:     ns, of the same
 * @leases:  held
 * @cached:  objects
 * @pending: calls
 * @mounts:  how many
 * @v:       counters of all mounts
 */
struct host_status {
	u64 sid;
	u64 left;
	u64 ttl;
	u64 leases;
	u64 cached;
	u64 pending;
	unsigned int mounts;
	u64 v[GNS_C_MAX];
};

/** host_status() - as of now; the test ends when the kernel does not say it */
void host_status(const char *host, struct host_status *st);

/** host_count() - one counter */
u64 host_count(const char *host, enum gns_counter c);

#endif
