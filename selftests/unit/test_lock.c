// SPDX-License-Identifier: GPL-2.0
/*
 * LOCK at the origin: who gets what, what comes twice or late, and how locks
 * end. The real origin; time, store and tree are the fuzzers'.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../fuzz/toy.h"
#include "origin/origin.h"

#define TTL (2 * NSEC_PER_SEC)

struct peer {
	struct gns_conn conn;
	struct gns_msg rep; /* the last answer */
	u32 got;
	u32 unlocked; /* messages */
	u64 sid;
	struct gns_id secret;
	u8 inst;
};

static struct toy toy;
static struct gns_origin *origin;
static struct peer peers[3];
static u64 seq;

static int peer_send(struct gns_conn *conn, const struct gns_msg *msg,
		     struct gns_bulk *bulk)
{
	struct peer *p = container_of(conn, struct peer, conn);

	if (bulk)
		bulk->release(bulk);
	if (msg->reply) {
		p->rep = *msg;
		p->got++;
	} else if (msg->type == GNS_UNLOCKED) {
		p->unlocked++;
	}
	return 0;
}

static void peer_close(struct gns_conn *conn)
{
	(void)conn;
}

static const struct gns_conn_ops peer_ops = { peer_send, peer_close };

static u32 ask(struct peer *p, struct gns_msg *msg)
{
	u32 before = p->got, i;

	msg->sid = p->sid;
	assert_int_equal(p->conn.user->message(&p->conn, msg), 0);
	for (i = 0; i < 100 && p->got == before; i++)
		toy_advance(&toy, NSEC_PER_MSEC);
	assert_int_equal(p->got, before + 1);
	return p->rep.status;
}

/* The next session of a peer; @old: in place of the one that it has. */
static void hello(struct peer *p, bool old)
{
	struct gns_msg msg = { .type = GNS_HELLO };
	u32 i;

	if (!p->conn.ops) {
		p->conn.ops = &peer_ops;
		assert_int_equal(gns_origin_accept(origin, &p->conn), 0);
	}
	msg.hello.proto_min = 1;
	msg.hello.proto_max = 1;
	msg.hello.features = GNS_FEATURES;
	msg.hello.instance.b[0] = p->inst;
	if (old) {
		msg.hello.old_sid = p->sid;
		msg.hello.old_secret = p->secret;
		msg.hello.fenced = 1;
	}
	p->secret.b[0] = (u8)gns_random(&toy.env);
	p->secret.b[1]++;
	msg.hello.secret = p->secret;
	for (i = 0; i < 100 && ask(p, &msg) == EBUSY; i++)
		toy_advance(&toy, NSEC_PER_MSEC);
	assert_int_equal(p->rep.status, 0);
	p->sid = p->rep.r_hello.sid;
}

static void start(void)
{
	struct gns_origin_config cfg = { .ttl = TTL, .boot_id = { "boot" } };
	u32 i;

	origin = gns_origin_create(&toy.env, &toy.fs, &toy.db, &cfg);
	assert_non_null(origin);
	for (i = 0; i < 3; i++) {
		peers[i] = (struct peer){ .inst = (u8)(i + 1) };
		hello(&peers[i], false);
	}
}

static int setup(void **state)
{
	(void)state;
	toy_init(&toy);
	seq = 0;
	start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gns_origin_destroy(origin);
	toy_exit(&toy);
	return 0;
}

/* ns at a time that sessions survive */
static void pass(u64 ns)
{
	struct gns_msg msg = { .type = GNS_RENEW };
	u64 step;
	u32 i;

	for (; ns; ns -= step) {
		step = min_u64(ns, TTL / 4);
		toy_advance(&toy, step);
		for (i = 0; i < 3; i++)
			if (peers[i].sid)
				ask(&peers[i], &msg);
	}
}

static struct gns_msg a_lock(u32 node, u64 owner, u8 kind, u8 op, u8 how)
{
	struct gns_msg m = { .type = GNS_LOCK };

	m.lock.fh = toyfs_fh(&toy, node);
	m.lock.seq = ++seq;
	m.lock.owner = owner;
	m.lock.kind = kind;
	m.lock.op = op;
	m.lock.how = how;
	m.lock.end = UINT64_MAX;
	m.lock.pid = (u32)owner + 100;
	return m;
}

static u32 whole(u32 p, u64 owner, u8 op, u8 how)
{
	struct gns_msg m = a_lock(1, owner, GNS_LC_WHOLE, op, how);

	return ask(&peers[p], &m);
}

static u32 range(u32 p, u64 owner, u8 op, u8 how, u64 from, u64 to)
{
	struct gns_msg m = a_lock(1, owner, GNS_LC_RANGE, op, how);

	m.lock.start = from;
	m.lock.end = to;
	return ask(&peers[p], &m);
}

