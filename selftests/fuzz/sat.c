// SPDX-License-Identifier: GPL-2.0
/*
 * Satellites as an origin sees them; see sat.h.
 */
#include <errno.h>

#include "sat.h"

/* The lease on @fh, or a free place for one. */
static struct sat_lease *lease_place(struct sat_session *ss,
				     const struct gns_fh *fh)
{
	struct sat_lease *l = sat_lease(ss, fh);
	u32 i;

	for (i = 0; !l && i < SAT_LEASES; i++)
		if (!ss->leases[i].fh.len)
			l = &ss->leases[i];
	FUZZ_CHECK(l, "more leases than objects");
	return l;
}

static void granted(struct sats *s, struct sat_session *ss,
		    const struct gns_fh *fh, const struct gns_grant *g,
		    const struct gns_attr *attr)
{
	struct sat_lease *l;

	if (attr)
		check_seen(s, fh, g->version, attr);
	if (!g->number || !ss)
		return;
	l = lease_place(ss, fh);
	FUZZ_CHECK(g->number > l->number, "grants go backwards");
	FUZZ_CHECK(!l->revoked, "a grant for what is being revoked");
	l->fh = *fh;
	l->number = g->number;
}

static void entries(struct sats *s, struct sat_session *ss,
		    const struct gns_msg *rep, const u8 *p)
{
	u32 left = rep->payload_len;
	struct gns_dirent d;
	int n;

	for (; left; p += n, left -= n) {
		n = gns_dirent_get(p, left, &d);
		FUZZ_CHECK(n > 0, "an entry that can not be read");
		if (d.has == GNS_DE_ATTR)
			granted(s, ss, &d.fh, &d.grant, &d.attr);
	}
}

static void items(struct sats *s, struct sat_session *ss,
		  const struct gns_msg *rep, const u8 *p)
{
	u32 left = rep->payload_len, i;
	struct gns_reval r;
	int n;

	for (i = 0; i < rep->count.count; i++, p += n, left -= n) {
		n = gns_reval_get(p, left, &r, true);
		FUZZ_CHECK(n > 0, "an item that can not be read");
		if (!r.status)
			granted(s, ss, &r.fh, &r.grant, &r.attr);
	}
	FUZZ_CHECK(!left, "something behind the last one");
}

static void new_session(struct sats *s, struct sat_conn *c,
			const struct sat_asked *a, const struct gns_r_hello *r)
{
	struct sat_session *ss = sat_session(s, r->sid);

	FUZZ_CHECK(r->sid && r->stamp == a->stamp, "another stamp");
	/* Only who says the same again may get the same. */
	FUZZ_CHECK(!ss || (ss->inst == a->inst &&
			   gns_id_eq(&ss->secret, &a->secret)),
		   "a session for two");
	c->session = NULL;
	if (!ss && s->nsessions == SAT_SESSIONS)
		return;
	if (!ss) {
		ss = &s->sessions[s->nsessions++];
		*ss = (struct sat_session){ .sid = r->sid };
		ss->inst = a->inst;
		ss->secret = a->secret;
	}
	ss->until = max_u64(ss->until, r->stamp + r->ttl);
	c->session = ss;
}

static void changed(struct sats *s, const struct gns_r_change *r)
{
	u32 i;

	for (i = 0; i < r->changed.n; i++)
		check_seen(s, &r->changed.v[i].fh, r->changed.v[i].after,
			   &r->changed.v[i].attr);
}

