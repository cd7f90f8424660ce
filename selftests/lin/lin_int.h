/* SPDX-License-Identifier: GPL-2.0 */
/* Private to the checker. */
#ifndef GNS_LIN_INT_H
#define GNS_LIN_INT_H

#include "lin.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Give up (LIN_BUDGET) rather than take the machine down. */
#define LIN_MEM_MAX	((size_t)1 << 30)

/*
 * A configuration is a set of slots (open operations which already have their
 * point) followed by the model state, all in 64-bit words.
 */
struct lin_memo {
	uint32_t	*head;
	size_t		nhead;
	uint8_t		*ent;
	uint32_t	n;
	uint32_t	cap;
	size_t		ent_size;
	size_t		words;		/* of a configuration */
	size_t		slot_words;	/* thereof slots */
};

/*
 * Which slots may differ between two configurations for the one to dominate
 * the other: pure ones (more is better), maybe ones (less is better).
 */
struct lin_masks {
	const uint64_t	*pure;
	const uint64_t	*maybe;
};

void lin_memo_init(struct lin_memo *m, size_t words, size_t slot_words);
void lin_memo_free(struct lin_memo *m);
void lin_memo_clear(struct lin_memo *m);
size_t lin_memo_bytes(const struct lin_memo *m);
bool lin_memo_has(const struct lin_memo *m, const struct lin_masks *k,
		  uint32_t ev, const uint64_t *cfg);
int lin_memo_add(struct lin_memo *m, const struct lin_masks *k, uint32_t ev,
		 const uint64_t *cfg);

enum lin_class {
	LIN_C_EFFECT,		/* changes the state, result known */
	LIN_C_PURE,		/* never changes the state, result known */
	LIN_C_MAYBE,		/* outcome unknown */
};

#define LIN_NO_TWIN	UINT32_MAX

struct lin_meta {
	uint64_t	touch;
	uint32_t	slot;
	uint32_t	twin;		/* slot of an earlier one just like it */
	uint32_t	class;
};

struct lin_event {
	uint64_t	time;
	uint32_t	op;
	uint32_t	ret;
};

struct lin_frame {
	size_t		start;
	size_t		head;
	uint32_t	ev;
	bool		root;
	bool		tried;
};

/*
 * What is known about one object between two pieces of its history: every
 * configuration it can be in, and the operations which may still take effect.
 * The slots of a configuration are those operations in order.
 */
struct lin_carry {
	struct lin_op	*op;
	size_t		*id;		/* caller's name of each op */
	size_t		nop;
	uint64_t	*cfg;
	size_t		ncfg;
	size_t		words;
	size_t		slot_words;
};

struct lin_search {
	const struct lin_model	*m;
	/* the history */
	struct lin_op		*op;
	struct lin_meta		*meta;
	size_t			nop;
	struct lin_event	*ev;
	size_t			nev;
	/* position in it, and what is open there */
	size_t			pos;
	uint32_t		*open;	/* operation in each slot */
	uint64_t		*live;
	uint64_t		*pure;
	uint64_t		*maybe;	/* of all positions */
	size_t			nslot;
	size_t			slot_words;
	size_t			known_words;
	size_t			words;
	/* depth-first over the events, breadth-first within one */
	struct lin_frame	*frame;
	size_t			nframe;
	size_t			frame_cap;
	uint64_t		*pool;
	size_t			npool;
	size_t			pool_cap;
	uint64_t		*tmp;
	struct lin_memo		memo;
	struct lin_losses	losses;
	/* configurations at the start and end of the current piece */
	uint64_t		*in;
	size_t			nin;
	uint64_t		*out;
	size_t			nout;
	size_t			out_cap;
	uint64_t		steps;
	uint64_t		limit;
	size_t			mem;
	size_t			deepest;
};

int lin_search_init(struct lin_search *s, const struct lin_model *m,
		    const struct lin_op *const *op, size_t nop,
		    const struct lin_carry *carry, bool final);
void lin_search_free(struct lin_search *s);
enum lin_status lin_search_run(struct lin_search *s, size_t to, bool all);
enum lin_status lin_search_first(struct lin_search *s, uint64_t limit);
enum lin_status lin_search_all(struct lin_search *s, uint64_t limit);

int lin_carry_init(struct lin_carry *c, const struct lin_model *m);
void lin_carry_free(struct lin_carry *c);
int lin_carry_take(struct lin_carry *c, const struct lin_search *s,
		   const struct lin_op *const *op, const size_t *id);

struct lin_result lin_part(const struct lin_model *m, const struct lin_carry *c,
			   const struct lin_op *ops, const size_t *idx,
			   size_t n, const size_t *id, uint64_t budget,
			   struct lin_carry *next);
const char *lin_op_invalid(const struct lin_model *m, const struct lin_op *op);

static inline bool lin_test(const uint64_t *set, uint32_t bit)
{
	return set[bit / 64] >> (bit % 64) & 1;
}

static inline void lin_set(uint64_t *set, uint32_t bit)
{
	set[bit / 64] |= 1ull << (bit % 64);
}

static inline void lin_clear(uint64_t *set, uint32_t bit)
{
	set[bit / 64] &= ~(1ull << (bit % 64));
}

/* The models' names for whatever nobody ever saw. */
#define LIN_NO_VALUE	UINT64_MAX
#define LIN_NO_ID	UINT32_MAX

/* Learnt about a write: last call of a read which answered its value, or 0. */
#define LIN_REG_ARG_UNTIL	2

/* Learnt about an append: index it went to plus 1, id before it or 0. */
#define LIN_LOG_ARG_AT		2
#define LIN_LOG_ARG_AFTER	3

/* What the loss after those which happened will leave, or NULL. */
static inline const struct lin_op *lin_next_loss(const struct lin_op *op,
						 uint32_t happened)
{
	if (!op->losses || happened >= op->losses->n)
		return NULL;
	return op->losses->op[happened];
}

/* Refusals which depend on nothing the models know about. */
bool lin_refused(int32_t err);
/* NULL, or why op->err can not be; also: a refusal the operation has, or 0 */
const char *lin_valid_err(const struct lin_op *op, int32_t also);
/* Is it an id which one may give? */
bool lin_valid_id(uint64_t id);
#define LIN_BAD_ID "an id is 1 to 4294967294"

int lin_learn_register(struct lin_op *ops, size_t n, bool final);
int lin_learn_log(struct lin_op *ops, size_t n, bool final);
int lin_learn_tree(struct lin_op *ops, size_t n, bool final);

/* calloc() which has no special case for nothing */
void *lin_alloc(size_t n, size_t size);

#endif /* GNS_LIN_INT_H */
