// SPDX-License-Identifier: GPL-2.0
/*
 * LOCK: who holds and waits for what, and what a request does that comes twice
 * or late; see lock.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "origin/lock.h"

static struct lock_rec *rec_find(struct session *s, const struct gns_fh *fh)
{
	struct lock_rec *r;

	HASH_FIND(hh, s->lock_recs, fh->b, fh->len, r);
	return r;
}

static void rec_free(struct lock_rec *r)
{
	HASH_DELETE(hh, r->s->lock_recs, r);
	free(r);
}

/* The oldest record that nothing depends on: its number goes into the floor. */
static void idle_shrink(struct session *s)
{
	struct lock_rec *r = TAILQ_FIRST(&s->lock_idle);

	if (s->nlock_idle <= LOCK_IDLE)
		return;
	TAILQ_REMOVE(&s->lock_idle, r, idle);
	s->nlock_idle--;
	s->lock_floor = max_u64(s->lock_floor, r->seq);
	rec_free(r);
}

static void idle_add(struct lock_rec *r)
{
	TAILQ_INSERT_TAIL(&r->s->lock_idle, r, idle);
	r->s->nlock_idle++;
	idle_shrink(r->s);
}

static void idle_del(struct lock_rec *r)
{
	TAILQ_REMOVE(&r->s->lock_idle, r, idle);
	r->s->nlock_idle--;
}

static struct lock_rec *rec_new(struct session *s, const struct gns_fh *fh)
{
	struct lock_rec *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fh = *fh;
	r->s = s;
	HASH_ADD_KEYPTR(hh, s->lock_recs, r->fh.b, r->fh.len, r);
	idle_add(r);
	return r;
}

static struct lock_table *table_get(struct gns_origin *o,
				    const struct gns_fh *fh)
{
	struct obj *obj = obj_get(o, fh);
	struct lock_table *t;

	if (!obj)
		return NULL;
	if (!obj->locks) {
		t = calloc(1, sizeof(*t));
		if (!t) {
			obj_put(o, obj);
			return NULL;
		}
		t->obj = obj;
		TAILQ_INIT(&t->held);
		TAILQ_INIT(&t->waiters);
		obj->locks = t;
	}
	obj->locks->users++;
	return obj->locks;
}

static void table_put(struct gns_origin *o, struct lock_table *t)
{
	struct obj *obj = t->obj;

	if (!--t->users) {
		obj->locks = NULL;
		free(t);
	}
	obj_put(o, obj);
}

/* While a request is worked off its record has the table in every case. */
static bool rec_begin(struct lock_rec *r)
{
	if (r->t)
		return true;
	r->t = table_get(r->s->o, &r->fh);
	if (r->t)
		idle_del(r);
	return r->t;
}

static void rec_end(struct lock_rec *r)
{
	if (r->held || r->waiting)
		return;
	table_put(r->s->o, r->t);
	r->t = NULL;
	idle_add(r);
}

/* The levels that the limits look at, around what may change them. */
static u32 count(const struct lock_rec *r)
{
	return r->held + r->waiting;
}

static void recount(struct lock_rec *r, u32 before)
{
	r->s->nlocks += count(r) - before;
	r->s->o->stats.locks += (u64)count(r) - before;
}

static u32 room(const struct session *s)
{
	const struct gns_origin *o = s->o;

	if (s->nlocks >= LOCKS_SESSION || o->stats.locks >= o->cfg.max_locks)
		return 0;
	return min_u64(LOCKS_SESSION - s->nlocks,
		       o->cfg.max_locks - o->stats.locks);
}

static void waiter_drop(struct lock_table *t, struct lock_waiter *x)
{
	TAILQ_REMOVE(&t->waiters, x, link);
	t->nwaiters--;
	x->w.r->waiting--;
	free(x);
}

static bool waiter_fresh(const struct lock_waiter *x, u64 now)
{
	return !x->w.r->s->dead && now - x->asked < LOCK_FRESH_NS;
}

static struct lock_waiter *waiter_find(struct lock_table *t,
				       const struct lock_want *w)
{
	struct lock_waiter *x;

	TAILQ_FOREACH(x, &t->waiters, link)
		if (range_same_owner(&x->w, w) && x->w.op == w->op &&
		    x->w.start == w->start && x->w.end == w->end)
			break;
	return x;
}

