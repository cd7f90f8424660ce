// SPDX-License-Identifier: GPL-2.0
/*
 * A session with an origin: HELLO, RENEW, and what to do when it is lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "satellite/sat.h"

/* Every transmission takes a stamp of its own, from the kernel. */
static u64 fresh_stamp(struct gns_sat *s)
{
	s->last_stamp = s->kern->ops->stamp(s->kern);
	return s->last_stamp;
}

/* The stamp that an answer proves: of the transmission that it answers. */
static u64 proven_stamp(struct gns_sat *s, u64 echo)
{
	return GNS_MUTANT(ONE_STAMP_TWO_SENDS) ? s->last_stamp : echo;
}

/* For people only: nothing is decided by it. */
void sat_trouble(struct gns_sat *s, int err, const char *why)
{
	if (!s->kern->ops->trouble)
		return;
	s->troubled = true;
	s->kern->ops->trouble(s->kern, err ? err : EIO, why);
}

void sat_fine(struct gns_sat *s)
{
	if (!s->troubled)
		return;
	s->troubled = false;
	s->kern->ops->trouble(s->kern, 0, NULL);
}

static struct link *open_link(struct gns_sat *s)
{
	u32 i;

	for (i = 0; i < s->cfg.conns; i++)
		if (s->links[i].state >= LINK_OPEN)
			return &s->links[i];
	return NULL;
}

/* Ask for a session, on whatever connection there is. */
void sat_hello(struct gns_sat *s)
{
	struct gns_msg msg = { .type = GNS_HELLO };
	struct link *l = open_link(s);
	struct gns_kern_session ks;
	u64 now = gns_boottime(s->env);

	if (!l || (s->state != SAT_NONE && s->state != SAT_ASKED))
		return;
	if (s->state == SAT_NONE) {
		s->kern->ops->secret(s->kern, &s->new_secret);
		s->state = SAT_ASKED;
		s->asked_at = now;
		s->hello_gen = s->next_tag + 1;
	} else if (now - s->hello_at < NSEC_PER_SEC / 2) {
		return;
	}
	s->kern->ops->get(s->kern, &ks);
	s->hello_at = now;
	s->hello_tag = ++s->next_tag;
	msg.tag = s->hello_tag;
	msg.hello = (struct gns_m_hello){
		.proto_min = GNS_PROTO_MIN,
		.proto_max = GNS_PROTO_MAX,
		.features = GNS_FEATURES & ~s->cfg.lacks,
		.host = ks.host,
		.instance = ks.instance,
		.secret = s->new_secret,
		.stamp = fresh_stamp(s),
		.old_sid = s->sid,
		.old_secret = s->secret,
		.fenced = s->fenced,
		.had_slots = ks.had_slots,
	};
	gns_conn_send(l->conn, &msg, NULL);
	sat_tick_soon(s);
}

static void hello_reply(struct link *l, const struct gns_msg *msg)
{
	struct gns_sat *s = l->s;
	struct gns_r_hello h = msg->r_hello;
	u32 i;

	if (s->state != SAT_ASKED || msg->tag < s->hello_gen)
		return;
	if (msg->status == EBUSY) {
		gns_debug("the origin is still starting, or full");
		if (gns_boottime(s->env) - s->asked_at > SAT_STARTING_NS)
			sat_trouble(s, EBUSY, "the origin is still starting, or full");
		return; /* asked again at the next tick */
	}
	if (msg->status) {
		gns_warn("the origin refused a session: %s",
			 gns_status_str(msg->status));
		sat_trouble(s, EPROTO, gns_status_str(msg->status));
		return; /* asked again at the next tick */
	}
	h.stamp = proven_stamp(s, h.stamp);
	/*
	 * Before the kernel has the session: should this helper die, the next
	 * one would not hear again that the slots are unknown.
	 */
	s->features = h.features & GNS_FEATURES & ~s->cfg.lacks;
	request_sweep(s, h.slots_known);
	if (s->kern->ops->up(s->kern, &h))
		return; /* asked again at the next tick */
	s->heir = false;
	s->state = SAT_LIVE;
	s->sid = h.sid;
	s->secret = s->new_secret;
	s->fenced = false;
	s->ttl = h.ttl;
	s->renew_tag = 0;
	s->renew_at = gns_boottime(s->env);
	s->stats.sessions++;
	sat_fine(s);
	/* The connection that asked belongs to the session; the others join. */
	for (i = 0; i < s->cfg.conns; i++) {
		struct link *o = &s->links[i];

		if (o == l) {
			o->state = LINK_UP;
			o->backoff = 0;
		} else if (o->state >= LINK_OPEN) {
			request_unbind_all(o);
			link_join(o);
		}
	}
	sat_tick_soon(s);
	request_pump(s);
}

