// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes on both trees. Older kernels' tmpfs has none for users.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attrs.h"
#include "both.h"
#include "tap.h"
#include "twin.h"

#define VALUE_MAX 65536

static char value[VALUE_MAX + 1];

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of attributes, sorted, with a blank behind each; -1: errno. */
static ssize_t names_of(const char *path, char *out, size_t size)
{
	char list[4096], *v[64];
	ssize_t len = llistxattr(path, list, sizeof(list));
	size_t n = 0, i;
	char *p;

	*out = '\0';
	if (len < 0)
		return -1;
	for (p = list; p < list + len && n < 64; p += strlen(p) + 1)
		v[n++] = p;
	qsort(v, n, sizeof(*v), by_text);
	for (i = 0; i < n; i++) {
		strncat(out, v[i], size - strlen(out) - 1);
		strncat(out, " ", size - strlen(out) - 1);
	}
	return n;
}

/* Names and values of one file on both trees. */
static void compare(const char *file)
{
	static char a[VALUE_MAX], b[VALUE_MAX];
	char mine[4096], theirs[4096], *name, *save = NULL;
	ssize_t n, m;

	twin_side = TWIN_LOCAL;
	names_of(at(file), mine, sizeof(mine));
	twin_side = TWIN_GNS;
	names_of(at(file), theirs, sizeof(theirs));
	if (strcmp(mine, theirs))
		tap_bad("%s has %s, not %s", file, theirs, mine);
	for (name = strtok_r(mine, " ", &save); name;
	     name = strtok_r(NULL, " ", &save)) {
		twin_side = TWIN_LOCAL;
		n = lgetxattr(at(file), name, a, sizeof(a));
		twin_side = TWIN_GNS;
		m = lgetxattr(at(file), name, b, sizeof(b));
		if (n != m || (n > 0 && memcmp(a, b, n)))
			tap_bad("%s of %s: %zd bytes, not %zd", name, file, m, n);
	}
}

#define XATTR_AS(uid, want, file, call) \
	do { \
		SAME_AS(uid, want, call); \
		compare(file); \
	} while (0)

#define XATTR(want, file, call) XATTR_AS(0, want, file, call)

/* One kind of names, with a place for a file "x" and directory "xd". */
static void check_kind(int ok, const char *prefix)
{
	char a[64], b[64], list[64];

	snprintf(a, sizeof(a), "%s.a", prefix);
	snprintf(b, sizeof(b), "%s.b", prefix);
	/* That there are none is cached. */
	QUIET(ok ? ANY : ENODATA, getxattr(at("x"), a, list, sizeof(list)));
	XATTR(ok, "x", setxattr(at("x"), a, "one", 3, 0));
	XATTR(ok, "x", setxattr(at("x"), a, "two", 4, 0));
	XATTR(ok, "x", setxattr(at("x"), b, "", 0, 0));
	XATTR(ok ?: EEXIST, "x", setxattr(at("x"), a, "c", 1, XATTR_CREATE));
	XATTR(ok, "x", setxattr(at("x"), a, "r", 1, XATTR_REPLACE));
	XATTR(ok, "x", removexattr(at("x"), a));
	XATTR(ok ?: ENODATA, "x", removexattr(at("x"), a));
	XATTR(ok ?: ENODATA, "x", setxattr(at("x"), a, "r", 1, XATTR_REPLACE));
	XATTR(ok, "x", setxattr(at("x"), a, "c", 1, XATTR_CREATE));
	XATTR(ok, "xd", setxattr(at("xd"), a, "dir", 3, 0));
	XATTR(ANY, "x", setxattr(at("x"), a, value, 4000, 0));
	XATTR(ANY, "x", setxattr(at("x"), a, value, VALUE_MAX, 0));
	XATTR(E2BIG, "x", setxattr(at("x"), a, value, VALUE_MAX + 1, 0));
	XATTR(ANY, "x", setxattr(at("x"), a, "short", 5, 0));
	XATTR(ok, "x", removexattr(at("x"), b));
	XATTR(ENOENT, "x", setxattr(at("none"), a, "x", 1, 0));
	XATTR(EINVAL, "x", setxattr(at("x"), a, "x", 1, 64));
}

