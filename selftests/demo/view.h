/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who looks at a file without a pause: through a mapping, or by read(2).
 *
 * Lifetime: view_start() .. view_stop().
 * Locks: none; a viewer's fields are its thread's, read by others with
 * atomics.
 */
#ifndef GNS_DEMO_VIEW_H
#define GNS_DEMO_VIEW_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/types.h"

/** struct view - a viewer */
struct view {
	const char *path;
	bool mapped;
	bool stop;
	u64 looks;
	u64 stale; /* looks that showed less than what was acknowledged */
	u64 errors;
	u32 state; /* seen last */
	u64 seen; /* ns of BOOTTIME: end of the look that first showed it */
	u64 longest; /* ns that a look took */
	pthread_t thread;
};

/** view_start() - a thread that looks at @path from now on */
void view_start(struct view *v, const char *path, bool mapped);

/** view_stop() - end it; it may wait for its last look */
void view_stop(struct view *v);

/** view_wait() - until a state is seen; Return: false after @ms */
bool view_wait(struct view *v, u32 state, unsigned int ms);

/** view_acked() - from now on no look may begin and show less than @state */
void view_acked(u32 state);

#endif
