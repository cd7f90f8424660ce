// SPDX-License-Identifier: GPL-2.0
/*
 * Accepting connections.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "transport/tcp_int.h"

#define BACKLOG 1024
/* Accepted in one go before connections get their turn. */
#define ACCEPT_BUDGET 32u

struct gns_tcp_listener {
	struct gns_tcp *t;
	uv_poll_t poll;
	int fd;
	bool closing;
	int (*accept)(void *arg, struct gns_conn *conn);
	void *arg;
};

static void accepted(struct gns_tcp_listener *l, int fd,
		     const struct gns_addr *peer)
{
	struct gns_tcp *t = l->t;
	struct tcp_conn *c;
	char name[64];

	if (t->accepted >= t->cfg.accepted_max) {
		gns_addr_str(peer, name, sizeof(name));
		gns_warn("%s: refused: there are %u connections already", name,
			 t->accepted);
		close(fd);
		return;
	}
	c = tcp_conn_new(t, fd, peer);
	if (!c) {
		gns_err("no memory for a connection");
		return;
	}
	c->accepted = true;
	t->accepted++;
	if (l->accept(l->arg, &c->pub))
		tcp_conn_end(c);
	else
		tcp_conn_start(c);
}

/*
 * Without a descriptor left, the connection would stay in line and the loop
 * would spin on it. Take it with the one in reserve, and hang up.
 */
static bool hang_up(struct gns_tcp_listener *l)
{
	struct gns_tcp *t = l->t;
	int fd;

	if (t->reserve < 0)
		return false;
	close(t->reserve);
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	t->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	gns_err("no descriptor left for a connection; raise LimitNOFILE=");
	return true;
}

static void on_listen(uv_poll_t *poll, int status, int events)
{
	struct gns_tcp_listener *l = container_of(poll, struct gns_tcp_listener,
						  poll);
	struct gns_addr peer;
	u32 i;
	int fd;

	for (i = 0; i < ACCEPT_BUDGET && !l->closing; i++) {
		peer.len = sizeof(peer.ss);
		fd = accept4(l->fd, (struct sockaddr *)&peer.ss, &peer.len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			accepted(l, fd, &peer);
			continue;
		}
		/* The kernel looks for a descriptor before it looks for anybody. */
		if ((errno == EMFILE || errno == ENFILE) && hang_up(l))
			continue;
		if (errno != EINTR && errno != ECONNABORTED) {
			if (errno != EAGAIN)
				gns_err("accept: %s", strerror(errno));
			return;
		}
	}
}

static int open_socket(const struct gns_addr *addr)
{
	int fd = socket(addr->ss.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		err = -errno;
	/* [::] is what it says, whatever the host's default is. */
	if (!err && addr->ss.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		err = -errno;
	if (!err && bind(fd, (const struct sockaddr *)&addr->ss, addr->len))
		err = -errno;
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

struct gns_tcp_listener *
gns_tcp_listen(struct gns_tcp *t, const struct gns_addr *addr,
	       int (*accept)(void *arg, struct gns_conn *conn), void *arg)
{
	struct gns_tcp_listener *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return NULL;
	*l = (struct gns_tcp_listener){ .t = t, .accept = accept, .arg = arg };
	l->fd = open_socket(addr);
	err = l->fd < 0 ? l->fd : uv_poll_init(t->uv, &l->poll, l->fd);
	if (err) {
		if (l->fd >= 0)
			close(l->fd);
		free(l);
		errno = -err;
		return NULL;
	}
	uv_poll_start(&l->poll, UV_READABLE, on_listen);
	tcp_get(t);
	return l;
}

void gns_tcp_listener_addr(const struct gns_tcp_listener *l,
			   struct gns_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->len = sizeof(addr->ss);
	getsockname(l->fd, (struct sockaddr *)&addr->ss, &addr->len);
}

static void listener_closed(uv_handle_t *h)
{
	uv_poll_t *poll = (uv_poll_t *)h;
	struct gns_tcp_listener *l = container_of(poll, struct gns_tcp_listener,
						  poll);

	tcp_put(l->t);
	free(l);
}

void gns_tcp_listener_close(struct gns_tcp_listener *l)
{
	if (!l || l->closing)
		return;
	l->closing = true;
	uv_close((uv_handle_t *)&l->poll, listener_closed);
	close(l->fd);
}
