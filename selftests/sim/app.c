// SPDX-License-Identifier: GPL-2.0
/*
 * Applications on a satellite, and the paths their calls take through the
 * kernel's model: from the cache under a lease, else to the origin.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"
#include "lin.h"

static void app_next(void *arg);

struct app {
	struct kmodel *k;
	u32 nr;
};

const char *kop_name(enum op_kind kind)
{
	static const char *const names[] = {
		[OP_READ] = "read",
		[OP_MMAP] = "mapped read",
		[OP_STAT] = "stat",
		[OP_LOOKUP] = "lookup",
		[OP_READDIR] = "readdir",
		[OP_FSYNC] = "fsync",
		[OP_OPEN] = "open",
		[OP_FSTAT] = "fstat",
		[OP_LOCK] = "lock",
		[OP_WRITE] = "write",
		[OP_APPEND] = "append",
		[OP_TRUNC] = "truncate",
		[OP_CREATE] = "create",
		[OP_UNLINK] = "unlink",
		[OP_RENAME] = "rename",
		[OP_LINK] = "link",
	};

	return names[kind];
}

static void kop_end(struct kop *op)
{
	struct kmodel *k = op->k;
	struct app *a;
	u64 pause;

	k->ops[op->app] = NULL;
	files_end(op);
	a = malloc(sizeof(*a));
	if (!a)
		abort();
	*a = (struct app){ k, op->app };
	pause = sim_below(k->s, sim_chance(k->s, 50000) ? SEC : 20 * MS);
	if (!op->app)
		pause = sim_below(k->s, 4 * MS);
	sim_in(k->s, pause, &k->life, app_next, a, true);
	free(op);
}

void kop_return(struct kop *op, s32 err, const u32 *list, u32 n)
{
	struct kmodel *k = op->k;
	bool recorded = op->rec >= 0;

	/* Outside of I1 while the host's clock has stood still. */
	if (k->stood_still && op->kind < OP_CHANGES) {
		history_drop(k->s->hist, op);
		recorded = false;
	} else {
		history_ret(k->s->hist, op, err, list, n);
	}
	story(k->s, W_SAT, k->nr, "app%u %s returns %d @%llu", op->app,
	      kop_name(op->kind), err,
	      recorded ? history_now(k->s->hist) : 0);
	if (op->slot >= 0)
		k->slot_busy[op->slot] = false;
	if (op->locked)
		locks_end(op);
	kop_end(op);
}

/* The host died under it. */
void app_killed(struct kop *op)
{
	op->k->ops[op->app] = NULL;
	history_orphan(op->k->s->hist, op);
	free(op);
}

/* Nobody can tell what became of it: the application gets EIO. */
void app_unknown(struct kop *op)
{
	history_orphan(op->k->s->hist, op);
	if (op->slot >= 0)
		op->k->slot_busy[op->slot] = false;
	if (op->locked)
		locks_end(op);
	kop_end(op);
}

void kop_bytes(struct kop *op, const u8 *data, u32 len, u32 size)
{
	u32 list[K_DATA / 4], i, n = len / 4;

	memcpy(list, data, len);
	if (len != size)
		sim_fail(op->k->s, "torn", "length %u with %u bytes", size,
			 len);
	if (op->ino < INO_LOG(0)) {
		for (i = 1; i < n; i++)
			if (list[i] != list[0])
				sim_fail(op->k->s, "torn",
					 "one read shows writes %u and %u",
					 list[0], list[i]);
		n = 1;
	}
	kop_return(op, 0, list, n);
}

/* A call that something happens to later, if it still waits by then. */
struct kop_ref {
	struct kmodel *k;
	u32 app;
	u32 serial;
};

void kop_later(struct kop *op, u64 delay, void (*fn)(void *arg))
{
	struct kop_ref *r = malloc(sizeof(*r));

	if (!r)
		abort();
	*r = (struct kop_ref){ op->k, op->app, op->serial };
	sim_in(op->k->s, delay, &op->k->life, fn, r, true);
}

struct kop *kop_deref(void *arg)
{
	struct kop_ref *r = arg;
	struct kop *op = r->k->ops[r->app];

	if (op && op->serial != r->serial)
		op = NULL;
	free(r);
	return op;
}

