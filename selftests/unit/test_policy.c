// SPDX-License-Identifier: GPL-2.0
/*
 * The cache's policy, by itself: what sets may have, and that what it keeps in
 * mind stays whole whatever is read. How good it is selftests/cache shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "kmod/cache/policy.h"

static u64 draw(void)
{
	static u64 x = 88172645463325252ull;

	/* xorshift64*, Vigna 2016 */
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * 2685821657736338717ull;
}

static void test_share(void **state)
{
	static const struct {
		u64 size[3], total, share[3];
	} cases[] = {
		{ { 10, 20, 30 }, 90, { 20, 30, 40 } }, /* all fit */
		{ { 10, 100, 100 }, 90, { 10, 40, 40 } },
		{ { 100, 100, 100 }, 90, { 30, 30, 30 } },
		{ { 20, 35, 100 }, 90, { 20, 35, 35 } },
		{ { 0, 100, 0 }, 90, { 0, 90, 0 } }, /* of whom nothing is known */
		{ { 0, 0, 0 }, 90, { 30, 30, 30 } },
		{ { 5, 5, 5 }, 0, { 0, 0, 0 } },
	};
	u64 share[3], sum;
	u32 i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		gns_policy_share(cases[i].size, share, 3, cases[i].total);
		for (k = 0, sum = 0; k < 3; sum += share[k++])
			assert_int_equal(share[k], cases[i].share[k]);
		assert_true(sum <= cases[i].total);
	}
}

/* Sets of all sizes, rooms that change, one after the other in one memory. */
static void test_whole(void **state)
{
	struct gns_pset *s = malloc(sizeof(*s));
	u64 size, room, n;
	u32 i, round;

	(void)state;
	assert_non_null(s);
	gns_pset_init(s);
	for (round = 0; round < 40; round++) {
		n = 1ull << draw() % 40;
		room = draw() % 3 ? draw() % n : (u64)0 - draw() % 2;
		for (i = 0; i < 20000; i++)
			gns_pset_seen(s, draw() % n * 0x9e3779b97f4a7c15ull,
				      room);
		size = gns_pset_size(s);
		assert_true(s->count <= GNS_PSET_SAMPLE);
		assert_true(s->shadow <= s->count);
		assert_true(size >= s->count);
	}
	free(s);
}

/* The size of a set that is read in rounds, small and large. */
static void test_size(void **state)
{
	static const u64 sizes[] = { 1, 100, 4096, 10000, 300000 };
	struct gns_pset *s = malloc(sizeof(*s));
	u64 i, got;
	u32 k, round;

	(void)state;
	assert_non_null(s);
	for (k = 0; k < ARRAY_SIZE(sizes); k++) {
		gns_pset_init(s);
		for (round = 0; round < 3; round++)
			for (i = 0; i < sizes[k]; i++)
				gns_pset_seen(s, (i + 1) * 0x9e3779b97f4a7c15ull,
					      sizes[k] / 2);
		got = gns_pset_size(s);
		assert_in_range(got, sizes[k] * 9 / 10, sizes[k] * 11 / 10 + 1);
	}
	free(s);
}

static void test_missed(void **state)
{
	u32 slot[1024] = { 0 };
	struct gns_pmissed m = { .slot = slot, .slots = 1024 };
	u64 h = 12345ull << 40 | 7;
	u32 i, wrong = 0;

	(void)state;
	assert_false(gns_pmissed_before(&m, h, 400));
	assert_true(gns_pmissed_before(&m, h, 400));
	for (i = 0; i < 90; i++)
		wrong += gns_pmissed_before(&m, draw(), 400);
	assert_true(gns_pmissed_before(&m, h, 400));
	for (i = 0; i < 130; i++)
		wrong += gns_pmissed_before(&m, draw(), 400);
	assert_false(gns_pmissed_before(&m, h, 400));
	assert_int_equal(wrong, 0);
	/* Nothing is missed twice where there is no room. */
	assert_false(gns_pmissed_before(&m, 1ull << 63, 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
