// SPDX-License-Identifier: GPL-2.0
/*
 * The satellite library and changes: what is sent again and what must not be,
 * what an origin can not do, and how much is owned at once.
 */
#include "sat_rig.h"

/* An origin that remembers gets the same change again, bytes and all. */
static void test_again(void **state)
{
	struct gns_msg first;

	(void)state;
	start();
	hear_hello(11, false, GNS_FEATURES);
	assert_int_equal(submit_change(1, GNS_WRITE, 5, MIB), 0);
	assert_non_null(said(GNS_WRITE));
	first = *said(GNS_WRITE);
	die();
	hear_hello(12, true, GNS_FEATURES);
	assert_int_equal(count(GNS_WRITE), 1);
	assert_int_equal(said(GNS_WRITE)->sid, 12);
	assert_int_equal(said(GNS_WRITE)->tag, first.tag);
	assert_int_equal(said(GNS_WRITE)->write.change.slot, 1);
	assert_int_equal(said(GNS_WRITE)->write.change.seq, 5);
	assert_int_equal(said(GNS_WRITE)->payload_len, MIB);
	assert_int_equal(((const u8 *)said(GNS_WRITE)->payload)[MIB - 1], 1);
	assert_int_equal(t.nanswers, 0);
	/* No answer for long: once more, the same. */
	pass(21 * NSEC_PER_SEC);
	assert_true(count(GNS_WRITE) >= 2);
	assert_int_equal(said(GNS_WRITE)->write.change.seq, 5);
	hear_status(GNS_WRITE, ENOSPC);
	is_answered(0, 1, ENOSPC);
	assert_int_equal(t.nanswers, 1);
}

/* One that has waited for long, and so is asked for seldom, delays no other. */
static void test_behind(void **state)
{
	(void)state;
	start();
	hear_hello(11, false, GNS_FEATURES);
	assert_int_equal(submit_change(1, GNS_WRITE, 5, 10), 0);
	pass(35 * NSEC_PER_SEC);
	assert_int_equal(submit_getattr(2), 0);
	assert_int_equal(count(GNS_GETATTR), 1);
	pass(12 * NSEC_PER_SEC);
	assert_int_equal(count(GNS_GETATTR), 2);
}

/* What nobody waits for goes to the session that it is about, and no other. */
static void test_unlock(void **state)
{
	struct gns_msg msg = { .type = GNS_LOCK };

	(void)state;
	msg.lock.fh = (struct gns_fh){ 2, "fh" };
	msg.lock.op = GNS_LK_UNLOCK;
	msg.lock.seq = 7;
	start();
	hear_hello(11, false, GNS_FEATURES);
	gns_sat_unlock(t.sat, 10, &msg);
	assert_int_equal(count(GNS_LOCK), 0);
	gns_sat_unlock(t.sat, 11, &msg);
	assert_int_equal(count(GNS_LOCK), 1);
	assert_int_equal(said(GNS_LOCK)->lock.seq, 7);
	hear_status(GNS_LOCK, 0);
	assert_int_equal(t.nanswers, 0);
}

/* One that has forgotten the slots: what it may have had is not sent again. */
static void test_unknown(void **state)
{
	(void)state;
	start();
	hear_hello(11, false, GNS_FEATURES);
	assert_int_equal(submit_change(1, GNS_WRITE, 5, 10), 0);
	assert_int_equal(submit_getattr(2), 0);
	die();
	/* This one nobody has had. */
	assert_int_equal(submit_change(3, GNS_WRITE, 1, 10), 0);
	hear_hello(12, false, GNS_FEATURES);
	is_answered(0, 1, GNS_ST_UNKNOWN);
	assert_int_equal(t.nanswers, 1);
	/* While the kernel did not have the session yet. */
	assert_true(t.before_up[0]);
	assert_int_equal(t.ups, 1);
	assert_int_equal(count(GNS_GETATTR), 1);
	assert_int_equal(count(GNS_WRITE), 1);
	assert_int_equal(said(GNS_WRITE)->write.change.slot, 3);
}

/* A helper that begins can not tell what the one before it has sent. */
static void test_heir(void **state)
{
	(void)state;
	t.ks.had_slots = true;
	start();
	assert_int_equal(submit_change(1, GNS_WRITE, 5, 10), 0);
	assert_int_equal(submit_getattr(2), 0);
	/* The kernel does not take the session: nothing has begun. */
	t.up_err = -EAGAIN;
	hear_hello(11, false, GNS_FEATURES);
	is_answered(0, 1, GNS_ST_UNKNOWN);
	assert_int_equal(submit_change(3, GNS_WRITE, 1, 10), 0);
	assert_null(said(GNS_GETATTR));
	t.up_err = 0;
	pass(NSEC_PER_SEC);
	hear_hello(11, false, GNS_FEATURES);
	is_answered(1, 3, GNS_ST_UNKNOWN);
	assert_int_equal(t.nanswers, 2);
	assert_int_equal(count(GNS_GETATTR), 1);
	assert_null(said(GNS_WRITE));
	/* From here on it knows. */
	assert_int_equal(submit_change(4, GNS_WRITE, 1, 10), 0);
	assert_int_equal(count(GNS_WRITE), 1);
	die();
	assert_int_equal(submit_change(5, GNS_WRITE, 1, 10), 0);
	hear_hello(12, false, GNS_FEATURES);
	is_answered(2, 4, GNS_ST_UNKNOWN);
	assert_int_equal(t.nanswers, 3);
	assert_int_equal(said(GNS_WRITE)->write.change.slot, 5);
}