static u64 locks(void)
{
	struct gns_origin_stats st;

	gns_origin_stats(origin, &st);
	return st.locks;
}

#define RD GNS_LK_READ
#define WR GNS_LK_WRITE
#define UN GNS_LK_UNLOCK
#define TRY GNS_LH_TRY
#define WAIT GNS_LH_WAIT
#define TEST GNS_LH_TEST

static void test_flock(void **state)
{
	(void)state;
	assert_int_equal(whole(0, 1, RD, TRY), 0);
	assert_int_equal(whole(0, 1, RD, TRY), 0);
	assert_int_equal(whole(1, 1, RD, TRY), 0);
	assert_int_equal(whole(1, 2, WR, TRY), EAGAIN);
	/* The other kind has nothing to do with it. */
	assert_int_equal(range(1, 2, WR, TRY, 0, 9), 0);
	/* Who can not have the other kind of use has none. */
	assert_int_equal(whole(0, 1, WR, TRY), EAGAIN);
	assert_int_equal(whole(1, 1, WR, TRY), 0);
	assert_int_equal(whole(0, 1, RD, TRY), EAGAIN);
	assert_int_equal(whole(1, 1, RD, TRY), 0);
	assert_int_equal(whole(0, 1, RD, TRY), 0);
	assert_int_equal(locks(), 3);
	assert_int_equal(whole(0, 1, UN, TRY), 0);
	assert_int_equal(whole(0, 1, UN, TRY), 0);
	assert_int_equal(whole(1, 1, UN, TRY), 0);
	assert_int_equal(range(1, 2, UN, TRY, 0, 9), 0);
	assert_int_equal(locks(), 0);
}

static void test_test(void **state)
{
	const struct gns_r_lock *r = &peers[1].rep.r_lock;

	(void)state;
	assert_int_equal(range(0, 5, RD, TRY, 10, 19), 0);
	assert_int_equal(range(0, 6, WR, TRY, 30, UINT64_MAX), 0);
	assert_int_equal(range(1, 5, RD, TEST, 0, 29), 0);
	assert_false(r->found);
	assert_int_equal(range(1, 5, WR, TEST, 0, UINT64_MAX), 0);
	assert_true(r->found && !r->own && r->op == RD);
	assert_int_equal(r->start, 10);
	assert_int_equal(r->end, 19);
	assert_int_equal(r->pid, 105);
	assert_int_equal(range(1, 5, RD, TEST, 0, UINT64_MAX), 0);
	assert_true(r->found && r->op == WR && r->start == 30);
	r = &peers[0].rep.r_lock;
	assert_int_equal(range(0, 5, RD, TEST, 0, UINT64_MAX), 0);
	assert_true(r->found && r->own && r->pid == 106);
	assert_int_equal(locks(), 2);
}

static void test_wait(void **state)
{
	(void)state;
	assert_int_equal(whole(0, 1, WR, TRY), 0);
	assert_int_equal(whole(1, 1, WR, WAIT), EAGAIN);
	assert_int_equal(whole(2, 1, WR, WAIT), EAGAIN);
	assert_int_equal(locks(), 3);
	assert_int_equal(peers[1].unlocked, 0);
	assert_int_equal(whole(0, 1, UN, TRY), 0);
	/* The first one is told, and nobody comes before him. */
	assert_int_equal(peers[1].unlocked, 1);
	assert_int_equal(peers[2].unlocked, 0);
	assert_int_equal(whole(0, 1, WR, TRY), EAGAIN);
	assert_int_equal(whole(2, 1, WR, WAIT), EAGAIN);
	assert_int_equal(whole(1, 1, WR, WAIT), 0);
	assert_int_equal(whole(1, 1, UN, TRY), 0);
	assert_int_equal(peers[2].unlocked, 1);
	/* Whoever does not come loses his place to those who only try. */
	pass(300 * NSEC_PER_MSEC);
	assert_int_equal(whole(0, 1, WR, TRY), 0);
	assert_int_equal(whole(0, 1, UN, TRY), 0);
	assert_int_equal(peers[2].unlocked, 2);
	/* Who waits no longer is not told. */
	assert_int_equal(whole(0, 1, WR, WAIT), EAGAIN);
	assert_int_equal(whole(2, 1, GNS_LK_CANCEL, TRY), 0);
	assert_int_equal(peers[0].unlocked, 1);
	assert_int_equal(whole(0, 1, WR, WAIT), 0);
	assert_int_equal(locks(), 1);
}

