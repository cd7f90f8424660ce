// SPDX-License-Identifier: GPL-2.0
/*
 * What the answers of a whole history tell about its other operations.
 *
 * Values which no answer ever contained are all alike: giving them one common
 * name makes many states the same and loses nothing.  And a list which contains
 * an entry shows what the log was when that entry was appended.  What is used of
 * this holds for every linearization of all the operations given, so it is drawn
 * anew when some of them are left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lin_int.h"

struct seen {
	uint64_t	*v;
	size_t		n;
	size_t		cap;
};

static int seen_add(struct seen *s, uint64_t v)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		uint64_t *p = realloc(s->v, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		s->v = p;
		s->cap = cap;
	}
	s->v[s->n++] = v;
	return 0;
}

static int seen_both(struct seen *s, struct seen *t, uint64_t v)
{
	int ret = seen_add(s, v);

	return ret ? ret : seen_add(t, v);
}

static int seen_list(struct seen *s, const struct lin_op *op)
{
	uint32_t i;

	for (i = 0; i < op->nlist; i++)
		if (seen_add(s, op->list[i]))
			return -ENOMEM;
	return 0;
}

static int cmp_u64(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa;
	uint64_t b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

static void seen_sort(struct seen *s)
{
	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), cmp_u64);
}

static bool seen_has(const struct seen *s, uint64_t v)
{
	return s->n && bsearch(&v, s->v, s->n, sizeof(v), cmp_u64);
}

static bool answered(const struct lin_op *op)
{
	return !lin_op_unknown(op) && !op->err;
}

/* Operations by the value or id they bring. */
struct origin {
	uint64_t	id;
	struct lin_op	*op;
};

static int cmp_origin(const void *pa, const void *pb)
{
	return cmp_u64(&((const struct origin *)pa)->id,
		       &((const struct origin *)pb)->id);
}

/* Leave out what more than one operation can have brought. */
static size_t unique(struct origin *a, size_t n, const struct seen *reverted)
{
	size_t i, k, to = 0;

	if (n)
		qsort(a, n, sizeof(*a), cmp_origin);
	for (i = 0; i < n; i = k) {
		for (k = i + 1; k < n && a[k].id == a[i].id; k++)
			;
		if (k == i + 1 && !seen_has(reverted, a[i].id))
			a[to++] = a[i];
	}
	return to;
}

/*
 * A value which is written only once is gone once it is overwritten: this can
 * not be before its last reader was called.
 */
static void learn_value(const struct lin_op *read, const struct origin *a,
			size_t n)
{
	struct origin key = { .id = read->res[0] };
	struct origin *f = n ? bsearch(&key, a, n, sizeof(*a), cmp_origin) :
			       NULL;

	if (f && f->op->arg[LIN_REG_ARG_UNTIL] < read->call)
		f->op->arg[LIN_REG_ARG_UNTIL] = read->call;
}

int lin_learn_register(struct lin_op *ops, size_t n, bool final)
{
	struct origin *a = lin_alloc(n, sizeof(*a));
	struct seen seen = { 0 }, reverted = { 0 };
	int ret = a ? 0 : -ENOMEM;
	size_t i, na = 0;

	for (i = 0; i < n && !ret; i++) {
		struct lin_op *op = &ops[i];

		if (op->kind == LIN_REG_WRITE || op->kind == LIN_REG_PUT)
			a[na++] = (struct origin){ op->arg[0], op };
		else if (op->kind == LIN_REG_REVERT)
			ret = seen_add(&reverted, op->arg[0]);
		else if (op->kind == LIN_REG_LOSE)
			ret = seen_both(&reverted, &seen, op->arg[0]);
		else if (op->kind == LIN_REG_READ && answered(op))
			ret = seen_add(&seen, op->res[0]);
	}
	/* so does every truncation */
	if (!ret)
		ret = seen_add(&reverted, 0);
	seen_sort(&reverted);
	seen_sort(&seen);
	for (i = 0; i < n && !ret && final; i++)
		if ((ops[i].kind == LIN_REG_WRITE ||
		     ops[i].kind == LIN_REG_PUT ||
		     ops[i].kind == LIN_REG_REVERT) &&
		    !seen_has(&seen, ops[i].arg[0]))
			ops[i].arg[0] = LIN_NO_VALUE;
	if (!ret)
		na = unique(a, na, &reverted);
	for (i = 0; i < n && !ret; i++)
		if (ops[i].kind == LIN_REG_READ && answered(&ops[i]))
			learn_value(&ops[i], a, na);
	free(a);
	free(seen.v);
	free(reverted.v);
	return ret;
}

