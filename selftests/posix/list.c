// SPDX-License-Identifier: GPL-2.0
/*
 * posix-list: directories. Every name is listed once, whatever its bytes and
 * however it is read; a listing brings the attributes with it.
 *
 *	posix-list small | huge COUNT
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "both.h"
#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"

#define PLUS 2000u /* entries of the directory that is listed with stat */
#define DEPTH 90
#define USER 1000
#define BEHIND 12000u /* names; several answers */

static void touch(const char *name, bool is_dir)
{
	if (is_dir)
		must(mkdir(here(name), 0755), name);
	else
		must(mknod(here(name), S_IFREG | 0644, 0), name);
}

static void make_many(const char *dir, unsigned int n)
{
	char name[64];
	unsigned int i;

	touch(dir, true);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/entry-%06u", dir, i);
		touch(name, i % 100 == 99);
	}
}

static void make_odd(void)
{
	char name[512] = "odd/", *p = name + 4;
	int c;

	touch("odd", true);
	for (c = 1; c < 256; c++) {
		if (c == '/' || c == '.')
			continue;
		p[0] = c;
		p[1] = '\0';
		touch(name, false);
	}
	memset(p, 0xfe, 255);
	p[255] = '\0';
	touch(name, false);
	memset(p, '\n', 255);
	touch(name, true);
	touch("odd/...", false);
	touch("odd/.hidden", false);
	touch("odd/\xc3\x28 \xff\xfe", false);
	touch("odd/-rf *", false);
}

static void make_deep(void)
{
	char name[8192] = "deep";
	size_t len = strlen(name);
	int i;

	touch(name, true);
	for (i = 0; i < DEPTH; i++) {
		len += snprintf(name + len, sizeof(name) - len, "/level-%034d", i);
		touch(name, true);
	}
	strcpy(name + len, "/end");
	make_file(name, 77);
}

/* A bit for each entry that make_many() made. */
static void check_names(const char *dir, unsigned int n)
{
	u8 *seen = calloc(1, n + 1);
	unsigned int i, count = 0, missing = 0;
	struct dirent *e;
	DIR *d;

	d = opendir(there(dir));
	if (!d || !seen)
		die("%s: %s", dir, strerror(errno));
	errno = 0;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (sscanf(e->d_name, "entry-%u", &i) != 1 || i >= n)
			tap_bad("%s: there is no %s", dir, e->d_name);
		else if (seen[i]++)
			tap_bad("%s: %s twice", dir, e->d_name);
		else
			count++;
		if (e->d_type != (i % 100 == 99 ? DT_DIR : DT_REG))
			tap_bad("%s: %s has type %d", dir, e->d_name,
				e->d_type);
	}
	if (errno)
		tap_bad("%s: %s", dir, strerror(errno));
	for (i = 0; i < n; i++)
		missing += !seen[i];
	if (missing)
		tap_bad("%s: %u are missing", dir, missing);
	closedir(d);
	free(seen);
	tap_good("%u names, each once", count);
}

/* What stands at a place, and what stood there before. */
static void check_seek(const char *dir)
{
	struct {
		long pos;
		char name[256];
	} *v = calloc(PLUS + 3, sizeof(*v));
	struct dirent *e;
	unsigned int n = 0, i, k;
	DIR *d = opendir(there(dir));

	if (!d || !v)
		die("%s: %s", dir, strerror(errno));
	for (;;) {
		v[n].pos = telldir(d);
		e = readdir(d);
		if (!e || n == PLUS + 2)
			break;
		strcpy(v[n++].name, e->d_name);
	}
	for (k = 0; k < 200; k++) {
		i = k < 50 ? k : k * 7919 % n; /* the first ones, and any */
		seekdir(d, v[i].pos);
		e = readdir(d);
		if (!e || strcmp(e->d_name, v[i].name))
			tap_bad("place %u has %s, not %s", i,
				e ? e->d_name : "nothing", v[i].name);
	}
	seekdir(d, v[n].pos);
	if (readdir(d))
		tap_bad("something behind the end");
	rewinddir(d);
	for (i = 0; (e = readdir(d)); i++)
		if (i >= n || strcmp(e->d_name, v[i].name))
			tap_bad("again, entry %u is %s", i, e->d_name);
	if (i != n)
		tap_bad("again, %u entries", i);
	closedir(d);
	free(v);
	tap_good("seekdir, telldir, rewinddir");
}

static u64 calls(void)
{
	return host_count("a", GNS_C_CALLS);
}

static unsigned int list_plus(const char *dir)
{
	unsigned int n = 0;
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(there(dir));

	if (!d)
		die("%s: %s", dir, strerror(errno));
	while ((e = readdir(d))) {
		n++;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			tap_bad("%s: %s", e->d_name, strerror(errno));
		else if (st.st_ino != e->d_ino)
			tap_bad("%s: two inode numbers", e->d_name);
	}
	closedir(d);
	return n;
}

static void check_plus(void)
{
	u64 begin = calls(), first, second;

	list_plus("plus");
	first = calls() - begin;
	list_plus("plus");
	second = calls() - begin - first;
	if (first > 30)
		tap_bad("%llu calls for a listing with attributes",
			(unsigned long long)first);
	if (second)
		tap_bad("%llu calls for the same again",
			(unsigned long long)second);
	tap_good("a listing brings attributes: %llu calls for %u entries, then %llu",
		 (unsigned long long)first, PLUS, (unsigned long long)second);
}

