// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: HELLO, renewal, death. One deadline each; extending a session and
 * declaring it dead are both decided here, against the same clock reading.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "origin/core.h"

void session_get(struct session *s)
{
	s->refs++;
}

void session_put(struct session *s)
{
	if (--s->refs)
		return;
	lock_forget(s, false);
	instance_put(s->o, s->inst);
	LIST_REMOVE(s, all);
	free(s);
}

/* NULL: a session that is gone, whose answers nobody reads. */
bool session_has_acl(const struct session *s)
{
	return s && s->features & GNS_FEAT_ACL;
}

static struct session *session_find(struct gns_origin *o, u64 sid)
{
	struct session *s;

	HASH_FIND(hh, o->sessions, &sid, sizeof(sid), s);
	return s;
}

/*
 * End a session: its leases are free, what it has in line is dropped, and no
 * message of it counts any more. Its locks stay until what is under way ends,
 * its connections for the next HELLO.
 */
void session_kill(struct session *s, const char *why)
{
	struct gns_origin *o = s->o;
	struct oconn *oc;

	if (s->dead)
		return;
	s->dead = true;
	if (s->inst->newest == s)
		s->inst->newest = NULL;
	HASH_DELETE(hh, o->sessions, s);
	o->stats.sessions--;
	gns_timer_cancel(&s->timer);
	gns_debug("session %016llx ended: %s", (unsigned long long)s->sid, why);
	change_cancel_session(s);
	while (s->leases)
		lease_end(s->leases);
	while ((oc = LIST_FIRST(&s->conns))) {
		LIST_REMOVE(oc, by_session);
		oc->s = NULL;
		session_put(s);
	}
	/* Then it is never freed. */
	if (GNS_MUTANT(LOCK_KEPT))
		session_get(s);
	session_put(s);
	sched_run(o);
}

/* The session, if it lives; one past its deadline dies of being looked at. */
struct session *session_live(struct gns_origin *o, u64 sid)
{
	struct session *s = session_find(o, sid);

	if (s && gns_boottime(o->env) >= s->deadline) {
		o->stats.expired++;
		session_kill(s, "its deadline passed");
		return NULL;
	}
	return s;
}

static void session_timer(void *arg)
{
	struct session *s = arg;

	if (gns_boottime(s->o->env) < s->deadline)
		gns_timer_arm(&s->timer, s->deadline);
	else
		session_live(s->o, s->sid);
}

/* From TTL/2 after an unanswered REVOKE a session lives on borrowed time. */
static bool session_may_extend(const struct session *s, u64 now)
{
	const struct lease *l = TAILQ_FIRST(&s->revoking);

	if (GNS_MUTANT(RENEW_DEFEATS_REVOKE))
		return true;
	return !l || now - l->revoke_at < s->ttl / 2;
}

static bool session_extend(struct session *s)
{
	struct gns_origin *o = s->o;
	u64 now = gns_boottime(o->env);
	u64 wait = gns_origin_wait(o->cfg.ttl);

	if (!session_may_extend(s, now))
		return false;
	if (GNS_MUTANT(NO_MARGIN))
		wait = o->cfg.ttl;
	s->ttl = o->cfg.ttl;
	s->deadline = max_u64(s->deadline, now + wait);
	if (!s->timer.at)
		gns_timer_arm(&s->timer, s->deadline);
	return true;
}

static void session_attach(struct session *s, struct oconn *oc)
{
	if (oc->s == s)
		return;
	if (oc->s) {
		LIST_REMOVE(oc, by_session);
		session_put(oc->s);
	}
	oc->s = s;
	session_get(s);
	LIST_INSERT_HEAD(&s->conns, oc, by_session);
}

static struct session *session_new(struct gns_origin *o,
				   const struct gns_m_hello *h)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->inst = instance_get(o, &h->instance, &s->slots_known);
	if (!s->inst) {
		free(s);
		return NULL;
	}
	if (!s->slots_known)
		s->inst->untold = h->had_slots;
	s->slots_known &= !s->inst->untold;
	s->o = o;
	s->secret = h->secret;
	s->refs = 1;
	TAILQ_INIT(&s->revoking);
	TAILQ_INIT(&s->lock_idle);
	LIST_INIT(&s->conns);
	gns_timer_init(&s->timer, o->env, session_timer, s);
	do
		s->sid = gns_random(o->env);
	while (!s->sid || session_find(o, s->sid));
	HASH_ADD(hh, o->sessions, sid, sizeof(s->sid), s);
	LIST_INSERT_HEAD(&o->all_sessions, s, all);
	o->stats.sessions++;
	s->inst->newest = s;
	session_extend(s);
	return s;
}

static void session_replace(struct gns_origin *o, const struct gns_m_hello *h)
{
	struct session *old = session_find(o, h->old_sid);

	if (!old || !gns_id_eq(&old->secret, &h->old_secret))
		return;
	/*
	 * Without the kernel's word that its fence is done, somebody may
	 * still read under the old leases: their deadline has to pass.
	 */
	if (h->fenced || GNS_MUTANT(HELLO_UNFENCED))
		session_kill(old, "replaced, its kernel has fenced");
}

