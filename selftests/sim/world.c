// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual time: the heap of events, clocks that drift, dice from a seed.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

const char *const fault_names[F_MAX] = {
	[F_DELAY] = "delay",
	[F_DROP] = "drop",
	[F_DUP] = "duplicate",
	[F_RESET] = "reset",
	[F_CUT] = "cut",
	[F_HELPER] = "helper crash",
	[F_SATHOST] = "host crash",
	[F_ORIGIN] = "origin crash",
	[F_POWER] = "power loss",
	[F_DRIFT] = "drift",
	[F_STEP] = "clock step",
	[F_STILL] = "standstill",
	[F_TTL] = "TTL change",
	[F_CLONE] = "clone",
};

/* splitmix64, Steele, Lea and Flood 2014 */
u64 sim_rand(struct sim *s)
{
	u64 z = (s->rng += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

u64 sim_below(struct sim *s, u64 n)
{
	return n ? sim_rand(s) % n : 0;
}

bool sim_chance(struct sim *s, u64 per_million)
{
	return sim_below(s, 1000000) < per_million;
}

static bool before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

static void heap_set(struct sim *s, u32 i, struct event *ev)
{
	s->heap[i] = ev;
	ev->pos = i;
}

static void heap_up(struct sim *s, u32 i)
{
	struct event *ev = s->heap[i];

	while (i && before(ev, s->heap[(i - 1) / 2])) {
		heap_set(s, i, s->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_set(s, i, ev);
}

static void heap_down(struct sim *s, u32 i)
{
	struct event *ev = s->heap[i];

	for (;;) {
		u32 c = 2 * i + 1;

		if (c >= s->nheap)
			break;
		if (c + 1 < s->nheap && before(s->heap[c + 1], s->heap[c]))
			c++;
		if (!before(s->heap[c], ev))
			break;
		heap_set(s, i, s->heap[c]);
		i = c;
	}
	heap_set(s, i, ev);
}

static void heap_remove(struct sim *s, u32 i)
{
	struct event *last = s->heap[--s->nheap];

	if (i == s->nheap)
		return;
	heap_set(s, i, last);
	heap_up(s, i);
	heap_down(s, last->pos);
}

struct event *sim_at(struct sim *s, u64 at, struct life *life,
		     void (*fn)(void *arg), void *arg, bool own)
{
	struct event *ev = calloc(1, sizeof(*ev));

	if (!ev)
		abort();
	if (s->nheap == s->heap_cap) {
		s->heap_cap = s->heap_cap ? 2 * s->heap_cap : 256;
		s->heap = realloc(s->heap, s->heap_cap * sizeof(*s->heap));
		if (!s->heap)
			abort();
	}
	ev->at = at < s->now ? s->now : at;
	ev->seq = ++s->seq;
	ev->fn = fn;
	ev->arg = arg;
	ev->own = own;
	ev->life = life;
	ev->born = life ? life->count : 0;
	heap_set(s, s->nheap++, ev);
	heap_up(s, ev->pos);
	return ev;
}

struct event *sim_in(struct sim *s, u64 delay, struct life *life,
		     void (*fn)(void *arg), void *arg, bool own)
{
	return sim_at(s, s->now + delay, life, fn, arg, own);
}

void sim_cancel(struct sim *s, struct event *ev)
{
	heap_remove(s, ev->pos);
	if (ev->own)
		free(ev->arg);
	free(ev);
}

/* A host that stands still does nothing; its events come when it goes on. */
static bool postponed(struct sim *s, struct event *ev)
{
	struct host *h = ev->life ? ev->life->host : NULL;

	if (!h || h->ppm || ev->born != ev->life->count)
		return false;
	ev->at = s->now + 10 * MS;
	heap_set(s, s->nheap++, ev);
	heap_up(s, ev->pos);
	return true;
}

/* Run the next event. Returns false when there is none. */
bool sim_step(struct sim *s)
{
	struct event *ev;

	if (!s->nheap)
		return false;
	ev = s->heap[0];
	heap_remove(s, 0);
	s->now = ev->at;
	if (postponed(s, ev))
		return true;
	if (ev->timer) {
		ev->timer->at = 0;
		ev->timer->slot = 0;
	}
	if (!ev->life || ev->born == ev->life->count)
		ev->fn(ev->arg);
	else if (ev->own)
		free(ev->arg);
	free(ev);
	return true;
}

void sim_drop_events(struct sim *s)
{
	while (s->nheap)
		sim_cancel(s, s->heap[0]);
	free(s->heap);
	s->heap = NULL;
}

void sim_fail(struct sim *s, const char *kind, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = kind;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	story(s, W_WORLD, 0, "*** %s: %s", kind, s->why);
}

void sim_fault(struct sim *s, enum fault f)
{
	s->faults[f]++;
	s->nfaults++;
}

u64 host_boottime(const struct host *h)
{
	return h->base_boot +
	       (u64)((__uint128_t)(h->sim->now - h->base) * h->ppm /
		     1000000);
}

u64 host_realtime(const struct host *h)
{
	return h->sim->now + h->real_offset;
}

/* Global time at which the host's boot clock will show @boot. */
static u64 host_when(const struct host *h, u64 boot)
{
	u64 now = host_boottime(h), wait;

	if (boot <= now)
		return h->sim->now;
	if (!h->ppm)
		return h->sim->now + 1000 * SEC;
	wait = (u64)((__uint128_t)(boot - now) * 1000000 / h->ppm);
	return h->sim->now + wait + 1;
}

/* The clock goes at another speed from now on; its timers with it. */
void host_speed(struct host *h, u64 ppm)
{
	struct sim *s = h->sim;
	u32 i;

	h->base_boot = host_boottime(h);
	h->base = s->now;
	h->ppm = ppm;
	for (i = 0; i < s->nheap; i++)
		if (s->heap[i]->timer && s->heap[i]->penv->host == h)
			s->heap[i]->at = host_when(h, s->heap[i]->timer->at);
	for (i = s->nheap / 2; i-- > 0;)
		heap_down(s, i);
}

void host_reboot(struct host *h)
{
	h->base = h->sim->now;
	h->base_boot = 1 + sim_below(h->sim, 1000 * SEC);
}

static u64 env_boottime(struct gns_env *env)
{
	return host_boottime(((struct penv *)env)->host);
}

static u64 env_realtime(struct gns_env *env)
{
	return host_realtime(((struct penv *)env)->host);
}

static u64 env_random(struct gns_env *env)
{
	return sim_rand(((struct penv *)env)->host->sim);
}

static void env_cancel(struct gns_env *env, struct gns_timer *t)
{
	struct penv *p = (struct penv *)env;

	sim_cancel(p->host->sim, (struct event *)(uintptr_t)t->slot);
	t->at = 0;
	t->slot = 0;
}

static void env_arm(struct gns_env *env, struct gns_timer *t, u64 at)
{
	struct penv *p = (struct penv *)env;
	struct event *ev;

	if (t->at)
		env_cancel(env, t);
	ev = sim_at(p->host->sim, host_when(p->host, at), p->life, t->fn,
		    t->arg, false);
	ev->timer = t;
	ev->penv = p;
	t->at = at;
	t->slot = (uintptr_t)ev;
}

static const struct gns_env_ops sim_env_ops = {
	.boottime = env_boottime,
	.realtime = env_realtime,
	.random = env_random,
	.arm = env_arm,
	.cancel = env_cancel,
};

void penv_init(struct penv *p, struct host *host, struct life *life)
{
	p->env.ops = &sim_env_ops;
	p->host = host;
	p->life = life;
	life->host = host;
}

/* The interleaving in columns: satellites left, origin right. */
void story(struct sim *s, enum column col, int nr, const char *fmt, ...)
{
	char line[600];
	va_list ap;

	if (!s->story)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(s->story, "%12.6f ", s->now / 1e9);
	if (col == W_SAT)
		fprintf(s->story, "sat%d  %-60s |\n", nr, line);
	else if (col == W_ORIGIN)
		fprintf(s->story, "      %-60s | %s\n", "", line);
	else
		fprintf(s->story, "----- %s\n", line);
}