static void answered(struct sats *s, struct sat_conn *c,
		     const struct sat_asked *a, const struct gns_msg *rep,
		     const u8 *payload)
{
	struct sat_session *ss = sat_session(s, a->sid);

	switch (a->type) {
	case GNS_HELLO:
		new_session(s, c, a, &rep->r_hello);
		break;
	case GNS_JOIN:
		c->session = ss;
		break;
	case GNS_RENEW:
		FUZZ_CHECK(rep->r_renew.stamp == a->stamp, "another stamp");
		if (ss)
			ss->until = max_u64(ss->until,
					    a->stamp + rep->r_renew.ttl);
		break;
	case GNS_BYE:
		if (ss)
			ss->over = true;
		break;
	case GNS_LOOKUP:
		granted(s, ss, &a->dir, &rep->r_lookup.dir, NULL);
		if (!rep->r_lookup.absent)
			granted(s, ss, &rep->r_lookup.child.fh,
				&rep->r_lookup.child.grant,
				&rep->r_lookup.child.attr);
		break;
	case GNS_REVALIDATE:
		items(s, ss, rep, payload);
		break;
	case GNS_STATFS:
	case GNS_FSYNC:
	case GNS_SEEK:
		break;
	default:
		if (gns_msg_is_change(a->type)) {
			changed(s, &rep->r_change);
			break;
		}
		granted(s, ss, &rep->r_obj.fh, &rep->r_obj.grant,
			&rep->r_obj.attr);
		if (a->type == GNS_READDIR)
			entries(s, ss, rep, payload);
	}
}

static void reply(struct sats *s, struct sat_conn *c, const struct gns_msg *rep,
		  const u8 *payload)
{
	struct sat_asked *a = &s->asked[rep->tag % SAT_ASKED];

	FUZZ_CHECK(a->open && a->tag == rep->tag,
		   "%s: nobody asked, or it is the second answer",
		   gns_msg_name(rep->type));
	FUZZ_CHECK(&s->conns[a->conn] == c && a->life == c->life,
		   "an answer on another connection");
	/* A copy of a change that is another one is answered as the first. */
	FUZZ_CHECK(rep->type == a->type || gns_msg_is_change(a->type),
		   "the answer to another question");
	FUZZ_CHECK(a->type == GNS_HELLO || rep->sid == a->sid,
		   "an answer in another session");
	a->open = false;
	if (rep->status == GNS_ST_DEAD && sat_session(s, a->sid) &&
	    !session_live(s->o, a->sid))
		sat_session(s, a->sid)->over = true;
	else if (!rep->status && rep->type == a->type)
		answered(s, c, a, rep, payload);
}

static void revoked(struct sats *s, const struct gns_msg *msg)
{
	struct sat_session *ss = sat_session(s, msg->sid);
	struct sat_lease *l;

	if (msg->type == GNS_UNLOCKED)
		return;
	FUZZ_CHECK(msg->type == GNS_REVOKE, "an origin that asks");
	if (!ss)
		return;
	l = lease_place(ss, &msg->revoke.fh);
	l->fh = msg->revoke.fh;
	l->revoked = msg->revoke.upto;
}

static int conn_send(struct gns_conn *conn, const struct gns_msg *msg,
		     struct gns_bulk *bulk)
{
	struct sat_conn *c = container_of(conn, struct sat_conn, conn);
	u8 buf[GNS_HDR_LEN + GNS_BODY_MAX];
	const u8 *payload = bulk ? bulk->data : msg->payload;
	struct gns_hdr hdr;
	struct gns_msg got;
	const char *why;
	int n, err;

	FUZZ_CHECK(c->open, "a closed connection is used");
	if (!c->broken) {
		n = gns_msg_encode(msg, buf, sizeof(buf));
		FUZZ_CHECK(n > 0, "%s can not be said: %d",
			   gns_msg_name(msg->type), n);
		err = gns_hdr_decode(buf, &hdr, &why);
		if (!err)
			err = gns_msg_decode(&hdr, buf + GNS_HDR_LEN, payload,
					     &got, &why);
		FUZZ_CHECK(!err, "%s would be refused: %s",
			   gns_msg_name(msg->type), why);
		if (msg->reply)
			reply(c->s, c, &got, payload);
		else
			revoked(c->s, &got);
	}
	if (bulk)
		bulk->release(bulk);
	return c->broken ? -EPIPE : 0;
}

static void conn_close(struct gns_conn *conn)
{
	struct sat_conn *c = container_of(conn, struct sat_conn, conn);

	FUZZ_CHECK(c->open, "closed twice");
	c->open = false;
	c->session = NULL;
}

static void conn_pause(struct gns_conn *conn, bool on)
{
	struct sat_conn *c = container_of(conn, struct sat_conn, conn);

	FUZZ_CHECK(c->open && c->paused != on, "paused twice");
	c->paused = on;
}

