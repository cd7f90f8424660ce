// SPDX-License-Identifier: GPL-2.0
/*
 * Checking a history piece by piece while it is recorded.
 *
 * Where no operation of an object is open, all that matters about its past is
 * the set of states it can be in (with, for each, the operations of unknown
 * outcome which may still happen).  Up to there the history is checked and
 * dropped, and the set is carried forward.  The set is always complete: where
 * finding all of it would take too long the piece is only checked, and kept for
 * an attempt with a later cut.
 */
#include <stdlib.h>
#include <string.h>

#include "lin_int.h"

/* Worth spending on a complete set before the piece is rather kept. */
#define CARRY_STEPS(n)	(50000 + 200 * (uint64_t)(n))

struct object {
	struct lin_carry	carry;
	size_t			retry;
	uint16_t		obj;
};

struct lin_stream {
	const struct lin_model	*m;
	uint64_t		budget;
	struct lin_hist		buf;
	size_t			*id;
	size_t			id_cap;
	size_t			next_id;
	uint64_t		upto;
	bool			cut;
	struct object		*obj;
	size_t			nobj;
	struct lin_hist		keep;	/* lists of carried operations */
	struct lin_result	res;
};

/**
 * lin_stream_new - begin a history
 * @m:		model
 * @budget:	calls of the model's step to spend per cut, 0 for
 *		LIN_BUDGET_DEFAULT
 *
 * Return: the stream, NULL when out of memory.
 */
struct lin_stream *lin_stream_new(const struct lin_model *m, uint64_t budget)
{
	struct lin_stream *s = lin_alloc(1, sizeof(*s));

	if (s) {
		s->m = m;
		s->budget = budget ? budget : LIN_BUDGET_DEFAULT;
	}
	return s;
}

/**
 * lin_stream_free - end of a history
 * @s:		stream or NULL
 */
void lin_stream_free(struct lin_stream *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->nobj; i++)
		lin_carry_free(&s->obj[i].carry);
	free(s->obj);
	free(s->id);
	lin_hist_free(&s->buf);
	lin_hist_free(&s->keep);
	free(s);
}

static int buffer(struct lin_stream *s, const struct lin_op *op, size_t id)
{
	if (s->buf.n == s->id_cap) {
		size_t cap = s->id_cap ? s->id_cap * 2 : 64;
		size_t *p = realloc(s->id, cap * sizeof(*p));

		if (!p)
			return -1;
		s->id = p;
		s->id_cap = cap;
	}
	s->id[s->buf.n] = id;
	return lin_hist_add(&s->buf, op);
}

/**
 * lin_stream_add - record one operation, answered or known to be pending
 * @s:		stream
 * @op:		operation; copied with its list
 *
 * Operations may come in any order as long as none was called at or before the
 * time of the last cut.
 *
 * Return: 0, or -1 when the operation is malformed, comes too late, or there is
 * no memory; every later verdict will say so.
 */
int lin_stream_add(struct lin_stream *s, const struct lin_op *op)
{
	const char *why = lin_op_invalid(s->m, op);
	size_t id = s->next_id++;

	if (s->res.status)
		return -1;
	if (!why && s->cut && op->call <= s->upto)
		why = "called before the last cut, recorded after it";
	if (!why && s->m->kinds[op->kind].flags & LIN_K_LOSE)
		why = "what a loss leaves has to be known before it";
	if (why) {
		s->res.status = LIN_INVALID;
		s->res.bad = id;
		s->res.why = why;
		return -1;
	}
	if (buffer(s, op, id)) {
		s->res.status = LIN_NOMEM;
		return -1;
	}
	return 0;
}

static struct object *find_object(struct lin_stream *s, uint16_t obj)
{
	size_t lo = 0, hi = s->nobj;
	struct object *o;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->obj[mid].obj < obj)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < s->nobj && s->obj[lo].obj == obj)
		return &s->obj[lo];
	o = realloc(s->obj, (s->nobj + 1) * sizeof(*o));
	if (!o)
		return NULL;
	s->obj = o;
	o += lo;
	memmove(o + 1, o, (s->nobj - lo) * sizeof(*o));
	s->nobj++;
	memset(o, 0, sizeof(*o));
	o->obj = obj;
	return lin_carry_init(&o->carry, s->m) ? NULL : o;
}

