/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The origin role: who holds the truth for an export, and who may cache what.
 *
 * Lifetime: the caller owns environment, backend and store, and keeps them
 * longer than the origin. Locks: none; everything on the environment's thread.
 */
#ifndef GNS_ORIGIN_ORIGIN_H
#define GNS_ORIGIN_ORIGIN_H

#include "lib/env.h"
#include "origin/db.h"
#include "origin/fs.h"
#include "transport/transport.h"

struct gns_origin;

/**
 * struct gns_origin_config - what the operator decides
 * @ttl:          session TTL, ns; 0: GNS_TTL_DEFAULT_NS
 * @hold:         shortest life of a lease that waited for its turn, ns;
 *                0: 50 ms
 * @settle:       quiet time after which a changed object is made durable and
 *                its mark taken back, ns; 0: 5 s
 * @max_sessions: sessions at once; 0: 16384
 * @max_leases:   leases at once; the last eighth is for faults; 0: 4 million
 * @max_locks:    locks at once, held and waited for; 0: 1 million
 * @max_requests: requests of one session in progress; 0: 1024
 * @boot_id:      changes with every boot of the host
 */
struct gns_origin_config {
	u64 ttl;
	u64 hold;
	u64 settle;
	u32 max_sessions;
	u32 max_leases;
	u32 max_locks;
	u32 max_requests;
	struct gns_id boot_id;
};

/** struct gns_origin_stats - counters since the start, and levels */
struct gns_origin_stats {
	u64 requests;
	u64 changes;
	u64 grants;
	u64 revokes;
	u64 expired; /* sessions that died at their deadline */
	u64 replays; /* changes answered from the log */
	u64 read_bytes;
	u64 sessions; /* level */
	u64 leases; /* level */
	u64 locks; /* level; held and waited for */
	u64 objects; /* level */
	u64 orphans; /* level: deleted files that are open somewhere */
	u64 grace_until; /* ns of boottime; 0: no grace */
};

/**
 * gns_origin_create() - bring an origin up from its durable state
 * @env: clock, timers, randomness
 * @fs:  the exported trees
 * @db:  durable state; loaded here, which may block
 * @cfg: copied
 *
 * Changes are held back until what was under way at a crash is resolved and
 * the grace time is over; reads are served at once.
 *
 * Return: the origin; NULL with errno set.
 */
struct gns_origin *gns_origin_create(struct gns_env *env, struct gns_fs *fs,
				     struct gns_db *db,
				     const struct gns_origin_config *cfg);

/**
 * gns_origin_destroy() - forget everything, say nothing to anyone
 * @o: gone after the call
 *
 * The same as a crash for everyone outside. Operations submitted to the
 * backend or the store must not call back after this: their owner stops them
 * first.
 */
void gns_origin_destroy(struct gns_origin *o);

/**
 * gns_origin_accept() - take a new connection over
 * @o:    the origin
 * @conn: its user is set here
 *
 * Return: 0; -ENOMEM: not taken, the caller closes it.
 */
int gns_origin_accept(struct gns_origin *o, struct gns_conn *conn);

/**
 * gns_origin_quiesce() - clean shutdown: make all durable, note that it is
 * @o:    the origin; takes no new changes from now on
 * @done: called when it may be destroyed; 0 or a negative errno
 * @arg:  handed to @done
 */
void gns_origin_quiesce(struct gns_origin *o, void (*done)(void *arg, int err),
			void *arg);

/**
 * gns_origin_views_changed() - the tree is shown by one export more
 * @o: the origin; what it has to know of that is written down, in the background
 */
void gns_origin_views_changed(struct gns_origin *o);

/** gns_origin_set_ttl() - new sessions and renewals get this TTL, ns */
void gns_origin_set_ttl(struct gns_origin *o, u64 ttl);

/** gns_origin_stats() - copy the counters */
void gns_origin_stats(const struct gns_origin *o,
		      struct gns_origin_stats *stats);

#endif
