// SPDX-License-Identifier: GPL-2.0
/*
 * Exports that show the same files: one object, whichever of them it is seen,
 * changed, leased and locked in. As root.
 */
#include "origin_rig.h"

static struct gns_fh roots[2]; /* of "main" and of "root" */

static void files(void)
{
	put_file(below("f"), "x", 1);
	put_file(below("o"), "x", 1);
	assert_int_equal(mkdir(below("d"), 0755), 0);
	assert_int_equal(link(below("f"), below("d/g")), 0);
}

static int setup(void **state)
{
	origin_setup(state, files);
	assert_int_equal(mount_as("main", &roots[0]), 0);
	assert_int_equal(mount_as("root", &roots[1]), 0);
	assert_false(gns_fh_eq(&roots[0], &roots[1]));
	return 0;
}

static struct gns_fh seen(u32 view, const char *name)
{
	struct gns_fh fh;

	assert_int_equal(lookup(&roots[view], name, &cred_root, &fh), 0);
	return fh;
}

static u64 version_of(struct peer *p, const struct gns_fh *fh)
{
	struct gns_msg msg = { .type = GNS_GETATTR };

	msg.obj.fh = *fh;
	msg.obj.want = GNS_WANT_LEASE;
	assert_int_equal(ask(p, &msg), 0);
	assert_true(gns_fh_eq(&p->rep.r_obj.fh, fh));
	assert_true(p->rep.r_obj.grant.number);
	return p->rep.r_obj.grant.version;
}

static void begin_change(struct peer *p, const struct gns_fh *fh)
{
	static u64 seq;
	struct gns_msg msg = { .type = GNS_SETATTR };
	u32 i;

	msg.setattr.change.seq = ++seq;
	msg.setattr.fh = *fh;
	msg.setattr.valid = GNS_SA_MODE;
	msg.setattr.mode = 0600 + seq % 8;
	tell(p, &msg);
	for (i = 0; i < 20; i++)
		pass(NSEC_PER_MSEC);
}

static void release(struct peer *p)
{
	struct gns_msg msg = { .type = GNS_RELEASED };

	msg.revoke = p->revoke;
	tell(p, &msg);
}

static void wait_answers(struct peer *p, u32 n)
{
	u32 i;

	for (i = 0; i < 1000 && p->got < n; i++)
		pass(NSEC_PER_MSEC);
	assert_int_equal(p->got, n);
}

/* The change of @fh waits until @p has given @cached back; it is done then. */
static void change_revokes(const struct gns_fh *fh, struct peer *p,
			   const struct gns_fh *cached)
{
	u32 got = peers[0].got;

	begin_change(&peers[0], fh);
	assert_int_equal(peers[0].got, got);
	assert_int_equal(p->revokes, 1);
	assert_true(gns_fh_eq(&p->revoke.fh, cached));
	release(p);
	wait_answers(&peers[0], got + 1);
	assert_int_equal(peers[0].rep.status, 0);
}

/* Nothing is changed while a host has it cached, by whatever handle. */
static void test_revoke(void **state)
{
	struct gns_fh f[2] = { seen(0, "f"), seen(1, "f") };
	u64 before = version_of(&peers[1], &f[1]);

	(void)state;
	change_revokes(&f[0], &peers[1], &f[1]);
	assert_int_equal(peers[0].rep.r_change.changed.n, 1);
	assert_true(gns_fh_eq(&peers[0].rep.r_change.changed.v[0].fh, &f[0]));
	assert_int_equal(peers[0].rep.r_change.changed.v[0].before, before);
	assert_int_equal(version_of(&peers[1], &f[1]),
			 peers[0].rep.r_change.changed.v[0].after);
}

/* Of a host that has mounted both it is the other mount that gives it back. */
static void test_own(void **state)
{
	struct gns_fh f[2] = { seen(0, "f"), seen(1, "f") };

	(void)state;
	assert_int_equal(version_of(&peers[0], &f[0]),
			 version_of(&peers[0], &f[1]));
	change_revokes(&f[0], &peers[0], &f[1]);
}

static void test_names(void **state)
{
	struct gns_fh f = seen(0, "f"), d = seen(0, "d"), g;
	struct gns_fh there = seen(1, "f");

	(void)state;
	/* The same file by another name, too. */
	assert_int_equal(lookup(&d, "g", &cred_root, &g), 0);
	assert_true(gns_fh_eq(&f, &g));
	version_of(&peers[1], &there);
	begin_change(&peers[0], &g);
	assert_int_equal(peers[1].revokes, 1);
	release(&peers[1]);
	pass(NSEC_PER_MSEC);
}

static u32 lock_it(struct peer *p, const struct gns_fh *fh)
{
	static u64 seq;
	struct gns_msg msg = { .type = GNS_LOCK };

	msg.lock = (struct gns_m_lock){ .fh = *fh,
					.seq = ++seq,
					.owner = 1,
					.kind = GNS_LC_RANGE,
					.op = GNS_LK_WRITE,
					.how = GNS_LH_TRY,
					.end = UINT64_MAX };
	return ask(p, &msg);
}

static void test_lock(void **state)
{
	struct gns_fh f[2] = { seen(0, "f"), seen(1, "f") };

	(void)state;
	assert_int_equal(lock_it(&peers[0], &f[0]), 0);
	assert_int_equal(lock_it(&peers[1], &f[1]), EAGAIN);
}

