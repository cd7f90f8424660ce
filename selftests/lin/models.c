// SPDX-License-Identifier: GPL-2.0
/*
 * Sequential specifications: register and append log.
 *
 * Every step function comes in the same order: first an operation whose
 * outcome is unknown (apply what it would have done here), then one which was
 * refused (check that it had to be), then one which succeeded.
 */
#include <errno.h>
#include <string.h>

#include "lin_int.h"

/*
 * Refusals which depend on nothing the models know about.  They change nothing
 * and tell nothing.  Errors which leave the outcome open (EIO, ETIMEDOUT, ...)
 * are not among them: the recorder has to enter such operations as unknown.
 */
bool lin_refused(int32_t err)
{
	switch (-err) {
	case ENOSPC:
	case EDQUOT:
	case EROFS:
	case EACCES:
	case EPERM:
	case EFBIG:
		return true;
	}
	return false;
}

const char *lin_valid_err(const struct lin_op *op, int32_t also)
{
	if (!op->err || lin_op_unknown(op) || lin_refused(op->err))
		return NULL;
	if (also && op->err == -also)
		return NULL;
	return "error can not be answered here, or leaves the outcome open";
}

bool lin_valid_id(uint64_t id)
{
	return id && id < LIN_NO_ID;
}

/* Who knows of no losses, @op->losses, allows each. */
static bool lose(const struct lin_op *op, uint32_t *nlost, uint32_t *kept)
{
	if (!*kept && op->losses)
		return false;
	++*nlost;
	*kept = 0;
	return true;
}

/* register */

struct reg_state {
	uint64_t value;
	uint64_t size;
	uint64_t until;		/* value will be read by who is called then */
	uint32_t nlost;		/* losses so far */
	uint32_t kept;		/* the next one may leave what it did leave */
};

static const struct lin_kind reg_kinds[] = {
	[LIN_REG_WRITE]  = { "write", "value end", 2, 1, 0, 0 },
	[LIN_REG_READ]   = { "read", "", 0, 0, 1, 0 },
	[LIN_REG_STAT]   = { "stat", "", 0, 0, 1, 0 },
	[LIN_REG_TRUNC]  = { "trunc", "", 0, 0, 0, 0 },
	[LIN_REG_REVERT] = { "revert", "value size", 2, 1, 0, 0 },
	[LIN_REG_PUT]    = { "put", "value end", 2, 1, 0, 0 },
	[LIN_REG_SYNC]   = { "sync", "", 0, 0, 0, 0 },
	[LIN_REG_LOSE]   = { "lose", "value size", 2, 1, 0, LIN_K_LOSE },
};

static void reg_init(void *state)
{
	memset(state, 0, sizeof(struct reg_state));
}

static bool reg_pure(const struct lin_op *op)
{
	if (op->kind == LIN_REG_READ || op->kind == LIN_REG_STAT)
		return true;
	return !lin_op_unknown(op) && op->err;
}

static bool reg_apply(struct reg_state *s, const struct lin_op *op)
{
	if (op->kind != LIN_REG_SYNC) {
		if (s->until > op->call)
			return false;
		s->until = 0;
	}

	switch (op->kind) {
	case LIN_REG_WRITE:
	case LIN_REG_PUT:
		s->value = op->arg[0];
		s->until = op->arg[LIN_REG_ARG_UNTIL];
		if (s->size < op->arg[1])
			s->size = op->arg[1];
		break;
	case LIN_REG_TRUNC:
		s->value = 0;
		s->size = 0;
		break;
	case LIN_REG_LOSE:
	case LIN_REG_REVERT:
		s->value = op->arg[0];
		s->size = op->arg[1];
		break;
	}
	return true;
}

/* Is this what the next loss will leave?  With @synced it has to be. */
static void reg_note(struct reg_state *s, const struct lin_op *op, bool synced)
{
	const struct lin_op *l = lin_next_loss(op, s->nlost);
	bool same = l && s->value == l->arg[0] && s->size == l->arg[1];

	if (same || synced)
		s->kept = same;
}

static bool reg_step(void *state, const struct lin_op *op)
{
	struct reg_state *s = state;
	bool unknown = lin_op_unknown(op);

	if (!unknown && op->err)
		return true;
	if (op->kind == LIN_REG_READ)
		return unknown || s->value == op->res[0];
	if (op->kind == LIN_REG_STAT)
		return unknown || s->size == op->res[0];
	reg_note(s, op, false);
	if (op->kind == LIN_REG_LOSE && !lose(op, &s->nlost, &s->kept))
		return false;
	if (!reg_apply(s, op))
		return false;
	reg_note(s, op, op->kind == LIN_REG_PUT || op->kind == LIN_REG_SYNC);
	return true;
}

static const char *reg_valid(const struct lin_op *op)
{
	if (op->arg[0] == LIN_NO_VALUE ||
	    (op->kind == LIN_REG_READ && op->res[0] == LIN_NO_VALUE))
		return "this value is reserved";
	if (op->arg[2] || op->arg[3])
		return "too many arguments";
	return lin_valid_err(op, 0);
}

