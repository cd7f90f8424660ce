// SPDX-License-Identifier: GPL-2.0
/*
 * write-acls: access control lists on a mount, beside a local tree that has the
 * same ones. What each of some users may do with each file, what is made in
 * directories with default lists, and who may set what.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "acl.h"
#include "both.h"
#include "lab.h"
#include "lists.h"
#include "tap.h"
#include "twin.h"

#define ROUNDS 24
#define GROUP2 2001

static const struct who users[] = {
	{ .uid = 0 },
	{ .uid = USER, .gid = USER },
	{ .uid = USER, .gid = USER, .groups = { GROUP }, .ngroups = 1 },
	{ .uid = OTHER, .gid = GROUP },
	{ .uid = OTHER, .gid = OTHER, .groups = { GROUP, GROUP2 }, .ngroups = 2 },
	{ .uid = 1002, .gid = GROUP2 },
};

#define USERS (sizeof(users) / sizeof(*users))

static const char *const objects[] = {
	"f",
	"g",
	"d",
	"e",
	"d/f",
	"e/f",
	"d/d",
	"d/d/f",
};

#define OBJECTS (sizeof(objects) / sizeof(*objects))

static u32 pick(u32 n)
{
	static u64 seed = 0x9e3779b97f4a7c15;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 20) % n;
}

static const struct who *pick_user(void)
{
	return &users[pick(USERS)];
}

/* One that the kernel takes, in the order that it wants. */
static struct acl pick_acl(void)
{
	static const u32 ids[] = { USER, OTHER, 1002, GROUP, GROUP2 };
	struct acl a = { .n = 0 };
	u32 i;

	acl_add(&a, ACL_USER_OBJ, pick(8), ACL_NOBODY);
	for (i = 0; i < 3; i++)
		if (pick(2))
			acl_add(&a, ACL_USER, pick(8), ids[i]);
	acl_add(&a, ACL_GROUP_OBJ, pick(8), ACL_NOBODY);
	for (; i < 5; i++)
		if (pick(2))
			acl_add(&a, ACL_GROUP, pick(8), ids[i]);
	if (a.n > 2 || pick(2))
		acl_add(&a, ACL_MASK, pick(3) ? 7 : pick(8), ACL_NOBODY);
	acl_add(&a, ACL_OTHER, pick(8), ACL_NOBODY);
	return a;
}

