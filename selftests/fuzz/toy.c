// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual time and a store in memory; see toy.h.
 */
#include <errno.h>

#include "toy.h"

static struct toy *of_env(struct gns_env *env)
{
	return container_of(env, struct toy, env);
}

static u64 env_boottime(struct gns_env *env)
{
	return of_env(env)->boot;
}

static u64 env_realtime(struct gns_env *env)
{
	return of_env(env)->real;
}

static u64 env_random(struct gns_env *env)
{
	struct toy *t = of_env(env);

	t->seed = t->seed * 6364136223846793005ull + 1442695040888963407ull;
	return t->seed ^ t->seed >> 33;
}

static void env_arm(struct gns_env *env, struct gns_timer *timer, u64 at)
{
	struct toy *t = of_env(env);

	if (!timer->at) {
		FUZZ_CHECK(t->ntimers < TOY_TIMERS, "too many timers");
		timer->slot = t->ntimers;
		t->timers[t->ntimers++] = timer;
	}
	timer->at = at;
}

static void env_cancel(struct gns_env *env, struct gns_timer *timer)
{
	struct toy *t = of_env(env);
	struct gns_timer *last;

	FUZZ_CHECK(t->ntimers && t->timers[timer->slot] == timer,
		   "a timer that is not armed was cancelled");
	last = t->timers[--t->ntimers];
	t->timers[timer->slot] = last;
	last->slot = timer->slot;
	timer->at = 0;
}

static const struct gns_env_ops env_ops = {
	.boottime = env_boottime,
	.realtime = env_realtime,
	.random = env_random,
	.arm = env_arm,
	.cancel = env_cancel,
};

/* Let @ns pass, and every timer that is due fire at its own time. */
void toy_advance(struct toy *t, u64 ns)
{
	u64 end = t->boot + ns, since = t->boot;
	u32 fired = 0;

	for (;;) {
		struct gns_timer *next = NULL;
		u32 i;

		for (i = 0; i < t->ntimers; i++)
			if (t->timers[i]->at <= end &&
			    (!next || t->timers[i]->at < next->at))
				next = t->timers[i];
		if (!next)
			break;
		if (next->at > t->boot) {
			t->real += next->at - t->boot;
			t->boot = next->at;
		}
		if (t->boot - since > NSEC_PER_MSEC) {
			since = t->boot;
			fired = 0;
		}
		FUZZ_CHECK(++fired < TOY_STORM, "timers fire without an end");
		env_cancel(&t->env, next);
		next->fn(next->arg);
	}
	t->real += end - t->boot;
	t->boot = end;
}

static void log_add(struct toy *t, const void *key, u32 klen, const void *val,
		    u32 vlen)
{
	struct toy_rec *r;

	if (t->nlog == t->log_cap) {
		t->log_cap = t->log_cap * 2 + 64;
		t->log = realloc(t->log, t->log_cap * sizeof(*t->log));
		FUZZ_CHECK(t->log, "no memory");
	}
	r = &t->log[t->nlog++];
	*r = (struct toy_rec){ t->batch, klen, vlen, malloc(klen + vlen + 1) };
	FUZZ_CHECK(r->kv, "no memory");
	memcpy(r->kv, key, klen);
	if (vlen)
		memcpy(r->kv + klen, val, vlen);
}

/* A record that an earlier life left; for fuzz_state. */
void toy_put(struct toy *t, const void *key, u32 klen, const void *val,
	     u32 vlen)
{
	log_add(t, key, klen, val, vlen);
}

static void db_put(struct gns_db *db, const void *key, u32 klen,
		   const void *val, u32 vlen)
{
	FUZZ_CHECK(klen && klen <= GNS_DB_KEY_MAX && vlen <= GNS_DB_VAL_MAX,
		   "a record over the limits: %u, %u", klen, vlen);
	log_add(container_of(db, struct toy, db), key, klen, val, vlen);
}

static void db_commit(struct gns_db *db, bool sync,
		      void (*done)(void *arg, int err), void *arg)
{
	struct toy *t = container_of(db, struct toy, db);

	FUZZ_CHECK(t->ncommits < TOY_COMMITS, "commits without an end");
	t->commits[t->ncommits++] =
		(struct toy_commit){ done, arg, t->batch++, sync };
	/* A store may end a batch inside of its own call, but no other one. */
	if (!t->late && t->ncommits == 1)
		toy_commit_one(t);
}

/* End the oldest commit. Returns false when there is none. */
bool toy_commit_one(struct toy *t)
{
	struct toy_commit c = t->commits[0];
	int err = 0;

	if (!t->ncommits)
		return false;
	memmove(t->commits, t->commits + 1, --t->ncommits * sizeof(c));
	if (t->db_fails && c.done) {
		t->db_fails = false;
		err = -EIO;
	}
	if (c.sync && !err)
		t->on_disk = c.batch + 1;
	if (c.done)
		c.done(c.arg, err);
	return true;
}

/* Is there no newer record of the same key? */
static bool is_newest(const struct toy *t, u32 i)
{
	const struct toy_rec *a = &t->log[i], *b;

	for (i++; i < t->nlog; i++) {
		b = &t->log[i];
		if (b->klen == a->klen && !memcmp(b->kv, a->kv, a->klen))
			return false;
	}
	return true;
}

static int db_load(struct gns_db *db,
		   int (*each)(void *arg, const u8 *key, u32 klen,
			       const u8 *val, u32 vlen),
		   void *arg)
{
	struct toy *t = container_of(db, struct toy, db);
	u8 *key, *val;
	int err = 0;
	u32 i;

	for (i = 0; i < t->nlog && !err; i++) {
		const struct toy_rec *r = &t->log[i];

		if (!r->vlen || !is_newest(t, i))
			continue;
		key = fuzz_copy(r->kv, r->klen);
		val = fuzz_copy(r->kv + r->klen, r->vlen);
		err = each(arg, key, r->klen, val, r->vlen);
		free(key);
		free(val);
	}
	return err;
}

static const struct gns_db_ops db_ops = {
	.put = db_put,
	.commit = db_commit,
	.load = db_load,
};

/*
 * What the store forgets when the origin dies: what was not committed; when
 * the host dies, all but the first batches (@keep of those that were not
 * synced stay).
 */
void toy_crash(struct toy *t, bool host, u64 keep)
{
	u64 end = t->batch;

	if (host)
		end = t->on_disk + keep % (t->batch - t->on_disk + 1);
	while (t->nlog && t->log[t->nlog - 1].batch >= end)
		free(t->log[--t->nlog].kv);
	t->batch = end;
	t->on_disk = min_u64(t->on_disk, end);
	t->ncommits = 0;
	t->nops = 0;
	t->db_fails = false;
	t->fs_fails = 0;
}

void toy_init(struct toy *t)
{
	memset(t, 0, sizeof(*t));
	t->env.ops = &env_ops;
	t->db.ops = &db_ops;
	t->boot = 100 * NSEC_PER_SEC;
	t->real = 1700000000 * NSEC_PER_SEC;
	t->seed = 1;
	toyfs_init(t);
}

void toy_exit(struct toy *t)
{
	FUZZ_CHECK(!t->ntimers, "%u timers outlive the origin", t->ntimers);
	while (t->nlog)
		free(t->log[--t->nlog].kv);
	free(t->log);
}