static const struct gns_conn_ops conn_ops = {
	.send = conn_send,
	.close = conn_close,
};

void sats_open(struct sats *s, u32 i)
{
	struct sat_conn *c = &s->conns[i];

	if (c->open || !s->o)
		return;
	*c = (struct sat_conn){ .conn = { .ops = &conn_ops },
				.s = s,
				.open = true,
				.life = c->life + 1 };
	c->conn.pause = conn_pause;
	FUZZ_CHECK(!gns_origin_accept(s->o, &c->conn), "no memory");
}

void sats_close(struct sats *s, u32 i)
{
	struct sat_conn *c = &s->conns[i];

	if (!c->open)
		return;
	c->open = false;
	c->session = NULL;
	c->conn.user->closed(&c->conn, "the fuzzer is tired of it");
}

static bool older_is_open(const struct sats *s, const struct sat_asked *a)
{
	u32 i;

	for (i = 1; i < a->tag; i++)
		if (s->asked[i].open && gns_msg_is_change(s->asked[i].type) &&
		    s->asked[i].inst == a->inst &&
		    s->asked[i].slot == a->slot && s->asked[i].seq < a->seq)
			return true;
	return false;
}

static void note_asked(struct sats *s, u32 i, struct gns_msg *msg)
{
	struct sat_session *ss;
	struct sat_asked *a;

	msg->tag = ++s->tag;
	a = &s->asked[msg->tag % SAT_ASKED];
	if (msg->type == GNS_RELEASED || msg->type == GNS_RELEASED_OPEN)
		return;
	FUZZ_CHECK(s->tag < SAT_ASKED, "the target asks too much");
	*a = (struct sat_asked){
		.tag = msg->tag,
		.sid = msg->sid,
		.conn = i,
		.life = s->conns[i].life,
		.type = msg->type,
		.open = true,
	};
	if (msg->type == GNS_HELLO) {
		a->stamp = msg->hello.stamp;
		a->inst = msg->hello.instance.b[0];
		a->secret = msg->hello.secret;
		ss = sat_session(s, msg->hello.old_sid);
		if (ss && msg->hello.fenced)
			ss->over = true;
	} else if (msg->type == GNS_LOOKUP) {
		a->dir = msg->name.fh;
	} else if (msg->type == GNS_RENEW) {
		a->stamp = msg->renew.stamp;
	} else if (gns_msg_is_change(msg->type)) {
		ss = sat_session(s, msg->sid);
		a->inst = ss ? ss->inst : 255;
		a->slot = gns_msg_change(msg)->slot;
		a->seq = gns_msg_change(msg)->seq;
		a->append = msg->type == GNS_WRITE &&
			    msg->write.flags & GNS_WR_APPEND;
		a->early = older_is_open(s, a);
	}
}

/* Say it, if there is a way and it can be said. */
void sats_send(struct sats *s, u32 i, struct gns_msg *msg)
{
	u8 buf[GNS_HDR_LEN + GNS_BODY_MAX], *body, *payload;
	struct sat_conn *c = &s->conns[i];
	struct gns_hdr hdr;
	struct gns_msg got;
	const char *why;
	int n, err;

	if (!c->open || c->paused)
		return;
	n = gns_msg_encode(msg, buf, sizeof(buf));
	if (n < 0)
		return;
	note_asked(s, i, msg);
	n = gns_msg_encode(msg, buf, sizeof(buf));
	body = fuzz_copy(buf + GNS_HDR_LEN, n - GNS_HDR_LEN);
	payload = fuzz_copy(msg->payload, msg->payload_len);
	err = gns_hdr_decode(buf, &hdr, &why);
	FUZZ_CHECK(!err, "%s", why);
	err = gns_msg_decode(&hdr, body, payload, &got, &why);
	if (!err)
		err = c->conn.user->message(&c->conn, &got);
	/* Whoever wants to keep a message keeps a copy. */
	free(body);
	free(payload);
	if (err || c->broken)
		sats_close(s, i);
}