static void test_no_heir(void **state)
{
	(void)state;
	start();
	assert_int_equal(submit_change(1, GNS_WRITE, 5, 10), 0);
	/* HELLO is said again, with the kernel's word that it has slots now. */
	t.ks.had_slots = true;
	pass(NSEC_PER_SEC);
	hear_hello(11, false, GNS_FEATURES);
	assert_int_equal(t.nanswers, 0);
	assert_int_equal(count(GNS_WRITE), 1);
}

/* The next helper goes on in a session that lives: nothing was forgotten. */
static void test_session_taken_over(void **state)
{
	(void)state;
	t.ks.had_slots = true;
	t.ks.sid = 11;
	t.ks.features = GNS_FEAT_MORE;
	start();
	hear_status(GNS_JOIN, 0);
	assert_int_equal(submit_change(1, GNS_WRITE, 5, 10), 0);
	assert_int_equal(submit_change(2, GNS_LINK, 5, 0), 0);
	assert_int_equal(count(GNS_WRITE), 1);
	assert_int_equal(count(GNS_LINK), 1);
	assert_null(said(GNS_HELLO));
}

/* What is open is said only to who knows of it. */
static void open_files(u64 features, bool known)
{
	struct gns_msg m = { .type = GNS_UNLINK };

	start();
	hear_hello(11, true, features);
	m.make.dir = (struct gns_fh){ 1, "d" };
	m.make.name = (struct gns_str){ "n", 1 };
	m.make.flags = GNS_UN_OPEN;
	m.make.change = (struct gns_change){ 0, 1 };
	assert_int_equal(gns_sat_submit(t.sat, 1, 0, &m), 0);
	assert_int_equal(said(GNS_UNLINK)->make.flags, known ? GNS_UN_OPEN : 0);
	gns_sat_released(t.sat, 11, &m.make.dir, 7, true);
	assert_int_equal(count(GNS_RELEASED_OPEN), known);
	assert_int_equal(count(GNS_RELEASED), !known);
	gns_sat_released(t.sat, 11, &m.make.dir, 8, false);
	assert_int_equal(count(GNS_RELEASED), 1 + !known);
}

static void test_open(void **state)
{
	(void)state;
	open_files(GNS_FEATURES, true);
}

static void test_open_unknown(void **state)
{
	(void)state;
	open_files(GNS_FEATURES & ~GNS_FEAT_HOLD, false);
}

static int ask_list(u64 id)
{
	struct gns_msg msg = { .type = GNS_GETXATTR };

	msg.name.fh = (struct gns_fh){ 1, "f" };
	msg.name.name = (struct gns_str){ "system.posix_acl_access", 23 };
	return gns_sat_submit(t.sat, id, 0, &msg);
}

static void test_features(void **state)
{
	struct gns_msg seek = { .type = GNS_SEEK };

	(void)state;
	seek.seek.fh = (struct gns_fh){ 1, "f" };
	start();
	assert_int_equal(said(GNS_HELLO)->hello.features, GNS_FEATURES);
	assert_int_equal(submit_change(1, GNS_LINK, 5, 0), 0);
	assert_int_equal(submit_fsync(2, GNS_FS_ALL), 0);
	assert_int_equal(submit_fsync(3, GNS_FS_DATA), 0);
	hear_hello(11, false, 0);
	is_answered(0, 1, EOPNOTSUPP);
	is_answered(1, 2, EOPNOTSUPP);
	assert_int_equal(t.nanswers, 2);
	assert_int_equal(count(GNS_FSYNC), 1);
	assert_null(said(GNS_LINK));
	assert_int_equal(submit_change(4, GNS_LINK, 5, 0), -EOPNOTSUPP);
	assert_int_equal(gns_sat_submit(t.sat, 5, 0, &seek), -EOPNOTSUPP);
	assert_int_equal(ask_list(7), -EOPNOTSUPP);
	assert_int_equal(submit_change(6, GNS_WRITE, 5, 10), 0);

	/* Another origin, of this name: it has them. */
	die();
	hear_hello(12, true, GNS_FEATURES);
	assert_int_equal(submit_change(4, GNS_LINK, 5, 0), 0);
	assert_int_equal(gns_sat_submit(t.sat, 5, 0, &seek), 0);
	assert_int_equal(count(GNS_LINK), 1);
	assert_int_equal(count(GNS_SEEK), 1);

	/* And an old one again: the LINK may have run. */
	die();
	hear_hello(13, true, 0);
	assert_int_equal(t.nanswers, 4);
	assert_int_equal(t.answered[2] + t.answered[3], 4 + 5);
	is_answered(t.answered[2] == 4 ? 2 : 3, 4, GNS_ST_UNKNOWN);
	is_answered(t.answered[2] == 4 ? 3 : 2, 5, EOPNOTSUPP);
}

