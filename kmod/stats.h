/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a mount: per-CPU, added to without a lock, read in one place.
 */
#ifndef GNS_STATS_H
#define GNS_STATS_H

#include <linux/percpu.h>
#include <uapi/linux/gns.h>

struct gns_sb;
struct gns_session;

struct gns_stats {
	u64 v[GNS_C_MAX];
};

/** gns_count() - add to a counter of a mount; any context */
#define gns_count(gsb, counter, n) this_cpu_add((gsb)->stats->v[counter], n)

/**
 * gns_stats_read() - add the counters of all CPUs up
 * @gsb: the mount
 * @v:   GNS_C_MAX of them, filled
 */
void gns_stats_read(const struct gns_sb *gsb, u64 *v);

/** gns_stats_left() - ns until the leases of a session expire; 0: they have */
u64 gns_stats_left(const struct gns_session *s);

/** gns_stats_leases() - leases that count now, in all mounts of the origin */
u64 gns_stats_leases(const struct gns_session *s);

/** gns_stats_pending() - calls of a session that are not answered */
u64 gns_stats_pending(const struct gns_session *s);

#endif
