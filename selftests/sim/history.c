// SPDX-License-Identifier: GPL-2.0
/*
 * What the applications saw, and whether it could have happened.
 *
 * Every call is recorded with the numbers of the events that began and ended
 * it. Power loss at the origin may undo what was acknowledged and not synced:
 * there the record ends, is checked as it is, and a new one begins from what
 * the disk held, once every lease of the time before is over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"
#include "lin.h"

/* How long after its host's death a change may still be applied. */
#define ORPHAN_LIFE (12 * SEC)
#define ORPHANS 64

enum {
	H_REG,
	H_LOG,
	H_TREE,
	H_MAX,
};

struct history {
	struct sim *s;
	bool open;
	u64 era;
	u64 stamp;
	u64 ops;
	struct lin_hist h[H_MAX];
	/* Changes that nobody waits for any more, and may still be applied. */
	struct orphan {
		u64 at;
		struct kop op;
	} orphans[ORPHANS];
	u32 norphans; /* ever; the ring holds the newest */
};

static const struct lin_model *const models[H_MAX] = {
	&lin_register,
	&lin_log,
	&lin_tree,
};

struct history *history_new(struct sim *s)
{
	struct history *h = calloc(1, sizeof(*h));
	int i;

	if (!h)
		abort();
	h->s = s;
	for (i = 0; i < H_MAX; i++)
		h->h[i].m = models[i];
	history_era_begin(h);
	return h;
}

void history_free(struct history *h)
{
	int i;

	for (i = 0; i < H_MAX; i++)
		lin_hist_free(&h->h[i]);
	free(h);
}

static u64 history_stamp(struct history *h)
{
	return ++h->stamp;
}

/* The newest stamp: of the call or answer that was recorded just now. */
unsigned long long history_now(const struct history *h)
{
	return h->stamp;
}

u64 history_ops(const struct history *h)
{
	return h->ops;
}

static int op_model(const struct kop *op)
{
	if (op->ino >= INO_DIR(0))
		return H_TREE;
	return op->ino >= INO_LOG(0) ? H_LOG : H_REG;
}

static void op_record(const struct kop *op, struct lin_op *r)
{
	static const u16 kinds[H_MAX][OP_LINK + 1] = {
		[H_REG] = { [OP_READ] = LIN_REG_READ,
			    [OP_MMAP] = LIN_REG_READ,
			    [OP_WRITE] = LIN_REG_WRITE },
		[H_LOG] = { [OP_READ] = LIN_LOG_READ,
			    [OP_MMAP] = LIN_LOG_READ,
			    [OP_STAT] = LIN_LOG_STAT,
			    [OP_APPEND] = LIN_LOG_APPEND,
			    [OP_TRUNC] = LIN_LOG_TRUNC },
		[H_TREE] = { [OP_LOOKUP] = LIN_TREE_LOOKUP,
			     [OP_READDIR] = LIN_TREE_READDIR,
			     [OP_CREATE] = LIN_TREE_CREATE,
			     [OP_UNLINK] = LIN_TREE_UNLINK,
			     [OP_RENAME] = LIN_TREE_RENAME,
			     [OP_LINK] = LIN_TREE_CREATE },
	};
	int m = op_model(op);

	memset(r, 0, sizeof(*r));
	r->ret = LIN_PENDING;
	r->kind = kinds[m][op->kind];
	r->client = op->k->nr * K_APPS + op->app;
	if (m == H_TREE) {
		r->arg[0] = op->dir[0];
		r->arg[1] = op->kind == OP_READDIR ? 0 : op->name[0];
		if (op->kind == OP_RENAME) {
			r->arg[2] = op->dir[1];
			r->arg[3] = op->name[1];
		}
		return;
	}
	r->obj = op->ino - (m == H_LOG ? INO_LOG(0) : INO_REG(0));
	if (op->kind == OP_WRITE || op->kind == OP_APPEND)
		r->arg[0] = op->serial;
	if (op->kind == OP_WRITE)
		r->arg[1] = FS_BLOCK;
}

