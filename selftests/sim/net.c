// SPDX-License-Identifier: GPL-2.0
/*
 * The network between satellites and the origin.
 *
 * A connection is two directions of bytes. What one end sends is encoded by
 * the real codec, travels as a segment, and is cut into pieces for the other
 * end's real framer. In a direction bytes keep their order; directions and
 * connections know nothing of each other. Frames may be lost or doubled as
 * no TCP would do: the protocol has to bear that as well.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "proto/framer.h"
#include "sim.h"

struct pipe_end {
	TAILQ_HEAD(, segment) queue; /* on their way to this end, in order */
	struct gns_conn conn;
	struct link_pair *pair;
	struct pipe_end *peer;
	struct life *life; /* of the process that holds it */
	u64 born;
	bool origin;
	bool open; /* the user has it */
	struct gns_framer framer;
	u64 last; /* arrival of the newest segment sent to this end */
};

struct link_pair {
	LIST_ENTRY(link_pair) all;
	struct net *n;
	u32 sat;
	u32 refs; /* segments under way, and one while an end is open */
	struct pipe_end end[2]; /* satellite, origin */
};

struct segment {
	TAILQ_ENTRY(segment) link;
	struct link_pair *pair;
	struct pipe_end *to;
	u32 len;
	bool reset; /* the connection breaks behind these bytes */
	u8 data[];
};

struct connector {
	struct gns_connector c;
	struct net *n;
	u32 sat;
	struct life *life;
};

struct attempt {
	LIST_ENTRY(attempt) all;
	struct connector *c;
	void (*done)(void *arg, struct gns_conn *conn, const char *why);
	void *arg;
	bool cancelled;
};

struct net {
	struct sim *s;
	bool cut[SIM_SATS][2]; /* to the satellite, to the origin */
	struct connector conn[SIM_SATS];
	LIST_HEAD(, link_pair) pairs;
	LIST_HEAD(, attempt) attempts;
};

static void pair_put(struct link_pair *p)
{
	struct segment *g;
	int i;

	if (--p->refs)
		return;
	for (i = 0; i < 2; i++) {
		while ((g = TAILQ_FIRST(&p->end[i].queue))) {
			TAILQ_REMOVE(&p->end[i].queue, g, link);
			free(g);
		}
	}
	gns_framer_exit(&p->end[0].framer);
	gns_framer_exit(&p->end[1].framer);
	LIST_REMOVE(p, all);
	free(p);
}

/* The user loses this end, knowing (why) or because it said so (NULL). */
static void end_close(struct pipe_end *e, const char *why)
{
	bool alive = e->life->count == e->born;

	if (!e->open)
		return;
	e->open = false;
	if (why && alive)
		e->conn.user->closed(&e->conn, why);
	pair_put(e->pair);
}

static void segment_arrive(void *arg);

static void segment_post(struct segment *g, u64 delay)
{
	struct sim *s = g->pair->n->s;
	u64 at = max_u64(s->now + delay, g->to->last + 1);

	g->to->last = at;
	TAILQ_INSERT_TAIL(&g->to->queue, g, link);
	sim_at(s, at, NULL, segment_arrive, g->to, false);
}

static u64 net_delay(struct sim *s)
{
	u64 most;

	if (s->now < s->quiet_from && sim_chance(s, 15000)) {
		sim_fault(s, F_DELAY);
		most = sim_chance(s, s->long_delays) ? 3 * SEC : 100 * MS;
		return sim_below(s, most);
	}
	return 50 * US + sim_below(s, sim_chance(s, 100000) ? 40 * MS : 2 * MS);
}

static void end_feed(struct pipe_end *e, const u8 *p, u32 len)
{
	struct sim *s = e->pair->n->s;
	u32 space, n;
	void *to;
	int err;

	while (len && e->open) {
		to = gns_framer_space(&e->framer, &space);
		n = min_u64(min_u64(space, len), 1 + sim_below(s, 2 * len));
		memcpy(to, p, n);
		p += n;
		len -= n;
		err = gns_framer_filled(&e->framer, n);
		if (err && e->open) {
			sim_fail(s, "protocol", "%s got a bad frame: %s",
				 e->origin ? "origin" : "satellite",
				 e->framer.why ? e->framer.why : "refused");
			return;
		}
	}
}

/* Bytes wait at a cut, as they do in a sender's queue. */
static bool held_up(const struct pipe_end *to)
{
	struct net *n = to->pair->n;

	return to->open &&
	       (n->cut[to->pair->sat][to->origin] || !to->life->host->ppm);
}

