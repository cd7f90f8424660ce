// SPDX-License-Identifier: GPL-2.0
/*
 * A connection: what comes in, and how it ends.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "transport/tcp_int.h"

/* Bytes taken from one connection before the others get their turn. */
#define READ_BUDGET (4u << 20)

static void poll_update(struct tcp_conn *c);

static void conn_closed(uv_handle_t *h)
{
	struct tcp_conn *c = container_of((uv_poll_t *)h, struct tcp_conn,
					  poll);

	gns_framer_exit(&c->framer);
	tcp_put(c->t);
	free(c);
}

void tcp_conn_end(struct tcp_conn *c)
{
	if (c->gone)
		return;
	c->gone = true;
	LIST_REMOVE(c, link);
	tcp_unmark(c);
	if (c->accepted)
		c->t->accepted--;
	uv_close((uv_handle_t *)&c->poll, conn_closed);
	close(c->fd);
	tcp_out_drop(c);
}

void tcp_conn_fail(struct tcp_conn *c, const char *why)
{
	if (c->failed || c->gone)
		return;
	c->failed = true;
	c->why = why;
	poll_update(c);
	tcp_mark(c);
}

static void report(struct tcp_conn *c)
{
	const struct gns_conn_user *user = c->pub.user;

	gns_debug("%s: closed: %s", c->pub.peer, c->why);
	if (user)
		user->closed(&c->pub, c->why);
	tcp_conn_end(c);
}

static void on_close(struct gns_conn *conn)
{
	struct tcp_conn *c = container_of(conn, struct tcp_conn, pub);

	/* In closed() it is on its way already; report() finishes that. */
	conn->user = NULL;
	tcp_conn_end(c);
}

static void on_pause(struct gns_conn *conn, bool on)
{
	struct tcp_conn *c = container_of(conn, struct tcp_conn, pub);

	if (c->paused == on || c->gone)
		return;
	c->paused = on;
	if (on)
		poll_update(c);
	else
		tcp_mark(c);
}

static void *on_steal(struct gns_conn *conn)
{
	struct tcp_conn *c = container_of(conn, struct tcp_conn, pub);

	return c->in_message ? gns_framer_steal(&c->framer) : NULL;
}

static void *on_alloc(void *arg, const struct gns_hdr *hdr, u32 len)
{
	struct tcp_conn *c = arg;

	if (c->pub.user && c->pub.user->alloc)
		return c->pub.user->alloc(&c->pub, hdr, len);
	return tcp_block_get(c->t, len);
}

/* The user may be gone by now. */
static void on_free(void *arg, void *p)
{
	struct tcp_conn *c = arg;

	tcp_block_put(c->t, p);
}

/*
 * -EAGAIN makes the framer stop behind this message; it goes on from there
 * when it is told of 0 more bytes.
 */
static int on_frame(void *arg, const struct gns_msg *msg)
{
	struct tcp_conn *c = arg;
	int err;

	c->spoke = true;
	c->in_message = true;
	err = c->pub.user->message(&c->pub, msg);
	c->in_message = false;
	if (c->gone || c->failed)
		return -ECANCELED;
	if (err) {
		c->refused = true;
		gns_warn("%s: %s refused: %s; connection closed", c->pub.peer,
			 gns_msg_name(msg->type), strerror(-err));
		return err == -EAGAIN ? -EPROTO : err;
	}
	return c->paused ? -EAGAIN : 0;
}

/* Bytes have arrived; false: stop reading. */
static bool filled(struct tcp_conn *c, u32 n)
{
	int err = gns_framer_filled(&c->framer, n);

	if (!err)
		return true;
	if (err == -EAGAIN) {
		c->held = true;
	} else if (c->gone || c->failed) {
		return false;
	} else if (c->refused) {
		tcp_conn_fail(c, strerrordesc_np(-err));
	} else {
		gns_warn("%s: bad message: %s; connection closed", c->pub.peer,
			 c->framer.why);
		tcp_conn_fail(c, c->framer.why);
	}
	return false;
}

static bool in_frame(const struct tcp_conn *c)
{
	return c->framer.body || c->framer.head != c->framer.tail;
}

