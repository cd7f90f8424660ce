// SPDX-License-Identifier: GPL-2.0
/*
 * Sequential specification of a tree: a few directories of a few names. It is
 * written in the order of models.c.
 *
 * A name is kept by itself: a loss leaves each as it was at one moment since its
 * directory was synced, and nobody promises that it is the same for all.
 */
#include <errno.h>
#include <string.h>

#include "lin_int.h"

struct tree_state {
	uint32_t id[LIN_TREE_CELLS];
	uint32_t nlost;		/* losses so far */
	uint32_t kept;		/* names that the next one may leave as it did */
};

#define ALL_CELLS ((1u << LIN_TREE_CELLS) - 1)
#define DIR_CELLS ((1u << LIN_TREE_NAMES) - 1)

static const struct lin_kind tree_kinds[] = {
	[LIN_TREE_CREATE]  = { "create", "dir name id", 3, 3, 0, 0 },
	[LIN_TREE_UNLINK]  = { "unlink", "dir name", 2, 2, 0, 0 },
	[LIN_TREE_RENAME]  = { "rename", "dir name newdir newname", 4, 4, 0, 0 },
	[LIN_TREE_LOOKUP]  = { "lookup", "dir name", 2, 2, 1, 0 },
	[LIN_TREE_READDIR] = { "readdir", "dir", 1, 1, 0, LIN_K_LIST_RES },
	[LIN_TREE_REVERT]  = { "revert", "", 0, 0, 0, LIN_K_LIST_ARG },
	[LIN_TREE_MKDIR]   = { "mkdir", "dir name id", 3, 3, 0, 0 },
	[LIN_TREE_RMDIR]   = { "rmdir", "dir name", 2, 2, 0, 0 },
	[LIN_TREE_LINK]    = { "link", "dir name id", 3, 3, 0, 0 },
	[LIN_TREE_SYNC]    = { "sync", "dir", 1, 1, 0, 0 },
	[LIN_TREE_LOSE]    = { "lose", "", 0, 0, 0, LIN_K_LIST_ARG | LIN_K_LOSE },
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

static uint32_t tree_cell(uint64_t dir, uint64_t name)
{
	return (uint32_t)(dir * LIN_TREE_NAMES + name);
}

static bool is_dir(uint32_t id)
{
	return id & LIN_TREE_ISDIR && id != LIN_NO_ID;
}

static bool has(const struct tree_state *s, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < LIN_TREE_CELLS; i++)
		if (s->id[i] == id)
			return true;
	return false;
}

/* False: it can not be done here. */
static bool tree_apply(struct tree_state *s, const struct lin_op *op)
{
	const uint64_t *a = op->arg;
	uint32_t *at, *to, id;
	bool takes_dir;

	if (op->kind == LIN_TREE_REVERT || op->kind == LIN_TREE_LOSE) {
		memcpy(s->id, op->list, sizeof(s->id));
		return true;
	}
	if (op->kind == LIN_TREE_SYNC)
		return true;
	at = &s->id[tree_cell(a[0], a[1])];
	id = *at;
	switch (op->kind) {
	case LIN_TREE_LINK:
	case LIN_TREE_CREATE:
	case LIN_TREE_MKDIR:
		if (id || (op->kind == LIN_TREE_LINK && !has(s, a[2])))
			return false;
		*at = (uint32_t)a[2];
		return true;
	case LIN_TREE_UNLINK:
	case LIN_TREE_RMDIR:
		takes_dir = op->kind == LIN_TREE_RMDIR;
		if (!id || is_dir(id) != takes_dir)
			return false;
		*at = 0;
		return true;
	case LIN_TREE_RENAME:
		to = &s->id[tree_cell(a[2], a[3])];
		if (!id || (*to && is_dir(id) != is_dir(*to)))
			return false;
		/* Two names of one file stay; nobody knows of two unseen. */
		if (*to == id && id != LIN_NO_ID)
			return true;
		*at = 0;
		*to = id;
		return true;
	}
	return false;
}

/* Which cells can not be lost, and are not what the next loss left. */
static uint32_t synced_cells(const struct lin_op *op)
{
	if (op->kind != LIN_TREE_SYNC)
		return 0;
	return DIR_CELLS << tree_cell(op->arg[0], 0);
}

static void tree_note(struct tree_state *s, const struct lin_op *op,
		      uint32_t synced)
{
	const struct lin_op *l = lin_next_loss(op, s->nlost);
	uint32_t same = 0, i;

	for (i = 0; l && i < LIN_TREE_CELLS; i++)
		same |= (uint32_t)(s->id[i] == l->list[i]) << i;
	s->kept = (s->kept & ~synced) | same;
}

