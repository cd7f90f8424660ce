// SPDX-License-Identifier: GPL-2.0
/*
 * The posix backend: who may do what, and as whom it is done. As root.
 */
#include "posix_rig.h"

static void test_permissions(void **state)
{
	struct gns_cred member = { OTHER, OTHER, 2, { 7, USER } };
	struct gns_cred nobody = { UINT32_MAX, USER, 0, { 0 } };
	struct gns_fh d, f, x, fh;
	struct stat st;

	mkdir(below("d"), 0700);
	put_file(below("d/f"), "x", 1);
	put_file(below("x"), "x", 1);
	chown(below("d"), USER, USER);
	chown(below("d/f"), USER, USER);
	chmod(below("d/f"), 0640);
	chown(below("x"), USER, USER);
	chmod(below("x"), 0711);
	assert_int_equal(lookup(&rig.root, "d", &cred_other, &d), 0);
	assert_int_equal(lookup(&d, "f", &cred_other, &fh), EACCES);
	assert_int_equal(lookup(&d, "nope", &cred_other, &fh), EACCES);
	assert_int_equal(lookup(&d, "f", &nobody, &fh), EINVAL);
	assert_int_equal(lookup(&d, "f", &cred_user, &f), 0);
	assert_int_equal(lookup(&rig.root, "x", &cred_user, &x), 0);
	/* Twice each: by a worker, and from the page cache. */
	assert_int_equal(read_status(&f, &cred_user), 0);
	assert_int_equal(read_status(&f, &cred_user), 0);
	assert_int_equal(read_status(&f, &cred_other), EACCES);
	assert_int_equal(read_status(&f, &member), 0);
	assert_int_equal(read_status(&f, &cred_other), EACCES);
	assert_int_equal(read_status(&f, &cred_root), 0);
	assert_int_equal(write_at(&f, "y", 1, 0, &cred_other, NULL), EACCES);
	assert_int_equal(write_at(&f, "y", 1, 0, &member, NULL), EACCES);
	assert_int_equal(write_at(&f, "y", 1, 0, &cred_user, NULL), 0);
	/* Who may execute may read. */
	assert_int_equal(read_status(&x, &cred_other), 0);
	assert_int_equal(write_at(&x, "y", 1, 0, &cred_other, NULL), EACCES);
	/* Who has opened an own file may go on when the mode is changed. */
	chmod(below("d/f"), 0);
	assert_int_equal(read_status(&f, &cred_user), 0);
	assert_int_equal(write_at(&f, "y", 1, 0, &cred_user, NULL), 0);
	assert_int_equal(make(GNS_CREATE, &d, "n", 0600, 0, &cred_other, NULL),
			 EACCES);
	assert_int_equal(make(GNS_UNLINK, &d, "f", 0, 0, &cred_other, NULL),
			 EACCES);
	assert_int_equal(make(GNS_CREATE, &d, "n", 0666, 0, &cred_user, NULL),
			 0);
	assert_int_equal(stat(below("d/n"), &st), 0);
	assert_int_equal(st.st_uid, USER);
	assert_int_equal(st.st_gid, USER);
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_int_equal(make(GNS_MKDIR, &rig.root, "r", 0750, 0, &cred_root,
			      NULL),
			 0);
	assert_int_equal(stat(below("r"), &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, 0);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
}

/* A worker is whoever the next one is, whoever was before. */
static void test_identities(void **state)
{
	const struct gns_cred *who[] = { &cred_user, &cred_root, &cred_other };
	struct stat st;
	char name[16];
	u32 i;

	chmod(rig.path, 0777);
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(make(GNS_CREATE, &rig.root, name, 0600, 0,
				      who[i % 3], NULL),
				 0);
		assert_int_equal(stat(below(name), &st), 0);
		assert_int_equal(st.st_uid, who[i % 3]->uid);
		assert_int_equal(st.st_gid, who[i % 3]->gid);
	}
}

/* What was allowed once is asked again when the object has changed. */
static void test_no_longer(void **state)
{
	struct gns_fh d, f, fh;
	u32 i;

	mkdir(below("d"), 0755);
	put_file(below("d/f"), "x", 1);
	sleep(3); /* what is younger is not remembered */
	assert_int_equal(lookup(&rig.root, "d", &cred_other, &d), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(lookup(&d, "f", &cred_other, &f), 0);
		assert_int_equal(read_status(&f, &cred_other), 0);
	}
	chmod(below("d/f"), 0600);
	assert_int_equal(read_status(&f, &cred_other), EACCES);
	chmod(below("d"), 0700);
	assert_int_equal(lookup(&d, "f", &cred_other, &fh), EACCES);
	assert_int_equal(lookup(&d, "f", &cred_root, &fh), 0);
}

static void test_squash(void **state)
{
	struct gns_cred wheel = { USER, 0, 1, { 0 } };
	struct gns_fh root, all, ro, d, fh;
	struct stat st;

	mkdir(below("d"), 0770);
	mkdir(below("open"), 0777);
	chmod(below("open"), 0777);
	put_file(below("open/f"), "x", 1);
	chmod(below("open/f"), 0600);
	assert_int_equal(mount_as("root", &root), 0);
	assert_int_equal(lookup(&root, "d", &cred_root, &d), 0);
	assert_int_equal(make(GNS_CREATE, &d, "f", 0600, 0, &cred_root, NULL),
			 EACCES);
	assert_int_equal(make(GNS_CREATE, &d, "f", 0600, 0, &wheel, NULL),
			 EACCES);
	assert_int_equal(lookup(&root, "open", &cred_root, &d), 0);
	assert_int_equal(lookup(&d, "f", &cred_root, &fh), 0);
	assert_int_equal(read_status(&fh, &cred_root), EACCES);
	assert_int_equal(write_at(&fh, "y", 1, 0, &cred_root, NULL), EACCES);
	assert_int_equal(make(GNS_CREATE, &d, "n", 0600, 0, &cred_root, NULL),
			 0);
	assert_int_equal(stat(below("open/n"), &st), 0);
	assert_int_equal(st.st_uid, ANON);
	assert_int_equal(st.st_gid, ANON);
	assert_int_equal(mount_as("all", &all), 0);
	assert_int_equal(lookup(&all, "open", &cred_user, &d), 0);
	assert_int_equal(make(GNS_CREATE, &d, "u", 0600, 0, &cred_user, NULL),
			 0);
	assert_int_equal(stat(below("open/u"), &st), 0);
	assert_int_equal(st.st_uid, ANON);
	assert_int_equal(mount_as("ro", &ro), 0);
	assert_int_equal(lookup(&ro, "open", &cred_root, &d), 0);
	assert_int_equal(make(GNS_CREATE, &d, "x", 0600, 0, &cred_root, NULL),
			 EROFS);
	assert_int_equal(make(GNS_UNLINK, &d, "n", 0, 0, &cred_root, NULL),
			 EROFS);
	assert_int_equal(lookup(&d, "f", &cred_root, &fh), 0);
	assert_int_equal(read_status(&fh, &cred_root), 0);
	assert_int_equal(write_at(&fh, "y", 1, 0, &cred_root, NULL), EROFS);
	/* Two exports are two filesystems, whatever is below them. */
	assert_int_equal(move(&root, "d", &all, "e", 0, NULL), EXDEV);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_permissions),
		T(test_identities),
		T(test_no_longer),
		T(test_squash),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
