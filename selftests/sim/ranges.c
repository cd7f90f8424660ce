// SPDX-License-Identifier: GPL-2.0
/*
 * Locks in the kernel's model that stay: in some seeds applications lock and
 * unlock ranges of the lists as fcntl(2) does, and lists as flock(2) does, to
 * read or to write; they try, or wait and give up after a while.
 *
 * What an owner asks for it believes to have when it is answered in the session
 * of the present, and what it gives up it does not believe to have any more when
 * that is sent. So nobody ever believes in more than the origin has for him, and
 * while nothing is asked they agree.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"
#include "origin/lock.h"

#define LAST (RANGE_PARTS - 1)
#define PART 10ull /* bytes; the last one has all that follow */

bool ranges_seed(const struct sim *s)
{
	return s->opts.seed % 4 == 3;
}

static struct krange *range_of(struct kmodel *k, u32 ino)
{
	return &k->range[ino - INO_LOG(0)];
}

static u64 part_end(u32 part)
{
	return part == LAST ? UINT64_MAX : part * PART + PART - 1;
}

/* 0: free; else GNS_LK_READ or GNS_LK_WRITE, and one. */
static u8 *mode_of(struct kmodel *k, const struct gns_m_lock *m, u32 app)
{
	return range_of(k, simfs_fh_ino(&m->fh))->mode[m->kind][app];
}

static bool in_it(const struct gns_m_lock *m, u32 part)
{
	return m->start <= part * PART && m->end >= part_end(part);
}

/* Does its kernel go on by what it believes to have? */
static bool believes(const struct kmodel *k)
{
	return k->sid && kmodel_now(k) < k->expires && !k->stood_still &&
	       k->host.ppm;
}

static void against(struct kmodel *k, u32 app, const struct gns_m_lock *m,
		    struct kmodel *other, u32 other_app)
{
	const u8 *mine = mode_of(k, m, app);
	const u8 *his = mode_of(other, m, other_app);
	u32 i;

	for (i = 0; i < RANGE_PARTS; i++)
		if (mine[i] && his[i] && (mine[i] == 2 || his[i] == 2))
			sim_fail(k->s, "locks",
				 "part %u of %u: sat%u app%u and sat%u app%u have it",
				 i, simfs_fh_ino(&m->fh), k->nr, app, other->nr,
				 other_app);
}

static void got(struct kmodel *k, u32 app, const struct gns_m_lock *m)
{
	u8 *mode = mode_of(k, m, app);
	u32 i, a;

	for (i = 0; i < RANGE_PARTS; i++)
		if (in_it(m, i))
			mode[i] = m->op + 1;
	story(k->s, W_SAT, k->nr, "app%u has it", app);
	for (i = 0; i < SIM_SATS && believes(k); i++)
		for (a = 0; k->s->kern[i] && a < K_APPS; a++)
			if ((i != k->nr || a != app) && believes(k->s->kern[i]))
				against(k, app, m, k->s->kern[i], a);
}

/* What of it is about to be given up; flock(2) gives up all for another use. */
static void weaken(struct kmodel *k, u32 app, const struct gns_m_lock *m)
{
	u8 *mode = mode_of(k, m, app);
	u8 left = m->op == GNS_LK_UNLOCK || m->kind == GNS_LC_WHOLE ? 0 :
								      m->op + 1;
	u32 i;

	for (i = 0; i < RANGE_PARTS; i++)
		if (in_it(m, i) && mode[i] > left)
			mode[i] = left;
}

static void send(struct kmodel *k, struct kop *op, const struct gns_m_lock *what)
{
	u32 ino = simfs_fh_ino(&what->fh);
	struct krange *r = range_of(k, ino);
	struct kreq *q = kreq_new(k, op, ino, GNS_LOCK);

	q->msg.lock = *what;
	q->msg.lock.seq = ++k->lock_seq;
	memcpy(r->before, mode_of(k, what, what->owner), sizeof(r->before));
	weaken(k, what->owner, what);
	r->asked = q->id;
	story(k->s, W_SAT, k->nr,
	      "app%llu locks %u: kind %u op %u how %u from %llu to %llu, number %llu",
	      (unsigned long long)what->owner, ino, what->kind, what->op,
	      what->how, (unsigned long long)what->start,
	      (unsigned long long)what->end,
	      (unsigned long long)q->msg.lock.seq);
	kreq_submit(k, q);
}

