// SPDX-License-Identifier: GPL-2.0
/*
 * lease-expire: a satellite is cut off. Until its deadline it reads what it has
 * cached; behind it, it waits. A change waits for that deadline as well, and
 * then goes on. After healing nobody has seen an old byte, and what has not
 * changed is valid again without having been fetched.
 *
 *	lease-expire [lost]
 *
 * "lost": and the REVOKE that is on its way never arrives, so that only the
 * version says what has changed. The origin's TTL is $TTL seconds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"
#include "watch.h"
#include "words.h"

#define LEN (512u << 10)
#define FILES 100 /* that are kept, beside the large one */

/**
 * struct looker - one who looks at something cached, again and again
 * @what: "read", "map" or "stat"
 * @last: ns: the newest look that has ended, and begun before the cut healed
 * @slow: ms: the longest look that began before @patience
 * @patience: ns: looks that begin up to here have to be quick
 */
struct looker {
	const char *what;
	void (*look)(struct looker *l);
	struct watch *w;
	int fd;
	volatile u64 *map;
	pthread_t thread;
	_Atomic u64 last;
	_Atomic u64 slow;
	_Atomic u64 patience;
	_Atomic u64 count;
};

static struct watch kept = { .name = "kept" };
static struct watch changed = { .name = "changed" };
static struct watch changed_b = { .name = "changed" };
static struct changer *changer;
static u64 ttl;
static _Atomic bool over;

static const char *at(const char *host, const char *name)
{
	return lab_path(lab_path(lab_env("LAB"), host), name);
}

static void judge(struct looker *l, u32 oldest, const u64 *p, ssize_t n, u64 off)
{
	u64 bad = 0;
	s64 state;

	if (n < (ssize_t)WORD) {
		tap_bad("%s of %s: %zd, %s", l->what, l->w->name, n,
			strerror(errno));
		return;
	}
	state = words_check(p, n, off, &bad);
	if (state < 0)
		tap_bad("%s of %s: two states, from %llu on", l->what,
			l->w->name, (unsigned long long)bad);
	else
		watch_seen(l->w, oldest, state, l->what);
}

static void look_read(struct looker *l)
{
	static __thread u64 buf[65536 / WORD];
	u32 oldest = watch_look(l->w);
	u64 off = l->count * 4096 % (LEN - sizeof(buf)) / 4096 * 4096;

	judge(l, oldest, buf, pread(l->fd, buf, sizeof(buf), off), off);
}

static void look_map(struct looker *l)
{
	u32 oldest = watch_look(l->w);
	u64 i = l->count * 777 % (LEN / WORD), word = l->map[i];

	judge(l, oldest, &word, WORD, i * WORD);
}

static void look_stat(struct looker *l)
{
	struct stat st;
	u32 oldest = watch_look(l->w);

	if (stat(at("a", l->w->name), &st) || st.st_size != LEN)
		tap_bad("stat: %s", strerror(errno));
	watch_seen(l->w, oldest, oldest, l->what);
}

static void *look_on(void *arg)
{
	struct looker *l = arg;
	u64 begin, ms;

	while (!over) {
		begin = lab_now();
		l->look(l);
		ms = lab_ms(begin);
		if (begin < l->patience && ms > l->slow)
			l->slow = ms;
		l->last = begin;
		l->count++;
		lab_sleep(2);
	}
	return NULL;
}

static struct looker lookers[] = {
	{ .what = "read", .look = look_read, .w = &kept },
	{ .what = "read", .look = look_read, .w = &changed },
	{ .what = "stat", .look = look_stat, .w = &kept },
	{ .what = "map", .look = look_map, .w = &kept },
	{ .what = "map", .look = look_map, .w = &changed },
};

