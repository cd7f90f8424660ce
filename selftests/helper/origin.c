// SPDX-License-Identifier: GPL-2.0
/*
 * helper-origin: the origin's daemon is killed or stopped, and started again.
 * Readers go on, with what they have cached at once, with the rest when it is
 * back; changes go on after the grace time.
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

static u64 ttl_ms;

static void again(const char *end, unsigned int down_ms)
{
	struct host_status before, after;
	struct traffic t;
	u64 begin;

	host_status("a", &before);
	lab("%s", end);
	lab_sleep(down_ms);
	begin = lab_now();
	lab("origin_start");
	if (!traffic_flows(lab_slow(FLOW_MS)))
		tap_bad("the traffic has stopped");
	t = traffic_now();
	while (traffic_now().changes < t.changes + 2 && lab_ms(begin) < lab_slow(FLOW_MS))
		lab_sleep(20);
	if (traffic_now().changes < t.changes + 2)
		tap_bad("no changes");
	host_status("a", &after);
	tap_note("all goes on after %llu ms; %llu of %llu objects were the same",
		 (unsigned long long)lab_ms(begin),
		 (unsigned long long)(after.v[GNS_C_KEPT] - before.v[GNS_C_KEPT]),
		 (unsigned long long)(after.v[GNS_C_REVALIDATED] -
				      before.v[GNS_C_REVALIDATED]));
	if (after.sid == before.sid)
		tap_bad("it is the same session still");
	tap_good("%s, gone for %u ms: a pause, no error, no old byte", end, down_ms);
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
	traffic_start(c, hosts, 20);
	if (!traffic_flows(FLOW_MS))
		tap_bad("no traffic");
	again("origin_kill", 0);
	again("origin_kill", ttl_ms * 3 / 2);
	again("origin_stop", 500);
	traffic_stop();
	tap_good("all readers end");
	changer_close(c);
	return tap_end();
}
