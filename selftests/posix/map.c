// SPDX-License-Identifier: GPL-2.0
/*
 * posix-map: mapped files, and the pages behind them.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "both.h"
#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"

#define PAGE 4096u
#define SIZE ((1u << 20) + 1000)
#define LARGE (16u << 20)
#define KPF_COMPOUND (3ull << 15) /* head or tail */

static sigjmp_buf away;

static void on_sigbus(int nr)
{
	(void)nr;
	siglongjmp(away, 1);
}

/* Does the access end in SIGBUS? */
static bool bus(volatile const char *p)
{
	struct sigaction old, sa = { .sa_handler = on_sigbus };
	bool hit = true;

	sigaction(SIGBUS, &sa, &old);
	if (!sigsetjmp(away, 1)) {
		(void)*p;
		hit = false;
	}
	sigaction(SIGBUS, &old, NULL);
	return hit;
}

static char *map(const char *path, size_t len, int prot, int flags)
{
	int fd = lab_open(path);
	char *p = mmap(NULL, len, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap of %s: %s", path, strerror(errno));
	close(fd);
	return p;
}

static void check_shared(void)
{
	char *a = map(here("file"), SIZE, PROT_READ, MAP_SHARED);
	char *b = map(there("file"), SIZE, PROT_READ, MAP_SHARED);
	u64 calls;

	if (memcmp(a, b, SIZE))
		tap_bad("the bytes differ");
	calls = host_count("a", GNS_C_CALLS);
	madvise(b, SIZE, MADV_DONTNEED);
	if (memcmp(a, b, SIZE))
		tap_bad("again, the bytes differ");
	if (host_count("a", GNS_C_CALLS) != calls)
		tap_bad("again, the origin was asked");
	munmap(b, SIZE);
	b = map(there("populated"), SIZE, PROT_READ, MAP_SHARED | MAP_POPULATE);
	munmap(a, SIZE);
	a = map(here("populated"), SIZE, PROT_READ, MAP_SHARED);
	if (memcmp(a, b, SIZE))
		tap_bad("populated, the bytes differ");
	munmap(a, SIZE);
	munmap(b, SIZE);
	tap_good("a shared mapping for reading");
}

static void check_end(void)
{
	size_t len = (SIZE / PAGE + 3) * PAGE, last = SIZE / PAGE * PAGE, i;
	char *p = map(there("file"), len, PROT_READ, MAP_SHARED);

	if (bus(p + SIZE - 1))
		tap_bad("SIGBUS at the last byte");
	for (i = SIZE; i < last + PAGE; i++)
		if (p[i])
			tap_bad("byte %zu is not zero", i);
	if (!bus(p + last + PAGE))
		tap_bad("no SIGBUS behind the end");
	munmap(p, len);
	p = map(there("empty"), PAGE, PROT_READ, MAP_SHARED);
	if (!bus(p))
		tap_bad("no SIGBUS in an empty file");
	munmap(p, PAGE);
	tap_good("behind the end of a file");
}

static void check_private(void)
{
	char *p = map(there("file"), SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *q = map(there("file"), SIZE, PROT_READ, MAP_SHARED);
	char was = q[5000];
	int status;
	pid_t pid;

	p[5000] = was + 1;
	if (p[5000] != (char)(was + 1) || q[5000] != was)
		tap_bad("a private write is not private");
	pid = must(fork(), "fork");
	if (!pid) {
		p[9000] = 'c';
		_exit(q[9000] == 'c' || p[5000] == was);
	}
	must(waitpid(pid, &status, 0), "waitpid");
	if (status)
		tap_bad("a child sees something else");
	munmap(p, SIZE);
	munmap(q, SIZE);
	both_bytes("file");
	tap_good("a private mapping");
}

static void check_refused(void)
{
	int fd = lab_open(there("file"));
	void *p;

	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	refused(p == MAP_FAILED ? -1 : 0, EACCES, "a shared mapping for writing");
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	refused(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES, "mprotect");
	munmap(p, PAGE);
	close(fd);
	tap_good("no mapping for writing");
}

/* After what mremap, madvise and mlock do, the bytes are the same. */
static void check_moves(void)
{
	char *a = map(here("file"), SIZE, PROT_READ, MAP_SHARED);
	char *p = map(there("file"), SIZE / 2, PROT_READ, MAP_SHARED), *q;

	must(madvise(p, SIZE / 2, MADV_WILLNEED), "MADV_WILLNEED");
	q = mremap(p, SIZE / 2, SIZE, MREMAP_MAYMOVE);
	if (q == MAP_FAILED)
		die("mremap: %s", strerror(errno));
	must(mlock(q, SIZE), "mlock");
	if (memcmp(a, q, SIZE))
		tap_bad("the bytes differ");
	munmap(q, SIZE);
	munmap(a, SIZE);
	tap_good("mremap, madvise, mlock");
}

static void check_exec(void)
{
	int status;
	pid_t pid = must(fork(), "fork");

	if (!pid) {
		execl(there("true"), "true", (char *)NULL);
		_exit(99);
	}
	must(waitpid(pid, &status, 0), "waitpid");
	tap_ok(!status, "a program runs from the mount: status %x", status);
}

static u64 page_flags(int map, int flags, const char *p)
{
	u64 entry, v = 0;

	must(pread(map, &entry, 8, (uintptr_t)p / PAGE * 8), "pagemap");
	if (entry >> 63)
		must(pread(flags, &v, 8, (entry & ((1ull << 55) - 1)) * 8),
		     "kpageflags");
	return v;
}

/* A file that is read in order is in folios of more than a page. */
static void check_folios(void)
{
	char *buf = malloc(1 << 20), *p;
	unsigned int large = 0, i;
	int fd, pagemap, flags;

	fd = lab_open(there("large"));
	while (must(read(fd, buf, 1 << 20), "large") > 0)
		;
	close(fd);
	free(buf);
	p = map(there("large"), LARGE, PROT_READ, MAP_SHARED);
	pagemap = lab_open("/proc/self/pagemap");
	flags = lab_open("/proc/kpageflags");
	for (i = 0; i < LARGE / PAGE; i++) {
		(void)*(volatile char *)(p + i * PAGE);
		large += !!(page_flags(pagemap, flags, p + i * PAGE) &
			    KPF_COMPOUND);
	}
	munmap(p, LARGE);
	close(pagemap);
	close(flags);
	tap_ok(large > LARGE / PAGE / 2, "large folios: %u of %u pages", large,
	       LARGE / PAGE);
}

int main(void)
{
	lab("mkdir $EXPORT && cp /bin/true $EXPORT/true");
	make_file("file", SIZE);
	make_file("populated", SIZE);
	make_file("empty", 0);
	make_file("large", LARGE);
	lab("cluster a");
	check_shared();
	check_end();
	check_private();
	check_refused();
	check_moves();
	check_exec();
	check_folios();
	return tap_end();
}
