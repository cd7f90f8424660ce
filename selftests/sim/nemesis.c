// SPDX-License-Identifier: GPL-2.0
/*
 * Who breaks things: links, processes, hosts, clocks, power.
 *
 * The network loses, doubles and delays by itself (net.c).
 */
#include <stdlib.h>

#include "kmodel.h"

struct heal {
	struct sim *s;
	u32 sat;
	bool reset;
};

static void heal(void *arg)
{
	struct heal h = *(struct heal *)arg;

	free(arg);
	net_heal(h.s->net, h.sat, h.reset);
	story(h.s, W_WORLD, 0, "link of sat%u healed", h.sat);
}

static struct heal *heal_new(struct sim *s, u32 sat)
{
	struct heal *h = malloc(sizeof(*h));

	if (!h)
		abort();
	*h = (struct heal){ s, sat, sim_chance(s, 500000) };
	return h;
}

static u64 how_long(struct sim *s)
{
	return sim_chance(s, 200000) ? sim_below(s, 8 * SEC) :
				       sim_below(s, SEC);
}

static void do_cut(struct sim *s, u32 sat)
{
	u64 way = 1 + sim_below(s, 3);
	struct heal *h = heal_new(s, sat);

	story(s, W_WORLD, 0, "link of sat%u cut, way %llu", sat,
	      (unsigned long long)way);
	net_cut(s->net, sat, way & 1, way & 2);
	sim_in(s, how_long(s), NULL, heal, h, true);
}

static void go_on(void *arg)
{
	struct host *h = arg;

	if (!h->ppm)
		host_speed(h, h->ppm_running);
	story(h->sim, W_WORLD, 0, "%s goes on", h->name);
}

static void do_still(struct sim *s, u32 nr)
{
	struct host *h = nr < SIM_SATS ? &s->kern[nr]->host : &s->orig->host;

	if (!h->ppm || !s->opts.still)
		return;
	if (nr < SIM_SATS) {
		s->kern[nr]->stood_still = true;
		s->kern[nr]->stood_at = host_boottime(h);
	}
	sim_fault(s, F_STILL);
	story(s, W_WORLD, 0, "%s %u stands still", h->name, nr);
	host_speed(h, 0);
	sim_in(s, how_long(s), NULL, go_on, h, false);
}

static void do_drift(struct sim *s, u32 nr)
{
	struct host *h = nr < SIM_SATS ? &s->kern[nr]->host : &s->orig->host;

	h->ppm_running = 900000 + sim_below(s, 200001);
	if (h->ppm)
		host_speed(h, h->ppm_running);
}

/* Leases of before the crash must be over: then the record goes on. */
static void era_later(struct sim *s)
{
	s->era.count++;
	sim_in(s, 9 * SEC, &s->era, history_era_begin, s->hist, false);
}

static void do_power(struct sim *s)
{
	if (!s->orig->up)
		return;
	sim_fault(s, F_POWER);
	history_era_end(s->hist);
	orig_crash(s->orig, true);
	era_later(s);
}

static void do_step(struct sim *s)
{
	struct host *h = &s->orig->host;
	s64 by = sim_below(s, 7200) * SEC;

	h->real_offset += sim_chance(s, 500000) ? by : -by;
	story(s, W_WORLD, 0, "the origin's wall clock jumps");
}

/*
 * A copy of the machine knows all the kernel knew, and asks for a session in
 * the old one's place. It has not fenced anything.
 */
static void do_clone(struct sim *s, u32 sat)
{
	struct kmodel *k = s->kern[sat];
	struct gns_msg msg = { .type = GNS_HELLO, .tag = 1 };

	if (!k->sid)
		return;
	sim_fault(s, F_CLONE);
	story(s, W_WORLD, 0, "a clone of sat%u says HELLO", sat);
	msg.hello = (struct gns_m_hello){
		.proto_min = GNS_PROTO_MIN,
		.proto_max = GNS_PROTO_MAX,
		.instance = k->instance,
		.stamp = 1,
		.old_sid = k->sid,
		.old_secret = k->secret,
	};
	msg.hello.secret.b[0] = 77;
	net_stranger(s->net, sat, &msg);
}

