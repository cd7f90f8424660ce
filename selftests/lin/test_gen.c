// SPDX-License-Identifier: GPL-2.0
/*
 * Random histories.  Every operation gets a call, a moment of effect and a
 * return; it is executed on an atomic object at its moment, which gives its
 * result.  What the execution answers is computed here, not by the models.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test_int.h"

#define MAX_OBJECTS 64

struct plan {
	struct lin_op	op;
	uint64_t	at;
	bool		lost;
	uint32_t	list[LIN_LIST_MAX];
};

struct world {
	uint64_t	value[MAX_OBJECTS];
	uint64_t	size[MAX_OBJECTS];
	uint32_t	len[MAX_OBJECTS];
	uint32_t	log[MAX_OBJECTS][LIN_LOG_MAX];
	uint32_t	tree[LIN_TREE_CELLS];
};

/* xorshift64* */
uint64_t rnd(struct rng *r, uint64_t below)
{
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return below ? (r->s * 0x2545f4914f6cdd1dull >> 11) % below : 0;
}

static bool percent(struct rng *r, unsigned int p)
{
	return rnd(r, 100) < p;
}

static void want_register(struct plan *p, const struct gen *g, struct rng *r,
			  uint32_t id)
{
	struct lin_op *op = &p->op;

	if (percent(r, g->reads)) {
		op->kind = percent(r, 75) ? LIN_REG_READ : LIN_REG_STAT;
	} else if (rnd(r, 1000) < g->reverts) {
		op->kind = LIN_REG_REVERT;
		op->arg[0] = rnd(r, id + 1);
		op->arg[1] = rnd(r, 4);
	} else if (!g->no_trunc && percent(r, 10)) {
		op->kind = LIN_REG_TRUNC;
	} else {
		op->kind = LIN_REG_WRITE;
		op->arg[0] = id;
		op->arg[1] = rnd(r, 4);
	}
}

static void want_log(struct plan *p, const struct gen *g, struct rng *r,
		     uint32_t id)
{
	struct lin_op *op = &p->op;

	if (percent(r, g->reads)) {
		op->kind = percent(r, 60) ? LIN_LOG_READ : LIN_LOG_STAT;
	} else if (rnd(r, 1000) < g->reverts) {
		op->kind = LIN_LOG_REVERT;
		op->list = p->list;
		op->nlist = (uint32_t)rnd(r, 3);
		p->list[0] = id;
		p->list[1] = g->same ? 1 : id + 2000000;
	} else if (!g->no_trunc && percent(r, 15)) {
		op->kind = LIN_LOG_TRUNC;
		op->arg[0] = rnd(r, 4);
	} else {
		op->kind = LIN_LOG_APPEND;
		op->arg[0] = id;
		op->res[0] = percent(r, 50) ? LIN_ANY : 0;
	}
}

static void want_tree(struct plan *p, const struct gen *g, struct rng *r,
		      uint32_t id)
{
	struct lin_op *op = &p->op;
	unsigned int i;

	op->arg[0] = rnd(r, g->n < 10 ? 2 : LIN_TREE_DIRS);
	op->arg[1] = rnd(r, g->n < 10 ? 2 : LIN_TREE_NAMES);
	if (percent(r, g->reads)) {
		op->kind = percent(r, 70) ? LIN_TREE_LOOKUP : LIN_TREE_READDIR;
	} else if (rnd(r, 1000) < g->reverts) {
		op->kind = LIN_TREE_REVERT;
		op->list = p->list;
		op->nlist = LIN_TREE_CELLS;
		for (i = 0; i < LIN_TREE_CELLS; i++)
			p->list[i] = percent(r, 30) ? id + i : 0;
	} else if (percent(r, 40)) {
		op->kind = LIN_TREE_CREATE;
		op->arg[2] = id;
	} else if (percent(r, 50)) {
		op->kind = LIN_TREE_UNLINK;
	} else {
		op->kind = LIN_TREE_RENAME;
		op->arg[2] = rnd(r, g->n < 10 ? 2 : LIN_TREE_DIRS);
		op->arg[3] = rnd(r, g->n < 10 ? 2 : LIN_TREE_NAMES);
	}
}

/* What is asked for when it is free, or not, is settled at its moment. */
static void want_lock(struct plan *p, const struct gen *g, struct rng *r,
		      uint32_t id)
{
	struct lin_op *op = &p->op;

	op->arg[0] = id;
	if (percent(r, g->reads))
		op->kind = LIN_LOCK_HELD;
	else if (rnd(r, 1000) < g->reverts)
		op->kind = LIN_LOCK_REVERT;
	else
		op->kind = (uint16_t)rnd(r, 3) + LIN_LOCK_LOCK;
}

