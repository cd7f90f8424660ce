/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linearizability checker for recorded histories.
 *
 * A history is an array of operations, each with the moment it was called and
 * the moment it was answered on one global clock.  The checker decides whether
 * every operation can be given one point between the two such that executing
 * the operations at those points, one after the other, on a sequential model
 * gives exactly the recorded results.
 */
#ifndef GNS_LIN_H
#define GNS_LIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* lin_op.ret: never answered; may take effect any time after call, or never */
#define LIN_PENDING	UINT64_MAX
/* lin_op.err: outcome unknown; took effect between call and ret, or never */
#define LIN_UNKNOWN	INT32_MIN
/* lin_op.res[]: this result was not recorded and is not checked */
#define LIN_ANY		UINT64_MAX

#define LIN_STATE_MAX	256
#define LIN_LIST_MAX	32

struct lin_losses;

/**
 * struct lin_op - one recorded operation
 * @call:	time of the invocation
 * @ret:	time of the answer (>= @call), or LIN_PENDING
 * @arg:	arguments, meaning given by the model
 * @res:	results, meaning given by the model
 * @list:	result list (or, for a revert, argument list); owned by the caller
 * @nlist:	entries in @list
 * @client:	who issued it; only used in explanations
 * @err:	0, the negative errno which was answered, or LIN_UNKNOWN
 * @kind:	operation of the model
 * @obj:	object it addresses, see lin_model.per_object
 * @losses:	the checker's own, NULL
 *
 * Two operations are ordered when the one's @ret is strictly less than the
 * other's @call.  Equal stamps count as concurrent, so a recorder which can
 * number its events should use the number, not a coarse clock.
 */
struct lin_op {
	uint64_t	call;
	uint64_t	ret;
	uint64_t	arg[4];
	uint64_t	res[2];
	const uint32_t	*list;
	uint32_t	nlist;
	uint32_t	client;
	int32_t		err;
	uint16_t	kind;
	uint16_t	obj;
	const struct lin_losses	*losses;
};

/**
 * struct lin_losses - what each loss of an object left of it, in their order
 * @n:		number of losses
 * @op:		the operations (LIN_K_LOSE), one after the other in time
 */
struct lin_losses {
	size_t			n;
	const struct lin_op	**op;
};

/* The result of such an operation is not known and must not be checked. */
static inline bool lin_op_unknown(const struct lin_op *op)
{
	return op->ret == LIN_PENDING || op->err == LIN_UNKNOWN;
}

/* lin_kind.flags */
#define LIN_K_LIST_ARG	1	/* takes a list */
#define LIN_K_LIST_RES	2	/* answers a list */
#define LIN_K_OPT_RES	4	/* res[0] may be LIN_ANY */
#define LIN_K_LOSE	8	/* may undo what was not synced; not in streams */

/**
 * struct lin_kind - how one operation of a model is written as text
 * @name:	word used in the file form
 * @args:	names of the arguments, separated by blanks, for diagnostics
 * @narg:	number of arguments
 * @nreq:	number of those which must be given, the others default to 0
 * @nres:	number of results when successful
 * @flags:	LIN_K_*
 */
struct lin_kind {
	const char	*name;
	const char	*args;
	uint8_t		narg;
	uint8_t		nreq;
	uint8_t		nres;
	uint8_t		flags;
};

/**
 * struct lin_model - a sequential specification
 * @name:	for the file form
 * @kinds:	operations, indexed by lin_op.kind
 * @nkinds:	number of them
 * @state_size:	bytes of state, at most LIN_STATE_MAX.  Two states are the same
 *		if and only if their bytes are; the checker hands out zeroed
 *		memory, so padding stays zero.
 * @per_object:	every lin_op.obj is an object of its own, checked alone
 * @init:	set the initial state; the memory is already zero
 * @step:	apply the operation to the state, false when the recorded result
 *		is impossible in this state (the state may then be garbage,
 *		unless the operation is pure).  An unknown outcome
 *		(lin_op_unknown()) is applied as far as it can be.  During a
 *		search @call of an operation which is not pure is a time such
 *		that it takes effect neither before it nor after any operation
 *		called later.
 * @pure:	this operation, with this result, never changes any state; step
 *		must not write to the state at all
 * @touch:	set of cells which the operation reads or writes; operations with
 *		disjoint sets commute.  May be NULL: all conflict.
 * @learn:	may add to a private copy of all operations of one object what
 *		their answers tell about each other, as long as this excludes no
 *		linearization of all of them.  @final: no operation which is not
 *		among them will ever look at this object.  May be NULL; returns
 *		0 or a negative error
 * @valid:	the operation is well formed; NULL or the reason why not
 */
