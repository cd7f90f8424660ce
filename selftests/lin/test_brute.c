// SPDX-License-Identifier: GPL-2.0
/*
 * The definition of linearizability, spelled out: is there a permutation of all
 * operations with a known result and of some without, which respects the order
 * of time and the model?  Shares nothing with the checker but the models.
 */
#include <stdlib.h>
#include <string.h>

#include "test_int.h"

static bool place(const struct lin_model *m, const struct lin_op *ops, size_t n,
		  unsigned int used, const void *state)
{
	uint64_t next[LIN_STATE_MAX / 8];
	bool done = true;
	size_t i, k;

	for (i = 0; i < n; i++)
		if (!(used >> i & 1) && !lin_op_unknown(&ops[i]))
			done = false;
	if (done)
		return true;

	for (i = 0; i < n; i++) {
		if (used >> i & 1)
			continue;
		/* nothing which was called after it returned may be before it */
		for (k = 0; k < n; k++)
			if (used >> k & 1 && ops[i].ret < ops[k].call)
				break;
		if (k < n)
			continue;
		memcpy(next, state, m->state_size);
		if (m->step(next, &ops[i]) &&
		    place(m, ops, n, used | 1u << i, next))
			return true;
	}
	return false;
}

/* In the order of time, and one after the other. */
static void find_losses(const struct lin_model *m, struct lin_op *ops, size_t n,
			struct lin_losses *l)
{
	size_t i, k;

	l->n = 0;
	for (i = 0; i < n; i++) {
		if (!(m->kinds[ops[i].kind].flags & LIN_K_LOSE))
			continue;
		for (k = l->n++; k && l->op[k - 1]->call > ops[i].call; k--)
			l->op[k] = l->op[k - 1];
		l->op[k] = &ops[i];
	}
	for (i = 0; i < n && l->n; i++)
		ops[i].losses = l;
}

bool brute(const struct lin_model *m, const struct lin_op *ops, size_t n)
{
	uint64_t state[LIN_STATE_MAX / 8];
	const struct lin_op *lost[16];
	struct lin_losses losses = { .op = lost };
	struct lin_op mine[16];
	unsigned int obj;
	size_t i, k;

	if (n > 16)
		abort();
	for (obj = 0; obj < (m->per_object ? 4u : 1u); obj++) {
		for (i = 0, k = 0; i < n; i++)
			if (!m->per_object || ops[i].obj == obj)
				mine[k++] = ops[i];
		find_losses(m, mine, k, &losses);
		memset(state, 0, sizeof(state));
		m->init(state);
		if (!place(m, mine, k, 0, state))
			return false;
	}
	return true;
}
