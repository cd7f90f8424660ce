// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's model: leases, fences, the request table; see kmodel.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"

struct kobj *kobj_get(struct kmodel *k, u32 ino)
{
	if (ino >= K_INODES)
		abort();
	if (!k->obj[ino]) {
		k->obj[ino] = calloc(1, sizeof(struct kobj));
		if (!k->obj[ino])
			abort();
		k->obj[ino]->ino = ino;
	}
	return k->obj[ino];
}

u64 kmodel_now(const struct kmodel *k)
{
	return host_boottime(&k->host);
}

bool kobj_lease_ok(const struct kmodel *k, const struct kobj *o)
{
	if (!o->held || !k->sid)
		return false;
	if (o->own && !GNS_MUTANT(OWN_LEASE_OPEN))
		return false;
	return kmodel_now(k) < k->expires || GNS_MUTANT(EXPIRY_IGNORED);
}

/* Near the deadline no new mapping is made: it could outlive the lease. */
bool kobj_may_fault(const struct kmodel *k, const struct kobj *o)
{
	return kobj_lease_ok(k, o) &&
	       (kmodel_now(k) + k->ttl / 4 < k->expires || GNS_MUTANT(EXPIRY_IGNORED));
}

void kobj_drop(struct kobj *o)
{
	o->data_ok = false;
	o->attr_ok = false;
	o->version = 0;
	memset(o->known, 0, sizeof(o->known));
}

/*
 * The answer of @q came with a grant. Returns true when the lease is live
 * now, and what the answer shows may be cached under it.
 */
bool kobj_grant(struct kmodel *k, struct kobj *o, const struct kreq *q,
		const struct gns_msg *rep, const struct gns_grant *g)
{
	if (!g->number || rep->sid != k->sid || !k->sid)
		return false;
	k->newest = max_u64(k->newest, g->number);
	if (g->number <= o->revoked && !GNS_MUTANT(GRANT_NUMBER_IGNORED))
		return false;
	/* It may show the state before a change of our own. */
	if ((o->own || o->own_gen > q->gen) && !GNS_MUTANT(OWN_LEASE_OPEN))
		return false;
	if (o->held && g->number < o->number)
		return false;
	if (o->version != g->version) {
		if (!GNS_MUTANT(REOPEN_ANY_VERSION))
			kobj_drop(o);
		o->pte = false;
		o->version = g->version;
	}
	if (!o->held)
		o->epoch = ++k->gen;
	o->held = true;
	o->number = g->number;
	story(k->s, W_SAT, k->nr, "lease on %u, grant %llu version %llx",
	      o->ino, (unsigned long long)g->number,
	      (unsigned long long)g->version & 0xffffffff);
	return true;
}

void kobj_own_begin(struct kmodel *k, struct kobj *o)
{
	o->own++;
	o->own_gen = ++k->gen;
	if (GNS_MUTANT(OWN_LEASE_OPEN))
		return;
	o->epoch = ++k->gen;
	o->pte = false;
}

void kobj_own_end(struct kmodel *k, struct kobj *o)
{
	if (o->own)
		o->own--;
	o->own_gen = ++k->gen;
	o->epoch = ++k->gen;
}

u64 kmodel_hop(struct kmodel *k)
{
	struct sim *s = k->s;

	return 2 * US + sim_below(s, sim_chance(s, 20000) ? 300 * MS : MS);
}

/* In every other half of the seeds not all of them have mounted the same view. */
struct gns_fh kmodel_fh(const struct kmodel *k, u32 ino)
{
	return simfs_fh(ino, k->s->opts.seed / 4 % 2 ? k->nr % 2 : 0);
}

void kmodel_random(struct sim *s, struct gns_id *id)
{
	u64 r[2];

	/* One after the other, whatever the compiler. */
	r[0] = sim_rand(s);
	r[1] = sim_rand(s);
	memcpy(id->b, r, GNS_ID_LEN);
}

static void zap_all(struct kmodel *k)
{
	u32 i;

	for (i = 0; i < K_INODES; i++)
		if (k->obj[i])
			k->obj[i]->pte = false;
}

static void zap_timer(void *arg)
{
	struct kmodel *k = arg;

	if (kmodel_now(k) + k->ttl / 4 < k->expires) {
		gns_timer_arm(&k->zap, k->expires - k->ttl / 4);
		return;
	}
	if (!GNS_MUTANT(MAP_NOT_ZAPPED) && !GNS_MUTANT(EXPIRY_IGNORED))
		zap_all(k);
}

void kmodel_expiry(struct kmodel *k, u64 stamp, u64 ttl)
{
	u64 from = GNS_MUTANT(TIMER_FROM_RECEIPT) ? kmodel_now(k) : stamp;

	/* The newest stamp decides, not the longest life: an older promise
	 * may have been counted by a clock that stood still.
	 */
	if (stamp < k->stamp && !GNS_MUTANT(TIMER_FROM_RECEIPT))
		return;
	k->stamp = stamp;
	k->expires = from + ttl;
	k->ttl = ttl;
	gns_timer_arm(&k->zap, k->expires - ttl / 4);
	/* Only one that was sent since says anything about now. */
	if (stamp > k->stood_at)
		k->stood_still = false;
}