/* The origin knows @sid no more. Nothing flows until the kernel has fenced. */
void sat_lost(struct gns_sat *s, u64 sid)
{
	u32 i;

	if (s->state != SAT_LIVE || s->sid != sid)
		return;
	gns_debug("session %016llx is lost", (unsigned long long)sid);
	s->state = SAT_FENCING;
	for (i = 0; i < s->cfg.conns; i++) {
		struct link *l = &s->links[i];

		if (l->state >= LINK_JOINING)
			l->state = LINK_OPEN;
		request_unbind_all(l);
	}
	s->kern->ops->lost(s->kern, sid);
}

void gns_sat_fenced(struct gns_sat *s, u64 sid)
{
	if (s->state != SAT_FENCING || s->sid != sid)
		return;
	s->fenced = true;
	s->state = SAT_NONE;
	sat_hello(s);
}

static void renew(struct gns_sat *s)
{
	struct gns_msg msg = { .type = GNS_RENEW, .sid = s->sid };
	struct link *l = link_control(s, s->renew_tag);

	if (!l)
		return;
	msg.tag = ++s->next_tag;
	s->renew_tag = msg.tag;
	msg.renew.stamp = fresh_stamp(s);
	gns_conn_send(l->conn, &msg, NULL);
}

static void renew_reply(struct gns_sat *s, const struct gns_msg *msg)
{
	if (s->state != SAT_LIVE || msg->sid != s->sid)
		return;
	if (msg->status == GNS_ST_DEAD) {
		sat_lost(s, msg->sid);
		return;
	}
	if (msg->status)
		return;
	s->stats.renewals++;
	if (msg->tag == s->renew_tag)
		s->renew_tag = 0;
	s->ttl = msg->r_renew.ttl;
	s->kern->ops->renewed(s->kern, s->sid,
			      proven_stamp(s, msg->r_renew.stamp),
			      msg->r_renew.ttl);
}

static void join_reply(struct link *l, const struct gns_msg *msg)
{
	struct gns_sat *s = l->s;

	if (l->state != LINK_JOINING || msg->tag != l->join_tag)
		return;
	if (msg->status == GNS_ST_DEAD) {
		l->state = LINK_OPEN;
		sat_lost(s, msg->sid);
	} else if (msg->status) {
		link_down(l);
	} else {
		l->state = LINK_UP;
		l->backoff = 0;
		sat_fine(s);
		request_pump(s);
	}
}

int sat_session_reply(struct link *l, const struct gns_msg *msg)
{
	switch (msg->type) {
	case GNS_HELLO:
		hello_reply(l, msg);
		break;
	case GNS_JOIN:
		join_reply(l, msg);
		break;
	case GNS_RENEW:
		renew_reply(l->s, msg);
		break;
	}
	return 0;
}

int sat_revoke(struct link *l, const struct gns_msg *msg)
{
	struct gns_sat *s = l->s;

	/* Of an older session: that one is fenced as a whole. */
	if (s->state == SAT_LIVE && msg->sid == s->sid)
		s->kern->ops->revoke(s->kern, msg->sid, &msg->revoke.fh,
				     msg->revoke.upto);
	return 0;
}

int sat_unlocked(struct link *l, const struct gns_msg *msg)
{
	struct gns_sat *s = l->s;

	if (s->state == SAT_LIVE && msg->sid == s->sid && s->kern->ops->unlocked)
		s->kern->ops->unlocked(s->kern, &msg->unlocked.fh);
	return 0;
}

void gns_sat_released(struct gns_sat *s, u64 sid, const struct gns_fh *fh,
		      u64 upto, bool open)
{
	struct gns_msg msg = { .type = GNS_RELEASED, .sid = sid };
	struct link *l = link_control(s, false);

	/* Without a link the origin asks again when one joins. */
	if (!l || s->state != SAT_LIVE || sid != s->sid)
		return;
	msg.revoke.fh = *fh;
	msg.revoke.upto = upto;
	if (open && s->features & GNS_FEAT_HOLD)
		msg.type = GNS_RELEASED_OPEN;
	gns_conn_send(l->conn, &msg, NULL);
}

static void unlocked(void *arg, const struct gns_msg *rep)
{
	if (rep->status)
		gns_debug("an unlock that nobody waits for: %s",
			  gns_status_str(rep->status));
}

void gns_sat_unlock(struct gns_sat *s, u64 sid, const struct gns_msg *msg)
{
	if (s->state == SAT_LIVE && sid == s->sid &&
	    s->features & GNS_FEAT_LOCK)
		request_new(s, 0, msg, unlocked, NULL);
}

