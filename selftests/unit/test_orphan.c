// SPDX-License-Identifier: GPL-2.0
/*
 * Files that lose their last name while a satellite has them open: the real
 * origin on the real tree; time and store are the fuzzers'. As root.
 */
#include "orphan_rig.h"

static void test_held(void **state)
{
	struct gns_fh fh = held("a"), none;
	const struct gns_r_change *r = &peers[1].rep.r_change;
	u32 i;

	(void)state;
	for (i = 0; i < r->changed.n; i++)
		if (gns_fh_eq(&r->changed.v[i].fh, &fh))
			break;
	assert_true(i < r->changed.n);
	assert_int_equal(r->changed.v[i].attr.nlink, 0);
	assert_true(r->changed.v[i].attr.ino);
	assert_int_equal(lookup(&rig.root, "a", &cred_root, &none), ENOENT);
	lives(&peers[0], &fh, "0123456789");
	/* A word about an older grant says nothing. */
	released(&peers[0], &fh, 1, false);
	settle();
	assert_int_equal(hidden(), 1);
	released(&peers[0], &fh, UINT64_MAX, false);
	gone(&fh);
}

/* Nobody has it open: it goes at once. */
static void test_not_open(void **state)
{
	struct gns_fh fh = fh_of("a");
	struct gns_msg m = an_unlink("a", 0);

	(void)state;
	assert_int_equal(lease(&peers[0], &fh), 0);
	assert_int_equal(change(&peers[1], &m, false), 0);
	assert_int_equal(peers[0].revokes, 1);
	gone(&fh);
}

static void test_own(void **state)
{
	struct gns_fh fh = fh_of("a");
	struct gns_msg m = an_unlink("a", GNS_UN_OPEN);

	(void)state;
	assert_false(rig.fs->ops->own(rig.fs, &rig.root));
	assert_int_equal(ask(&peers[0], &m), 0);
	/* There is a hidden directory now, which nobody asked for. */
	assert_false(rig.fs->ops->own(rig.fs, &fh));
	assert_true(rig.fs->ops->own(rig.fs, &rig.root));
	assert_false(rig.fs->ops->own(rig.fs, &rig.root));
	lives(&peers[0], &fh, "0123456789");
	released(&peers[0], &fh, UINT64_MAX, false);
	gone(&fh);
}

static void test_rename(void **state)
{
	struct gns_fh a = fh_of("a"), b = fh_of("b");
	struct gns_msg m = a_rename("b", "a", 0);

	(void)state;
	assert_int_equal(lease(&peers[0], &a), 0);
	assert_int_equal(change(&peers[1], &m, true), 0);
	lives(&peers[0], &a, "0123456789");
	assert_true(gns_fh_eq(&b, (struct gns_fh[]){ fh_of("a") }));
	released(&peers[0], &a, UINT64_MAX, false);
	gone(&a);
	assert_int_equal(lease(&peers[0], &b), 0);
	assert_int_equal(peers[0].rep.r_obj.attr.nlink, 2);
}

static void test_two(void **state)
{
	struct gns_fh fh = fh_of("a");
	struct gns_msg m = an_unlink("a", GNS_UN_OPEN);

	(void)state;
	assert_int_equal(lease(&peers[0], &fh), 0);
	assert_int_equal(change(&peers[1], &m, true), 0);
	released(&peers[0], &fh, UINT64_MAX, false);
	settle();
	lives(&peers[1], &fh, "0123456789");
	released(&peers[1], &fh, UINT64_MAX, false);
	gone(&fh);
}

/* A lease of who took the name away, and has it not open, keeps nothing. */
static void test_taker(void **state)
{
	struct gns_fh fh = fh_of("a");

	(void)state;
	assert_int_equal(lease(&peers[1], &fh), 0);
	held("a");
	settle();
	assert_int_equal(peers[1].revokes, 1);
	released(&peers[1], &fh, peers[1].revoke.upto, false);
	settle();
	assert_int_equal(hidden(), 1);
	released(&peers[0], &fh, UINT64_MAX, false);
	settle();
	assert_int_equal(hidden(), 0);
}

/*
 * @m of peers[0], which means something else by the name than what @fh is: the
 * one who removes it is asked whether he has that open, and he alone.
 */
static void unmeant(struct gns_msg *m, const struct gns_fh *fh, bool open)
{
	struct peer *p = &peers[0];
	u32 before = p->got, i;

	tell(p, m);
	for (i = 0; i < 1000 && !p->revokes; i++)
		pass(NSEC_PER_MSEC);
	assert_int_equal(p->revokes, 1);
	assert_true(gns_fh_eq(&p->revoke.fh, fh));
	settle();
	assert_int_equal(p->got, before);
	released(p, fh, p->revoke.upto, open);
	for (i = 0; i < 1000 && p->got == before; i++)
		pass(NSEC_PER_MSEC);
	assert_int_equal(p->got, before + 1);
	assert_int_equal(p->rep.status, 0);
}