/* A buffered read copies for a while; if the lease moved, it starts over. */
static void copied(void *arg)
{
	struct kop *op = kop_deref(arg);
	struct kobj *o;

	if (!op)
		return;
	o = kobj_get(op->k, op->ino);
	if (o->epoch != op->epoch && op->retries++ < 3 &&
	    !GNS_MUTANT(NO_EPOCH)) {
		kop_try(op);
		return;
	}
	kop_bytes(op, op->data, op->len, op->len);
}

static void serve_copy(struct kop *op, const struct kobj *o)
{
	op->epoch = o->epoch;
	op->len = o->size;
	memcpy(op->data, o->data, o->size);
	kop_later(op, US + sim_below(op->k->s, 500 * US), copied);
}

static void serve_map(struct kop *op, const struct kobj *o)
{
	kop_bytes(op, o->map, o->map_size, o->map_size);
}

void kop_names(struct kop *op, const u32 *names)
{
	u32 list[LIN_TREE_NAMES] = { 0 };

	memcpy(list, names, FS_NAMES * sizeof(*names));
	kop_return(op, 0, list, LIN_TREE_NAMES);
}

static void serve_names(struct kop *op, const struct kobj *o)
{
	u32 ino;

	if (op->kind == OP_READDIR) {
		kop_names(op, o->names);
		return;
	}
	ino = o->names[op->name[0]];
	kop_return(op, ino ? 0 : -ENOENT, &ino, 1);
}

static bool from_cache(struct kop *op, struct kobj *o)
{
	struct kmodel *k = op->k;
	u32 i;

	if (op->kind == OP_MMAP && o->pte) {
		serve_map(op, o);
		return true;
	}
	if (!kobj_lease_ok(k, o))
		return false;
	switch (op->kind) {
	case OP_READ:
		if (!o->data_ok || op->retries > 3)
			return false;
		serve_copy(op, o);
		return true;
	case OP_MMAP:
		if (!o->data_ok || !kobj_may_fault(k, o))
			return false;
		o->pte = true;
		o->map_size = o->size;
		memcpy(o->map, o->data, o->size);
		serve_map(op, o);
		return true;
	case OP_STAT:
		if (!o->attr_ok)
			return false;
		kop_return(op, 0, &o->size, 1);
		return true;
	case OP_LOOKUP:
		if (!o->known[op->name[0]])
			return false;
		serve_names(op, o);
		return true;
	case OP_READDIR:
		for (i = 0; i < FS_NAMES; i++)
			if (!o->known[i])
				return false;
		serve_names(op, o);
		return true;
	default:
		return false;
	}
}

static struct gns_str *req_name(struct kreq *q, int i, u32 nr)
{
	static struct gns_str s;

	snprintf(q->name[i], sizeof(q->name[i]), "n%u", nr % 10);
	s = (struct gns_str){ q->name[i], 2 };
	return &s;
}

/* Ask the origin. Under a live lease the answer may be shared and cached. */
static void ask(struct kop *op, struct kobj *o)
{
	static const u16 types[] = { GNS_READ, GNS_READ, GNS_GETATTR,
				     GNS_LOOKUP, GNS_READDIR, GNS_FSYNC };
	struct kmodel *k = op->k;
	struct kreq *q = kreq_new(k, op, op->ino, types[op->kind]);
	struct gns_fh fh = kmodel_fh(k, op->ino);
	u8 want = GNS_WANT_LEASE;

	if (op->kind == OP_MMAP && sim_chance(k->s, 500000))
		want |= GNS_WANT_TURN;
	switch (op->kind) {
	case OP_READ:
	case OP_MMAP:
	case OP_READDIR:
		q->msg.range.fh = fh;
		q->msg.range.len = op->kind == OP_READDIR ? 4096 : K_DATA;
		q->msg.range.want = want;
		if (op->kind == OP_READDIR && sim_chance(k->s, 500000))
			q->msg.range.want |= GNS_WANT_NAMES;
		if (op->kind != OP_READDIR && kobj_lease_ok(k, o)) {
			/* A fill under the lease that it has. */
			q->epoch = o->epoch;
			q->msg.range.lease = o->number;
			q->msg.range.want = 0;
		}
		break;
	case OP_LOOKUP:
		q->msg.name.fh = fh;
		q->msg.name.want = want;
		q->msg.name.name = *req_name(q, 0, op->name[0]);
		break;
	case OP_STAT:
		if (op->by_name) {
			q->msg.type = GNS_LOOKUP;
			q->msg.name.fh = kmodel_fh(k, INO_ROOT);
			q->msg.name.want = want;
			q->msg.name.name =
				*req_name(q, 0, op->ino - INO_LOG(0));
			break;
		}
		q->msg.obj.fh = fh;
		q->msg.obj.want = want;
		break;
	default:
		/* Without a session it has nothing that could be lost. */
		q->msg.obj.fh = fh;
		q->msg.obj.incarnation = k->incarnation;
		if (k->incarnation)
			op->need_durable = simfs_applied(k->s->fs, op->ino);
	}
	kreq_submit(k, q);
}