/* What nobody was given means nothing, and does not become a handle. */
static void test_forged(void **state)
{
	struct gns_fh f[2] = { seen(0, "f"), seen(1, "f") };
	struct gns_fh bad = f[0], out;

	(void)state;
	memcpy(bad.b, f[1].b, 4);
	rig.fs->ops->split(rig.fs, &bad, &out);
	assert_true(gns_fh_eq(&out, &bad));
	bad = f[0];
	bad.b[bad.len - 1] ^= 1;
	rig.fs->ops->join(rig.fs, &bad, rig.fs->ops->split(rig.fs, &f[1], &out),
			  &out);
	assert_true(gns_fh_eq(&out, &bad));
	bad.len = 3;
	rig.fs->ops->split(rig.fs, &bad, &out);
	assert_true(gns_fh_eq(&out, &bad));
	/* Who locks it has not locked the file. */
	bad = f[1];
	bad.b[bad.len - 1] ^= 1;
	assert_int_equal(lock_it(&peers[0], &bad), 0);
	assert_int_equal(lock_it(&peers[1], &f[1]), 0);
}

/* Another life of the origin, with the exports that it has now. */
static void live_again(const char *const *names)
{
	origin_end();
	toy_crash(&toy, false, 0);
	gns_posix_destroy(rig.fs);
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	rig_open();
	for (; *names; names++)
		rig_export(*names, false, GNS_SQUASH_NONE);
	origin_start();
}

/* The one that stood for both is gone, another comes first: no version again. */
static void test_gone(void **state)
{
	static const char *const one[] = { "root", NULL };
	static const char *const two[] = { "root", "main", NULL };
	static const char *const old[] = { "main", "root", NULL };
	static const char *const *const lives[] = { one, two, one, old, one };
	struct gns_fh f[2] = { seen(0, "f"), seen(1, "f") };
	u64 newest, now;
	u32 i, got;

	(void)state;
	/* Far above what the file's times say. */
	for (i = 0; i < 3; i++) {
		got = peers[0].got;
		begin_change(&peers[0], &f[0]);
		wait_answers(&peers[0], got + 1);
	}
	newest = peers[0].rep.r_change.changed.v[0].after;
	for (i = 0; i < 5; i++) {
		live_again(lives[i]);
		now = version_of(&peers[0], &f[1]);
		assert_true(now >= newest);
		/* After a while it is written down as it is. */
		pass(NSEC_PER_SEC);
		newest = now;
	}
}

/* One filesystem has become two: what is known of the one may be of the other. */
static void test_parted(void **state)
{
	struct gns_posix_export ex = { .name = "apart", .path = "/dev/shm" };
	struct gns_fh apart, id[4];
	struct gns_fs_view v[8], both[2];
	char err[256] = "";
	u32 n;

	(void)state;
	n = rig.fs->ops->views(rig.fs, v, 8);
	assert_int_equal(n, 4);
	assert_int_equal(v[0].as, v[3].view);
	assert_int_equal(rig.fs->ops->meant(rig.fs, &roots[1], id, 4), 1);
	assert_true(gns_fh_eq(&id[0], &roots[0]));
	assert_int_equal(gns_posix_export(rig.fs, &ex, err, sizeof(err)), 0);
	assert_int_equal(mount_as("apart", &apart), 0);
	both[0] = v[3];
	both[1].as = v[3].view;
	both[1].view = rig.fs->ops->split(rig.fs, &apart, &id[0]);
	assert_true(gns_fh_eq(&apart, &id[0]));
	assert_int_equal(rig.fs->ops->views_were(rig.fs, both, 2), 0);
	assert_int_equal(rig.fs->ops->meant(rig.fs, &roots[0], id, 4), 2);
	assert_true(gns_fh_eq(&id[0], &roots[0]));
	assert_int_equal(rig.fs->ops->split(rig.fs, &id[1], &id[2]),
			 both[1].view);
}

/* Open in the one, and the other one took its name away, and is gone itself. */
static void test_orphan(void **state)
{
	static const char *const one[] = { "root", NULL };
	struct gns_msg msg = { .type = GNS_UNLINK };
	struct gns_fh o = seen(1, "o");
	u32 got = peers[0].got, i;

	(void)state;
	version_of(&peers[1], &o);
	msg.make.change.seq = 1;
	msg.make.dir = roots[0];
	msg.make.name = str("o");
	tell(&peers[0], &msg);
	for (i = 0; i < 20; i++)
		pass(NSEC_PER_MSEC);
	assert_int_equal(peers[1].revokes, 1);
	msg = (struct gns_msg){ .type = GNS_RELEASED_OPEN };
	msg.revoke = peers[1].revoke;
	tell(&peers[1], &msg);
	wait_answers(&peers[0], got + 1);
	assert_int_equal(peers[0].rep.status, 0);
	live_again(one);
	version_of(&peers[1], &o);
	assert_int_equal(peers[1].rep.r_obj.attr.nlink, 0);
}

/* One that comes back when others stand for what it shows: not while it runs. */
static void test_added(void **state)
{
	static const char *const p[] = { "p", NULL };
	static const char *const r[] = { "r", NULL };
	struct gns_posix_export ex = { .name = "p", .path = rig.path };
	char err[256] = "";

	(void)state;
	live_again(p);
	live_again(r);
	assert_int_equal(gns_posix_export(rig.fs, &ex, err, sizeof(err)),
			 -EBUSY);
	ex.name = "new";
	assert_int_equal(gns_posix_export(rig.fs, &ex, err, sizeof(err)), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, origin_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_revoke),
		T(test_own),
		T(test_names),
		T(test_lock),
		T(test_forged),
		T(test_gone),
		T(test_parted),
		T(test_orphan),
		T(test_added),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
