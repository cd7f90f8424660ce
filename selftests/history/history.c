// SPDX-License-Identifier: GPL-2.0
/*
 * history: two satellites are read and their origin is changed while links are
 * cut, helpers die and hang and caches are dropped; then everything that was
 * seen is checked for an order in which it could have happened.
 *
 *	history [-n EVENTS] [-s SEED] [-o] [-u]
 *
 * Run by lab_run. With -u it is changed by both mounts, too. With -o the origin
 * is killed as well, and no names change: what a create made can not always be
 * told then.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hist.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "tree/client.h"

#define READERS 3 /* of each satellite */
#define TTL 3 /* seconds: sessions are lost often */
#define END_MS 60000 /* until everybody has his answer, at the end */

static struct {
	struct hist *h;
	pid_t pids[PROCS];
	u32 n;
	u64 rnd;
	bool origin;
	bool users;
} t;

static u32 rnd(u32 n)
{
	t.rnd = t.rnd * 6364136223846793005ull + 1442695040888963407ull;
	return (t.rnd >> 33) % n;
}

static void start(const char *name, void (*run)(struct me *me),
		  const char *mnt, const char *netns)
{
	struct me me = { .h = t.h, .client = t.n, .mnt = mnt, .netns = netns };
	pid_t pid;

	me.p = &t.h->procs[t.n];
	me.p->rnd = rnd(0x7fffffff) | 1;
	snprintf(me.p->name, sizeof(me.p->name), "%s", name);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("no process");
	if (!pid) {
		run(&me);
		fflush(stdout);
		_exit(0);
	}
	t.pids[t.n++] = pid;
}

static const char *some_host(void)
{
	return rnd(2) ? "a" : "b";
}

static void pause_a_while(void)
{
	lab_sleep(rnd(TTL * 1500));
}

static void event(void)
{
	static const char *const ways[] = { "", "in", "out" };
	const char *host = some_host(), *way = ways[rnd(3)];

	switch (rnd(t.origin ? 8 : 7)) {
	case 0:
	case 1:
	case 2:
		tap_note("cut %s %s", host, way);
		lab("net_cut %s %s", host, way);
		pause_a_while();
		lab("net_heal %s %s", host, way);
		break;
	case 3:
		tap_note("the helper of %s is killed", host);
		lab("helper_kill %s", host);
		if (rnd(2))
			pause_a_while();
		lab("helper_start %s", host);
		break;
	case 4:
		tap_note("the helper of %s hangs", host);
		lab("helper_freeze %s", host);
		pause_a_while();
		lab("helper_thaw %s", host);
		break;
	case 5:
		tap_note("caches are dropped");
		lab("echo %u >/proc/sys/vm/drop_caches", 1 + rnd(3));
		break;
	case 6:
		tap_note("gnsctl drop on %s", host);
		lab("on %s \"$GNS_TOP/build/obj/tools/gnsctl\" drop $LAB/%s >/dev/null",
		    host, host);
		break;
	case 7:
		tap_note("the origin is killed");
		lab("origin_kill");
		if (rnd(2))
			pause_a_while();
		lab("origin_start");
		break;
	}
	lab_sleep(200 + rnd(1000));
}

/* Return: have all processes ended well? */
static bool end_all(void)
{
	u64 begin = lab_now();
	bool good = true;
	int status;
	u32 i;

	__atomic_store_n(&t.h->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < t.n; i++) {
		while (!waitpid(t.pids[i], &status, WNOHANG)) {
			if (lab_ms(begin) > lab_slow(END_MS)) {
				tap_note("%s still waits for an answer",
					 t.h->procs[i].name);
				kill(t.pids[i], SIGKILL);
				waitpid(t.pids[i], &status, 0);
				good = false;
				break;
			}
			usleep(10000);
		}
		if (status) {
			tap_note("%s ended with %#x", t.h->procs[i].name, status);
			good = false;
		}
	}
	return good;
}

static void files(void)
{
	u32 i;

	for (i = 0; i < REGS; i++)
		lab(": >$EXPORT/reg%u", i);
	for (i = 0; i < LOGS; i++)
		lab(": >$EXPORT/log%u", i);
	for (i = 0; i < DIRS; i++)
		lab("mkdir $EXPORT/d%u", i);
}

static void start_all(void)
{
	static const char *const hosts[] = { "a", "b" };
	char name[24];
	u32 i, k;

	for (i = 0; i < 2; i++)
		for (k = 0; k < READERS; k++) {
			snprintf(name, sizeof(name), "reader %u of %s", k,
				 hosts[i]);
			start(name, reader, lab_path(lab_env("LAB"), hosts[i]),
			      NULL);
		}
	for (i = 0; t.users && i < 4; i++) {
		snprintf(name, sizeof(name), "user %u of %s", i / 2,
			 hosts[i % 2]);
		start(name, user, lab_path(lab_env("LAB"), hosts[i % 2]), NULL);
	}
	start("a writer at o", writer, NULL, "/run/netns/o");
	if (t.users)
		return;
	start("another writer at o", writer, NULL, "/run/netns/o");
	start("a writer at a", writer, NULL, "/run/netns/a");
}

int main(int argc, char **argv)
{
	const char *seed = getenv("SEED");
	u32 events = 12, i, ops = 0;
	int c;

	t.rnd = seed ? strtoull(seed, NULL, 0) : 1;
	while ((c = getopt(argc, argv, "n:s:ou")) != -1) {
		if (c == 'n')
			events = atoi(optarg);
		else if (c == 's')
			t.rnd = strtoull(optarg, NULL, 0);
		else if (c == 'o')
			t.origin = true;
		else if (c == 'u')
			t.users = true;
		else
			die("usage: history [-n EVENTS] [-s SEED] [-o] [-u]");
	}
	tap_note("seed %llu", (unsigned long long)t.rnd);
	t.h = mmap(NULL, sizeof(*t.h), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t.h == MAP_FAILED)
		die("no memory");
	t.h->tree = !t.origin;
	lab("TTL=%u; mkdir $EXPORT", TTL);
	files();
	lab("cluster a b");
	/* What is in between a change and its answer shall take its time. */
	if (t.users)
		lab("net_link a delay 15ms");
	start_all();
	lab_sleep(1000);
	for (i = 0; i < events; i++)
		event();
	lab_sleep(1000);
	tap_ok(end_all(), "everybody got an answer in the end");
	for (i = 0; i < t.n; i++)
		ops += t.h->procs[i].n;
	tap_ok(ops > 40 * events, "%u operations were recorded", ops);
	tap_ok(!t.h->broken, "no error, no short read, no read of two states");
	tap_ok(!hist_check(t.h, "."), "there is an order that explains all of it");
	return tap_end();
}
