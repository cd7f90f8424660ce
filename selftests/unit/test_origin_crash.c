// SPDX-License-Identifier: GPL-2.0
/*
 * A change, a crash of the origin before or after it ran, and the same change
 * again: it has run once, or the answer says that nobody can tell.
 *
 * The real origin on the real tree; time and store are the fuzzers'. As root.
 */
#include <linux/falloc.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "origin_rig.h"

static u8 file[8192];

static void make_files(void)
{
	memset(file, 'x', 4096);
	memset(file + 4096, 'y', 4096);
	put_file(below("a"), "0123456789", 10);
	put_file(below("b"), "abcdefghij", 10);
	put_file(below("c"), "", 0);
	put_file(below("big"), file, sizeof(file));
	lsetxattr(below("a"), "user.old", "old", 3, 0);
}

static int setup(void **state)
{
	origin_setup(state, make_files);
	return 0;
}

/* ---- the changes ---- */

static struct gns_msg a_link(void)
{
	struct gns_msg m = { .type = GNS_LINK };

	m.link.dir = rig.root;
	m.link.name = str("l");
	m.link.fh = fh_of("a");
	return m;
}

static void saw_link(const struct gns_r_change *r)
{
	struct stat st;

	(void)r;
	assert_int_equal(stat(below("l"), &st), 0);
	assert_int_equal(st.st_nlink, 2);
}

static struct gns_msg a_symlink(void)
{
	struct gns_msg m = { .type = GNS_SYMLINK };
	static char target[GNS_TARGET_MAX];

	memset(target, 't', sizeof(target));
	m.symlink.dir = rig.root;
	m.symlink.name = str("s");
	m.symlink.target = (struct gns_str){ target, sizeof(target) };
	return m;
}

static void made(const struct gns_r_change *r, const char *name)
{
	struct gns_fh fh = fh_of(name);

	assert_true(r->created);
	assert_true(gns_fh_eq(&r->fh, &fh));
}

static void saw_symlink(const struct gns_r_change *r)
{
	static char buf[GNS_PATH_MAX];

	made(r, "s");
	assert_int_equal(readlink(below("s"), buf, sizeof(buf)),
			 GNS_TARGET_MAX);
	assert_int_equal(buf[GNS_TARGET_MAX - 1], 't');
}

static struct gns_msg a_node(u32 mode, u32 rdev)
{
	struct gns_msg m = { .type = GNS_MKNOD };

	m.mknod.dir = rig.root;
	m.mknod.name = str("n");
	m.mknod.mode = mode;
	m.mknod.rdev = rdev;
	return m;
}

static struct gns_msg a_pipe(void)
{
	return a_node(S_IFIFO | 0600, 0);
}

static struct gns_msg a_device(void)
{
	return a_node(S_IFCHR | 0600, 0x0103);
}

static void saw_node(const struct gns_r_change *r)
{
	made(r, "n");
}

static struct gns_msg an_xattr(const char *name, u8 flags)
{
	struct gns_msg m = { .type = GNS_SETXATTR };

	m.setxattr.fh = fh_of("a");
	m.setxattr.name = str(name);
	m.setxattr.flags = flags;
	if (!(flags & GNS_XA_REMOVE)) {
		m.payload = "new";
		m.payload_len = 3;
	}
	return m;
}

static struct gns_msg xattr_set(void)
{
	return an_xattr("user.new", 0);
}

static struct gns_msg xattr_create(void)
{
	return an_xattr("user.new", GNS_XA_CREATE);
}

static struct gns_msg xattr_replace(void)
{
	return an_xattr("user.old", GNS_XA_REPLACE);
}

static struct gns_msg xattr_remove(void)
{
	return an_xattr("user.old", GNS_XA_REMOVE);
}

static bool xattr_is(const char *name, const char *want)
{
	char buf[8] = "";

	return lgetxattr(below("a"), name, buf, sizeof(buf)) == 3 &&
	       !memcmp(buf, want, 3);
}

static void saw_new(const struct gns_r_change *r)
{
	(void)r;
	assert_true(xattr_is("user.new", "new"));
	assert_true(xattr_is("user.old", "old"));
}

static void saw_replaced(const struct gns_r_change *r)
{
	(void)r;
	assert_true(xattr_is("user.old", "new"));
}

static void saw_removed(const struct gns_r_change *r)
{
	(void)r;
	assert_false(xattr_is("user.old", "old"));
}

static struct gns_msg a_range(u32 mode)
{
	struct gns_msg m = { .type = GNS_FALLOCATE };

	m.fallocate.fh = fh_of("big");
	m.fallocate.len = 4096;
	m.fallocate.mode = mode;
	return m;
}