const struct lin_model lin_register = {
	.name		= "register",
	.kinds		= reg_kinds,
	.nkinds		= ARRAY_SIZE(reg_kinds),
	.state_size	= sizeof(struct reg_state),
	.per_object	= true,
	.init		= reg_init,
	.step		= reg_step,
	.pure		= reg_pure,
	.learn		= lin_learn_register,
	.valid		= reg_valid,
};

/* append log */

struct log_state {
	uint32_t n;
	uint32_t nlost; /* as in a register */
	uint32_t kept;
	uint32_t id[LIN_LOG_MAX];
};

static const struct lin_kind log_kinds[] = {
	[LIN_LOG_APPEND] = { "append", "id", 1, 1, 1, LIN_K_OPT_RES },
	[LIN_LOG_READ]   = { "read", "", 0, 0, 0, LIN_K_LIST_RES },
	[LIN_LOG_STAT]   = { "stat", "", 0, 0, 1, 0 },
	[LIN_LOG_TRUNC]  = { "trunc", "length", 1, 0, 0, 0 },
	[LIN_LOG_REVERT] = { "revert", "", 0, 0, 0, LIN_K_LIST_ARG },
	[LIN_LOG_SYNC]   = { "sync", "", 0, 0, 0, 0 },
	[LIN_LOG_LOSE]   = { "lose", "", 0, 0, 0, LIN_K_LIST_ARG | LIN_K_LOSE },
};

static void log_init(void *state)
{
	memset(state, 0, sizeof(struct log_state));
}

static bool log_pure(const struct lin_op *op)
{
	if (op->kind == LIN_LOG_READ || op->kind == LIN_LOG_STAT)
		return true;
	return !lin_op_unknown(op) && op->err;
}

/* Everything behind the end stays zero, states are compared as bytes. */
static void log_set(struct log_state *s, const uint32_t *id, uint32_t n)
{
	memset(s->id, 0, sizeof(s->id));
	s->n = n;
	if (n)
		memcpy(s->id, id, n * sizeof(*id));
}

static bool log_append(struct log_state *s, const struct lin_op *op,
		       bool unknown)
{
	uint64_t at = op->arg[LIN_LOG_ARG_AT];

	if (at && (at != s->n + 1 ||
		   (s->n && s->id[s->n - 1] != op->arg[LIN_LOG_ARG_AFTER])))
		return false;
	if (s->n == LIN_LOG_MAX)
		return unknown;
	if (!unknown && op->res[0] != LIN_ANY && op->res[0] != s->n)
		return false;
	s->id[s->n++] = (uint32_t)op->arg[0];
	return true;
}

static bool log_is(const struct log_state *s, const struct lin_op *op)
{
	return s->n == op->nlist &&
	       (!s->n || !memcmp(s->id, op->list, s->n * sizeof(s->id[0])));
}

static void log_note(struct log_state *s, const struct lin_op *op, bool synced)
{
	const struct lin_op *l = lin_next_loss(op, s->nlost);
	bool same = l && log_is(s, l);

	if (same || synced)
		s->kept = same;
}

static bool log_apply(struct log_state *s, const struct lin_op *op, bool unknown)
{
	switch (op->kind) {
	case LIN_LOG_APPEND:
		return log_append(s, op, unknown);
	case LIN_LOG_TRUNC:
		for (; s->n > op->arg[0]; s->n--)
			s->id[s->n - 1] = 0;
		s->n = (uint32_t)op->arg[0];
		break;
	case LIN_LOG_LOSE:
	case LIN_LOG_REVERT:
		log_set(s, op->list, op->nlist);
		break;
	}
	return true;
}

static bool log_step(void *state, const struct lin_op *op)
{
	struct log_state *s = state;
	bool unknown = lin_op_unknown(op);

	if (!unknown && op->err)
		return true;
	if (op->kind == LIN_LOG_READ)
		return unknown || log_is(s, op);
	if (op->kind == LIN_LOG_STAT)
		return unknown || s->n == op->res[0];
	log_note(s, op, false);
	if (op->kind == LIN_LOG_LOSE && !lose(op, &s->nlost, &s->kept))
		return false;
	if (!log_apply(s, op, unknown))
		return false;
	log_note(s, op, op->kind == LIN_LOG_SYNC);
	return true;
}

static const char *log_valid(const struct lin_op *op)
{
	if (op->kind == LIN_LOG_APPEND && !lin_valid_id(op->arg[0]))
		return LIN_BAD_ID;
	if (op->kind == LIN_LOG_APPEND && (op->arg[2] || op->arg[3]))
		return "too many arguments";
	if (op->kind == LIN_LOG_TRUNC && op->arg[0] > LIN_LOG_MAX)
		return "length too large for this model";
	return lin_valid_err(op, 0);
}

const struct lin_model lin_log = {
	.name		= "log",
	.kinds		= log_kinds,
	.nkinds		= ARRAY_SIZE(log_kinds),
	.state_size	= sizeof(struct log_state),
	.per_object	= true,
	.init		= log_init,
	.step		= log_step,
	.pure		= log_pure,
	.learn		= lin_learn_log,
	.valid		= log_valid,
};

/**
 * lin_model_find - find a model by its name
 * @name:	word as in the file form
 *
 * Return: the model, or NULL.
 */
const struct lin_model *lin_model_find(const char *name)
{
	static const struct lin_model *const all[] = {
		&lin_register,
		&lin_log,
		&lin_tree,
		&lin_lock,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}
