// SPDX-License-Identifier: GPL-2.0
/*
 * Files that are made without a name, and get one: the real origin on the real
 * tree; time and store are the fuzzers'. As root.
 */
#include "orphan_rig.h"

static struct gns_msg a_tmpfile(u32 mode, u8 flags)
{
	struct gns_msg m = { .type = GNS_TMPFILE };

	m.make.dir = rig.root;
	m.make.mode = mode;
	m.make.flags = flags;
	m.make.change = (struct gns_change){ 1, ++seq };
	return m;
}

static struct gns_msg a_link(const struct gns_fh *fh, const char *name)
{
	struct gns_msg m = { .type = GNS_LINK };

	m.link.dir = rig.root;
	m.link.name = str(name);
	m.link.fh = *fh;
	m.link.change = (struct gns_change){ 3, ++seq };
	return m;
}

static struct gns_changed *changed(struct peer *p, const struct gns_fh *fh)
{
	struct gns_changed_list *l = &p->rep.r_change.changed;
	u32 i;

	for (i = 0; i < l->n; i++)
		if (gns_fh_eq(&l->v[i].fh, fh))
			return &l->v[i];
	fail();
	return NULL;
}

static void fill(struct peer *p, const struct gns_fh *fh)
{
	struct gns_msg m = { .type = GNS_WRITE };

	m.write.fh = *fh;
	m.write.change = (struct gns_change){ 2, ++seq };
	m.payload = "0123456789";
	m.payload_len = 10;
	assert_int_equal(ask(p, &m), 0);
}

/* Made by peers[0], with ten bytes; its handle. */
static struct gns_fh made(u8 flags)
{
	struct gns_msg m = a_tmpfile(0640, flags);
	struct gns_fh fh;

	assert_int_equal(ask(&peers[0], &m), 0);
	assert_true(peers[0].rep.r_change.created);
	assert_true(peers[0].rep.r_change.number);
	fh = peers[0].rep.r_change.fh;
	fill(&peers[0], &fh);
	return fh;
}

static void is_named(const char *name, const struct gns_fh *fh)
{
	struct gns_fh found;

	assert_int_equal(lookup(&rig.root, name, &cred_root, &found), 0);
	assert_true(gns_fh_eq(&found, fh));
	assert_int_equal(hidden(), 0);
	assert_int_equal(lease(&peers[1], fh), 0);
	assert_int_equal(peers[1].rep.r_obj.attr.nlink, 1);
	assert_int_equal(peers[1].rep.r_obj.attr.size, 10);
}

static void test_made(void **state)
{
	struct gns_msg m = a_tmpfile(0666, 0);
	struct gns_changed *c;
	struct gns_attr dir[2];
	struct gns_fh fh;

	(void)state;
	m.make.umask = 027;
	assert_int_equal(mkdir(below(HIDDEN), 0700), 0);
	assert_int_equal(getattr(&rig.root, &dir[0]), 0);
	assert_int_equal(ask(&peers[0], &m), 0);
	fh = peers[0].rep.r_change.fh;
	c = changed(&peers[0], &fh);
	assert_int_equal(c->attr.mode, S_IFREG | 0640);
	assert_int_equal(c->attr.nlink, 0);
	assert_int_equal(c->before, 0);
	assert_true(c->after);
	/* The directory is as it was: nobody gives up what he has of it. */
	assert_int_equal(getattr(&rig.root, &dir[1]), 0);
	assert_int_equal(dir[0].mtime, dir[1].mtime);
	assert_int_equal(dir[0].nlink, dir[1].nlink);
	assert_int_equal(peers[0].rep.r_change.changed.n, 1);
	fill(&peers[0], &fh);
	lives(&peers[0], &fh, "0123456789");
	released(&peers[0], &fh, UINT64_MAX, false);
	gone(&fh);
}

/* As whom, and where. */
static void test_refused(void **state)
{
	struct gns_msg m = a_tmpfile(0600, 0);
	struct gns_fh file = fh_of("a");

	(void)state;
	m.make.cred = cred_user;
	assert_int_equal(ask(&peers[0], &m), EACCES);
	m = a_tmpfile(0600, 0);
	m.make.dir = file;
	assert_int_equal(ask(&peers[0], &m), ENOTDIR);
	assert_int_equal(chmod(rig.path, 0777), 0);
	m = a_tmpfile(0600, 0);
	m.make.cred = cred_user;
	assert_int_equal(ask(&peers[0], &m), 0);
	assert_int_equal(changed(&peers[0], &peers[0].rep.r_change.fh)->attr.uid,
			 USER);
	/* Who may write there could put things among those that are kept. */
	assert_int_equal(chmod(below(HIDDEN), 0777), 0);
	m = a_tmpfile(0600, 0);
	assert_int_equal(ask(&peers[0], &m), EOPNOTSUPP);
	assert_int_equal(chmod(below(HIDDEN), 0700), 0);
	settle();
	assert_int_equal(hidden(), 1);
}

static void test_again(void **state)
{
	struct gns_msg m = a_tmpfile(0600, 0);
	struct gns_fh fh;

	(void)state;
	assert_int_equal(ask(&peers[0], &m), 0);
	fh = peers[0].rep.r_change.fh;
	assert_int_equal(ask(&peers[0], &m), 0);
	assert_true(gns_fh_eq(&fh, &peers[0].rep.r_change.fh));
	assert_int_equal(hidden(), 1);
}

