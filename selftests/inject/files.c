// SPDX-License-Identifier: GPL-2.0
/*
 * Calls about bytes and locks; see calls.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "calls.h"
#include "client.h"
#include "lab.h"
#include "tap.h"
#include "uring.h"
#include "view.h"

#define PAGE 4096
#define UNLOCKED_MS 3000 /* an unlock goes on without its caller */

static sigjmp_buf bus;

static void open_append(void)
{
	prep_fresh();
	actor = PLACE_A;
	scene.fd = open(at("f"), O_WRONLY | O_APPEND | O_CLOEXEC);
	scene_must(scene.fd, "f");
}

static void open_written(void)
{
	open_rw();
	scene_must(pwrite(scene.fd, "new", 3, 5), "write");
}

static void open_fresh(void)
{
	prep_fresh();
	open_rw();
}

static void open_fresh_direct(void)
{
	prep_fresh();
	open_direct();
}

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(bus, 1);
}

static void open_map(void)
{
	struct sigaction sa = { .sa_handler = on_bus };

	sigaction(SIGBUS, &sa, NULL);
	open_fresh();
	scene.map = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, scene.fd, 0);
	if (scene.map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
}

static void open_locked(void)
{
	struct flock lk = { .l_type = F_WRLCK, .l_len = 100 };

	open_rw();
	scene_must(fcntl(scene.fd, F_OFD_SETLK, &lk), "lock");
}

static void open_copy(void)
{
	prep_two();
	open_rw();
	scene.fd2 = open(at("g"), O_RDWR | O_TRUNC | O_CLOEXEC);
	scene_must(scene.fd2, "g");
}

static void open_send(void)
{
	open_fresh();
	scene.fd2 = memfd_create("to", MFD_CLOEXEC);
	scene_must(scene.fd2, "memfd");
}

static long run_cut_open(void)
{
	scene.fd = open(at("f"), O_RDWR | O_TRUNC | O_CLOEXEC);
	return scene.fd;
}

static bool is_empty(void)
{
	return scene_origin("f") && !scene.st.st_size;
}

static bool has(off_t pos, const char *text, size_t len)
{
	char got[8] = "";
	int fd = open(scene_there("f"), O_RDONLY | O_CLOEXEC);

	scene_must(fd, "f");
	scene_must(pread(fd, got, len, pos), "read");
	close(fd);
	return !memcmp(got, text, len);
}

/* Over the border of two pages. */
static long run_write(void)
{
	return pwrite(scene.fd, scene.text, 3, PAGE - 1);
}

static bool is_written(void)
{
	return has(PAGE - 1, scene.text, 3);
}

static long run_append(void)
{
	return write(scene.fd, scene.text, 3);
}

static bool is_appended(void)
{
	return has(FILE_SIZE, scene.text, 3);
}

/* Where there is no io_uring this does nothing. */
static long by_uring(bool write)
{
	struct uring_op op = { write, scene.fd, scene.buf, PAGE, PAGE, 0 };
	static struct uring ring;
	static int has_ring = -1;

	if (has_ring < 0)
		has_ring = uring_open(&ring);
	if (!has_ring) {
		memcpy(scene.buf, scene.now + PAGE, PAGE);
		return 0;
	}
	uring_run(&ring, &op, 1);
	errno = op.res < 0 ? (int)-op.res : 0;
	return op.res;
}

static long run_uring_write(void)
{
	return by_uring(true);
}

static bool is_uring_written(void)
{
	return has(PAGE, scene.buf, 8);
}

static long run_uring_read(void)
{
	return by_uring(false);
}

static bool is_uring_read(void)
{
	return !memcmp(scene.buf, scene.now + PAGE, PAGE);
}

static long run_truncate(void)
{
	return ftruncate(scene.fd, 0);
}

static long run_read(void)
{
	ssize_t n = 1;
	size_t got;

	for (got = 0; got < FILE_SIZE && n > 0; got += n) {
		n = pread(scene.fd, scene.buf + got, FILE_SIZE - got, got);
		if (n < 0)
			return -1;
	}
	return got;
}

static bool is_read(void)
{
	return !memcmp(scene.buf, scene.now, FILE_SIZE);
}

static long run_map(void)
{
	if (sigsetjmp(bus, 1)) {
		errno = EIO;
		return -1;
	}
	memcpy(scene.buf, scene.map, FILE_SIZE);
	return FILE_SIZE;
}

