/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Readers and changes that go on while something is broken and mended: no call
 * may fail, and nobody may see what was before an acknowledged change.
 *
 * On each host there are readers of a file that is read, one that is mapped,
 * names that are looked up, and cold files, each read once from the origin.
 *
 * Lifetime: traffic_start() .. traffic_stop(). Locks: its own.
 */
#ifndef GNS_TEST_TRAFFIC_H
#define GNS_TEST_TRAFFIC_H

#include "change.h"
#include "lib/types.h"

/** traffic_prepare() - make the files; before the export is mounted */
void traffic_prepare(void);

/**
 * traffic_start() - begin
 * @c:        makes the changes
 * @hosts:    with the export mounted on $LAB/<host>; ends with NULL
 * @pause_ms: between changes
 */
void traffic_start(struct changer *c, char *const *hosts, unsigned int pause_ms);

/** struct traffic - how much there was until now */
struct traffic {
	u64 looks; /* by all readers */
	u64 changes;
	u64 cold; /* bytes read of cold files */
};

struct traffic traffic_now(void);

/**
 * traffic_flows() - wait until every reader has begun and ended something
 * @ms: how long at most
 *
 * Return: did they?
 */
bool traffic_flows(unsigned int ms);

/** traffic_stop() - end; what was wrong is said by tap_bad() */
void traffic_stop(void);

#endif