struct kreq *kreq_new(struct kmodel *k, struct kop *op, u32 ino, u16 type)
{
	struct kreq *q = calloc(1, sizeof(*q));

	if (!q)
		abort();
	q->id = ++k->next_id;
	q->op = op;
	q->ino = ino;
	q->gen = k->gen;
	q->msg.type = type;
	LIST_INSERT_HEAD(&k->reqs, q, all);
	return q;
}

struct pull {
	struct kmodel *k;
	u64 id;
};

/* The helper pulls it out of the table. */
static void pulled(void *arg)
{
	struct pull *p = arg;
	struct kmodel *k = p->k;
	struct kreq *q;

	LIST_FOREACH(q, &k->reqs, all)
		if (q->id == p->id)
			break;
	if (q) {
		q->msg.payload = q->payload;
		q->sent = true;
		q->helper = k->helper.count;
		if (gns_msg_is_change(q->msg.type))
			k->had_slots = true;
		if (gns_sat_submit(k->sat, q->id, q->epoch, &q->msg))
			sim_fail(k->s, "submit", "refused by the library");
	}
	free(p);
}

void kreq_submit(struct kmodel *k, struct kreq *q)
{
	struct pull *p;

	if (!k->sat)
		return; /* the next helper finds it in the table */
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->k = k;
	p->id = q->id;
	sim_in(k->s, kmodel_hop(k), &k->helper, pulled, p, true);
}

void kreq_free(struct kreq *q)
{
	LIST_REMOVE(q, all);
	free(q);
}

void kmodel_helper_start(void *arg)
{
	struct kmodel *k = arg;
	struct gns_sat_config cfg = {
		.conns = 2,
		.resend = 700 * MS,
		.backoff_max = 300 * MS,
	};
	struct kreq *q;

	penv_init(&k->henv, &k->host, &k->helper);
	k->sat = gns_sat_create(&k->henv.env, &k->kern,
				net_connector(k->s->net, k->nr, &k->helper),
				&cfg);
	if (!k->sat)
		abort();
	story(k->s, W_SAT, k->nr, "helper started");
	LIST_FOREACH(q, &k->reqs, all)
		kreq_submit(k, q);
}

void kmodel_helper_crash(struct kmodel *k)
{
	u64 away;

	if (!k->sat)
		return;
	story(k->s, W_SAT, k->nr, "HELPER KILLED");
	gns_sat_destroy(k->sat);
	k->sat = NULL;
	k->helper.count++;
	away = sim_chance(k->s, 300000) ? 5 * SEC : 100 * MS;
	sim_in(k->s, MS + sim_below(k->s, away), &k->life, kmodel_helper_start,
	       k, false);
}

static void boot(void *arg)
{
	struct kmodel *k = arg;
	u32 i;

	host_reboot(&k->host);
	kmodel_random(k->s, &k->instance);
	kmodel_helper_start(k);
	for (i = 0; i < K_APPS; i++)
		app_start(k, i);
}

static void forget(struct kmodel *k)
{
	struct kreq *q;
	u32 i;

	gns_timer_cancel(&k->zap);
	for (i = 0; i < K_APPS; i++)
		if (k->ops[i])
			app_killed(k->ops[i]);
	while ((q = LIST_FIRST(&k->reqs)))
		kreq_free(q);
	for (i = 0; i < K_INODES; i++) {
		free(k->obj[i]);
		k->obj[i] = NULL;
	}
	memset(k->slot_busy, 0, sizeof(k->slot_busy));
	memset(k->slot_seq, 0, sizeof(k->slot_seq));
	memset(k->lock, 0, sizeof(k->lock));
	memset(k->range, 0, sizeof(k->range));
	k->lock_seq = 0;
	k->nfiles = 0;
	memset(k->dir_busy, 0, sizeof(k->dir_busy));
	k->had_slots = false;
	k->sid = 0;
	k->expires = 0;
	k->stamp = 0;
	k->deaf = false;
	k->stood_still = false;
}

void kmodel_host_crash(struct kmodel *k)
{
	story(k->s, W_SAT, k->nr, "HOST CRASHED");
	if (k->sat)
		gns_sat_destroy(k->sat);
	k->sat = NULL;
	forget(k);
	k->helper.count++;
	k->life.count++;
	sim_in(k->s, 50 * MS + sim_below(k->s, SEC), &k->life, boot, k, false);
}

struct kmodel *kmodel_new(struct sim *s, u32 nr)
{
	struct kmodel *k = calloc(1, sizeof(*k));

	if (!k)
		abort();
	k->s = s;
	k->nr = nr;
	k->kern.ops = &kmodel_kern_ops;
	k->host = (struct host){ .sim = s, .name = "sat", .ppm = 1000000 };
	k->host.ppm_running = k->host.ppm;
	k->host.real_offset = 1700000000ll * SEC;
	LIST_INIT(&k->reqs);
	penv_init(&k->env, &k->host, &k->life);
	k->helper.host = &k->host;
	gns_timer_init(&k->zap, &k->env.env, zap_timer, k);
	boot(k);
	return k;
}

void kmodel_free(struct kmodel *k)
{
	if (k->sat)
		gns_sat_destroy(k->sat);
	forget(k);
	free(k);
}