struct lin_model {
	const char		*name;
	const struct lin_kind	*kinds;
	unsigned int		nkinds;
	size_t			state_size;
	bool			per_object;
	void			(*init)(void *state);
	bool			(*step)(void *state, const struct lin_op *op);
	bool			(*pure)(const struct lin_op *op);
	uint64_t		(*touch)(const struct lin_op *op);
	int			(*learn)(struct lin_op *ops, size_t n, bool final);
	const char		*(*valid)(const struct lin_op *op);
};

/* Everything but LIN_OK is a failure of the run. */
enum lin_status {
	LIN_OK,
	LIN_VIOLATION,		/* proven not linearizable */
	LIN_BUDGET,		/* given up, nothing is known */
	LIN_INVALID,		/* malformed operation: .bad and .why */
	LIN_NOMEM,
};

/**
 * struct lin_result - verdict
 * @status:	the verdict; the other fields depend on it
 * @bad:	LIN_VIOLATION: first operation, by time of answer, which can not
 *		be placed: the history cut right after its answer is not
 *		linearizable, cut right before it is.  LIN_INVALID: culprit.
 * @inexact:	LIN_VIOLATION: the budget did not suffice to find the first one;
 *		the history cut after @bad is not linearizable, but an earlier
 *		cut may not be either
 * @done:	LIN_VIOLATION: operations of this object answered up to there,
 *		those left out which ask for something and got no answer
 * @open:	LIN_VIOLATION: operations of this object open at that moment
 * @steps:	work done, in units of the budget (calls of lin_model.step)
 * @why:	LIN_INVALID: reason
 */
struct lin_result {
	enum lin_status	status;
	bool		inexact;
	size_t		bad;
	size_t		done;
	size_t		open;
	uint64_t	steps;
	const char	*why;
};

/* Steps allowed when the budget is given as 0. */
#define LIN_BUDGET_DEFAULT	100000000ull

const char *lin_status_name(enum lin_status st);
struct lin_result lin_check(const struct lin_model *m, const struct lin_op *ops,
			    size_t n, uint64_t budget);
size_t lin_prefix(const struct lin_model *m, const struct lin_op *ops, size_t n,
		  size_t bad, struct lin_op *out);

/* Long histories, piecewise; operations are numbered in the order added. */
struct lin_stream;

struct lin_stream *lin_stream_new(const struct lin_model *m, uint64_t budget);
void lin_stream_free(struct lin_stream *s);
int lin_stream_add(struct lin_stream *s, const struct lin_op *op);
struct lin_result lin_stream_cut(struct lin_stream *s, uint64_t upto);
struct lin_result lin_stream_end(struct lin_stream *s);
size_t lin_stream_kept(const struct lin_stream *s);
void lin_stream_explain(FILE *out, const struct lin_stream *s,
			const struct lin_result *r);

/**
 * struct lin_hist - growing history which owns the lists of its operations
 * @m:		model, may be NULL while recording
 * @ops:	the operations
 * @n:		number of operations
 * @cap:	allocated operations
 * @mem:	memory of the lists, private
 */
struct lin_hist {
	const struct lin_model	*m;
	struct lin_op		*ops;
	size_t			n;
	size_t			cap;
	struct lin_mem		*mem;
};

int lin_hist_add(struct lin_hist *h, const struct lin_op *op);
void lin_hist_free(struct lin_hist *h);

