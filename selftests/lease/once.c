// SPDX-License-Identifier: GPL-2.0
/*
 * lease-once: what is missing is fetched once, however many ask for it, and
 * what is cached is not asked for.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"
#include "words.h"

#define READERS 64
#define LEN (1u << 20)
#define FILES 50

static pthread_barrier_t together;

static void make(const char *name, size_t len, u32 state)
{
	const char *path = lab_path(lab_env("EXPORT"), name);
	u64 *buf = malloc(len);
	FILE *f = fopen(path, "we");

	words_fill(buf, len, state, 0);
	if (!f || fwrite(buf, 1, len, f) != len || fclose(f))
		die("%s: %s", path, strerror(errno));
	free(buf);
}

static const char *there(const char *name)
{
	return lab_path(lab_path(lab_env("LAB"), "a"), name);
}

static void *reader(void *arg)
{
	const char *name = arg;
	u64 *buf = malloc(LEN), bad = 0;
	size_t sum = 0;
	ssize_t n;
	int fd;

	pthread_barrier_wait(&together);
	fd = lab_open(there(name));
	while ((n = read(fd, (char *)buf + sum, LEN - sum)) > 0)
		sum += n;
	if (n < 0 || words_check(buf, sum, 0, &bad) != 1)
		tap_bad("%s: wrong from %llu on, %s", name,
			(unsigned long long)bad, strerror(errno));
	close(fd);
	free(buf);
	return NULL;
}

static void all_read(char *name, struct host_status *delta)
{
	struct host_status before;
	pthread_t t[READERS];
	int i;

	host_status("a", &before);
	for (i = 0; i < READERS; i++)
		t[i] = lab_thread(reader, name);
	for (i = 0; i < READERS; i++)
		pthread_join(t[i], NULL);
	host_status("a", delta);
	for (i = 0; i < GNS_C_MAX; i++)
		delta->v[i] -= before.v[i];
}

static void check(char *name, size_t len, u64 fills)
{
	struct host_status d;

	all_read(name, &d);
	tap_note("%s: %llu fills, %llu bytes, %llu passed by, %llu calls", name,
		 (unsigned long long)d.v[GNS_C_FILLS],
		 (unsigned long long)d.v[GNS_C_FILL_BYTES],
		 (unsigned long long)d.v[GNS_C_PASS_BYTES],
		 (unsigned long long)d.v[GNS_C_CALLS]);
	if (d.v[GNS_C_FILL_BYTES] != len || d.v[GNS_C_PASS_BYTES])
		tap_bad("%zu bytes were fetched more or less than once", len);
	if (d.v[GNS_C_FILLS] > fills)
		tap_bad("more than %llu fills", (unsigned long long)fills);
	if (d.v[GNS_C_READ_BYTES] != READERS * len)
		tap_bad("%llu bytes were read",
			(unsigned long long)d.v[GNS_C_READ_BYTES]);
	tap_good("%d readers of %s, one fetch", READERS, name);
	all_read(name, &d);
	tap_ok(!d.v[GNS_C_CALLS], "and no call after that");
}

static void pass(void)
{
	char buf[4096], name[32];
	struct stat st;
	int i, fd;
	DIR *d;

	d = opendir(there(""));
	while (d && readdir(d))
		;
	closedir(d);
	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		if (stat(there(name), &st))
			tap_bad("%s: %s", name, strerror(errno));
		fd = lab_open(there(name));
		while (read(fd, buf, sizeof(buf)) > 0)
			;
		close(fd);
		snprintf(name, sizeof(name), "absent-%d", i);
		if (!stat(there(name), &st) || errno != ENOENT)
			tap_bad("%s is there", name);
	}
}

static void check_warm(void)
{
	u64 calls;

	pass();
	calls = host_count("a", GNS_C_CALLS);
	pass();
	calls = host_count("a", GNS_C_CALLS) - calls;
	tap_good("a pass over %d files", FILES);
	tap_ok(!calls, "the second pass makes no calls: %llu",
	       (unsigned long long)calls);
}

int main(void)
{
	char name[32];
	int i;

	lab("mkdir $EXPORT");
	make("page", 4096, 1);
	make("large", LEN, 1);
	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		make(name, 5000, 1);
	}
	pthread_barrier_init(&together, NULL, READERS);
	lab("cluster a");
	lab("net_link a delay 25ms");
	check("page", 4096, 1);
	/* Each reader reads ahead; windows that meet are cut. Not by pages. */
	check("large", LEN, LEN / 4096 / 4);
	lab("net_link a");
	check_warm();
	return tap_end();
}