static void all_of(struct gns_m_lock *m, u8 what)
{
	m->op = what;
	m->how = GNS_LH_TRY;
	m->start = 0;
	m->end = UINT64_MAX;
}

static void ask_again(void *arg)
{
	struct kop *op = kop_deref(arg);

	if (op)
		ranges_try(op);
}

static void give_up(void *arg)
{
	struct kop *op = kop_deref(arg);
	struct gns_m_lock m;
	struct kreq *q;

	if (!op)
		return;
	m = op->want;
	LIST_FOREACH(q, &op->k->reqs, all)
		if (q->op == op)
			break;
	/* What it had besides is lost by that. */
	all_of(&m, GNS_LK_UNLOCK);
	if (q) {
		q->op = NULL;
		weaken(op->k, op->app, &m);
		memset(range_of(op->k, op->ino)->before, 0, RANGE_PARTS);
	} else if (op->phase == LK_WAITS &&
		   !range_of(op->k, op->ino)->asked) {
		m = op->want;
		m.op = GNS_LK_CANCEL;
		m.how = GNS_LH_TRY;
		send(op->k, NULL, &m);
	}
	kop_drop(op);
}

/* One request of an object is under way at a time. */
void ranges_try(struct kop *op)
{
	struct kmodel *k = op->k;

	if (op->phase == LK_NONE && op->want.how == GNS_LH_WAIT)
		kop_later(op, 100 * MS + sim_below(k->s, SEC), give_up);
	if (op->phase == LK_NONE)
		op->phase = LK_LINE;
	if (range_of(k, op->ino)->asked)
		kop_later(op, MS + sim_below(k->s, 5 * MS), ask_again);
	else
		send(k, op, &op->want);
}

/* Nobody waits for it any more: it is undone, or said once more. */
static void answered_alone(struct kmodel *k, const struct kreq *q, u32 status)
{
	struct gns_m_lock m = q->msg.lock;

	if (m.op <= GNS_LK_WRITE)
		all_of(&m, GNS_LK_UNLOCK);
	else if (m.op == GNS_LK_CANCEL || status != GNS_ST_AGAIN)
		return;
	send(k, NULL, &m);
}

static void answered(struct kop *op, const struct gns_m_lock *m,
		     const struct gns_msg *rep)
{
	if (rep->status == GNS_ST_AGAIN) {
		kop_later(op, 20 * MS, ask_again);
	} else if (rep->status == EAGAIN && m->how == GNS_LH_WAIT) {
		op->phase = LK_WAITS;
		kop_later(op, SEC, ask_again);
	} else {
		if (!rep->status && rep->sid == op->k->sid &&
		    m->op <= GNS_LK_WRITE)
			got(op->k, op->app, m);
		kop_drop(op);
	}
}

bool ranges_reply(struct kmodel *k, struct kreq *q, const struct gns_msg *rep)
{
	struct krange *r;

	if (q->ino < INO_LOG(0))
		return false;
	r = range_of(k, q->ino);
	if (r->asked == q->id)
		r->asked = 0;
	/* It did nothing. But what is locked as by flock(2) is lost by EAGAIN. */
	if (rep->status == GNS_ST_AGAIN ||
	    (rep->status && q->msg.lock.kind == GNS_LC_RANGE))
		memcpy(mode_of(k, &q->msg.lock, q->msg.lock.owner), r->before,
		       sizeof(r->before));
	if (q->op)
		answered(q->op, &q->msg.lock, rep);
	else
		answered_alone(k, q, rep->status);
	oracle_ranges(k->s, q->ino);
	return true;
}

