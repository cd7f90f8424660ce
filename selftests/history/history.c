// SPDX-License-Identifier: GPL-2.0
/*
 * history: satellites are read and changed while something breaks; then
 * everything that was seen is checked for an order in which it could have
 * happened.
 *
 *	history [-n FAULTS] [-s SEED] [-k KINDS] [-u [-l]] [-b] [-c] [-o] [-p] [-m]
 *
 * Run by lab_run. Without words it is changed by the protocol only, and what
 * breaks is the satellites': links, connections, helpers, caches, the clock.
 *
 *	-u	it is changed by the mounts, too
 *	-l	and with -u they lock files; not with -m
 *	-b	the origin is in a machine of its own beside this one: there
 *		it can stand still with its host, and its clocks are its own
 *	-c	each mount has a cache on a drive of its own, and the page cache
 *		is emptied all the time, so that it is read
 *	-o	the origin is killed and stopped as well
 *	-p	its host loses power, and what was not synced with it
 *	-m	allocations fail in the satellites' kernel, which has to be able
 *		to do that; then calls may fail for want of memory
 *	-k	of all these only what KINDS has, bits 1 << enum fault
 *
 * With all of them it is what `make torture N=...` runs, see torture. What
 * breaks, when and what is done meanwhile comes from the seed; what is under way
 * at that moment does not, so that a seed that failed may pass.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/inject.h"
#include "lib/lab.h"
#include "lib/stuck.h"
#include "lib/tap.h"
#include "nemesis.h"
#include "tree/client.h"

#define READERS 2 /* of each satellite */
#define TTL 2 /* seconds: sessions are lost often */
#define END_MS 60000 /* until everybody has his answer, at the end */

/* What is in between a change and its answer shall take its time. */
static const char *const hosts[] = { "a", "b", "c" };
static const char *const links[] = { "delay 15ms", "", "delay 2ms" };

static struct {
	struct hist *h;
	pid_t pids[PROCS];
	u32 n;
	bool users;
	bool locks;
	bool caches;
	bool disk; /* of its own, that loses what is not synced */
	struct nemesis m;
} t;

static struct me new_me(const char *name)
{
	struct me me = { .h = t.h, .client = t.n, .p = &t.h->procs[t.n] };

	me.p->rnd = nemesis_rnd(&t.m, 0x7fffffff) | 1;
	snprintf(me.p->name, sizeof(me.p->name), "%s", name);
	return me;
}

/* Of the mount of host @i: they were made in this order. */
static char *sys_dir(u32 i)
{
	u32 nr[8], n = 0, k;
	struct dirent *e;
	char *path;
	DIR *d = opendir("/sys/fs/gns");

	while (d && (e = readdir(d)) && n < ARRAY_SIZE(nr)) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		for (k = n++; k && nr[k - 1] > (u32)atoi(e->d_name); k--)
			nr[k] = nr[k - 1];
		nr[k] = atoi(e->d_name);
	}
	if (n != t.m.nhosts)
		die("/sys/fs/gns has %u mounts, and not %u", n, t.m.nhosts);
	closedir(d);
	if (asprintf(&path, "/sys/fs/gns/%u", nr[i]) < 0)
		die("no memory");
	return path;
}

static void start(const char *name, void (*run)(struct me *me), u32 host,
		  const char *netns)
{
	struct me me = new_me(name);
	pid_t pid;

	if (!netns) {
		me.mnt = lab_path(lab_env("LAB"), hosts[host]);
		me.sys = t.locks ? sys_dir(host) : NULL;
	}
	me.host = host;
	me.netns = netns;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("no process");
	if (!pid) {
		lab_leave();
		run(&me);
		fflush(stdout);
		_exit(0);
	}
	t.pids[t.n++] = pid;
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
	const char *there = t.m.beside ? "at_origin" : "eval";

	lab("%s 'touch $EXPORT/{reg{0..%u},log{0..%u},lock{0..%u}}'", there,
	    REGS - 1, LOGS - 1, LOCKS - 1);
	lab("%s 'mkdir $EXPORT/d{0..%u} && sync -f $EXPORT'", there, DIRS - 1);
}

/* What is read next comes from the drives, if it does not from the origin. */
static void forgetter(struct me *me)
{
	FILE *f;

	while (!__atomic_load_n(&me->h->stop, __ATOMIC_ACQUIRE)) {
		f = fopen("/proc/sys/vm/drop_caches", "we");
		if (!f || fputs("1", f) < 0 || fclose(f))
			die("drop_caches: %s", strerror(errno));
		usleep(50000 + me_rnd(me, 250000));
	}
}

/* Bytes that the mounts have read from their drives. */
static u64 counted(const char *counter)
{
	u64 n = 0, one;
	char *path;
	FILE *f;
	u32 i;

	for (i = 0; i < t.m.nhosts; i++) {
		if (asprintf(&path, "%s/counters/%s", sys_dir(i), counter) < 0)
			die("no memory");
		f = fopen(path, "re");
		if (!f || fscanf(f, "%" SCNu64, &one) != 1)
			die("%s: %s", path, strerror(errno));
		fclose(f);
		n += one;
	}
	return n;
}