void history_call(struct history *h, struct kop *op)
{
	struct lin_hist *lh = &h->h[op_model(op)];
	struct lin_op r;

	op->rec = -1;
	if (!h->open || (op->kind >= OP_FSYNC && op->kind < OP_CHANGES))
		return;
	op_record(op, &r);
	r.call = history_stamp(h);
	if (op->kind == OP_CREATE)
		r.arg[2] = op->serial; /* its inode, once it is known */
	if (op->kind == OP_LINK)
		r.arg[2] = op->target;
	op->rec = lh->n;
	if (lin_hist_add(lh, &r))
		abort();
	h->ops++;
}

/* Its application is gone; the change itself may still be under way. */
void history_orphan(struct history *h, const struct kop *op)
{
	struct orphan *o = &h->orphans[h->norphans++ % ORPHANS];

	if (op->kind < OP_CHANGES)
		return;
	o->at = h->s->now;
	o->op = *op;
}

static void take_result(struct lin_op *r, const struct kop *op, s32 err,
			const u32 *list, u32 n)
{
	r->err = err;
	switch (op->kind) {
	case OP_READ:
	case OP_MMAP:
		if (op->ino < INO_LOG(0)) {
			r->res[0] = list[0];
			break;
		}
		r->list = list;
		r->nlist = n;
		break;
	case OP_STAT:
		r->res[0] = list[0] / 4;
		break;
	case OP_READDIR:
		r->list = list;
		r->nlist = n;
		break;
	case OP_LOOKUP:
		r->res[0] = list[0];
		break;
	case OP_APPEND:
		r->res[0] = LIN_ANY;
		break;
	default:
		break;
	}
}

void history_ret(struct history *h, struct kop *op, s32 err, const u32 *list,
		 u32 n)
{
	struct lin_hist *lh = &h->h[op_model(op)];
	struct lin_op r;
	u64 call;

	if (op->rec < 0)
		return;
	/* Added again with its result; the open record goes. */
	r = lh->ops[op->rec];
	call = r.call;
	if (op->carried)
		r.err = LIN_UNKNOWN;
	else
		take_result(&r, op, err, list, n);
	r.call = call;
	r.ret = history_stamp(h);
	lh->ops[op->rec].client = ~0u;
	op->rec = -1;
	if (lin_hist_add(lh, &r))
		abort();
}

void history_drop(struct history *h, struct kop *op)
{
	if (op->rec >= 0)
		h->h[op_model(op)].ops[op->rec].client = ~0u;
	op->rec = -1;
}

/* Drop records that were replaced, reads never answered, creates never run. */
static void compact(struct history *h, int m)
{
	struct lin_hist *lh = &h->h[m];
	size_t i, n = 0;

	for (i = 0; i < lh->n; i++) {
		struct lin_op *r = &lh->ops[i];
		bool change = m == H_TREE ? r->kind <= LIN_TREE_RENAME ||
						    r->kind == LIN_TREE_REVERT :
					    true;

		if (r->client == ~0u)
			continue;
		if (r->ret == LIN_PENDING && m == H_TREE && !change)
			continue;
		if (m == H_TREE && r->kind == LIN_TREE_CREATE &&
		    r->arg[2] >= K_INODES) {
			r->arg[2] = simfs_made(h->s->fs, r->arg[2]);
			if (!r->arg[2] && lin_op_unknown(r))
				continue; /* never ran */
			if (!r->arg[2])
				r->arg[2] = 1; /* refused */
		}
		lh->ops[n++] = *r;
	}
	lh->n = n;
}