/* One segment is due at this end: the first in line, whichever it is. */
static void segment_arrive(void *arg)
{
	struct pipe_end *to = arg;
	struct link_pair *p = to->pair;
	struct segment *g = TAILQ_FIRST(&to->queue);
	struct sim *s = p->n->s;

	if (held_up(to)) {
		sim_in(s, 20 * MS, NULL, segment_arrive, to, false);
		return;
	}
	TAILQ_REMOVE(&to->queue, g, link);
	if (to->open && to->life->count == to->born)
		end_feed(to, g->data, g->len);
	if (g->reset) {
		end_close(&p->end[0], "connection reset");
		end_close(&p->end[1], "connection reset");
	}
	free(g);
	pair_put(p);
}

static void segment_send(struct pipe_end *from, const u8 *bytes, u32 len,
			 bool reset)
{
	struct segment *g = malloc(sizeof(*g) + len);

	if (!g)
		abort();
	g->pair = from->pair;
	g->to = from->peer;
	g->len = len;
	g->reset = reset;
	memcpy(g->data, bytes, len);
	g->pair->refs++;
	segment_post(g, net_delay(g->pair->n->s));
}

static void tell(struct pipe_end *e, const struct gns_msg *m, const char *how)
{
	struct sim *s = e->pair->n->s;

	if (s->story)
		story(s, e->origin ? W_ORIGIN : W_SAT, e->pair->sat,
		      "%s %s%s to %s%u tag %llx sid %llx status %u", how,
		      gns_msg_name(m->type), m->reply ? " answer" : "",
		      e->origin ? "sat" : "origin ", e->pair->sat,
		      (unsigned long long)m->tag & 0xffff,
		      (unsigned long long)m->sid & 0xffff, m->status);
}

static int end_send(struct gns_conn *c, const struct gns_msg *msg,
		    struct gns_bulk *bulk)
{
	struct pipe_end *e = container_of(c, struct pipe_end, conn);
	struct sim *s = e->pair->n->s;
	static u8 buf[GNS_HDR_LEN + GNS_BODY_MAX + GNS_PAYLOAD_MAX];
	const void *data = bulk ? bulk->data : msg->payload;
	bool faults = s->now < s->quiet_from;
	int n = gns_msg_encode(msg, buf, GNS_HDR_LEN + GNS_BODY_MAX);

	if (n < 0) {
		sim_fail(s, "encode", "%s: %d", gns_msg_name(msg->type), n);
		return n;
	}
	if (msg->payload_len)
		memcpy(buf + n, data, msg->payload_len);
	n += msg->payload_len;
	if (bulk)
		bulk->release(bulk);
	if (faults && sim_chance(s, 10000)) {
		sim_fault(s, F_DROP);
		tell(e, msg, "LOST");
		return 0;
	}
	if (faults && sim_chance(s, 4000)) {
		sim_fault(s, F_RESET);
		tell(e, msg, "BROKEN");
		segment_send(e, buf, sim_below(s, n), true);
		return 0;
	}
	tell(e, msg, "sends");
	segment_send(e, buf, n, false);
	if (faults && sim_chance(s, 15000)) {
		sim_fault(s, F_DUP);
		tell(e, msg, "doubles");
		segment_send(e, buf, n, false);
	}
	return 0;
}

static void end_user_close(struct gns_conn *c)
{
	struct pipe_end *e = container_of(c, struct pipe_end, conn);
	u8 none = 0;

	if (e->peer->open)
		segment_send(e, &none, 0, true);
	end_close(e, NULL);
}

static const struct gns_conn_ops end_ops = {
	.send = end_send,
	.close = end_user_close,
};

static void *frame_alloc(void *arg, const struct gns_hdr *hdr, u32 len)
{
	(void)arg;
	(void)hdr;
	return malloc(len);
}

static int frame_in(void *arg, const struct gns_msg *msg)
{
	struct pipe_end *e = arg;

	if (!e->open)
		return -ECONNRESET;
	return e->conn.user->message(&e->conn, msg);
}

static const struct gns_framer_ops framer_ops = { frame_alloc, frame_in, NULL };

static void end_init(struct link_pair *p, int i, struct life *life)
{
	struct pipe_end *e = &p->end[i];

	e->conn.ops = &end_ops;
	snprintf(e->conn.peer, sizeof(e->conn.peer), "sim%u", p->sat);
	e->pair = p;
	e->peer = &p->end[!i];
	e->origin = i;
	e->life = life;
	e->born = life->count;
	e->open = true;
	TAILQ_INIT(&e->queue);
	if (gns_framer_init(&e->framer, &framer_ops, e))
		abort();
}