/* The kernel is done with every grant of @fh up to @upto. */
void sats_release(struct sats *s, u32 i, const struct gns_fh *fh, u64 upto)
{
	struct gns_msg msg = { .type = GNS_RELEASED };
	struct sat_conn *c = &s->conns[i];
	struct sat_lease *l;

	if (!c->open || !c->session || c->paused)
		return;
	msg.sid = c->session->sid;
	msg.revoke.fh = *fh;
	msg.revoke.upto = upto;
	l = sat_lease(c->session, fh);
	if (l && l->number <= upto)
		*l = (struct sat_lease){ 0 };
	sats_send(s, i, &msg);
}

bool sats_start(struct sats *s)
{
	u32 i;

	s->o = gns_origin_create(&s->t.env, &s->t.fs, &s->t.db, &s->cfg);
	for (i = 0; i < SAT_CONNS; i++)
		sats_open(s, i);
	return s->o;
}

void sats_init(struct sats *s)
{
	memset(s, 0, sizeof(*s));
	toy_init(&s->t);
	s->t.touch = check_touch;
	s->t.tried = check_tried;
	s->cfg.ttl = 3 * NSEC_PER_SEC;
	s->cfg.max_sessions = 12;
	s->cfg.max_leases = 24;
	s->cfg.max_requests = 8;
}

static void destroy(struct sats *s)
{
	u32 i;

	if (s->o)
		gns_origin_destroy(s->o);
	s->o = NULL;
	for (i = 0; i < SAT_CONNS; i++)
		FUZZ_CHECK(!s->conns[i].open, "a connection outlives it");
}

/* The origin dies, and its host with it or not; another one comes up. */
void sats_restart(struct sats *s, bool host, u64 keep, u32 ran)
{
	u32 i;

	for (i = 0; i < 8; i++)
		if (ran & 1 << i)
			toyfs_run_one(&s->t, i);
	destroy(s);
	toy_crash(&s->t, host, keep);
	memset(s->asked, 0, sizeof(s->asked));
	s->life++;
	if (host)
		s->cfg.boot_id.b[0]++;
	FUZZ_CHECK(sats_start(s), "it can not read what it wrote");
}

static void finish_all(struct sats *s)
{
	u32 n = 0;

	while (toy_commit_one(&s->t) || toyfs_end_one(&s->t, 0))
		FUZZ_CHECK(++n < 100000, "work without an end");
}

static void answer_revokes(struct sats *s, u32 i)
{
	struct sat_session *ss = s->conns[i].session;
	u32 k;

	for (k = 0; ss && s->conns[i].session == ss && k < SAT_LEASES; k++)
		if (ss->leases[k].revoked)
			sats_release(s, i, &ss->leases[k].fh,
				     ss->leases[k].revoked);
}

static void behave(struct sats *s, u32 i)
{
	struct gns_msg msg = { .type = GNS_RENEW };
	struct gns_conn *conn = &s->conns[i].conn;

	conn->queued = 0;
	if (s->conns[i].open)
		conn->user->writable(conn);
	answer_revokes(s, i);
	if (!s->conns[i].session)
		return;
	msg.sid = s->conns[i].session->sid;
	msg.renew.stamp = s->t.boot;
	sats_send(s, i, &msg);
}

/* Good weather: everybody answers and renews, until all has been said. */
void sats_drain(struct sats *s)
{
	u32 step, i;

	s->t.db_fails = false;
	s->t.fs_fails = 0;
	for (i = 0; i < SAT_CONNS; i++)
		if (s->conns[i].broken)
			sats_close(s, i);
	for (step = 0; step < 30; step++) {
		finish_all(s);
		for (i = 0; i < SAT_CONNS; i++)
			behave(s, i);
		finish_all(s);
		toy_advance(&s->t, NSEC_PER_SEC / 2);
	}
	finish_all(s);
}

/* Everybody leaves, and time goes by. */
void sats_end(struct sats *s)
{
	u32 i;

	for (i = 0; i < SAT_CONNS; i++)
		sats_close(s, i);
	for (i = 0; i < 40; i++) {
		finish_all(s);
		toy_advance(&s->t, NSEC_PER_SEC);
	}
	finish_all(s);
}

void sats_exit(struct sats *s)
{
	destroy(s);
	toy_exit(&s->t);
}
