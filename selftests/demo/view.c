// SPDX-License-Identifier: GPL-2.0
/*
 * A look is stale if the state that it shows is older than the newest one that
 * was acknowledged before the look began.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "view.h"
#include "words.h"

static u32 acked;

void view_acked(u32 state)
{
	__atomic_store_n(&acked, state, __ATOMIC_SEQ_CST);
}

static void look(struct view *v, int fd, const volatile u64 *map)
{
	u32 least = __atomic_load_n(&acked, __ATOMIC_SEQ_CST);
	u64 word, begin = lab_now(), end;

	if (map) {
		word = *map;
	} else if (pread(fd, &word, sizeof(word), 0) != sizeof(word)) {
		__atomic_fetch_add(&v->errors, 1, __ATOMIC_RELAXED);
		return;
	}
	end = lab_now();
	if (word_state(word) < least)
		__atomic_fetch_add(&v->stale, 1, __ATOMIC_RELAXED);
	if (end - begin > v->longest)
		v->longest = end - begin;
	if (word_state(word) != v->state) {
		v->seen = end;
		__atomic_store_n(&v->state, word_state(word), __ATOMIC_RELEASE);
	}
	__atomic_fetch_add(&v->looks, 1, __ATOMIC_RELAXED);
}

static void *viewer(void *arg)
{
	struct view *v = arg;
	int fd = lab_open(v->path);
	void *map = NULL;

	if (v->mapped)
		map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("%s can not be mapped", v->path);
	while (!__atomic_load_n(&v->stop, __ATOMIC_RELAXED)) {
		look(v, fd, map);
		/* Four of them share two processors with everything else. */
		usleep(200);
	}
	if (map)
		munmap(map, 4096);
	close(fd);
	return NULL;
}

void view_start(struct view *v, const char *path, bool mapped)
{
	*v = (struct view){ .path = path, .mapped = mapped };
	v->thread = lab_thread(viewer, v);
}

void view_stop(struct view *v)
{
	__atomic_store_n(&v->stop, true, __ATOMIC_RELAXED);
	pthread_join(v->thread, NULL);
}

bool view_wait(struct view *v, u32 state, unsigned int ms)
{
	u64 begin = lab_now();

	while (__atomic_load_n(&v->state, __ATOMIC_ACQUIRE) != state) {
		if (lab_ms(begin) > ms)
			return false;
		usleep(200);
	}
	return true;
}
