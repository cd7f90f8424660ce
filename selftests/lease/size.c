// SPDX-License-Identifier: GPL-2.0
/*
 * lease-size: a file that shrinks and grows while it is read. Its length says
 * in which state it is; the bytes are of that state.
 *
 * An even state is one write from the start that makes the file longer; the
 * odd one after it cuts the file, and its bytes stay those of the even one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"
#include "watch.h"
#include "words.h"

#define LONG (256u << 10)
#define SHORT (LONG / 2)
#define STEP (2 * WORD)
#define ROOM (1u << 20)
#define SECONDS 4
#define ENOUGH 16u /* states */

static struct watch file = { .name = "file" };
static _Atomic bool over;

static size_t length_of(u32 state)
{
	return (state % 2 ? SHORT : LONG) + state * STEP;
}

static s64 state_of(size_t length)
{
	size_t base = length < LONG ? SHORT : LONG;
	s64 state = (length - base) / STEP;

	return length == length_of(state) ? state : -1;
}

static const char *at(const char *host)
{
	return lab_path(lab_path(lab_env("LAB"), host), file.name);
}

static void judge(const u64 *buf, ssize_t n, u64 off, u32 oldest)
{
	u64 bad = 0;
	s64 state = state_of(n + off), bytes;

	if (n < 0 || state < 0) {
		tap_bad("a read of %zd bytes: %s", n, strerror(errno));
		return;
	}
	bytes = words_check(buf, n, off, &bad);
	if (bytes != (state & ~1ll))
		tap_bad("length of state %lld, bytes of %lld (from %llu on)",
			(long long)state, (long long)bytes,
			(unsigned long long)bad);
	else
		watch_seen(&file, oldest, state, "read");
}

static void *reader(void *host)
{
	int fd = lab_open(at(host));
	u64 *buf = malloc(ROOM), off;
	unsigned int i;
	u32 oldest;

	for (i = 0; !over; i++) {
		off = i % 3 ? 0 : SHORT - 4096 * (i % 7);
		oldest = watch_look(&file);
		judge(buf, pread(fd, buf, ROOM, off), off, oldest);
		lab_sleep(1);
	}
	free(buf);
	close(fd);
	return NULL;
}

static void *looker(void *host)
{
	struct stat st;
	u32 oldest;

	while (!over) {
		oldest = watch_look(&file);
		if (stat(at(host), &st))
			tap_bad("stat: %s", strerror(errno));
		else
			watch_seen(&file, oldest, state_of(st.st_size), "stat");
		lab_sleep(1);
	}
	return NULL;
}

static void next_state(struct changer *c)
{
	static u64 buf[ROOM / WORD];
	u32 state = watch_begin(&file);
	size_t len = length_of(state);

	if (state % 2) {
		watch_end(&file, state, change_size(c, file.name, len));
		return;
	}
	words_fill(buf, len, state, 0);
	watch_end(&file, state, change_write(c, file.name, 0, buf, len));
}

int main(void)
{
	static char *const hosts[] = { "a", "b" };
	pthread_t t[6];
	struct changer *c;
	unsigned int i;
	u64 begin;

	lab("cluster a b");
	c = changer_open("/run/netns/o", lab_env("ORIGIN"), "x");
	if (change_create(c, file.name, 0644))
		die("no file");
	next_state(c);
	next_state(c);
	for (i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = lab_thread(i < 4 ? reader : looker, hosts[i % 2]);
	begin = lab_now();
	while (lab_ms(begin) < SECONDS * 1000 ||
	       (file.acked < ENOUGH && lab_ms(begin) < SECONDS * 10000)) {
		next_state(c);
		lab_sleep(10);
	}
	over = true;
	for (i = 0; i < ARRAY_SIZE(t); i++)
		if (!lab_join(t[i], 20000))
			tap_bad("a reader hangs");
	tap_note("%u states, looked at %llu times", file.acked,
		 (unsigned long long)file.looks);
	if (file.acked < ENOUGH || file.looks < 2 * file.acked)
		tap_bad("too few");
	tap_good("length and bytes are always of one state, and a fresh one");
	changer_close(c);
	return tap_end();
}
