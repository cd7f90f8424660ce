// SPDX-License-Identifier: GPL-2.0
/*
 * An origin's life: up from its durable state, and down.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "origin/core.h"
#include "proto/cursor.h"

#define KEY(name) "C" name, sizeof("C" name) - 1

struct loaded {
	struct gns_origin *o;
	struct gns_id boot;
	bool have_boot;
	bool clean; /* nobody held a lease, all was synced */
	u64 synced_at;
};

static void put_u64(struct gns_origin *o, const char *key, u32 klen, u64 v)
{
	u8 val[8];
	struct gns_cursor c = { val, val + 8, false };

	gns_put(&c, v, 8);
	o->db->ops->put(o->db, key, klen, val, 8);
}

void origin_put_incarnation(struct gns_origin *o, u64 incarnation)
{
	put_u64(o, KEY("incarnation"), incarnation);
}

static void put_floors(struct gns_origin *o)
{
	u8 val[VFLOORS * 16];
	struct gns_cursor c = { val, val + sizeof(val), false };
	u32 i;

	for (i = 0; i < o->nvfloors; i++) {
		gns_put(&c, o->vfloors[i].synced_at, 8);
		gns_put(&c, o->vfloors[i].floor, 8);
	}
	if (o->nvfloors)
		o->db->ops->put(o->db, KEY("floors"), val, o->nvfloors * 16);
}

static int load_config(struct loaded *l, const u8 *key, u32 klen, const u8 *val,
		       u32 vlen)
{
	struct gns_cursor c = { (u8 *)val, (u8 *)val + vlen, false };
	struct gns_origin *o = l->o;

#define IS(name) (klen == sizeof("C" name) - 1 && !memcmp(key, "C" name, klen))
	if (IS("views"))
		return view_load(o, &c);
	if (IS("ceiling")) {
		o->ceiling = gns_take(&c, 8);
	} else if (IS("ttl")) {
		o->max_ttl = gns_take(&c, 8);
	} else if (IS("incarnation")) {
		o->incarnation = gns_take(&c, 8);
	} else if (IS("clean")) {
		l->clean = gns_take(&c, 8);
	} else if (IS("synced")) {
		l->synced_at = gns_take(&c, 8);
	} else if (IS("boot")) {
		gns_take_bytes(&c, l->boot.b, GNS_ID_LEN);
		l->have_boot = true;
	} else if (IS("floors")) {
		for (; c.p < c.end && o->nvfloors < VFLOORS; o->nvfloors++) {
			o->vfloors[o->nvfloors].synced_at = gns_take(&c, 8);
			o->vfloors[o->nvfloors].floor = gns_take(&c, 8);
		}
	}
#undef IS
	return c.bad ? -EINVAL : 0;
}

static int load_one(void *arg, const u8 *key, u32 klen, const u8 *val, u32 vlen)
{
	struct loaded *l = arg;
	int err = -EINVAL;

	if (klen && key[0] == 'C')
		err = load_config(l, key, klen, val, vlen);
	else if (klen && key[0] == 'V')
		err = version_load(l->o, key, klen, val, vlen);
	else if (klen && key[0] == 'S')
		err = slot_load(l->o, key, klen, val, vlen);
	if (err)
		gns_err("state: a record of kind %c can not be read: %s",
			klen ? key[0] : '?', strerror(-err));
	return err;
}

/* The host went down uncleanly: lift what may not have been synced. */
static void add_floor(struct gns_origin *o, u64 synced_at)
{
	u64 floor = version_next(o, o->ceiling);
	u32 i;

	if (o->nvfloors == VFLOORS) {
		/* One floor for the two oldest: some caches are refetched. */
		o->vfloors[1].synced_at = min_u64(o->vfloors[0].synced_at,
						  o->vfloors[1].synced_at);
		memmove(o->vfloors, o->vfloors + 1,
			(VFLOORS - 1) * sizeof(o->vfloors[0]));
		o->nvfloors--;
	}
	/* Above what the older ones gave to any ctime, see version_derive(). */
	for (i = 0; i < o->nvfloors; i++)
		floor = max_u64(floor, o->vfloors[i].floor + synced_at -
					       o->vfloors[i].synced_at + 1);
	o->floor = max_u64(o->floor, floor);
	o->vfloors[o->nvfloors++] = (struct vfloor){ synced_at, floor };
}