static void test_turns(void **state)
{
	u32 i;

	(void)state;
	assert_int_equal(whole(0, 1, RD, TRY), 0);
	assert_int_equal(whole(1, 1, WR, WAIT), EAGAIN);
	/* Readers that wait come after the writer, others do not care. */
	assert_int_equal(whole(2, 1, RD, WAIT), EAGAIN);
	assert_int_equal(whole(2, 2, RD, TRY), 0);
	assert_int_equal(whole(2, 2, UN, TRY), 0);
	assert_int_equal(peers[2].unlocked, 0);
	/* Not for ever: the one whom he waits for may wait for this one. */
	for (i = 0; i < 5; i++) {
		pass(NSEC_PER_SEC);
		assert_int_equal(whole(1, 1, WR, WAIT), EAGAIN);
		if (i < 4)
			assert_int_equal(whole(2, 1, RD, WAIT), EAGAIN);
	}
	assert_int_equal(whole(2, 1, RD, WAIT), 0);
	assert_int_equal(whole(0, 1, UN, TRY), 0);
	assert_int_equal(whole(2, 1, UN, TRY), 0);
	assert_int_equal(peers[1].unlocked, 1);
	/* Who has some of the file goes before those who wait for it. */
	assert_int_equal(range(0, 1, RD, TRY, 5, 5), 0);
	assert_int_equal(range(1, 1, WR, WAIT, 0, 9), EAGAIN);
	assert_int_equal(range(0, 1, RD, WAIT, 6, 6), 0);
	assert_int_equal(range(2, 1, RD, WAIT, 7, 7), EAGAIN);
	/* And nobody waits for one who is not there any more. */
	pass(4 * NSEC_PER_SEC);
	assert_int_equal(range(2, 1, RD, WAIT, 7, 7), 0);
}

static void test_again(void **state)
{
	struct gns_msg m = a_lock(1, 1, GNS_LC_WHOLE, WR, TRY), early;

	(void)state;
	early = a_lock(1, 2, GNS_LC_WHOLE, RD, TRY);
	assert_int_equal(ask(&peers[0], &m), 0);
	assert_int_equal(ask(&peers[0], &m), 0);
	assert_int_equal(locks(), 1);
	/* What was refused stays refused, whatever is free by now. */
	m = a_lock(1, 1, GNS_LC_WHOLE, WR, TRY);
	assert_int_equal(ask(&peers[1], &m), EAGAIN);
	assert_int_equal(whole(0, 1, UN, TRY), 0);
	assert_int_equal(ask(&peers[1], &m), EAGAIN);
	assert_int_equal(locks(), 0);
	/* Overtaken by what came from there since. */
	assert_int_equal(ask(&peers[0], &early), GNS_ST_AGAIN);
	assert_int_equal(locks(), 0);
	/* Another session has numbers of its own. */
	assert_int_equal(ask(&peers[2], &early), 0);
}

static void test_floor(void **state)
{
	struct gns_msg first, m, un;
	u32 i;

	(void)state;
	first = a_lock(1, 1, GNS_LC_WHOLE, WR, TRY);
	assert_int_equal(ask(&peers[0], &first), 0);
	un = a_lock(1, 1, GNS_LC_WHOLE, UN, TRY);
	assert_int_equal(ask(&peers[0], &un), 0);
	/* Many others, until nobody remembers that one. */
	for (i = 0; i < 100; i++) {
		m = a_lock(0, 1, GNS_LC_WHOLE, WR, TRY);
		m.lock.fh.len = 8;
		m.lock.fh.b[0] = (u8)i;
		m.lock.fh.b[1] = 'x';
		assert_int_equal(ask(&peers[0], &m), 0);
		m.lock.seq = ++seq;
		m.lock.op = UN;
		assert_int_equal(ask(&peers[0], &m), 0);
	}
	assert_int_equal(ask(&peers[0], &first), GNS_ST_AGAIN);
	assert_int_equal(ask(&peers[0], &un), GNS_ST_AGAIN);
	assert_int_equal(locks(), 0);
	first.lock.seq = ++seq;
	assert_int_equal(ask(&peers[0], &first), 0);
}

static void test_death(void **state)
{
	struct gns_msg msg = { .type = GNS_RENEW };
	u32 i;

	(void)state;
	assert_int_equal(whole(0, 1, WR, TRY), 0);
	/* It says nothing any more: not a moment before it is dead. */
	for (i = 0; i < 27; i++) {
		toy_advance(&toy, 100 * NSEC_PER_MSEC);
		assert_int_equal(ask(&peers[1], &msg), 0);
		assert_int_equal(whole(1, 1, WR, WAIT), EAGAIN);
		assert_int_equal(peers[1].unlocked, 0);
	}
	toy_advance(&toy, 50 * NSEC_PER_MSEC);
	assert_int_equal(peers[1].unlocked, 1);
	assert_int_equal(whole(1, 1, WR, WAIT), 0);
	assert_int_equal(locks(), 1);
	assert_int_equal(whole(0, 1, WR, TRY), GNS_ST_DEAD);
}