static int free_slot(struct kmodel *k)
{
	int i;

	for (i = 0; i < K_SLOTS; i++)
		if (!k->slot_busy[i])
			return i;
	return -1;
}

static void change(struct kop *op)
{
	static const u16 types[] = { GNS_WRITE, GNS_WRITE, GNS_SETATTR,
				     GNS_CREATE, GNS_UNLINK, GNS_RENAME,
				     GNS_LINK };
	struct kmodel *k = op->k;
	struct kreq *q = kreq_new(k, op, op->ino,
				  types[op->kind - OP_CHANGES]);
	struct gns_fh fh = kmodel_fh(k, op->ino);
	u32 i;

	op->slot = free_slot(k);
	k->slot_busy[op->slot] = true;
	gns_msg_change(&q->msg)->slot = op->slot;
	gns_msg_change(&q->msg)->seq = ++k->slot_seq[op->slot];
	kobj_own_begin(k, kobj_get(k, op->ino));
	switch (op->kind) {
	case OP_WRITE:
		for (i = 0; i < FS_BLOCK / 4; i++)
			memcpy(q->payload + 4 * i, &op->serial, 4);
		q->msg.payload_len = FS_BLOCK;
		q->msg.write.fh = fh;
		break;
	case OP_APPEND:
		memcpy(q->payload, &op->serial, 4);
		q->msg.payload_len = 4;
		q->msg.write.fh = fh;
		q->msg.write.flags = GNS_WR_APPEND;
		break;
	case OP_TRUNC:
		q->msg.setattr.fh = fh;
		q->msg.setattr.valid = GNS_SA_SIZE;
		break;
	case OP_RENAME:
		q->msg.rename.odir = fh;
		q->msg.rename.oname = *req_name(q, 0, op->name[0]);
		q->msg.rename.ndir = kmodel_fh(k, INO_DIR(op->dir[1]));
		q->msg.rename.nname = *req_name(q, 1, op->name[1]);
		if (op->dir[1] != op->dir[0])
			kobj_own_begin(k, kobj_get(k, INO_DIR(op->dir[1])));
		break;
	case OP_LINK:
		q->msg.link.dir = fh;
		q->msg.link.name = *req_name(q, 0, op->name[0]);
		q->msg.link.fh = kmodel_fh(k, op->target);
		kobj_own_begin(k, kobj_get(k, op->target));
		break;
	default:
		q->msg.make.dir = fh;
		q->msg.make.name = *req_name(q, 0, op->name[0]);
		if (op->kind == OP_CREATE) {
			q->msg.make.flags = GNS_CR_EXCL;
			q->msg.make.cred.uid = op->serial;
		}
	}
	files_change(op, q);
	kreq_submit(k, q);
}

/* It did nothing, and saw nothing: nothing is recorded. */
void kop_drop(struct kop *op)
{
	history_drop(op->k->s->hist, op);
	kop_end(op);
}

void kop_try(struct kop *op)
{
	struct kobj *o = kobj_get(op->k, op->ino);

	if (op->locked && op->phase < LK_HAS)
		locks_begin(op);
	else if (op->kind == OP_LOCK)
		ranges_try(op);
	else if (files_try(op))
		return;
	else if (op->kind >= OP_CHANGES)
		change(op);
	else if (from_cache(op, o))
		return;
	else if (op->nowait)
		kop_drop(op);
	else
		ask(op, o);
}

/* --- what they do --- */

