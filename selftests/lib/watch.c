// SPDX-License-Identifier: GPL-2.0
/*
 * States and who looks at them; see watch.h.
 */
#include "tap.h"
#include "../tree/client.h"
#include "watch.h"

void watch_end(struct watch *w, u32 state, u32 status)
{
	if (status)
		die("changing %s to state %u: %s", w->name, state,
		    gns_status_str(status));
	atomic_store(&w->acked, state);
}

void watch_seen(struct watch *w, u32 oldest, s64 state, const char *how)
{
	u32 newest = atomic_load(&w->asked);

	atomic_fetch_add(&w->looks, 1);
	if (state < (s64)oldest)
		tap_bad("%s by %s: state %lld, but %u was acknowledged before",
			w->name, how, (long long)state, oldest);
	else if (state > (s64)newest)
		tap_bad("%s by %s: state %lld, but nobody asked for more than %u",
			w->name, how, (long long)state, newest);
}
