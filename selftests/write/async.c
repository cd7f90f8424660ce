// SPDX-License-Identifier: GPL-2.0
/*
 * write-async: many reads and writes of one file under way, by AIO, io_uring
 * and threads, with the origin far away. Eight that are under way together
 * take about as long as one; eight in line wait for the link eight times on any
 * machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"
#include "uring.h"

#define N 8u
#define BLOCK 16384u
#define TRIES 3
#define RTT_MS 100 /* of the link; more where all is slow */
#define REACHED 300 /* ms */
#define DIES 10000 /* ms */
#define ENDS 60000 /* ms */

static char file_a[256], file_o[256];
static unsigned char (*block)[BLOCK], (*got)[BLOCK];
static aio_context_t aio;
static struct uring ring;
static u64 rtt; /* us, of the link */
static u64 one; /* us that one write takes */

static u64 us_since(u64 begin)
{
	return (lab_now() - begin) / 1000;
}

/* Other bytes each time, so that old ones are not taken for new. */
static void make_blocks(void)
{
	static unsigned int seed;
	unsigned int i, j;

	for (i = 0; i < N; i++) {
		seed++;
		for (j = 0; j < BLOCK; j++)
			block[i][j] = (seed * 2654435761u + j * 40503u) >> 13;
	}
}