static void start_all(void)
{
	char name[24];
	u32 i, k;

	for (i = 0; i < t.m.nhosts; i++) {
		for (k = 0; k < READERS; k++) {
			snprintf(name, sizeof(name), "reader %u of %s", k,
				 hosts[i]);
			start(name, reader, i, NULL);
		}
		for (k = 0; t.users && k < 2; k++) {
			snprintf(name, sizeof(name), "user %u of %s", k,
				 hosts[i]);
			start(name, user, i, NULL);
		}
	}
	if (t.caches)
		start("who forgets", forgetter, 0, "/run/netns/o");
	start("a writer at o", writer, 0, "/run/netns/o");
	if (t.users)
		return;
	start("another writer at o", writer, 0, "/run/netns/o");
	start("a writer at a", writer, 0, "/run/netns/a");
}

static void set_up(void)
{
	u32 i;

	lab("TTL=%u CACHES=%u", TTL, t.caches);
	if (t.m.beside)
		lab(". $GNS_TOP/selftests/lib/beside.sh; beside_start");
	else if (t.disk)
		lab(". $GNS_TOP/selftests/history/disk.sh; disk_start");
	else
		lab("mkdir $EXPORT");
	files();
	lab(t.m.nhosts == 3 ? "cluster a b c" : "cluster a b");
	for (i = 0; i < t.m.nhosts; i++)
		lab("net_link %s %s", hosts[i], links[i]);
}

static u32 options(int argc, char **argv)
{
	const char *seed = getenv("SEED");
	u32 faults = 12, only = ~0u;
	int c;

	t.m = (struct nemesis){
		.rnd = seed ? strtoull(seed, NULL, 0) : 1,
		.hosts = hosts,
		.nhosts = 2,
		.link = links,
		.ttl_ms = TTL * 1000,
		.kinds = FAULTS_SATELLITE,
	};
	while ((c = getopt(argc, argv, "n:s:k:ulbcopm")) != -1) {
		if (c == 'n')
			faults = atoi(optarg);
		else if (c == 's')
			t.m.rnd = strtoull(optarg, NULL, 0);
		else if (c == 'k')
			only = strtoul(optarg, NULL, 0);
		else if (c == 'u')
			t.users = true;
		else if (c == 'l')
			t.locks = true;
		else if (c == 'b')
			t.m.beside = true;
		else if (c == 'c')
			t.caches = true;
		else if (c == 'o')
			t.m.kinds |= FAULTS_ORIGIN;
		else if (c == 'p')
			t.m.kinds |= FAULTS_POWER;
		else if (c == 'm')
			t.m.kinds |= FAULTS_MEMORY;
		else
			die("usage: history [-n FAULTS] [-s SEED] [-k KINDS] [-u [-l]] [-bcopm]");
	}
	if (t.m.kinds & FAULTS_POWER)
		t.m.nhosts = 3;
	t.disk = t.m.kinds & FAULTS_POWER;
	tap_note("again: history%s%s%s%s%s%s%s -k %#x -n %u -s %llu",
		 t.users ? " -u" : "", t.locks ? " -l" : "",
		 t.m.beside ? " -b" : "", t.caches ? " -c" : "",
		 t.m.kinds & FAULTS_ORIGIN ? " -o" : "",
		 t.disk ? " -p" : "", t.m.kinds & FAULTS_MEMORY ? " -m" : "",
		 only, faults, (unsigned long long)t.m.rnd);
	t.m.kinds &= only;
	if (!t.m.kinds)
		die("-k: nothing is left that could break");
	return faults;
}

int main(int argc, char **argv)
{
	u32 faults = options(argc, argv), i, ops = 0;

	t.h = mmap(NULL, sizeof(*t.h), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t.h == MAP_FAILED)
		die("no memory");
	t.h->blocks = t.disk;
	t.h->memory = t.m.kinds & FAULTS_MEMORY;
	/* Neighbouring seeds begin alike. */
	for (i = 0; i < 8; i++)
		nemesis_rnd(&t.m, 2);
	set_up();
	if (t.h->memory) {
		inject_begin();
		stuck_watch();
	}
	start_all();
	t.m.me = new_me("nemesis");
	nemesis_begin(&t.m);
	lab_sleep(1000);
	for (i = 0; i < faults; i++)
		nemesis_fault(&t.m);
	lab_sleep(1000);
	tap_ok(end_all(), "everybody got an answer in the end");
	nemesis_end(&t.m);
	if (t.h->memory) {
		stuck_end();
		tap_good("nobody stood still");
		inject_end();
	}
	for (i = 0; i < t.n; i++)
		ops += t.h->procs[i].n;
	/* Without memory little is done. */
	tap_ok(ops > (t.h->memory ? 5 : 40) * faults,
	       "%u operations were recorded", ops);
	if (t.caches)
		tap_ok(counted("cache_bytes") && counted("direct_bytes"),
		       "%llu bytes came from drives, %llu with O_DIRECT",
		       (unsigned long long)counted("cache_bytes"),
		       (unsigned long long)counted("direct_bytes"));
	tap_ok(!t.h->broken, "no error, no short read, no read of two states");
	tap_ok(!hist_check(t.h, "."), "there is an order that explains all of it");
	return tap_end();
}
