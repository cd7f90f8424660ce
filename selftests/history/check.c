// SPDX-License-Identifier: GPL-2.0
/*
 * The records of all processes, given to the checker of the simulator.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"
#include "lin.h"

#define GHOST (1ull << 48) /* no owner has so large a number */

static const struct lin_model *const models[HIST_MODELS] = {
	&lin_register,
	&lin_log,
	&lin_tree,
	&lin_lock,
};

static void to_op(const struct rec *r, u32 client, struct lin_op *op)
{
	memset(op, 0, sizeof(*op));
	op->call = r->call;
	op->ret = r->ret ?: LIN_PENDING;
	memcpy(op->arg, r->arg, sizeof(op->arg));
	op->res[0] = r->res;
	op->list = r->list;
	op->nlist = r->nlist;
	op->client = client;
	op->err = r->err;
	op->kind = r->kind;
	op->obj = r->obj;
}

static bool is_loss(const struct lin_op *op, u32 m)
{
	return models[m]->kinds[op->kind].flags & LIN_K_LOSE;
}

static bool is_sync(const struct lin_op *op, u32 m)
{
	return !strcmp(models[m]->kinds[op->kind].name, "sync");
}

/* Around a loss of power, what was only looked at tells nothing. */
static bool told(const struct hist *h, u32 m, const struct lin_op *op)
{
	const struct loss *l;

	/* A read that was never answered says nothing. */
	if (op->ret == LIN_PENDING)
		return !models[m]->pure(op);
	/* Nothing was lost, so nothing has to be kept. */
	if (!h->nlosses && is_sync(op, m))
		return false;
	if (!models[m]->pure(op))
		return true;
	for (l = h->losses; l < h->losses + h->nlosses; l++)
		if (op->call < l->end && op->ret > l->call)
			return false;
	return true;
}

static void add(struct lin_hist *out, const struct lin_op *op)
{
	if (lin_hist_add(out, op))
		abort();
}

/*
 * A change that was asked for before a loss and answered after it may have run
 * before and be lost, and run again: what has no answer may be done twice where
 * nothing is left of the first time.
 */
static void add_lost(const struct hist *h, u32 m, const struct rec *r,
		     struct lin_op op, struct lin_hist *out)
{
	u64 ret = op.ret;
	const struct loss *l;

	/* Locks are lost anyhow: see add_ghost(). */
	if (m == HIST_LOCK)
		return;
	if (is_loss(&op, m) || is_sync(&op, m) || models[m]->pure(&op))
		return;
	if (m == HIST_TREE && r->list[0] &&
	    (op.kind == LIN_TREE_CREATE || op.kind == LIN_TREE_MKDIR))
		op.arg[2] = r->list[0];
	op.err = LIN_UNKNOWN;
	for (l = h->losses; l < h->losses + h->nlosses; l++) {
		if (op.call >= l->call || ret <= l->ret)
			continue;
		op.ret = l->ret;
		add(out, &op);
	}
}

/*
 * Here nobody gets what a process of this host has lost, until that has closed
 * the file: was @try refused for that?
 */
static bool lost_at_home(const struct hist *h, const struct rec *try)
{
	const struct rec *r;
	u32 p, i;

	for (p = 0; p < PROCS; p++)
		for (i = 0; i < h->procs[p].n; i++) {
			r = &h->procs[p].v[i];
			if (r->model == HIST_LOCK && !r->ret &&
			    r->kind == LIN_LOCK_UNLOCK && r->obj == try->obj &&
			    r->tag == (try->tag & ~LOCK_DOUBT) &&
			    r->call < try->ret && r->res > try->call)
				return true;
		}
	return false;
}

/*
 * A request may have been granted, and the lock be lost or taken back, before
 * it was answered, or by the time: another owner had it for a while. Return:
 * what it was answered says nothing.
 */
static bool add_ghost(const struct hist *h, const struct rec *r,
		      struct lin_op op, struct lin_hist *out)
{
	bool tried = r->kind == LIN_LOCK_TRY && r->obj < LOCKS_TRIED;
	bool refused = r->err == -EAGAIN;

