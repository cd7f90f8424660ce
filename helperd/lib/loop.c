// SPDX-License-Identifier: GPL-2.0
/*
 * Clocks and timers of a real process; see loop.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"

/* Timers that fire before other events get their turn. */
#define FIRE_MAX 256u
#define HEAP_MIN 64u

struct loop {
	struct gns_env env;
	uv_poll_t poll;
	int fd; /* the timerfd */
	u64 set; /* what it is set to; 0: nothing */
	u32 n;
	u32 cap;
	struct gns_timer **heap; /* soonest first; a timer's slot is its index */
};

static struct loop *to_loop(struct gns_env *env)
{
	return container_of(env, struct loop, env);
}

static u64 clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

static u64 loop_boottime(struct gns_env *env)
{
	return clock_ns(CLOCK_BOOTTIME);
}

static u64 loop_realtime(struct gns_env *env)
{
	return clock_ns(CLOCK_REALTIME);
}

void gns_random_bytes(void *p, size_t len)
{
	ssize_t n;

	while (len) {
		n = getrandom(p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			gns_err("getrandom: %s", strerror(errno));
			abort();
		}
		p = (u8 *)p + n;
		len -= (size_t)n;
	}
}

static u64 loop_random(struct gns_env *env)
{
	u64 v;

	gns_random_bytes(&v, sizeof(v));
	return v;
}

static void place(struct loop *l, u32 i, struct gns_timer *t)
{
	l->heap[i] = t;
	t->slot = i;
}

static void sift_up(struct loop *l, u32 i, struct gns_timer *t)
{
	u32 up;

	for (; i; i = up) {
		up = (i - 1) / 2;
		if (l->heap[up]->at <= t->at)
			break;
		place(l, i, l->heap[up]);
	}
	place(l, i, t);
}

static void sift_down(struct loop *l, u32 i, struct gns_timer *t)
{
	u32 kid;

	while ((kid = 2 * i + 1) < l->n) {
		if (kid + 1 < l->n && l->heap[kid + 1]->at < l->heap[kid]->at)
			kid++;
		if (t->at <= l->heap[kid]->at)
			break;
		place(l, i, l->heap[kid]);
		i = kid;
	}
	place(l, i, t);
}

static void heap_remove(struct loop *l, struct gns_timer *t)
{
	u32 i = (u32)t->slot;
	struct gns_timer *last = l->heap[--l->n];

	t->at = 0;
	if (last == t)
		return;
	if (i && l->heap[(i - 1) / 2]->at > last->at)
		sift_up(l, i, last);
	else
		sift_down(l, i, last);
}

static void heap_grow(struct loop *l)
{
	u32 cap = l->cap ? l->cap * 2 : HEAP_MIN;
	struct gns_timer **heap = realloc(l->heap, cap * sizeof(*heap));

	/* A deadline that is lost is worse than a daemon that restarts. */
	if (!heap) {
		gns_err("no memory for a timer");
		abort();
	}
	l->heap = heap;
	l->cap = cap;
}

/*
 * Only ever moved nearer: most deadlines move away before they come, and one
 * wake-up too many is cheaper than a system call for each of them.
 */
static void set_alarm(struct loop *l)
{
	struct itimerspec its = { 0 };
	u64 at = l->n ? l->heap[0]->at : 0;

	if (!at || (l->set && l->set <= at))
		return;
	its.it_value.tv_sec = (time_t)(at / NSEC_PER_SEC);
	its.it_value.tv_nsec = (long)(at % NSEC_PER_SEC);
	if (timerfd_settime(l->fd, TFD_TIMER_ABSTIME, &its, NULL)) {
		gns_err("timerfd_settime: %s", strerror(errno));
		abort();
	}
	l->set = at;
}

static void loop_arm(struct gns_env *env, struct gns_timer *t, u64 at)
{
	struct loop *l = to_loop(env);

	if (t->at)
		heap_remove(l, t);
	if (l->n == l->cap)
		heap_grow(l);
	/* Years away is never; timerfd takes no more than s64 seconds. */
	t->at = min_u64(at, INT64_MAX);
	sift_up(l, l->n++, t);
	set_alarm(l);
}

static void loop_cancel(struct gns_env *env, struct gns_timer *t)
{
	if (t->at)
		heap_remove(to_loop(env), t);
}

static void on_alarm(uv_poll_t *poll, int status, int events)
{
	struct loop *l = container_of(poll, struct loop, poll);
	struct gns_timer *t;
	u64 expirations;
	u64 now;
	u32 i;

	if (read(l->fd, &expirations, sizeof(expirations)) < 0 &&
	    errno != EAGAIN)
		gns_err("timerfd: %s", strerror(errno));
	l->set = 0;
	now = loop_boottime(&l->env);
	for (i = 0; i < FIRE_MAX && l->n && l->heap[0]->at <= now; i++) {
		t = l->heap[0];
		heap_remove(l, t);
		t->fn(t->arg);
	}
	set_alarm(l);
}

static const struct gns_env_ops loop_ops = {
	.boottime = loop_boottime,
	.realtime = loop_realtime,
	.random = loop_random,
	.arm = loop_arm,
	.cancel = loop_cancel,
};

struct gns_env *gns_loop_create(uv_loop_t *uv)
{
	struct loop *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return NULL;
	l->env.ops = &loop_ops;
	l->fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (l->fd < 0) {
		free(l);
		return NULL;
	}
	err = uv_poll_init(uv, &l->poll, l->fd);
	if (err) {
		close(l->fd);
		free(l);
		errno = -err;
		return NULL;
	}
	uv_poll_start(&l->poll, UV_READABLE, on_alarm);
	uv_unref((uv_handle_t *)&l->poll);
	return &l->env;
}

static void loop_closed(uv_handle_t *h)
{
	free(container_of((uv_poll_t *)h, struct loop, poll));
}

void gns_loop_destroy(struct gns_env *env)
{
	struct loop *l;

	if (!env)
		return;
	l = to_loop(env);
	while (l->n)
		heap_remove(l, l->heap[l->n - 1]);
	uv_close((uv_handle_t *)&l->poll, loop_closed);
	close(l->fd);
	free(l->heap);
	l->heap = NULL;
}
