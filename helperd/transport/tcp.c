// SPDX-License-Identifier: GPL-2.0
/*
 * The rounds: what has to happen to connections outside of anybody's call.
 *
 * A send, a failure or an end of a pause puts its connection on a list. The
 * list is worked off when the loop has handled its events, and again before
 * it sleeps; that is when queues are flushed and users are told.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/tcp_int.h"

#define BLOCK_MIN (128u << 10)
#define SWEEPS 4u /* in the time a peer may be silent */

void tcp_get(struct gns_tcp *t)
{
	t->refs++;
}

/*
 * Payloads one after the other: malloc(3) would give a block of this size back
 * to the kernel each time, and the next one would be cold and cleared again.
 */
void *tcp_block_get(struct gns_tcp *t, u32 len)
{
	u32 i;

	if (t->cfg.mem)
		return gns_mem_alloc(t->cfg.mem, len);
	for (i = t->nblocks; i--;) {
		void *p = t->block[i];

		if (malloc_usable_size(p) < len)
			continue;
		t->nblocks--;
		memmove(t->block + i, t->block + i + 1,
			(t->nblocks - i) * sizeof(p));
		return p;
	}
	return malloc(len);
}

/* Small ones are malloc's. The one longest unused makes room. */
void tcp_block_put(struct gns_tcp *t, void *p)
{
	if (t->cfg.mem || !p || malloc_usable_size(p) < BLOCK_MIN) {
		gns_mem_free(t->cfg.mem, p);
		return;
	}
	if (t->nblocks == GNS_TCP_BLOCKS) {
		free(t->block[0]);
		t->nblocks--;
		memmove(t->block, t->block + 1, t->nblocks * sizeof(p));
	}
	t->block[t->nblocks++] = p;
}

void tcp_put(struct gns_tcp *t)
{
	if (--t->refs)
		return;
	tcp_spare_free(t);
	while (t->nblocks)
		free(t->block[--t->nblocks]);
	if (t->cfg.mem && t->cfg.mem->done)
		t->cfg.mem->done(t->cfg.mem);
	if (t->reserve >= 0)
		close(t->reserve);
	free(t);
}

void tcp_mark(struct tcp_conn *c)
{
	if (c->dirty || c->gone)
		return;
	c->dirty = true;
	TAILQ_INSERT_TAIL(&c->t->dirty, c, work);
	c->t->ndirty++;
}

void tcp_unmark(struct tcp_conn *c)
{
	if (!c->dirty)
		return;
	c->dirty = false;
	TAILQ_REMOVE(&c->t->dirty, c, work);
	c->t->ndirty--;
}

static void on_idle(uv_idle_t *idle)
{
}

/* What is marked meanwhile waits for the next round, without a sleep. */
static void work(struct gns_tcp *t)
{
	u32 n = t->ndirty;
	struct tcp_conn *c;

	while (n-- && (c = TAILQ_FIRST(&t->dirty))) {
		tcp_unmark(c);
		tcp_conn_round(c);
	}
	if (t->ndirty)
		uv_idle_start(&t->idle, on_idle);
	else
		uv_idle_stop(&t->idle);
}

static void on_prepare(uv_prepare_t *prepare)
{
	work(container_of(prepare, struct gns_tcp, prepare));
}

static void on_check(uv_check_t *check)
{
	work(container_of(check, struct gns_tcp, check));
}

static void on_sweep(uv_timer_t *timer)
{
	struct gns_tcp *t = container_of(timer, struct gns_tcp, sweep);
	u64 now = uv_now(t->uv);
	struct tcp_conn *c;

	/* Failures are marked, not reported: nobody leaves the list here. */
	LIST_FOREACH(c, &t->conns, link)
		tcp_conn_sweep(c, now);
}

static void defaults(struct gns_tcp_config *cfg)
{
	if (!cfg->queued_max)
		cfg->queued_max = GNS_TCP_QUEUED_MAX;
	if (!cfg->accepted_max)
		cfg->accepted_max = GNS_TCP_ACCEPTED_MAX;
	if (!cfg->silent_ms)
		cfg->silent_ms = GNS_TCP_SILENT_MS;
}

struct gns_tcp *gns_tcp_create(uv_loop_t *uv, const struct gns_tcp_config *cfg)
{
	struct gns_tcp *t = calloc(1, sizeof(*t));
	u64 step;

	if (!t)
		return NULL;
	t->uv = uv;
	if (cfg)
		t->cfg = *cfg;
	defaults(&t->cfg);
	TAILQ_INIT(&t->dirty);
	LIST_INIT(&t->conns);
	TAILQ_INIT(&t->spare);
	t->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	t->refs = 4;
	/* Nothing of this can fail; it counts as no reason to keep running. */
	uv_prepare_init(uv, &t->prepare);
	uv_check_init(uv, &t->check);
	uv_idle_init(uv, &t->idle);
	uv_timer_init(uv, &t->sweep);
	uv_prepare_start(&t->prepare, on_prepare);
	uv_check_start(&t->check, on_check);
	step = t->cfg.silent_ms / SWEEPS + 1;
	uv_timer_start(&t->sweep, on_sweep, step, step);
	uv_unref((uv_handle_t *)&t->prepare);
	uv_unref((uv_handle_t *)&t->check);
	uv_unref((uv_handle_t *)&t->sweep);
	return t;
}

static void prepare_closed(uv_handle_t *h)
{
	tcp_put(container_of((uv_prepare_t *)h, struct gns_tcp, prepare));
}

static void check_closed(uv_handle_t *h)
{
	tcp_put(container_of((uv_check_t *)h, struct gns_tcp, check));
}

static void idle_closed(uv_handle_t *h)
{
	tcp_put(container_of((uv_idle_t *)h, struct gns_tcp, idle));
}

static void sweep_closed(uv_handle_t *h)
{
	tcp_put(container_of((uv_timer_t *)h, struct gns_tcp, sweep));
}

void gns_tcp_destroy(struct gns_tcp *t)
{
	struct tcp_conn *c;

	if (!t)
		return;
	while ((c = LIST_FIRST(&t->conns)))
		tcp_conn_end(c);
	uv_close((uv_handle_t *)&t->prepare, prepare_closed);
	uv_close((uv_handle_t *)&t->check, check_closed);
	uv_close((uv_handle_t *)&t->idle, idle_closed);
	uv_close((uv_handle_t *)&t->sweep, sweep_closed);
}
