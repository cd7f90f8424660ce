// SPDX-License-Identifier: GPL-2.0
/*
 * helper-unreach: the origin can not be reached, then the helper is gone as
 * well. Whoever waits can be killed; an unmount does not wait; a soft mount
 * says so after its time.
 *
 *	helper-unreach kill | force | lazy | down | soft
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"
#include "waiter.h"

#define UMOUNT_MS 10000u

static u64 ttl_ms;
static const char *mnt;

/* All of them wait: behind the deadline, for an origin that does not answer. */
static void all_wait(void)
{
	waiters_warm();
	lab("net_cut a");
	lab_sleep(ttl_ms + lab_slow(300));
	waiters_start();
	lab_sleep(lab_slow(500));
	waiters_left(true);
	tap_good("%u calls wait", nwaiters);
}

static void check_kill(const char *when)
{
	unsigned int limit = lab_slow(1000);
	struct waiter *w;

	for (w = waiters; w < waiters + nwaiters; w++) {
		kill(w->pid, SIGKILL);
		if (!waiter_join(w, limit))
			tap_bad("%s: not dead after %u ms", w->name, limit);
		else if (!WIFSIGNALED(w->status) ||
			 WTERMSIG(w->status) != SIGKILL)
			tap_bad("%s: status %x", w->name, w->status);
	}
	tap_good("%s: who waits can be killed", when);
}

static void do_kill(void)
{
	all_wait();
	check_kill("no origin");
	lab("net_heal a");
	waiters_warm();
	lab("helper_kill a");
	lab_sleep(ttl_ms + lab_slow(300));
	waiters_start();
	lab_sleep(lab_slow(500));
	waiters_left(true);
	check_kill("no helper");
	lab("helper_start a");
	waiters_warm();
	waiters_start();
	lab_sleep(lab_slow(3000));
	tap_ok(!waiters_left(false), "with both back nobody waits");
	if (waiters_left(false))
		check_kill("it should not have been needed");
	lab("gns_umount $LAB/a");
}

static void unmounted(u64 begin)
{
	struct host_status st;

	do {
		host_status("a", &st);
	} while (st.mounts && lab_ms(begin) < UMOUNT_MS);
	tap_note("gone after %llu ms", (unsigned long long)lab_ms(begin));
	tap_ok(!st.mounts, "the mount is gone");
}

/* The first one ends the waiting; whoever then leaves makes it free to go. */
static void do_force(void)
{
	struct waiter *w;
	u64 begin;
	int err;

	all_wait();
	lab("helper_kill a");
	begin = lab_now();
	err = umount2(mnt, MNT_FORCE) ? errno : 0;
	tap_ok(lab_ms(begin) < UMOUNT_MS && (!err || err == EBUSY),
	       "umount -f ends after %llu ms: %s",
	       (unsigned long long)lab_ms(begin), strerror(err));
	for (w = waiters; w < waiters + nwaiters; w++) {
		if (!waiter_join(w, UMOUNT_MS))
			tap_bad("%s waits on", w->name);
		else if (w->fault ? !WIFSIGNALED(w->status) || WTERMSIG(w->status) != SIGBUS :
				    w->status != EIO << 8)
			tap_bad("%s: status %x", w->name, w->status);
	}
	tap_good("who waited gets EIO");
	if (err && umount2(mnt, 0))
		tap_bad("it is busy still: %s", strerror(errno));
	tap_good("then it can be unmounted");
	unmounted(begin);
}

static void do_lazy(void)
{
	struct stat st;
	u64 begin;

	all_wait();
	lab("helper_kill a");
	begin = lab_now();
	if (umount2(mnt, MNT_DETACH))
		tap_bad("umount -l: %s", strerror(errno));
	if (lab_ms(begin) > UMOUNT_MS)
		tap_bad("it takes %llu ms", (unsigned long long)lab_ms(begin));
	if (stat(mnt, &st))
		tap_bad("what is below is not there: %s", strerror(errno));
	tap_good("umount -l");
	check_kill("unmounted, no origin, no helper");
	unmounted(lab_now());
}

/* As a shutdown does it: processes, sync(2), read-only, umount(2). */
static void do_down(void)
{
	u64 begin;
	pid_t pid;
	int status;

	lab("echo 1 >$LAB/a/written");
	all_wait();
	lab("helper_kill a");
	begin = lab_now();
	check_kill("no origin, no helper");
	pid = fork();
	if (!pid) {
		sync();
		_exit(0);
	}
	lab_sleep(lab_slow(1000));
	if (pid < 0 || waitpid(pid, &status, WNOHANG))
		tap_bad("sync(2) did not wait for the origin");
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		tap_bad("sync(2) ended with %x", status);
	tap_good("who waits for sync(2) can be killed");
	if (mount(NULL, mnt, NULL, MS_REMOUNT | MS_RDONLY, NULL))
		tap_bad("remount: %s", strerror(errno));
	if (umount2(mnt, 0))
		tap_bad("umount: %s", strerror(errno));
	tap_good("read-only, and unmounted");
	unmounted(begin);
	tap_ok(lab_ms(begin) < UMOUNT_MS + lab_slow(1000), "all of it took %llu ms",
	       (unsigned long long)lab_ms(begin));
}

/* What is cached is read as long as the lease lives, on a soft mount as well. */
static void do_soft(void)
{
	struct host_status st;
	struct waiter *w;
	struct statfs fs;
	u64 begin;

	lab("gns_umount $LAB/a");
	lab("gns_mount a soft,timeo=%u", lab_slow(1500));
	all_wait();
	begin = lab_now();
	/* umount(8) begins with it. */
	if (statfs(lab_path(lab_env("LAB"), "a"), &fs))
		tap_bad("statfs: %s", strerror(errno));
	for (w = waiters; w < waiters + nwaiters; w++) {
		if (!waiter_join(w, lab_slow(5000)))
			tap_bad("%s waits on", w->name);
		else if (w->fault ? !WIFSIGNALED(w->status) || WTERMSIG(w->status) != SIGBUS :
				    w->status != ETIMEDOUT << 8)
			tap_bad("%s: status %x", w->name, w->status);
	}
	tap_note("all ended after %llu ms", (unsigned long long)lab_ms(begin));
	tap_good("soft: who waits is told that it takes too long");
	lab("net_heal a");
	begin = lab_now();
	do {
		lab_sleep(100);
		host_status("a", &st);
	} while (!st.left && lab_ms(begin) < lab_slow(10000));
	waiters_warm();
	waiters_start();
	for (w = waiters; w < waiters + nwaiters; w++)
		if (!waiter_join(w, lab_slow(3000)) || w->status)
			tap_bad("%s: status %x", w->name, w->status);
	tap_good("healed, it works");
	lab("gns_umount $LAB/a");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	ttl_ms = atof(lab_env("TTL")) * 1000;
	mnt = strdup(lab_path(lab_env("LAB"), "a"));
	lab("mkdir $EXPORT");
	waiters_prepare();
	lab("cluster a");
	if (!strcmp(what, "kill"))
		do_kill();
	else if (!strcmp(what, "force"))
		do_force();
	else if (!strcmp(what, "lazy"))
		do_lazy();
	else if (!strcmp(what, "down"))
		do_down();
	else if (!strcmp(what, "soft"))
		do_soft();
	else
		die("usage: helper-unreach kill | force | lazy | down | soft");
	return tap_end();
}
