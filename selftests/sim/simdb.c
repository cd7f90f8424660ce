// SPDX-License-Identifier: GPL-2.0
/*
 * The origin's durable state, on a disk that loses what was not synced.
 *
 * Batches become visible in their order. Death of the process keeps a prefix
 * that contains everything reported; power loss keeps at least what was
 * synced.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "sim.h"

struct pair {
	TAILQ_ENTRY(pair) link;
	u32 klen, vlen;
	u8 key[GNS_DB_KEY_MAX];
	u8 *val;
};

TAILQ_HEAD(pairs, pair);

struct batch {
	TAILQ_ENTRY(batch) link;
	struct simdb *db;
	struct pairs puts;
	bool sync;
	bool safe; /* survives the process */
	void (*done)(void *arg, int err);
	void *arg;
};

TAILQ_HEAD(batches, batch);

struct simdb {
	struct gns_db db;
	struct sim *s;
	struct pairs disk;
	struct pairs open; /* the batch being made */
	struct batches log; /* not on disk for sure yet */
	struct batch *next; /* first one not reported; NULL: none */
	bool busy;
};

static void pairs_put(struct pairs *to, const void *key, u32 klen,
		      const void *val, u32 vlen)
{
	struct pair *p;

	TAILQ_FOREACH(p, to, link)
		if (p->klen == klen && !memcmp(p->key, key, klen))
			break;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			abort();
		memcpy(p->key, key, klen);
		p->klen = klen;
		TAILQ_INSERT_TAIL(to, p, link);
	}
	free(p->val);
	p->val = malloc(vlen + 1);
	if (!p->val)
		abort();
	if (vlen)
		memcpy(p->val, val, vlen);
	p->vlen = vlen;
}

static void pairs_free(struct pairs *list)
{
	struct pair *p;

	while ((p = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, p, link);
		free(p->val);
		free(p);
	}
}

static void pairs_apply(struct pairs *to, struct pairs *from)
{
	struct pair *p, *next;

	TAILQ_FOREACH(p, from, link)
		pairs_put(to, p->key, p->klen, p->val, p->vlen);
	for (p = TAILQ_FIRST(to); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->vlen)
			continue;
		TAILQ_REMOVE(to, p, link);
		free(p->val);
		free(p);
	}
}

static void batch_free(struct batch *b)
{
	TAILQ_REMOVE(&b->db->log, b, link);
	pairs_free(&b->puts);
	free(b);
}

/* Everything up to and with @last is on disk. */
static void write_down(struct simdb *db, struct batch *last)
{
	struct batch *b, *next;

	for (b = TAILQ_FIRST(&db->log); b; b = next) {
		next = b == last ? NULL : TAILQ_NEXT(b, link);
		pairs_apply(&db->disk, &b->puts);
		batch_free(b);
	}
}

static void db_run(struct simdb *db);

static void committed(void *arg)
{
	struct simdb *db = arg;
	struct batch *b = db->next;
	void (*done)(void *arg, int err) = b->done;
	void *done_arg = b->arg;

	db->next = TAILQ_NEXT(b, link);
	b->safe = true;
	if (b->sync)
		write_down(db, b);
	db->busy = false;
	if (done)
		done(done_arg, 0);
	db_run(db);
}

static void db_run(struct simdb *db)
{
	struct sim *s = db->s;

	if (db->busy || !db->next)
		return;
	db->busy = true;
	sim_in(s, 10 * US + sim_below(s, db->next->sync ? 8 * MS : 200 * US),
	       &s->orig->life, committed, db, false);
}

static void db_put(struct gns_db *gdb, const void *key, u32 klen,
		   const void *val, u32 vlen)
{
	struct simdb *db = container_of(gdb, struct simdb, db);

	pairs_put(&db->open, key, klen, val, vlen);
}

static void db_commit(struct gns_db *gdb, bool sync,
		      void (*done)(void *arg, int err), void *arg)
{
	struct simdb *db = container_of(gdb, struct simdb, db);
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->db = db;
	b->sync = sync;
	b->done = done;
	b->arg = arg;
	TAILQ_INIT(&b->puts);
	TAILQ_CONCAT(&b->puts, &db->open, link);
	TAILQ_INSERT_TAIL(&db->log, b, link);
	if (!db->next)
		db->next = b;
	db_run(db);
}

static int db_load(struct gns_db *gdb,
		   int (*each)(void *arg, const u8 *key, u32 klen,
			       const u8 *val, u32 vlen),
		   void *arg)
{
	struct simdb *db = container_of(gdb, struct simdb, db);
	struct pair *p;
	int err;

	TAILQ_FOREACH(p, &db->disk, link) {
		err = each(arg, p->key, p->klen, p->val, p->vlen);
		if (err)
			return err;
	}
	return 0;
}

static const struct gns_db_ops db_ops = { db_put, db_commit, db_load };

struct simdb *simdb_new(struct sim *s)
{
	struct simdb *db = calloc(1, sizeof(*db));

	if (!db)
		abort();
	db->db.ops = &db_ops;
	db->s = s;
	TAILQ_INIT(&db->disk);
	TAILQ_INIT(&db->open);
	TAILQ_INIT(&db->log);
	return db;
}

struct gns_db *simdb_gns(struct simdb *db)
{
	return &db->db;
}

void simdb_crash(struct simdb *db, bool power)
{
	struct batch *b, *keep = NULL;

	TAILQ_FOREACH(b, &db->log, link) {
		if ((power || !b->safe) && sim_chance(db->s, 400000))
			break;
		keep = b;
	}
	if (keep)
		write_down(db, keep);
	while ((b = TAILQ_FIRST(&db->log)))
		batch_free(b);
	pairs_free(&db->open);
	db->next = NULL;
	db->busy = false;
}

void simdb_free(struct simdb *db)
{
	struct batch *b;

	while ((b = TAILQ_FIRST(&db->log)))
		batch_free(b);
	pairs_free(&db->open);
	pairs_free(&db->disk);
	free(db);
}
