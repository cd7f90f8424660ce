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
	make_odd();
	make_deep();
	lab("cluster a");
	check_plus();
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
	lab("cluster a");
	begin = lab_now();
	check_names("huge", n);
	tap_note("first listing: %llu ms, %llu calls",
		 (unsigned long long)lab_ms(begin), (unsigned long long)calls());
	begin = lab_now();
	check_names("huge", n);
	tap_note("second listing: %llu ms, %llu calls",
		 (unsigned long long)lab_ms(begin), (unsigned long long)calls());
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
