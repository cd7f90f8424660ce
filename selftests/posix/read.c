// SPDX-License-Identifier: GPL-2.0
/*
 * posix-read: every way to read bytes, at every kind of place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "both.h"
#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"
#include "uring.h"

#define SIZE ((3u << 20) + 12345)
#define ROOM (1u << 20)

static char *want; /* all of "data" */
static char *got; /* ROOM and more, page-aligned */

/* What a read of @len bytes at @off has to be. */
static size_t due(u64 off, size_t len)
{
	return off >= SIZE ? 0 : min_u64(len, SIZE - off);
}

static void judge(const char *how, u64 off, size_t len, ssize_t n)
{
	if (n < 0)
		tap_bad("%s %zu at %llu: %s", how, len, (unsigned long long)off,
			strerror(errno));
	else if ((size_t)n != due(off, len))
		tap_bad("%s %zu at %llu: %zd bytes", how, len,
			(unsigned long long)off, n);
	else if (memcmp(got, want + off, n))
		tap_bad("%s %zu at %llu: wrong bytes", how, len,
			(unsigned long long)off);
}

static const u64 places[] = {
	0,
	1,
	511,
	512,
	4095,
	4096,
	4097,
	65535,
	65536,
	65537,
	131071,
	(1 << 20) - 1,
	1 << 20,
	(1 << 20) + 1,
	(2 << 20) - 1,
	2 << 20,
	(2 << 20) + 1,
	SIZE - 4097,
	SIZE - 4096,
	SIZE - 2,
	SIZE - 1,
	SIZE,
	SIZE + 1,
	SIZE + 4096,
	1ull << 40,
};

static const size_t lengths[] = { 0, 1, 511, 512, 4095, 4096, 4097, 70000, ROOM };

typedef ssize_t (*read_fn)(int fd, u64 off, size_t len);

static ssize_t by_pread(int fd, u64 off, size_t len)
{
	return pread(fd, got, len, off);
}

static ssize_t by_readv(int fd, u64 off, size_t len)
{
	size_t third = len / 3;
	struct iovec iov[3] = {
		{ got, third },
		{ got + third, 0 },
		{ got + third, len - third },
	};

	return preadv(fd, iov, 3, off);
}

static ssize_t by_splice(int fd, u64 off, size_t len)
{
	off64_t at = off;
	size_t sum = 0;
	ssize_t n = 0, m;
	int p[2];

	must(pipe2(p, O_CLOEXEC), "pipe");
	while (sum < len) {
		n = splice(fd, &at, p[1], NULL, min_u64(len - sum, 65536), 0);
		if (n <= 0)
			break;
		for (m = 0; n > 0; n -= m, sum += m)
			m = must(read(p[0], got + sum, n), "the pipe");
	}
	close(p[0]);
	close(p[1]);
	return n < 0 ? n : (ssize_t)sum;
}

static ssize_t by_sendfile(int fd, u64 off, size_t len)
{
	off_t at = off;
	ssize_t n = 0, sum = 0;
	int to;

	to = must(memfd_create("to", MFD_CLOEXEC), "memfd");
	while ((size_t)sum < len && (n = sendfile(to, fd, &at, len - sum)) > 0)
		sum += n;
	if (n < 0)
		sum = n;
	else if (sum)
		must(pread(to, got, sum, 0), "memfd");
	close(to);
	return sum;
}

static void each_place(const char *how, int fd, read_fn fn)
{
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		for (k = 0; k < ARRAY_SIZE(lengths); k++) {
			memset(got, 0xee, 64);
			judge(how, places[i], lengths[k],
			      fn(fd, places[i], lengths[k]));
		}
	}
	tap_good("%s at all places", how);
}

static void check_random(int fd)
{
	unsigned int seed = 7, i;
	size_t len;
	u64 off;

	for (i = 0; i < 300; i++) {
		off = rand_r(&seed) % (SIZE + 5000);
		len = rand_r(&seed) % 20000;
		judge("random pread", off, len, by_pread(fd, off, len));
	}
	tap_good("pread at random places");
}