struct key {
	uint64_t	call;
	size_t		i;
	uint16_t	obj;
};

static int cmp_key(const void *pa, const void *pb)
{
	const struct key *a = pa;
	const struct key *b = pb;

	if (a->obj != b->obj)
		return a->obj < b->obj ? -1 : 1;
	if (a->call != b->call)
		return a->call < b->call ? -1 : 1;
	return a->i < b->i ? -1 : a->i > b->i;
}

static struct key *sorted(const struct lin_stream *s)
{
	struct key *key = lin_alloc(s->buf.n, sizeof(*key));
	size_t i;

	if (!key)
		return NULL;
	for (i = 0; i < s->buf.n; i++) {
		key[i].call = s->buf.ops[i].call;
		key[i].obj = s->m->per_object ? s->buf.ops[i].obj : 0;
		key[i].i = i;
	}
	qsort(key, s->buf.n, sizeof(*key), cmp_key);
	return key;
}

/* How many of these operations lie before their last quiescent moment. */
static size_t quiescent(const struct lin_stream *s, const struct key *key,
			size_t n, uint64_t upto)
{
	uint64_t busy = 0;
	size_t i, cut = 0;

	for (i = 0; i < n && key[i].call <= upto; i++) {
		uint64_t ret = s->buf.ops[key[i].i].ret;

		if (i && busy < key[i].call)
			cut = i;
		if (ret != LIN_PENDING && busy < ret)
			busy = ret;
	}
	/* what is recorded later will be called after @upto */
	if (busy <= upto && (i == n || busy < key[i].call))
		cut = i;
	return cut;
}

/* Lists of operations carried for the first time go away with the buffer. */
static int keep_lists(struct lin_stream *s, struct lin_carry *c,
		      const struct lin_carry *old)
{
	size_t i, k;

	for (i = 0; i < c->nop; i++) {
		if (!c->op[i].nlist)
			continue;
		for (k = 0; k < old->nop; k++)
			if (old->op[k].list == c->op[i].list)
				break;
		if (k < old->nop)
			continue;
		if (lin_hist_add(&s->keep, &c->op[i]))
			return -1;
		c->op[i].list = s->keep.ops[s->keep.n - 1].list;
	}
	return 0;
}

/*
 * Check @n operations of one object and carry on from their end; @gone tells
 * whether they are needed no longer.
 */
static struct lin_result cut_object(struct lin_stream *s, struct object *o,
				    const size_t *idx, size_t n, bool *gone)
{
	uint64_t effort = CARRY_STEPS(n);
	struct lin_result r = { .status = LIN_OK };
	struct lin_carry next;

	if (n < o->retry)
		return r;
	if (effort > s->budget)
		effort = s->budget;
	r = lin_part(s->m, &o->carry, s->buf.ops, idx, n, s->id, effort, &next);
	if (r.status == LIN_BUDGET || r.status == LIN_VIOLATION) {
		/* take the time to be sure, or to find the first failure */
		o->retry = n + n / 2;
		return lin_part(s->m, &o->carry, s->buf.ops, idx, n, s->id,
				s->budget, NULL);
	}
	if (r.status)
		return r;
	if (keep_lists(s, &next, &o->carry))
		r.status = LIN_NOMEM;
	lin_carry_free(&o->carry);
	o->carry = next;
	o->retry = 0;
	*gone = true;
	return r;
}

static int compact(struct lin_stream *s, const uint8_t *gone)
{
	struct lin_hist old = s->buf;
	int ret = 0;
	size_t i;

	memset(&s->buf, 0, sizeof(s->buf));
	for (i = 0; i < old.n && !ret; i++)
		if (!gone[i])
			ret = buffer(s, &old.ops[i], s->id[i]);
	lin_hist_free(&old);
	return ret;
}

