// SPDX-License-Identifier: GPL-2.0
/*
 * inject-calls: calls are made again and again, and allocations of gns fail, and
 * its copies from and to user memory.
 *
 *	inject-calls [-s STEP] [-r TIMES] [CALL]
 *
 * For all calls, or those with CALL in their name:
 *
 *	-s	one fails each time, in the call itself: the first, and so on by
 *		STEP until there are no more. Without options STEP is 1
 *	-r	some fail, so many times, in whatever is done for the call, by
 *		helpers and by workers of the kernel, too; and mounts come and go
 *
 * A call gives an error of memory, or does what it says. Whatever it gave, both
 * hosts then see what the origin has; and in the end it works.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"
#include "client.h"
#include "inject.h"
#include "lab.h"
#include "stuck.h"
#include "tap.h"
#include "view.h"

/* More than any call has. */
#define PLACES_MAX 300u

/* Hardly any, up to so many that not much works. */
#define ONE_IN(n) (4u << (n) % 4)

static void forget_names(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "2", 1) != 1)
		die("drop_caches: %s", strerror(errno));
	close(fd);
}

/* What host a has by now, without another look at what it has cached. */
static void same_as_origin(const struct call *c, const char *what)
{
	struct stat a, o;
	int in_a, in_o;
	size_t i;

	for (i = 0; i < CALL_NAMES && c->names[i]; i++) {
		in_a = lstat(at(c->names[i]), &a) ? errno : 0;
		in_o = lstat(scene_there(c->names[i]), &o) ? errno : 0;
		if (in_a != in_o)
			tap_bad("%s: %s: %s here, %s at the origin", what,
				c->names[i], strerror(in_a), strerror(in_o));
		else if (!in_a && (a.st_ino != o.st_ino || a.st_mode != o.st_mode ||
				   a.st_size != o.st_size ||
				   a.st_nlink != o.st_nlink ||
				   a.st_ctim.tv_nsec != o.st_ctim.tv_nsec))
			tap_bad("%s: %s is not as at the origin", what,
				c->names[i]);
	}
}

static void prepare(const struct call *c)
{
	scene_turn();
	actor = c->cold ? PLACE_B : PLACE_A;
	c->prep();
	actor = PLACE_A;
	if (c->cold)
		forget_names();
}

/* What came of it. */
static void judge(const struct call *c, u32 n, long ret, int err, bool failed)
{
	char what[96];

	snprintf(what, sizeof(what), "%s, %u", c->what, n);
	if (ret >= 0) {
		if (c->done && !c->done())
			tap_bad("%s: gives %ld, and has not done it", what, ret);
	} else if (!failed || !inject_errno(err)) {
		tap_bad("%s: %s", what, strerror(err));
	}
	if (c->over)
		c->over();
	same_as_origin(c, what);
}

/* One time. Return: has something failed? */
static bool make(const struct call *c, u32 n)
{
	bool failed;
	long ret;
	int err;

	prepare(c);
	inject_nth(n);
	errno = 0;
	ret = c->run();
	err = errno;
	failed = inject_over();
	judge(c, n, ret, err, failed);
	return failed;
}

static void look(const struct call *c)
{
	size_t names = 0;

	while (names < CALL_NAMES && c->names[names])
		names++;
	view_only(c->names, names);
	view_compare(c->what);
}

static void check(const struct call *c, u32 step, u32 first)
{
	u32 n = first, times = 0;

	for (; n < PLACES_MAX && make(c, n); n += step)
		times++;
	if (n >= PLACES_MAX)
		tap_bad("%s: it never works", c->what);
	look(c);
	tap_good("%s: %u times, up to place %u", c->what, times, n);
}

/* What goes on without its caller fails as well, and what closing does. */
static void make_random(const struct call *c, u32 n)
{
	long ret;
	int err;

	prepare(c);
	inject_random(ONE_IN(n));
	errno = 0;
	ret = c->run();
	err = errno;
	if (scene.fd >= 0)
		close(scene.fd);
	scene.fd = -1;
	lab_sleep(5);
	inject_random(0);
	judge(c, n, ret, err, true);
}

static void check_random(const struct call *c, u32 times)
{
	u64 before = inject_count();
	u32 n;

	for (n = 0; n < times; n++)
		make_random(c, n);
	look(c);
	tap_good("%s: %llu failed", c->what,
		 (unsigned long long)(inject_count() - before));
}

static void check_mounts(u32 times)
{
	u32 n, good = 0;

	for (n = 0; n < times; n++) {
		inject_random(ONE_IN(n));
		/* Not the same as the other one. */
		good += !lab_try("gns_mount a timeo=%u $LAB/m", 60001 + n);
		inject_random(0);
		while (!lab_try("mountpoint -q $LAB/m"))
			lab("gns_umount $LAB/m");
	}
	lab("gns_mount a timeo=50000 $LAB/m");
	lab("gns_umount $LAB/m");
	tap_good("a mount: %u of %u were made", good, times);
}

static void check_all(const struct call *c, size_t n, u32 step, u32 times,
		      const char *word)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (word && !strstr(c[i].what, word))
			continue;
		if (step)
			check(&c[i], step, 1 + i % step);
		if (times)
			check_random(&c[i], times);
	}
}

int main(int argc, char **argv)
{
	u32 step = 0, times = 0;
	int opt;

	while ((opt = getopt(argc, argv, "s:r:")) != -1) {
		if (opt == 's')
			step = strtoul(optarg, NULL, 0);
		else if (opt == 'r')
			times = strtoul(optarg, NULL, 0);
		else
			die("usage: inject-calls [-s STEP] [-r TIMES] [CALL]");
	}
	if (!step && !times)
		step = 1;
	view_begin();
	scene_begin();
	inject_begin();
	stuck_watch();
	check_all(name_calls, n_name_calls, step, times, argv[optind]);
	check_all(file_calls, n_file_calls, step, times, argv[optind]);
	if (times && !argv[optind])
		check_mounts(4 * times);
	stuck_end();
	tap_good("nobody stood still");
	inject_end();
	return tap_end();
}
