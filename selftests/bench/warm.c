// SPDX-License-Identifier: GPL-2.0
/*
 * gns-warm: what reads from a warm cache cost, side by side.
 *
 *	gns-warm make DIR		the files for it
 *	gns-warm fill NAME=DIR...	all is read once, however long it takes
 *	gns-warm run ROUNDS NAME=DIR...	figures of each
 *	gns-warm count ROUNDS NAME=DIR...	the same, where the clock counts
 *					instructions: how many each took
 *
 * The filesystems take turns within each round, in another order each time, so
 * that a noisy machine is noisy for all. Prints all rounds, for report.awk.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BIG (64u << 20)
#define DIRS 200
#define FILES 100 /* in each */
#define SIDES 4
#define ROUNDS 101

struct side {
	const char *name;
	const char *dir;
	int big;
};

static char *buf;
/* Seconds after which a figure is taken of what was done. */
static double enough = 3.0;
static bool counts; /* a nanosecond is an instruction */

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "gns-warm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double read_big(const struct side *s, size_t unit)
{
	double t = seconds(), took;
	off_t at;

	for (at = 0; at < BIG; at += unit) {
		if (pread(s->big, buf, unit, at) != (ssize_t)unit)
			die("read");
		if (unit == 4096 && at == BIG / 4)
			break; /* enough of them */
	}
	took = seconds() - t;
	return (at < BIG ? at : BIG) / took;
}

static double read_4k(const struct side *s)
{
	return read_big(s, 4096);
}

static double read_128k(const struct side *s)
{
	return read_big(s, 128 << 10);
}

static double read_1m(const struct side *s)
{
	return read_big(s, 1 << 20);
}

/* A new mapping each time: faults are what it is about. */
static double map_big(const struct side *s)
{
	double t = seconds();
	unsigned long sum = 0;
	size_t i;
	char *p;

	p = mmap(NULL, BIG, PROT_READ, MAP_SHARED, s->big, 0);
	if (p == MAP_FAILED)
		die("mmap");
	for (i = 0; i < BIG; i += 64)
		sum += *(volatile unsigned long *)(p + i);
	munmap(p, BIG);
	(void)sum;
	return BIG / (seconds() - t);
}

static double open_all(const struct side *s)
{
	double t = seconds();
	unsigned int d, f, n = 0;
	struct stat st;
	char path[4200];
	int fd;

	for (d = 0; d < DIRS; d++) {
		for (f = 0; f < FILES; f++, n++) {
			snprintf(path, sizeof(path), "%s/tree/d%u/f%u", s->dir,
				 d, f);
			fd = open(path, O_RDONLY);
			if (fd < 0 || fstat(fd, &st))
				die(path);
			close(fd);
		}
		if (seconds() - t > enough)
			break;
	}
	return n / (seconds() - t);
}

static double find(const struct side *s)
{
	double t = seconds();
	char path[4200];
	unsigned int d, n = 0;
	struct dirent *e;
	struct stat st;
	DIR *dir;

	for (d = 0; d < DIRS; d++) {
		snprintf(path, sizeof(path), "%s/tree/d%u", s->dir, d);
		dir = opendir(path);
		if (!dir)
			die(path);
		while ((e = readdir(dir))) {
			if (fstatat(dirfd(dir), e->d_name, &st,
				    AT_SYMLINK_NOFOLLOW))
				die(e->d_name);
			n++;
		}
		closedir(dir);
		if (seconds() - t > enough)
			break;
	}
	return n / (seconds() - t);
}

/* take() says how much in a second; it is told by @scale, and counted by @one. */
static const struct figure {
	const char *name;
	const char *unit;
	double scale;
	unsigned int one;
	double (*take)(const struct side *s);
} figures[] = {
	{ "pread-4k", "MB/s", 1e6, 4096, read_4k },
	{ "pread-128k", "MB/s", 1e6, 128 << 10, read_128k },
	{ "pread-1m", "MB/s", 1e6, 1 << 20, read_1m },
	{ "mmap", "MB/s", 1e6, 4096, map_big },
	{ "open", "files/s", 1, 1, open_all },
	{ "find", "names/s", 1, 1, find },
};