static void test_unmeant(void **state)
{
	struct gns_fh a = fh_of("a"), b = fh_of("b");
	struct gns_msg m = an_unlink("a", 0);

	(void)state;
	m.make.victim = b;
	assert_int_equal(lease(&peers[0], &a), 0);
	unmeant(&m, &a, true);
	lives(&peers[0], &a, "0123456789");
	released(&peers[0], &a, UINT64_MAX, false);
	gone(&a);
}

/* What is said to be open is the other one; and this one is not. */
static void test_unmeant_closed(void **state)
{
	struct gns_fh a = fh_of("a"), b = fh_of("b");
	struct gns_msg m = an_unlink("a", GNS_UN_OPEN);

	(void)state;
	m.make.victim = b;
	assert_int_equal(lease(&peers[0], &a), 0);
	unmeant(&m, &a, false);
	gone(&a);
}

/* Nothing seemed to be there. */
static void test_unmeant_rename(void **state)
{
	struct gns_fh a = fh_of("a");
	struct gns_msg m = a_rename("b", "a", 0);

	(void)state;
	m.rename.victim.len = 0;
	assert_int_equal(lease(&peers[0], &a), 0);
	unmeant(&m, &a, true);
	lives(&peers[0], &a, "0123456789");
}

/* Who means what he removes says himself whether he has it open. */
static void test_meant(void **state)
{
	struct gns_fh a = fh_of("a");
	struct gns_msg m = an_unlink("a", 0);

	(void)state;
	assert_int_equal(lease(&peers[0], &a), 0);
	assert_int_equal(ask(&peers[0], &m), 0);
	assert_int_equal(peers[0].revokes, 0);
	gone(&a);
}

/* Only the last name matters. */
static void test_links(void **state)
{
	struct gns_fh fh = held("b");
	struct gns_msg m = an_unlink("b2", 0);

	(void)state;
	assert_int_equal(hidden(), 0);
	assert_int_equal(lease(&peers[0], &fh), 0);
	assert_int_equal(peers[0].rep.r_obj.attr.nlink, 1);
	assert_int_equal(change(&peers[1], &m, true), 0);
	lives(&peers[0], &fh, "abcdefghij");
	released(&peers[0], &fh, UINT64_MAX, false);
	gone(&fh);
}

static void test_death(void **state)
{
	struct gns_fh fh = held("a");

	(void)state;
	assert_int_equal(hidden(), 1);
	toy_advance(&toy, 13 * NSEC_PER_SEC);
	hello(&peers[1], 2);
	gone(&fh);
}

/* Nobody reaches the hidden directory, whatever is in it. */
static void test_hidden(void **state)
{
	struct gns_fh fh = held("a"), none;
	struct gns_msg m = { .type = GNS_CREATE };
	struct gns_r_obj obj;
	struct call c = { .req.type = GNS_READDIR };
	bool absent;
	u32 i;

	(void)state;
	assert_int_equal(lookup_str(&rig.root, str(HIDDEN), &cred_root, &obj,
				    &absent),
			 0);
	assert_true(absent);
	c.req.range.fh = rig.root;
	c.req.range.len = 65536;
	assert_int_equal(call_run(&c), 0);
	assert_int_equal(c.op.nentries, 2); /* b, b2 */
	for (i = 0; i < c.op.nentries; i++)
		assert_int_equal(c.op.entries[i].name.p[0], 'b');
	call_free(&c);
	m.make.dir = rig.root;
	m.make.name = str(HIDDEN);
	m.make.mode = 0600;
	m.make.change = (struct gns_change){ 1, ++seq };
	assert_int_equal(ask(&peers[0], &m), EPERM);
	m = a_rename("b", HIDDEN, 0);
	assert_int_equal(ask(&peers[0], &m), EPERM);
	m = a_rename(HIDDEN, "x", 0);
	assert_int_equal(ask(&peers[0], &m), ENOENT);
	m = an_unlink(HIDDEN, 0);
	assert_int_equal(ask(&peers[0], &m), ENOENT);
	m = (struct gns_msg){ .type = GNS_LINK };
	m.link.dir = rig.root;
	m.link.name = str("again");
	m.link.fh = fh;
	m.link.change = (struct gns_change){ 1, ++seq };
	assert_int_equal(ask(&peers[0], &m), ENOENT);
	assert_int_equal(lookup(&rig.root, "again", &cred_root, &none), ENOENT);
	assert_int_equal(hidden(), 1);
}

