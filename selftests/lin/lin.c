// SPDX-License-Identifier: GPL-2.0
/*
 * Checking whole histories: validation, one search per object, the smallest
 * failing prefix.
 */
#include <stdlib.h>
#include <string.h>

#include "lin_int.h"

/*
 * A good history needs a few steps per operation.  A search which needs a
 * multiple of it has lost its way and starts over exhaustively.  A test overrides
 * the number.
 */
#ifndef LIN_FIRST_STEPS
#define LIN_FIRST_STEPS	500000
#endif
#define FIRST_STEPS(n)	(LIN_FIRST_STEPS ? LIN_FIRST_STEPS + 100 * (uint64_t)(n) : 0)

/**
 * lin_status_name - a word for a verdict
 * @st:		verdict
 */
const char *lin_status_name(enum lin_status st)
{
	switch (st) {
	case LIN_OK:
		return "OK";
	case LIN_VIOLATION:
		return "VIOLATION";
	case LIN_BUDGET:
		return "BUDGET EXHAUSTED";
	case LIN_INVALID:
		return "INVALID";
	case LIN_NOMEM:
		return "OUT OF MEMORY";
	}
	return "?";
}

/* Why an operation can not be checked at all, or NULL. */
const char *lin_op_invalid(const struct lin_model *m, const struct lin_op *op)
{
	const struct lin_kind *k;

	if (op->kind >= m->nkinds)
		return "no such operation";
	if (op->call > op->ret || op->call == LIN_PENDING)
		return "answered before it was called";
	if (op->err > 0)
		return "positive error";
	k = &m->kinds[op->kind];
	if (op->nlist > LIN_LIST_MAX)
		return "list too long";
	if (op->nlist && !op->list)
		return "list missing";
	if (op->nlist && !(k->flags & (LIN_K_LIST_ARG | LIN_K_LIST_RES)))
		return "has a list";
	return m->valid ? m->valid(op) : NULL;
}

/* Operations of one search, and how the caller knows them. */
struct part {
	const struct lin_model	*m;
	const struct lin_carry	*carry;
	const struct lin_op	**op;
	size_t			*id;
	size_t			n;
};

static void part_free(struct part *p)
{
	free(p->op);
	free(p->id);
}

/* What was asked for and never answered tells nothing. */
static bool dropped(const struct lin_model *m, const struct lin_op *op)
{
	struct lin_op ok = *op;

	if (!lin_op_unknown(op))
		return false;
	ok.ret = ok.call;
	ok.err = 0;
	return m->pure(&ok);
}

static int part_init(struct part *p, const struct lin_model *m,
		     const struct lin_carry *carry, const struct lin_op *ops,
		     const size_t *idx, size_t n, const size_t *id)
{
	size_t i;

	p->m = m;
	p->carry = carry;
	p->n = 0;
	p->op = lin_alloc(carry->nop + n, sizeof(*p->op));
	p->id = lin_alloc(carry->nop + n, sizeof(*p->id));
	if (!p->op || !p->id)
		return -1;
	for (i = 0; i < carry->nop; i++) {
		p->op[p->n] = &carry->op[i];
		p->id[p->n++] = carry->id[i];
	}
	for (i = 0; i < n; i++) {
		if (dropped(m, &ops[idx[i]]))
			continue;
		p->op[p->n] = &ops[idx[i]];
		p->id[p->n++] = id ? id[idx[i]] : idx[i];
	}
	return 0;
}

static enum lin_status decide(struct lin_search *s, uint64_t budget)
{
	uint64_t first = FIRST_STEPS(s->nop);
	enum lin_status st;

	st = lin_search_first(s, first < budget ? first : budget);
	if (st == LIN_BUDGET && first < budget)
		st = lin_search_all(s, budget);
	return st;
}

/*
 * Is the history up to and including event @ev linearizable, when the outcome
 * of everything open at that moment is not known yet?
 */
