// SPDX-License-Identifier: GPL-2.0
/*
 * Windows of files; see window.h.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "origin/window.h"

#define STEP (16u << 20)
/* They overlap: a read never crosses the end of the one it begins in. */
#define SPAN (STEP + GNS_READ_MAX)
#define PAGE_MIN 4096u

struct window {
	struct gns_windows *pool;
	struct gns_windows_of *of; /* NULL: dropped */
	u8 *p;
	u64 off;
	u32 refs; /* bulks */
	LIST_ENTRY(window) by_file;
	TAILQ_ENTRY(window) lru; /* of != NULL: last used last */
};

TAILQ_HEAD(window_list, window);

struct gns_windows {
	pthread_mutex_t lock;
	struct window_list lru;
	u64 page;
	u32 max;
	u32 total; /* the dropped ones too */
	bool closed;
};

struct part {
	struct gns_bulk bulk;
	struct window *w;
};

struct gns_windows *gns_windows_create(u64 max)
{
	struct gns_windows *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	TAILQ_INIT(&pool->lru);
	pool->page = (u64)sysconf(_SC_PAGESIZE);
	pool->max = (u32)min_u64(max_u64(max / SPAN, 1), UINT32_MAX);
	return pool;
}

/* The last one out frees the pool. Called with the lock, returns without. */
static void pool_unlock(struct gns_windows *pool)
{
	bool last = pool->closed && !pool->total;

	pthread_mutex_unlock(&pool->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void gns_windows_destroy(struct gns_windows *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closed = true;
	pool_unlock(pool);
}

static void window_free(struct window *w)
{
	if (!w)
		return;
	munmap(w->p, SPAN);
	free(w);
}

/* No more of its file. Returns the window if nobody needs it any more. */
static struct window *window_drop(struct window *w)
{
	LIST_REMOVE(w, by_file);
	TAILQ_REMOVE(&w->pool->lru, w, lru);
	w->of = NULL;
	if (w->refs)
		return NULL;
	w->pool->total--;
	return w;
}

static void window_put(struct window *w)
{
	struct gns_windows *pool = w->pool;
	bool last;

	pthread_mutex_lock(&pool->lock);
	last = !--w->refs && !w->of;
	pool->total -= last;
	pool_unlock(pool);
	if (last)
		window_free(w);
}

/* The one longest unused; NULL: all are in use. */
static struct window *window_evict(struct gns_windows *pool)
{
	struct window *w;

	TAILQ_FOREACH(w, &pool->lru, lru)
		if (!w->refs)
			return window_drop(w);
	return NULL;
}

static struct window *window_new(struct gns_windows *pool,
				 struct gns_windows_of *of, int fd, u64 off)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->p = mmap(NULL, SPAN, PROT_READ, MAP_SHARED, fd, (off_t)off);
	if (w->p == MAP_FAILED) {
		free(w);
		return NULL;
	}
	/* A helper that serves mounts locks what it maps. Not this: it is page
	 * cache, for the kernel to take back.
	 */
	munlock(w->p, SPAN);
	w->pool = pool;
	w->of = of;
	w->off = off;
	of->pool = pool;
	LIST_INSERT_HEAD(&of->list, w, by_file);
	TAILQ_INSERT_TAIL(&pool->lru, w, lru);
	pool->total++;
	return w;
}

static struct window *window_find(struct gns_windows_of *of, u64 off)
{
	struct window *w;

	LIST_FOREACH(w, &of->list, by_file)
		if (w->off == off)
			break;
	if (!w)
		return NULL;
	LIST_REMOVE(w, by_file);
	LIST_INSERT_HEAD(&of->list, w, by_file);
	TAILQ_REMOVE(&w->pool->lru, w, lru);
	TAILQ_INSERT_TAIL(&w->pool->lru, w, lru);
	return w;
}

/*
 * The kernel says so to the file's owner and to who may write it, and yes to
 * anybody else: those may wait for the disk.
 */
static bool is_resident(const struct window *w, u64 off, u32 len)
{
	u8 vec[GNS_READ_MAX / PAGE_MIN + 1];
	u64 page = w->pool->page;
	u64 in = off % page;
	size_t i, n = (in + len + page - 1) / page;

	if (mincore(w->p + (off - in - w->off), in + len, vec))
		return false;
	for (i = 0; i < n; i++)
		if (!(vec[i] & 1))
			return false;
	return true;
}

static void part_release(struct gns_bulk *bulk)
{
	struct part *part = container_of(bulk, struct part, bulk);

	window_put(part->w);
	free(part);
}

struct gns_bulk *gns_window_get(struct gns_windows *pool,
				struct gns_windows_of *of, int fd, u64 off,
				u32 len)
{
	struct window *w, *old = NULL;
	struct part *part;

	pthread_mutex_lock(&pool->lock);
	w = window_find(of, off - off % STEP);
	if (!w) {
		if (pool->total >= pool->max)
			old = window_evict(pool);
		if (pool->total < pool->max)
			w = window_new(pool, of, fd, off - off % STEP);
	}
	if (w)
		w->refs++;
	pthread_mutex_unlock(&pool->lock);
	window_free(old);
	if (!w)
		return NULL;
	part = malloc(sizeof(*part));
	if (!part || !is_resident(w, off, len)) {
		free(part);
		window_put(w);
		return NULL;
	}
	part->bulk = (struct gns_bulk){ w->p + (off - w->off), -1,
					part_release };
	part->w = w;
	return &part->bulk;
}

void gns_windows_drop(struct gns_windows_of *of)
{
	struct gns_windows *pool = of->pool;
	struct window_list gone = TAILQ_HEAD_INITIALIZER(gone);
	struct window *w;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	while ((w = LIST_FIRST(&of->list))) {
		w = window_drop(w);
		if (w)
			TAILQ_INSERT_TAIL(&gone, w, lru);
	}
	pool_unlock(pool);
	/* Takes a while for many: others need the lock meanwhile. */
	while ((w = TAILQ_FIRST(&gone))) {
		TAILQ_REMOVE(&gone, w, lru);
		window_free(w);
	}
}
