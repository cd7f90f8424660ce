// SPDX-License-Identifier: GPL-2.0
/*
 * Connecting: the addresses of a name one after the other, each with its time.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/tcp_int.h"

struct gns_tcp_connect {
	struct gns_tcp *t;
	u32 refs; /* name resolution, timer, poll handles of tries */
	bool over; /* done() was called, or is not wanted */
	uv_getaddrinfo_t resolve;
	bool resolving;
	uv_timer_t timer;
	struct try *try; /* under way */
	struct addrinfo *res;
	struct addrinfo *next; /* to be tried */
	u32 tries;
	int err; /* why the last try failed */
	const char *why; /* in words */
	void (*done)(void *arg, struct gns_conn *conn, const char *why);
	void *arg;
};

struct
try {
	uv_poll_t poll;
	struct gns_tcp_connect *a;
	struct gns_addr peer;
	int fd; /* -1: went to its connection */
};

static void next_address(struct gns_tcp_connect *a);

static void set_why(struct gns_tcp_connect *a, int err)
{
	a->err = err;
	a->why = strerrordesc_np(err);
}

static void attempt_put(struct gns_tcp_connect *a)
{
	if (--a->refs)
		return;
	if (a->res)
		uv_freeaddrinfo(a->res);
	tcp_put(a->t);
	free(a);
}

static void try_closed(uv_handle_t *h)
{
	struct try *try = container_of((uv_poll_t *)h, struct try, poll);

	attempt_put(try->a);
	free(try);
}

static void end_try(struct gns_tcp_connect *a)
{
	struct try *try = a->try;

	if (!try)
		return;
	a->try = NULL;
	uv_close((uv_handle_t *)&try->poll, try_closed);
	if (try->fd >= 0)
		close(try->fd);
}

static void timer_closed(uv_handle_t *h)
{
	attempt_put(container_of((uv_timer_t *)h, struct gns_tcp_connect,
				 timer));
}

static void end_attempt(struct gns_tcp_connect *a)
{
	a->over = true;
	end_try(a);
	if (a->resolving)
		uv_cancel((uv_req_t *)&a->resolve);
	uv_close((uv_handle_t *)&a->timer, timer_closed);
}

static void succeed(struct gns_tcp_connect *a)
{
	struct gns_addr peer = a->try->peer;
	int fd = a->try->fd;
	struct tcp_conn *c;

	/* The handle lets go of the descriptor before another one takes it. */
	a->try->fd = -1;
	end_attempt(a);
	c = tcp_conn_new(a->t, fd, &peer);
	errno = ENOMEM;
	a->done(a->arg, c ? &c->pub : NULL, c ? NULL : "no memory");
	if (c)
		tcp_conn_start(c);
}

static void on_try(uv_poll_t *poll, int status, int events)
{
	struct try *try = container_of(poll, struct try, poll);
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(try->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	if (!err && status >= 0) {
		succeed(try->a);
		return;
	}
	set_why(try->a, err ? err : ECONNREFUSED);
	next_address(try->a);
}

static void on_timeout(uv_timer_t *timer)
{
	struct gns_tcp_connect *a = container_of(timer, struct gns_tcp_connect,
						 timer);

	set_why(a, ETIMEDOUT);
	next_address(a);
}

static int start_try(struct gns_tcp_connect *a, const struct addrinfo *ai)
{
	struct try *try;
	int fd = socket(ai->ai_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) &&
	    errno != EINPROGRESS) {
		err = -errno;
		close(fd);
		return err;
	}
	try = calloc(1, sizeof(*try));
	if (!try || uv_poll_init(a->t->uv, &try->poll, fd)) {
		free(try);
		close(fd);
		return -ENOMEM;
	}
	try->a = a;
	try->fd = fd;
	memcpy(&try->peer.ss, ai->ai_addr, ai->ai_addrlen);
	try->peer.len = ai->ai_addrlen;
	a->try = try;
	a->refs++;
	uv_poll_start(&try->poll, UV_WRITABLE, on_try);
	uv_timer_start(&a->timer, on_timeout, GNS_TCP_CONNECT_MS, 0);
	return 0;
}

static void next_address(struct gns_tcp_connect *a)
{
	struct addrinfo *ai;
	int err;

	end_try(a);
	while ((ai = a->next) && a->tries++ < GNS_TCP_ADDRS_MAX) {
		a->next = ai->ai_next;
		err = start_try(a, ai);
		if (!err)
			return;
		set_why(a, -err);
	}
	end_attempt(a);
	errno = a->err;
	a->done(a->arg, NULL, a->why);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct gns_tcp_connect *a = container_of(req, struct gns_tcp_connect,
						 resolve);

	a->resolving = false;
	a->res = res;
	if (!a->over) {
		a->err = EHOSTUNREACH;
		a->why = status ? uv_strerror(status) : "no address";
		a->next = res;
		next_address(a);
	}
	attempt_put(a);
}

struct gns_tcp_connect *gns_tcp_connect(struct gns_tcp *t, const char *text,
					void (*done)(void *arg,
						     struct gns_conn *conn,
						     const char *why),
					void *arg)
{
	struct addrinfo hints = tcp_addr_hints();
	char host[NI_MAXHOST], port[8];
	struct gns_tcp_connect *a;
	int err;

	if (tcp_addr_split(text, host, sizeof(host), port, sizeof(port))) {
		errno = EINVAL;
		return NULL;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->t = t;
	a->done = done;
	a->arg = arg;
	err = uv_getaddrinfo(t->uv, &a->resolve, on_resolved, host, port,
			     &hints);
	if (err) {
		free(a);
		errno = -err;
		return NULL;
	}
	a->resolving = true;
	a->refs = 2;
	uv_timer_init(t->uv, &a->timer);
	tcp_get(t);
	return a;
}

void gns_tcp_connect_cancel(struct gns_tcp_connect *a)
{
	if (a && !a->over)
		end_attempt(a);
}
