// SPDX-License-Identifier: GPL-2.0
/*
 * What a loss of power left on the origin's disk, as operations of a history.
 */
#include <string.h>

#include "left.h"
#include "lin.h"

static struct rec *begin(struct me *me, const struct loss *l,
			 enum hist_model m, u16 kind, u8 obj)
{
	struct rec *r = rec_call(me, m, kind, obj);

	if (r) {
		r->call = l->call;
		r->ret = l->ret;
	}
	return r;
}

static void lose_regs(struct me *me, const struct left *left,
		      const struct loss *l)
{
	struct rec *r;
	u32 i;

	for (i = 0; i < REGS; i++) {
		if (left->torn & 1u << i)
			broken(me, "reg%u on the disk: two states", i);
		r = begin(me, l, HIST_REG, LIN_REG_LOSE, i);
		if (!r)
			continue;
		r->arg[0] = left->value[i];
		r->arg[1] = left->size[i];
	}
}

static void lose_logs(struct me *me, const struct left *left,
		      const struct loss *l)
{
	struct rec *r;
	u32 i;

	for (i = 0; i < LOGS; i++) {
		r = begin(me, l, HIST_LOG, LIN_LOG_LOSE, i);
		if (!r)
			continue;
		memcpy(r->list, left->log[i], sizeof(r->list));
		r->nlist = left->nlog[i];
	}
}

static void lose_names(struct me *me, const struct left *left,
		       const struct loss *l)
{
	struct rec *r = begin(me, l, HIST_TREE, LIN_TREE_LOSE, 0), *see;
	u32 i;

	if (!r)
		return;
	r->nlist = DIRS * NAMES;
	for (i = 0; i < DIRS * NAMES; i++) {
		r->list[i] = left->id[i];
		if (!left->id[i])
			continue;
		/* Only to tell by its mode who made it. */
		see = begin(me, l, HIST_TREE, LIN_TREE_LOOKUP, 0);
		if (!see)
			continue;
		see->res = left->id[i];
		see->tag = left->tag[i];
		see->dropped = true;
	}
}

void rec_losses(struct me *me, const struct left *left, struct loss *loss)
{
	if (left->failed)
		broken(me, "the disk can not be read: %s",
		       strerror(left->failed));
	lose_regs(me, left, loss);
	lose_logs(me, left, loss);
	lose_names(me, left, loss);
}