static bool check(struct history *h, int m)
{
	struct lin_hist *lh = &h->h[m];
	struct lin_result res;
	bool first;

	compact(h, m);
	res = lin_check(models[m], lh->ops, lh->n, 0);
	if (res.status == LIN_OK)
		return true;
	first = !h->s->failed;
	if (res.status == LIN_VIOLATION)
		sim_fail(h->s, "not linearizable",
			 "%s history, record %zu of %zu", models[m]->name,
			 res.bad, lh->n);
	else if (res.status == LIN_INVALID)
		sim_fail(h->s, "bad record", "%s: %s", models[m]->name,
			 res.why);
	else
		sim_fail(h->s, "not decided", "%s history of %zu records",
			 models[m]->name, lh->n);
	if (h->s->proof && first) {
		lin_print(h->s->proof, models[m], lh->ops, lh->n);
		lin_explain(h->s->proof, models[m], lh->ops, lh->n, &res);
	}
	return false;
}

/* Check what was recorded; forget it. */
bool history_check(struct history *h)
{
	bool ok = true;
	int i;

	for (i = 0; i < H_MAX; i++) {
		if (h->open && !check(h, i))
			ok = false;
		lin_hist_free(&h->h[i]);
		h->h[i] = (struct lin_hist){ .m = models[i] };
	}
	return ok;
}

void history_era_end(struct history *h)
{
	u32 i, a;

	if (!h->open)
		return;
	history_check(h);
	h->open = false;
	for (i = 0; i < SIM_SATS; i++)
		for (a = 0; h->s->kern[i] && a < K_APPS; a++)
			if (h->s->kern[i]->ops[a])
				h->s->kern[i]->ops[a]->rec = -1;
}

static void start_state(struct history *h)
{
	struct simfs *fs = h->s->fs;
	struct lin_op r = { .call = history_stamp(h) };
	u32 i, list[K_DATA / 4] = { 0 };
	const u8 *data;

	r.ret = r.call;
	for (i = 0; i < FS_REGS; i++) {
		u32 size = simfs_data(fs, INO_REG(i), &data), v;

		memcpy(&v, data, 4);
		r.kind = LIN_REG_REVERT;
		r.obj = i;
		r.arg[0] = v;
		r.arg[1] = size;
		lin_hist_add(&h->h[H_REG], &r);
	}
	memset(r.arg, 0, sizeof(r.arg));
	for (i = 0; i < FS_LOGS; i++) {
		u32 size = simfs_data(fs, INO_LOG(i), &data);

		memcpy(list, data, size);
		r.kind = LIN_LOG_REVERT;
		r.obj = i;
		r.list = list;
		r.nlist = size / 4;
		lin_hist_add(&h->h[H_LOG], &r);
	}
	memset(list, 0, sizeof(list));
	for (i = 0; i < FS_DIRS; i++)
		simfs_dir(fs, INO_DIR(i), list + i * LIN_TREE_NAMES);
	r.kind = LIN_TREE_REVERT;
	r.obj = 0;
	r.list = list;
	r.nlist = LIN_TREE_CELLS;
	lin_hist_add(&h->h[H_TREE], &r);
}

/* What was known is settled: record from the state that is there. */
void history_era_begin(void *arg)
{
	struct history *h = arg;
	struct sim *s = h->s;
	u32 i, a;

	if (h->open)
		return;
	h->open = true;
	h->era++;
	start_state(h);
	story(s, W_WORLD, 0, "record begins");
	/* Changes under way may still be applied. */
	for (i = 0; i < ORPHANS; i++)
		if (h->orphans[i].at && h->orphans[i].at + ORPHAN_LIFE > s->now)
			history_call(h, &h->orphans[i].op);
	for (i = 0; i < SIM_SATS; i++)
		for (a = 0; s->kern[i] && a < K_APPS; a++)
			if (s->kern[i]->ops[a] &&
			    s->kern[i]->ops[a]->kind >= OP_CHANGES) {
				s->kern[i]->ops[a]->carried = true;
				history_call(h, s->kern[i]->ops[a]);
			}
}
