// SPDX-License-Identifier: GPL-2.0
/*
 * gns-demo: a change of a file that two satellites have cached and mapped,
 * while both can be reached, and while one of them is cut off.
 *
 *	gns-demo FILE
 *
 * Run by lab_run, with the satellites a and b; FILE is below the export, and
 * is overwritten. A line that begins with "not" tells of a broken promise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "change.h"
#include "client.h"
#include "lab.h"
#include "view.h"
#include "words.h"

#define FILE_LEN 65536u

static u8 buf[FILE_LEN] __attribute__((aligned(8)));

static struct demo {
	const char *file;
	struct changer *changer;
	struct view v[4]; /* a by read, a mapped, b by read, b mapped */
	unsigned int ttl; /* ms */
	bool failed;
} d;

static void check(bool good, const char *what)
{
	if (good)
		return;
	d.failed = true;
	printf("not so: %s\n", what);
}

/* Return: ns from the request to the acknowledgement. */
static u64 change(u32 state, u64 *when)
{
	u64 begin = lab_now();
	u32 status;

	words_fill(buf, sizeof(buf), state, 0);
	status = change_write(d.changer, d.file, 0, buf, sizeof(buf));
	if (status)
		die("the origin refused: %u", status);
	*when = change_when(d.changer);
	view_acked(state);
	return *when - begin;
}

static void see(unsigned int from, unsigned int to, u32 state, unsigned int ms)
{
	unsigned int i;

	for (i = from; i < to; i++)
		check(view_wait(&d.v[i], state, ms), "the change was seen in time");
}

static double after(const struct view *v, u64 when)
{
	return ((s64)v->seen - (s64)when) / 1e6;
}

static void both_reachable(void)
{
	u64 when, took = change(2, &when);

	see(0, 4, 2, 20000);
	printf("  revoked at both, applied and acknowledged after %9.1f ms\n",
	       took / 1e6);
	printf("  a sees it, by read and mapped: %+8.1f and %+.1f ms after that\n",
	       after(&d.v[0], when), after(&d.v[1], when));
	printf("  b sees it, by read and mapped: %+8.1f and %+.1f ms after that\n",
	       after(&d.v[2], when), after(&d.v[3], when));
	fflush(stdout);
}

static u64 looks(unsigned int from)
{
	return __atomic_load_n(&d.v[from].looks, __ATOMIC_RELAXED) +
	       __atomic_load_n(&d.v[from + 1].looks, __ATOMIC_RELAXED);
}

static void one_cut_off(void)
{
	u64 when, took, healed, before;

	lab("net_cut b");
	printf("  b is cut off\n");
	fflush(stdout);
	took = change(3, &when);
	see(0, 2, 3, 20000);
	printf("  the change waited for b's leases to end: %9.1f s\n", took / 1e9);
	printf("  a sees it, by read and mapped: %+8.1f and %+.1f ms after that\n",
	       after(&d.v[0], when), after(&d.v[1], when));
	before = looks(2);
	lab_sleep(3000);
	printf("  b's readers wait: %llu looks in 3 s, where a had %llu in all\n",
	       (unsigned long long)(looks(2) - before),
	       (unsigned long long)looks(0));
	check(looks(2) == before, "who is cut off waits");
	check(took < d.ttl * 1500000ull + 5000000000ull,
	      "the change went on at the deadline");
	fflush(stdout);
	lab("net_heal b");
	healed = lab_now();
	see(2, 4, 3, 60000);
	printf("  healed; b goes on, by read and mapped, after %.1f and %.1f s\n",
	       after(&d.v[2], healed) / 1e3, after(&d.v[3], healed) / 1e3);
}

int main(int argc, char **argv)
{
	u64 stale = 0, n = 0, when;
	unsigned int i;

	if (argc != 2)
		die("usage: gns-demo FILE");
	d.file = argv[1];
	d.ttl = atoi(lab_env("TTL")) * 1000;
	d.changer = changer_open("/run/netns/o", lab_env("ORIGIN"), "x");
	change(1, &when);
	for (i = 0; i < 4; i++) {
		view_start(&d.v[i],
			   lab_path(lab_path(lab_env("LAB"), i < 2 ? "a" : "b"),
				    d.file),
			   i % 2);
		check(view_wait(&d.v[i], 1, 20000), "the file can be read");
	}
	both_reachable();
	one_cut_off();
	for (i = 0; i < 4; i++) {
		view_stop(&d.v[i]);
		stale += d.v[i].stale;
		n += d.v[i].looks;
		check(!d.v[i].errors, "no reader gets an error");
	}
	printf("  %llu looks by four readers; of old bytes: %llu\n",
	       (unsigned long long)n, (unsigned long long)stale);
	check(!stale, "nobody reads old bytes");
	changer_close(d.changer);
	return d.failed;
}