enum act {
	A_CUT,
	A_RESET,
	A_HELPER,
	A_SATHOST,
	A_ORIGIN,
	A_POWER,
	A_DRIFT,
	A_STEP,
	A_STILL,
	A_TTL,
	A_CLONE,
	A_MAX,
};

static const u32 base_weight[A_MAX] = {
	[A_CUT] = 400,
	[A_RESET] = 200,
	[A_HELPER] = 140,
	[A_SATHOST] = 15,
	[A_ORIGIN] = 35,
	[A_POWER] = 20,
	[A_DRIFT] = 90,
	[A_STEP] = 40,
	[A_STILL] = 45,
	[A_TTL] = 27,
	[A_CLONE] = 20,
};

/* Each seed likes some faults better than others: mixes find more. */
static void choose_weights(struct sim *s)
{
	static const u32 factor[] = { 0, 1, 1, 1, 4, 8 };
	u32 i;

	for (i = 0; i < A_MAX; i++)
		s->weight[i] = base_weight[i] *
			       factor[sim_below(s, ARRAY_SIZE(factor))];
	s->weight[A_RESET] += 100;
	s->long_delays = 50000 * sim_below(s, 11);
}

static void do_ttl(struct sim *s)
{
	sim_fault(s, F_TTL);
	s->orig->cfg.ttl = (500 + sim_below(s, 3000)) * MS;
	gns_origin_set_ttl(s->orig->o, s->orig->cfg.ttl);
}

static void do_act(struct sim *s, enum act a)
{
	u32 sat = sim_below(s, SIM_SATS);

	switch (a) {
	case A_CUT:
		sim_fault(s, F_CUT);
		do_cut(s, sat);
		break;
	case A_RESET:
		sim_fault(s, F_RESET);
		net_reset_one(s->net, sat);
		break;
	case A_HELPER:
		sim_fault(s, F_HELPER);
		kmodel_helper_crash(s->kern[sat]);
		break;
	case A_SATHOST:
		sim_fault(s, F_SATHOST);
		kmodel_host_crash(s->kern[sat]);
		break;
	case A_ORIGIN:
		if (!s->orig->up)
			break;
		sim_fault(s, F_ORIGIN);
		orig_crash(s->orig, false);
		break;
	case A_POWER:
		do_power(s);
		break;
	case A_DRIFT:
		sim_fault(s, F_DRIFT);
		do_drift(s, sim_below(s, SIM_SATS + 1));
		break;
	case A_STEP:
		sim_fault(s, F_STEP);
		do_step(s);
		break;
	case A_STILL:
		do_still(s, sim_below(s, SIM_SATS + 1));
		break;
	case A_TTL:
		if (s->orig->up)
			do_ttl(s);
		break;
	case A_CLONE:
		do_clone(s, sat);
		break;
	case A_MAX:
		break;
	}
}

static void act(struct sim *s)
{
	u64 sum = 0, dice;
	u32 i;

	for (i = 0; i < A_MAX; i++)
		sum += s->weight[i];
	dice = sim_below(s, sum);
	for (i = 0; dice >= s->weight[i]; i++)
		dice -= s->weight[i];
	do_act(s, i);
}

/* Faults end: whoever can reach the origin has to get on. */
static void calm(void *arg)
{
	struct sim *s = arg;
	u32 i;

	story(s, W_WORLD, 0, "no more faults");
	for (i = 0; i < SIM_SATS; i++)
		net_heal(s->net, i, false);
	/* One kernel may never answer a REVOKE again. */
	if (sim_chance(s, 300000))
		s->kern[sim_below(s, SIM_SATS)]->deaf = true;
}

static void tick(void *arg)
{
	struct sim *s = arg;

	if (s->now >= s->quiet_from)
		return;
	act(s);
	sim_in(s, 1 + sim_below(s, 2 * SEC / (s->opts.intensity + 1)), NULL,
	       tick, s, false);
}

void nemesis_start(struct sim *s)
{
	choose_weights(s);
	sim_at(s, s->quiet_from, NULL, calm, s, false);
	sim_in(s, 500 * MS, NULL, tick, s, false);
}