static void test_named(void **state)
{
	struct gns_fh fh = made(0);
	struct gns_msg m = a_link(&fh, "new");

	(void)state;
	assert_int_equal(ask(&peers[0], &m), 0);
	assert_int_equal(changed(&peers[0], &fh)->attr.nlink, 1);
	is_named("new", &fh);
	/* It is one as any other now. */
	released(&peers[0], &fh, UINT64_MAX, false);
	settle();
	is_named("new", &fh);
	m = an_unlink("new", 0);
	assert_int_equal(change(&peers[0], &m, true), 0);
	assert_int_equal(hidden(), 1);
	/* And can not come back. */
	m = a_link(&fh, "again");
	assert_int_equal(ask(&peers[0], &m), ENOENT);
	released(&peers[1], &fh, UINT64_MAX, false);
	settle();
	assert_int_equal(hidden(), 0);
}

static void test_name_taken(void **state)
{
	struct gns_fh fh = made(0);
	struct gns_msg m = a_link(&fh, "a");

	(void)state;
	assert_int_equal(ask(&peers[0], &m), EEXIST);
	lives(&peers[0], &fh, "0123456789");
	m = a_link(&fh, "new");
	assert_int_equal(ask(&peers[0], &m), 0);
	is_named("new", &fh);
}

static void test_excl(void **state)
{
	struct gns_fh fh = made(GNS_TF_EXCL);
	struct gns_msg m = a_link(&fh, "new");

	(void)state;
	assert_int_equal(ask(&peers[0], &m), ENOENT);
	restart(20);
	m = a_link(&fh, "new");
	assert_int_equal(ask(&peers[0], &m), ENOENT);
	lives(&peers[0], &fh, "0123456789");
}

/* Who comes back in time finds it, and may give it a name. */
static void test_restart(void **state)
{
	struct gns_fh fh = made(0);
	struct gns_msg m = a_link(&fh, "new");

	(void)state;
	restart(20);
	lives(&peers[0], &fh, "0123456789");
	m = a_link(&fh, "new");
	assert_int_equal(ask(&peers[0], &m), 0);
	is_named("new", &fh);
	restart(60);
	is_named("new", &fh);
}

static void test_restart_nobody(void **state)
{
	struct gns_fh fh = made(0);

	(void)state;
	nobody_comes_back(&fh);
}

static void test_death(void **state)
{
	struct gns_fh fh = made(0);

	(void)state;
	toy_advance(&toy, 13 * NSEC_PER_SEC);
	hello(&peers[1], 2);
	gone(&fh);
}

/* One that nobody heard of is nobody's; the copy makes another one. */
static void test_crash_made(void **state)
{
	enum fate fates[] = { CRASH_BEFORE, CRASH_AFTER };
	struct gns_fh fh;
	struct gns_msg m;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(fates); i++) {
		m = a_tmpfile(0600, 0);
		fate = fates[i];
		ask(&peers[0], &m);
		assert_int_equal(hidden(), i);
		restart(20);
		assert_int_equal(ask(&peers[0], &m), 0);
		fh = peers[0].rep.r_change.fh;
		assert_int_equal(hidden(), i + 1);
		fill(&peers[0], &fh);
		released(&peers[0], &fh, UINT64_MAX, false);
		toy_advance(&toy, 12 * NSEC_PER_SEC);
		hello(&peers[1], 2);
		toy_advance(&toy, 12 * NSEC_PER_SEC);
		hello(&peers[1], 2);
		gone(&fh);
		hello(&peers[0], 1);
	}
}

/* It has its name, or it has not and the copy gives it one: nothing between. */
static void test_crash_named(void **state)
{
	enum fate fates[] = { CRASH_BEFORE, CRASH_AFTER };
	const char *const names[] = { "before", "after" };
	struct gns_fh fh, none;
	struct gns_msg m;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(fates); i++) {
		fh = made(0);
		m = a_link(&fh, names[i]);
		fate = fates[i];
		ask(&peers[0], &m);
		restart(20);
		if (i)
			is_named(names[i], &fh);
		else
			assert_int_equal(lookup(&rig.root, names[i], &cred_root,
						&none),
					 ENOENT);
		assert_int_equal(ask(&peers[0], &m), 0);
		is_named(names[i], &fh);
	}
}

/* The origin dies between the name and the end of the hidden one. */
static void test_crash_between(void **state)
{
	struct gns_fh fh = fh_of("a");
	char name[256] = HIDDEN "/";
	u32 i;

	(void)state;
	assert_int_equal(mkdir(below(HIDDEN), 0700), 0);
	for (i = 0; i < fh.len; i++)
		sprintf(name + strlen(name), "%02x", fh.b[i]);
	strcat(name, "+");
	assert_int_equal(link(below("a"), below(name)), 0);
	restart(20);
	is_named("a", &fh);
	toy_advance(&toy, 30 * NSEC_PER_SEC);
	hello(&peers[1], 2);
	is_named("a", &fh);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, origin_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_made),
		T(test_refused),
		T(test_again),
		T(test_named),
		T(test_name_taken),
		T(test_excl),
		T(test_restart),
		T(test_restart_nobody),
		T(test_death),
		T(test_crash_made),
		T(test_crash_named),
		T(test_crash_between),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
