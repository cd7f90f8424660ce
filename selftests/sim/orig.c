// SPDX-License-Identifier: GPL-2.0
/*
 * The origin's process and host: started, killed, and cut off from power.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

struct orig *orig_new(struct sim *s)
{
	struct orig *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->sim = s;
	o->host = (struct host){ .sim = s, .name = "origin", .ppm = 1000000 };
	o->host.real_offset = 1700000000ll * SEC;
	o->host.ppm_running = o->host.ppm;
	host_reboot(&o->host);
	penv_init(&o->env, &o->host, &o->life);
	o->cfg.ttl = 2 * SEC;
	o->cfg.settle = (50 + sim_below(s, 200)) * MS;
	if (sim_chance(s, 500000))
		o->cfg.settle = 5 * SEC;
	o->cfg.hold = 20 * MS;
	o->cfg.boot_id.b[0] = 1;
	return o;
}

void orig_start(void *arg)
{
	struct orig *o = arg;
	struct sim *s = o->sim;

	o->o = gns_origin_create(&o->env.env, simfs_gns(s->fs),
				 simdb_gns(s->db), &o->cfg);
	if (!o->o) {
		sim_fail(s, "recovery", "the origin does not start");
		return;
	}
	o->up = true;
	o->started = host_boottime(&o->host);
	story(s, W_ORIGIN, 0, "STARTED, ttl %llu ms",
	      (unsigned long long)(o->cfg.ttl / MS));
}

/* It is gone in mid-step; on power loss with what was not synced. */
void orig_crash(struct orig *o, bool power)
{
	struct sim *s = o->sim;

	if (!o->up)
		return;
	story(s, W_ORIGIN, 0, power ? "POWER LOST" : "KILLED");
	o->up = false;
	gns_origin_destroy(o->o);
	o->o = NULL;
	o->life.count++;
	simdb_crash(s->db, power);
	simfs_crash(s->fs, power);
	files_origin_died(s);
	if (power) {
		o->cfg.boot_id.b[0]++;
		host_reboot(&o->host);
	}
	if (sim_chance(s, 300000)) {
		sim_fault(s, F_TTL);
		o->cfg.ttl = (500 + sim_below(s, 3000)) * MS;
	}
	sim_in(s, 10 * MS + sim_below(s, 2 * SEC), NULL, orig_start, o, false);
}

void orig_free(struct orig *o)
{
	if (o->o)
		gns_origin_destroy(o->o);
	free(o);
}
