/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The satellite library with everything around it made by the test: kernel,
 * clock and connection. The origin's words are put into its mouth.
 */
#ifndef GNS_TEST_SAT_RIG_H
#define GNS_TEST_SAT_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "satellite/satellite.h"

#define SENT_MAX 64u
#define MIB (1u << 20)

/* Everything around the library. */
static struct {
	struct gns_env env;
	u64 now;
	u64 random;
	struct gns_timer *timer;
	struct gns_connector connector;
	void (*connected)(void *arg, struct gns_conn *conn, const char *why);
	void *connected_arg;
	struct gns_conn conn;
	bool open;
	struct gns_msg *sent[SENT_MAX];
	u32 nsent;
	struct gns_kern kern;
	struct gns_kern_session ks;
	int up_err;
	u32 ups;
	u64 lost;
	u64 answered[8]; /* ids */
	struct gns_msg answer[8];
	bool before_up[8];
	u32 nanswers;
	u64 lacks;
	struct gns_sat *sat;
} t;

static u64 env_boottime(struct gns_env *env)
{
	(void)env;
	return t.now;
}

static u64 env_random(struct gns_env *env)
{
	(void)env;
	return t.random += 1000;
}

static void env_arm(struct gns_env *env, struct gns_timer *timer, u64 at)
{
	(void)env;
	timer->at = at;
	t.timer = timer;
}

static void env_cancel(struct gns_env *env, struct gns_timer *timer)
{
	(void)env;
	timer->at = 0;
}

static const struct gns_env_ops env_ops = {
	.boottime = env_boottime,
	.realtime = env_boottime,
	.random = env_random,
	.arm = env_arm,
	.cancel = env_cancel,
};

/* Time passes, in small steps. */
static void pass(u64 ns)
{
	u64 end = t.now + ns;

	while (t.now < end) {
		t.now += 10 * NSEC_PER_MSEC;
		if (t.timer->at && t.timer->at <= t.now) {
			t.timer->at = 0;
			t.timer->fn(t.timer->arg);
		}
	}
}

static int conn_send(struct gns_conn *c, const struct gns_msg *msg,
		     struct gns_bulk *bulk)
{
	(void)c;
	assert_null(bulk);
	assert_true(t.nsent < SENT_MAX);
	t.sent[t.nsent++] = gns_msg_dup(msg, true);
	return 0;
}

static void conn_close(struct gns_conn *c)
{
	(void)c;
	t.open = false;
}

static const struct gns_conn_ops conn_ops = {
	.send = conn_send,
	.close = conn_close,
};

static void connector_connect(struct gns_connector *c,
			      void (*done)(void *arg, struct gns_conn *conn,
					   const char *why),
			      void *arg)
{
	(void)c;
	t.connected = done;
	t.connected_arg = arg;
}

static void connector_cancel(struct gns_connector *c, void *arg)
{
	(void)c;
	(void)arg;
	t.connected = NULL;
}

static const struct gns_connector_ops connector_ops = {
	.connect = connector_connect,
	.cancel = connector_cancel,
};

static void kern_get(struct gns_kern *k, struct gns_kern_session *ks)
{
	(void)k;
	*ks = t.ks;
}

static u64 kern_stamp(struct gns_kern *k)
{
	(void)k;
	return t.now;
}

static void kern_secret(struct gns_kern *k, struct gns_id *secret)
{
	(void)k;
	memset(secret, 3, sizeof(*secret));
}

static int kern_up(struct gns_kern *k, const struct gns_r_hello *h)
{
	(void)k;
	t.ups++;
	if (!t.up_err)
		t.ks.sid = h->sid;
	return t.up_err;
}

static void kern_renewed(struct gns_kern *k, u64 sid, u64 stamp, u64 ttl)
{
	(void)k;
	(void)sid;
	(void)stamp;
	(void)ttl;
}

static void kern_lost(struct gns_kern *k, u64 sid)
{
	(void)k;
	t.lost = sid;
}

static void kern_reply(struct gns_kern *k, u64 id, const struct gns_msg *rep)
{
	(void)k;
	assert_true(t.nanswers < 8);
	t.answered[t.nanswers] = id;
	t.before_up[t.nanswers] = !t.ups;
	t.answer[t.nanswers++] = *rep;
}

static const struct gns_kern_ops kern_ops = {
	.get = kern_get,
	.stamp = kern_stamp,
	.secret = kern_secret,
	.up = kern_up,
	.renewed = kern_renewed,
	.lost = kern_lost,
	.reply = kern_reply,
};

