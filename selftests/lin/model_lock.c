// SPDX-License-Identifier: GPL-2.0
/*
 * Sequential specification: an exclusive lock.
 *
 * Whoever gets it does so as an owner of his own, who never got it before: what
 * is said of an owner is about one time of holding. So an unlock of unknown
 * outcome, as it ends a lock that was lost, is of that time only, whenever it
 * may take effect.
 */
#include <errno.h>
#include <string.h>

#include "lin_int.h"

struct lock_state {
	uint64_t owner; /* 0: it is free */
};

static const struct lin_kind lock_kinds[] = {
	[LIN_LOCK_LOCK]   = { "lock", "owner", 1, 1, 0, 0 },
	[LIN_LOCK_TRY]    = { "try", "owner", 1, 1, 0, 0 },
	[LIN_LOCK_UNLOCK] = { "unlock", "owner", 1, 1, 0, 0 },
	[LIN_LOCK_HELD]   = { "held", "owner", 1, 1, 0, 0 },
	[LIN_LOCK_REVERT] = { "revert", "owner", 1, 0, 0, 0 },
};

static void lock_init(void *state)
{
	memset(state, 0, sizeof(struct lock_state));
}

static bool lock_pure(const struct lin_op *op)
{
	return op->kind == LIN_LOCK_HELD || (!lin_op_unknown(op) && op->err);
}

/* What can not be done in this state was not done: nobody knows that it was. */
static bool lock_step(void *state, const struct lin_op *op)
{
	struct lock_state *s = state;

	if (!lin_op_unknown(op) && op->err)
		return op->err != -EAGAIN || s->owner;

	switch (op->kind) {
	case LIN_LOCK_LOCK:
	case LIN_LOCK_TRY:
		if (s->owner)
			return false;
		s->owner = op->arg[0];
		break;
	case LIN_LOCK_UNLOCK:
		if (s->owner != op->arg[0])
			return false;
		s->owner = 0;
		break;
	case LIN_LOCK_HELD:
		return lin_op_unknown(op) || s->owner == op->arg[0];
	case LIN_LOCK_REVERT:
		s->owner = op->arg[0];
		break;
	}
	return true;
}

static const char *lock_valid(const struct lin_op *op)
{
	if (op->arg[0] == LIN_NO_VALUE ||
	    (!op->arg[0] && op->kind != LIN_LOCK_REVERT))
		return "no owner has this number";
	return lin_valid_err(op, op->kind == LIN_LOCK_TRY ? EAGAIN : 0);
}

const struct lin_model lin_lock = {
	.name		= "lock",
	.kinds		= lock_kinds,
	.nkinds		= ARRAY_SIZE(lock_kinds),
	.state_size	= sizeof(struct lock_state),
	.per_object	= true,
	.init		= lock_init,
	.step		= lock_step,
	.pure		= lock_pure,
	.valid		= lock_valid,
};