int lin_learn_tree(struct lin_op *ops, size_t n, bool final)
{
	struct seen seen = { 0 };
	int ret = 0;
	size_t i;

	if (!final)
		return 0;
	for (i = 0; i < n && !ret; i++) {
		/* its id has to be one that is there */
		if (ops[i].kind == LIN_TREE_LINK)
			ret = seen_add(&seen, ops[i].arg[2]);
		if (!answered(&ops[i]))
			continue;
		if (ops[i].kind == LIN_TREE_LOOKUP)
			ret = seen_add(&seen, ops[i].res[0]);
		else if (ops[i].kind == LIN_TREE_READDIR ||
			 ops[i].kind == LIN_TREE_LOSE)
			ret = seen_list(&seen, &ops[i]);
	}
	seen_sort(&seen);
	for (i = 0; i < n && !ret; i++)
		if (ops[i].kind == LIN_TREE_CREATE &&
		    !seen_has(&seen, ops[i].arg[2]))
			ops[i].arg[2] = LIN_NO_ID;
	free(seen.v);
	return ret;
}

/*
 * Nothing before an entry ever changes without removing the entry.  So the
 * append went to the very index and behind the very entry at which any list
 * shows it.
 */
static void learn_list(const struct lin_op *read, const struct origin *a,
		       size_t n)
{
	uint32_t i;

	for (i = 0; i < read->nlist && n; i++) {
		struct origin key = { .id = read->list[i] };
		const struct origin *f = bsearch(&key, a, n, sizeof(*a),
						 cmp_origin);

		if (!f)
			continue;
		f->op->arg[LIN_LOG_ARG_AT] = i + 1;
		f->op->arg[LIN_LOG_ARG_AFTER] = i ? read->list[i - 1] : 0;
	}
}

/*
 * Last calls of what removes entries: [i] for all which leave at most i of them.
 */
static void learn_removals(const struct lin_op *ops, size_t n,
			   uint64_t last[LIN_LOG_MAX + 1])
{
	size_t i, k;

	memset(last, 0, (LIN_LOG_MAX + 1) * sizeof(*last));
	for (i = 0; i < n; i++) {
		if (!answered(&ops[i]))
			continue;
		/* a revert as well, unless its list has the entry */
		if (ops[i].kind == LIN_LOG_REVERT ||
		    ops[i].kind == LIN_LOG_LOSE)
			k = 0;
		else if (ops[i].kind == LIN_LOG_TRUNC)
			k = ops[i].arg[0];
		else
			continue;
		for (; k <= LIN_LOG_MAX; k++)
			if (last[k] < ops[i].call)
				last[k] = ops[i].call;
	}
}

/* Was the entry removed in any case, whenever it was appended? */
static bool removed(const struct lin_op *op,
		    const uint64_t last[LIN_LOG_MAX + 1])
{
	size_t at = 0;

	if (answered(op) && op->res[0] <= LIN_LOG_MAX)
		at = op->res[0];
	return op->ret < last[at];
}

int lin_learn_log(struct lin_op *ops, size_t n, bool final)
{
	struct origin *a = lin_alloc(n, sizeof(*a));
	struct seen seen = { 0 }, reverted = { 0 };
	uint64_t last[LIN_LOG_MAX + 1];
	int ret = a ? 0 : -ENOMEM;
	size_t i, na = 0;

	learn_removals(ops, n, last);
	for (i = 0; i < n && !ret; i++) {
		struct lin_op *op = &ops[i];

		if (op->kind == LIN_LOG_APPEND)
			a[na++] = (struct origin){ op->arg[0], op };
		else if (op->kind == LIN_LOG_REVERT)
			ret = seen_list(&reverted, op);
		else if (op->kind == LIN_LOG_LOSE)
			ret = seen_list(&reverted, op) ?: seen_list(&seen, op);
		else if (op->kind == LIN_LOG_READ && answered(op))
			ret = seen_list(&seen, op);
	}
	seen_sort(&reverted);
	seen_sort(&seen);
	for (i = 0; i < na && !ret; i++)
		if (!seen_has(&seen, a[i].id) &&
		    (final || (removed(a[i].op, last) &&
			       !seen_has(&reverted, a[i].id))))
			a[i].op->arg[0] = LIN_NO_ID;
	if (!ret)
		na = unique(a, na, &reverted);
	for (i = 0; i < n && !ret; i++)
		if (ops[i].kind == LIN_LOG_READ && answered(&ops[i]))
			learn_list(&ops[i], a, na);
	free(a);
	free(seen.v);
	free(reverted.v);
	return ret;
}