/* In order, by read(2): the position moves by what was read. */
static void check_sequence(void)
{
	int fd = lab_open(there("data"));
	size_t len = 3333;
	u64 off = 0;
	ssize_t n;

	do {
		n = read(fd, got, len);
		judge("read", off, len, n);
		off += n > 0 ? n : 0;
	} while (n > 0);
	if (lseek(fd, 0, SEEK_CUR) != SIZE)
		tap_bad("the position is not the end");
	if (lseek(fd, -10, SEEK_END) != SIZE - 10)
		tap_bad("SEEK_END");
	refused(lseek(fd, -1, SEEK_SET), EINVAL, "a negative place");
	refused(pread(fd, got, 1, -1), EINVAL, "pread there");
	refused(syscall(SYS_pread64, fd, 8, 4096, 0), EFAULT, "into no memory");
	close(fd);
	tap_good("read in order, lseek");
}

/* Never seen by anybody: each gets a file that nobody has read. */
static void check_cold(void)
{
	static const struct {
		const char *name;
		read_fn fn;
	} ways[] = {
		{ "cold1", by_pread },
		{ "cold2", by_readv },
		{ "cold3", by_splice },
		{ "cold4", by_sendfile },
	};
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		fd = lab_open(there(ways[i].name));
		judge(ways[i].name, 77777, 100000, ways[i].fn(fd, 77777, 100000));
		judge(ways[i].name, SIZE - 5, 10, ways[i].fn(fd, SIZE - 5, 10));
		close(fd);
	}
	tap_good("the same from the origin");
}

static void check_direct(void)
{
	int fd = must(open(there("data"), O_RDONLY | O_DIRECT | O_CLOEXEC),
		      "O_DIRECT");
	u64 fills = host_count("a", GNS_C_FILL_BYTES);

	each_place("O_DIRECT", fd, by_pread);
	judge("O_DIRECT into an odd address", 4096, 4096,
	      pread(fd, got + 1, 4096, 4096) == 4096 ?
		      (memmove(got, got + 1, 4096), 4096) :
		      -1);
	close(fd);
	fd = must(open(there("direct"), O_RDONLY | O_DIRECT | O_CLOEXEC), "direct");
	judge("O_DIRECT of a cold file", 100, 300000, by_pread(fd, 100, 300000));
	if (host_count("a", GNS_C_FILL_BYTES) != fills)
		tap_bad("O_DIRECT fills the page cache");
	close(fd);
	tap_good("O_DIRECT keeps out of the cache");
}

static ssize_t nowait(int fd, u64 off, size_t len)
{
	struct iovec iov = { got, len };

	return preadv2(fd, &iov, 1, off, RWF_NOWAIT);
}

/* It may read less than there is, but never wait, and never the wrong bytes. */
static void check_nowait(void)
{
	int fd = lab_open(there("nowait"));
	ssize_t n;

	/* It begins readahead, which may be there when the page is looked at. */
	n = nowait(fd, 0, 4096);
	if (n >= 0)
		judge("nowait of what is not cached", 0, 4096, n);
	else if (errno != EAGAIN)
		tap_bad("nowait of what is not cached: %s", strerror(errno));
	judge("pread", 0, 65536, by_pread(fd, 0, 65536));
	n = nowait(fd, 0, 65536);
	if (n != 65536 || memcmp(got, want, n))
		tap_bad("what is cached: %zd", n);
	n = nowait(fd, SIZE - 1000, 65536);
	if (n >= 0)
		judge("nowait at the end", SIZE - 1000, 65536, n);
	else if (errno != EAGAIN)
		tap_bad("nowait at the end: %s", strerror(errno));
	close(fd);
	tap_good("RWF_NOWAIT");
}

