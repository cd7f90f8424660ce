// SPDX-License-Identifier: GPL-2.0
/* Verdicts for people. */
#include <inttypes.h>
#include <stdlib.h>

#include "lin_int.h"

/* Answered operations shown around a violation. */
#define BEFORE	14
#define AFTER	4

struct row {
	const struct lin_op	*op;
	bool			bad;
};

static int cmp_ret(const void *pa, const void *pb)
{
	const struct row *a = pa;
	const struct row *b = pb;

	if (a->op->ret != b->op->ret)
		return a->op->ret < b->op->ret ? -1 : 1;
	return a->op < b->op ? -1 : a->op > b->op;
}

static int cmp_call(const void *pa, const void *pb)
{
	const struct row *a = pa;
	const struct row *b = pb;

	if (a->op->call != b->op->call)
		return a->op->call < b->op->call ? -1 : 1;
	return cmp_ret(pa, pb);
}

/* How an operation lies relative to the one which can not be placed. */
static char relation(const struct row *row, const struct lin_op *bad)
{
	if (row->bad)
		return '>';
	if (row->op->ret < bad->call)
		return ' ';
	return row->op->call > bad->ret ? '.' : '|';
}

/*
 * The rows to show: some answered shortly before and after the bad one, and
 * all which were open while it was.
 */
static size_t choose(struct row *row, size_t n)
{
	const struct lin_op *bad;
	size_t at = 0, i, k = 0;

	qsort(row, n, sizeof(*row), cmp_ret);
	while (!row[at].bad)
		at++;
	bad = row[at].op;
	for (i = 0; i < n; i++)
		if ((i + BEFORE >= at && i <= at + AFTER) ||
		    relation(&row[i], bad) == '|')
			row[k++] = row[i];
	qsort(row, k, sizeof(*row), cmp_call);
	return k;
}

static void surroundings(FILE *out, const struct lin_model *m,
			 const struct lin_op *ops, size_t n, size_t bad)
{
	const struct lin_op *b = &ops[bad];
	struct row *row = lin_alloc(n, sizeof(*row));
	size_t i, k = 0;

	if (!row)
		return;
	for (i = 0; i < n; i++) {
		if (m->per_object && ops[i].obj != b->obj)
			continue;
		row[k].bad = i == bad;
		row[k++].op = &ops[i];
	}
	k = choose(row, k);
	fputs("around it, by time of call (> this one, | open at the same time, . later):\n",
	      out);
	for (i = 0; i < k; i++) {
		fprintf(out, " %c ", relation(&row[i], b));
		lin_print_op(out, m, row[i].op);
	}
	free(row);
}

/**
 * lin_explain - describe a verdict
 * @out:	where to
 * @m:		model
 * @ops:	the history which was checked
 * @n:		number of operations
 * @r:		the verdict
 */
void lin_explain(FILE *out, const struct lin_model *m, const struct lin_op *ops,
		 size_t n, const struct lin_result *r)
{
	switch (r->status) {
	case LIN_OK:
		fprintf(out, "OK: %zu operations, %" PRIu64 " steps\n", n,
			r->steps);
		return;
	case LIN_BUDGET:
		fprintf(out, "%s: nothing is known after %" PRIu64 " steps\n",
			lin_status_name(r->status), r->steps);
		return;
	case LIN_INVALID:
		fprintf(out, "%s: operation %zu: %s\n",
			lin_status_name(r->status), r->bad, r->why);
		return;
	case LIN_NOMEM:
		fprintf(out, "%s\n", lin_status_name(r->status));
		return;
	case LIN_VIOLATION:
		break;
	}
	fprintf(out, "%s: no order of the operations explains the answer to\n  ",
		lin_status_name(r->status));
	lin_print_op(out, m, &ops[r->bad]);
	fprintf(out,
		"%zu operations were answered up to there%s, %zu still open; without this answer they can be ordered.\n",
		r->done, m->per_object ? " on this object" : "", r->open);
	surroundings(out, m, ops, n, r->bad);
}