static void start(struct looker *l)
{
	l->fd = lab_open(at("a", l->w->name));
	l->map = mmap(NULL, LEN, PROT_READ, MAP_SHARED, l->fd, 0);
	if (l->map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	l->thread = lab_thread(look_on, l);
}

static void write_state(struct watch *w)
{
	static u64 buf[LEN / WORD];
	u32 state = watch_begin(w);

	words_fill(buf, LEN, state, 0);
	watch_end(w, state, change_write(changer, w->name, 0, buf, LEN));
}

static void read_all(const char *host)
{
	static char buf[LEN];
	char name[32];
	int i, fd;

	for (i = -2; i < FILES; i++) {
		snprintf(name, sizeof(name), "small-%d", i);
		fd = lab_open(at(host, i == -2 ? kept.name : i == -1 ? changed.name :
								       name));
		if (read(fd, buf, LEN) < 1)
			tap_bad("%s on %s: %s", name, host, strerror(errno));
		close(fd);
	}
}

static void make_files(void)
{
	char name[32];
	int i;

	if (change_create(changer, kept.name, 0644) ||
	    change_create(changer, changed.name, 0644) ||
	    change_create(changer, "free", 0644))
		die("no files");
	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "small-%d", i);
		if (change_create(changer, name, 0644) ||
		    change_write(changer, name, 0, name, sizeof(name)))
			die("no %s", name);
	}
	write_state(&kept);
	write_state(&changed);
}

static void *change_it(void *arg)
{
	u64 begin = lab_now();

	write_state(&changed);
	*(u64 *)arg = lab_ms(begin);
	return NULL;
}

/* What b reads behind the acknowledgment, while a is cut off. */
static void check_other(void)
{
	struct looker b = { .what = "read on b", .w = &changed_b };
	u64 word;

	b.fd = lab_open(at("b", changed.name));
	changed_b.asked = changed.asked;
	judge(&b, changed.acked, &word, pread(b.fd, &word, WORD, 0), 0);
	close(b.fd);
}

/* A renewal has just been answered: the deadline is far away. */
static void wait_renewed(void)
{
	struct host_status st;
	u64 begin = lab_now();

	do {
		lab_sleep(10);
		host_status("a", &st);
	} while (st.left < ttl * 7 / 8 && lab_ms(begin) < 20000);
}

/* In the order of the clock: cut, change, deadline, acknowledgment, healing. */
static void check_cut(void)
{
	const u64 slack = lab_slow(300) * NSEC_PER_MSEC;
	u64 waited = 0, cut, deadline, gate, healed, begin;
	struct host_status before, after;
	pthread_t change;
	struct looker *l;

	wait_renewed();
	lab("net_cut a");
	cut = lab_now();
	host_status("a", &before);
	deadline = lab_now() + before.left;
	gate = deadline - ttl / 4;
	tap_note("cut off %llu ms before the deadline",
		 (unsigned long long)before.left / NSEC_PER_MSEC);
	for (l = lookers; l < lookers + ARRAY_SIZE(lookers); l++)
		l->patience = (strcmp(l->what, "map") ? deadline : gate) - slack;
	/* Early enough for a's deadline to be what it waits for. */
	lookers[1].patience = cut;
	lookers[4].patience = cut;
	change = lab_thread(change_it, &waited);
	begin = lab_now();
	if (change_write(changer, "free", 0, "x", 1) ||
	    lab_ms(begin) > waited + lab_slow(1000))
		tap_bad("a change of what nobody has takes %llu ms",
			(unsigned long long)lab_ms(begin));
	if (!lab_join(change, ttl * 5 / 4 / NSEC_PER_MSEC + lab_slow(2500)))
		tap_bad("the change does not go on");
	check_other();
	if (lab_now() < deadline + slack)
		lab_sleep((deadline + slack - lab_now()) / NSEC_PER_MSEC);
	lab_sleep(500);
	healed = lab_now();
	for (l = lookers; l < lookers + ARRAY_SIZE(lookers); l++) {
		u64 end = strcmp(l->what, "map") ? deadline : gate;
		bool kept_on = l->w == &kept;

		if (l->last > end + slack)
			tap_bad("%s of %s went on for %llu ms", l->what, l->w->name,
				(unsigned long long)(l->last - end) / NSEC_PER_MSEC);
		if (kept_on && l->last + slack < end)
			tap_bad("%s of %s ended %llu ms early", l->what, l->w->name,
				(unsigned long long)(end - l->last) / NSEC_PER_MSEC);
		if (l->slow > lab_slow(300))
			tap_bad("%s of %s was slow: %llu ms", l->what, l->w->name,
				(unsigned long long)l->slow);
		if (l->last >= healed)
			tap_bad("it has healed by itself");
	}
	tap_note("the change took %llu ms", (unsigned long long)waited);
	if (waited + 1000 < (deadline - cut) / NSEC_PER_MSEC)
		tap_bad("the change did not wait for the deadline");
	tap_good("cut off: reads until the deadline, and none behind it");
	host_status("a", &after);
	tap_ok(after.v[GNS_C_FILL_BYTES] - before.v[GNS_C_FILL_BYTES] == 0,
	       "nothing is fetched from where nothing comes");
}

