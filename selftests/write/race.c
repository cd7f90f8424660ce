// SPDX-License-Identifier: GPL-2.0
/*
 * Two hosts that do the same at the same time. Neither may hang the other, and
 * of what can be done once, one does it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "race.h"
#include "tap.h"

#define ROUNDS 60
#define HOSTS 2
#define PATIENCE 120000 /* ms */

/** struct host - one of the two */
struct host {
	const char *top;
	int (*act)(const struct host *h, int round);
	int nr;
	atomic_int won[ROUNDS]; /* 1: it did it; else minus errno */
};

static pthread_barrier_t start;

static void path(const struct host *h, char *buf, size_t size, const char *kind,
		 int round)
{
	snprintf(buf, size, "%s/%s%d", h->top, kind, round);
}

static int act_create(const struct host *h, int round)
{
	char p[512];
	int fd;

	path(h, p, sizeof(p), "file", round);
	fd = open(p, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	return fd;
}

static int act_mkdir(const struct host *h, int round)
{
	char p[512];

	path(h, p, sizeof(p), "dir", round);
	return mkdir(p, 0755);
}

static int act_rmdir(const struct host *h, int round)
{
	char p[512];

	path(h, p, sizeof(p), "dir", round);
	return rmdir(p);
}

static int act_unlink(const struct host *h, int round)
{
	char p[512];

	path(h, p, sizeof(p), "file", round);
	return unlink(p);
}

/* Each one's own file, to a name that only one can have. */
static int act_rename(const struct host *h, int round)
{
	char from[512], to[512];
	int fd;

	path(h, from, sizeof(from), h->nr ? "mine" : "his", round);
	path(h, to, sizeof(to), "ours", round);
	fd = open(from, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return fd;
	close(fd);
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

/* Different names in one directory: both succeed. */
static int act_apart(const struct host *h, int round)
{
	char p[512], q[512];

	path(h, p, sizeof(p), h->nr ? "left" : "right", round);
	path(h, q, sizeof(q), h->nr ? "LEFT" : "RIGHT", round);
	return mkdir(p, 0755) || rename(p, q) ? -1 : 0;
}

static void *run(void *arg)
{
	struct host *h = arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&start);
		h->won[i] = h->act(h, i) < 0 ? -errno : 1;
	}
	return NULL;
}

static int names_in(const char *top)
{
	DIR *d = opendir(top);
	struct dirent *e;
	int n = 0;

	if (!d)
		return -1;
	while ((e = readdir(d)))
		n += *e->d_name != '.';
	closedir(d);
	return n;
}

/* @err: of who loses; 0: nobody does. @left: names that are there then. */
static void race(struct host *h, int (*act)(const struct host *h, int round),
		 int err, int left, const char *what)
{
	pthread_t t[HOSTS];
	int i, n;

	for (i = 0; i < HOSTS; i++) {
		h[i].act = act;
		t[i] = lab_thread(run, &h[i]);
	}
	for (i = 0; i < HOSTS; i++)
		if (!lab_join(t[i], PATIENCE))
			die("%s: it hangs", what);
	for (i = 0; i < ROUNDS; i++) {
		int a = h[0].won[i], b = h[1].won[i];

		if ((a > b ? a : b) != 1 || (a > b ? b : a) != (err ? -err : 1))
			tap_bad("round %d: a %s, b %s", i,
				a == 1 ? "did it" : strerror(-a),
				b == 1 ? "did it" : strerror(-b));
	}
	for (i = 0; i < HOSTS; i++) {
		n = names_in(h[i].top);
		if (n != left)
			tap_bad("%s has %d names, not %d", h[i].top, n, left);
	}
	tap_good("at the same time: %s", what);
}

void check_races(void)
{
	static struct host h[HOSTS];
	static char top[HOSTS][256];
	int i;

	for (i = 0; i < HOSTS; i++) {
		snprintf(top[i], sizeof(top[i]), "%s/%c/race", lab_env("LAB"),
			 'a' + i);
		h[i].top = top[i];
		h[i].nr = i;
	}
	if (mkdir(top[0], 0755))
		die("%s: %s", top[0], strerror(errno));
	pthread_barrier_init(&start, NULL, HOSTS);
	race(h, act_create, EEXIST, ROUNDS, "O_EXCL");
	race(h, act_unlink, ENOENT, 0, "unlink");
	race(h, act_mkdir, EEXIST, ROUNDS, "mkdir");
	race(h, act_rmdir, ENOENT, 0, "rmdir");
	race(h, act_rename, EEXIST, 2 * ROUNDS, "RENAME_NOREPLACE");
	race(h, act_apart, 0, 4 * ROUNDS, "names that differ");
}