#define AS(w, call) \
	do { \
		for (twin_side = 0; twin_side < TWIN_SIDES; twin_side++) { \
			who_be(w); \
			errno = 0; \
			long ret_ = (call); \
			int err_ = ret_ < 0 ? errno : 0; \
\
			who_be(NULL); \
			twin_took(err_, ANY, #call); \
		} \
	} while (0)

/* Some change of one of them, by root or by somebody. */
static void change_one(void)
{
	const char *name = objects[pick(OBJECTS)];
	const struct who *w = pick(3) ? NULL : pick_user();
	const char *kind = pick(3) ? ACL_ACCESS : ACL_DEFAULT;
	u32 mode = pick(01000), id = users[pick(USERS)].uid;
	u32 gid = users[pick(USERS)].gid;
	struct acl a = pick_acl();

	switch (pick(8)) {
	case 0:
		AS(w, chmod(at(name), mode));
		break;
	case 1:
		AS(w, chown(at(name), id, gid));
		break;
	case 2:
		AS(w, removexattr(at(name), kind));
		break;
	default:
		AS(w, setxattr(at(name), kind, &a, acl_size(&a), 0));
	}
}

/* A bit for each thing that was done, and the errors of the others. */
static void try_all(const char *name, int *got)
{
	static const int flags[] = { O_RDONLY, O_WRONLY };
	u32 i;

	for (i = 0; i < 3; i++)
		got[i] = faccessat(AT_FDCWD, at(name), 1 << i, AT_EACCESS) ?
				 errno :
				 0;
	for (; i < 5; i++)
		got[i] = may(at(name), flags[i - 3]);
}

static void compare_rights(void)
{
	int got[TWIN_SIDES][5];
	u32 u, o, i;

	for (u = 0; u < USERS; u++) {
		for (o = 0; o < OBJECTS; o++) {
			for (twin_side = 0; twin_side < TWIN_SIDES;
			     twin_side++) {
				who_be(&users[u]);
				try_all(objects[o], got[twin_side]);
				who_be(NULL);
			}
			for (i = 0; i < 5; i++)
				if (got[0][i] != got[1][i])
					tap_bad("user %u of %u, %s of %s: %s, not %s",
						users[u].uid, users[u].gid,
						i < 3 ? "access" : "open",
						objects[o], strerror(got[1][i]),
						strerror(got[0][i]));
		}
	}
}

static void compare_list(const char *name, const char *kind)
{
	char v[TWIN_SIDES][1024];
	ssize_t n[TWIN_SIDES];

	for (twin_side = 0; twin_side < TWIN_SIDES; twin_side++)
		n[twin_side] = lgetxattr(at(name), kind, v[twin_side],
					 sizeof(v[0]));
	if (n[0] != n[1] || (n[0] > 0 && memcmp(v[0], v[1], n[0])))
		tap_bad("%s of %s: %zd bytes, not %zd", kind, name, n[1], n[0]);
}

static void compare_lists(void)
{
	u32 o;

	for (o = 0; o < OBJECTS; o++) {
		compare_list(objects[o], ACL_ACCESS);
		compare_list(objects[o], ACL_DEFAULT);
		twin_stat(objects[o], false);
	}
}

/* Names come and go in a directory, as somebody. */
static void change_names(void)
{
	static const char *const dirs[] = { "d", "e", "d/d" };
	const struct who *w = pick_user();
	char name[32];

	snprintf(name, sizeof(name), "%s/new", dirs[pick(3)]);
	umask(pick(2) ? 022 : 0);
	AS(w, mkdir(at(name), 0777));
	AS(w, rmdir(at(name)));
	AS(w, put(at(name), O_CREAT | O_EXCL | O_WRONLY, 0666, "x"));
	AS(w, unlink(at(name)));
	umask(0);
	AS(NULL, remove(at(name)));
}

static void forget_names(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "2", 1) != 1)
		tap_bad("caches are not dropped: %s", strerror(errno));
	close(fd);
}

static void check_random(void)
{
	u32 i, rounds = lab_slow(1) > 1 ? ROUNDS / 3 : ROUNDS;

	AS(NULL, mkdir(at("d"), 0755));
	AS(NULL, mkdir(at("e"), 0775));
	AS(NULL, mkdir(at("d/d"), 0755));
	for (i = 0; i < OBJECTS; i++)
		if (objects[i][strlen(objects[i]) - 1] >= 'f')
			AS(NULL, put(at(objects[i]), O_CREAT | O_WRONLY, 0644,
				     "#!/bin/true\n"));
	for (i = 0; i < rounds; i++) {
		change_one();
		change_one();
		if (!pick(8))
			forget_names();
		compare_rights();
		/* And by what is known by now. */
		if (!pick(4))
			compare_rights();
		change_names();
		compare_lists();
		if (tap_is_bad())
			break;
	}
	tap_good("what users may, in %u rounds", rounds);
}

static void make_all(const char *dir, u32 mode, u32 mask)
{
	static const char *const kinds[] = { "f", "d", "p", "s", "l" };
	char name[5][32];
	u32 i;

	for (i = 0; i < 5; i++)
		snprintf(name[i], sizeof(name[i]), "%s/%s", dir, kinds[i]);
	umask(mask);
	AS(&users[1], put(at(name[0]), O_CREAT | O_EXCL | O_WRONLY, mode, "x"));
	AS(&users[1], mkdir(at(name[1]), mode));
	AS(&users[1], mkfifo(at(name[2]), mode));
	AS(&users[1], mknod(at(name[3]), S_IFSOCK | mode, 0));
	AS(&users[1], symlink("f", at(name[4])));
	umask(0);
	for (i = 0; i < 5; i++) {
		compare_list(name[i], ACL_ACCESS);
		compare_list(name[i], ACL_DEFAULT);
		twin_stat(name[i], false);
		AS(NULL, remove(at(name[i])));
	}
}

