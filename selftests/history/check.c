// SPDX-License-Identifier: GPL-2.0
/*
 * The records of all processes, given to the checker of the simulator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"
#include "lin.h"

static const struct lin_model *const models[HIST_MODELS] = {
	&lin_register,
	&lin_log,
	&lin_tree,
};

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
			memset(&op, 0, sizeof(op));
			op.call = r->call;
			op.ret = r->ret ?: LIN_PENDING;
			memcpy(op.arg, r->arg, sizeof(op.arg));
			op.res[0] = r->res;
			op.list = r->list;
			op.nlist = r->nlist;
			op.client = p;
			op.err = r->err;
			op.kind = r->kind;
			op.obj = r->obj;
			/* A read that was never answered says nothing. */
			if (!r->ret && models[m]->pure(&op))
				continue;
			if (lin_hist_add(out, &op))
				abort();
		}
	}
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

	for (m = 0; m < HIST_MODELS; m++) {
		struct lin_hist lh = { 0 };

		collect(h, m, &lh);
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
