// SPDX-License-Identifier: GPL-2.0
/*
 * Faults, one after the other; see nemesis.h. Each kind comes once before any
 * comes again.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/inject.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "left.h"
#include "nemesis.h"
#include "reset.h"
#include "tree/client.h"

/* As xfs and ext4 have it: at once, without a word to the journal. */
#define SHUTDOWN _IOR('X', 125, u32)
#define SHUTDOWN_NOLOGFLUSH 2u

#define CLOCK_STEP 7200 /* seconds, at most */
#define CLOCK_BEND 80 /* thousandths, at most: NTP can do that */

#define ATORIGIN "$GNS_TOP/build/obj/selftests/history/atorigin"

static void random_fault(struct nemesis *m, u32 kinds);

u32 nemesis_rnd(struct nemesis *m, u32 n)
{
	m->rnd = m->rnd * 6364136223846793005ull + 1442695040888963407ull;
	return (m->rnd >> 33) % n;
}

static u32 some_host(struct nemesis *m)
{
	return nemesis_rnd(m, m->nhosts);
}

/* Something of the network may break as well meanwhile. */
static void a_while(struct nemesis *m)
{
	lab_sleep(nemesis_rnd(m, m->ttl_ms * 3 / 2));
	if (!nemesis_rnd(m, 4))
		random_fault(m, 1u << F_CUT | 1u << F_DELAY | 1u << F_LOSSY |
					1u << F_CLOCK);
}

/* What hangs has lost its session before it goes on, mostly. */
static void longer_than_ttl(struct nemesis *m)
{
	lab_sleep(m->ttl_ms + nemesis_rnd(m, 2 * m->ttl_ms));
	a_while(m);
}

static void cut_link(struct nemesis *m)
{
	static const char *const ways[] = { "", "in", "out" };
	u32 i = nemesis_rnd(m, m->nhosts + 1);
	const char *host = i < m->nhosts ? m->hosts[i] : "o";
	const char *way = ways[nemesis_rnd(m, 3)];

	tap_note("cut %s %s", host, way);
	lab("net_cut %s %s", host, way);
	/* Of all kinds the one which may not come twice at once. */
	lab_sleep(nemesis_rnd(m, m->ttl_ms * 3 / 2));
	lab("net_heal %s %s", host, way);
}

static void bad_link(struct nemesis *m, bool lossy)
{
	u32 i = some_host(m), how = nemesis_rnd(m, 30);

	if (lossy) {
		tap_note("%s loses %u %%", m->hosts[i], 3 + how);
		lab("net_link %s %s loss %u%%", m->hosts[i], m->link[i], 3 + how);
	} else {
		tap_note("%s is %u ms away", m->hosts[i], 20 * how);
		lab("net_link %s delay %ums %ums", m->hosts[i], 20 * how,
		    5 * how);
	}
	lab_sleep(nemesis_rnd(m, m->ttl_ms * 3 / 2));
	lab("net_link %s %s", m->hosts[i], m->link[i]);
}

static void reset_of(struct nemesis *m, const char *host)
{
	int n;

	if (m->beside && !strcmp(host, "o")) {
		lab("at_origin '" ATORIGIN " reset $(<$LAB/o.pid)'");
		return;
	}
	n = reset_connections(lab_pid(host));
	if (n < 0)
		die("connections of %s: %s", host, strerror(-n));
	tap_note("%d connections of %s are reset", n, host);
}

static void reset_some(struct nemesis *m)
{
	u32 i = nemesis_rnd(m, m->nhosts + 1);
	const char *host = i < m->nhosts ? m->hosts[i] : "o";
	bool deaf = nemesis_rnd(m, 4);

	/* It asks, and does not hear the answers: it will ask again. */
	if (deaf) {
		lab("net_cut %s in", host);
		lab_sleep(100 + nemesis_rnd(m, 400));
	}
	reset_of(m, host);
	if (deaf)
		lab("net_heal %s in", host);
}

static void helper_killed(struct nemesis *m)
{
	const char *host = m->hosts[some_host(m)];

	tap_note("the helper of %s is killed", host);
	lab("helper_kill %s", host);
	if (nemesis_rnd(m, 2))
		a_while(m);
	lab("helper_start %s", host);
}

static void stopped(struct nemesis *m, const char *host)
{
	tap_note("the helper of %s hangs", host);
	lab("helper_freeze %s", host);
	longer_than_ttl(m);
	lab("helper_thaw %s", host);
}

/* With all of its host, and that with or without its clock. */
static void origin_hangs(struct nemesis *m)
{
	static const char *const ways[][3] = {
		{ "stop", "go", "goes on" },
		{ "freeze", "thaw", "stands still, too" },
	};
	u32 how = m->beside ? nemesis_rnd(m, 3) : 2;

	if (how == 2)
		return stopped(m, "o");
	tap_note("the origin's machine stands still, its clock %s",
		 ways[how][2]);
	lab("beside %s", ways[how][0]);
	longer_than_ttl(m);
	lab("beside %s", ways[how][1]);
}

static void empty_caches(struct nemesis *m)
{
	tap_note("caches are dropped");
	lab("echo %u >/proc/sys/vm/drop_caches", 1 + nemesis_rnd(m, 3));
}

static void drop_mount(struct nemesis *m)
{
	const char *host = m->hosts[some_host(m)];

	tap_note("gnsctl drop on %s", host);
	lab("on %s \"$GNS_TOP/build/obj/tools/gnsctl\" drop $LAB/%s >/dev/null",
	    host, host);
}

static void step_clock(s64 seconds)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts))
		die("no clock");
	ts.tv_sec += seconds;
	if (clock_settime(CLOCK_REALTIME, &ts))
		die("the clock can not be set: %s", strerror(errno));
}

