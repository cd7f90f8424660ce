// SPDX-License-Identifier: GPL-2.0
/*
 * programs-limits: how long, how large, how many, beside ext4.
 *
 *	programs-limits LOCAL DIRECTORY ANOTHER
 *
 * The last two are names of one directory, on mounts of two hosts. What is done
 * is done below LOCAL and below DIRECTORY; ANOTHER has to show the same. Both
 * have a directory "links" in it with a file "0" that has as many links as it
 * may have but for a few.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/types.h"
#include "tap.h"

#define NAME_LEN 255
#define NAMES 1500

enum place {
	LOCAL,
	GNS,
	OTHER,
	PLACES,
};

static const char *root[PLACES];

static const char *err_name(int err)
{
	return err ? strerrorname_np(err) : "success";
}

/* The same call in two places; @call names the place by `p`. */
#define SAME(call) \
	do { \
		enum place p = LOCAL; \
		long ret_, ret2_; \
		int err_, err2_; \
\
		errno = 0; \
		ret_ = (call); \
		err_ = ret_ < 0 ? errno : 0; \
		p = GNS; \
		errno = 0; \
		ret2_ = (call); \
		err2_ = ret2_ < 0 ? errno : 0; \
		if (err_ != err2_) \
			tap_bad("%s: %s, not %s", #call, err_name(err2_), \
				err_name(err_)); \
		else if (ret_ != ret2_) \
			tap_bad("%s: %ld, not %ld", #call, ret2_, ret_); \
	} while (0)

static const char *at(enum place p, const char *name)
{
	static char buf[4][2 * PATH_MAX];
	static unsigned int n;
	char *s = buf[n++ % 4];

	snprintf(s, sizeof(buf[0]), "%s/%s", root[p], name);
	return s;
}

static long write_at(const char *path, off_t off, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), err;
	long n;

	if (fd < 0)
		return -1;
	n = pwrite(fd, text, strlen(text), off);
	err = errno;
	close(fd);
	errno = err;
	return n;
}

/* Of what is there, as a number. */
static long sum_at(const char *path, off_t off)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char buf[64];
	long n, sum = 0;

	if (fd < 0)
		return -1;
	n = pread(fd, buf, sizeof(buf), off);
	close(fd);
	if (n < 0)
		return -1;
	while (n)
		sum = sum * 7 + buf[--n] + 1;
	return sum;
}

static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void check_size(void)
{
	const off_t end = (1ll << 44) - 4096;
	static const off_t offs[] = { 0, -1, -5, -4096, 1, 4096, 1ll << 40 };
	off_t off;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(offs); i++) {
		off = offs[i] < 0 ? end + offs[i] : offs[i];
		SAME(write_at(at(p, "sparse"), off, "some bytes"));
		SAME(size_of(at(p, "sparse")));
		SAME(sum_at(at(p, "sparse"), off));
		SAME(sum_at(at(p, "sparse"), off - 20));
	}
	for (off = end - 1; off < end + 3; off++) {
		SAME(truncate(at(p, "sparse"), off));
		SAME(size_of(at(p, "sparse")));
	}
	SAME(truncate(at(p, "sparse"), LONG_MAX));
	SAME(write_at(at(p, "sparse"), end, "behind"));
	SAME(write_at(at(p, "sparse"), LONG_MAX - 3, "far behind"));
	SAME(write_at(at(p, "sparse"), -1, "before"));
	SAME(size_of(at(p, "sparse")));
	SAME(sum_at(at(p, "sparse"), end - 4096));
	if (size_of(at(OTHER, "sparse")) != size_of(at(LOCAL, "sparse")))
		tap_bad("the size on the other host");
	SAME(unlink(at(p, "sparse")));
	tap_good("a file of 16 TiB");
}

/* A path of @len bytes to a file at its end, by "./" before it. */
static const char *long_path(enum place p, size_t len, const char *name)
{
	static char buf[2 * PATH_MAX];
	size_t n = strlen(root[p]), rest = strlen(name);

	memcpy(buf, root[p], n);
	buf[n++] = '/';
	while (n + rest + 2 <= len) {
		memcpy(buf + n, "./", 2);
		n += 2;
	}
	if (n + rest < len)
		buf[n++] = '/';
	strcpy(buf + n, name);
	return buf;
}

static long made(const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : close(fd);
}

