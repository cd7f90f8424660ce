// SPDX-License-Identifier: GPL-2.0
/*
 * Readers and changes; see traffic.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tree/client.h"
#include "lab.h"
#include "tap.h"
#include "traffic.h"
#include "watch.h"
#include "words.h"

#define BASE 60000u /* length in state 0, 8 more in each */
#define MAP_LEN (256u << 10)
#define ROOM (512u << 10)
#define COLD 64 /* files of COLD_LEN, in turn */
#define COLD_LEN (128u << 10)
#define READERS_MAX 32
#define END_MS 30000

/** struct reader - one thread */
struct reader {
	const char *host;
	void (*look)(struct reader *r);
	pthread_t thread;
	int fd;
	volatile u64 *map;
	unsigned int seed;
	_Atomic u64 looks;
};

static struct watch file = { .name = "traffic-file" };
static struct watch map = { .name = "traffic-map" };
static struct watch name = { .name = "traffic-names" };
static struct reader readers[READERS_MAX];
static unsigned int nreaders;
static struct changer *changer;
static pthread_t changing;
static unsigned int pause_between;
static _Atomic u64 changes, cold_bytes;
static _Atomic bool over;

static const char *at(const char *host, const char *path)
{
	return lab_path(lab_path(lab_env("LAB"), host), path);
}

static void look_file(struct reader *r)
{
	static __thread u64 buf[ROOM / WORD];
	u32 oldest = watch_look(&file);
	ssize_t n = pread(r->fd, buf, ROOM, 0);
	u64 bad = 0;
	s64 state;

	if (n < (ssize_t)BASE || n % WORD) {
		tap_bad("read on %s: %zd, %s", r->host, n, strerror(errno));
		return;
	}
	state = words_check(buf, n, 0, &bad);
	if (state < 0 || n != BASE + state * WORD)
		tap_bad("read on %s: %zd bytes of two states (%lld, %llu)",
			r->host, n, (long long)state, (unsigned long long)bad);
	else
		watch_seen(&file, oldest, state, "read");
}

static void look_map(struct reader *r)
{
	u64 i = rand_r(&r->seed) % (MAP_LEN / WORD), word;
	u32 oldest = watch_look(&map);

	word = r->map[i];
	if (word != word_make(word_state(word), i * WORD))
		tap_bad("map on %s: word %llu is %llx", r->host,
			(unsigned long long)i, (unsigned long long)word);
	watch_seen(&map, oldest, word_state(word), "map");
}

static void look_name(struct reader *r)
{
	u32 state = watch_look(&name);
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "%s/%u", name.name, state);
	/* It may be gone by now, but not before. */
	if (!stat(at(r->host, path), &st))
		watch_seen(&name, state, state, "lookup");
	else if (errno != ENOENT)
		tap_bad("stat on %s: %s", r->host, strerror(errno));
	else
		watch_seen(&name, state + 1,
			   min_u64(state + 1, atomic_load(&name.asked)),
			   "lookup that finds nothing");
}

/* Dropped from the cache behind each: the next one is from the origin again. */
static void look_cold(struct reader *r)
{
	static __thread u64 buf[COLD_LEN / WORD];
	unsigned int nr = rand_r(&r->seed) % COLD;
	char path[64];
	u64 bad = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "traffic-cold-%u", nr);
	fd = open(at(r->host, path), O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		tap_bad("open on %s: %s", r->host, strerror(errno));
		return;
	}
	n = pread(fd, buf, COLD_LEN, 0);
	if (n != COLD_LEN)
		tap_bad("cold read on %s: %zd, %s", r->host, n, strerror(errno));
	else if (words_check(buf, n, 0, &bad) != nr)
		tap_bad("cold read on %s: wrong from %llu on", r->host,
			(unsigned long long)bad);
	else
		cold_bytes += n;
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

static void *look_on(void *arg)
{
	struct reader *r = arg;

	while (!over) {
		r->look(r);
		/* So that nobody else is starved of processors. */
		if (!(++r->looks % 4))
			lab_sleep(1);
	}
	return NULL;
}