static void test_replaced(void **state)
{
	struct gns_msg bye = { .type = GNS_BYE };

	(void)state;
	assert_int_equal(whole(0, 1, WR, TRY), 0);
	assert_int_equal(whole(1, 1, WR, WAIT), EAGAIN);
	hello(&peers[0], true);
	assert_int_equal(peers[1].unlocked, 1);
	assert_int_equal(whole(1, 1, WR, WAIT), 0);
	assert_int_equal(whole(0, 1, WR, WAIT), EAGAIN);
	bye.join.secret = peers[1].secret;
	assert_int_equal(ask(&peers[1], &bye), 0);
	assert_int_equal(peers[0].unlocked, 1);
	assert_int_equal(whole(0, 1, WR, WAIT), 0);
}

/* What a session does under its lock ends before another one has it. */
static void test_under_way(void **state)
{
	struct gns_msg w = { .type = GNS_WRITE, .payload = "x" };
	u32 i;

	(void)state;
	assert_int_equal(whole(0, 1, WR, TRY), 0);
	assert_int_equal(whole(1, 1, WR, WAIT), EAGAIN);
	toy.late = true;
	w.payload_len = 1;
	w.sid = peers[0].sid;
	w.write.change.seq = 1;
	w.write.fh = toyfs_fh(&toy, 1);
	assert_int_equal(peers[0].conn.user->message(&peers[0].conn, &w), 0);
	for (i = 0; i < 20 && !toy.nops; i++)
		toy_commit_one(&toy);
	assert_int_equal(toy.nops, 1);
	hello(&peers[0], true);
	assert_int_equal(peers[1].unlocked, 0);
	toy.late = false;
	assert_true(toyfs_end_one(&toy, 0));
	while (toy_commit_one(&toy))
		;
	assert_int_equal(peers[1].unlocked, 1);
	assert_int_equal(whole(1, 1, WR, WAIT), 0);
}

static void test_grace(void **state)
{
	(void)state;
	assert_int_equal(whole(0, 1, WR, TRY), 0);
	gns_origin_destroy(origin);
	toy_crash(&toy, false, 0);
	start();
	/* He who had it may not know yet that he has not. */
	assert_int_equal(whole(1, 1, WR, TRY), GNS_ST_AGAIN);
	assert_int_equal(whole(1, 1, WR, TEST), GNS_ST_AGAIN);
	assert_int_equal(whole(1, 1, UN, TRY), 0);
	pass(TTL);
	assert_int_equal(whole(1, 1, WR, TRY), GNS_ST_AGAIN);
	pass(TTL / 4 + 300 * NSEC_PER_MSEC);
	assert_int_equal(whole(1, 1, WR, TRY), 0);
}

static void test_limits(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 16384; i++)
		assert_int_equal(range(0, 1, WR, TRY, 2ull * i, 2ull * i), 0);
	assert_int_equal(range(0, 1, WR, TRY, 1ull << 40, 1ull << 40), ENOLCK);
	assert_int_equal(range(1, 1, WR, TRY, 1ull << 40, 1ull << 40), 0);
	/* Nor is there room for one who waits: but he may ask again. */
	assert_int_equal(range(0, 1, WR, WAIT, 1ull << 40, 1ull << 40), EAGAIN);
	assert_int_equal(locks(), 16385);
	assert_int_equal(range(0, 1, UN, TRY, 0, UINT64_MAX), 0);
	assert_int_equal(locks(), 1);
}

static void test_senseless(void **state)
{
	struct gns_msg m = a_lock(1, 1, GNS_LC_RANGE, WR, TRY);

	(void)state;
	m.lock.start = 2;
	m.lock.end = 1;
	assert_int_equal(ask(&peers[0], &m), EINVAL);
	m = a_lock(1, 1, GNS_LC_WHOLE, WR, TRY);
	m.lock.end = 5;
	assert_int_equal(ask(&peers[0], &m), EINVAL);
	m = a_lock(1, 1, GNS_LC_WHOLE, WR, TRY);
	m.lock.seq = 0;
	assert_int_equal(ask(&peers[0], &m), EINVAL);
	assert_int_equal(whole(0, 1, UN, WAIT), EINVAL);
	assert_int_equal(whole(0, 1, GNS_LK_CANCEL, TEST), EINVAL);
	assert_int_equal(locks(), 0);
	m = (struct gns_msg){ .type = GNS_UNLOCKED, .sid = peers[0].sid };
	m.unlocked.fh = toyfs_fh(&toy, 1);
	assert_int_equal(peers[0].conn.user->message(&peers[0].conn, &m),
			 -EBADMSG);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_flock),
		T(test_test),
		T(test_wait),
		T(test_turns),
		T(test_again),
		T(test_floor),
		T(test_death),
		T(test_replaced),
		T(test_under_way),
		T(test_grace),
		T(test_limits),
		T(test_senseless),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
