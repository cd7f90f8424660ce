// SPDX-License-Identifier: GPL-2.0
/*
 * The origin and access control lists: who is told of them, and what a change
 * of one does to the leases of others. As root.
 */
#include "origin_rig.h"

#include <sys/xattr.h>

#include "../lib/acl.h"

static void files(void)
{
	struct acl one = acl_one(0640, OTHER, 4);

	put_file(below("f"), "x", 1);
	assert_int_equal(setxattr(below("f"), ACL_ACCESS, &one, acl_size(&one),
				  0),
			 0);
}

static int setup(void **state)
{
	origin_setup(state, files);
	return 0;
}

static struct gns_attr look(struct peer *p)
{
	struct gns_msg msg = { .type = GNS_LOOKUP };
	struct gns_fh fh;

	msg.name.fh = rig.root;
	msg.name.name = str("f");
	assert_int_equal(ask(p, &msg), 0);
	fh = p->rep.r_lookup.child.fh;
	msg = (struct gns_msg){ .type = GNS_GETATTR };
	msg.obj.fh = fh;
	msg.obj.want = GNS_WANT_LEASE;
	assert_int_equal(ask(p, &msg), 0);
	assert_true(p->rep.r_obj.grant.number);
	return p->rep.r_obj.attr;
}

/* A session that knows no lists. */
static void be_old(struct peer *p)
{
	struct gns_msg msg = { .type = GNS_HELLO };

	msg.hello.proto_min = 1;
	msg.hello.proto_max = 1;
	msg.hello.features = GNS_FEATURES & ~GNS_FEAT_ACL;
	msg.hello.instance.b[0] = 9;
	msg.hello.secret.b[0] = 9;
	assert_int_equal(ask(p, &msg), 0);
	assert_int_equal(p->rep.r_hello.features, msg.hello.features);
	p->sid = p->rep.r_hello.sid;
}

static void test_told(void **state)
{
	struct gns_msg msg = { .type = GNS_SETATTR };

	(void)state;
	assert_int_equal(look(&peers[0]).mode, S_IFREG | 0670 | GNS_AM_ACL);
	be_old(&peers[1]);
	assert_int_equal(look(&peers[1]).mode, S_IFREG | 0670);
	msg.setattr.change.seq = 1;
	msg.setattr.fh = peers[1].rep.r_obj.fh;
	msg.setattr.valid = GNS_SA_MODE;
	msg.setattr.mode = 0620;
	/* The other one has a lease, and does not answer: until its end. */
	peers[0].revokes = 0;
	tell(&peers[1], &msg);
	pass(NSEC_PER_SEC);
	assert_true(peers[0].revokes);
}

static void test_changed(void **state)
{
	struct acl one = acl_one(0640, OTHER, 6);
	struct gns_msg msg = { .type = GNS_SETXATTR };
	struct gns_r_change *r = &peers[0].rep.r_change;
	struct gns_attr before;

	(void)state;
	before = look(&peers[0]);
	msg.setxattr.change.seq = 1;
	msg.setxattr.fh = peers[0].rep.r_obj.fh;
	msg.setxattr.name = str(ACL_ACCESS);
	msg.payload = &one;
	msg.payload_len = acl_size(&one);
	assert_int_equal(ask(&peers[0], &msg), 0);
	assert_int_equal(r->changed.n, 1);
	assert_true(r->changed.v[0].after > r->changed.v[0].before);
	assert_int_equal(r->changed.v[0].attr.mode,
			 S_IFREG | 0670 | GNS_AM_ACL);
	assert_true(r->changed.v[0].attr.ctime >= before.ctime);
	look(&peers[1]);
	peers[1].revokes = 0;
	msg.setxattr.change.seq = 2;
	msg.setxattr.flags = GNS_XA_REMOVE;
	msg.payload_len = 0;
	tell(&peers[0], &msg);
	pass(NSEC_PER_SEC);
	assert_true(peers[1].revokes);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, origin_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_told),
		T(test_changed),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