static struct gns_msg a_hole(void)
{
	return a_range(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

static struct gns_msg a_shift(void)
{
	return a_range(FALLOC_FL_COLLAPSE_RANGE);
}

static void big_is(u64 size, char first)
{
	int fd = open(below("big"), O_RDONLY);
	struct stat st;
	char c;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(c, first);
	close(fd);
}

static void saw_hole(const struct gns_r_change *r)
{
	(void)r;
	big_is(8192, 0);
}

static struct gns_msg a_copy(void)
{
	struct gns_msg m = { .type = GNS_COPY };

	m.copy.from = fh_of("a");
	m.copy.from_off = 2;
	m.copy.fh = fh_of("b");
	m.copy.off = 8;
	m.copy.len = 4;
	return m;
}

static void b_is(const char *want)
{
	char buf[64];
	int fd = open(below("b"), O_RDONLY);

	assert_int_equal(read(fd, buf, sizeof(buf)), strlen(want));
	assert_memory_equal(buf, want, strlen(want));
	close(fd);
}

static void saw_copy(const struct gns_r_change *r)
{
	assert_int_equal(r->count, 4);
	b_is("abcdefgh2345");
}

/* ---- the tests ---- */

static u32 say(struct peer *p, struct gns_msg msg, u32 slot, u64 seq)
{
	*gns_msg_change(&msg) = (struct gns_change){ slot, seq };
	return ask(p, &msg);
}

static void die_in(struct gns_msg msg, enum fate how)
{
	fate = how;
	say(&peers[0], msg, 1, 1);
	assert_true(crashed);
	origin_crash();
}

/* It comes again, and once more: done once, and the same answer twice. */
static void once(struct gns_msg (*change)(void),
		 void (*saw)(const struct gns_r_change *r), enum fate how)
{
	struct gns_msg msg = change();
	struct gns_r_change r;
	u32 i;

	if (how == LIVES)
		assert_int_equal(say(&peers[0], msg, 1, 1), 0);
	else
		die_in(msg, how);
	for (i = 0; i < 2; i++) {
		assert_int_equal(say(&peers[0], msg, 1, 1), 0);
		r = peers[0].rep.r_change;
		saw(&r);
	}
	/* An older one comes too late, whatever it is. */
	assert_int_equal(say(&peers[0], a_hole(), 1, 2), 0);
	assert_int_equal(say(&peers[0], msg, 1, 1), GNS_ST_STALESLOT);
}

static const struct {
	const char *name;
	struct gns_msg (*change)(void);
	void (*saw)(const struct gns_r_change *r);
} changes[] = {
	{ "LINK", a_link, saw_link },
	{ "SYMLINK", a_symlink, saw_symlink },
	{ "MKNOD of a pipe", a_pipe, saw_node },
	{ "MKNOD of a device", a_device, saw_node },
	{ "SETXATTR", xattr_set, saw_new },
	{ "SETXATTR, create", xattr_create, saw_new },
	{ "SETXATTR, replace", xattr_replace, saw_replaced },
	{ "SETXATTR, remove", xattr_remove, saw_removed },
	{ "FALLOCATE", a_hole, saw_hole },
	{ "COPY", a_copy, saw_copy },
};

static void test_once(void **state)
{
	enum fate how;
	u32 i;

	for (how = LIVES; how <= CRASH_AFTER; how++) {
		for (i = 0; i < ARRAY_SIZE(changes); i++) {
			print_message("# %s, %d\n", changes[i].name, how);
			once(changes[i].change, changes[i].saw, how);
			origin_teardown(state);
			setup(state);
		}
	}
}

/* Bytes have moved, or not: a second run would move them once more. */
static void test_shift(void **state)
{
	struct gns_msg msg = a_shift();

	(void)state;
	if (say(&peers[0], msg, 0, 1) == EOPNOTSUPP)
		skip();
	assert_int_equal(peers[0].rep.status, 0);
	big_is(4096, 'y');
	put_file(below("big"), file, sizeof(file));
	die_in(msg, CRASH_BEFORE);
	assert_int_equal(say(&peers[0], msg, 1, 1), GNS_ST_UNKNOWN);
	big_is(8192, 'x');
	assert_int_equal(say(&peers[0], msg, 1, 2), 0);
}

/* What was before it went with the power, while it ran for the second time. */
static void test_append(void **state)
{
	struct gns_msg msg = { .type = GNS_WRITE, .payload_len = 1 };

	(void)state;
	msg.payload = "+";
	msg.write.fh = fh_of("a");
	msg.write.flags = GNS_WR_APPEND;
	die_in(msg, CRASH_BEFORE);
	fate = CRASH_BEFORE;
	say(&peers[0], msg, 1, 1);
	assert_int_equal(truncate(below("a"), 3), 0);
	origin_crash();
	assert_int_equal(say(&peers[0], msg, 1, 1), GNS_ST_UNKNOWN);
}

/* Somebody else was there first: it is not what was to be made. */
static void test_stranger(void **state)
{
	struct gns_msg msg = a_symlink();

	(void)state;
	fate = CRASH_BEFORE;
	say(&peers[0], msg, 1, 1);
	assert_int_equal(symlink("elsewhere", below("s")), 0);
	origin_crash();
	assert_int_equal(say(&peers[0], msg, 1, 1), GNS_ST_UNKNOWN);
	msg = a_link();
	fate = CRASH_BEFORE;
	say(&peers[0], msg, 1, 2);
	put_file(below("l"), "", 0);
	origin_crash();
	assert_int_equal(say(&peers[0], msg, 1, 2), GNS_ST_UNKNOWN);
	msg = a_device();
	fate = CRASH_BEFORE;
	say(&peers[0], msg, 1, 3);
	assert_int_equal(mknod(below("n"), S_IFCHR | 0600, makedev(1, 5)), 0);
	origin_crash();
	assert_int_equal(say(&peers[0], msg, 1, 3), GNS_ST_UNKNOWN);
}

/* What an interrupted copy reads or writes has changed since. */
static void test_copy_overtaken(void **state)
{
	struct gns_msg msg = a_copy(), other = { .type = GNS_WRITE };
	struct gns_msg beside = a_copy();

	(void)state;
	/* To read what it reads is no harm. */
	beside.copy.fh = fh_of("c");
	die_in(msg, CRASH_AFTER);
	assert_int_equal(say(&peers[1], beside, 0, 1), 0);
	assert_int_equal(say(&peers[0], msg, 1, 1), 0);
	b_is("abcdefgh2345");
	other.write.fh = fh_of("a");
	other.payload = "XXXXXXXXXX";
	other.payload_len = 10;
	fate = CRASH_AFTER;
	say(&peers[0], msg, 1, 2);
	origin_crash();
	assert_int_equal(say(&peers[1], other, 0, 2), 0);
	assert_int_equal(say(&peers[0], msg, 1, 2), GNS_ST_UNKNOWN);
	b_is("abcdefgh2345");
	other.write.fh = fh_of("b");
	fate = CRASH_AFTER;
	say(&peers[0], msg, 1, 3);
	origin_crash();
	assert_int_equal(say(&peers[1], other, 0, 3), 0);
	assert_int_equal(say(&peers[0], msg, 1, 3), GNS_ST_UNKNOWN);
	b_is("XXXXXXXXXXXX");
}

static struct gns_grant lease_on(struct peer *p, const char *name)
{
	struct gns_msg msg = { .type = GNS_GETATTR };

	msg.obj.fh = fh_of(name);
	msg.obj.want = GNS_WANT_LEASE;
	assert_int_equal(ask(p, &msg), 0);
	return p->rep.r_obj.grant;
}

/* A copy takes the lease of what it changes, not of what it reads. */
static void test_copy_leases(void **state)
{
	struct gns_grant a = lease_on(&peers[1], "a"), g;
	struct gns_r_change r;
	struct gns_msg msg;

	(void)state;
	assert_int_equal(say(&peers[0], a_copy(), 1, 1), 0);
	r = peers[0].rep.r_change;
	assert_int_equal(r.changed.n, 1);
	assert_int_equal(r.changed.v[0].attr.size, 12);
	assert_int_equal(peers[1].revokes, 0);
	g = lease_on(&peers[1], "a");
	assert_int_equal(g.version, a.version);
	assert_true(a.number && g.number > a.number);
	g = lease_on(&peers[1], "b");
	assert_int_equal(g.version, r.changed.v[0].after);
	assert_true(g.number);
	/* It waits for the release, or for the end of that session. */
	msg = a_copy();
	*gns_msg_change(&msg) = (struct gns_change){ 1, 2 };
	tell(&peers[0], &msg);
	pass(NSEC_PER_MSEC);
	pass(NSEC_PER_MSEC);
	assert_int_equal(peers[1].revokes, 1);
}

/* Who makes something may cache it at once, and until another changes it. */
static void test_made_lease(void **state)
{
	struct gns_msg msg = a_pipe(), other = { .type = GNS_SETATTR };
	struct gns_r_change r;
	u32 i;

	(void)state;
	assert_int_equal(say(&peers[0], msg, 1, 1), 0);
	r = peers[0].rep.r_change;
	assert_true(r.number);
	/* The answer that is remembered may go to another session. */
	assert_int_equal(say(&peers[0], msg, 1, 1), 0);
	assert_int_equal(peers[0].rep.r_change.number, 0);
	assert_memory_equal(&peers[0].rep.r_change.fh, &r.fh, sizeof(r.fh));
	other.setattr.fh = r.fh;
	other.setattr.valid = GNS_SA_MODE;
	other.setattr.change = (struct gns_change){ 1, 1 };
	tell(&peers[1], &other);
	for (i = 0; i < 100; i++)
		pass(NSEC_PER_MSEC);
	assert_int_equal(peers[0].revokes, 1);
	assert_int_equal(peers[1].got, 1); /* HELLO's */
}

/* Nobody changes what a copy under way reads, or writes to. */
static void test_copy_alone(void **state)
{
	struct gns_msg other = { .type = GNS_WRITE };
	struct gns_msg beside = a_copy();
	u32 i;

	(void)state;
	fate = CRASH_BEFORE; /* it never ends */
	say(&peers[0], a_copy(), 1, 1);
	crashed = false;
	for (i = 0; i < 2; i++) {
		other.write.fh = fh_of(i ? "a" : "b");
		*gns_msg_change(&other) = (struct gns_change){ i, 1 };
		tell(&peers[1], &other);
	}
	for (i = 0; i < 100; i++)
		pass(NSEC_PER_MSEC);
	assert_int_equal(peers[1].got, 1); /* HELLO's */
	/* Others may go on. */
	beside.copy.from = fh_of("c");
	beside.copy.fh = fh_of("big");
	assert_int_equal(say(&peers[1], beside, 2, 1), 0);
	/* And who reads what is only read. */
	assert_true(lease_on(&peers[1], "a").number);
}

/* What is there already is not made: no intent, nothing touched. */
static void test_early(void **state)
{
	struct gns_msg msg = a_link();

	(void)state;
	msg.link.name = str("b");
	fate = CRASH_BEFORE;
	assert_int_equal(say(&peers[0], msg, 1, 1), EEXIST);
	msg = a_pipe();
	msg.mknod.name = str("b");
	assert_int_equal(say(&peers[0], msg, 1, 2), EEXIST);
	msg = a_symlink();
	msg.symlink.name = str("b");
	assert_int_equal(say(&peers[0], msg, 1, 3), EEXIST);
	fate = LIVES;
	assert_int_equal(say(&peers[0], an_xattr("user.old", GNS_XA_CREATE), 1,
			     4),
			 EEXIST);
	assert_int_equal(say(&peers[0], an_xattr("user.no", GNS_XA_REMOVE), 1,
			     5),
			 ENODATA);
}

/* The version that the last change gave to @name. */
static u64 version_after(const char *name)
{
	const struct gns_changed_list *l = &peers[0].rep.r_change.changed;
	struct gns_fh fh = fh_of(name);
	u32 i;

	for (i = 0; i < l->n; i++)
		if (gns_fh_eq(&l->v[i].fh, &fh))
			return l->v[i].after;
	fail();
	return 0;
}

/* All that has been written down because it might change is durable. */
static void grow_quiet(void)
{
	u32 i;

	for (i = 0; i < 100; i++)
		pass(NSEC_PER_SEC);
	hello(&peers[0], 1);
	hello(&peers[1], 2);
}

static void version_stays(const char *name)
{
	u64 version = version_after(name);

	grow_quiet();
	assert_int_equal(lease_on(&peers[1], name).version, version);
	grow_quiet();
}

/*
 * What a change finds behind a name may well have lost neither its last one nor
 * its version: the one that it got then is it later.
 */
static void test_version_stays(void **state)
{
	struct gns_msg msg = { .type = GNS_CREATE };

	(void)state;
	msg.make.dir = rig.root;
	msg.make.name = str("b");
	msg.make.flags = GNS_CR_TRUNC;
	assert_int_equal(say(&peers[0], msg, 1, 1), 0);
	version_stays("b");

	msg = (struct gns_msg){ .type = GNS_RENAME };
	msg.rename.odir = rig.root;
	msg.rename.oname = str("b");
	msg.rename.ndir = rig.root;
	msg.rename.nname = str("b");
	assert_int_equal(say(&peers[0], msg, 1, 2), 0);
	version_stays("b");

	assert_int_equal(say(&peers[0], a_link(), 1, 3), 0);
	msg = (struct gns_msg){ .type = GNS_UNLINK };
	msg.make.dir = rig.root;
	msg.make.name = str("l");
	assert_int_equal(say(&peers[0], msg, 1, 4), 0);
	version_stays("a");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, origin_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_once),
		T(test_shift),
		T(test_append),
		T(test_stranger),
		T(test_copy_overtaken),
		T(test_copy_leases),
		T(test_made_lease),
		T(test_copy_alone),
		T(test_early),
		T(test_version_stays),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