#define FIGURES (sizeof(figures) / sizeof(*figures))

static double taken[FIGURES][SIDES][ROUNDS];

static double told(const struct figure *f, double per_second)
{
	return counts ? f->one * 1e9 / per_second : per_second / f->scale;
}

/* For report.awk. */
static void tell(const struct side *s, unsigned int n, unsigned int rounds)
{
	const struct figure *f;
	unsigned int i, k, r;

	for (i = 0; i < FIGURES; i++) {
		f = &figures[i];
		for (k = 0; k < n; k++) {
			printf("# took %s/%s %s %s", counts ? "insns" : "hot",
			       f->name, s[k].name, counts ? "insns" : f->unit);
			for (r = 0; r < rounds; r++)
				printf(" %.2f", told(f, taken[i][k][r]));
			printf("\n");
		}
	}
}

static int run(unsigned int rounds, int n, char **args)
{
	struct side s[SIDES];
	char path[4200], *eq;
	unsigned int r, i;
	int k, turn;

	for (k = 0; k < n; k++) {
		eq = strchr(args[k], '=');
		if (!eq)
			die(args[k]);
		*eq = '\0';
		s[k] = (struct side){ args[k], eq + 1, -1 };
		snprintf(path, sizeof(path), "%s/big", s[k].dir);
		s[k].big = open(path, O_RDONLY);
		if (s[k].big < 0)
			die(path);
	}
	for (r = 0; r < rounds; r++) {
		for (i = 0; i < FIGURES; i++) {
			for (turn = 0; turn < n; turn++) {
				k = (r + turn) % n;
				taken[i][k][r] = figures[i].take(&s[k]);
			}
		}
	}
	tell(s, n, rounds);
	return 0;
}

static int make(const char *dir)
{
	char path[4200];
	unsigned int d, f;
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "%s/big", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	for (i = 0; fd >= 0 && i < BIG; i += 1 << 20)
		if (write(fd, buf, 1 << 20) != 1 << 20)
			die(path);
	close(fd);
	snprintf(path, sizeof(path), "%s/tree", dir);
	if (mkdir(path, 0755))
		die(path);
	for (d = 0; d < DIRS; d++) {
		snprintf(path, sizeof(path), "%s/tree/d%u", dir, d);
		if (mkdir(path, 0755))
			die(path);
		for (f = 0; f < FILES; f++) {
			snprintf(path, sizeof(path), "%s/tree/d%u/f%u", dir, d,
				 f);
			fd = open(path, O_WRONLY | O_CREAT, 0644);
			if (fd < 0 || write(fd, path, 64) != 64)
				die(path);
			close(fd);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	int rounds = argc > 3 ? atoi(argv[2]) : 0;

	buf = aligned_alloc(4096, 1 << 20);
	if (!buf)
		die("no memory");
	memset(buf, 'x', 1 << 20);
	if (argc == 3 && !strcmp(argv[1], "make"))
		return make(argv[2]);
	if (argc > 2 && argc <= 2 + SIDES && !strcmp(argv[1], "fill")) {
		enough = 1e9;
		return run(1, argc - 2, argv + 2);
	}
	counts = argc > 3 && !strcmp(argv[1], "count");
	if (argc > 3 && argc <= 3 + SIDES && rounds > 0 && rounds < ROUNDS &&
	    (counts || !strcmp(argv[1], "run")))
		return run(rounds, argc - 3, argv + 3);
	fprintf(stderr, "usage: gns-warm make DIR\n"
			"       gns-warm fill NAME=DIR...\n"
			"       gns-warm run|count ROUNDS NAME=DIR...\n");
	return 2;
}
