/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the tests of the checker. */
#ifndef GNS_LIN_TEST_INT_H
#define GNS_LIN_TEST_INT_H

#include "lin.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* One line of TAP; returns @good. */
bool tap(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tap_plan(unsigned int n);
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct rng {
	uint64_t s;
};

uint64_t rnd(struct rng *r, uint64_t below);

/**
 * struct gen - what kind of history to generate
 * @m:		model
 * @n:		operations
 * @clients:	one operation at a time each
 * @objects:	number of objects
 * @reads:	percentage of operations which only look
 * @pending:	per mille never answered
 * @unknown:	per mille answered without telling the outcome
 * @reverts:	per mille reverts
 * @same:	values and ids are brought more than once
 * @no_trunc:	logs and registers only grow
 * @span:	longest time from call to effect, and from effect to return
 * @gap:	longest pause of a client
 * @rest:	all clients pause after so many operations, 0 for never
 */
struct gen {
	const struct lin_model	*m;
	size_t			n;
	unsigned int		clients;
	unsigned int		objects;
	unsigned int		reads;
	unsigned int		pending;
	unsigned int		unknown;
	unsigned int		reverts;
	bool			same;
	bool			no_trunc;
	uint64_t		span;
	uint64_t		gap;
	size_t			rest;
};

/* A history which a real atomic object produced, in order of the calls. */
void gen_good(struct lin_hist *h, const struct gen *g, struct rng *r);
/* Replace the result of one operation by some other one, maybe possible too. */
void gen_noise(struct lin_hist *h, size_t i, struct rng *r);

/* By trying all permutations; a few operations only. */
bool brute(const struct lin_model *m, const struct lin_op *ops, size_t n);

#define GOOD	SIZE_MAX

/**
 * struct hand - a history and its verdict
 * @name:	what it is about
 * @bad:	the operation which must be blamed, counted from 0, or GOOD
 * @text:	in the file form
 */
struct hand {
	const char	*name;
	size_t		bad;
	const char	*text;
};

extern const struct hand hand_losses[];
extern const unsigned int hand_nlosses;
extern const struct hand hand_locks[];
extern const unsigned int hand_nlocks;

unsigned int hand_count(void);
void hand_run(void);

#endif /* GNS_LIN_TEST_INT_H */