static void check_inherited(void)
{
	static const u32 modes[] = { 0777, 0666, 0640, 07777 };
	static const u32 masks[] = { 0, 022, 077, 0777 };
	struct acl a;
	u32 i;

	AS(NULL, mkdir(at("plain"), 0777));
	AS(NULL, mkdir(at("listed"), 0777));
	for (i = 0; i < 4; i++)
		make_all("plain", modes[i], masks[3 - i]);
	for (i = 0; i < 16 && !tap_is_bad(); i++) {
		a = pick_acl();
		AS(NULL, setxattr(at("listed"), ACL_DEFAULT, &a, acl_size(&a),
				  0));
		make_all("listed", modes[i % 4], masks[i / 4]);
	}
	AS(NULL, removexattr(at("listed"), ACL_DEFAULT));
	make_all("listed", 0777, 027);
	tap_good("what new names get of a default list and the umask");
}

static ssize_t listed(const char *path)
{
	char list[1024];

	return llistxattr(path, list, sizeof(list));
}

static void check_calls(void)
{
	struct acl one = acl_one(0640, OTHER, 4), bad = one, sgid = one;
	char buf[1024];

	AS(NULL, put(at("c"), O_CREAT | O_WRONLY, 0644, "x"));
	AS(NULL, chown(at("c"), USER, GROUP));
	AS(NULL, symlink("c", at("cl")));
	QUIET(ENODATA, getxattr(at("c"), ACL_ACCESS, buf, sizeof(buf)));
	AS(&users[3], setxattr(at("c"), ACL_ACCESS, &one, acl_size(&one), 0));
	AS(&users[1], setxattr(at("c"), ACL_ACCESS, &one, acl_size(&one), 0));
	QUIET(0, getxattr(at("c"), ACL_ACCESS, NULL, 0));
	QUIET(ERANGE, getxattr(at("c"), ACL_ACCESS, buf, 8));
	AS(NULL, setxattr(at("c"), ACL_ACCESS, &one, acl_size(&one),
			  XATTR_CREATE));
	AS(NULL, setxattr(at("c"), ACL_ACCESS, &one, acl_size(&one) - 4, 0));
	AS(NULL, setxattr(at("c"), ACL_DEFAULT, &one, acl_size(&one), 0));
	AS(NULL, removexattr(at("c"), ACL_DEFAULT));
	bad.e[0].perm = 9;
	AS(NULL, setxattr(at("c"), ACL_ACCESS, &bad, acl_size(&bad), 0));
	bad = one;
	bad.n--;
	AS(NULL, setxattr(at("c"), ACL_ACCESS, &bad, acl_size(&bad), 0));
	AS(NULL, lsetxattr(at("cl"), ACL_ACCESS, &one, acl_size(&one), 0));
	AS(NULL, lgetxattr(at("cl"), ACL_ACCESS, buf, sizeof(buf)));
	for (twin_side = 0; twin_side < TWIN_SIDES; twin_side++)
		if (listed(at("c")) != (ssize_t)sizeof(ACL_ACCESS))
			tap_bad("the list is not in the list");
	/* The mask is what chmod(2) changes. */
	AS(&users[1], chmod(at("c"), 0604));
	compare_list("c", ACL_ACCESS);
	twin_stat("c", false);
	/* The group's program, of somebody who is not of it. */
	AS(NULL, chmod(at("c"), 02755));
	AS(&users[1], setxattr(at("c"), ACL_ACCESS, &sgid, acl_size(&sgid), 0));
	twin_stat("c", false);
	AS(NULL, chmod(at("c"), 02755));
	AS(&users[2], setxattr(at("c"), ACL_ACCESS, &sgid, acl_size(&sgid), 0));
	twin_stat("c", false);
	AS(&users[3], removexattr(at("c"), ACL_ACCESS));
	AS(&users[1], removexattr(at("c"), ACL_ACCESS));
	AS(&users[1], removexattr(at("c"), ACL_ACCESS));
	compare_list("c", ACL_ACCESS);
	tap_good("who may set lists, and which");
}

int main(void)
{
	twin_begin();
	twin_mount();
	check_calls();
	check_inherited();
	check_random();
	twin_tree("all of it");
	return tap_end();
}
