// SPDX-License-Identifier: GPL-2.0
/*
 * A change that the tree refuses changes nothing: what hosts have cached of the
 * object stays what it is, and need not be fetched again. As root.
 */
#include <linux/falloc.h>

#include "origin_rig.h"

static void files(void)
{
	put_file(below("f"), "x", 1);
	put_file(below("from"), "yy", 2);
}

static int setup(void **state)
{
	origin_setup(state, files);
	return 0;
}

static u64 version_of(const struct gns_fh *fh)
{
	struct gns_msg msg = { .type = GNS_GETATTR };

	msg.obj.fh = *fh;
	assert_int_equal(ask(&peers[0], &msg), 0);
	return peers[0].rep.r_obj.grant.version;
}

static u32 change(struct gns_msg *msg)
{
	static u64 seq;

	gns_msg_change(msg)->seq = ++seq;
	return ask(&peers[0], msg);
}

/* Refused with @status: nothing of it is another one, nor said to be. */
static void refused(struct gns_msg *msg, const struct gns_fh *fh, u32 status)
{
	u64 before = version_of(fh);

	assert_int_equal(change(msg), status);
	assert_int_equal(peers[0].rep.r_change.changed.n, 0);
	assert_int_equal(version_of(fh), before);
}

/* The file as the export shows it that is read-only. */
static struct gns_fh read_only(const char *name)
{
	struct gns_fh fh;

	assert_int_equal(mount_as("ro", &fh), 0);
	assert_int_equal(lookup(&fh, name, &cred_root, &fh), 0);
	return fh;
}

static void test_attributes(void **state)
{
	struct gns_fh f = fh_of("f");
	struct gns_msg m = { .type = GNS_SETATTR };

	(void)state;
	m.setattr.fh = f;
	m.setattr.cred = cred_user;
	m.setattr.valid = GNS_SA_MODE;
	m.setattr.mode = 0666;
	refused(&m, &f, EPERM);
	m.setattr.valid = GNS_SA_UID;
	m.setattr.uid = USER;
	refused(&m, &f, EPERM);
	m.setattr.valid = GNS_SA_MTIME;
	refused(&m, &f, EPERM);
	m.setattr.valid = GNS_SA_SIZE;
	refused(&m, &f, EACCES);
}

static void test_xattrs(void **state)
{
	struct gns_fh f = fh_of("f");
	struct gns_msg m = { .type = GNS_SETXATTR };

	(void)state;
	m.setxattr.fh = f;
	m.setxattr.name = str("nonsense");
	refused(&m, &f, EOPNOTSUPP);
	m.setxattr.name = str("user.x");
	m.setxattr.cred = cred_user;
	refused(&m, &f, EACCES);
	m.setxattr.cred = cred_root;
	m.setxattr.flags = GNS_XA_REMOVE;
	refused(&m, &f, ENODATA);
}

static void test_data(void **state)
{
	struct gns_fh f = fh_of("f"), from = fh_of("from"), ro;
	struct gns_msg w = { .type = GNS_WRITE, .payload = (void *)"no" };
	struct gns_msg a = { .type = GNS_FALLOCATE };
	struct gns_msg c = { .type = GNS_COPY };

	(void)state;
	w.write.fh = f;
	w.write.cred = cred_user;
	w.payload_len = 2;
	refused(&w, &f, EACCES);
	ro = read_only("f");
	w.write.fh = ro;
	w.write.cred = cred_root;
	refused(&w, &f, EROFS);
	a.fallocate.fh = f;
	a.fallocate.len = 4096;
	a.fallocate.mode = 0x4000;
	refused(&a, &f, EOPNOTSUPP);
	c.copy.fh = f;
	c.copy.from = from;
	c.copy.len = 1;
	c.copy.flags = GNS_CP_CLONE;
	/* Half a block, where there are clones; else none at all. */
	assert_int_not_equal(change(&c), 0);
	refused(&c, &f, peers[0].rep.status);
}

/* It is known beforehand: nobody has to give anything back. */
static void test_cached(void **state)
{
	struct gns_fh f = fh_of("f"), ro;
	struct gns_msg ask_for = { .type = GNS_GETATTR };
	struct gns_msg m = { .type = GNS_SETATTR };

	(void)state;
	ask_for.obj.fh = f;
	ask_for.obj.want = GNS_WANT_LEASE;
	assert_int_equal(ask(&peers[1], &ask_for), 0);
	assert_true(peers[1].rep.r_obj.grant.number);
	m.setattr.fh = f;
	m.setattr.cred = cred_user;
	m.setattr.valid = GNS_SA_MODE;
	refused(&m, &f, EPERM);
	ro = read_only("f");
	m.setattr.fh = ro;
	m.setattr.cred = cred_root;
	refused(&m, &ro, EROFS);
	assert_int_equal(peers[1].revokes, 0);
	/* A handle that is none takes nothing from anybody, either. */
	ro.b[ro.len - 1] ^= 1;
	m.setattr.fh = ro;
	assert_int_equal(change(&m), ESTALE);
	assert_int_equal(peers[1].revokes, 0);
}

/* The first of two things was done: it is another one. */
static void test_half(void **state)
{
	struct gns_fh f = fh_of("f");
	struct gns_msg m = { .type = GNS_SETATTR };
	u64 before;

	(void)state;
	assert_int_equal(chown(below("f"), USER, USER), 0);
	before = version_of(&f);
	m.setattr.fh = f;
	m.setattr.cred = cred_user;
	m.setattr.valid = GNS_SA_SIZE | GNS_SA_UID;
	m.setattr.uid = OTHER;
	assert_int_equal(change(&m), EPERM);
	assert_int_equal(peers[0].rep.r_change.changed.n, 1);
	assert_int_equal(peers[0].rep.r_change.changed.v[0].attr.size, 0);
	assert_true(version_of(&f) > before);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, origin_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_attributes),
		T(test_xattrs),
		T(test_data),
		T(test_cached),
		T(test_half),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
