// SPDX-License-Identifier: GPL-2.0
/*
 * A satellite without a kernel; see client.h.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "lib/loop.h"
#include "transport/tcp.h"

#define SESSION_WAIT_MS 10000
#define PENDING_MAX 4096
#define INPUT_WAIT_MS 5

struct asked {
	client_fn fn;
	void *arg;
	u32 next_free;
};

struct client {
	struct gns_kern kern;
	struct gns_connector connector;
	uv_loop_t uv;
	uv_async_t alive; /* without any handle the loop would not run its timers */
	struct gns_env *env;
	struct gns_tcp *tcp;
	struct gns_sat *sat;
	const char *addr;
	struct gns_kern_session ks;
	bool up;
	u32 pending;
	u32 free_slot; /* of asked[]; PENDING_MAX: none */
	struct asked asked[PENDING_MAX];
	struct {
		struct gns_tcp_connect *a;
		void *arg;
		void (*done)(void *arg, struct gns_conn *conn, const char *why);
		struct client *c;
	} attempts[16];
};

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("Bail out! ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	exit(1);
}

#define CLIENT(k) container_of(k, struct client, kern)

static void k_get(struct gns_kern *k, struct gns_kern_session *ks)
{
	*ks = CLIENT(k)->ks;
}

static u64 k_stamp(struct gns_kern *k)
{
	return gns_boottime(CLIENT(k)->env);
}

static void k_secret(struct gns_kern *k, struct gns_id *secret)
{
	(void)k;
	gns_random_bytes(secret, sizeof(*secret));
}

static int k_up(struct gns_kern *k, const struct gns_r_hello *h)
{
	(void)h;
	CLIENT(k)->up = true;
	return 0;
}

static void k_renewed(struct gns_kern *k, u64 sid, u64 stamp, u64 ttl)
{
	(void)k;
	(void)sid;
	(void)stamp;
	(void)ttl;
}

/* Nothing is cached, so everything is fenced at once. */
static void k_lost(struct gns_kern *k, u64 sid)
{
	gns_sat_fenced(CLIENT(k)->sat, sid);
}

static void k_revoke(struct gns_kern *k, u64 sid, const struct gns_fh *fh,
		     u64 upto)
{
	gns_sat_released(CLIENT(k)->sat, sid, fh, upto, false);
}

static void k_reply(struct gns_kern *k, u64 id, const struct gns_msg *rep)
{
	struct client *c = CLIENT(k);
	u32 slot = id % PENDING_MAX;
	struct asked a = c->asked[slot];

	c->asked[slot].next_free = c->free_slot;
	c->free_slot = slot;
	c->pending--;
	a.fn(a.arg, rep);
}

static const struct gns_kern_ops kern_ops = {
	.get = k_get,
	.stamp = k_stamp,
	.secret = k_secret,
	.up = k_up,
	.renewed = k_renewed,
	.lost = k_lost,
	.revoke = k_revoke,
	.reply = k_reply,
};

static void connected(void *arg, struct gns_conn *conn, const char *why)
{
	typeof(&((struct client *)0)->attempts[0]) t = arg;

	t->a = NULL;
	t->done(t->arg, conn, why);
}

static void c_connect(struct gns_connector *gc,
		      void (*done)(void *arg, struct gns_conn *conn,
				   const char *why),
		      void *arg)
{
	struct client *c = container_of(gc, struct client, connector);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(c->attempts) && c->attempts[i].a; i++)
		;
	if (i == ARRAY_SIZE(c->attempts))
		die("too many connection attempts");
	c->attempts[i].arg = arg;
	c->attempts[i].done = done;
	c->attempts[i].a = gns_tcp_connect(c->tcp, c->addr, connected,
					   &c->attempts[i]);
	if (!c->attempts[i].a)
		die("no memory to connect");
}

static void c_cancel(struct gns_connector *gc, void *arg)
{
	struct client *c = container_of(gc, struct client, connector);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(c->attempts); i++) {
		if (!c->attempts[i].a || c->attempts[i].arg != arg)
			continue;
		gns_tcp_connect_cancel(c->attempts[i].a);
		c->attempts[i].a = NULL;
	}
}

static const struct gns_connector_ops connector_ops = { c_connect, c_cancel };

struct client *client_open(const char *addr, u32 conns)
{
	struct gns_sat_config cfg = { .conns = conns, .max_pending = PENDING_MAX };
	struct client *c = calloc(1, sizeof(*c));
	u64 limit;
	u32 i;

	if (!c || uv_loop_init(&c->uv) || uv_async_init(&c->uv, &c->alive, NULL))
		die("no memory for a client");
	c->kern.ops = &kern_ops;
	c->connector.ops = &connector_ops;
	c->addr = addr;
	for (i = 0; i < PENDING_MAX; i++)
		c->asked[i].next_free = i + 1;
	gns_random_bytes(&c->ks.instance, sizeof(c->ks.instance));
	c->env = gns_loop_create(&c->uv);
	c->tcp = gns_tcp_create(&c->uv, NULL);
	if (!c->env || !c->tcp)
		die("no loop");
	c->sat = gns_sat_create(c->env, &c->kern, &c->connector, &cfg);
	if (!c->sat)
		die("no memory for a satellite");
	limit = gns_boottime(c->env) + SESSION_WAIT_MS * NSEC_PER_MSEC;
	while (!c->up && gns_boottime(c->env) < limit)
		uv_run(&c->uv, UV_RUN_ONCE);
	if (!c->up) {
		client_close(c);
		return NULL;
	}
	return c;
}

void client_close(struct client *c)
{
	gns_sat_destroy(c->sat);
	gns_tcp_destroy(c->tcp);
	gns_loop_destroy(c->env);
	uv_close((uv_handle_t *)&c->alive, NULL);
	uv_run(&c->uv, UV_RUN_NOWAIT);
	uv_loop_close(&c->uv);
	free(c);
}

void client_ask(struct client *c, const struct gns_msg *msg, client_fn fn,
		void *arg)
{
	static u64 round;
	u32 slot = c->free_slot;

	if (slot >= PENDING_MAX)
		die("too many requests at once");
	c->free_slot = c->asked[slot].next_free;
	c->asked[slot] = (struct asked){ fn, arg, 0 };
	c->pending++;
	round += PENDING_MAX;
	if (gns_sat_submit(c->sat, round + slot, 0, msg))
		die("%s was not taken", gns_msg_name(msg->type));
}

u32 client_pending(const struct client *c)
{
	return c->pending;
}

void client_step(struct client *c)
{
	if (c->pending)
		uv_run(&c->uv, UV_RUN_ONCE);
}

struct gns_sat *client_sat(struct client *c)
{
	return c->sat;
}

void client_turn(struct client *c)
{
	uv_run(&c->uv, UV_RUN_ONCE);
}

bool client_input(struct client *c, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	uv_run(&c->uv, UV_RUN_NOWAIT);
	return poll(&p, 1, INPUT_WAIT_MS) > 0;
}

struct call {
	struct gns_msg *rep;
	u32 status;
	bool done;
};

static void called(void *arg, const struct gns_msg *rep)
{
	struct call *call = arg;

	*call->rep = *rep;
	call->status = rep->status;
	call->done = true;
}

u32 client_call(struct client *c, const struct gns_msg *msg,
		struct gns_msg *rep)
{
	struct call call = { .rep = rep };

	client_ask(c, msg, called, &call);
	while (!call.done)
		uv_run(&c->uv, UV_RUN_ONCE);
	return call.status;
}
