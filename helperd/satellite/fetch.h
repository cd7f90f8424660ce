/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A large range of a file, fetched in parallel pieces.
 *
 * Under one life of a lease only: then all pieces are of one version, whatever
 * order and connection they come by. The first piece of another version ends
 * the fetch.
 *
 * Lifetime: gns_fetch_start() .. done() or gns_fetch_cancel(); of the two
 * exactly one. Locks: none; on the environment's thread.
 */
#ifndef GNS_SATELLITE_FETCH_H
#define GNS_SATELLITE_FETCH_H

#include "satellite/satellite.h"

#define GNS_FETCH_UNIT (1u << 20) /* bytes of a piece */
#define GNS_FETCH_DEPTH 16u /* pieces on their way at once */

struct gns_fetch;

/**
 * struct gns_fetch_want - what to fetch
 * @fh:    the file
 * @cred:  who reads it
 * @lease: number of the grant held, not 0
 * @epoch: this life of the lease, not 0; see gns_sat_submit()
 * @off:   first byte
 * @len:   bytes; more than there are is no error
 */
struct gns_fetch_want {
	struct gns_fh fh;
	struct gns_cred cred;
	u64 lease;
	u64 epoch;
	u64 off;
	u64 len;
};

/**
 * struct gns_fetch_ops - who gets the bytes
 * @piece: bytes of the file at @off; in any order, each byte once; valid
 *         during the call
 * @done:  all is there (0), or the fetch has ended with a status, or with
 *         ESTALE for a piece of another version. The fetch is gone.
 */
struct gns_fetch_ops {
	void (*piece)(void *arg, u64 off, const void *data, u32 len);
	void (*done)(void *arg, u32 status);
};

/**
 * gns_fetch_start() - begin
 * @s:    the satellite
 * @want: copied
 * @ops:  callbacks
 * @arg:  handed to them
 *
 * Never calls back before it returns.
 *
 * Return: the fetch; NULL with errno ENOMEM, EAGAIN (too many requests
 * pending) or EINVAL (no lease, or a range that wraps).
 */
struct gns_fetch *gns_fetch_start(struct gns_sat *s,
				  const struct gns_fetch_want *want,
				  const struct gns_fetch_ops *ops, void *arg);

/** gns_fetch_cancel() - no callback follows; the fetch is gone */
void gns_fetch_cancel(struct gns_fetch *f);

#endif
