// SPDX-License-Identifier: GPL-2.0
/*
 * Locks in the kernel's model: some writes of registers are made under an
 * exclusive lock, which is got before and let go of after. One request of an
 * object is under way at a time; who gives up while he waits takes back what
 * may have been given.
 */
#include <errno.h>
#include <stdlib.h>

#include "kmodel.h"

static struct klock *lock_of(struct kmodel *k, u32 ino)
{
	return &k->lock[ino - INO_REG(0)];
}

/* Does its kernel believe that it has the lock, and go on by that? */
static bool believes(struct kmodel *k, u32 ino)
{
	const struct klock *l = lock_of(k, ino);

	return l->held && l->sid == k->sid && kmodel_now(k) < k->expires &&
	       !k->stood_still && k->host.ppm;
}

static struct kmodel *other_holder(struct sim *s, u32 nr, u32 ino)
{
	u32 i;

	for (i = 0; i < SIM_SATS; i++)
		if (i != nr && s->kern[i] && believes(s->kern[i], ino))
			return s->kern[i];
	return NULL;
}

/* A write is applied: if it was made under a lock, nobody else may have it. */
void locks_applied(struct sim *s, u32 ino, u32 serial)
{
	struct kmodel *k;

	if (!(serial & SERIAL_LOCKED))
		return;
	k = other_holder(s, (serial >> 24) - 1, ino);
	if (k)
		sim_fail(s, "locks",
			 "a write under sat%u's lock of %u is applied while sat%u has it",
			 (serial >> 24) - 1, ino, k->nr);
}

static struct kreq *request(struct kmodel *k, struct kop *op, u32 ino, u8 what)
{
	struct kreq *q = kreq_new(k, op, ino, GNS_LOCK);
	struct gns_m_lock *m = &q->msg.lock;

	m->fh = kmodel_fh(k, ino);
	m->seq = ++k->lock_seq;
	m->owner = 1;
	m->kind = GNS_LC_WHOLE;
	m->op = what;
	m->how = what == GNS_LK_WRITE ? GNS_LH_WAIT : GNS_LH_TRY;
	m->end = UINT64_MAX;
	return q;
}

static void send(struct kmodel *k, struct kop *op, u32 ino, u8 what)
{
	struct klock *l = lock_of(k, ino);
	struct kreq *q = request(k, op, ino, what);

	l->asked = q->id;
	story(k->s, W_SAT, k->nr, "lock of %u: %s, number %llu", ino,
	      what == GNS_LK_WRITE  ? "get" :
	      what == GNS_LK_UNLOCK ? "let go" :
				      "give up",
	      (unsigned long long)q->msg.lock.seq);
	kreq_submit(k, q);
}

static void ask_again(void *arg)
{
	struct kop *op = kop_deref(arg);

	if (op && op->phase <= LK_WAITS)
		locks_begin(op);
}

static void act(void *arg)
{
	struct kop *op = kop_deref(arg);
	struct klock *l;

	if (!op || op->phase != LK_HAS)
		return;
	l = lock_of(op->k, op->ino);
	if (!GNS_MUTANT(LOCK_LOSS_IGNORED) &&
	    (!l->held || l->sid != op->k->sid)) {
		/* EIO: it was never sent. */
		locks_end(op);
		kop_drop(op);
		return;
	}
	kop_try(op);
}

static void give_up(void *arg)
{
	struct kop *op = kop_deref(arg);
	struct kmodel *k;
	struct klock *l;
	struct kreq *q;

	if (!op || op->phase > LK_WAITS)
		return;
	k = op->k;
	l = lock_of(k, op->ino);
	LIST_FOREACH(q, &k->reqs, all)
		if (q->op == op)
			break;
	if (q)
		q->op = NULL; /* an unlock follows its answer */
	else if (op->phase == LK_WAITS && !l->asked)
		send(k, NULL, op->ino, GNS_LK_CANCEL);
	if (l->app == op->app)
		l->app = 0;
	kop_drop(op);
}

