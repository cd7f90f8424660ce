// SPDX-License-Identifier: GPL-2.0
/*
 * Links: the connections of a session, made again when they break.
 */
#include <errno.h>

#include "lib/log.h"
#include "satellite/sat.h"

static int link_message(struct gns_conn *conn, const struct gns_msg *msg)
{
	struct link *l = conn->arg;

	if (!msg->reply && msg->type == GNS_REVOKE)
		return sat_revoke(l, msg);
	if (!msg->reply && msg->type == GNS_UNLOCKED)
		return sat_unlocked(l, msg);
	if (!msg->reply)
		return -EBADMSG;
	if (msg->type <= GNS_BYE)
		return sat_session_reply(l, msg);
	return request_reply(l, msg);
}

static void link_closed(struct gns_conn *conn, const char *why)
{
	struct link *l = conn->arg;

	gns_debug("connection %u to %s ended: %s", l->nr, conn->peer, why);
	l->conn = NULL;
	link_down(l);
}

static void link_writable(struct gns_conn *conn)
{
	struct link *l = conn->arg;

	request_pump(l->s);
}

static const struct gns_conn_user link_user = {
	.message = link_message,
	.closed = link_closed,
	.writable = link_writable,
};

/* It broke: what was on it goes elsewhere, and it comes back later. */
void link_down(struct link *l)
{
	struct gns_sat *s = l->s;
	u64 max = s->cfg.backoff_max;

	if (l->conn) {
		struct gns_conn *conn = l->conn;

		l->conn = NULL;
		gns_conn_close(conn);
	}
	l->state = LINK_DOWN;
	l->backoff = l->backoff ? min_u64(l->backoff * 2, max) :
				  SAT_BACKOFF_MIN_NS;
	/* Ten thousand satellites must not come back in the same moment. */
	l->retry_at = gns_boottime(s->env) + l->backoff / 2 +
		      gns_random(s->env) % l->backoff;
	request_unbind_all(l);
	sat_tick_soon(s);
	request_pump(s);
}

static void connected(void *arg, struct gns_conn *conn, const char *why)
{
	struct link *l = arg;
	struct gns_sat *s = l->s;

	if (!conn) {
		int err = errno;

		gns_debug("connection %u failed: %s", l->nr, why);
		if (!link_control(s, false))
			sat_trouble(s, err, why);
		link_down(l);
		return;
	}
	s->stats.connects++;
	l->conn = conn;
	conn->user = &link_user;
	conn->arg = l;
	l->state = LINK_OPEN;
	if (s->state == SAT_LIVE)
		link_join(l);
	else
		sat_hello(s);
}

void link_connect(struct link *l)
{
	l->state = LINK_CONNECTING;
	l->s->connector->ops->connect(l->s->connector, connected, l);
}

void link_join(struct link *l)
{
	struct gns_sat *s = l->s;
	struct gns_msg msg = { .type = GNS_JOIN, .sid = s->sid };

	l->state = LINK_JOINING;
	l->join_tag = ++s->next_tag;
	l->join_at = gns_boottime(s->env);
	msg.tag = l->join_tag;
	msg.join.secret = s->secret;
	gns_conn_send(l->conn, &msg, NULL);
}

void link_tick(struct link *l, u64 now)
{
	if (l->state == LINK_DOWN && now >= l->retry_at)
		link_connect(l);
	else if (l->state == LINK_JOINING && now - l->join_at >= NSEC_PER_SEC)
		link_down(l);
}

/*
 * Where control messages go: the first link, else any that is up. What has to
 * be said again takes another one, for that may be dead without knowing.
 */
struct link *link_control(struct gns_sat *s, bool again)
{
	u32 i, from = again ? ++s->control_try : 0;

	for (i = 0; i < s->cfg.conns; i++) {
		struct link *l = &s->links[(from + i) % s->cfg.conns];

		if (l->state == LINK_UP)
			return l;
	}
	return NULL;
}

/*
 * Where a request goes: not to the control link, so that a keepalive never
 * waits behind one, unless that is the only link that there is.
 */
struct link *link_pick(struct gns_sat *s)
{
	struct link *best = NULL, *control = NULL;
	bool others = false, full;
	u32 i;

	for (i = 0; i < s->cfg.conns && !best; i++) {
		struct link *l = &s->links[(s->next_link + i) % s->cfg.conns];

		if (l->state != LINK_UP)
			continue;
		full = l->conn->queued > SAT_LINK_QUEUED_MAX;
		if (l->nr)
			others = true;
		else
			control = full ? NULL : l;
		if (l->nr && !full)
			best = l;
	}
	if (!others)
		best = control;
	if (best)
		s->next_link = (best->nr + 1) % s->cfg.conns;
	return best;
}