static uint64_t bad_ret(const struct lin_stream *s, const struct lin_result *r)
{
	size_t i;

	for (i = 0; i < s->buf.n; i++)
		if (s->id[i] == r->bad)
			return s->buf.ops[i].ret;
	return LIN_PENDING;
}

static void merge(struct lin_stream *s, const struct lin_result *r)
{
	uint64_t steps = s->res.steps + r->steps;

	if (r->status == LIN_VIOLATION && (s->res.status != LIN_VIOLATION ||
					   bad_ret(s, r) < bad_ret(s, &s->res)))
		s->res = *r;
	else if (s->res.status == LIN_OK)
		s->res = *r;
	s->res.steps = steps;
}

static void check_buffer(struct lin_stream *s, uint64_t upto, bool end)
{
	struct key *key = sorted(s);
	size_t *idx = lin_alloc(s->buf.n, sizeof(*idx));
	uint8_t *gone = lin_alloc(s->buf.n, 1);
	bool any = false;
	size_t i, k, n;

	if (!key || !idx || !gone)
		goto nomem;
	for (i = 0; i < s->buf.n; i++)
		idx[i] = key[i].i;
	for (i = 0; i < s->buf.n; i = k) {
		struct object *o = find_object(s, key[i].obj);
		struct lin_result r;
		bool done = false;

		if (!o)
			goto nomem;
		for (k = i + 1; k < s->buf.n && key[k].obj == key[i].obj; k++)
			;
		n = end ? k - i : quiescent(s, key + i, k - i, upto);
		if (!n)
			continue;
		if (end)
			r = lin_part(s->m, &o->carry, s->buf.ops, idx + i, n,
				     s->id, s->budget, NULL);
		else
			r = cut_object(s, o, idx + i, n, &done);
		merge(s, &r);
		any |= done;
		for (n += i; done && n > i; n--)
			gone[idx[n - 1]] = 1;
	}
	/* a violation is to be explained with what led to it */
	if (any && !s->res.status && compact(s, gone))
		goto nomem;
	goto out;
nomem:
	s->res.status = LIN_NOMEM;
out:
	free(key);
	free(idx);
	free(gone);
}

/**
 * lin_stream_cut - check what is recorded, and drop what is settled
 * @s:		stream
 * @upto:	every operation called up to this time has been recorded
 *
 * Can be called at any time, but only moments at which no operation of an
 * object was open let its past be dropped: a recorder which pauses its clients
 * now and then keeps the memory bounded.
 *
 * Return: the verdict so far; .bad is the number of the operation.  Once it is
 * not LIN_OK it stays.
 */
struct lin_result lin_stream_cut(struct lin_stream *s, uint64_t upto)
{
	if (!s->res.status && (!s->cut || upto >= s->upto)) {
		s->cut = true;
		s->upto = upto;
		check_buffer(s, upto, false);
	}
	return s->res;
}

/**
 * lin_stream_end - the verdict over everything recorded
 * @s:		stream, to be freed after this
 *
 * Return: as lin_stream_cut().
 */
struct lin_result lin_stream_end(struct lin_stream *s)
{
	if (!s->res.status) {
		s->cut = true;
		s->upto = LIN_PENDING;
		check_buffer(s, LIN_PENDING, true);
	}
	return s->res;
}

/**
 * lin_stream_kept - number of operations which could not be dropped yet
 * @s:		stream
 */
size_t lin_stream_kept(const struct lin_stream *s)
{
	return s->buf.n;
}

/**
 * lin_stream_explain - describe a verdict
 * @out:	where to
 * @s:		stream
 * @r:		its verdict
 */
void lin_stream_explain(FILE *out, const struct lin_stream *s,
			const struct lin_result *r)
{
	struct lin_result local = *r;
	size_t i;

	for (i = 0; i < s->buf.n; i++)
		if (s->id[i] == r->bad)
			break;
	if (i == s->buf.n && r->status == LIN_VIOLATION) {
		fprintf(out, "%s at operation %zu\n",
			lin_status_name(r->status), r->bad);
		return;
	}
	local.bad = i;
	lin_explain(out, s->m, s->buf.ops, s->buf.n, &local);
}