/* Get the lock that a write is to be made under, then make it. */
void locks_begin(struct kop *op)
{
	struct kmodel *k = op->k;
	struct klock *l = lock_of(k, op->ino);

	if (op->phase == LK_NONE && sim_chance(k->s, 150000))
		kop_later(op, sim_below(k->s, 800 * MS), give_up);
	if (op->phase == LK_NONE)
		op->phase = LK_LINE;
	/* Another one of this host has it, or a request is under way. */
	if (l->asked || (l->app && l->app != op->app)) {
		kop_later(op, MS + sim_below(k->s, 5 * MS), ask_again);
		return;
	}
	l->app = op->app;
	send(k, op, op->ino, GNS_LK_WRITE);
}

static void got(struct kop *op, struct klock *l, u64 sid)
{
	struct kmodel *k = op->k, *other;

	l->held = true;
	l->sid = sid;
	op->phase = LK_HAS;
	story(k->s, W_SAT, k->nr, "lock of %u is had", op->ino);
	other = other_holder(k->s, k->nr, op->ino);
	if (other && believes(k, op->ino))
		sim_fail(k->s, "locks", "sat%u and sat%u have the lock of %u",
			 k->nr, other->nr, op->ino);
	kop_later(op, sim_below(k->s, 30 * MS), act);
}

static void answered_alone(struct kmodel *k, const struct kreq *q, u32 status)
{
	u8 what = q->msg.lock.op;

	if (what == GNS_LK_WRITE)
		what = GNS_LK_UNLOCK;
	else if (what == GNS_LK_CANCEL || status != GNS_ST_AGAIN)
		return;
	send(k, NULL, q->ino, what);
}

void locks_reply(struct kmodel *k, struct kreq *q, const struct gns_msg *rep)
{
	struct kop *op = q->op;
	struct klock *l;

	if (ranges_reply(k, q, rep))
		return;
	l = lock_of(k, q->ino);
	if (l->asked == q->id)
		l->asked = 0;
	if (!op) {
		answered_alone(k, q, rep->status);
	} else if (!rep->status && rep->sid == k->sid) {
		got(op, l, rep->sid);
	} else if (rep->status == EAGAIN) {
		/* Its turn is over until it asks again. */
		l->app = 0;
		op->phase = LK_WAITS;
		kop_later(op, SEC, ask_again);
	} else {
		kop_later(op, 20 * MS, ask_again);
	}
	oracle_locks(k->s, q->ino);
}

/* UNLOCKED: those who wait ask at once. */
void locks_unlocked(struct kmodel *k, const struct gns_fh *fh)
{
	u32 i;

	if (ranges_unlocked(k, simfs_fh_ino(fh)))
		return;
	for (i = 0; i < K_APPS; i++) {
		struct kop *op = k->ops[i];

		if (op && op->locked && op->phase == LK_WAITS &&
		    op->ino == simfs_fh_ino(fh) && !lock_of(k, op->ino)->asked)
			locks_begin(op);
	}
}

/* The write is over, one way or another. */
void locks_end(struct kop *op)
{
	struct klock *l = lock_of(op->k, op->ino);

	if (op->phase != LK_HAS)
		return;
	l->held = false;
	l->app = 0;
	op->phase = LK_OVER;
	send(op->k, NULL, op->ino, GNS_LK_UNLOCK);
}

/*
 * The session is lost: so are its locks, and what is under way under them must
 * not be sent in the next one.
 */
void locks_lost(struct kmodel *k)
{
	struct kreq *q, *next;
	struct kop *op;
	u32 i;

	if (GNS_MUTANT(LOCK_LOSS_IGNORED))
		return;
	for (i = 0; i < FS_REGS; i++)
		k->lock[i].held = false;
	ranges_lost(k);
	for (q = LIST_FIRST(&k->reqs); q; q = next) {
		next = LIST_NEXT(q, all);
		op = q->op;
		if (!op || !op->locked || !gns_msg_is_change(q->msg.type))
			continue;
		if (k->sat)
			gns_sat_cancel(k->sat, q->id);
		kreq_free(q);
		kobj_own_end(k, kobj_get(k, op->ino));
		kobj_drop(kobj_get(k, op->ino));
		kobj_get(k, op->ino)->held = false;
		kobj_get(k, op->ino)->pte = false;
		app_unknown(op);
	}
}
