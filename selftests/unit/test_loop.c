// SPDX-License-Identifier: GPL-2.0
/*
 * Timers on the host's clocks: never early, in order, cancelled for good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/loop.h"

#define TIMERS 2000u

struct shot {
	struct gns_timer t;
	u64 at;
	u32 fired;
	struct shot *other; /* cancelled by this one */
};

static uv_loop_t loop;
static struct gns_env *env;
static u32 fired;
static u64 last;

static void fire(void *arg)
{
	struct shot *s = arg;

	assert_true(gns_boottime(env) >= s->at);
	assert_true(s->at >= last);
	assert_int_equal(s->t.at, 0);
	last = s->at;
	s->fired++;
	fired++;
	if (s->other)
		gns_timer_cancel(&s->other->t);
}

static int setup(void **state)
{
	fired = 0;
	last = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	env = gns_loop_create(&loop);
	return env ? 0 : -1;
}

static int teardown(void **state)
{
	gns_loop_destroy(env);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void stop(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void run_for(u64 ms)
{
	uv_timer_t end;

	uv_timer_init(&loop, &end);
	uv_timer_start(&end, stop, ms, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&end, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
}

static void arm(struct shot *s, u64 at)
{
	s->at = at;
	gns_timer_arm(&s->t, at);
}

static void test_order(void **state)
{
	struct shot *v = calloc(TIMERS, sizeof(*v));
	u64 now = gns_boottime(env);
	u32 i, cancelled = 0;

	assert_non_null(v);
	srand(7);
	for (i = 0; i < TIMERS; i++) {
		gns_timer_init(&v[i].t, env, fire, &v[i]);
		arm(&v[i], now + (u32)rand() % 200 * NSEC_PER_MSEC);
	}
	for (i = 0; i < TIMERS; i++) {
		if (i % 5 == 1) {
			gns_timer_cancel(&v[i].t);
			gns_timer_cancel(&v[i].t);
			cancelled++;
		} else if (i % 5 == 2) {
			arm(&v[i], now + (u32)rand() % 200 * NSEC_PER_MSEC);
		}
	}
	run_for(400);
	assert_int_equal(fired, TIMERS - cancelled);
	for (i = 0; i < TIMERS; i++)
		assert_int_equal(v[i].fired, i % 5 != 1);
	free(v);
}

static void test_cancel_in_callback(void **state)
{
	u64 at = gns_boottime(env) + 5 * NSEC_PER_MSEC;
	struct shot a = { 0 }, b = { 0 };

	gns_timer_init(&a.t, env, fire, &a);
	gns_timer_init(&b.t, env, fire, &b);
	a.other = &b;
	b.other = &a;
	arm(&a, at);
	arm(&b, at);
	run_for(30);
	assert_int_equal(a.fired + b.fired, 1);
}

struct again {
	struct gns_timer t;
	u32 left;
};

static void fire_again(void *arg)
{
	struct again *a = arg;

	fired++;
	if (--a->left)
		gns_timer_arm(&a->t, 1);
}

/* A timer that always arms itself in the past must not stop the loop. */
static void test_past(void **state)
{
	struct again a = { .left = 100000 };

	gns_timer_init(&a.t, env, fire_again, &a);
	gns_timer_arm(&a.t, 0);
	run_for(20);
	assert_true(fired > 100);
	gns_timer_cancel(&a.t);
}

static void test_far(void **state)
{
	struct shot a = { 0 }, b = { 0 };

	gns_timer_init(&a.t, env, fire, &a);
	gns_timer_init(&b.t, env, fire, &b);
	gns_timer_arm(&a.t, UINT64_MAX);
	arm(&b, gns_boottime(env) + NSEC_PER_MSEC);
	run_for(20);
	assert_int_equal(b.fired, 1);
	assert_int_equal(a.fired, 0);
}

static void test_clocks(void **state)
{
	u64 a = gns_boottime(env), b = gns_boottime(env);

	assert_true(b >= a);
	assert_true(gns_realtime(env) > 1500000000 * NSEC_PER_SEC);
	assert_int_not_equal(gns_random(env), gns_random(env));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_order),
		CASE(test_cancel_in_callback),
		CASE(test_past),
		CASE(test_far),
		CASE(test_clocks),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
