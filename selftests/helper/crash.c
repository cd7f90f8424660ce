// SPDX-License-Identifier: GPL-2.0
/*
 * helper-crash: the helper of satellite a is killed, stopped and started again,
 * at all kinds of moments, while applications read and files change. On a hard
 * mount that is a pause: no call fails, nobody sees an old byte, and all goes
 * on. Satellite b does not notice, but for changes that wait for a's deadline.
 *
 * The origin's TTL is $TTL seconds.
 */
#include <stdlib.h>

#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"
#include "traffic.h"

#define FLOW_MS 20000u
#define ROUNDS 5

static u64 ttl_ms;
static unsigned int seed = 1;

static void good(const char *what)
{
	if (!traffic_flows(lab_slow(FLOW_MS)))
		tap_bad("the traffic has stopped");
	tap_good("%s: a pause, no error, no old byte", what);
}

static void restart(void)
{
	lab("helper_kill a");
	lab("helper_start a");
}

static void any_time(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		lab_sleep(50 + rand_r(&seed) % 300);
		restart();
		if (!traffic_flows(lab_slow(FLOW_MS)))
			tap_bad("round %d: the traffic has stopped", i);
	}
	good("killed at any time");
}

/* Nearly all calls are under way, on their way there or back. */
static void calls_pending(void)
{
	struct host_status st;

	lab("net_link a delay 100ms");
	lab_sleep(350);
	host_status("a", &st);
	if (!st.pending)
		tap_bad("nothing is pending");
	lab("helper_kill a");
	host_status("a", &st);
	tap_note("%llu calls are pending", (unsigned long long)st.pending);
	if (!st.pending)
		tap_bad("calls were lost with the helper");
	lab("helper_start a");
	lab("net_link a");
	good("killed while calls are pending");
}

/*
 * The REVOKE of some change comes in, nothing goes out any more: then the
 * helper is gone, and has not said RELEASED.
 */
static void revoke_heard(void)
{
	u64 revokes = host_count("a", GNS_C_REVOKES), begin;
	struct traffic t;

	lab("net_cut a out");
	lab_sleep(400);
	lab("helper_kill a");
	tap_note("%llu revokes", (unsigned long long)(host_count("a", GNS_C_REVOKES) -
						      revokes));
	lab("net_heal a");
	t = traffic_now();
	begin = lab_now();
	lab("helper_start a");
	while (traffic_now().changes == t.changes && lab_ms(begin) < FLOW_MS)
		lab_sleep(10);
	tap_note("the change went on after %llu ms",
		 (unsigned long long)lab_ms(begin));
	good("killed between REVOKE and RELEASED");
}

/* Stopped for longer than its leases live; @dead: killed instead. */
static void gone_for_long(bool dead)
{
	struct host_status st;
	struct traffic t;
	u64 begin;

	lab(dead ? "helper_kill a" : "helper_freeze a");
	begin = lab_now();
	lab_sleep(ttl_ms + lab_slow(300));
	host_status("a", &st);
	if (st.left)
		tap_bad("a's leases live on for %llu ms",
			(unsigned long long)st.left / NSEC_PER_MSEC);
	t = traffic_now();
	/* The origin's deadline is a quarter later. */
	while (traffic_now().changes < t.changes + 2 && lab_ms(begin) < FLOW_MS)
		lab_sleep(20);
	tap_note("changes go on after %llu ms", (unsigned long long)lab_ms(begin));
	if (lab_ms(begin) > ttl_ms * 5 / 4 + lab_slow(2500))
		tap_bad("changes do not go on");
	lab(dead ? "helper_start a" : "helper_thaw a");
	good(dead ? "dead for longer than the leases" :
		    "stopped for longer than the leases");
}

static void stopped_shortly(void)
{
	lab("helper_freeze a");
	lab_sleep(ttl_ms / 3);
	lab("helper_thaw a");
	good("stopped for less than that");
}

int main(void)
{
	static char *const hosts[] = { "a", "b", NULL };
	struct changer *c;

	ttl_ms = atof(lab_env("TTL")) * 1000;
	lab("mkdir $EXPORT");
	traffic_prepare();
	lab("cluster a b");
	c = changer_open("/run/netns/o", lab_env("ORIGIN"), "x");
	restart();
	tap_good("killed and started without any use");
	traffic_start(c, hosts, 20);
	good("nothing has happened yet");
	any_time();
	calls_pending();
	revoke_heard();
	stopped_shortly();
	gone_for_long(false);
	gone_for_long(true);
	traffic_stop();
	tap_good("all readers end");
	changer_close(c);
	return tap_end();
}