static void started(void *arg, int err)
{
	struct gns_origin *o = arg;

	if (err) {
		gns_err("state can not be written: %s; no client is served until that is put right, and this daemon begun anew",
			strerror(-err));
		return;
	}
	o->ready = true;
	orphan_start(o);
	recover_start(o);
	sched_run(o);
}

static void tree_synced(void *arg, int err)
{
	struct gns_origin *o = arg;

	if (err) {
		gns_err("the exported tree can not be synced: %s",
			strerror(-err));
		origin_put_incarnation(o, ++o->incarnation);
	}
	o->db->ops->commit(o->db, true, started, o);
}

static void start(struct gns_origin *o, const struct loaded *l)
{
	u64 ttl = GNS_MUTANT(TTL_NOT_DURABLE) ? o->cfg.ttl : o->max_ttl;
	bool same_boot = l->have_boot && gns_id_eq(&l->boot, &o->cfg.boot_id);

	if (l->have_boot && !same_boot && !l->clean) {
		add_floor(o, l->synced_at);
		o->incarnation++;
	}
	o->incarnation += !o->incarnation;
	if (ttl && !l->clean) {
		o->grace_until = gns_boottime(o->env) + gns_origin_wait(ttl);
		o->stats.grace_until = o->grace_until;
	}
	/* Sessions of the life before may live through this one's start. */
	o->max_ttl = max_u64(l->clean ? 0 : o->max_ttl, o->cfg.ttl);
	o->ceiling = 0;
	version_reserve(o, 0);
	put_u64(o, KEY("ttl"), o->max_ttl);
	put_u64(o, KEY("clean"), 0);
	origin_put_incarnation(o, o->incarnation);
	put_u64(o, KEY("synced"), gns_realtime(o->env));
	put_floors(o);
	view_put(o);
	o->db->ops->put(o->db, KEY("boot"), o->cfg.boot_id.b, GNS_ID_LEN);
	o->fs->ops->sync(o->fs, NULL, tree_synced, o);
}

static void defaults(struct gns_origin_config *c)
{
	if (!c->ttl)
		c->ttl = GNS_TTL_DEFAULT_NS;
	if (!c->hold)
		c->hold = 50 * NSEC_PER_MSEC;
	if (!c->settle)
		c->settle = 5 * NSEC_PER_SEC;
	if (!c->max_sessions)
		c->max_sessions = 16384;
	if (!c->max_leases)
		c->max_leases = 4u << 20;
	if (!c->max_locks)
		c->max_locks = 1u << 20;
	if (!c->max_requests)
		c->max_requests = 1024;
}

struct gns_origin *gns_origin_create(struct gns_env *env, struct gns_fs *fs,
				     struct gns_db *db,
				     const struct gns_origin_config *cfg)
{
	struct gns_origin *o = calloc(1, sizeof(*o));
	struct loaded l = { .o = o };
	int err;

	if (!o)
		return NULL;
	o->env = env;
	o->fs = fs;
	o->db = db;
	o->cfg = *cfg;
	o->order = 1ull << 32; /* behind every redo_order */
	defaults(&o->cfg);
	TAILQ_INIT(&o->lru);
	TAILQ_INIT(&o->settle);
	LIST_INIT(&o->conns);
	LIST_INIT(&o->all_sessions);
	TAILQ_INIT(&o->waiting);
	TAILQ_INIT(&o->running);
	TAILQ_INIT(&o->reads);
	TAILQ_INIT(&o->redo);
	LIST_INIT(&o->recovering);
	LIST_INIT(&o->settling);
	gns_timer_init(&o->sched_timer, env, sched_timer, o);
	gns_timer_init(&o->settle_timer, env, version_settle_timer, o);
	gns_timer_init(&o->orphan_timer, env, orphan_timer, o);
	gns_timer_init(&o->resend_timer, env, lease_resend_timer, o);
	err = db->ops->load(db, load_one, &l);
	if (!err)
		err = version_recover(o);
	if (err) {
		gns_origin_destroy(o);
		errno = -err;
		return NULL;
	}
	start(o, &l);
	return o;
}

static void drop_changes(struct change_list *list)
{
	struct change *c;

	while ((c = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, c, link);
		if (c->turn)
			free(c->turn->req);
		free(c->turn);
		free(c->req);
		free(c);
	}
}

static void drop_read(struct read *r)
{
	free(r->req);
	free(r->op.reval);
	free(r->op.entries);
	if (r->op.bulk)
		r->op.bulk->release(r->op.bulk);
	free(r);
}

