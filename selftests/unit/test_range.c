// SPDX-License-Identifier: GPL-2.0
/*
 * Locked ranges of one object against a model that has a byte for each byte.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "origin/lock.h"

#define BYTES 24u /* the last one stands for all up to the end */
#define RECS 2u
#define OWNERS 2u
#define KINDS 2u
#define WHO (RECS * OWNERS * KINDS)
#define NONE 2u

static struct lock_table t;
static struct lock_rec recs[RECS];
static u8 model[WHO][BYTES]; /* GNS_LK_*, NONE */
static u64 rng;

static u32 dice(u32 n)
{
	rng = rng * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(rng >> 33) % n;
}

static u64 byte_end(u32 i)
{
	return i == BYTES - 1 ? UINT64_MAX : i;
}

static u32 who(const struct lock_want *w)
{
	u32 r = (u32)(w->r - recs);

	return (r * OWNERS + (u32)w->owner) * KINDS + w->kind;
}

static void reset(u64 seed)
{
	rng = seed;
	TAILQ_INIT(&t.held);
	TAILQ_INIT(&t.waiters);
	memset(recs, 0, sizeof(recs));
	memset(model, NONE, sizeof(model));
}

static void clear(void)
{
	while (!TAILQ_EMPTY(&t.held))
		range_drop(&t, TAILQ_FIRST(&t.held));
}

static struct lock_want any(u32 *from, u32 *to)
{
	struct lock_want w = {
		.r = &recs[dice(RECS)],
		.owner = dice(OWNERS),
		.kind = (u8)dice(KINDS),
		.op = (u8)dice(3),
	};

	*from = dice(BYTES);
	*to = *from + dice(BYTES - *from);
	w.start = *from;
	w.end = byte_end(*to);
	return w;
}

static void model_set(const struct lock_want *w, u32 from, u32 to)
{
	u8 op = w->op == GNS_LK_UNLOCK ? NONE : w->op;

	for (; from <= to; from++)
		model[who(w)][from] = op;
}

static bool model_conflict(const struct lock_want *w, u32 from, u32 to)
{
	u32 i, b, me = who(w);

	for (i = 0; i < WHO; i++) {
		if (i == me || i % KINDS != w->kind)
			continue;
		for (b = from; b <= to; b++)
			if (model[i][b] != NONE &&
			    (model[i][b] == GNS_LK_WRITE ||
			     w->op == GNS_LK_WRITE))
				return true;
	}
	return false;
}

/* What is held is what the model says, in as few locks as can be. */
static void compare(void)
{
	u8 seen[WHO][BYTES];
	u32 runs = 0, held = 0, i, b;
	struct lock_held *h;

	memset(seen, NONE, sizeof(seen));
	TAILQ_FOREACH(h, &t.held, link) {
		assert_true(h->w.start <= h->w.end);
		for (b = (u32)h->w.start; b < BYTES && b <= h->w.end; b++) {
			assert_int_equal(seen[who(&h->w)][b], NONE);
			seen[who(&h->w)][b] = h->w.op;
		}
		assert_true(h->w.end < BYTES - 1 || h->w.end == UINT64_MAX);
		held++;
	}
	assert_memory_equal(seen, model, sizeof(model));
	for (i = 0; i < WHO; i++)
		for (b = 0; b < BYTES; b++)
			runs += model[i][b] != NONE &&
				(!b || model[i][b] != model[i][b - 1]);
	assert_int_equal(held, runs);
	assert_int_equal(held, recs[0].held + recs[1].held);
}

static void test_random(void **state)
{
	struct lock_want w;
	struct lock_held *h;
	u32 i, from, to;
	u64 seed;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		reset(seed);
		for (i = 0; i < 300; i++) {
			w = any(&from, &to);
			if (w.op != GNS_LK_UNLOCK) {
				h = range_conflict(&t, &w);
				assert_int_equal(range_taken(&t, &w), !!h);
				assert_int_equal(!!h,
						 model_conflict(&w, from, to));
				if (h)
					continue;
			}
			assert_int_equal(range_set(&t, &w, 100), 0);
			model_set(&w, from, to);
			compare();
		}
		clear();
	}
}

static struct lock_want of(u64 owner, u8 op, u64 start, u64 end)
{
	return (struct lock_want){ &recs[0], owner, start, end,
				   0, GNS_LC_RANGE, op };
}

static void test_room(void **state)
{
	struct lock_want w = of(1, GNS_LK_WRITE, 0, UINT64_MAX);

	(void)state;
	reset(1);
	assert_int_equal(range_set(&t, &w, 0), ENOLCK);
	assert_int_equal(range_set(&t, &w, 1), 0);
	w = of(1, GNS_LK_UNLOCK, 5, 5);
	assert_int_equal(range_set(&t, &w, 0), ENOLCK);
	assert_int_equal(recs[0].held, 1);
	assert_int_equal(range_set(&t, &w, 1), 0);
	assert_int_equal(recs[0].held, 2);
	w = of(1, GNS_LK_UNLOCK, 0, UINT64_MAX);
	assert_int_equal(range_set(&t, &w, 0), 0);
	assert_int_equal(recs[0].held, 0);
}

static void test_ends(void **state)
{
	struct lock_want w = of(1, GNS_LK_WRITE, UINT64_MAX, UINT64_MAX);
	struct lock_held *h;

	(void)state;
	reset(1);
	assert_int_equal(range_set(&t, &w, 9), 0);
	/* Not the neighbour of the first byte. */
	w = of(1, GNS_LK_WRITE, 0, 0);
	assert_int_equal(range_set(&t, &w, 9), 0);
	assert_int_equal(recs[0].held, 2);
	w = of(2, GNS_LK_READ, 1, UINT64_MAX - 1);
	assert_null(range_conflict(&t, &w));
	w = of(2, GNS_LK_READ, 0, UINT64_MAX);
	h = range_conflict(&t, &w);
	assert_non_null(h);
	assert_int_equal(h->w.start, 0);
	clear();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