static void start_reader(const char *host, void (*look)(struct reader *r),
			 const char *path)
{
	struct reader *r = &readers[nreaders++];

	if (nreaders > READERS_MAX)
		die("too many readers");
	*r = (struct reader){ .host = host, .look = look, .seed = nreaders };
	if (path)
		r->fd = lab_open(at(host, path));
	if (look == look_map) {
		r->map = mmap(NULL, MAP_LEN, PROT_READ, MAP_SHARED, r->fd, 0);
		if (r->map == MAP_FAILED)
			die("mmap: %s", strerror(errno));
	}
	r->thread = lab_thread(look_on, r);
}

static void next_states(void)
{
	static u64 buf[ROOM / WORD];
	char from[64], to[64];
	u32 state;

	state = watch_begin(&file);
	words_fill(buf, BASE + state * WORD, state, 0);
	watch_end(&file, state, change_write(changer, file.name, 0, buf, BASE + state * WORD));
	state = watch_begin(&map);
	words_fill(buf, MAP_LEN, state, 0);
	watch_end(&map, state, change_write(changer, map.name, 0, buf, MAP_LEN));
	state = watch_begin(&name);
	snprintf(from, sizeof(from), "%s/%u", name.name, state - 1);
	snprintf(to, sizeof(to), "%s/%u", name.name, state);
	watch_end(&name, state, change_rename(changer, from, to));
	changes++;
}

static void *change_on(void *arg)
{
	(void)arg;
	while (!over) {
		next_states();
		lab_sleep(pause_between);
	}
	return NULL;
}

static void make(const char *path, size_t len, u32 state)
{
	static u64 buf[ROOM / WORD];
	FILE *f = fopen(lab_path(lab_env("EXPORT"), path), "we");

	words_fill(buf, len, state, 0);
	if (!f || fwrite(buf, 1, len, f) != len || fclose(f))
		die("%s: %s", path, strerror(errno));
}

void traffic_prepare(void)
{
	char path[64];
	int i;

	make(file.name, BASE, 0);
	make(map.name, MAP_LEN, 0);
	if (mkdir(lab_path(lab_env("EXPORT"), name.name), 0755))
		die("mkdir: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/0", name.name);
	make(path, WORD, 0);
	for (i = 0; i < COLD; i++) {
		snprintf(path, sizeof(path), "traffic-cold-%d", i);
		make(path, COLD_LEN, i);
	}
}

void traffic_start(struct changer *c, char *const *hosts, unsigned int pause_ms)
{
	changer = c;
	pause_between = pause_ms;
	for (; *hosts; hosts++) {
		start_reader(*hosts, look_file, file.name);
		start_reader(*hosts, look_map, map.name);
		start_reader(*hosts, look_map, map.name);
		start_reader(*hosts, look_name, NULL);
		start_reader(*hosts, look_cold, NULL);
	}
	changing = lab_thread(change_on, NULL);
}

struct traffic traffic_now(void)
{
	struct traffic t = { .changes = changes, .cold = cold_bytes };
	unsigned int i;

	for (i = 0; i < nreaders; i++)
		t.looks += readers[i].looks;
	return t;
}

bool traffic_flows(unsigned int ms)
{
	u64 begin = lab_now(), was[READERS_MAX];
	unsigned int i;

	for (i = 0; i < nreaders; i++)
		was[i] = readers[i].looks;
	for (i = 0; i < nreaders; i++) {
		/* One was under way; the next one began behind our start. */
		while (readers[i].looks < was[i] + 2) {
			if (lab_ms(begin) > ms)
				return false;
			lab_sleep(5);
		}
	}
	return true;
}

void traffic_stop(void)
{
	struct traffic t;
	unsigned int i;

	over = true;
	for (i = 0; i < nreaders; i++)
		if (!lab_join(readers[i].thread, END_MS))
			die("a reader on %s hangs", readers[i].host);
	if (!lab_join(changing, END_MS))
		die("a change hangs");
	t = traffic_now();
	tap_note("%llu looks, %llu changes, %llu cold bytes",
		 (unsigned long long)t.looks, (unsigned long long)t.changes,
		 (unsigned long long)t.cold);
}
