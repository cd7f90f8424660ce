// SPDX-License-Identifier: GPL-2.0
/*
 * Comparing trees; see onetree.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "onetree.h"

#define XATTRS 4096

#define DIFFER(f) \
	do { \
		if (a.f != b.f) \
			wrong("%s: " #f " is %#jo, not %#jo", at(r, name), \
			      (uintmax_t)b.f, (uintmax_t)a.f); \
	} while (0)

mode_t same_name(unsigned int r, const char *name)
{
	struct stat a, b;
	int ea, eb;

	ea = lstat(at(0, name), &a) ? errno : 0;
	eb = lstat(at(r, name), &b) ? errno : 0;
	if (ea != eb)
		wrong("lstat %s: %s, not %s", at(r, name), err_name(eb),
		      err_name(ea));
	if (ea)
		return 0;
	DIFFER(st_mode);
	DIFFER(st_nlink);
	DIFFER(st_uid);
	DIFFER(st_gid);
	DIFFER(st_rdev);
	/* How long a directory is depends on its past. */
	if (!S_ISDIR(a.st_mode))
		DIFFER(st_size);
	return a.st_mode;
}

void look(unsigned int r, const char *name, struct look *l)
{
	struct stat st;

	l->there = !lstat(at(r, name), &st);
	if (!l->there)
		return;
	l->ino = st.st_ino;
	l->mtime = st.st_mtim;
	l->ctime = st.st_ctim;
}

/* Bytes read, or an errno as a negative number. */
static ssize_t bytes_of(const char *path, char *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, FILE_MAX);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

void same_content(unsigned int r, const char *name)
{
	static char a[FILE_MAX], b[FILE_MAX];
	ssize_t n = bytes_of(at(0, name), a), m = bytes_of(at(r, name), b), i;

	if (n != m)
		wrong("read of %s: %zd, not %zd", at(r, name), m, n);
	for (i = 0; i < n; i++)
		if (a[i] != b[i])
			wrong("%s: byte %zd is %#x, not %#x", at(r, name), i,
			      (unsigned char)b[i], (unsigned char)a[i]);
}

static void same_target(unsigned int r, const char *name)
{
	char a[PATH_MAX], b[PATH_MAX];
	ssize_t n = readlink(at(0, name), a, sizeof(a));
	ssize_t m = readlink(at(r, name), b, sizeof(b));

	if (n != m || (n > 0 && memcmp(a, b, n)))
		wrong("%s: another target", at(r, name));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a list, sorted; returns how many, or an errno as a negative one. */
static int xattr_names(const char *path, char *buf, char **v)
{
	ssize_t len = llistxattr(path, buf, XATTRS);
	char *p;
	int n = 0;

	if (len < 0)
		return -errno;
	for (p = buf; p < buf + len; p += strlen(p) + 1)
		if (strncmp(p, "system.", 7) && strncmp(p, "security.", 9))
			v[n++] = p;
	qsort(v, n, sizeof(*v), by_text);
	return n;
}

void same_xattrs(unsigned int r, const char *name)
{
	static char a[XATTRS], b[XATTRS], *va[XATTRS], *vb[XATTRS];
	char av[XATTRS], bv[XATTRS];
	int n = xattr_names(at(0, name), a, va), i;
	int m = xattr_names(at(r, name), b, vb);
	ssize_t an, bn;

	if (n != m)
		wrong("%s: %d extended attributes, not %d", at(r, name), m, n);
	for (i = 0; i < n; i++) {
		if (strcmp(va[i], vb[i]))
			wrong("%s: extended attribute %s, not %s", at(r, name),
			      vb[i], va[i]);
		an = lgetxattr(at(0, name), va[i], av, sizeof(av));
		bn = lgetxattr(at(r, name), va[i], bv, sizeof(bv));
		if (an != bn || (an > 0 && memcmp(av, bv, an)))
			wrong("%s: another value of %s", at(r, name), va[i]);
	}
}

static int no_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list_free(struct dirent **v, int n)
{
	while (n > 0)
		free(v[--n]);
	free(v);
}

/* The entries below root 0, sorted; n in *count. Freed by list_free(). */
static struct dirent **compare_list(unsigned int r, const char *name, int *count)
{
	struct dirent **a = NULL, **b = NULL;
	struct stat st;
	char below[PATH_MAX];
	int n, m, i;

	n = scandir(at(0, name), &a, no_dots, by_name);
	m = scandir(at(r, name), &b, no_dots, by_name);
	for (i = 0; i < n && i < m; i++)
		if (strcmp(a[i]->d_name, b[i]->d_name))
			wrong("%s has %s, not %s", at(r, name), b[i]->d_name,
			      a[i]->d_name);
	if (n != m)
		wrong("%s: %d names, not %d", at(r, name), m, n);
	for (i = 0; i < n; i++) {
		if (a[i]->d_type != b[i]->d_type)
			wrong("%s/%s: type %d, not %d", at(r, name),
			      a[i]->d_name, b[i]->d_type, a[i]->d_type);
		snprintf(below, sizeof(below), "%s/%s", at(r, name),
			 a[i]->d_name);
		if (lstat(below, &st) || st.st_ino != b[i]->d_ino)
			wrong("%s: d_ino %ju, st_ino %ju", below,
			      (uintmax_t)b[i]->d_ino, (uintmax_t)st.st_ino);
	}
	list_free(b, m);
	*count = n;
	return a;
}

void same_list(unsigned int r, const char *name)
{
	int n;
	struct dirent **v = compare_list(r, name, &n);

	list_free(v, n);
}

static void same_below(unsigned int r, const char *name)
{
	mode_t mode = same_name(r, name);
	char below[NAME_SPACE * 2];
	struct dirent **v;
	int n, i;

	if (S_ISREG(mode))
		same_content(r, name);
	if (S_ISLNK(mode))
		same_target(r, name);
	if (mode)
		same_xattrs(r, name);
	if (!S_ISDIR(mode))
		return;
	v = compare_list(r, name, &n);
	for (i = 0; i < n; i++) {
		snprintf(below, sizeof(below), "%s%s%s", name, *name ? "/" : "",
			 v[i]->d_name);
		same_below(r, below);
	}
	list_free(v, n);
}

void same_tree(const char *name)
{
	unsigned int r;

	for (r = 1; r < roots; r++)
		same_below(r, name);
}