static void pick_file(struct kop *op, u64 dice)
{
	struct sim *s = op->k->s;

	if (dice < 45) {
		op->ino = INO_REG(sim_below(s, FS_REGS));
		op->kind = dice < 16 ? OP_READ :
			   dice < 30 ? OP_MMAP :
			   dice < 43 ? OP_WRITE :
				       OP_FSYNC;
		/* In some seeds, as below. */
		if (op->kind == OP_WRITE && s->opts.seed % 4 == 1 &&
		    sim_chance(s, 500000)) {
			op->locked = true;
			op->serial |= SERIAL_LOCKED;
		}
		return;
	}
	op->ino = INO_LOG(sim_below(s, FS_LOGS));
	op->by_name = sim_chance(s, 500000);
	op->kind = dice < 52 ? OP_READ :
		   dice < 58 ? OP_STAT :
		   dice < 61 ? OP_MMAP :
			       OP_APPEND;
	/* Lists stay short enough to be read in one go. */
	if (op->kind == OP_APPEND && sim_chance(s, 80000))
		op->kind = OP_TRUNC;
}

static void pick(struct kop *op)
{
	struct sim *s = op->k->s;
	u64 dice = sim_below(s, 100);

	op->dir[0] = sim_below(s, FS_DIRS);
	op->dir[1] = sim_below(s, FS_DIRS);
	op->name[0] = sim_below(s, FS_NAMES);
	op->name[1] = sim_below(s, FS_NAMES);
	if (files_pick(op) || ranges_pick(op))
		return;
	if (dice < 67) {
		pick_file(op, dice);
		return;
	}
	op->ino = INO_DIR(op->dir[0]);
	op->kind = dice < 78 ? OP_LOOKUP :
		   dice < 85 ? OP_READDIR :
		   dice < 92 ? OP_CREATE :
		   dice < 97 ? OP_UNLINK :
			       OP_RENAME;
	/* In some seeds: the others tell the stories that they told before. */
	if (op->kind == OP_CREATE && s->opts.seed % 4 == 0 &&
	    sim_chance(s, 400000)) {
		op->kind = OP_LINK;
		op->target = INO_REG(sim_below(s, FS_REGS));
	}
}

/* Anything, as long as it is in the cache. */
static void pick_cached(struct kop *op)
{
	struct sim *s = op->k->s;

	op->nowait = true;
	switch (sim_below(s, 5)) {
	case 0:
		op->kind = OP_READ;
		op->ino = INO_REG(sim_below(s, FS_REGS + FS_LOGS));
		break;
	case 1:
		op->kind = OP_MMAP;
		op->ino = INO_REG(sim_below(s, FS_REGS + FS_LOGS));
		break;
	case 2:
		op->kind = OP_STAT;
		op->ino = INO_LOG(sim_below(s, FS_LOGS));
		break;
	default:
		op->kind = sim_chance(s, 500000) ? OP_LOOKUP : OP_READDIR;
		op->dir[0] = sim_below(s, FS_DIRS);
		op->name[0] = sim_below(s, FS_NAMES);
		op->ino = INO_DIR(op->dir[0]);
	}
}

static void app_next(void *arg)
{
	struct app a = *(struct app *)arg;
	struct kmodel *k = a.k;
	struct kop *op;

	free(arg);
	if (k->s->now >= k->s->opts.duration)
		return;
	op = calloc(1, sizeof(*op));
	if (!op)
		abort();
	op->k = k;
	op->app = a.nr;
	op->slot = -1;
	op->serial = (k->nr + 1) << 24 | ++k->serials;
	if (a.nr)
		pick(op);
	else
		pick_cached(op);
	k->ops[a.nr] = op;
	history_call(k->s->hist, op);
	story(k->s, W_SAT, k->nr, "app%u %s on %u name %u serial %u @%llu",
	      a.nr, kop_name(op->kind), op->ino, op->name[0], op->serial,
	      op->rec < 0 ? 0 : history_now(k->s->hist));
	kop_try(op);
}

void app_start(struct kmodel *k, u32 nr)
{
	struct app *a = malloc(sizeof(*a));

	if (!a)
		abort();
	*a = (struct app){ k, nr };
	sim_in(k->s, sim_below(k->s, 10 * MS), &k->life, app_next, a, true);
}