static int open_a(int flags)
{
	int fd = open(file_a, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		die("%s: %s", file_a, strerror(errno));
	return fd;
}

/* Has the origin what was written? In any order, after an append. */
static void check_origin(const char *what, bool append)
{
	int fd = open(file_o, O_RDONLY | O_CLOEXEC);
	unsigned int i, j;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", file_o, strerror(errno));
	if (st.st_size != N * BLOCK)
		tap_bad("%s: %lld bytes at the origin", what,
			(long long)st.st_size);
	for (i = 0; i < N; i++) {
		if (pread(fd, got[i], BLOCK, i * BLOCK) != BLOCK)
			tap_bad("%s: block %u is not there", what, i);
		for (j = append ? 0 : i; j < (append ? N : i + 1); j++)
			if (!memcmp(got[i], block[j], BLOCK))
				break;
		if (j == (append ? N : i + 1))
			tap_bad("%s: block %u is another", what, i);
	}
	close(fd);
}

typedef void (*run_fn)(int fd, bool write);

static void run_aio(int fd, bool write)
{
	struct iocb cb[N], *list[N];
	struct io_event ev[N];
	unsigned int i;

	memset(cb, 0, sizeof(cb));
	for (i = 0; i < N; i++) {
		list[i] = &cb[i];
		cb[i].aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
		cb[i].aio_fildes = fd;
		cb[i].aio_buf = (unsigned long)(write ? block[i] : got[i]);
		cb[i].aio_nbytes = BLOCK;
		cb[i].aio_offset = i * BLOCK;
	}
	if (syscall(SYS_io_submit, aio, N, list) != N)
		die("io_submit: %s", strerror(errno));
	if (syscall(SYS_io_getevents, aio, N, N, ev, NULL) != N)
		die("io_getevents: %s", strerror(errno));
	for (i = 0; i < N; i++)
		if (ev[i].res != BLOCK)
			tap_bad("AIO: %s",
				ev[i].res < 0 ? strerror(-ev[i].res) : "short");
}

static void run_uring(int fd, bool write)
{
	struct uring_op op[N];
	unsigned int i;

	for (i = 0; i < N; i++)
		op[i] = (struct uring_op){ write, fd, write ? block[i] : got[i],
					   BLOCK, i * BLOCK, 0 };
	uring_run(&ring, op, N);
	for (i = 0; i < N; i++)
		if (op[i].res != BLOCK)
			tap_bad("io_uring: %s",
				op[i].res < 0 ? strerror(-op[i].res) : "short");
}

struct part {
	int fd;
	bool write;
	unsigned int i;
};

static void *run_part(void *arg)
{
	struct part *p = arg;
	ssize_t n;

	n = p->write ? pwrite(p->fd, block[p->i], BLOCK, p->i * BLOCK) :
		       pread(p->fd, got[p->i], BLOCK, p->i * BLOCK);
	if (n != BLOCK)
		tap_bad("a thread: %s", n < 0 ? strerror(errno) : "short");
	return NULL;
}

static void run_threads(int fd, bool write)
{
	struct part part[N];
	pthread_t t[N];
	unsigned int i;

	for (i = 0; i < N; i++) {
		part[i] = (struct part){ fd, write, i };
		t[i] = lab_thread(run_part, &part[i]);
	}
	for (i = 0; i < N; i++)
		if (!lab_join(t[i], ENDS))
			die("a thread does not end");
}

/* The best of some: this machine has other things to do, too. */
static void check(const char *what, run_fn run, int flags, bool write)
{
	int fd = open_a(O_RDWR | flags), i;
	u64 begin, best = UINT64_MAX, took;

	for (i = 0; i < TRIES; i++) {
		make_blocks();
		if (flags & O_APPEND && ftruncate(fd, 0))
			die("ftruncate: %s", strerror(errno));
		if (!write) {
			run_threads(fd, true);
			memset(got, 0, N * BLOCK);
			lab_forget();
		}
		begin = lab_now();
		run(fd, write);
		took = us_since(begin);
		if (took < best)
			best = took;
		if (!write && memcmp(got, block, N * BLOCK))
			tap_bad("other bytes were read");
		check_origin(what, flags & O_APPEND);
	}
	close(fd);
	tap_note("%s: %u took %llu us, one %llu us", what, N,
		 (unsigned long long)best, (unsigned long long)one);
	if (best >= (N - 1) * rtt)
		tap_bad("they stood in line");
	if (best < rtt)
		tap_bad("they did not wait for the origin");
	tap_good("%s", what);
}

static void measure_one(void)
{
	int fd = open_a(O_RDWR), i;
	u64 begin, took;

	one = UINT64_MAX;
	for (i = 0; i < 2 * TRIES; i++) {
		begin = lab_now();
		if (pwrite(fd, block[0], BLOCK, 0) != BLOCK)
			die("pwrite: %s", strerror(errno));
		took = us_since(begin);
		if (took < one)
			one = took;
	}
	close(fd);
	if (one < rtt)
		die("the link is too fast: %llu us", (unsigned long long)one);
}

/* <sys/uio.h> does not go with <linux/aio_abi.h>. */
static long at_once(long nr, int fd, struct iovec *v)
{
	return syscall(nr, fd, v, 1, 0, 0, 8 /* RWF_NOWAIT */);
}

/* How long a read of what is not cached and a write took to be refused. */
static u64 refused_in(int fd, struct iovec *v)
{
	u64 begin;
	ssize_t n;

	lab_forget();
	begin = lab_now();
	n = at_once(SYS_preadv2, fd, v);
	if (n != -1 || errno != EAGAIN)
		tap_bad("a read of what is not cached: %zd", n);
	n = at_once(SYS_pwritev2, fd, v);
	if (n != -1 || errno != EAGAIN)
		tap_bad("a write: %zd", n);
	return us_since(begin);
}

static void check_nowait(void)
{
	struct iovec v = { got[0], BLOCK };
	int fd = open_a(O_RDWR), i;
	u64 took, best = UINT64_MAX;

	/* The best of some: the machine may be busy elsewhere for as long. */
	for (i = 0; i < TRIES; i++) {
		took = refused_in(fd, &v);
		if (took < best)
			best = took;
	}
	if (best > one / 2)
		tap_bad("it has waited: %llu us", (unsigned long long)best);
	if (pread(fd, got[0], BLOCK, 0) != BLOCK ||
	    at_once(SYS_preadv2, fd, &v) != BLOCK)
		tap_bad("a read of what is cached: %s", strerror(errno));
	close(fd);
	tap_good("who must not wait does not");
}

static int aio_one(struct iocb *cb, int fd, void *buf, size_t len, u64 off)
{
	struct iocb *list = cb;

	*cb = (struct iocb){ .aio_lio_opcode = IOCB_CMD_PREAD,
			     .aio_fildes = fd,
			     .aio_buf = (unsigned long)buf,
			     .aio_nbytes = len,
			     .aio_offset = off };
	return syscall(SYS_io_submit, aio, 1, &list) == 1 ? 0 : errno;
}

static void check_edges(void)
{
	int fd = open_a(O_RDWR | O_DIRECT);
	struct io_event ev;
	struct iocb cb;

	if (aio_one(&cb, fd, got[0], BLOCK, N * BLOCK - 100) ||
	    syscall(SYS_io_getevents, aio, 1, 1, &ev, NULL) != 1 ||
	    ev.res != 100 || memcmp(got[0], block[N - 1] + BLOCK - 100, 100))
		tap_bad("at the end: %lld", (long long)ev.res);
	if (aio_one(&cb, fd, got[0], BLOCK, N * BLOCK) ||
	    syscall(SYS_io_getevents, aio, 1, 1, &ev, NULL) != 1 || ev.res)
		tap_bad("behind the end: %lld", (long long)ev.res);
	if (!aio_one(&cb, fd, (void *)8, BLOCK, 0) &&
	    (syscall(SYS_io_getevents, aio, 1, 1, &ev, NULL) != 1 ||
	     ev.res != -EFAULT))
		tap_bad("no memory there: %lld", (long long)ev.res);
	close(fd);
	tap_good("the end of the file, and memory that is none");
}

/* With a read and a write that will not be answered. */
static void be_killed(void)
{
	int fd = open_a(O_RDWR | O_DIRECT);
	struct iocb cb, wr = { .aio_lio_opcode = IOCB_CMD_PWRITE,
			       .aio_fildes = fd,
			       .aio_buf = (unsigned long)block[0],
			       .aio_nbytes = BLOCK };
	struct iocb *list = &wr;

	aio = 0;
	if (syscall(SYS_io_setup, N, &aio) ||
	    aio_one(&cb, fd, got[0], BLOCK, 0) ||
	    syscall(SYS_io_submit, aio, 1, &list) != 1)
		_exit(1);
	pause();
}

static void check_killed(void)
{
	u64 begin;
	pid_t pid;
	int st;

	lab("net_cut o");
	pid = fork();
	if (!pid)
		be_killed();
	lab_sleep(REACHED);
	kill(pid, SIGKILL);
	begin = lab_now();
	while (waitpid(pid, &st, WNOHANG) != pid && lab_ms(begin) < ENDS)
		lab_sleep(20);
	if (lab_ms(begin) > DIES)
		tap_bad("it took %llu ms to die",
			(unsigned long long)lab_ms(begin));
	if (!WIFSIGNALED(st))
		tap_bad("it ended with %d", st);
	lab("net_heal o");
	tap_good("who has reads and writes under way can be killed");
}

static void *on_pages(size_t len)
{
	void *p = aligned_alloc(4096, len);

	if (!p)
		die("no memory");
	return p;
}

int main(void)
{
	block = on_pages(N * BLOCK);
	got = on_pages(N * BLOCK);
	lab("cluster a");
	snprintf(file_a, sizeof(file_a), "%s/a/f", lab_env("LAB"));
	snprintf(file_o, sizeof(file_o), "%s/f", lab_env("EXPORT"));
	if (syscall(SYS_io_setup, 2 * N, &aio) || !uring_open(&ring))
		die("io_setup, io_uring: %s", strerror(errno));
	close(open_a(O_RDWR | O_CREAT));
	rtt = lab_slow(RTT_MS) * 1000ull;
	lab("net_link o delay %ums", lab_slow(RTT_MS) / 2);
	measure_one();
	check("threads, writes", run_threads, 0, true);
	check("AIO, writes", run_aio, 0, true);
	check("AIO, direct writes", run_aio, O_DIRECT, true);
	check("AIO, direct reads", run_aio, O_DIRECT, false);
	check("AIO, appends", run_aio, O_APPEND, true);
	check("io_uring, writes", run_uring, 0, true);
	check("io_uring, direct writes", run_uring, O_DIRECT, true);
	check("io_uring, direct reads", run_uring, O_DIRECT, false);
	check_edges();
	check_nowait();
	check_killed();
	return tap_end();
}
