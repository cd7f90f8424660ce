// SPDX-License-Identifier: GPL-2.0
/*
 * Which connection a request goes by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "satellite/sat.h"

#define CONNS 3u

static struct gns_conn conn[CONNS];
static struct gns_sat sat;

static int setup(void **state)
{
	u32 i;

	(void)state;
	memset(conn, 0, sizeof(conn));
	memset(&sat, 0, sizeof(sat));
	sat.cfg.conns = CONNS;
	for (i = 0; i < CONNS; i++) {
		sat.links[i].nr = i;
		sat.links[i].conn = &conn[i];
		sat.links[i].state = LINK_UP;
	}
	return 0;
}

static u32 picked(void)
{
	const struct link *l = link_pick(&sat);

	return l ? l->nr : CONNS;
}

static void test_turns(void **state)
{
	u32 i, n[CONNS] = { 0 };

	(void)state;
	for (i = 0; i < 10; i++)
		n[picked()]++;
	assert_int_equal(n[0], 0);
	assert_int_equal(n[1], 5);
	assert_int_equal(n[2], 5);
	conn[1].queued = SAT_LINK_QUEUED_MAX + 1;
	assert_int_equal(picked(), 2);
	assert_int_equal(picked(), 2);
}

/* Keepalives do not wait behind it: it waits for one of the others. */
static void test_full(void **state)
{
	(void)state;
	conn[1].queued = SAT_LINK_QUEUED_MAX + 1;
	conn[2].queued = SAT_LINK_QUEUED_MAX + 1;
	assert_int_equal(picked(), CONNS);
	sat.links[2].state = LINK_DOWN;
	assert_int_equal(picked(), CONNS);
	conn[1].queued = 0;
	assert_int_equal(picked(), 1);
}

static void test_alone(void **state)
{
	(void)state;
	sat.links[1].state = LINK_DOWN;
	sat.links[2].state = LINK_DOWN;
	assert_int_equal(picked(), 0);
	conn[0].queued = SAT_LINK_QUEUED_MAX + 1;
	assert_int_equal(picked(), CONNS);
	sat.cfg.conns = 1;
	conn[0].queued = 0;
	assert_int_equal(picked(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_turns, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_alone, setup),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
