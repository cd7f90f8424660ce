// SPDX-License-Identifier: GPL-2.0
/* Figures of mounts and sessions, for netlink and sysfs. */
#include "gns.h"
#include "session.h"
#include "stats.h"

void gns_stats_read(const struct gns_sb *gsb, u64 *v)
{
	const struct gns_stats *stats;
	int cpu, i;

	memset(v, 0, GNS_C_MAX * sizeof(*v));
	for_each_possible_cpu(cpu) {
		stats = per_cpu_ptr(gsb->stats, cpu);
		for (i = 0; i < GNS_C_MAX; i++)
			v[i] += READ_ONCE(stats->v[i]);
	}
}

u64 gns_stats_left(const struct gns_session *s)
{
	u64 now = gns_now(), expires = READ_ONCE(s->expires);

	return expires > now ? expires - now : 0;
}

u64 gns_stats_leases(const struct gns_session *s)
{
	return gns_session_live(s) ? READ_ONCE(s->nheld) : 0;
}

u64 gns_stats_pending(const struct gns_session *s)
{
	struct gns_instance *inst = s->inst;
	const struct gns_call *c;
	unsigned long id;
	u64 n = 0;

	/* Calls stay in the table under the lock. */
	spin_lock_bh(&inst->lock);
	xa_for_each(&inst->calls, id, c)
		n += c->s == s;
	spin_unlock_bh(&inst->lock);
	return n;
}