/* First the names, then what is behind them: who sorts them does that. */
static void check_later(const char *dir)
{
	char(*name)[256] = calloc(PLUS + 3, sizeof(*name));
	u64 begin, listed, looked;
	unsigned int n = 0, i;
	struct dirent *e;
	struct stat st;
	DIR *d;

	lab_forget();
	begin = calls();
	d = opendir(there(dir));
	if (!d || !name)
		die("%s: %s", dir, strerror(errno));
	while (n < PLUS + 2 && (e = readdir(d)))
		strcpy(name[n++], e->d_name);
	listed = calls() - begin;
	for (i = 0; i < n; i++)
		if (fstatat(dirfd(d), name[i], &st, AT_SYMLINK_NOFOLLOW))
			tap_bad("%s: %s", name[i], strerror(errno));
	looked = calls() - begin - listed;
	if (n != PLUS + 2 || listed > 10)
		tap_bad("%llu calls for %u names", (unsigned long long)listed,
			n);
	if (looked > 30)
		tap_bad("%llu calls for what is behind them",
			(unsigned long long)looked);
	closedir(d);
	free(name);
	tap_good("names, then attributes: %llu calls, then %llu",
		 (unsigned long long)listed, (unsigned long long)looked);
}

/* Names of an open directory take memory as long as there is some. */
static void check_reclaim(const char *dir)
{
	int fd = lab_open(there(dir));
	u64 begin;

	list_plus(dir);
	lab_forget();
	/* The first time it has been read lately. */
	lab_forget();
	begin = calls();
	check_names(dir, PLUS);
	tap_ok(calls() > begin, "memory is short: the names are asked for again");
	close(fd);
}

/* Return: how many names were read; @last: of those; @found: so was @name. */
static unsigned int read_names(int fd, unsigned int most, const char *name,
			       char *last, bool *found)
{
	char buf[4096] __attribute__((aligned(8)));
	unsigned int n = 0;
	long len, pos;

	while (n < most &&
	       (len = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (pos = 0; pos < len; n++) {
			struct dirent64 *e = (void *)(buf + pos);

			pos += e->d_reclen;
			strcpy(last, e->d_name);
			if (name && !strcmp(e->d_name, name))
				*found = true;
		}
	}
	return n;
}

/* Who may read it was asked when it was opened. */
static void check_opener(void)
{
	char last[NAME_MAX + 1];
	int fd = lab_open(there("own"));
	unsigned int n;

	must(seteuid(USER), "seteuid");
	n = read_names(fd, UINT_MAX, NULL, last, NULL);
	close(fd);
	fd = open(there("own"), O_RDONLY | O_DIRECTORY);
	refused(fd, EACCES, "open by another user");
	must(seteuid(0), "seteuid");
	/* With . and .. */
	tap_ok(n == 5, "a directory is listed as by who opened it: %u", n);
}

/* What comes behind was asked for before the reader comes for it. */
static void check_ahead(const char *dir, unsigned int n)
{
	unsigned int read, rest;
	char gone[256], last[256];
	bool found = false;
	int fd = lab_open(there(dir));

	read_names(fd, BEHIND, NULL, gone, &found);
	close(fd);
	lab_forget();
	fd = lab_open(there(dir));
	read = read_names(fd, BEHIND / 2, NULL, last, &found);
	lab_sleep(lab_slow(500));
	lab("rm -d $LAB/b/%s/%s", dir, gone);
	rest = read_names(fd, UINT_MAX, gone, last, &found);
	close(fd);
	tap_ok(!found && read + rest == n + 2 - 1,
	       "a name that goes is not listed any more: %u and %u", read, rest);
}

/* The smallest buffer that takes one entry of the longest name. */
static void check_small_buffer(void)
{
	char buf[288] __attribute__((aligned(8)));
	unsigned int n = 0, m = 0;
	long len;
	DIR *d;
	int fd;

	fd = lab_open(there("odd"));
	refused(syscall(SYS_getdents64, fd, buf, 16), EINVAL,
		"a buffer too small for an entry");
	while ((len = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		long pos = 0;

		for (; pos < len; n++)
			pos += ((struct dirent64 *)(buf + pos))->d_reclen;
	}
	if (len < 0)
		tap_bad("getdents64: %s", strerror(errno));
	close(fd);
	d = opendir(here("odd"));
	while (d && readdir(d))
		m++;
	closedir(d);
	tap_ok(n == m && !len, "entry by entry: %u names of %u", n, m);
}

static void small(void)
{
	make_many("none", 0);
	make_many("one", 1);
	make_many("three", 3);
	make_many("plus", PLUS);
	make_many("own", 3);
	must(chmod(here("own"), 0700), "chmod");
	make_odd();
	make_deep();
	lab("cluster a");
	check_opener();
	check_plus();
	check_later("plus");
	check_reclaim("plus");
	check_names("none", 0);
	check_names("one", 1);
	check_names("three", 3);
	check_names("plus", PLUS);
	check_seek("plus");
	check_small_buffer();
	both_tree("odd");
	tap_good("names of any bytes");
	both_tree("deep");
	tap_good("deep directories");
}

static void huge(unsigned int n)
{
	u64 begin;

	make_many("huge", n);
	lab("cluster a b");
	begin = lab_now();
	check_names("huge", n);
	tap_note("first listing: %llu ms, %llu calls",
		 (unsigned long long)lab_ms(begin), (unsigned long long)calls());
	tap_ok(calls() < n / 4000 + 20, "one call for 4000 names");
	begin = lab_now();
	check_names("huge", n);
	tap_note("second listing: %llu ms, %llu calls",
		 (unsigned long long)lab_ms(begin), (unsigned long long)calls());
	check_ahead("huge", n);
}

int main(int argc, char **argv)
{
	lab("mkdir $EXPORT");
	if (argc == 3)
		huge(atoi(argv[2]));
	else
		small();
	return tap_end();
}
