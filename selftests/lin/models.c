// SPDX-License-Identifier: GPL-2.0
/*
 * Sequential specifications: register, append log, tree.
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
static bool refused(int32_t err)
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

static const char *valid_err(const struct lin_op *op, int32_t also)
{
	if (!op->err || lin_op_unknown(op) || refused(op->err))
		return NULL;
	if (also && op->err == -also)
		return NULL;
	return "error can not be answered here, or leaves the outcome open";
}

static const char bad_id[] = "an id is 1 to 4294967294";

static bool valid_id(uint64_t id)
{
	return id && id < LIN_NO_ID;
}

/* register */

struct reg_state {
	uint64_t value;
	uint64_t size;
	uint64_t until;		/* value will be read by who is called then */
};

static const struct lin_kind reg_kinds[] = {
	[LIN_REG_WRITE]  = { "write", "value end", 2, 1, 0, 0 },
	[LIN_REG_READ]   = { "read", "", 0, 0, 1, 0 },
	[LIN_REG_STAT]   = { "stat", "", 0, 0, 1, 0 },
	[LIN_REG_TRUNC]  = { "trunc", "", 0, 0, 0, 0 },
	[LIN_REG_REVERT] = { "revert", "value size", 2, 1, 0, 0 },
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

static bool reg_step(void *state, const struct lin_op *op)
{
	struct reg_state *s = state;
	bool unknown = lin_op_unknown(op);

	if (!unknown && op->err)
		return true;
	if (!reg_pure(op)) {
		if (s->until > op->call)
			return false;
		s->until = 0;
	}

	switch (op->kind) {
	case LIN_REG_WRITE:
		s->value = op->arg[0];
		s->until = op->arg[LIN_REG_ARG_UNTIL];
		if (s->size < op->arg[1])
			s->size = op->arg[1];
		return true;
	case LIN_REG_READ:
		return unknown || s->value == op->res[0];
	case LIN_REG_STAT:
		return unknown || s->size == op->res[0];
	case LIN_REG_TRUNC:
		s->value = 0;
		s->size = 0;
		return true;
	case LIN_REG_REVERT:
		s->value = op->arg[0];
		s->size = op->arg[1];
		return true;
	}
	return false;
}

static const char *reg_valid(const struct lin_op *op)
{
	if (op->arg[0] == LIN_NO_VALUE ||
	    (op->kind == LIN_REG_READ && op->res[0] == LIN_NO_VALUE))
		return "this value is reserved";
	if (op->arg[2] || op->arg[3])
		return "too many arguments";
	return valid_err(op, 0);
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
	uint32_t id[LIN_LOG_MAX];
};

static const struct lin_kind log_kinds[] = {
	[LIN_LOG_APPEND] = { "append", "id", 1, 1, 1, LIN_K_OPT_RES },
	[LIN_LOG_READ]   = { "read", "", 0, 0, 0, LIN_K_LIST_RES },
	[LIN_LOG_STAT]   = { "stat", "", 0, 0, 1, 0 },
	[LIN_LOG_TRUNC]  = { "trunc", "length", 1, 0, 0, 0 },
	[LIN_LOG_REVERT] = { "revert", "", 0, 0, 0, LIN_K_LIST_ARG },
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
	memset(s, 0, sizeof(*s));
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

static bool log_step(void *state, const struct lin_op *op)
{
	struct log_state *s = state;
	bool unknown = lin_op_unknown(op);

	if (!unknown && op->err)
		return true;

	switch (op->kind) {
	case LIN_LOG_APPEND:
		return log_append(s, op, unknown);
	case LIN_LOG_READ:
		if (unknown)
			return true;
		return s->n == op->nlist &&
		       (!s->n || !memcmp(s->id, op->list,
					 s->n * sizeof(s->id[0])));
	case LIN_LOG_STAT:
		return unknown || s->n == op->res[0];
	case LIN_LOG_TRUNC:
		for (; s->n > op->arg[0]; s->n--)
			s->id[s->n - 1] = 0;
		s->n = (uint32_t)op->arg[0];
		return true;
	case LIN_LOG_REVERT:
		log_set(s, op->list, op->nlist);
		return true;
	}
	return false;
}

static const char *log_valid(const struct lin_op *op)
{
	if (op->kind == LIN_LOG_APPEND && !valid_id(op->arg[0]))
		return bad_id;
	if (op->kind == LIN_LOG_APPEND && (op->arg[2] || op->arg[3]))
		return "too many arguments";
	if (op->kind == LIN_LOG_TRUNC && op->arg[0] > LIN_LOG_MAX)
		return "length too large for this model";
	return valid_err(op, 0);
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

/* tree */

struct tree_state {
	uint32_t id[LIN_TREE_DIRS][LIN_TREE_NAMES];
};

static const struct lin_kind tree_kinds[] = {
	[LIN_TREE_CREATE]  = { "create", "dir name id", 3, 3, 0, 0 },
	[LIN_TREE_UNLINK]  = { "unlink", "dir name", 2, 2, 0, 0 },
	[LIN_TREE_RENAME]  = { "rename", "dir name newdir newname", 4, 4, 0, 0 },
	[LIN_TREE_LOOKUP]  = { "lookup", "dir name", 2, 2, 1, 0 },
	[LIN_TREE_READDIR] = { "readdir", "dir", 1, 1, 0, LIN_K_LIST_RES },
	[LIN_TREE_REVERT]  = { "revert", "", 0, 0, 0, LIN_K_LIST_ARG },
};

static void tree_init(void *state)
{
	memset(state, 0, sizeof(struct tree_state));
}

static bool tree_pure(const struct lin_op *op)
{
	if (op->kind == LIN_TREE_LOOKUP || op->kind == LIN_TREE_READDIR)
		return true;
	return !lin_op_unknown(op) && op->err;
}

static void tree_apply(struct tree_state *s, const struct lin_op *op)
{
	uint32_t *at, id;

	if (op->kind == LIN_TREE_REVERT) {
		memcpy(s->id, op->list, sizeof(s->id));
		return;
	}
	at = &s->id[op->arg[0]][op->arg[1]];
	switch (op->kind) {
	case LIN_TREE_CREATE:
		if (!*at)
			*at = (uint32_t)op->arg[2];
		break;
	case LIN_TREE_UNLINK:
		*at = 0;
		break;
	case LIN_TREE_RENAME:
		id = *at;
		if (!id)
			break;
		*at = 0;
		s->id[op->arg[2]][op->arg[3]] = id;
		break;
	}
}

static bool tree_readdir(const struct tree_state *s, const struct lin_op *op)
{
	return !memcmp(s->id[op->arg[0]], op->list, sizeof(s->id[0]));
}

static bool tree_step(void *state, const struct lin_op *op)
{
	struct tree_state *s = state;
	uint32_t at = 0;

	if (lin_op_unknown(op)) {
		if (!tree_pure(op))
			tree_apply(s, op);
		return true;
	}
	if (refused(op->err))
		return true;
	if (op->kind == LIN_TREE_READDIR)
		return tree_readdir(s, op);
	if (op->kind != LIN_TREE_REVERT)
		at = s->id[op->arg[0]][op->arg[1]];

	switch (op->kind) {
	case LIN_TREE_CREATE:
		if (op->err)
			return at != 0;
		if (at)
			return false;
		break;
	case LIN_TREE_UNLINK:
	case LIN_TREE_RENAME:
		if (op->err)
			return at == 0;
		if (!at)
			return false;
		break;
	case LIN_TREE_LOOKUP:
		return op->err ? at == 0 : at && at == op->res[0];
	}
	tree_apply(s, op);
	return true;
}

static uint64_t tree_cell(uint64_t dir, uint64_t name)
{
	return 1ull << (dir * LIN_TREE_NAMES + name);
}

static uint64_t tree_touch(const struct lin_op *op)
{
	const uint64_t *a = op->arg;

	switch (op->kind) {
	case LIN_TREE_CREATE:
	case LIN_TREE_UNLINK:
	case LIN_TREE_LOOKUP:
		return tree_cell(a[0], a[1]);
	case LIN_TREE_RENAME:
		/* what is not there does not get anywhere */
		if (!lin_op_unknown(op) && op->err)
			return tree_cell(a[0], a[1]);
		return tree_cell(a[0], a[1]) | tree_cell(a[2], a[3]);
	case LIN_TREE_READDIR:
		return ((1ull << LIN_TREE_NAMES) - 1) << (a[0] * LIN_TREE_NAMES);
	}
	return UINT64_MAX;
}

static const char *tree_valid(const struct lin_op *op)
{
	const uint64_t *a = op->arg;

	if (op->kind == LIN_TREE_REVERT) {
		if (op->nlist != LIN_TREE_CELLS)
			return "revert takes an id or 0 for every name of every dir";
		return valid_err(op, 0);
	}
	if (a[0] >= LIN_TREE_DIRS)
		return "no such dir";
	if (op->kind == LIN_TREE_READDIR) {
		if (!lin_op_unknown(op) && !op->err &&
		    op->nlist != LIN_TREE_NAMES)
			return "readdir answers an id or 0 for every name";
		return valid_err(op, 0);
	}
	if (a[1] >= LIN_TREE_NAMES)
		return "no such name";
	if (op->kind == LIN_TREE_CREATE) {
		if (!valid_id(a[2]))
			return bad_id;
		return valid_err(op, EEXIST);
	}
	if (op->kind == LIN_TREE_RENAME &&
	    (a[2] >= LIN_TREE_DIRS || a[3] >= LIN_TREE_NAMES))
		return "no such target";
	return valid_err(op, ENOENT);
}

const struct lin_model lin_tree = {
	.name		= "tree",
	.kinds		= tree_kinds,
	.nkinds		= ARRAY_SIZE(tree_kinds),
	.state_size	= sizeof(struct tree_state),
	.init		= tree_init,
	.step		= tree_step,
	.pure		= tree_pure,
	.touch		= tree_touch,
	.learn		= lin_learn_tree,
	.valid		= tree_valid,
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
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}
