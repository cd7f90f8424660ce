/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can be said of the cache by options of a mount; see cache.h.
 */
#ifndef GNS_CACHE_LIMIT_H
#define GNS_CACHE_LIMIT_H

#include <linux/types.h>

/** struct gns_climit - what a data set may have; what is not given stays */
struct gns_climit {
	bool has_quota;
	u64 quota; /* bytes; 0: as much as there is */
	bool has_pin;
	bool pin; /* what it has is not given up for others */
};

/** enum gns_cache_change - what becomes of a device */
enum gns_cache_change {
	GNS_CACHE_ADD, /* or keep one that is drained */
	GNS_CACHE_DRAIN, /* what it has goes to the others, in the background */
	GNS_CACHE_REMOVE, /* it is closed, and what it has not found any more */
};

#endif