static bool tree_do(struct tree_state *s, const struct lin_op *op)
{
	tree_note(s, op, 0);
	if (op->kind == LIN_TREE_LOSE && op->losses) {
		if (s->kept != ALL_CELLS)
			return false;
		s->nlost++;
		s->kept = 0;
	}
	if (!tree_apply(s, op) && !lin_op_unknown(op))
		return false;
	tree_note(s, op, synced_cells(op));
	return true;
}

/* Did it have to be refused like this? */
static bool tree_error(const struct tree_state *s, const struct lin_op *op)
{
	uint32_t id = s->id[tree_cell(op->arg[0], op->arg[1])];

	switch (-op->err) {
	case EEXIST:
		return id;
	case ENOENT:
		return !id;
	case EISDIR:
		return is_dir(id);
	case ENOTDIR:
		return id && !is_dir(id);
	}
	return true;
}

static bool tree_step(void *state, const struct lin_op *op)
{
	struct tree_state *s = state;
	uint32_t id;

	if (lin_op_unknown(op))
		return tree_pure(op) || tree_do(s, op);
	if (op->err)
		return tree_error(s, op);
	if (op->kind == LIN_TREE_READDIR)
		return !memcmp(s->id + tree_cell(op->arg[0], 0), op->list,
			       LIN_TREE_NAMES * sizeof(s->id[0]));
	if (op->kind == LIN_TREE_LOOKUP) {
		id = s->id[tree_cell(op->arg[0], op->arg[1])];
		return id && id == op->res[0];
	}
	return tree_do(s, op);
}

static uint64_t tree_touch(const struct lin_op *op)
{
	const uint64_t *a = op->arg;

	switch (op->kind) {
	case LIN_TREE_CREATE:
	case LIN_TREE_MKDIR:
	case LIN_TREE_UNLINK:
	case LIN_TREE_RMDIR:
	case LIN_TREE_LOOKUP:
		return 1ull << tree_cell(a[0], a[1]);
	case LIN_TREE_RENAME:
		/* what is not there does not get anywhere */
		if (!lin_op_unknown(op) && op->err)
			return 1ull << tree_cell(a[0], a[1]);
		return 1ull << tree_cell(a[0], a[1]) |
		       1ull << tree_cell(a[2], a[3]);
	case LIN_TREE_READDIR:
	case LIN_TREE_SYNC:
		return (uint64_t)DIR_CELLS << tree_cell(a[0], 0);
	}
	return UINT64_MAX;
}

static const char *valid_make(const struct lin_op *op)
{
	if (!lin_valid_id(op->arg[2]))
		return LIN_BAD_ID;
	if (op->kind == LIN_TREE_MKDIR && !is_dir((uint32_t)op->arg[2]))
		return "the id is not one of a directory";
	if (op->kind != LIN_TREE_MKDIR && is_dir((uint32_t)op->arg[2]))
		return "the id is one of a directory";
	return lin_valid_err(op, EEXIST);
}

static const char *tree_valid(const struct lin_op *op)
{
	const uint64_t *a = op->arg;

	if (op->kind == LIN_TREE_REVERT || op->kind == LIN_TREE_LOSE) {
		if (op->nlist != LIN_TREE_CELLS)
			return "it takes an id or 0 for every name of every dir";
		return lin_valid_err(op, 0);
	}
	if (a[0] >= LIN_TREE_DIRS)
		return "no such dir";
	if (op->kind == LIN_TREE_SYNC)
		return lin_valid_err(op, 0);
	if (op->kind == LIN_TREE_READDIR) {
		if (!lin_op_unknown(op) && !op->err &&
		    op->nlist != LIN_TREE_NAMES)
			return "readdir answers an id or 0 for every name";
		return lin_valid_err(op, 0);
	}
	if (a[1] >= LIN_TREE_NAMES)
		return "no such name";
	switch (op->kind) {
	case LIN_TREE_CREATE:
	case LIN_TREE_MKDIR:
	case LIN_TREE_LINK:
		return valid_make(op);
	case LIN_TREE_UNLINK:
		return op->err == -EISDIR ? NULL : lin_valid_err(op, ENOENT);
	case LIN_TREE_RMDIR:
		return op->err == -ENOTDIR ? NULL : lin_valid_err(op, ENOENT);
	case LIN_TREE_RENAME:
		if (a[2] >= LIN_TREE_DIRS || a[3] >= LIN_TREE_NAMES)
			return "no such target";
	}
	return lin_valid_err(op, ENOENT);
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
