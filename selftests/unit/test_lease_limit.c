// SPDX-License-Identifier: GPL-2.0
/*
 * As many leases as the origin allows: who asks for more is served without
 * one, something is left for what is urgent, and one session alone does not
 * get what others need. As root.
 */
#include "origin_rig.h"

#define MOST 16u
#define FILES 20u

static struct peer more[2];

static void files(void)
{
	char name[16];
	u32 i;

	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		put_file(below(name), "x", 1);
	}
	max_leases = MOST;
}

static int setup(void **state)
{
	origin_setup(state, files);
	return 0;
}

/* The grant's number; 0: served without a lease. */
static u64 lease(struct peer *p, u32 i, u8 want)
{
	struct gns_msg msg = { .type = GNS_GETATTR };
	char name[16];

	snprintf(name, sizeof(name), "f%u", i);
	msg.obj.fh = fh_of(name);
	msg.obj.want = GNS_WANT_LEASE | want;
	assert_int_equal(ask(p, &msg), 0);
	assert_int_equal(p->rep.r_obj.attr.size, 1);
	return p->rep.r_obj.grant.number;
}

static void give_back(struct peer *p, u32 i)
{
	struct gns_msg msg = { .type = GNS_RELEASED };
	char name[16];

	snprintf(name, sizeof(name), "f%u", i);
	msg.revoke.fh = fh_of(name);
	msg.revoke.upto = lease(p, i, 0);
	tell(p, &msg);
}

static void test_urgent(void **state)
{
	struct peer *p = &peers[0];
	u32 i;

	(void)state;
	for (i = 0; i < MOST - MOST / 8; i++)
		assert_true(lease(p, i, 0));
	assert_false(lease(p, i, 0));
	/* What it has it can have again. */
	assert_true(lease(p, 0, 0));
	for (; i < MOST; i++)
		assert_true(lease(p, i, GNS_WANT_TURN));
	assert_false(lease(p, i, GNS_WANT_TURN));
	give_back(p, 0);
	assert_false(lease(p, i, 0));
	assert_true(lease(p, i, GNS_WANT_TURN));
	for (i = 1; i < 5; i++)
		give_back(p, i);
	assert_true(lease(p, 1, 0));
}

static void test_share(void **state)
{
	u32 twice = 2 * MOST / 4, i;

	(void)state;
	hello(&more[0], 3);
	hello(&more[1], 4);
	for (i = 0; i < twice; i++)
		assert_true(lease(&peers[0], i, 0));
	assert_false(lease(&peers[0], i, 0));
	for (i = 0; i < MOST - MOST / 8 - twice; i++)
		assert_true(lease(&peers[1], i, 0));
	assert_false(lease(&peers[1], i, 0));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, origin_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_urgent),
		T(test_share),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