static void forget_sent(void)
{
	while (t.nsent)
		free(t.sent[--t.nsent]);
}

/* A helper begins; the connection is there at once. */
static void start(void)
{
	struct gns_sat_config cfg = { .conns = 1, .lacks = t.lacks };

	cfg.payload = 2 * MIB;
	t.sat = gns_sat_create(&t.env, &t.kern, &t.connector, &cfg);
	assert_non_null(t.sat);
	assert_non_null(t.connected);
	t.open = true;
	t.conn.queued = 0;
	t.connected(t.connected_arg, &t.conn, NULL);
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.now = 1000 * NSEC_PER_SEC;
	t.env.ops = &env_ops;
	t.connector.ops = &connector_ops;
	t.conn.ops = &conn_ops;
	t.kern.ops = &kern_ops;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (t.sat)
		gns_sat_destroy(t.sat);
	forget_sent();
	return 0;
}

/* The newest message of a type that was sent; NULL: none. */
static const struct gns_msg *said(u16 type)
{
	u32 i = t.nsent;

	while (i--)
		if (t.sent[i]->type == type)
			return t.sent[i];
	return NULL;
}

static u32 count(u16 type)
{
	u32 i, n = 0;

	for (i = 0; i < t.nsent; i++)
		n += t.sent[i]->type == type;
	return n;
}

/* The origin answers the newest request of a type. */
static void hear(struct gns_msg *rep)
{
	const struct gns_msg *req = said(rep->type);

	assert_non_null(req);
	rep->reply = true;
	rep->tag = req->tag;
	rep->sid = rep->type == GNS_HELLO ? 0 : req->sid;
	assert_int_equal(t.conn.user->message(&t.conn, rep), 0);
}

static void hear_hello(u64 sid, bool slots_known, u64 features)
{
	struct gns_msg rep = { .type = GNS_HELLO };

	rep.r_hello = (struct gns_r_hello){
		.proto = 1,
		.features = features,
		.sid = sid,
		.stamp = t.now,
		.ttl = 10 * NSEC_PER_SEC,
		.slots = 64,
		.slots_known = slots_known,
	};
	hear(&rep);
}

static void hear_status(u16 type, u32 status)
{
	struct gns_msg rep = { .type = type, .status = status };

	hear(&rep);
}

/* The session dies, the kernel fences, the next one is asked for. */
static void die(void)
{
	u64 sid = t.ks.sid;

	hear_status(said(GNS_WRITE) ? GNS_WRITE : GNS_GETATTR, GNS_ST_DEAD);
	assert_int_equal(t.lost, sid);
	t.ks.sid = 0;
	t.ks.had_slots = true;
	forget_sent();
	gns_sat_fenced(t.sat, sid);
	assert_non_null(said(GNS_HELLO));
	assert_int_equal(said(GNS_HELLO)->hello.had_slots, 1);
	t.ups = 0;
}

static int submit_change(u64 id, u16 type, u64 seq, u32 len)
{
	static u8 bytes[MIB];
	struct gns_msg m = { .type = type };

	memset(bytes, (int)id, len);
	*gns_msg_change(&m) = (struct gns_change){ (u32)id, seq };
	if (type == GNS_LINK) {
		m.link.dir = (struct gns_fh){ 1, "d" };
		m.link.name = (struct gns_str){ "n", 1 };
		m.link.fh = (struct gns_fh){ 1, "o" };
	} else {
		m.write.fh = (struct gns_fh){ 1, "f" };
		m.payload = bytes;
		m.payload_len = len;
	}
	return gns_sat_submit(t.sat, id, 0, &m);
}

static int submit_getattr(u64 id)
{
	struct gns_msg m = { .type = GNS_GETATTR };

	m.obj.fh = (struct gns_fh){ 1, "f" };
	return gns_sat_submit(t.sat, id, 0, &m);
}

static int submit_fsync(u64 id, u8 what)
{
	struct gns_msg m = { .type = GNS_FSYNC };

	m.obj.fh = (struct gns_fh){ 1, "f" };
	m.obj.datasync = what;
	return gns_sat_submit(t.sat, id, 0, &m);
}

static void is_answered(u32 i, u64 id, u32 status)
{
	assert_true(i < t.nanswers);
	assert_int_equal(t.answered[i], id);
	assert_int_equal(t.answer[i].status, status);
}

#endif