bool ranges_unlocked(struct kmodel *k, u32 ino)
{
	u32 i;

	if (ino < INO_LOG(0))
		return false;
	for (i = 0; i < K_APPS; i++)
		if (k->ops[i] && k->ops[i]->kind == OP_LOCK &&
		    k->ops[i]->phase == LK_WAITS && k->ops[i]->ino == ino &&
		    !range_of(k, ino)->asked)
			ranges_try(k->ops[i]);
	return true;
}

/* With the session all is lost. */
void ranges_lost(struct kmodel *k)
{
	u32 i;

	for (i = 0; i < FS_LOGS; i++)
		memset(&k->range[i].before, 0,
		       sizeof(k->range[i]) - offsetof(struct krange, before));
}

/* What the origin has of an owner, in the form of ours. */
static void look(const struct lock_table *t, u64 sid, u32 app, u32 kind,
		 u8 *mode)
{
	const struct lock_held *h;
	u32 i;

	TAILQ_FOREACH(h, &t->held, link) {
		if (h->w.r->s->sid != sid || h->w.owner != app ||
		    h->w.kind != kind)
			continue;
		for (i = 0; i < RANGE_PARTS; i++)
			if (h->w.start <= i * PART && h->w.end >= part_end(i))
				mode[i] = h->w.op + 1;
	}
}

static void compare(struct kmodel *k, u32 ino, const struct obj *obj)
{
	struct krange *r = range_of(k, ino);
	u8 mode[RANGE_PARTS];
	u32 kind, app;

	for (kind = 0; kind < RANGE_KINDS; kind++) {
		for (app = 0; app < K_APPS; app++) {
			memset(mode, 0, sizeof(mode));
			if (obj && obj->locks)
				look(obj->locks, k->sid, app, kind, mode);
			if (memcmp(mode, r->mode[kind][app], sizeof(mode)))
				sim_fail(k->s, "locks",
					 "of %u, kind %u, sat%u app%u has other parts than the origin says",
					 ino, kind, k->nr, app);
		}
	}
}

/* Where nothing is asked, satellites and the origin agree. */
void oracle_ranges(struct sim *s, u32 ino)
{
	struct gns_fh fh = simfs_fh(ino, 0);
	struct session *ses;
	struct kmodel *k;
	u32 i;

	for (i = 0; i < SIM_SATS && s->orig->up; i++) {
		k = s->kern[i];
		if (!k || !k->sid || range_of(k, ino)->asked)
			continue;
		HASH_FIND(hh, s->orig->o->sessions, &k->sid, sizeof(k->sid),
			  ses);
		if (ses)
			compare(k, ino, obj_find(s->orig->o, &fh));
	}
}

/* Return: false: something else is to be done. */
bool ranges_pick(struct kop *op)
{
	struct sim *s = op->k->s;
	struct gns_m_lock *m = &op->want;
	u32 from, to;
	u64 dice;

	if (!ranges_seed(s) || !sim_chance(s, 250000))
		return false;
	op->kind = OP_LOCK;
	op->ino = INO_LOG(sim_below(s, FS_LOGS));
	m->fh = kmodel_fh(op->k, op->ino);
	m->owner = op->app;
	m->kind = sim_chance(s, 300000) ? GNS_LC_WHOLE : GNS_LC_RANGE;
	from = sim_below(s, RANGE_PARTS);
	to = from + sim_below(s, RANGE_PARTS - from);
	m->start = m->kind == GNS_LC_WHOLE ? 0 : from * PART;
	m->end = m->kind == GNS_LC_WHOLE ? UINT64_MAX : part_end(to);
	dice = sim_below(s, 100);
	m->op = dice < 30 ? GNS_LK_READ :
		dice < 60 ? GNS_LK_WRITE :
			    GNS_LK_UNLOCK;
	if (m->op != GNS_LK_UNLOCK && sim_chance(s, 600000))
		m->how = GNS_LH_WAIT;
	return true;
}