/* Without room it is not told, and asks again by itself. */
static void waiter_note(struct lock_table *t, const struct lock_want *w,
			u64 now)
{
	struct lock_waiter *x = waiter_find(t, w);

	if (!x) {
		if (t->nwaiters >= LOCK_WAITERS || !room(w->r->s))
			return;
		x = calloc(1, sizeof(*x));
		if (!x)
			return;
		x->w = *w;
		x->since = now;
		w->r->waiting++;
		t->nwaiters++;
		TAILQ_INSERT_TAIL(&t->waiters, x, link);
	}
	x->asked = now;
	x->told = 0;
}

static void waiter_done(struct lock_table *t, const struct lock_want *w)
{
	struct lock_waiter *x = waiter_find(t, w);

	if (x)
		waiter_drop(t, x);
}

/* What an owner unlocks nobody of it waits for. */
static void waiters_done(struct lock_table *t, const struct lock_want *w)
{
	struct lock_waiter *x, *next;

	for (x = TAILQ_FIRST(&t->waiters); x; x = next) {
		next = TAILQ_NEXT(x, link);
		if (range_same_owner(&x->w, w) && x->w.start >= w->start &&
		    x->w.end <= w->end)
			waiter_drop(t, x);
	}
}

/*
 * Is somebody before @w who waits as well? Who holds some of the object lets
 * nobody go first: they may be waiting for him.
 */
static bool must_yield(struct lock_table *t, const struct lock_want *w,
		       bool waits, u64 now)
{
	struct lock_waiter *mine = waiter_find(t, w), *x;

	if (range_owner(t, w))
		return false;
	if (mine && now - mine->since >= LOCK_YIELD_NS)
		return false;
	TAILQ_FOREACH(x, &t->waiters, link) {
		if (x == mine)
			break;
		if (!waiter_fresh(x, now) || !range_against(&x->w, w))
			continue;
		if (waits || (x->told && now - x->told < LOCK_KEPT_NS))
			return true;
	}
	return false;
}

static void send_unlocked(struct lock_rec *r)
{
	struct gns_msg msg = { .type = GNS_UNLOCKED, .sid = r->s->sid };
	struct oconn *oc;

	msg.unlocked.fh = r->fh;
	LIST_FOREACH(oc, &r->s->conns, by_session)
		if (oc->conn)
			break;
	/* One that is lost: they ask again in a second. */
	if (oc)
		gns_conn_send(oc->conn, &msg, NULL);
}

/* Something has become free, perhaps: tell those who could have it now. */
static void tell(struct gns_origin *o, struct lock_table *t)
{
	u64 now = gns_boottime(o->env), pass = ++o->lock_pass;
	struct lock_waiter *x;

	TAILQ_FOREACH(x, &t->waiters, link) {
		if (!waiter_fresh(x, now) || range_taken(t, &x->w) ||
		    must_yield(t, &x->w, true, now))
			continue;
		x->told = now;
		if (x->w.r->told == pass)
			continue;
		x->w.r->told = pass;
		send_unlocked(x->w.r);
	}
}

/* Nobody knows yet who else holds what, for he may live by an older session. */
static bool in_grace(const struct gns_origin *o)
{
	return gns_boottime(o->env) < o->grace_until &&
	       !GNS_MUTANT(LOCK_NO_GRACE);
}

static u32 refuse(struct lock_table *t, const struct lock_want *w, bool waits,
		  u64 now)
{
	struct lock_held *h;

	/* What flock(2) changes to another kind it has lost until it gets it. */
	if (w->kind == GNS_LC_WHOLE) {
		h = range_owner(t, w);
		if (h)
			range_drop(t, h);
	}
	if (waits)
		waiter_note(t, w, now);
	return EAGAIN;
}

static u32 take(struct lock_table *t, const struct lock_want *w, bool waits)
{
	struct session *s = w->r->s;
	u64 now = gns_boottime(s->o->env);
	u32 err;

	if (in_grace(s->o))
		return GNS_ST_AGAIN;
	if (range_taken(t, w) || must_yield(t, w, waits, now))
		return refuse(t, w, waits, now);
	err = range_set(t, w, room(s));
	if (!err)
		waiter_done(t, w);
	return err;
}

static u32 run(struct lock_rec *r, const struct gns_m_lock *m,
	       const struct lock_want *w)
{
	struct lock_table *t = r->t;
	u32 err = 0;

	switch (m->op) {
	case GNS_LK_UNLOCK:
		err = range_set(t, w, room(r->s));
		if (!err)
			waiters_done(t, w);
		break;
	case GNS_LK_CANCEL:
		waiters_done(t, w);
		break;
	default:
		err = take(t, w, m->how == GNS_LH_WAIT);
	}
	/* Who does not get one gives nothing back, but for flock(2). */
	if (err != EAGAIN || m->kind == GNS_LC_WHOLE)
		tell(r->s->o, t);
	return err;
}