/* All of its clocks run as they like, and one shows what it likes. */
static void origin_clock(struct nemesis *m)
{
	u32 rate = 1000 - CLOCK_BEND + nemesis_rnd(m, 2 * CLOCK_BEND + 1);
	int by = (int)nemesis_rnd(m, 2 * CLOCK_STEP) - CLOCK_STEP;

	tap_note("the origin's clocks run at %u/1000, and CLOCK_REALTIME steps by %d s",
		 rate, by);
	lab("at_origin " ATORIGIN " clock %u %d", rate, by);
}

static void clock_steps(struct nemesis *m)
{
	s64 by = (s64)nemesis_rnd(m, 2 * CLOCK_STEP) - CLOCK_STEP;

	if (m->beside && nemesis_rnd(m, 2))
		return origin_clock(m);
	tap_note("CLOCK_REALTIME steps by %lld s", (long long)by);
	step_clock(by);
	m->clock += by;
}

/* Of readers, writers, helpers and workers; sometimes hardly anything works. */
static void no_memory(struct nemesis *m)
{
	u32 one_in = 2u << nemesis_rnd(m, 6);
	u64 before = inject_count();

	inject_random(one_in);
	longer_than_ttl(m);
	inject_random(0);
	tap_note("one of %u allocations fails: %llu did", one_in,
		 (unsigned long long)(inject_count() - before));
}

static void origin_start(struct nemesis *m)
{
	lab("origin_start");
	m->changes_at = lab_now() + m->ttl_ms * 5 / 4 * NSEC_PER_MSEC +
			250 * NSEC_PER_MSEC;
}

static void origin_killed(struct nemesis *m)
{
	tap_note("the origin is killed");
	lab("origin_kill");
	if (nemesis_rnd(m, 2))
		a_while(m);
	origin_start(m);
}

static void shut_down(const char *dir)
{
	u32 how = SHUTDOWN_NOLOGFLUSH;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, SHUTDOWN, &how))
		die("%s can not be shut down: %s", dir, strerror(errno));
	close(fd);
}

/*
 * In one machine: the kernel and its caches can not be killed with the process.
 * They are let go just after it, as if it had said nothing in its last moment.
 */
static u64 lose_here(struct left *left)
{
	const char *disk = lab_path(lab_env("LAB"), "disk");
	u64 begin;

	lab("origin_kill");
	begin = lab_now();
	shut_down(disk);
	lab("disk_boot");
	left_look(lab_path(disk, "x"), left);
	return begin;
}

static u64 lose_beside(struct nemesis *m, struct left *left)
{
	char line[2 * sizeof(*left) + 2] = "";
	u64 begin;
	FILE *f;

	lab("beside_cut");
	begin = lab_now();
	lab("beside_boot");
	origin_clock(m);
	lab("beside run '" ATORIGIN " left $EXPORT'");
	f = fopen(lab_path(lab_env("LAB"), "beside.out"), "re");
	if (!f || !fgets(line, sizeof(line), f) || !left_parse(line, left))
		die("nothing is said of the disk");
	fclose(f);
	return begin;
}

static void power_lost(struct nemesis *m)
{
	struct hist *h = m->me.h;
	struct loss *l = &h->losses[h->nlosses];
	struct left left;
	u64 begin;

	if (h->nlosses == LOSSES)
		return;
	/* There has to be something to lose: all was synced at its start. */
	while (lab_now() < m->changes_at)
		lab_sleep(100);
	lab_sleep(1000 + nemesis_rnd(m, 1500));
	tap_note("the origin loses power");
	l->call = hist_stamp(h);
	begin = m->beside ? lose_beside(m, &left) : lose_here(&left);
	l->ret = hist_stamp(h);
	rec_losses(&m->me, &left, l);
	origin_start(m);
	while (lab_ms(begin) <= m->ttl_ms)
		lab_sleep(100);
	l->end = hist_stamp(h);
	h->nlosses++;
}

static void run(struct nemesis *m, enum fault f)
{
	switch (f) {
	case F_CUT:
		return cut_link(m);
	case F_DELAY:
	case F_LOSSY:
		return bad_link(m, f == F_LOSSY);
	case F_RESET:
		return reset_some(m);
	case F_HELPER_KILLED:
		return helper_killed(m);
	case F_HELPER_HANGS:
		return stopped(m, m->hosts[some_host(m)]);
	case F_CACHES:
		return empty_caches(m);
	case F_DROP:
		return drop_mount(m);
	case F_CLOCK:
		return clock_steps(m);
	case F_ORIGIN_KILLED:
		return origin_killed(m);
	case F_ORIGIN_HANGS:
		return origin_hangs(m);
	case F_POWER:
		return power_lost(m);
	case F_MEMORY:
		return no_memory(m);
	case F_MAX:
		break;
	}
}

static void random_fault(struct nemesis *m, u32 kinds)
{
	u32 f;

	kinds &= m->kinds;
	if (!kinds)
		return;
	do {
		f = nemesis_rnd(m, F_MAX);
	} while (!(kinds & 1u << f));
	run(m, f);
}

void nemesis_begin(struct nemesis *m)
{
	if (m->beside)
		origin_clock(m);
}

void nemesis_fault(struct nemesis *m)
{
	u32 f, i;

	if (!m->ndeck)
		for (f = 0; f < F_MAX; f++)
			if (m->kinds & 1u << f)
				m->deck[m->ndeck++] = f;
	i = nemesis_rnd(m, m->ndeck);
	f = m->deck[i];
	m->deck[i] = m->deck[--m->ndeck];
	run(m, f);
	lab_sleep(200 + nemesis_rnd(m, 1000));
}

void nemesis_end(struct nemesis *m)
{
	step_clock(-m->clock);
	m->clock = 0;
}