static long run_send(void)
{
	off_t pos = 0;

	return sendfile(scene.fd2, scene.fd, &pos, FILE_SIZE);
}

static bool is_sent(void)
{
	ssize_t n = pread(scene.fd2, scene.buf, FILE_SIZE, 0);

	return n > 0 && !memcmp(scene.buf, scene.now, n);
}

static long run_fsync(void)
{
	return fsync(scene.fd);
}

static long run_syncfs(void)
{
	return syncfs(scene.fd);
}

static long run_fallocate(void)
{
	return fallocate(scene.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 0, PAGE);
}

static bool is_hole(void)
{
	return has(0, "\0\0\0", 3);
}

static long run_copy(void)
{
	off_t from = 0, to = 0;

	return copy_file_range(scene.fd, &from, scene.fd2, &to, FILE_SIZE, 0);
}

static bool is_copied(void)
{
	return scene_origin("g") && scene.st.st_size;
}

static long run_seek(void)
{
	return lseek(scene.fd, 0, SEEK_HOLE);
}

static long run_flock(void)
{
	return flock(scene.fd, LOCK_EX | LOCK_NB);
}

static long fcntl_lock(int cmd, int type, off_t start, off_t len)
{
	struct flock lk = { .l_type = type, .l_start = start, .l_len = len };

	return fcntl(scene.fd, cmd, &lk);
}

static long run_lock(void)
{
	return fcntl_lock(F_OFD_SETLK, F_WRLCK, 0, 100);
}

static bool is_unlocked;

/* What is left is in two pieces. */
static long run_unlock(void)
{
	long ret = fcntl_lock(F_OFD_SETLK, F_UNLCK, 10, 10);

	is_unlocked = !ret;
	return ret;
}

static long run_test_lock(void)
{
	return fcntl_lock(F_OFD_GETLK, F_WRLCK, 0, 100);
}

/* Whatever became of it: what is closed is free for the other host. */
static void over_lock(void)
{
	u64 begin = lab_now();
	int err;

	scene_over();
	actor = PLACE_B;
	scene.fd = open(at("f"), O_RDWR | O_CLOEXEC);
	scene_must(scene.fd, "f");
	do {
		err = run_flock() ?: run_lock();
	} while (err && lab_ms(begin) < lab_slow(UNLOCKED_MS));
	scene_must(err, "a lock that nobody has any more");
	scene_over();
	actor = PLACE_A;
}

/* Nobody goes on by a lock that the origin has given to others since. */
static void over_unlock(void)
{
	char byte;

	if (scene.fd >= 0 && !is_unlocked && pread(scene.fd, &byte, 1, 0) == 1)
		tap_bad("unlock: it failed, and the file is as before");
	over_lock();
}

#define C(what, prep, run, over, done) \
	{ \
		what, prep, run, over, done, false, \
		{ \
			"f" \
		} \
	}

const struct call file_calls[] = {
	C("open and cut", prep_fresh, run_cut_open, scene_over, is_empty),
	C("write", open_rw, run_write, scene_over, is_written),
	C("direct write", open_direct, run_write, scene_over, is_written),
	C("append", open_append, run_append, scene_over, is_appended),
	C("write by io_uring", open_fresh_direct, run_uring_write, scene_over,
	  is_uring_written),
	C("truncate", open_fresh, run_truncate, scene_over, is_empty),
	C("read", open_fresh, run_read, scene_over, is_read),
	C("direct read", open_fresh_direct, run_read, scene_over, is_read),
	C("read by io_uring", open_fresh_direct, run_uring_read, scene_over,
	  is_uring_read),
	C("mapped read", open_map, run_map, scene_over, is_read),
	C("sendfile", open_send, run_send, scene_over, is_sent),
	C("fsync", open_written, run_fsync, scene_over, NULL),
	C("syncfs", open_written, run_syncfs, scene_over, NULL),
	C("fallocate", open_fresh, run_fallocate, scene_over, is_hole),
	C("copy", open_copy, run_copy, scene_over, is_copied),
	C("seek", open_rw, run_seek, scene_over, NULL),
	C("flock", open_rw, run_flock, over_lock, NULL),
	C("lock", open_rw, run_lock, over_lock, NULL),
	C("unlock", open_locked, run_unlock, over_unlock, NULL),
	C("test of a lock", open_rw, run_test_lock, over_lock, NULL),
};

const size_t n_file_calls = ARRAY_SIZE(file_calls);