static void check_paths(void)
{
	char name[NAME_LEN + 2];
	size_t len;

	for (len = PATH_MAX - 3; len < PATH_MAX + 2; len++) {
		SAME(made(long_path(p, len, "path")));
		SAME(rename(at(p, "path"), long_path(p, len, "moved")));
		SAME(mkdir(long_path(p, len, "dir"), 0755));
		SAME(rmdir(long_path(p, len, "dir")));
		SAME(access(long_path(p, len, "none"), F_OK));
		SAME(unlink(long_path(p, len, "moved")));
		unlink(at(LOCAL, "path"));
		unlink(at(GNS, "path"));
	}
	for (len = NAME_LEN - 1; len < NAME_LEN + 2; len++) {
		memset(name, 'n', len);
		name[len] = '\0';
		SAME(made(at(p, name)));
		SAME(access(at(p, name), F_OK));
		SAME(mkdir(at(p, name), 0755));
		SAME(unlink(at(p, name)));
	}
	tap_good("paths of 4095 bytes, names of 255");
}

/* Deeper than a path is long. */
static void check_depth(void)
{
	char name[NAME_LEN + 1], *cwd = getcwd(NULL, 0);
	enum place p;
	int i, depth[2] = {};

	memset(name, 'd', NAME_LEN);
	name[NAME_LEN] = '\0';
	for (p = LOCAL; p <= GNS; p++) {
		if (chdir(root[p]))
			tap_bad("chdir: %s", err_name(errno));
		for (i = 0; i < 20; i++)
			depth[p] += !mkdir(name, 0755) && !chdir(name);
		if (made("bottom") || access("bottom", F_OK) || unlink("bottom"))
			tap_bad("the bottom: %s", err_name(errno));
		for (i = 0; i < 20; i++)
			if (chdir("..") || rmdir(name))
				tap_bad("%d up: %s", i, err_name(errno));
	}
	if (depth[0] != 20 || depth[1] != 20 || !cwd || chdir(cwd))
		tap_bad("%d and %d levels", depth[0], depth[1]);
	free(cwd);
	tap_good("20 levels of long names");
}

static void check_links(void)
{
	char name[32];
	struct stat st;
	int i;

	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "links/new%d", i);
		SAME(link(at(p, "links/0"), at(p, name)));
	}
	if (stat(at(LOCAL, "links/0"), &st))
		tap_bad("stat: %s", err_name(errno));
	i = st.st_nlink;
	if (stat(at(OTHER, "links/0"), &st) || (int)st.st_nlink != i)
		tap_bad("%lu links on the other host, not %d",
			(unsigned long)st.st_nlink, i);
	if (i != 65000)
		tap_bad("%d links", i);
	SAME(unlink(at(p, "links/new0")));
	SAME(link(at(p, "links/0"), at(p, "links/again")));
	SAME(link(at(p, "links/0"), at(p, "links/once-more")));
	tap_good("65,000 links");
}

static int number_of(const struct dirent *e)
{
	return *e->d_name == 's' ? atoi(e->d_name + 1) : -1;
}

/*
 * What stays has to be listed once, whatever comes and goes meanwhile, and by
 * whomever; and a listing can go on from any place in it.
 */
static void check_listing(void)
{
	static unsigned char seen[NAMES];
	static long cookie[NAMES];
	static int next[NAMES];
	struct dirent *e;
	char name[64];
	int i, n = 0;
	DIR *d;

	mkdir(at(GNS, "list"), 0755);
	for (i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "list/%s%d", i % 3 ? "s" : "go", i);
		made(at(i % 2 ? GNS : OTHER, name));
	}
	d = opendir(at(GNS, "list"));
	if (!d) {
		tap_bad("opendir: %s", err_name(errno));
		return;
	}
	for (i = 0; (e = readdir(d)); i++) {
		if (number_of(e) >= 0) {
			seen[number_of(e)]++;
			next[n] = number_of(e);
			/* Where what comes behind this one begins. */
			cookie[n++] = telldir(d);
		}
		if (i >= NAMES)
			continue;
		snprintf(name, sizeof(name), "list/go%d", i);
		unlink(at(i % 2 ? OTHER : GNS, name));
		snprintf(name, sizeof(name), "list/come%d", i);
		made(at(i % 2 ? GNS : OTHER, name));
	}
	for (i = 0; i < NAMES; i++)
		if (seen[i] != !!(i % 3))
			tap_bad("s%d was listed %d times", i, seen[i]);
	for (i = n - 2; i >= 0; i -= 37) {
		seekdir(d, cookie[i]);
		do
			e = readdir(d);
		while (e && number_of(e) < 0);
		if (!e || number_of(e) != next[i + 1])
			tap_bad("behind s%d: %s, not s%d", next[i],
				e ? e->d_name : "the end", next[i + 1]);
	}
	closedir(d);
	tap_good("a listing of %d names that come and go", NAMES);
}

int main(int argc, char **argv)
{
	if (argc != 1 + PLACES) {
		fprintf(stderr, "programs-limits LOCAL DIRECTORY ANOTHER\n");
		return 2;
	}
	memcpy(root, argv + 1, sizeof(root));
	setvbuf(stdout, NULL, _IOLBF, 0);
	check_size();
	check_paths();
	check_depth();
	check_listing();
	check_links();
	return tap_end();
}
