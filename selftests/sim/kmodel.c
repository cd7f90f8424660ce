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

static u64 know(const struct kmodel *k)
{
	return host_boottime(&k->host);
}

bool kobj_lease_ok(const struct kmodel *k, const struct kobj *o)
{
	if (!o->held || !k->sid)
		return false;
	if (o->own && !GNS_MUTANT(OWN_LEASE_OPEN))
		return false;
	return know(k) < k->expires || GNS_MUTANT(EXPIRY_IGNORED);
}

/* Near the deadline no new mapping is made: it could outlive the lease. */
bool kobj_may_fault(const struct kmodel *k, const struct kobj *o)
{
	return kobj_lease_ok(k, o) &&
	       (know(k) + k->ttl / 4 < k->expires || GNS_MUTANT(EXPIRY_IGNORED));
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

	if (know(k) + k->ttl / 4 < k->expires) {
		gns_timer_arm(&k->zap, k->expires - k->ttl / 4);
		return;
	}
	if (!GNS_MUTANT(MAP_NOT_ZAPPED) && !GNS_MUTANT(EXPIRY_IGNORED))
		zap_all(k);
}

static void set_expiry(struct kmodel *k, u64 stamp, u64 ttl)
{
	u64 from = GNS_MUTANT(TIMER_FROM_RECEIPT) ? know(k) : stamp;

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

/* --- what the helper says, after some time --- */

struct word {
	struct kmodel *k;
	enum { WD_UP, WD_RENEWED, WD_LOST, WD_REVOKE, WD_REPLY, WD_FENCED,
	       WD_RELEASED } what;
	u64 sid, a, b;
	u64 id;
	struct gns_fh fh;
	struct gns_r_hello hello;
	struct gns_msg rep;
	u8 payload[4096];
};

static u64 hop(struct kmodel *k)
{
	struct sim *s = k->s;

	return 2 * US + sim_below(s, sim_chance(s, 20000) ? 300 * MS : MS);
}

static void word_run(void *arg);

/* Words die with the helper, whichever way they go. */
static void word_post(struct word *w)
{
	struct kmodel *k = w->k;

	sim_in(k->s, hop(k), &k->helper, word_run, w, true);
}

static struct word *word_new(struct kmodel *k, int what, u64 sid)
{
	struct word *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->k = k;
	w->what = what;
	w->sid = sid;
	return w;
}

static void unknown_slots(struct kmodel *k)
{
	struct kreq *q, *next;

	for (q = LIST_FIRST(&k->reqs); q; q = next) {
		next = LIST_NEXT(q, all);
		if (!gns_msg_is_change(q->msg.type) || !q->sent)
			continue;
		gns_sat_cancel(k->sat, q->id);
		app_unknown(q->op);
		kreq_free(q);
	}
}

/* All the kernel knows of it, to be asked for again by version. */
static void revalidate(struct kmodel *k)
{
	static u8 buf[4096];
	struct kreq *q = kreq_new(k, NULL, 0, GNS_REVALIDATE);
	u32 i, n = 0, used = 0;

	for (i = 0; i < INO_FREE; i++) {
		struct gns_reval v = { .fh = simfs_fh(k->s->fs, i) };

		if (!i || !k->obj[i] || !k->obj[i]->version)
			continue;
		v.version = k->obj[i]->version;
		used += gns_reval_put(buf + used, sizeof(buf) - used, &v,
				      false);
		n++;
	}
	if (!n || used > K_DATA) {
		kreq_free(q);
		return;
	}
	memcpy(q->payload, buf, used);
	q->msg.payload_len = used;
	q->msg.count.count = n;
	kreq_submit(k, q);
}

static void word_up(struct kmodel *k, const struct gns_r_hello *h)
{
	u32 i;

	k->sid = h->sid;
	k->secret = k->new_secret;
	k->incarnation = h->incarnation;
	k->expires = 0;
	k->stamp = 0;
	for (i = 0; i < K_INODES; i++) {
		if (!k->obj[i])
			continue;
		k->obj[i]->held = false;
		k->obj[i]->number = 0;
		k->obj[i]->revoked = 0;
		k->obj[i]->epoch = ++k->gen;
	}
	set_expiry(k, h->stamp, h->ttl);
	story(k->s, W_SAT, k->nr, "SESSION %llx",
	      (unsigned long long)h->sid & 0xffff);
	if (k->had_slots && !h->slots_known)
		unknown_slots(k);
	if (sim_chance(k->s, 500000))
		revalidate(k);
}

static void word_lost(struct kmodel *k, u64 sid)
{
	u32 i;

	if (k->sid && k->sid != sid)
		return;
	story(k->s, W_SAT, k->nr, "session lost: fence");
	for (i = 0; i < K_INODES; i++) {
		if (!k->obj[i])
			continue;
		k->obj[i]->held = false;
		k->obj[i]->epoch = ++k->gen;
		k->obj[i]->pte = false;
	}
	k->sid = 0;
	word_post(word_new(k, WD_FENCED, sid));
}

static void word_revoke(struct kmodel *k, const struct word *w)
{
	struct kobj *o = kobj_get(k, simfs_fh_ino(&w->fh));
	struct word *r;

	if (w->sid != k->sid)
		return;
	o->revoked = max_u64(o->revoked, w->a);
	if (o->held && o->number <= w->a) {
		story(k->s, W_SAT, k->nr, "fence %u up to grant %llu", o->ino,
		      (unsigned long long)w->a);
		o->held = false;
		o->epoch = ++k->gen;
		kobj_drop(o);
	}
	/* The mappings go in the worker; only then it is released. */
	r = word_new(k, WD_RELEASED, w->sid);
	r->fh = w->fh;
	r->a = w->a;
	sim_in(k->s, 10 * US + sim_below(k->s, 10 * MS), &k->helper, word_run,
	       r, true);
}

static void word_released(struct kmodel *k, const struct word *w)
{
	struct kobj *o = kobj_get(k, simfs_fh_ino(&w->fh));

	if (!o->held)
		o->pte = false;
	if (!k->deaf)
		gns_sat_released(k->sat, w->sid, &w->fh, w->a);
}

static void word_reply(struct kmodel *k, const struct word *w)
{
	struct kreq *q;

	LIST_FOREACH(q, &k->reqs, all)
		if (q->id == w->id)
			break;
	if (q)
		app_reply(k, q, &w->rep);
}

static void word_run(void *arg)
{
	struct word *w = arg;
	struct kmodel *k = w->k;

	switch (w->what) {
	case WD_UP:
		word_up(k, &w->hello);
		break;
	case WD_RENEWED:
		if (w->sid == k->sid)
			set_expiry(k, w->a, w->b);
		break;
	case WD_LOST:
		word_lost(k, w->sid);
		break;
	case WD_REVOKE:
		word_revoke(k, w);
		break;
	case WD_REPLY:
		word_reply(k, w);
		break;
	case WD_FENCED:
		gns_sat_fenced(k->sat, w->sid);
		break;
	case WD_RELEASED:
		word_released(k, w);
		break;
	}
	free(w);
}

#define KERN(kern) container_of(kern, struct kmodel, kern)

static void k_get(struct gns_kern *kern, struct gns_kern_session *ks)
{
	struct kmodel *k = KERN(kern);

	memset(ks, 0, sizeof(*ks));
	ks->host.b[0] = k->nr + 1;
	ks->instance = k->instance;
	ks->sid = k->sid;
	ks->secret = k->secret;
	ks->had_slots = k->had_slots;
}

static u64 k_stamp(struct gns_kern *kern)
{
	return know(KERN(kern));
}

static void random_id(struct sim *s, struct gns_id *id)
{
	u64 r[2] = { sim_rand(s), sim_rand(s) };

	memcpy(id->b, r, GNS_ID_LEN);
}

static void k_secret(struct gns_kern *kern, struct gns_id *secret)
{
	struct kmodel *k = KERN(kern);

	random_id(k->s, &k->new_secret);
	*secret = k->new_secret;
}

/*
 * The session's start is one synchronous call (a netlink request that is
 * acknowledged): no answer given in the session may arrive before it.
 */
static void k_up(struct gns_kern *kern, const struct gns_r_hello *h)
{
	word_up(KERN(kern), h);
}

static void k_renewed(struct gns_kern *kern, u64 sid, u64 stamp, u64 ttl)
{
	struct word *w = word_new(KERN(kern), WD_RENEWED, sid);

	w->a = stamp;
	w->b = ttl;
	word_post(w);
}

static void k_lost(struct gns_kern *kern, u64 sid)
{
	word_post(word_new(KERN(kern), WD_LOST, sid));
}

static void k_revoke(struct gns_kern *kern, u64 sid, const struct gns_fh *fh,
		     u64 upto)
{
	struct word *w = word_new(KERN(kern), WD_REVOKE, sid);

	w->fh = *fh;
	w->a = upto;
	word_post(w);
}

static void k_reply(struct gns_kern *kern, u64 id, const struct gns_msg *rep)
{
	struct word *w = word_new(KERN(kern), WD_REPLY, rep->sid);

	w->id = id;
	w->rep = *rep;
	if (rep->payload_len > sizeof(w->payload))
		abort();
	if (rep->payload_len)
		memcpy(w->payload, rep->payload, rep->payload_len);
	w->rep.payload = w->payload;
	word_post(w);
}

static const struct gns_kern_ops kern_ops = {
	.get = k_get,
	.stamp = k_stamp,
	.secret = k_secret,
	.up = k_up,
	.renewed = k_renewed,
	.lost = k_lost,
	.revoke = k_revoke,
	.reply = k_reply,
};

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
	sim_in(k->s, hop(k), &k->helper, pulled, p, true);
}

void kreq_free(struct kreq *q)
{
	LIST_REMOVE(q, all);
	free(q);
}

void kmodel_helper_start(void *arg)
{
	struct kmodel *k = arg;
	struct gns_sat_config cfg = { .conns = 2, .resend = 700 * MS,
				      .backoff_max = 300 * MS };
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
	if (!k->sat)
		return;
	story(k->s, W_SAT, k->nr, "HELPER KILLED");
	gns_sat_destroy(k->sat);
	k->sat = NULL;
	k->helper.count++;
	sim_in(k->s, MS + sim_below(k->s, sim_chance(k->s, 300000) ? 5 * SEC :
								     100 * MS),
	       &k->life, kmodel_helper_start, k, false);
}

static void boot(void *arg)
{
	struct kmodel *k = arg;
	u32 i;

	host_reboot(&k->host);
	random_id(k->s, &k->instance);
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
	k->kern.ops = &kern_ops;
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