static enum lin_status cut_at(const struct part *p, const struct lin_search *s,
			      size_t ev, uint64_t budget, uint64_t *steps)
{
	struct lin_op *copy = lin_alloc(p->n, sizeof(*copy));
	const struct lin_op **op = lin_alloc(p->n, sizeof(*op));
	uint8_t *seen = lin_alloc(p->n, 1);
	enum lin_status st = LIN_NOMEM;
	struct lin_search t;
	size_t i, n = 0;

	if (!copy || !op || !seen)
		goto out;
	for (i = 0; i <= ev; i++)
		seen[s->ev[i].op] |= s->ev[i].ret ? 2 : 1;
	for (i = 0; i < p->n; i++) {
		/* those of the carry have to stay the first ones */
		if (!seen[i] && i >= p->carry->nop)
			continue;
		copy[i] = *p->op[i];
		if (!(seen[i] & 2))
			copy[i].ret = LIN_PENDING;
		if (!dropped(p->m, &copy[i]))
			op[n++] = &copy[i];
	}
	if (!lin_search_init(&t, p->m, op, n, p->carry, true))
		st = decide(&t, budget);
	*steps += t.steps;
	lin_search_free(&t);
out:
	free(copy);
	free(op);
	free(seen);
	return st;
}

/* The last return, at or after @ev, of the operations open right before it. */
static size_t all_returned(const struct part *p, const struct lin_search *s,
			   size_t ev)
{
	uint8_t *open = lin_alloc(p->n, 1);
	size_t i, last = ev;

	if (!open)
		return ev;
	for (i = 0; i < ev; i++)
		open[s->ev[i].op] = !s->ev[i].ret;
	for (i = ev; i < s->nev; i++)
		if (s->ev[i].ret && open[s->ev[i].op])
			last = i;
	free(open);
	return last;
}

static size_t return_before(const struct lin_search *s, size_t ev, size_t lo)
{
	while (ev > lo && !s->ev[ev].ret)
		ev--;
	return ev;
}

/*
 * The search knows results before they are answered, so it may have failed too
 * early, but not too late.  Whatever fails keeps failing when it gets longer:
 * find the first return at which it does.
 */
static size_t first_failure(const struct part *p, const struct lin_search *s,
			    uint64_t budget, struct lin_result *r)
{
	size_t lo = s->deepest, hi = s->nev - 1;
	size_t mid = all_returned(p, s, lo);
	size_t width = mid - lo + 16;
	uint64_t used = 0;
	bool found = false;

	hi = return_before(s, hi, lo);
	while (lo < hi) {
		enum lin_status st = LIN_BUDGET;

		if (used < budget)
			st = cut_at(p, s, mid, budget - used, &used);
		if (st == LIN_VIOLATION) {
			hi = mid;
			found = true;
		} else if (st == LIN_OK) {
			for (lo = mid + 1; lo < hi && !s->ev[lo].ret; lo++)
				;
		} else {
			r->inexact = true;
			break;
		}
		width *= 2;
		if (found || width > (hi - lo) / 2)
			mid = lo + (hi - lo) / 2;
		else
			mid = lo + width;
		mid = return_before(s, mid, lo);
	}
	r->steps += used;
	return hi;
}

static void blame(struct lin_result *r, const struct part *p,
		  const struct lin_search *s, uint64_t budget)
{
	size_t ev = first_failure(p, s, budget, r);
	size_t i, calls = 0;

	r->bad = p->id[s->ev[ev].op];
	r->done = 0;
	for (i = 0; i <= ev; i++) {
		if (!s->ev[i].ret)
			calls++;
		else
			r->done++;
	}
	r->open = calls - r->done;
}

/*
 * lin_part - check the operations of one object
 * @c:		what is known about it when they begin
 * @ops, @idx:	the operations are ops[idx[0]] .. ops[idx[n - 1]]
 * @id:		names of the operations for the result, NULL for their indices
 * @next:	if given, receives what is known when they are over
 */
struct lin_result lin_part(const struct lin_model *m, const struct lin_carry *c,
			   const struct lin_op *ops, const size_t *idx,
			   size_t n, const size_t *id, uint64_t budget,
			   struct lin_carry *next)
{
	struct lin_result r = { .status = LIN_NOMEM };
	struct lin_search s;
	struct part p;

	memset(&s, 0, sizeof(s));
	if (part_init(&p, m, c, ops, idx, n, id) ||
	    lin_search_init(&s, m, p.op, p.n, c, !next))
		goto out;
	r.status = next ? lin_search_all(&s, budget) : decide(&s, budget);
	r.steps = s.steps;
	if (r.status == LIN_VIOLATION)
		blame(&r, &p, &s, budget);
	else if (r.status == LIN_OK && next && lin_carry_take(next, &s, p.op, p.id))
		r.status = LIN_NOMEM;
out:
	lin_search_free(&s);
	part_free(&p);
	return r;
}

