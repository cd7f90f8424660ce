// SPDX-License-Identifier: GPL-2.0
/*
 * write-own: satellite a changes a file and a name, and the answers come late.
 * What satellite b has seen already nobody on a may see as it was before, and
 * neither may anybody once the change is acknowledged.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"
#include "lib/types.h"

#define STATES 25u
#define BLOCK 4096u

/* Shared; state k is a file of k words behind a block, and the name s-k. */
struct shared {
	u64 bytes; /* newest state that somebody saw, or was acknowledged */
	u64 name;
	u32 early; /* seen before it was acknowledged */
	u32 looks[4];
	u32 old[4]; /* looks that showed what was before */
	bool stop;
};

static struct shared *sh;
static char dir_a[4200], dir_b[4200];

static u64 get(u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

/* Return: it was not known to be there before. */
static bool raise_to(u64 *p, u64 v)
{
	u64 is = get(p);

	while (is < v)
		if (__atomic_compare_exchange_n(p, &is, v, false,
						__ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
	return false;
}

static int open_in(const char *dir, int flags)
{
	char path[4300];
	int fd;

	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static bool has_name(const char *dir, u64 k)
{
	char path[4300];
	struct stat st;

	snprintf(path, sizeof(path), "%s/d/s-%llu", dir, (unsigned long long)k);
	return !stat(path, &st);
}

static u64 read_state(int fd)
{
	u64 v = 0;

	if (pread(fd, &v, sizeof(v), 0) < 0)
		die("pread: %s", strerror(errno));
	return v;
}

static void watch_b(void)
{
	int fd = open_in(dir_b, O_RDONLY);
	u64 k;

	while (!sh->stop) {
		if (raise_to(&sh->bytes, read_state(fd)))
			__atomic_add_fetch(&sh->early, 1, __ATOMIC_RELAXED);
		k = get(&sh->name) + 1;
		if (has_name(dir_b, k) && raise_to(&sh->name, k))
			__atomic_add_fetch(&sh->early, 1, __ATOMIC_RELAXED);
	}
}

static u64 stat_state(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		die("fstat: %s", strerror(errno));
	return (st.st_size - BLOCK) / sizeof(u64);
}

/* One way to look at it on a. */
static void look_a(u32 how)
{
	int fd = open_in(dir_a, O_RDONLY);
	volatile u64 *map = mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, fd, 0);
	u64 before, is;

	if (map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	while (!sh->stop) {
		before = get(how == 3 ? &sh->name : &sh->bytes);
		switch (how) {
		case 0:
			is = read_state(fd);
			break;
		case 1:
			is = *map;
			break;
		case 2:
			is = stat_state(fd);
			break;
		default:
			/* The name before it has gone with that one. */
			is = before && has_name(dir_a, before - 1) ? 0 : before;
		}
		sh->looks[how]++;
		if (is < before)
			sh->old[how]++;
	}
}

static void change_a(void)
{
	static u64 words[BLOCK / sizeof(u64) + STATES];
	int fd = open_in(dir_a, O_WRONLY);
	char from[4300], to[4300];
	u64 k, i;

	for (k = 1; k <= STATES; k++) {
		for (i = 0; i < BLOCK / sizeof(u64) + k; i++)
			words[i] = k;
		if (pwrite(fd, words, BLOCK + k * sizeof(u64), 0) !=
		    (ssize_t)(BLOCK + k * sizeof(u64)))
			die("pwrite: %s", strerror(errno));
		raise_to(&sh->bytes, k);
		snprintf(from, sizeof(from), "%s/d/s-%llu", dir_a,
			 (unsigned long long)k - 1);
		snprintf(to, sizeof(to), "%s/d/s-%llu", dir_a,
			 (unsigned long long)k);
		if (rename(from, to))
			die("rename: %s", strerror(errno));
		raise_to(&sh->name, k);
		lab_sleep(20);
	}
	close(fd);
}

static pid_t start(void (*fn)(u32 how), u32 how)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("no process");
	if (!pid) {
		fn(how);
		_exit(0);
	}
	return pid;
}

static void watch(u32 how)
{
	(void)how;
	watch_b();
}

int main(void)
{
	static const char *const ways[] = { "read", "map", "stat", "look up" };
	pid_t pids[5];
	int status;
	u32 i;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		die("no memory");
	lab("mkdir $EXPORT $EXPORT/d; : >$EXPORT/d/s-0");
	lab("head -c 4096 /dev/zero >$EXPORT/file");
	lab("cluster a b");
	snprintf(dir_a, sizeof(dir_a), "%s", lab_path(lab_env("LAB"), "a"));
	snprintf(dir_b, sizeof(dir_b), "%s", lab_path(lab_env("LAB"), "b"));
	/* Out of the origin's port it comes late; what is asked does not. */
	lab("netlab_set a in delay 150ms");
	pids[4] = start(watch, 0);
	for (i = 0; i < 4; i++)
		pids[i] = start(look_a, i);
	change_a();
	sh->stop = true;
	for (i = 0; i < 5; i++) {
		waitpid(pids[i], &status, 0);
		if (status)
			tap_bad("process %u ended with %#x", i, status);
	}
	tap_note("%u states of %u were seen before they were acknowledged",
		 sh->early, 2 * STATES);
	tap_ok(sh->early > STATES / 2, "who is nearer sees a change first");
	for (i = 0; i < 4; i++)
		tap_ok(sh->looks[i] > STATES && !sh->old[i],
		       "%s: %u looks, %u of them of before", ways[i],
		       sh->looks[i], sh->old[i]);
	return tap_end();
}