static void attempt_end(void *arg)
{
	struct attempt *a = arg;
	struct connector *c = a->c;
	struct net *n = c->n;
	struct orig *o = n->s->orig;
	struct link_pair *p;

	LIST_REMOVE(a, all);
	if (a->cancelled) {
		free(a);
		return;
	}
	if (!o->up || !o->host.ppm || n->cut[c->sat][0] || n->cut[c->sat][1]) {
		a->done(a->arg, NULL, "no answer");
		free(a);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->n = n;
	p->sat = c->sat;
	p->refs = 2;
	LIST_INSERT_HEAD(&n->pairs, p, all);
	end_init(p, 0, c->life);
	end_init(p, 1, &o->life);
	if (gns_origin_accept(o->o, &p->end[1].conn))
		abort();
	a->done(a->arg, &p->end[0].conn, NULL);
	free(a);
}

static void do_connect(struct gns_connector *gc,
		       void (*done)(void *arg, struct gns_conn *conn,
				    const char *why),
		       void *arg)
{
	struct connector *c = container_of(gc, struct connector, c);
	struct attempt *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->c = c;
	a->done = done;
	a->arg = arg;
	LIST_INSERT_HEAD(&c->n->attempts, a, all);
	sim_in(c->n->s, 100 * US + sim_below(c->n->s, 5 * MS), NULL,
	       attempt_end, a, false);
}

static void do_cancel(struct gns_connector *gc, void *arg)
{
	struct connector *c = container_of(gc, struct connector, c);
	struct attempt *a;

	LIST_FOREACH(a, &c->n->attempts, all)
		if (a->arg == arg)
			a->cancelled = true;
}

static const struct gns_connector_ops connector_ops = { do_connect, do_cancel };

struct net *net_new(struct sim *s)
{
	struct net *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->s = s;
	LIST_INIT(&n->pairs);
	LIST_INIT(&n->attempts);
	return n;
}

struct gns_connector *net_connector(struct net *n, u32 sat, struct life *life)
{
	struct connector *c = &n->conn[sat];

	c->c.ops = &connector_ops;
	c->n = n;
	c->sat = sat;
	c->life = life;
	return &c->c;
}

void net_cut(struct net *n, u32 sat, bool to_origin, bool to_sat)
{
	n->cut[sat][1] |= to_origin;
	n->cut[sat][0] |= to_sat;
}

void net_heal(struct net *n, u32 sat, bool reset)
{
	n->cut[sat][0] = false;
	n->cut[sat][1] = false;
	if (reset)
		net_reset_one(n, sat);
}

/* One connection of the satellite breaks; both ends learn it. */
void net_reset_one(struct net *n, u32 sat)
{
	struct link_pair *p;

	LIST_FOREACH(p, &n->pairs, all) {
		if (p->sat != sat || !p->end[0].open || !p->end[1].open)
			continue;
		p->refs++;
		end_close(&p->end[0], "connection reset");
		end_close(&p->end[1], "connection reset");
		pair_put(p);
		return;
	}
}

/* Nobody reads what a stranger is told. */
static int stranger_message(struct gns_conn *c, const struct gns_msg *msg)
{
	(void)c;
	(void)msg;
	return 0;
}

static void stranger_closed(struct gns_conn *c, const char *why)
{
	(void)c;
	(void)why;
}

static const struct gns_conn_user stranger = { stranger_message,
					       stranger_closed, NULL, NULL };

static void stranger_in(void *arg, struct gns_conn *conn, const char *why)
{
	struct gns_msg *msg = arg;

	(void)why;
	if (conn) {
		conn->user = &stranger;
		gns_conn_send(conn, msg, NULL);
	}
	free(msg);
}

/* Somebody else connects from the satellite's side and says one thing. */
void net_stranger(struct net *n, u32 sat, const struct gns_msg *msg)
{
	struct gns_msg *copy = malloc(sizeof(*copy));

	if (!copy)
		abort();
	*copy = *msg;
	do_connect(&n->conn[sat].c, stranger_in, copy);
}

void net_free(struct net *n)
{
	struct link_pair *p;
	struct attempt *a;

	while ((a = LIST_FIRST(&n->attempts))) {
		LIST_REMOVE(a, all);
		if (a->done == stranger_in)
			free(a->arg);
		free(a);
	}
	while ((p = LIST_FIRST(&n->pairs))) {
		p->refs = 1;
		pair_put(p);
	}
	free(n);
}
