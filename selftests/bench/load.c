// SPDX-License-Identifier: GPL-2.0
/*
 * gns-load: files whose bytes are known by their number, and readers of them.
 *
 *	gns-load make DIR FILES SIZE
 *	gns-load read DIR FILES SIZE FIRST COUNT THREADS [SEED]
 *	gns-load walk DIR FILES SIZE FIRST COUNT THREADS
 *
 * File n is DIR/(n / 100)/n. `read` reads COUNT of them from FIRST on, in their
 * order or, with a SEED, in one of its own; `walk` lists their directories
 * first, and is timed from there. All bytes are looked at. Prints seconds.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UNIT (1u << 20)
#define PER_DIR 100u
#define STEP 64u /* file n has the bytes from n * STEP on */
#define THREADS_MAX 64u

static const char *top;
static unsigned int files;
static size_t size;
static char *bytes;

static unsigned int first, count;
static unsigned int *order;
static atomic_uint taken;
static atomic_uint listed;
static bool lists;

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "gns-load: %s: %s\n", what, why);
	exit(1);
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void make_bytes(void)
{
	size_t i, n = size + (size_t)files * STEP + sizeof(uint64_t);
	uint64_t state = 88172645463325252ull;

	bytes = malloc(n);
	if (!bytes)
		die("bytes", "no memory");
	for (i = 0; i + sizeof(state) <= n; i += sizeof(state)) {
		next(&state);
		memcpy(bytes + i, &state, sizeof(state));
	}
}

static void path_of(char *path, size_t len, unsigned int n)
{
	snprintf(path, len, "%s/%u/%u", top, n / PER_DIR, n);
}

static void make_file(unsigned int n)
{
	const char *from = bytes + (size_t)n * STEP;
	char path[4200];
	size_t done = 0;
	ssize_t put;
	int fd;

	if (n % PER_DIR == 0) {
		snprintf(path, sizeof(path), "%s/%u", top, n / PER_DIR);
		if (mkdir(path, 0755))
			die(path, strerror(errno));
	}
	path_of(path, sizeof(path), n);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		die(path, strerror(errno));
	for (; done < size; done += put) {
		put = write(fd, from + done, size - done);
		if (put <= 0)
			die(path, strerror(errno));
	}
	close(fd);
}

static void read_file(unsigned int n, char *buf)
{
	const char *want = bytes + (size_t)n * STEP;
	char path[4200];
	size_t done = 0;
	ssize_t got;
	int fd;

	path_of(path, sizeof(path), n);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		die(path, strerror(errno));
	while ((got = read(fd, buf, UNIT)) > 0) {
		if (done + got > size || memcmp(buf, want + done, got))
			die(path, "wrong bytes");
		done += got;
	}
	if (got < 0 || done < size)
		die(path, got < 0 ? strerror(errno) : "too short");
	close(fd);
}

static void list_dir(unsigned int d)
{
	unsigned int from = d * PER_DIR, n, want = 0, found = 0;
	char path[4200];
	struct dirent *e;
	DIR *dir;

	for (n = from; n < from + PER_DIR && n < files; n++)
		want++;
	snprintf(path, sizeof(path), "%s/%u", top, d);
	dir = opendir(path);
	if (!dir)
		die(path, strerror(errno));
	while ((e = readdir(dir)))
		found += e->d_name[0] != '.';
	closedir(dir);
	if (found != want)
		die(path, "names are missing");
}

static void *reader(void *arg)
{
	unsigned int from = first / PER_DIR, i;
	unsigned int dirs = (first + count - 1) / PER_DIR - from + 1;
	char *buf = malloc(UNIT);

	(void)arg;
	if (!buf)
		die("buffer", "no memory");
	while (lists && (i = atomic_fetch_add(&listed, 1)) < dirs)
		list_dir(from + i);
	while ((i = atomic_fetch_add(&taken, 1)) < count)
		read_file(order[i], buf);
	free(buf);
	return NULL;
}

static void make_order(uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15ull;
	unsigned int i, k, n;

	order = calloc(count, sizeof(*order));
	if (!order)
		die("order", "no memory");
	for (i = 0; i < count; i++)
		order[i] = first + i;
	for (i = count; seed && i > 1; i--) {
		k = next(&state) % i;
		n = order[i - 1];
		order[i - 1] = order[k];
		order[k] = n;
	}
}

static int read_all(unsigned int threads, uint64_t seed)
{
	pthread_t t[THREADS_MAX];
	unsigned int i;
	double begun;

	if (!count || first + count > files || !threads ||
	    threads > THREADS_MAX)
		die("arguments", "out of range");
	make_order(seed);
	begun = seconds();
	for (i = 0; i < threads; i++)
		if (pthread_create(&t[i], NULL, reader, NULL))
			die("thread", "none");
	for (i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	printf("%.4f\n", seconds() - begun);
	return 0;
}

int main(int argc, char **argv)
{
	bool reads = argc >= 8 && !strcmp(argv[1], "read");
	unsigned int n;

	lists = argc == 8 && !strcmp(argv[1], "walk");
	if (!reads && !lists && (argc != 5 || strcmp(argv[1], "make"))) {
		fprintf(stderr, "usage: gns-load make DIR FILES SIZE\n"
				"       gns-load read|walk DIR FILES SIZE FIRST COUNT THREADS [SEED]\n");
		return 2;
	}
	top = argv[2];
	files = atoi(argv[3]);
	size = atoll(argv[4]);
	make_bytes();
	if (reads || lists) {
		first = atoi(argv[5]);
		count = atoi(argv[6]);
		return read_all(atoi(argv[7]), argc > 8 ? atoll(argv[8]) : 0);
	}
	for (n = 0; n < files; n++)
		make_file(n);
	return 0;
}
