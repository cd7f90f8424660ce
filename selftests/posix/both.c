// SPDX-License-Identifier: GPL-2.0
/*
 * One tree seen twice; see both.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/lab.h"
#include "../lib/tap.h"
#include "../lib/words.h"
#include "../tree/client.h"
#include "both.h"

#define UNIT (1u << 20)

const char *here(const char *name)
{
	return lab_path(lab_env("EXPORT"), name);
}

const char *there(const char *name)
{
	static char mnt[256];

	if (!*mnt)
		snprintf(mnt, sizeof(mnt), "%s/a", lab_env("LAB"));
	return lab_path(mnt, name);
}

long must(long ret, const char *what)
{
	if (ret < 0)
		die("%s: %s", what, strerror(errno));
	return ret;
}

void refused(long ret, int err, const char *what)
{
	if (ret >= 0)
		tap_bad("%s: went through", what);
	else if (errno != err)
		tap_bad("%s: %s, not %s", what, strerrorname_np(errno),
			strerrorname_np(err));
}

static bool later(const struct statx_timestamp *a,
		  const struct statx_timestamp *b)
{
	return a->tv_sec != b->tv_sec || a->tv_nsec != b->tv_nsec;
}

#define DIFFER(f) \
	do { \
		if (a.stx_##f != b.stx_##f) \
			tap_bad("%s: " #f " is %llu, not %llu", name, \
				(unsigned long long)b.stx_##f, \
				(unsigned long long)a.stx_##f); \
	} while (0)

void both_stat(const char *name)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct statx a, b;

	must(statx(AT_FDCWD, here(name), flags, STATX_ALL, &a), here(name));
	if (statx(AT_FDCWD, there(name), flags, STATX_ALL, &b)) {
		tap_bad("%s: %s", name, strerror(errno));
		return;
	}
	DIFFER(mode);
	DIFFER(nlink);
	DIFFER(uid);
	DIFFER(gid);
	DIFFER(ino);
	DIFFER(size);
	DIFFER(rdev_major);
	DIFFER(rdev_minor);
	/* The origin's cache of descriptors may hold a file's blocks. */
	if (S_ISREG(a.stx_mode))
		DIFFER(blocks);
	if (later(&a.stx_mtime, &b.stx_mtime))
		tap_bad("%s: mtime differs", name);
	if (later(&a.stx_ctime, &b.stx_ctime))
		tap_bad("%s: ctime differs", name);
	if ((a.stx_mask & STATX_BTIME) &&
	    (!(b.stx_mask & STATX_BTIME) || later(&a.stx_btime, &b.stx_btime)))
		tap_bad("%s: btime differs", name);
	/* Access times are the origin's own affair. */
	if (~b.stx_mask & STATX_BASIC_STATS & ~STATX_ATIME)
		tap_bad("%s: mask is %x", name, b.stx_mask);
}

void both_link(const char *name)
{
	char a[8192], b[8192];
	ssize_t n, m;

	n = must(readlink(here(name), a, sizeof(a)), here(name));
	m = readlink(there(name), b, sizeof(b));
	if (m < 0)
		tap_bad("%s: readlink: %s", name, strerror(errno));
	else if (n != m || memcmp(a, b, n))
		tap_bad("%s: the link points elsewhere", name);
}

void both_bytes(const char *name)
{
	static char a[UNIT], b[UNIT];
	ssize_t n, m;
	u64 off = 0;
	int fa, fb;

	fa = must(open(here(name), O_RDONLY | O_CLOEXEC), here(name));
	fb = open(there(name), O_RDONLY | O_CLOEXEC);
	if (fb < 0) {
		tap_bad("%s: open: %s", name, strerror(errno));
		close(fa);
		return;
	}
	do {
		n = must(pread(fa, a, UNIT, off), name);
		m = pread(fb, b, UNIT, off);
		if (m < 0)
			tap_bad("%s: read at %llu: %s", name,
				(unsigned long long)off, strerror(errno));
		else if (n != m || memcmp(a, b, n))
			tap_bad("%s: bytes from %llu differ", name,
				(unsigned long long)off);
		off += n;
	} while (n > 0 && n == m);
	close(fa);
	close(fb);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a directory, sorted; freed by the caller, as is each of them. */
static char **names_of(const char *path, size_t *n)
{
	char **v = NULL;
	struct dirent *e;
	DIR *d;

	*n = 0;
	d = opendir(path);
	if (!d) {
		tap_bad("%s: %s", path, strerror(errno));
		return NULL;
	}
	errno = 0;
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (!(*n & (*n - 1)))
			v = reallocarray(v, *n ? *n * 2 : 1, sizeof(*v));
		v[(*n)++] = strdup(e->d_name);
	}
	if (errno)
		tap_bad("%s: readdir: %s", path, strerror(errno));
	closedir(d);
	if (*n)
		qsort(v, *n, sizeof(*v), by_name);
	return v;
}

unsigned int both_tree(const char *name)
{
	unsigned int count = 1;
	char path[4096];
	size_t n, m, i;
	struct stat st;
	char **a, **b;

	both_stat(name);
	must(lstat(here(name), &st), here(name));
	if (S_ISLNK(st.st_mode))
		both_link(name);
	if (S_ISREG(st.st_mode))
		both_bytes(name);
	if (!S_ISDIR(st.st_mode))
		return 1;
	a = names_of(here(name), &n);
	b = names_of(there(name), &m);
	if (n != m)
		tap_bad("%s: %zu names, not %zu", name, m, n);
	for (i = 0; i < n && i < m; i++) {
		if (strcmp(a[i], b[i]))
			tap_bad("%s: name %zu is %s, not %s", name, i, b[i],
				a[i]);
		snprintf(path, sizeof(path), "%s/%s", name, a[i]);
		count += both_tree(path);
	}
	while (n)
		free(a[--n]);
	while (m)
		free(b[--m]);
	free(a);
	free(b);
	return count;
}

void make_file(const char *name, u64 len)
{
	static u64 buf[UNIT / WORD];
	static u32 state;
	u64 off, n;
	int fd;

	fd = must(open(here(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		       0644),
		  here(name));
	state++;
	for (off = 0; off < len; off += n) {
		n = min_u64(len - off, UNIT);
		words_fill(buf, UNIT, state, off);
		if (must(write(fd, buf, n), here(name)) != (ssize_t)n)
			die("%s: a short write", here(name));
	}
	close(fd);
}