struct key {
	size_t		i;
	uint16_t	obj;
};

static int cmp_key(const void *pa, const void *pb)
{
	const struct key *a = pa;
	const struct key *b = pb;

	if (a->obj != b->obj)
		return a->obj < b->obj ? -1 : 1;
	return a->i < b->i ? -1 : a->i > b->i;
}

/* Indices of @ops, grouped by object if the model says so. */
static size_t *by_object(const struct lin_model *m, const struct lin_op *ops,
			 size_t n)
{
	struct key *key = lin_alloc(n, sizeof(*key));
	size_t *idx = lin_alloc(n, sizeof(*idx));
	size_t i;

	if (!key || !idx) {
		free(key);
		free(idx);
		return NULL;
	}
	for (i = 0; i < n; i++) {
		key[i].i = i;
		key[i].obj = m->per_object ? ops[i].obj : 0;
	}
	qsort(key, n, sizeof(*key), cmp_key);
	for (i = 0; i < n; i++)
		idx[i] = key[i].i;
	free(key);
	return idx;
}

/* The violation answered first is the one to look at. */
static void merge(struct lin_result *all, const struct lin_result *r,
		  const struct lin_op *ops)
{
	uint64_t steps = all->steps + r->steps;

	if (r->status == LIN_VIOLATION) {
		if (all->status != LIN_VIOLATION ||
		    ops[r->bad].ret < ops[all->bad].ret)
			*all = *r;
	} else if (all->status == LIN_OK) {
		*all = *r;
	}
	all->steps = steps;
}

/**
 * lin_check - decide whether a history is linearizable
 * @m:		model
 * @ops:	the history, in any order
 * @n:		number of operations
 * @budget:	calls of the model's step to spend, 0 for LIN_BUDGET_DEFAULT;
 *		finding the smallest prefix of a violation is extra
 *
 * Memory is proportional to @n.  See lin_stream_new() for histories which are
 * too long to be kept.
 *
 * Return: the verdict; only LIN_OK is one to be content with.
 */
struct lin_result lin_check(const struct lin_model *m, const struct lin_op *ops,
			    size_t n, uint64_t budget)
{
	struct lin_result all = { .status = LIN_OK };
	size_t *idx, i, k;

	if (!budget)
		budget = LIN_BUDGET_DEFAULT;
	for (i = 0; i < n; i++) {
		all.why = lin_op_invalid(m, &ops[i]);
		if (all.why) {
			all.status = LIN_INVALID;
			all.bad = i;
			return all;
		}
	}
	idx = by_object(m, ops, n);
	if (!idx) {
		all.status = LIN_NOMEM;
		return all;
	}
	for (i = 0; i < n; i = k) {
		uint64_t left = all.steps < budget ? budget - all.steps : 0;
		struct lin_result r = { .status = LIN_NOMEM };
		struct lin_carry c;

		for (k = i + 1; k < n; k++)
			if (m->per_object &&
			    ops[idx[k]].obj != ops[idx[i]].obj)
				break;
		if (!lin_carry_init(&c, m))
			r = lin_part(m, &c, ops, idx + i, k - i, NULL, left,
				     NULL);
		lin_carry_free(&c);
		merge(&all, &r, ops);
	}
	free(idx);
	return all;
}

/**
 * lin_prefix - cut a history right after the answer of one operation
 * @m:		model
 * @ops:	the history
 * @n:		number of operations
 * @bad:	the operation, lin_result.bad of a violation
 * @out:	room for @n operations
 *
 * Takes the operations of the same object which were called until then, those
 * not yet answered as pending: the smallest failing prefix.
 *
 * Return: number of operations in @out; lists are not copied.
 */
size_t lin_prefix(const struct lin_model *m, const struct lin_op *ops, size_t n,
		  size_t bad, struct lin_op *out)
{
	const struct lin_op *b = &ops[bad];
	size_t i, k = 0;

	for (i = 0; i < n; i++) {
		const struct lin_op *op = &ops[i];

		if (op->call > b->ret || (m->per_object && op->obj != b->obj))
			continue;
		out[k] = *op;
		if (op->ret > b->ret || (op->ret == b->ret && i > bad))
			out[k].ret = LIN_PENDING;
		k++;
	}
	return k;
}