/* File form, see README.md. */
int lin_parse(FILE *in, struct lin_hist *h, char *msg, size_t msglen);
void lin_print_op(FILE *out, const struct lin_model *m, const struct lin_op *op);
void lin_print(FILE *out, const struct lin_model *m, const struct lin_op *ops,
	       size_t n);
void lin_explain(FILE *out, const struct lin_model *m, const struct lin_op *ops,
		 size_t n, const struct lin_result *r);

/* Models. */
extern const struct lin_model lin_register;
extern const struct lin_model lin_log;
extern const struct lin_model lin_tree;
extern const struct lin_model lin_lock;

const struct lin_model *lin_model_find(const char *name);

enum lin_register_kind {
	LIN_REG_WRITE,		/* arg: value, end; size becomes max(size, end) */
	LIN_REG_READ,		/* res: value */
	LIN_REG_STAT,		/* res: size */
	LIN_REG_TRUNC,		/* value and size become 0 */
	LIN_REG_REVERT,		/* arg: value, size */
	LIN_REG_PUT,		/* as WRITE and SYNC in one */
	LIN_REG_SYNC,		/* no loss from now on undoes what was before */
	LIN_REG_LOSE,		/* arg: value, size it has now */
};

#define LIN_LOG_MAX	LIN_LIST_MAX

/*
 * No two appends to one object may have the same id, and what a revert brings
 * back must have been called for before.  (Only lin_stream_cut() relies on it,
 * lin_check() is just faster this way.)
 */
enum lin_log_kind {
	LIN_LOG_APPEND,		/* arg: id; res: index it went to, or LIN_ANY */
	LIN_LOG_READ,		/* list: ids */
	LIN_LOG_STAT,		/* res: number of ids */
	LIN_LOG_TRUNC,		/* arg: number of ids left; 0 ids fill holes */
	LIN_LOG_REVERT,		/* list: ids */
	LIN_LOG_SYNC,		/* no loss from now on undoes what was before */
	LIN_LOG_LOSE,		/* list: ids it has now */
};

#define LIN_TREE_DIRS	3
#define LIN_TREE_NAMES	6
#define LIN_TREE_CELLS	(LIN_TREE_DIRS * LIN_TREE_NAMES)
/* In the id of what mkdir makes, and of nothing else. */
#define LIN_TREE_ISDIR	0x40000000u

enum lin_tree_kind {
	LIN_TREE_CREATE,	/* arg: dir, name, id; -EEXIST */
	LIN_TREE_UNLINK,	/* arg: dir, name; -ENOENT, -EISDIR */
	LIN_TREE_RENAME,	/* arg: dir, name, new dir, new name; -ENOENT */
	LIN_TREE_LOOKUP,	/* arg: dir, name; res: id; -ENOENT */
	LIN_TREE_READDIR,	/* arg: dir; list: id or 0 per name */
	LIN_TREE_REVERT,	/* list: id or 0 per name of every dir */
	LIN_TREE_MKDIR,		/* arg: dir, name, id; -EEXIST */
	LIN_TREE_RMDIR,		/* arg: dir, name; -ENOENT, -ENOTDIR */
	LIN_TREE_LINK,		/* arg: dir, name, id it gets; -EEXIST */
	LIN_TREE_SYNC,		/* arg: dir; no loss undoes its names as of now */
	LIN_TREE_LOSE,		/* list: id or 0 per name of every dir, as of now */
};

/*
 * Exclusive. Each owner gets the lock once, if at all. A lock that was lost is an
 * UNLOCK of unknown outcome: called when the lock was got, never answered.
 */
enum lin_lock_kind {
	LIN_LOCK_LOCK,		/* arg: owner; waits until it is free */
	LIN_LOCK_TRY,		/* arg: owner; -EAGAIN: somebody has it */
	LIN_LOCK_UNLOCK,	/* arg: owner */
	LIN_LOCK_HELD,		/* arg: owner, who did something under it */
	LIN_LOCK_REVERT,	/* arg: owner, or 0 */
};

#endif /* GNS_LIN_H */