static void receive(struct tcp_conn *c)
{
	u32 budget = READ_BUDGET;
	ssize_t n;
	void *p;
	u32 len;

	while (!c->paused && !c->held && !c->failed && !c->gone) {
		p = gns_framer_space(&c->framer, &len);
		n = recv(c->fd, p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			tcp_conn_fail(c, strerrordesc_np(errno));
			return;
		}
		if (!n) {
			tcp_conn_fail(c, in_frame(c) ?
						 "the peer left in the middle of a message" :
						 "the peer left");
			return;
		}
		c->heard = uv_now(c->t->uv);
		if (!filled(c, (u32)n))
			return;
		/* Less than there was room for: the socket is empty now. */
		if ((u32)n < len || (u32)n >= budget)
			return;
		budget -= (u32)n;
	}
}

static const char *socket_error(struct tcp_conn *c)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) || !err)
		err = ECONNRESET;
	return strerrordesc_np(err);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct tcp_conn *c = container_of(poll, struct tcp_conn, poll);

	if (status < 0) {
		/* What came before the error still counts. */
		receive(c);
		if (!c->gone && !c->failed)
			tcp_conn_fail(c, socket_error(c));
		return;
	}
	if (events & UV_WRITABLE) {
		c->blocked = false;
		tcp_mark(c);
	}
	if (events & UV_READABLE)
		receive(c);
}

static void poll_update(struct tcp_conn *c)
{
	int events = 0;

	if (c->gone)
		return;
	if (!c->failed && !c->paused && !c->held)
		events |= UV_READABLE;
	if (!c->failed && c->blocked)
		events |= UV_WRITABLE;
	if (events == c->events)
		return;
	c->events = events;
	if (events)
		uv_poll_start(&c->poll, events, on_poll);
	else
		uv_poll_stop(&c->poll);
}

/* All that waited for the end of the round; see tcp.c. */
void tcp_conn_round(struct tcp_conn *c)
{
	if (c->failed) {
		report(c);
		return;
	}
	if (c->held && !c->paused) {
		c->held = false;
		filled(c, 0);
	}
	if (c->gone || c->failed)
		return;
	if (!c->blocked)
		tcp_flush(c);
	if (c->gone || c->failed)
		return;
	if (c->owed && c->pub.queued <= GNS_TCP_LOW_MARK) {
		c->owed = false;
		if (c->pub.user->writable)
			c->pub.user->writable(&c->pub);
	}
	poll_update(c);
}

/*
 * Whoever connects has something to say, and says it to its end. Otherwise
 * descriptors and buffers would be theirs to take.
 */
void tcp_conn_sweep(struct tcp_conn *c, u64 now)
{
	bool waiting = in_frame(c) || (c->accepted && !c->spoke);

	if (!waiting || c->paused || c->held)
		c->heard = now;
	else if (now - c->heard > c->t->cfg.silent_ms)
		tcp_conn_fail(c, c->spoke ? "silent in a message" :
					    "silent from the start");
}

static void set_options(int fd)
{
	int one = 1;
	int idle = GNS_TCP_KEEPALIVE_IDLE_S;
	int step = GNS_TCP_KEEPALIVE_STEP_S;
	int tries = GNS_TCP_KEEPALIVE_TRIES;
	unsigned int ms = GNS_TCP_USER_TIMEOUT_MS;

	/* A connection works without any of them, just not as well. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &step, sizeof(step));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

static const struct gns_conn_ops tcp_ops = { tcp_send, on_close };
static const struct gns_framer_ops framer_ops = { on_alloc, on_frame, on_free };

/* The descriptor is taken over; NULL: closed. */
struct tcp_conn *tcp_conn_new(struct gns_tcp *t, int fd,
			      const struct gns_addr *peer)
{
	struct tcp_conn *c = calloc(1, sizeof(*c));

	if (!c || gns_framer_init(&c->framer, &framer_ops, c) ||
	    uv_poll_init(t->uv, &c->poll, fd)) {
		if (c)
			gns_framer_exit(&c->framer);
		free(c);
		close(fd);
		return NULL;
	}
	set_options(fd);
	c->pub.ops = &tcp_ops;
	c->pub.pause = on_pause;
	c->pub.steal = on_steal;
	gns_addr_str(peer, c->pub.peer, sizeof(c->pub.peer));
	c->pub.local = gns_addr_is_loopback(peer);
	c->t = t;
	c->fd = fd;
	c->heard = uv_now(t->uv);
	TAILQ_INIT(&c->outq);
	LIST_INSERT_HEAD(&t->conns, c, link);
	tcp_get(t);
	return c;
}

/* Its user has been set, and may have done anything with it already. */
void tcp_conn_start(struct tcp_conn *c)
{
	if (c->gone)
		return;
	if (c->pub.user)
		poll_update(c);
	else
		tcp_conn_end(c);
}
