// SPDX-License-Identifier: GPL-2.0
/*
 * A satellite's connection at the origin: who it speaks for, how much of it
 * is in progress, and the way back for answers.
 */
#include <errno.h>
#include <stdlib.h>

#include "origin/core.h"

/* Bytes of answers queued on one connection before it is paused. */
#define QUEUED_MAX (16u << 20)

void oconn_get(struct oconn *oc)
{
	oc->refs++;
}

void oconn_put(struct oconn *oc)
{
	if (--oc->refs)
		return;
	if (oc->s) {
		LIST_REMOVE(oc, by_session);
		session_put(oc->s);
	}
	LIST_REMOVE(oc, by_origin);
	free(oc);
}

static void oconn_flow(struct oconn *oc)
{
	u32 max = oc->o->cfg.max_requests;
	bool pause;

	if (!oc->conn || !oc->conn->pause)
		return;
	if (oc->paused)
		pause = oc->busy > max / 2 || oc->conn->queued > QUEUED_MAX / 2;
	else
		pause = oc->busy >= max || oc->conn->queued >= QUEUED_MAX;
	if (pause == oc->paused)
		return;
	oc->paused = pause;
	oc->conn->pause(oc->conn, pause);
}

/* Put @oc behind the session's other connections. */
void oconn_last(struct session *s, struct oconn *oc)
{
	struct oconn *last;

	LIST_FOREACH(last, &s->conns, by_session)
		if (!LIST_NEXT(last, by_session))
			break;
	if (last == oc)
		return;
	LIST_REMOVE(oc, by_session);
	LIST_INSERT_AFTER(last, oc, by_session);
}

/* A request that will be answered later has begun on the connection. */
void oconn_begin(struct oconn *oc)
{
	oconn_get(oc);
	oc->busy++;
	oconn_flow(oc);
}

/* It has ended, answered or not. */
void oconn_end(struct oconn *oc)
{
	oc->busy--;
	oconn_flow(oc);
	oconn_put(oc);
}

/*
 * Answer @req. The bulk is taken over. A connection that is gone swallows the
 * answer: the satellite asks again on another one.
 */
void oconn_reply(struct oconn *oc, const struct gns_msg *req,
		 struct gns_msg *rep, struct gns_bulk *bulk)
{
	rep->type = req->type;
	rep->reply = true;
	rep->tag = req->tag;
	rep->sid = req->sid;
	if (rep->status) {
		rep->payload_len = 0;
		if (bulk)
			bulk->release(bulk);
		bulk = NULL;
	}
	if (!oc->conn) {
		if (bulk)
			bulk->release(bulk);
		return;
	}
	if (!session_has_acl(oc->s))
		gns_msg_strip(rep);
	gns_conn_send(oc->conn, rep, bulk);
	if (oc->conn)
		oconn_flow(oc);
}

void oconn_error(struct oconn *oc, const struct gns_msg *req, u32 status)
{
	struct gns_msg rep = { .status = status };

	oconn_reply(oc, req, &rep, NULL);
}

static int conn_message(struct gns_conn *conn, const struct gns_msg *msg)
{
	struct oconn *oc = conn->arg;
	int err;

	oconn_get(oc);
	oc->o->stats.requests++;
	err = session_message(oc, msg);
	oconn_put(oc);
	return err;
}

static void conn_closed(struct gns_conn *conn, const char *why)
{
	struct oconn *oc = conn->arg;

	(void)why;
	oc->conn = NULL;
	oconn_put(oc);
}

static void conn_writable(struct gns_conn *conn)
{
	oconn_flow(conn->arg);
}

static const struct gns_conn_user origin_user = {
	.message = conn_message,
	.closed = conn_closed,
	.writable = conn_writable,
};

void oconn_close(struct oconn *oc)
{
	struct gns_conn *conn = oc->conn;

	if (!conn)
		return;
	oc->conn = NULL;
	gns_conn_close(conn);
	oconn_put(oc);
}

int gns_origin_accept(struct gns_origin *o, struct gns_conn *conn)
{
	struct oconn *oc = calloc(1, sizeof(*oc));

	if (!oc)
		return -ENOMEM;
	oc->o = o;
	oc->conn = conn;
	oc->refs = 1;
	LIST_INSERT_HEAD(&o->conns, oc, by_origin);
	conn->user = &origin_user;
	conn->arg = oc;
	return 0;
}