/* Without access control lists there is no umask, and there are no such names. */
static void test_no_lists(void **state)
{
	struct gns_msg msg = { .type = GNS_MKDIR };

	(void)state;
	t.lacks = GNS_FEAT_ACL;
	start();
	assert_int_equal(said(GNS_HELLO)->hello.features,
			 GNS_FEATURES & ~GNS_FEAT_ACL);
	hear_hello(11, false, GNS_FEATURES);
	msg.make.change.seq = 1;
	msg.make.dir = (struct gns_fh){ 1, "d" };
	msg.make.name = (struct gns_str){ "n", 1 };
	msg.make.mode = 0777;
	msg.make.umask = 022;
	assert_int_equal(gns_sat_submit(t.sat, 1, 0, &msg), 0);
	assert_int_equal(said(GNS_MKDIR)->make.mode, 0755);
	assert_int_equal(said(GNS_MKDIR)->make.umask, 0);
	assert_int_equal(ask_list(2), -EOPNOTSUPP);
}

static u8 said_want(u64 features)
{
	struct gns_msg msg = { .type = GNS_READDIR };

	start();
	hear_hello(11, false, features);
	msg.range.fh = (struct gns_fh){ 1, "d" };
	msg.range.want = GNS_WANT_LEASE | GNS_WANT_NAMES;
	assert_int_equal(gns_sat_submit(t.sat, 1, 0, &msg), 0);
	return said(GNS_READDIR)->range.want;
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(said_want(GNS_FEATURES),
			 GNS_WANT_LEASE | GNS_WANT_NAMES);
}

/* An origin that can not list names alone is not asked for that. */
static void test_no_names(void **state)
{
	(void)state;
	assert_int_equal(said_want(GNS_FEATURES & ~GNS_FEAT_NAMES),
			 GNS_WANT_LEASE);
}

static void test_payload_bounded(void **state)
{
	struct gns_sat_stats st;

	(void)state;
	start();
	hear_hello(11, false, GNS_FEATURES);
	assert_int_equal(submit_change(1, GNS_WRITE, 1, MIB), 0);
	assert_int_equal(submit_change(2, GNS_WRITE, 1, MIB), 0);
	assert_int_equal(submit_change(3, GNS_WRITE, 1, 1), -EAGAIN);
	/* What owns nothing goes on. */
	assert_int_equal(submit_getattr(4), 0);
	gns_sat_stats(t.sat, &st);
	assert_int_equal(st.payload, 2 * MIB);
	hear_status(GNS_WRITE, 0);
	is_answered(0, 2, 0);
	assert_int_equal(submit_change(3, GNS_WRITE, 1, 1), 0);
	gns_sat_cancel(t.sat, 1);
	gns_sat_cancel(t.sat, 3);
	gns_sat_stats(t.sat, &st);
	assert_int_equal(st.payload, 0);
}

/* Given up: it is not sent again, and its answer is nobody's. */
static void test_cancel(void **state)
{
	struct gns_msg old;

	(void)state;
	start();
	hear_hello(11, false, GNS_FEATURES);
	assert_int_equal(submit_change(1, GNS_WRITE, 5, 10), 0);
	old = (struct gns_msg){ .type = GNS_WRITE,
				.reply = true,
				.tag = said(GNS_WRITE)->tag,
				.sid = 11 };
	assert_int_equal(submit_getattr(2), 0);
	gns_sat_cancel(t.sat, 1);
	forget_sent();
	pass(25 * NSEC_PER_SEC);
	assert_true(count(GNS_GETATTR) >= 1);
	assert_null(said(GNS_WRITE));
	assert_int_equal(t.conn.user->message(&t.conn, &old), 0);
	assert_int_equal(t.nanswers, 0);
	die();
	hear_hello(12, true, GNS_FEATURES);
	assert_null(said(GNS_WRITE));
	assert_int_equal(count(GNS_GETATTR), 1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_again),
		T(test_behind),
		T(test_unlock),
		T(test_unknown),
		T(test_heir),
		T(test_no_heir),
		T(test_session_taken_over),
		T(test_open),
		T(test_open_unknown),
		T(test_features),
		T(test_no_lists),
		T(test_names),
		T(test_no_names),
		T(test_payload_bounded),
		T(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