static void drop_session(struct session *s)
{
	struct lease *l, *tmp;

	gns_timer_cancel(&s->timer);
	lock_forget(s, true);
	HASH_ITER(hh, s->leases, l, tmp) {
		HASH_DEL(s->leases, l);
		free(l);
	}
	LIST_REMOVE(s, all);
	free(s);
}

void gns_origin_destroy(struct gns_origin *o)
{
	struct obj *obj, *otmp;
	struct session *s;
	struct oconn *oc;
	struct change *c;
	struct read *r;

	gns_timer_cancel(&o->sched_timer);
	gns_timer_cancel(&o->settle_timer);
	gns_timer_cancel(&o->orphan_timer);
	gns_timer_cancel(&o->resend_timer);
	/* The read of a turn that runs is in o->reads, or waits for a child. */
	TAILQ_FOREACH(c, &o->running, link)
		c->turn = NULL;
	drop_changes(&o->waiting);
	drop_changes(&o->running);
	while ((r = TAILQ_FIRST(&o->reads))) {
		TAILQ_REMOVE(&o->reads, r, link);
		drop_read(r);
	}
	HASH_ITER(hh, o->objs, obj, otmp) {
		while ((r = TAILQ_FIRST(&obj->waiting))) {
			TAILQ_REMOVE(&obj->waiting, r, link);
			drop_read(r);
		}
	}
	HASH_CLEAR(hh, o->sessions);
	while ((s = LIST_FIRST(&o->all_sessions)))
		drop_session(s);
	while ((oc = LIST_FIRST(&o->conns))) {
		LIST_REMOVE(oc, by_origin);
		if (oc->conn)
			gns_conn_close(oc->conn);
		free(oc);
	}
	recover_drop_all(o);
	orphan_drop_all(o);
	obj_drop_all(o);
	version_drop_all(o);
	slot_drop_all(o);
	free(o);
}

static void quiesce_done(void *arg, int err)
{
	struct gns_origin *o = arg;

	o->quiesced(o->quiesced_arg, err);
}

static void quiesce_synced(void *arg, int err)
{
	struct gns_origin *o = arg;
	struct obj *obj, *next;
	bool clean = !err && !o->stats.leases && !o->stats.sessions;

	if (err)
		loss_note(o, NULL, NULL);
	for (obj = TAILQ_FIRST(&o->settle); obj && !err; obj = next) {
		bool synced = !obj->owner &&
			      obj->changed_gen <= o->quiesce_gen;

		next = TAILQ_NEXT(obj, settle);
		if (synced && version_is_seen(obj) && !obj->loss)
			version_settle_now(o, obj);
		else if (!synced || obj->version)
			clean = false;
		/* Else it seems to be gone; the next origin will ask. */
	}
	put_u64(o, KEY("clean"), clean);
	o->db->ops->commit(o->db, true, quiesce_done, o);
}

void gns_origin_quiesce(struct gns_origin *o, void (*done)(void *arg, int err),
			void *arg)
{
	o->quiescing = true;
	o->quiesced = done;
	o->quiesced_arg = arg;
	o->quiesce_gen = o->gen;
	o->fs->ops->sync(o->fs, NULL, quiesce_synced, o);
}

static void ttl_next(struct gns_origin *o);

static void ttl_durable(void *arg, int err)
{
	struct gns_origin *o = arg;
	u64 ttl = o->new_ttl;

	o->new_ttl = 0;
	if (err) {
		gns_err("the TTL stays %llu ms: state can not be written: %s",
			(unsigned long long)(o->cfg.ttl / NSEC_PER_MSEC),
			strerror(-err));
		return;
	}
	o->max_ttl = ttl;
	ttl_next(o);
}

/* A longer TTL is promised only when a restart would know of it. */
static void ttl_next(struct gns_origin *o)
{
	if (o->new_ttl)
		return;
	if (o->want_ttl <= o->max_ttl) {
		o->cfg.ttl = o->want_ttl;
		return;
	}
	o->new_ttl = o->want_ttl;
	put_u64(o, KEY("ttl"), o->new_ttl);
	o->db->ops->commit(o->db, true, ttl_durable, o);
}

void gns_origin_set_ttl(struct gns_origin *o, u64 ttl)
{
	o->want_ttl = ttl;
	ttl_next(o);
}

void gns_origin_stats(const struct gns_origin *o,
		      struct gns_origin_stats *stats)
{
	*stats = o->stats;
}