static void check_healed(bool lost)
{
	struct host_status before, after;
	u64 begin = lab_now();
	struct looker *l;

	host_status("a", &before);
	if (lost)
		lab("helper_kill a");
	lab("net_heal a");
	if (lost)
		lab("helper_start a");
	for (l = lookers; l < lookers + ARRAY_SIZE(lookers); l++) {
		while (l->last < begin && lab_ms(begin) < 20000)
			lab_sleep(20);
		if (l->last < begin)
			tap_bad("%s of %s does not go on", l->what, l->w->name);
	}
	tap_note("all go on %llu ms after healing",
		 (unsigned long long)lab_ms(begin));
	read_all("a");
	host_status("a", &after);
	tap_good("healed: reads go on, and none saw an old byte");
	tap_note("%llu asked again, %llu the same, %llu bytes fetched, %llu passed",
		 (unsigned long long)(after.v[GNS_C_REVALIDATED] -
				      before.v[GNS_C_REVALIDATED]),
		 (unsigned long long)(after.v[GNS_C_KEPT] - before.v[GNS_C_KEPT]),
		 (unsigned long long)(after.v[GNS_C_FILL_BYTES] -
				      before.v[GNS_C_FILL_BYTES]),
		 (unsigned long long)(after.v[GNS_C_PASS_BYTES] -
				      before.v[GNS_C_PASS_BYTES]));
	if (after.v[GNS_C_KEPT] - before.v[GNS_C_KEPT] < FILES)
		tap_bad("what has not changed was not kept");
	if (after.v[GNS_C_FILL_BYTES] + after.v[GNS_C_PASS_BYTES] -
		    before.v[GNS_C_FILL_BYTES] - before.v[GNS_C_PASS_BYTES] >
	    LEN)
		tap_bad("more was fetched than the file that has changed");
	if (after.v[GNS_C_CALLS] - before.v[GNS_C_CALLS] > 60)
		tap_bad("%llu calls", (unsigned long long)(after.v[GNS_C_CALLS] -
							   before.v[GNS_C_CALLS]));
	tap_good("what has not changed is valid again, asked for in few calls");
}

/* So short that no lease is lost: nothing is asked for again. */
static void check_blip(void)
{
	struct host_status before, after;

	wait_renewed();
	host_status("a", &before);
	lab("net_cut a");
	lab_sleep(ttl / 8 / NSEC_PER_MSEC);
	lab("net_heal a");
	lab_sleep(ttl / NSEC_PER_MSEC);
	read_all("a");
	host_status("a", &after);
	if (after.sid != before.sid)
		tap_bad("it cost the session");
	if (after.v[GNS_C_REVALIDATED] != before.v[GNS_C_REVALIDATED] ||
	    after.v[GNS_C_FILL_BYTES] != before.v[GNS_C_FILL_BYTES])
		tap_bad("what is cached was asked for");
	tap_good("a short cut costs nothing");
}

int main(int argc, char **argv)
{
	struct looker *l;

	ttl = atof(lab_env("TTL")) * NSEC_PER_SEC;
	lab("cluster a b");
	changer = changer_open("/run/netns/o", lab_env("ORIGIN"), "x");
	make_files();
	read_all("a");
	read_all("b");
	for (l = lookers; l < lookers + ARRAY_SIZE(lookers); l++)
		start(l);
	lab_sleep(500);
	tap_good("reads before");
	check_cut();
	check_healed(argc > 1 && !strcmp(argv[1], "lost"));
	check_blip();
	over = true;
	for (l = lookers; l < lookers + ARRAY_SIZE(lookers); l++)
		if (!lab_join(l->thread, 20000))
			tap_bad("a reader hangs");
	tap_good("all readers end");
	changer_close(changer);
	return tap_end();
}
