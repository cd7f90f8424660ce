// SPDX-License-Identifier: GPL-2.0
/*
 * Connections to an origin that the kernel has named.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "satellite/kernel_int.h"

/* A connection being made. */
struct kern_attempt {
	struct kern_origin *o;
	struct gns_tcp_connect *a; /* NULL: refused at once, for @err */
	int err;
	struct gns_timer fail; /* says so: done() never comes out of connect() */
	void (*done)(void *arg, struct gns_conn *conn, const char *why);
	void *arg;
	LIST_ENTRY(kern_attempt) link;
};

static void attempt_end(struct kern_attempt *at, struct gns_conn *conn,
			const char *why, int err)
{
	void (*done)(void *arg, struct gns_conn *conn, const char *why) =
		at->done;
	void *arg = at->arg;

	LIST_REMOVE(at, link);
	free(at);
	errno = err;
	done(arg, conn, why);
}

static void on_connected(void *arg, struct gns_conn *conn, const char *why)
{
	attempt_end(arg, conn, why, errno);
}

static void on_failed(void *arg)
{
	struct kern_attempt *at = arg;
	const char *why = at->err == EINVAL ?
				  "not host, host:port or [address]:port" :
				  strerrordesc_np(at->err);

	attempt_end(at, NULL, why, at->err);
}

static void kern_connect(struct gns_connector *c,
			 void (*done)(void *arg, struct gns_conn *conn,
				      const char *why),
			 void *arg)
{
	struct kern_origin *o = container_of(c, struct kern_origin, connector);
	struct kern_attempt *at = calloc(1, sizeof(*at));

	/* Without memory for this there is none for the rest either. */
	if (!at)
		abort();
	at->o = o;
	at->done = done;
	at->arg = arg;
	gns_timer_init(&at->fail, o->k->env, on_failed, at);
	LIST_INSERT_HEAD(&o->attempts, at, link);
	at->a = gns_tcp_connect(o->k->tcp, o->name, on_connected, at);
	if (at->a)
		return;
	at->err = errno;
	gns_timer_arm(&at->fail, 0);
}

static void attempt_cancel(struct kern_attempt *at)
{
	gns_tcp_connect_cancel(at->a);
	gns_timer_cancel(&at->fail);
	LIST_REMOVE(at, link);
	free(at);
}

static void kern_cancel(struct gns_connector *c, void *arg)
{
	struct kern_origin *o = container_of(c, struct kern_origin, connector);
	struct kern_attempt *at, *next;

	for (at = LIST_FIRST(&o->attempts); at; at = next) {
		next = LIST_NEXT(at, link);
		if (at->arg == arg)
			attempt_cancel(at);
	}
}

void attempts_cancel(struct kern_origin *o)
{
	struct kern_attempt *at;

	while ((at = LIST_FIRST(&o->attempts)))
		attempt_cancel(at);
}

const struct gns_connector_ops kern_connector_ops = {
	.connect = kern_connect,
	.cancel = kern_cancel,
};
