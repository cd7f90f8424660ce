// SPDX-License-Identifier: GPL-2.0
/*
 * lease-fresh: whatever is cached, by whom and as what: after a change was
 * acknowledged, nobody sees what was before.
 *
 *	lease-fresh SECONDS WAY...
 *
 * Two satellites look all the time, in these ways: read (all of a file, of one
 * state, bytes and length), stat, map (a page that is mapped), maps (of many
 * mappings), list, look (a name that is there, and the one that no longer is).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"
#include "watch.h"
#include "words.h"

#define BASE 100000u /* length of the file in state 0, and 8 more in each */
#define MAP_LEN (512u << 10)
#define ROOM (1u << 20)
#define PAUSE_MS 25
#define MAPS 500
#define ENOUGH 10u /* states */

static struct watch grows = { .name = "grows" };
static struct watch mapped = { .name = "mapped" };
static struct watch names = { .name = "names" };
static _Atomic bool over;

static void write_state(struct changer *c, struct watch *w, size_t base,
			size_t step)
{
	static u64 buf[ROOM / WORD];
	u32 state = watch_begin(w);
	size_t len = base + state * step;

	words_fill(buf, len, state, 0);
	watch_end(w, state, change_write(c, w->name, 0, buf, len));
}

static void name_of(char *buf, size_t size, u32 state)
{
	snprintf(buf, size, "names/state-%u", state);
}

static void rename_state(struct changer *c)
{
	u32 state = watch_begin(&names);
	char from[64], to[64];

	name_of(from, sizeof(from), state - 1);
	name_of(to, sizeof(to), state);
	watch_end(&names, state, change_rename(c, from, to));
}

static const char *at(const char *host, const char *name)
{
	return lab_path(lab_path(lab_env("LAB"), host), name);
}

/*
 * So that those who change are not starved of processors; on the debug kernel a
 * look takes some milliseconds.
 */
static void breathe(void)
{
	lab_sleep(lab_is_slow() ? 25 : 1);
}

static void *by_read(void *host)
{
	int fd = lab_open(at(host, grows.name));
	u64 *buf = malloc(ROOM), bad;
	s64 state;
	u32 oldest;
	ssize_t n;

	while (!over) {
		oldest = watch_look(&grows);
		n = pread(fd, buf, ROOM, 0);
		if (n < (ssize_t)BASE || n % WORD) {
			tap_bad("read on %s: %zd, %s", (char *)host, n,
				strerror(errno));
			continue;
		}
		state = words_check(buf, n, 0, &bad);
		if (state < 0)
			tap_bad("read on %s: bytes of two states, from %llu",
				(char *)host, (unsigned long long)bad);
		else if (n != BASE + state * WORD)
			tap_bad("read on %s: length %zd with bytes of state %lld",
				(char *)host, n, (long long)state);
		else
			watch_seen(&grows, oldest, state, "read");
		breathe();
	}
	free(buf);
	close(fd);
	return NULL;
}

static void *by_stat(void *host)
{
	int fd = lab_open(at(host, grows.name)), err;
	struct stat st;
	u32 oldest, i;

	for (i = 0; !over; i++) {
		oldest = watch_look(&grows);
		err = i % 2 ? fstat(fd, &st) : stat(at(host, grows.name), &st);
		if (err)
			tap_bad("stat on %s: %s", (char *)host, strerror(errno));
		else
			watch_seen(&grows, oldest, (st.st_size - BASE) / WORD,
				   "stat");
		breathe();
	}
	close(fd);
	return NULL;
}