/* The same HELLO again, while its first answer is on the way. */
static struct session *session_same(struct gns_origin *o,
				    const struct gns_m_hello *h)
{
	struct instance *inst = instance_find(o, &h->instance);
	struct session *s = inst ? inst->newest : NULL;

	if (!s || !gns_id_eq(&s->secret, &h->secret) ||
	    !session_live(o, s->sid) || !session_extend(s))
		return NULL;
	return s;
}

static int hello(struct oconn *oc, const struct gns_msg *msg)
{
	const struct gns_m_hello *h = &msg->hello;
	struct gns_origin *o = oc->o;
	struct gns_msg rep = { 0 };
	struct session *s, *old;

	if (h->proto_min > GNS_PROTO_MAX || h->proto_max < GNS_PROTO_MIN) {
		oconn_error(oc, msg, GNS_ST_VERSION);
		return 0;
	}
	session_replace(o, h);
	/* Until recovery is over, nobody can be told what became of a change. */
	if (!o->ready || !LIST_EMPTY(&o->recovering) || o->quiescing ||
	    o->stats.sessions >= o->cfg.max_sessions) {
		oconn_error(oc, msg, EBUSY);
		return 0;
	}
	s = session_same(o, h);
	if (!s)
		s = session_new(o, h);
	if (!s) {
		oconn_error(oc, msg, ENOMEM);
		return 0;
	}
	s->features = h->features & GNS_FEATURES;
	old = oc->s;
	session_attach(s, oc);
	/* One connection makes one session: who asks again gives it up. */
	if (old && old != s && !old->dead && !old->leases && !old->nlocks &&
	    LIST_EMPTY(&old->conns))
		session_kill(old, "its only connection asked for another");
	rep.r_hello = (struct gns_r_hello){
		.proto = min_u64(GNS_PROTO_MAX, h->proto_max),
		.features = s->features,
		.sid = s->sid,
		.stamp = h->stamp,
		.ttl = s->ttl,
		.slots = GNS_SLOTS,
		.slots_known = s->slots_known,
		.incarnation = o->incarnation,
	};
	oconn_reply(oc, msg, &rep, NULL);
	/* It may be one that had no connection when it was told to release. */
	lease_resend(s);
	return 0;
}

static int join(struct oconn *oc, const struct gns_msg *msg)
{
	struct session *s = session_live(oc->o, msg->sid);
	struct gns_msg rep = { 0 };

	if (!s || !gns_id_eq(&s->secret, &msg->join.secret)) {
		oconn_error(oc, msg, GNS_ST_DEAD);
		return 0;
	}
	session_attach(s, oc);
	oconn_reply(oc, msg, &rep, NULL);
	/* What was said on a connection that broke may never have arrived. */
	lease_resend(s);
	return 0;
}

static void renew(struct oconn *oc, struct session *s,
		  const struct gns_msg *msg)
{
	struct gns_msg rep = { 0 };

	if (!session_extend(s)) {
		oconn_error(oc, msg, GNS_ST_NOTEXT);
		return;
	}
	rep.r_renew.stamp = msg->renew.stamp;
	rep.r_renew.ttl = s->ttl;
	oconn_reply(oc, msg, &rep, NULL);
}

static void bye(struct oconn *oc, struct session *s, const struct gns_msg *msg)
{
	struct gns_msg rep = { 0 };

	if (!gns_id_eq(&s->secret, &msg->join.secret)) {
		oconn_error(oc, msg, GNS_ST_DEAD);
		return;
	}
	oconn_reply(oc, msg, &rep, NULL);
	session_kill(s, "its satellite said goodbye");
}

static int session_dispatch(struct oconn *oc, struct session *s,
			    const struct gns_msg *msg)
{
	switch (msg->type) {
	case GNS_RENEW:
		renew(oc, s, msg);
		return 0;
	case GNS_BYE:
		bye(oc, s, msg);
		return 0;
	case GNS_RELEASED:
	case GNS_RELEASED_OPEN:
		lease_released(s, &msg->revoke.fh, msg->revoke.upto,
			       msg->type == GNS_RELEASED_OPEN);
		return 0;
	case GNS_LOCK:
		return lock_request(oc, s, msg);
	}
	if (gns_msg_is_change(msg->type))
		return change_request(oc, s, msg);
	return read_request(oc, s, msg);
}

/* A message came in. A negative errno closes the connection. */
int session_message(struct oconn *oc, const struct gns_msg *msg)
{
	struct session *s;
	int err;

	/* Only origins say these, and there is no answer to them. */
	if (msg->reply || msg->type == GNS_REVOKE || msg->type == GNS_UNLOCKED)
		return -EBADMSG;
	if (msg->type == GNS_HELLO)
		return hello(oc, msg);
	if (msg->type == GNS_JOIN)
		return join(oc, msg);
	s = session_live(oc->o, msg->sid);
	/* Knowing a session's id is not enough: the connection has to belong
	 * to it, which took its secret.
	 */
	if (!s || oc->s != s) {
		if (msg->type != GNS_RELEASED &&
		    msg->type != GNS_RELEASED_OPEN)
			oconn_error(oc, msg, GNS_ST_DEAD);
		return 0;
	}
	/* It knows the session's id, so it has heard the answer to HELLO. */
	s->inst->untold &= s->slots_known;
	session_get(s);
	err = session_dispatch(oc, s, msg);
	session_put(s);
	return err;
}