void gns_sat_bye(struct gns_sat *s)
{
	struct gns_msg msg = { .type = GNS_BYE, .sid = s->sid };
	struct link *l = link_control(s, false);

	if (!l || s->state != SAT_LIVE)
		return;
	msg.tag = ++s->next_tag;
	msg.join.secret = s->secret;
	gns_conn_send(l->conn, &msg, NULL);
}

/* A renewal every quarter TTL; one that is not answered again after half. */
static void renew_tick(struct gns_sat *s, u64 now)
{
	u64 pause = s->renew_tag ? s->ttl / 8 : s->ttl / 4;

	if (now - s->renew_at < pause)
		return;
	s->renew_at = now;
	renew(s);
}

static u64 tick_ns(const struct gns_sat *s)
{
	u64 ns = s->ttl ? s->ttl / 16 : SAT_BACKOFF_MIN_NS;

	return min_u64(ns, SAT_TICK_MAX_NS);
}

void sat_tick_soon(struct gns_sat *s)
{
	u64 at = gns_boottime(s->env) + min_u64(tick_ns(s), SAT_BACKOFF_MIN_NS);

	if (!s->tick.at || s->tick.at > at)
		gns_timer_arm(&s->tick, at);
}

void sat_tick(void *arg)
{
	struct gns_sat *s = arg;
	u64 now = gns_boottime(s->env), next = now + tick_ns(s);
	u32 i;

	for (i = 0; i < s->cfg.conns; i++) {
		link_tick(&s->links[i], now);
		if (s->links[i].state == LINK_DOWN)
			next = min_u64(next, max_u64(s->links[i].retry_at,
						     now + NSEC_PER_MSEC));
	}
	if (s->state == SAT_NONE || s->state == SAT_ASKED)
		sat_hello(s);
	if (s->state == SAT_LIVE)
		renew_tick(s, now);
	request_tick(s, now);
	if (!s->tick.at || s->tick.at > next)
		gns_timer_arm(&s->tick, next);
}

static void defaults(struct gns_sat_config *c)
{
	if (!c->conns)
		c->conns = SAT_CONNS;
	c->conns = min_u64(c->conns, SAT_CONNS_MAX);
	if (!c->max_pending)
		c->max_pending = SAT_PENDING_MAX;
	if (!c->window)
		c->window = SAT_WINDOW;
	if (!c->payload)
		c->payload = SAT_PAYLOAD;
	if (!c->resend)
		c->resend = SAT_RESEND_NS;
	if (!c->backoff_max)
		c->backoff_max = SAT_BACKOFF_MAX_NS;
}

struct gns_sat *gns_sat_create(struct gns_env *env, struct gns_kern *kern,
			       struct gns_connector *connector,
			       const struct gns_sat_config *cfg)
{
	struct gns_sat *s = calloc(1, sizeof(*s));
	struct gns_kern_session ks;
	u32 i;

	if (!s)
		return NULL;
	s->env = env;
	s->kern = kern;
	s->connector = connector;
	if (cfg)
		s->cfg = *cfg;
	defaults(&s->cfg);
	/* Tags differ from those of the helper before, whose answers may
	 * still be on their way.
	 */
	s->next_tag = gns_random(env) >> 1;
	TAILQ_INIT(&s->waiting);
	gns_timer_init(&s->tick, env, sat_tick, s);
	kern->ops->get(kern, &ks);
	s->heir = ks.had_slots;
	if (ks.sid) {
		s->state = SAT_LIVE;
		s->sid = ks.sid;
		s->secret = ks.secret;
		s->features = ks.features;
		s->ttl = GNS_TTL_MIN_NS;
	}
	for (i = 0; i < s->cfg.conns; i++) {
		s->links[i].s = s;
		s->links[i].nr = i;
		TAILQ_INIT(&s->links[i].sent);
	}
	for (i = 0; i < s->cfg.conns; i++)
		link_connect(&s->links[i]);
	sat_tick_soon(s);
	return s;
}

void gns_sat_destroy(struct gns_sat *s)
{
	u32 i;

	gns_timer_cancel(&s->tick);
	for (i = 0; i < s->cfg.conns; i++) {
		struct link *l = &s->links[i];

		if (l->state == LINK_CONNECTING)
			s->connector->ops->cancel(s->connector, l);
		if (l->conn)
			gns_conn_close(l->conn);
	}
	request_free_all(s);
	free(s);
}

void gns_sat_stats(const struct gns_sat *s, struct gns_sat_stats *st)
{
	*st = s->stats;
}