static void check_uring(void)
{
	struct uring r;
	int fd, cold;
	size_t i;

	if (!uring_open(&r)) {
		tap_note("no io_uring here: %s", strerror(errno));
		return;
	}
	fd = lab_open(there("data"));
	cold = lab_open(there("uring"));
	for (i = 0; i < ARRAY_SIZE(places) - 1; i++) {
		judge("io_uring", places[i], 70000,
		      uring_read(&r, fd, got, 70000, places[i]));
		judge("io_uring, cold", places[i], 5000,
		      uring_read(&r, cold, got, 5000, places[i]));
	}
	close(fd);
	close(cold);
	uring_close(&r);
	tap_good("io_uring");
}

/* Asked for, not waited for: it comes by itself. */
static void check_ahead(void)
{
	int fd = lab_open(there("ahead"));
	u64 end = lab_now() + 20 * NSEC_PER_SEC;
	ssize_t n;

	must(readahead(fd, 0, ROOM), "readahead");
	do {
		lab_sleep(20);
		n = nowait(fd, 0, ROOM);
	} while (n < (ssize_t)ROOM && lab_now() < end);
	judge("after readahead", 0, ROOM, n);
	if (posix_fadvise(fd, ROOM, ROOM, POSIX_FADV_WILLNEED) ||
	    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		tap_bad("posix_fadvise");
	close(fd);
	tap_good("readahead");
}

static void check_holes(void)
{
	static const int whence[] = { SEEK_DATA, SEEK_HOLE };
	int a = lab_open(here("holes")), b = lab_open(there("holes"));
	off_t x, y, off;
	int i;

	for (off = 0; off <= 40 * 65536 + 7; off += 16384 - 1) {
		for (i = 0; i < 2; i++) {
			x = lseek(a, off, whence[i]);
			y = lseek(b, off, whence[i]);
			if (x != y)
				tap_bad("%s from %ld: %ld, not %ld",
					i ? "SEEK_HOLE" : "SEEK_DATA", (long)off,
					(long)y, (long)x);
		}
	}
	refused(lseek(b, 1ll << 40, SEEK_DATA), ENXIO, "data behind the end");
	both_bytes("holes");
	close(a);
	close(b);
	tap_good("holes and data");
}

static void make_holes(void)
{
	int fd, i;

	make_file("holes", 0);
	fd = must(open(here("holes"), O_WRONLY | O_CLOEXEC), "holes");
	for (i = 1; i < 40; i += 1 + i % 5)
		must(pwrite(fd, want, 5000, i * 65536), "holes");
	must(ftruncate(fd, 40 * 65536), "holes");
	close(fd);
}

static void make_files(void)
{
	static const char *const copies[] = {
		"cold1",
		"cold2",
		"cold3",
		"cold4",
		"direct",
		"nowait",
		"uring",
		"ahead",
	};
	unsigned int seed = 1;
	size_t i;
	int fd;

	want = malloc(SIZE);
	got = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!want || got == MAP_FAILED)
		die("no memory");
	for (i = 0; i < SIZE; i++)
		want[i] = i % 64 ? want[i - 1] * 5 + 1 : rand_r(&seed);
	fd = must(open(here("data"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644), "data");
	if (must(write(fd, want, SIZE), "data") != SIZE)
		die("a short write");
	close(fd);
	for (i = 0; i < ARRAY_SIZE(copies); i++) {
		fd = must(open(here(copies[i]), O_WRONLY | O_CREAT | O_CLOEXEC,
			       0644),
			  copies[i]);
		if (must(write(fd, want, SIZE), copies[i]) != SIZE)
			die("a short write");
		close(fd);
	}
	make_file("one", 1);
	make_file("none", 0);
	make_file("page", 4096);
	make_holes();
}

int main(void)
{
	int fd;

	lab("mkdir $EXPORT");
	make_files();
	lab("cluster a");
	check_cold();
	fd = lab_open(there("data"));
	each_place("pread", fd, by_pread);
	each_place("preadv", fd, by_readv);
	each_place("splice", fd, by_splice);
	each_place("sendfile", fd, by_sendfile);
	check_random(fd);
	close(fd);
	check_sequence();
	both_bytes("none");
	both_bytes("one");
	both_bytes("page");
	tap_good("short files");
	check_nowait();
	check_uring();
	check_ahead();
	check_holes();
	check_direct();
	return tap_end();
}