static struct lock_want want(const struct gns_m_lock *m, struct lock_rec *r)
{
	return (struct lock_want){ .r = r,
				   .owner = m->owner,
				   .start = m->start,
				   .end = m->end,
				   .pid = m->pid,
				   .kind = m->kind,
				   .op = m->op };
}

static void test(struct oconn *oc, struct session *s, const struct gns_msg *msg)
{
	const struct obj *obj = obj_find(s->o, &msg->lock.fh);
	struct lock_want w = want(&msg->lock, rec_find(s, &msg->lock.fh));
	struct lock_held *h = NULL;
	struct gns_msg rep = { 0 };

	if (in_grace(s->o)) {
		oconn_error(oc, msg, GNS_ST_AGAIN);
		return;
	}
	if (obj && obj->locks)
		h = range_conflict(obj->locks, &w);
	if (h)
		rep.r_lock = (struct gns_r_lock){ .found = 1,
						  .op = h->w.op,
						  .start = h->w.start,
						  .end = h->w.end,
						  .pid = h->w.pid,
						  .own = h->w.r->s == s };
	oconn_reply(oc, msg, &rep, NULL);
}

/* Is it one that makes no sense? */
static bool wrong(const struct gns_m_lock *m)
{
	if (m->start > m->end)
		return true;
	if (m->kind == GNS_LC_WHOLE && (m->start || m->end != UINT64_MAX))
		return true;
	if (m->op > GNS_LK_WRITE && m->how != GNS_LH_TRY)
		return true;
	return m->how != GNS_LH_TEST && !m->seq;
}

/*
 * A request that is not newer than the newest is a late copy, or was overtaken
 * on the way: nobody waits for the one, and the other is asked again.
 */
static bool is_late(struct session *s, const struct lock_rec *r, u64 seq)
{
	if (GNS_MUTANT(LOCK_FLOOR_IGNORED))
		return false;
	return seq < (r ? r->seq : s->lock_floor + 1);
}

/* A request came in on @oc. A negative errno closes it. */
int lock_request(struct oconn *oc, struct session *s, const struct gns_msg *msg)
{
	const struct gns_m_lock *m = &msg->lock;
	struct lock_rec *r = rec_find(s, &m->fh);
	struct gns_msg rep = { 0 };
	struct lock_want w;
	u32 before;

	if (wrong(m)) {
		oconn_error(oc, msg, EINVAL);
		return 0;
	}
	if (m->how == GNS_LH_TEST) {
		test(oc, s, msg);
		return 0;
	}
	if (is_late(s, r, m->seq)) {
		oconn_error(oc, msg, GNS_ST_AGAIN);
		return 0;
	}
	if (!r || r->seq != m->seq) {
		if (!r)
			r = rec_new(s, &m->fh);
		/* Without a record a copy could run later: no answer at all. */
		if (!r || !rec_begin(r))
			return -ENOMEM;
		w = want(m, r);
		before = count(r);
		r->seq = m->seq;
		r->status = run(r, m, &w);
		recount(r, before);
		rep.status = r->status;
		rec_end(r);
	} else {
		rep.status = r->status;
	}
	oconn_reply(oc, msg, &rep, NULL);
	return 0;
}

static void rec_clear(struct lock_rec *r)
{
	struct lock_waiter *x, *xnext;
	struct lock_held *h, *hnext;
	u32 before = count(r);

	for (h = TAILQ_FIRST(&r->t->held); h; h = hnext) {
		hnext = TAILQ_NEXT(h, link);
		if (h->w.r == r)
			range_drop(r->t, h);
	}
	for (x = TAILQ_FIRST(&r->t->waiters); x; x = xnext) {
		xnext = TAILQ_NEXT(x, link);
		if (x->w.r == r)
			waiter_drop(r->t, x);
	}
	recount(r, before);
}

/*
 * The session is dead, and nothing that it has asked for is under way any
 * more: what it did under a lock is done before the next one has it.
 */
void lock_forget(struct session *s, bool quietly)
{
	struct lock_rec *r, *next;

	HASH_ITER(hh, s->lock_recs, r, next) {
		if (r->t) {
			rec_clear(r);
			if (!quietly)
				tell(s->o, r->t);
			table_put(s->o, r->t);
		}
		rec_free(r);
	}
	TAILQ_INIT(&s->lock_idle);
	s->nlock_idle = 0;
}