/* Who comes back in time finds it; what nobody asks for goes later. */
static void test_restart(void **state)
{
	struct gns_msg m = { .type = GNS_RENEW };
	struct gns_fh fh = held("a");
	u32 i;

	(void)state;
	restart(20);
	lives(&peers[0], &fh, "0123456789");
	for (i = 0; i < 100; i++) {
		assert_int_equal(ask(&peers[0], &m), 0);
		toy_advance(&toy, NSEC_PER_SEC);
		/* Once all should be back, they are asked. */
		if (peers[0].revokes)
			released(&peers[0], &fh, peers[0].revoke.upto, true);
	}
	assert_true(peers[0].revokes);
	lives(&peers[0], &fh, "0123456789");
	released(&peers[0], &fh, UINT64_MAX, false);
	settle();
	assert_int_equal(hidden(), 0);
	hello(&peers[1], 2);
	gone(&fh);
}

static void test_restart_nobody(void **state)
{
	struct gns_fh fh = held("a");

	(void)state;
	nobody_comes_back(&fh);
}

/* Between the hidden name and the loss of the other one. */
static void test_crash_between(void **state)
{
	struct gns_fh fh = fh_of("a");
	char name[256] = "";
	u32 i;

	(void)state;
	assert_int_equal(mkdir(below(HIDDEN), 0700), 0);
	strcpy(name, HIDDEN "/");
	for (i = 0; i < fh.len; i++)
		sprintf(name + strlen(name), "%02x", fh.b[i]);
	assert_int_equal(link(below("a"), below(name)), 0);
	put_file(below(HIDDEN "/strange"), "", 0);
	restart(20);
	assert_int_equal(hidden(), 0);
	assert_int_equal(lease(&peers[0], &fh), 0);
	assert_int_equal(peers[0].rep.r_obj.attr.nlink, 1);
}

static void test_crash_after(void **state)
{
	struct gns_fh fh = fh_of("a");
	struct gns_msg m = an_unlink("a", GNS_UN_OPEN);

	(void)state;
	assert_int_equal(lease(&peers[0], &fh), 0);
	fate = CRASH_AFTER;
	ask(&peers[0], &m);
	assert_int_equal(hidden(), 1);
	restart(20);
	lives(&peers[0], &fh, "0123456789");
	assert_int_equal(ask(&peers[0], &m), 0); /* it ran */
}

/* A satellite that does not say that it closed it is asked. */
static void test_asked(void **state)
{
	struct gns_fh fh = held("a");
	struct gns_msg m = { .type = GNS_RENEW };
	u32 revokes = peers[0].revokes, i;

	(void)state;
	for (i = 0; i < 700 && peers[0].revokes == revokes; i++) {
		pass(NSEC_PER_SEC);
		assert_int_equal(ask(&peers[0], &m), 0);
	}
	assert_in_range(i, 500, 650);
	assert_true(gns_fh_eq(&peers[0].revoke.fh, &fh));
	released(&peers[0], &fh, peers[0].revoke.upto, true);
	settle();
	assert_int_equal(hidden(), 1);
	released(&peers[0], &fh, peers[0].revoke.upto, false);
	settle();
	assert_int_equal(hidden(), 0);
}

/* Who makes a file has a lease on it, in this session. */
static void test_create(void **state)
{
	struct gns_msg m = { .type = GNS_CREATE };
	struct gns_fh fh;

	(void)state;
	m.make.dir = rig.root;
	m.make.name = str("new");
	m.make.mode = 0644;
	m.make.change = (struct gns_change){ 1, ++seq };
	assert_int_equal(ask(&peers[0], &m), 0);
	assert_true(peers[0].rep.r_change.number);
	fh = peers[0].rep.r_change.fh;
	/* From the log: there may be no such lease any more. */
	assert_int_equal(ask(&peers[0], &m), 0);
	assert_true(gns_fh_eq(&fh, &peers[0].rep.r_change.fh));
	assert_false(peers[0].rep.r_change.number);
	m = an_unlink("new", 0);
	assert_int_equal(change(&peers[1], &m, true), 0);
	assert_int_equal(hidden(), 1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, origin_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_held),
		T(test_not_open),
		T(test_own),
		T(test_rename),
		T(test_two),
		T(test_taker),
		T(test_unmeant),
		T(test_unmeant_closed),
		T(test_unmeant_rename),
		T(test_meant),
		T(test_links),
		T(test_death),
		T(test_hidden),
		T(test_restart),
		T(test_restart_nobody),
		T(test_crash_between),
		T(test_crash_after),
		T(test_asked),
		T(test_create),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