/* One word of any page, and then its neighbour: never older than the first. */
static void *by_map(void *host)
{
	int fd = lab_open(at(host, mapped.name));
	unsigned int seed = 1;
	volatile u64 *p;
	u64 word, i;
	u32 oldest;

	p = mmap(NULL, MAP_LEN, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	while (!over) {
		i = rand_r(&seed) % (MAP_LEN / WORD);
		oldest = watch_look(&mapped);
		word = p[i];
		if (word != word_make(word_state(word), i * WORD))
			tap_bad("map on %s: word %llu is %llx", (char *)host,
				(unsigned long long)i, (unsigned long long)word);
		watch_seen(&mapped, oldest, word_state(word), "map");
		if (!(i % 64))
			madvise((void *)p, MAP_LEN, MADV_DONTNEED);
		if (!(i % 8))
			breathe();
	}
	munmap((void *)p, MAP_LEN);
	close(fd);
	return NULL;
}

/*
 * Many mappings of one file: to take them all away needs so long that who says
 * too early that it is done is seen to lie.
 */
static void *by_maps(void *host)
{
	int fd = lab_open(at(host, mapped.name));
	volatile u64 *p[MAPS];
	unsigned int seed = 2;
	u64 word, i, k;
	u32 oldest;

	for (k = 0; k < MAPS; k++) {
		p[k] = mmap(NULL, MAP_LEN, PROT_READ, MAP_SHARED, fd, 0);
		if (p[k] == MAP_FAILED)
			die("mmap: %s", strerror(errno));
	}
	for (k = 0; !over; k = (k + 1) % MAPS) {
		i = rand_r(&seed) % (MAP_LEN / WORD);
		oldest = watch_look(&mapped);
		word = p[k][i];
		watch_seen(&mapped, oldest, word_state(word), "one of many maps");
		if (!(k % 64))
			breathe();
	}
	for (k = 0; k < MAPS; k++)
		munmap((void *)p[k], MAP_LEN);
	close(fd);
	return NULL;
}

static void *by_list(void *host)
{
	unsigned int n, state = 0;
	struct dirent *e;
	u32 oldest;
	DIR *d;

	while (!over) {
		oldest = watch_look(&names);
		d = opendir(at(host, names.name));
		if (!d) {
			tap_bad("list on %s: %s", (char *)host, strerror(errno));
			continue;
		}
		for (n = 0; (e = readdir(d));)
			n += sscanf(e->d_name, "state-%u", &state) == 1;
		if (n == 1)
			watch_seen(&names, oldest, state, "list");
		else
			tap_bad("list on %s: %u names", (char *)host, n);
		closedir(d);
		breathe();
	}
	return NULL;
}

static void *by_look(void *host)
{
	struct stat st;
	char name[64];
	u32 state;

	while (!over) {
		state = watch_look(&names);
		/* Not there yet, for the next look to find it all the same. */
		name_of(name, sizeof(name), state + 1);
		if (!stat(at(host, name), &st))
			watch_seen(&names, state, state + 1, "look ahead");
		name_of(name, sizeof(name), state);
		/* It may be gone by now, but not before. */
		if (!stat(at(host, name), &st))
			watch_seen(&names, state, state, "look");
		else if (errno != ENOENT)
			tap_bad("look on %s: %s", (char *)host, strerror(errno));
		else
			watch_seen(&names, state + 1,
				   min_u64(state + 1, atomic_load(&names.asked)),
				   "look that finds nothing");
		breathe();
		if (!state)
			continue;
		name_of(name, sizeof(name), state - 1);
		if (!stat(at(host, name), &st))
			tap_bad("look on %s: %s is still there", (char *)host,
				name);
	}
	return NULL;
}

static const struct {
	const char *name;
	lab_fn fn;
	struct watch *w;
	unsigned int threads; /* on each host */
} ways[] = {
	{ "read", by_read, &grows, 2 },
	{ "stat", by_stat, &grows, 1 },
	{ "map", by_map, &mapped, 3 },
	{ "maps", by_maps, &mapped, 2 },
	{ "list", by_list, &names, 1 },
	{ "look", by_look, &names, 1 },
};

static char *const hosts[] = { "a", "b" };
static pthread_t threads[64];
static unsigned int nthreads;

static void start(const char *name)
{
	unsigned int i, k, h;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(ways[i].name, name))
			continue;
		for (h = 0; h < ARRAY_SIZE(hosts); h++)
			for (k = 0; k < ways[i].threads; k++)
				threads[nthreads++] =
					lab_thread(ways[i].fn, hosts[h]);
	}
}

static void report(struct watch *w)
{
	tap_note("%s: %u states, looked at %llu times", w->name, w->acked,
		 (unsigned long long)w->looks);
	if (w->looks && w->acked + 1 < ENOUGH)
		tap_bad("%s: only %u states", w->name, w->acked);
	if (w->looks && w->looks < 2 * w->acked)
		tap_bad("%s: only %llu looks", w->name,
			(unsigned long long)w->looks);
}

/* For a while, and longer where it takes longer to be worth anything. */
static void change_all(struct changer *c, unsigned int ms)
{
	u64 begin = lab_now();

	while (lab_ms(begin) < ms ||
	       (grows.acked < ENOUGH && lab_ms(begin) < 60 * ms)) {
		write_state(c, &grows, BASE, WORD);
		write_state(c, &mapped, MAP_LEN, 0);
		rename_state(c);
		lab_sleep(PAUSE_MS);
	}
	tap_note("a change takes %llu ms",
		 (unsigned long long)(lab_ms(begin) / (3 * grows.acked)));
}

int main(int argc, char **argv)
{
	struct changer *c;
	int i;

	if (argc < 3)
		die("usage: lease-fresh SECONDS WAY...");
	lab("cluster a b");
	c = changer_open("/run/netns/o", lab_env("ORIGIN"), "x");
	if (change_create(c, "grows", 0644) || change_create(c, "mapped", 0644) ||
	    change_mkdir(c, "names", 0755) ||
	    change_create(c, "names/state-0", 0644))
		die("the files can not be made");
	write_state(c, &grows, BASE, WORD);
	write_state(c, &mapped, MAP_LEN, 0);
	for (i = 2; i < argc; i++)
		start(argv[i]);
	change_all(c, atoi(argv[1]) * 1000);
	over = true;
	for (i = 0; i < (int)nthreads; i++)
		if (!lab_join(threads[i], 20000))
			tap_bad("a reader hangs");
	report(&grows);
	report(&mapped);
	report(&names);
	tap_good("nobody saw what was before an acknowledged change");
	changer_close(c);
	return tap_end();
}