static void exec_lock(struct world *w, struct lin_op *op)
{
	uint64_t *owner = &w->value[op->obj];

	switch (op->kind) {
	case LIN_LOCK_HELD:
		if (*owner)
			op->arg[0] = *owner;
		else
			op->err = LIN_UNKNOWN;
		break;
	case LIN_LOCK_UNLOCK:
		if (!*owner) {
			op->kind = LIN_LOCK_LOCK;
			*owner = op->arg[0];
			break;
		}
		op->arg[0] = *owner;
		*owner = 0;
		break;
	case LIN_LOCK_REVERT:
		*owner = op->arg[0];
		break;
	default:
		if (*owner) {
			op->kind = LIN_LOCK_TRY;
			op->err = -EAGAIN;
			break;
		}
		*owner = op->arg[0];
	}
}

static void exec_register(struct world *w, struct lin_op *op)
{
	uint64_t *value = &w->value[op->obj];
	uint64_t *size = &w->size[op->obj];

	switch (op->kind) {
	case LIN_REG_WRITE:
		*value = op->arg[0];
		*size = *size > op->arg[1] ? *size : op->arg[1];
		break;
	case LIN_REG_READ:
		op->res[0] = *value;
		break;
	case LIN_REG_STAT:
		op->res[0] = *size;
		break;
	case LIN_REG_TRUNC:
		*value = *size = 0;
		break;
	case LIN_REG_REVERT:
		*value = op->arg[0];
		*size = op->arg[1];
		break;
	}
}

static void exec_log(struct world *w, struct plan *p)
{
	struct lin_op *op = &p->op;
	uint32_t *log = w->log[op->obj];
	uint32_t *len = &w->len[op->obj];

	switch (op->kind) {
	case LIN_LOG_APPEND:
		if (*len == LIN_LOG_MAX) {
			op->err = -ENOSPC;
			break;
		}
		if (op->res[0] != LIN_ANY)
			op->res[0] = *len;
		log[(*len)++] = (uint32_t)op->arg[0];
		break;
	case LIN_LOG_READ:
		memcpy(p->list, log, *len * sizeof(*log));
		op->list = p->list;
		op->nlist = *len;
		break;
	case LIN_LOG_STAT:
		op->res[0] = *len;
		break;
	case LIN_LOG_TRUNC:
		while (*len < op->arg[0])
			log[(*len)++] = 0;
		*len = (uint32_t)op->arg[0];
		break;
	case LIN_LOG_REVERT:
		/* bring back something which was appended before */
		if (*len && log[0] && p->list[0] != log[0])
			p->list[1] = log[0];
		*len = op->nlist;
		memcpy(log, p->list, *len * sizeof(*log));
		break;
	}
}

static void exec_tree(struct world *w, struct plan *p)
{
	struct lin_op *op = &p->op;
	uint32_t *dir = w->tree + op->arg[0] * LIN_TREE_NAMES;
	uint32_t *at = dir + op->arg[1];
	uint32_t id = *at, *to;

	switch (op->kind) {
	case LIN_TREE_CREATE:
		if (id)
			op->err = -EEXIST;
		else
			*at = (uint32_t)op->arg[2];
		break;
	case LIN_TREE_UNLINK:
	case LIN_TREE_RENAME:
		if (!id) {
			op->err = -ENOENT;
			break;
		}
		to = w->tree + op->arg[2] * LIN_TREE_NAMES + op->arg[3];
		if (op->kind == LIN_TREE_RENAME && *to == id)
			break;
		*at = 0;
		if (op->kind == LIN_TREE_RENAME)
			*to = id;
		break;
	case LIN_TREE_LOOKUP:
		op->res[0] = id;
		if (!id)
			op->err = -ENOENT;
		break;
	case LIN_TREE_READDIR:
		memcpy(p->list, dir, LIN_TREE_NAMES * sizeof(*dir));
		op->list = p->list;
		op->nlist = LIN_TREE_NAMES;
		break;
	case LIN_TREE_REVERT:
		memcpy(w->tree, p->list, sizeof(w->tree));
		break;
	}
}

