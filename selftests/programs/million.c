// SPDX-License-Identifier: GPL-2.0
/*
 * programs-million: a directory of a million entries.
 *
 *	programs-million make DIRECTORY COUNT
 *	programs-million list COUNT ORIGIN DIRECTORY ANOTHER
 *
 * The last two are names of the directory ORIGIN on mounts of two hosts. Its
 * entries are listed on each, cold, each of them once, and the time is printed
 * beside the origin's own for the same: the medians of some rounds.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab.h"
#include "tap.h"

#define PER_TRIP 4000
#define TRIPS 200
#define ROUNDS 5
#define NAME "entry-%07u"

static u64 now_us(void)
{
	return lab_now() / 1000;
}

static int make(const char *dir, u32 count)
{
	char name[32];
	u32 i;

	if (mkdir(dir, 0755) || chdir(dir)) {
		perror(dir);
		return 1;
	}
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), NAME, i);
		if (mknod(name, S_IFREG | 0644, 0)) {
			perror(name);
			return 1;
		}
	}
	return 0;
}

/* Nothing that is known already, at the origin or here. */
static void forget(void)
{
	sync();
	lab_forget();
}

static void take(const char *dir, int fd, const struct dirent64 *e, u8 *seen,
		 u32 count, bool attr)
{
	struct stat st;
	u32 i;

	if (e->d_name[0] == '.')
		return;
	if (sscanf(e->d_name, "entry-%u", &i) != 1 || i >= count)
		tap_bad("%s has %s", dir, e->d_name);
	else if (seen[i]++)
		tap_bad("%s has %s twice", dir, e->d_name);
	if (attr && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
		tap_bad("%s: %s", e->d_name, strerror(errno));
}

/* Each entry once; the microseconds that it took. */
static u64 list(const char *dir, u32 count, bool attr)
{
	static char buf[32768] __attribute__((aligned(8)));
	u64 begin = now_us();
	u8 *seen = calloc(1, count);
	u32 i, missing = 0;
	long n, pos;
	int fd;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (pos = 0; pos < n;) {
			const struct dirent64 *e = (void *)(buf + pos);

			take(dir, fd, e, seen, count, attr);
			pos += e->d_reclen;
		}
	}
	if (n < 0)
		tap_bad("%s: %s", dir, strerror(errno));
	close(fd);
	begin = now_us() - begin;
	for (i = 0; i < count; i++)
		missing += !seen[i];
	if (missing)
		tap_bad("%s lacks %u", dir, missing);
	free(seen);
	return begin;
}

static u64 round_trip(const char *dir)
{
	u64 begin = now_us();
	struct statfs st;
	int i;

	for (i = 0; i < TRIPS; i++)
		if (statfs(dir, &st))
			tap_bad("statfs: %s", strerror(errno));
	return (now_us() - begin) / TRIPS;
}

static u64 list_cold(const char *dir, u32 count, bool attr)
{
	u64 took;

	forget();
	took = list(dir, count, attr);
	tap_note("%s: %ju ms", dir, took / 1000);
	return took;
}

static int by_size(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static u64 median(u64 *v, int n)
{
	qsort(v, n, sizeof(*v), by_size);
	return v[n / 2];
}

/* In turns, for other guests may be at work beside this one. */
static void compare(u32 count, const char *origin, const char *dir, bool attr)
{
	const char *what = attr ? "names with attributes" : "names";
	u64 own[ROUNDS], took[ROUNDS], trip;
	int i, rounds = attr ? 1 : ROUNDS;

	for (i = 0; i < rounds; i++) {
		own[i] = list_cold(origin, count, attr);
		took[i] = list_cold(dir, count, attr);
	}
	trip = round_trip(dir) * ((count + PER_TRIP - 1) / PER_TRIP);
	own[0] = median(own, rounds);
	took[0] = median(took, rounds);
	tap_note("again, warm: %ju ms", list(dir, count, attr) / 1000);
	tap_note("%ju ms, at the origin %ju ms: ratio %ju.%02ju, %ju.%02ju but for round trips",
		 took[0] / 1000, own[0] / 1000, took[0] / own[0],
		 took[0] * 100 / own[0] % 100,
		 (took[0] - min_u64(trip, took[0])) / own[0],
		 (took[0] - min_u64(trip, took[0])) * 100 / own[0] % 100);
	tap_good("%u %s, each once", count, what);
}

int main(int argc, char **argv)
{
	u32 count;

	if (argc == 4 && !strcmp(argv[1], "make"))
		return make(argv[2], strtoul(argv[3], NULL, 0));
	if (argc != 6 || strcmp(argv[1], "list"))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	count = strtoul(argv[2], NULL, 0);
	compare(count, argv[3], argv[4], false);
	compare(count, argv[3], argv[5], true);
	return tap_end();
}