void check_xattrs(void)
{
	char name[300] = "trusted.";
	int user;

	memset(value, 'v', sizeof(value));
	SAME(0, put(at("x"), O_CREAT | O_WRONLY, 0644, "x"));
	SAME(0, mkdir(at("xd"), 0755));
	SAME(0, symlink("x", at("xl")));
	check_kind(0, "trusted");
	twin_side = TWIN_LOCAL;
	user = setxattr(at("xd"), "user.probe", "", 0, 0) ? errno : 0;
	if (!user)
		must(removexattr(at("xd"), "user.probe"), "removexattr");
	tap_note("user attributes: %s", user ? strerror(user) : "there are");
	if (!user || user == EOPNOTSUPP)
		check_kind(user ? ANY : 0, "user");
	memset(name + 8, 'n', 248);
	XATTR(ERANGE, "x", setxattr(at("x"), name, "x", 1, 0));
	name[255] = '\0';
	XATTR(ANY, "x", setxattr(at("x"), name, "x", 1, 0));
	XATTR(ANY, "x", removexattr(at("x"), name));
	XATTR(EOPNOTSUPP, "x", setxattr(at("x"), "nobody.knows", "x", 1, 0));
	XATTR(EPERM, "xl", lsetxattr(at("xl"), "user.x", "x", 1, 0));
	XATTR(0, "xl", lsetxattr(at("xl"), "trusted.x", "x", 1, 0));
	XATTR_AS(USER, EPERM, "x", setxattr(at("x"), "trusted.u", "x", 1, 0));
	XATTR_AS(USER, EACCES, "x", setxattr(at("x"), "user.u", "x", 1, 0));
	SAME(0, chown(at("x"), USER, USER));
	XATTR_AS(USER, ANY, "x", setxattr(at("x"), "user.u", "mine", 4, 0));
	XATTR_AS(USER, ANY, "x", removexattr(at("x"), "user.u"));
	XATTR_AS(USER, EPERM, "x", removexattr(at("x"), "trusted.a"));
	tap_good("extended attributes");
}

/* CAP_NET_RAW, as setcap(8) writes it. */
static const char caps[20] = "\1\0\0\2\0\x20";

#define CAPS "security.capability"

static int set_caps(const char *path)
{
	return setxattr(path, CAPS, caps, sizeof(caps), 0);
}

static int has_caps(const char *path)
{
	char got[64];

	return getxattr(path, CAPS, got, sizeof(got)) == sizeof(caps) ? 0 : -1;
}

void check_caps(void)
{
	SAME(0, put(at("k"), O_CREAT | O_WRONLY, 0777, "program"));
	QUIET(ENODATA, has_caps(at("k")));
	SAME(0, set_caps(at("k")));
	QUIET(0, has_caps(at("k")));
	SAME_AS(USER, EPERM, set_caps(at("k")));
	SAME_AS(USER, EPERM, removexattr(at("k"), CAPS));
	SAME(0, chmod(at("k"), 0766));
	QUIET(0, has_caps(at("k")));
	SAME(0, put(at("k"), O_WRONLY, 0, "another"));
	QUIET(ENODATA, has_caps(at("k")));
	SAME(0, set_caps(at("k")));
	QUIET(0, has_caps(at("k")));
	SAME(0, chown(at("k"), USER, -1));
	QUIET(ENODATA, has_caps(at("k")));
	SAME(0, set_caps(at("k")));
	SAME_AS(USER, 0, chown(at("k"), -1, USER));
	QUIET(ENODATA, has_caps(at("k")));
	SAME(0, set_caps(at("k")));
	SAME(0, truncate(at("k"), 2));
	QUIET(ENODATA, has_caps(at("k")));
	SAME(0, set_caps(at("k")));
	SAME(0, removexattr(at("k"), CAPS));
	QUIET(ENODATA, has_caps(at("k")));
	tap_good("capabilities of a program");
}