	if (r->kind != LIN_LOCK_LOCK && !tried)
		return false;
	if (op.ret == LIN_PENDING) {
		op.kind = LIN_LOCK_UNLOCK;
		add(out, &op);
		return false;
	}
	if (!tried || (!(r->tag & LOCK_DOUBT) &&
		       !(refused && lost_at_home(h, r))))
		return false;
	op.arg[0] += GHOST;
	op.err = LIN_UNKNOWN;
	add(out, &op);
	op.kind = LIN_LOCK_UNLOCK;
	if (refused)
		op.ret = LIN_PENDING;
	add(out, &op);
	return refused;
}

static void collect(struct hist *h, u32 m, struct lin_hist *out)
{
	struct lin_op op;
	u32 p, i;

	out->m = models[m];
	for (p = 0; p < PROCS; p++) {
		for (i = 0; i < h->procs[p].n; i++) {
			const struct rec *r = &h->procs[p].v[i];

			if (r->model != m || r->dropped)
				continue;
			to_op(r, p, &op);
			if (m == HIST_LOCK && add_ghost(h, r, op, out))
				continue;
			if (!told(h, m, &op))
				continue;
			add(out, &op);
			add_lost(h, m, r, op, out);
		}
	}
}

static bool brings(const struct lin_op *op, u32 obj, u64 value)
{
	if (op->obj != obj)
		return false;
	if (op->kind == LIN_REG_WRITE || op->kind == LIN_REG_PUT)
		return op->arg[0] == value;
	return op->kind == LIN_REG_TRUNC && !value;
}

/* The latest moment at which @l->obj can have got what the loss left. */
static u64 left_at(const struct lin_hist *lh, const struct lin_op *l)
{
	u64 at = 0;
	size_t i;

	for (i = 0; i < lh->n; i++)
		if (brings(&lh->ops[i], l->obj, l->arg[0]) &&
		    lh->ops[i].call < l->call && lh->ops[i].ret > at)
			at = lh->ops[i].ret;
	return at;
}

/* Registers that hold what was certainly overwritten before the loss. */
static void count_losses(const struct lin_hist *lh)
{
	u32 undone = 0, all = 0;
	size_t i, k;
	u64 at;

	for (i = 0; i < lh->n; i++) {
		const struct lin_op *l = &lh->ops[i], *op;

		if (l->kind != LIN_REG_LOSE)
			continue;
		all++;
		at = left_at(lh, l);
		for (k = 0; k < lh->n; k++) {
			op = &lh->ops[k];
			if (op->obj == l->obj && op->ret < l->call &&
			    op->call > at && !op->err &&
			    op->kind == LIN_REG_WRITE)
				break;
		}
		undone += k < lh->n;
	}
	if (all)
		printf("# of %u registers that lost power %u lost a write\n", all,
		       undone);
}

static void save(const char *name, const struct lin_hist *h)
{
	FILE *f = fopen(name, "w");

	if (!f)
		return;
	lin_print(f, h->m, h->ops, h->n);
	fclose(f);
}

int hist_check(struct hist *h, const char *dir)
{
	struct lin_result res;
	char name[4200];
	int bad = 0;
	u32 m;

	hist_names(h);
	for (m = 0; m < HIST_MODELS; m++) {
		struct lin_hist lh = { 0 };

		collect(h, m, &lh);
		if (m == HIST_REG)
			count_losses(&lh);
		res = lin_check(lh.m, lh.ops, lh.n, 0);
		printf("# %s: %zu operations, %s\n", lh.m->name, lh.n,
		       lin_status_name(res.status));
		if (res.status != LIN_OK) {
			bad++;
			snprintf(name, sizeof(name), "%s/%s", dir, lh.m->name);
			save(name, &lh);
			/* Its lines would be taken for TAP. */
			printf("# ---\n");
			lin_explain(stdout, lh.m, lh.ops, lh.n, &res);
			printf("# --- the whole of it is in %s\n", name);
		}
		lin_hist_free(&lh);
	}
	return bad;
}