static int cmp_at(const void *pa, const void *pb)
{
	const struct plan *a = *(const struct plan *const *)pa;
	const struct plan *b = *(const struct plan *const *)pb;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int cmp_call(const void *pa, const void *pb)
{
	const struct plan *a = *(const struct plan *const *)pa;
	const struct plan *b = *(const struct plan *const *)pb;

	if (a->op.call != b->op.call)
		return a->op.call < b->op.call ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void plan_op(struct plan *p, const struct gen *g, struct rng *r,
		    uint64_t *clock, uint32_t id)
{
	struct lin_op *op = &p->op;

	op->client = (uint32_t)rnd(r, g->clients);
	op->obj = (uint16_t)rnd(r, g->objects);
	op->call = clock[op->client] + rnd(r, g->gap + 1);
	p->at = op->call + rnd(r, g->span + 1);
	op->ret = p->at + rnd(r, g->span + 1);
	if (g->same)
		id = (uint32_t)rnd(r, 3) + (g->m != &lin_register);
	if (g->m == &lin_register)
		want_register(p, g, r, id);
	else if (g->m == &lin_log)
		want_log(p, g, r, id);
	else if (g->m == &lin_lock)
		want_lock(p, g, r, id);
	else
		want_tree(p, g, r, id);
	/* the same client goes on after its answer, not at the same time */
	clock[op->client] = op->ret + 1;
	if (rnd(r, 1000) < g->pending) {
		op->ret = LIN_PENDING;
		p->at += percent(r, 50) ? rnd(r, g->span * 20 + 1) : 0;
		p->lost = percent(r, 50);
	} else if (rnd(r, 1000) < g->unknown) {
		op->err = LIN_UNKNOWN;
		p->lost = percent(r, 50);
	}
}

static void execute(struct world *w, const struct gen *g, struct plan *p)
{
	int32_t err = p->op.err;

	if (p->lost)
		return;
	if (g->m == &lin_register)
		exec_register(w, &p->op);
	else if (g->m == &lin_log)
		exec_log(w, p);
	else if (g->m == &lin_lock)
		exec_lock(w, &p->op);
	else
		exec_tree(w, p);
	/* what came out of it is not for the history to know */
	if (err || p->op.ret == LIN_PENDING)
		p->op.err = err;
}

void gen_good(struct lin_hist *h, const struct gen *g, struct rng *r)
{
	struct plan *plan = calloc(g->n, sizeof(*plan));
	struct plan **order = calloc(g->n, sizeof(*order));
	struct world *w = calloc(1, sizeof(*w));
	uint64_t *clock = calloc(g->clients, sizeof(*clock));
	uint64_t now;
	unsigned int c;
	size_t i;

	memset(h, 0, sizeof(*h));
	h->m = g->m;
	if (!plan || !order || !w || !clock)
		abort();
	for (i = 0; i < g->n; i++) {
		if (g->rest && i && i % g->rest == 0) {
			for (now = 0, c = 0; c < g->clients; c++)
				now = now > clock[c] ? now : clock[c];
			for (c = 0; c < g->clients; c++)
				clock[c] = now;
		}
		plan_op(&plan[i], g, r, clock, (uint32_t)i + 1);
		order[i] = &plan[i];
	}
	qsort(order, g->n, sizeof(*order), cmp_at);
	for (i = 0; i < g->n; i++)
		execute(w, g, order[i]);
	qsort(order, g->n, sizeof(*order), cmp_call);
	for (i = 0; i < g->n; i++)
		if (lin_hist_add(h, &order[i]->op))
			abort();
	free(plan);
	free(order);
	free(w);
	free(clock);
}

static void noise_tree(struct lin_op *op, uint32_t *list, struct rng *r,
		       uint32_t n)
{
	switch (op->kind) {
	case LIN_TREE_CREATE:
		op->err = op->err ? 0 : -EEXIST;
		break;
	case LIN_TREE_LOOKUP:
		op->res[0] = rnd(r, n + 1);
		op->err = op->res[0] ? 0 : -ENOENT;
		break;
	case LIN_TREE_READDIR:
		list[rnd(r, 2)] = (uint32_t)rnd(r, n + 1);
		break;
	case LIN_TREE_REVERT:
		break;
	default:
		op->err = op->err ? 0 : -ENOENT;
	}
}

void gen_noise(struct lin_hist *h, size_t i, struct rng *r)
{
	struct lin_op *op = &h->ops[i];
	uint32_t *list = (uint32_t *)(uintptr_t)op->list;
	uint32_t n = (uint32_t)h->n;

	if (lin_op_unknown(op))
		return;
	if (h->m == &lin_tree) {
		noise_tree(op, list, r, n);
	} else if (h->m == &lin_lock) {
		if (op->kind == LIN_LOCK_TRY)
			op->err = op->err ? 0 : -EAGAIN;
		else
			op->arg[0] = 1 + rnd(r, n);
	} else if (h->m == &lin_log && op->kind == LIN_LOG_READ) {
		if (op->nlist && rnd(r, 2))
			op->nlist--;
		else if (op->nlist)
			list[rnd(r, op->nlist)] = 1 + (uint32_t)rnd(r, n);
	} else if (h->m == &lin_log && op->kind == LIN_LOG_APPEND) {
		op->res[0] = rnd(r, 4);
	} else {
		op->res[0] = rnd(r, n + 1);
	}
}
