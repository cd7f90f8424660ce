// SPDX-License-Identifier: GPL-2.0
/*
 * A disk that does not take what was written says so once, to whoever syncs:
 * each session that has something unsynced is told by the origin, once. As root.
 */
#include "origin_rig.h"

static void files(void)
{
	put_file(below("f"), "x", 1);
	put_file(below("g"), "x", 1);
}

static int setup(void **state)
{
	disk_error = 0;
	origin_setup(state, files);
	return 0;
}

static void change(struct peer *p, const char *name)
{
	static u64 seq;
	struct gns_msg msg = { .type = GNS_SETATTR };

	msg.setattr.change.seq = ++seq;
	msg.setattr.fh = fh_of(name);
	msg.setattr.valid = GNS_SA_MODE;
	msg.setattr.mode = 0600 + seq % 8;
	assert_int_equal(ask(p, &msg), 0);
}

/* What it is told that has changed something in @incarnation, 0: nothing. */
static u32 sync_of(struct peer *p, const char *name, u64 incarnation, u8 how)
{
	struct gns_msg msg = { .type = GNS_FSYNC };

	msg.obj.fh = name ? fh_of(name) : rig.root;
	msg.obj.datasync = how;
	msg.obj.incarnation = incarnation;
	return ask(p, &msg);
}

/* As the origin has said when it was begun. */
static u64 incarnation(void)
{
	assert_int_equal(peers[0].rep.type, GNS_HELLO);
	return peers[0].rep.r_hello.incarnation;
}

/* Twice as long as an object has to be quiet, with both sessions alive. */
static void settle(void)
{
	struct gns_msg m = { .type = GNS_RENEW };
	u32 i;

	for (i = 0; i < 24; i++) {
		pass(NSEC_PER_SEC / 2);
		tell(&peers[i % 2], &m);
	}
}

/* The origin's own sync is told; nobody else would be. */
static void test_settle(void **state)
{
	u64 now = incarnation();

	(void)state;
	change(&peers[0], "f");
	disk_error = EIO;
	settle();
	assert_int_equal(disk_error, 0);
	assert_int_equal(sync_of(&peers[1], "f", 0, GNS_FS_DATA), 0);
	assert_int_equal(sync_of(&peers[0], "g", now, GNS_FS_DATA), 0);
	assert_int_equal(sync_of(&peers[0], "f", now, GNS_FS_DATA),
			 GNS_ST_LOST);
	assert_int_equal(sync_of(&peers[0], "f", now, GNS_FS_DATA), 0);
	assert_int_equal(sync_of(&peers[1], "f", now, GNS_FS_DATA),
			 GNS_ST_LOST);
	assert_int_equal(sync_of(&peers[1], "f", now, GNS_FS_DATA), 0);
	/* Of everything: once as well. */
	assert_int_equal(sync_of(&peers[0], NULL, now, GNS_FS_ALL),
			 GNS_ST_LOST);
	assert_int_equal(sync_of(&peers[0], NULL, now, GNS_FS_ALL), 0);
}

/* One of two that sync has the disk's answer. */
static void test_fsync(void **state)
{
	u64 now = incarnation();

	(void)state;
	change(&peers[0], "f");
	change(&peers[1], "f");
	disk_error = ENOSPC;
	assert_int_equal(sync_of(&peers[0], "f", now, GNS_FS_DATA), ENOSPC);
	assert_int_equal(sync_of(&peers[0], "f", now, GNS_FS_DATA), 0);
	assert_int_equal(sync_of(&peers[1], "f", now, GNS_FS_DATA),
			 GNS_ST_LOST);
	/* It says it again of what it does not take later. */
	disk_error = EIO;
	assert_int_equal(sync_of(&peers[1], "f", now, GNS_FS_DATA), EIO);
	assert_int_equal(sync_of(&peers[0], "f", now, GNS_FS_DATA),
			 GNS_ST_LOST);
}

static void test_all(void **state)
{
	u64 now = incarnation();

	(void)state;
	change(&peers[0], "f");
	disk_error = EIO;
	assert_int_equal(sync_of(&peers[0], NULL, now, GNS_FS_ALL), EIO);
	assert_int_equal(sync_of(&peers[0], NULL, now, GNS_FS_ALL), 0);
	assert_int_equal(sync_of(&peers[1], NULL, now, GNS_FS_ALL),
			 GNS_ST_LOST);
}

/* No space for the request is no loss. */
static void test_other_errors(void **state)
{
	u64 now = incarnation();

	(void)state;
	change(&peers[0], "f");
	disk_error = ENOMEM;
	assert_int_equal(sync_of(&peers[0], "f", now, GNS_FS_DATA), ENOMEM);
	assert_int_equal(sync_of(&peers[1], "f", now, GNS_FS_DATA), 0);
	assert_int_equal(sync_of(&peers[0], "f", now, GNS_FS_DATA), 0);
}

/* Who was told before is known to nobody then: all are. */
static void test_restart(void **state)
{
	u64 now = incarnation();

	(void)state;
	change(&peers[0], "f");
	disk_error = EIO;
	settle();
	origin_crash();
	assert_int_equal(incarnation(), now + 1);
	assert_int_equal(sync_of(&peers[0], "f", now, GNS_FS_DATA),
			 GNS_ST_LOST);
	assert_int_equal(sync_of(&peers[0], "f", now + 1, GNS_FS_DATA), 0);
	origin_crash();
	assert_int_equal(incarnation(), now + 1);
}

static u64 version_of(const char *name)
{
	struct gns_msg msg = { .type = GNS_GETATTR };

	msg.obj.fh = fh_of(name);
	msg.obj.want = GNS_WANT_LEASE;
	assert_int_equal(ask(&peers[0], &msg), 0);
	return peers[0].rep.r_obj.grant.version;
}

/* The bytes may be others as soon as memory forgets them. */
static void test_version(void **state)
{
	u64 before;

	(void)state;
	change(&peers[0], "f");
	disk_error = EIO;
	before = version_of("f");
	origin_crash();
	assert_true(version_of("f") > before);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, origin_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_settle),
		T(test_fsync),
		T(test_all),
		T(test_other_errors),
		T(test_restart),
		T(test_version),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
