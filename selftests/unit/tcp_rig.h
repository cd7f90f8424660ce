/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Both ends of TCP connections in one loop, for test_tcp*.c.
 */
#ifndef SELFTESTS_UNIT_TCP_RIG_H
#define SELFTESTS_UNIT_TCP_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"
#include "transport/tcp.h"

#define RIG_PATIENCE_MS 20000u

/* One end of a connection, and what it should do. */
struct end {
	struct rig *rig;
	struct gns_conn *conn; /* NULL: gone */
	u32 messages;
	u32 closed;
	u32 writable;
	char why[128];
	u64 most_queued;
	int (*on_message)(struct end *e, const struct gns_msg *msg);
	void (*on_writable)(struct end *e);
	void *(*on_alloc)(struct end *e, u32 len);
	void *priv;
};

struct rig {
	uv_loop_t loop;
	uv_timer_t tick; /* so that waiting ends */
	struct gns_tcp *tcp;
	struct gns_tcp_listener *listener;
	char addr[64];
	struct end server; /* the last one accepted, unless on_accept says so */
	struct end client;
	int (*on_accept)(struct rig *r, struct gns_conn *conn);
	u32 accepted;
	u32 connected;
	u32 refused;
	char why[128];
	u32 bulks; /* out and not released */
};

static inline int rig_message(struct gns_conn *c, const struct gns_msg *msg)
{
	struct end *e = c->arg;

	e->messages++;
	return e->on_message ? e->on_message(e, msg) : 0;
}

static inline void rig_closed(struct gns_conn *c, const char *why)
{
	struct end *e = c->arg;

	e->closed++;
	snprintf(e->why, sizeof(e->why), "%s", why);
	e->conn = NULL;
}

static inline void rig_writable(struct gns_conn *c)
{
	struct end *e = c->arg;

	e->writable++;
	if (e->on_writable)
		e->on_writable(e);
}

static inline void *rig_alloc(struct gns_conn *c, const struct gns_hdr *hdr,
			      u32 len)
{
	struct end *e = c->arg;

	return e->on_alloc ? e->on_alloc(e, len) : malloc(len);
}

static const struct gns_conn_user rig_user = {
	.message = rig_message,
	.closed = rig_closed,
	.writable = rig_writable,
	.alloc = rig_alloc,
};

static inline void rig_take(struct end *e, struct gns_conn *c)
{
	e->conn = c;
	c->user = &rig_user;
	c->arg = e;
}

static inline int rig_accept(void *arg, struct gns_conn *c)
{
	struct rig *r = arg;

	r->accepted++;
	if (r->on_accept)
		return r->on_accept(r, c);
	rig_take(&r->server, c);
	return 0;
}

static inline void rig_done(void *arg, struct gns_conn *c, const char *why)
{
	struct rig *r = arg;

	if (c) {
		r->connected++;
		rig_take(&r->client, c);
	} else {
		r->refused++;
		snprintf(r->why, sizeof(r->why), "%s", why);
	}
}

static inline void rig_tick(uv_timer_t *timer)
{
}

/* One turn of the loop; fails the test when nothing happens for too long. */
static inline void rig_turn(struct rig *r, u64 *since)
{
	if (!*since)
		*since = uv_hrtime();
	assert_true(uv_hrtime() - *since < RIG_PATIENCE_MS * NSEC_PER_MSEC);
	uv_run(&r->loop, UV_RUN_ONCE);
}

#define rig_until(r, cond) \
	do { \
		u64 since_ = 0; \
		while (!(cond)) \
			rig_turn(r, &since_); \
	} while (0)

static inline void rig_for(struct rig *r, u32 ms)
{
	u64 end = uv_hrtime() + ms * NSEC_PER_MSEC;

	while (uv_hrtime() < end)
		uv_run(&r->loop, UV_RUN_ONCE);
}

static inline struct rig *rig_new(const struct gns_tcp_config *cfg)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct gns_addr addr;
	char err[128];

	signal(SIGPIPE, SIG_IGN);
	assert_non_null(r);
	assert_int_equal(uv_loop_init(&r->loop), 0);
	uv_timer_init(&r->loop, &r->tick);
	uv_timer_start(&r->tick, rig_tick, 5, 5);
	uv_unref((uv_handle_t *)&r->tick);
	r->tcp = gns_tcp_create(&r->loop, cfg);
	assert_non_null(r->tcp);
	assert_int_equal(gns_addr_resolve("127.0.0.1:0", &addr, 1, err,
					  sizeof(err)),
			 1);
	r->listener = gns_tcp_listen(r->tcp, &addr, rig_accept, r);
	assert_non_null(r->listener);
	gns_tcp_listener_addr(r->listener, &addr);
	gns_addr_str(&addr, r->addr, sizeof(r->addr));
	r->server.rig = r;
	r->client.rig = r;
	return r;
}

static inline void rig_connect(struct rig *r)
{
	assert_non_null(gns_tcp_connect(r->tcp, r->addr, rig_done, r));
	rig_until(r, r->client.conn && (r->server.conn || r->server.closed));
}

static inline void rig_free(struct rig *r)
{
	if (r->client.conn)
		gns_conn_close(r->client.conn);
	if (r->server.conn)
		gns_conn_close(r->server.conn);
	gns_tcp_listener_close(r->listener);
	gns_tcp_destroy(r->tcp);
	uv_close((uv_handle_t *)&r->tick, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	assert_int_equal(r->bulks, 0);
	free(r);
}

/* Payload bytes that tell where they belong. */
static inline void pattern(u8 *p, u32 len, u64 tag)
{
	u64 x = tag * 0x9e3779b97f4a7c15ull + 1;
	u32 i;

	for (i = 0; i < len; i++) {
		if (!(i & 7))
			x = x * 6364136223846793005ull + 1442695040888963407ull;
		p[i] = (u8)(x >> (i & 7) * 8);
	}
}

static inline void check_pattern(const void *p, u32 len, u64 tag)
{
	u8 *want = malloc(len + 1);

	assert_non_null(want);
	pattern(want, len, tag);
	assert_int_equal(memcmp(p, want, len), 0);
	free(want);
}

/* Bulks that count themselves. */
struct rig_bulk {
	struct gns_bulk bulk;
	struct rig *rig;
	void (*released)(struct rig *r);
	void *data;
};

static inline void rig_release(struct gns_bulk *bulk)
{
	struct rig_bulk *b = container_of(bulk, struct rig_bulk, bulk);
	struct rig *r = b->rig;

	r->bulks--;
	free(b->data);
	if (bulk->fd >= 0)
		close(bulk->fd);
	if (b->released)
		b->released(r);
	free(b);
}

static inline struct rig_bulk *rig_bulk(struct rig *r)
{
	struct rig_bulk *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	r->bulks++;
	b->rig = r;
	b->bulk.fd = -1;
	b->bulk.release = rig_release;
	return b;
}

static inline struct gns_bulk *bulk_data(struct rig *r, const void *p, u32 len)
{
	struct rig_bulk *b = rig_bulk(r);

	b->data = malloc(len + 1);
	assert_non_null(b->data);
	memcpy(b->data, p, len);
	b->bulk.data = b->data;
	return &b->bulk;
}

#endif
