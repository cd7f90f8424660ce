// SPDX-License-Identifier: GPL-2.0
/*
 * The memory that answers are received into: blocks never overlap, none is
 * lost, and a full region is no dead end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "satellite/bulk.h"

#define BLOCKS 64u

struct block {
	u8 *p;
	u32 len;
};

static bool inside(struct gns_bulk_region *b, const u8 *p)
{
	const u8 *base = gns_bulk_scratch(b);

	return p >= base && p < base + GNS_BULK_MIN;
}

static void test_sizes(void **state)
{
	(void)state;
	assert_null(gns_bulk_create(GNS_BULK_MIN - 1));
	assert_int_equal(errno, EINVAL);
	assert_null(gns_bulk_create(GNS_UBUF_MAX + 1));
	gns_bulk_destroy(NULL);
}

static void test_blocks(void **state)
{
	struct gns_bulk_region *b = gns_bulk_create(GNS_BULK_MIN);
	struct gns_mem *mem = gns_bulk_mem(b);
	struct block v[BLOCKS] = { 0 };
	struct gns_bulk_stats st;
	u32 round, i, k;

	(void)state;
	srandom(1);
	for (round = 0; round < 20000; round++) {
		i = (u32)random() % BLOCKS;
		if (v[i].p) {
			for (k = 0; k < v[i].len; k += 4096)
				assert_int_equal(v[i].p[k], i);
			assert_int_equal(v[i].p[v[i].len - 1], i);
			gns_mem_free(mem, v[i].p);
			v[i].p = NULL;
			continue;
		}
		v[i].len = 1u + (u32)random() % (1u << random() % 22);
		v[i].p = gns_mem_alloc(mem, v[i].len);
		assert_non_null(v[i].p);
		for (k = 0; k < v[i].len; k += 4096)
			v[i].p[k] = (u8)i;
		v[i].p[v[i].len - 1] = (u8)i;
		/* The scratch block belongs to nobody else. */
		assert_false(inside(b, v[i].p) &&
			     v[i].p < (u8 *)gns_bulk_scratch(b) +
					      GNS_BULK_SCRATCH);
	}
	gns_bulk_stats(b, &st);
	assert_true(st.full);
	for (i = 0; i < BLOCKS; i++)
		gns_mem_free(mem, v[i].p);
	/* All of it is there again. */
	for (i = 0; i < 3; i++) {
		v[i].p = gns_mem_alloc(mem, 2 << 20);
		assert_true(inside(b, v[i].p));
	}
	for (i = 0; i < 3; i++)
		gns_mem_free(mem, v[i].p);
	/* The transport may be done with it before its owner, or after. */
	gns_bulk_destroy(b);
	v[0].p = gns_mem_alloc(mem, 100);
	gns_mem_free(mem, v[0].p);
	mem->done(mem);
}

static void test_no_device(void **state)
{
	struct gns_bulk_region *b = gns_bulk_create(GNS_BULK_MIN);
	struct gns_ufill fill = { 0 };

	(void)state;
	assert_int_equal(gns_bulk_register(b, -1), -EBADF);
	assert_int_equal(gns_bulk_fill(b, &fill, "x", 1), -EBADF);
	/* What lies elsewhere was put where the kernel can find it. */
	assert_memory_equal(gns_bulk_scratch(b), "x", 1);
	assert_int_equal(fill.offset, 0);
	assert_int_equal(fill.len, 1);
	assert_int_equal(gns_bulk_fill(b, &fill,
				       (u8 *)gns_bulk_scratch(b) + 5, 7),
			 -EBADF);
	assert_int_equal(fill.offset, 5);
	assert_int_equal(gns_bulk_fill(b, &fill, NULL, GNS_BULK_SCRATCH + 1),
			 -EMSGSIZE);
	assert_int_equal(gns_bulk_take(b, 1, GNS_BULK_SCRATCH + 1), -EMSGSIZE);
	gns_bulk_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_no_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
