// SPDX-License-Identifier: GPL-2.0
/*
 * What helper and kernel say to each other besides requests: each word takes
 * its own time, and dies with the helper.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"

enum word_kind {
	WD_RENEWED,
	WD_LOST,
	WD_REVOKE,
	WD_REPLY,
	WD_FENCED,
	WD_RELEASED,
	WD_UNLOCKED,
};

struct word {
	struct kmodel *k;
	enum word_kind what;
	u64 sid, a, b;
	u64 id;
	struct gns_fh fh;
	struct gns_msg rep;
	u8 payload[4096];
};

static void word_run(void *arg);

/* Words die with the helper, whichever way they go. */
static void word_post(struct word *w)
{
	struct kmodel *k = w->k;

	sim_in(k->s, kmodel_hop(k), &k->helper, word_run, w, true);
}

static struct word *word_new(struct kmodel *k, enum word_kind what, u64 sid)
{
	struct word *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->k = k;
	w->what = what;
	w->sid = sid;
	return w;
}

/* All the kernel knows of it, to be asked for again by version. */
static void revalidate(struct kmodel *k)
{
	static u8 buf[4096];
	struct kreq *q = kreq_new(k, NULL, 0, GNS_REVALIDATE);
	u32 i, n = 0, used = 0;

	for (i = 0; i < INO_FREE; i++) {
		struct gns_reval v = { .fh = kmodel_fh(k, i) };

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
	k->features = h->features;
	k->expires = 0;
	k->stamp = 0;
	k->newest = 0;
	for (i = 0; i < K_INODES; i++) {
		if (!k->obj[i])
			continue;
		k->obj[i]->held = false;
		k->obj[i]->number = 0;
		k->obj[i]->revoked = 0;
		k->obj[i]->epoch = ++k->gen;
	}
	kmodel_expiry(k, h->stamp, h->ttl);
	story(k->s, W_SAT, k->nr, "SESSION %llx",
	      (unsigned long long)h->sid & 0xffff);
	if (sim_chance(k->s, 500000))
		revalidate(k);
	files_again(k);
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
	locks_lost(k);
	word_post(word_new(k, WD_FENCED, sid));
}

/* The origin asks for all grants of @o up to @upto, or nobody needs them. */
void kmodel_revoke(struct kmodel *k, u64 sid, struct kobj *o, u64 upto)
{
	struct word *r;

	if (sid != k->sid || !k->sat)
		return;
	o->revoked = max_u64(o->revoked, upto);
	if (o->held && o->number <= upto) {
		story(k->s, W_SAT, k->nr, "fence %u up to grant %llu", o->ino,
		      (unsigned long long)upto);
		o->held = false;
		o->epoch = ++k->gen;
		kobj_drop(o);
	}
	o->said_open = o->opens ? sid : 0;
	/* The mappings go in the worker; only then it is released. */
	r = word_new(k, WD_RELEASED, sid);
	r->fh = kmodel_fh(k, o->ino);
	r->a = upto;
	r->b = o->opens;
	sim_in(k->s, 10 * US + sim_below(k->s, 10 * MS), &k->helper, word_run,
	       r, true);
}

static void word_released(struct kmodel *k, const struct word *w)
{
	struct kobj *o = kobj_get(k, simfs_fh_ino(&w->fh));

	if (!o->held)
		o->pte = false;
	if (!k->deaf)
		gns_sat_released(k->sat, w->sid, &w->fh, w->a, w->b);
}

static void word_reply(struct kmodel *k, u64 id, const struct gns_msg *rep)
{
	struct kreq *q;

	LIST_FOREACH(q, &k->reqs, all)
		if (q->id == id)
			break;
	if (q)
		app_reply(k, q, rep);
}

static void word_run(void *arg)
{
	struct word *w = arg;
	struct kmodel *k = w->k;

	switch (w->what) {
	case WD_RENEWED:
		if (w->sid == k->sid)
			kmodel_expiry(k, w->a, w->b);
		break;
	case WD_LOST:
		word_lost(k, w->sid);
		break;
	case WD_REVOKE:
		kmodel_revoke(k, w->sid, kobj_get(k, simfs_fh_ino(&w->fh)),
			      w->a);
		break;
	case WD_REPLY:
		word_reply(k, w->id, &w->rep);
		break;
	case WD_FENCED:
		gns_sat_fenced(k->sat, w->sid);
		break;
	case WD_RELEASED:
		word_released(k, w);
		break;
	case WD_UNLOCKED:
		locks_unlocked(k, &w->fh);
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
	ks->features = k->features;
	ks->had_slots = k->had_slots;
}

static u64 k_stamp(struct gns_kern *kern)
{
	return kmodel_now(KERN(kern));
}

static void k_secret(struct gns_kern *kern, struct gns_id *secret)
{
	struct kmodel *k = KERN(kern);

	kmodel_random(k->s, &k->new_secret);
	*secret = k->new_secret;
}

/* Has this helper all the changes that one before it may have sent? */
static bool all_pulled(const struct kmodel *k)
{
	const struct kreq *q;

	LIST_FOREACH(q, &k->reqs, all)
		if (q->sent && q->helper != k->helper.count &&
		    gns_msg_is_change(q->msg.type))
			return false;
	return true;
}

/*
 * The session's start is one synchronous call (a netlink request that is
 * acknowledged): no answer given in the session may arrive before it.
 */
static int k_up(struct gns_kern *kern, const struct gns_r_hello *h)
{
	struct kmodel *k = KERN(kern);

	if (!h->slots_known && !all_pulled(k))
		return -EAGAIN;
	word_up(k, h);
	return 0;
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

static void k_unlocked(struct gns_kern *kern, const struct gns_fh *fh)
{
	struct word *w = word_new(KERN(kern), WD_UNLOCKED, 0);

	w->fh = *fh;
	word_post(w);
}

static void k_reply(struct gns_kern *kern, u64 id, const struct gns_msg *rep)
{
	struct kmodel *k = KERN(kern);
	struct word *w;

	/* As k_up(): what is said before it has arrived when that is said. */
	if (!rep->sid) {
		word_reply(k, id, rep);
		return;
	}
	w = word_new(k, WD_REPLY, rep->sid);
	w->id = id;
	w->rep = *rep;
	if (rep->payload_len > sizeof(w->payload))
		abort();
	if (rep->payload_len)
		memcpy(w->payload, rep->payload, rep->payload_len);
	w->rep.payload = w->payload;
	word_post(w);
}

const struct gns_kern_ops kmodel_kern_ops = {
	.get = k_get,
	.stamp = k_stamp,
	.secret = k_secret,
	.up = k_up,
	.renewed = k_renewed,
	.lost = k_lost,
	.revoke = k_revoke,
	.unlocked = k_unlocked,
	.reply = k_reply,
};
