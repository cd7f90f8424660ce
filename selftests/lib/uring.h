/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads and writes by io_uring, without a library.
 *
 * Lifetime: uring_open() .. uring_close(). Locks: none.
 */
#ifndef GNS_TEST_URING_H
#define GNS_TEST_URING_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/types.h"

struct io_uring_sqe;
struct io_uring_cqe;

struct uring {
	int fd;
	void *ring;
	size_t ring_len;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int *sq_tail, *sq_array, *sq_mask;
	unsigned int *cq_head, *cq_tail, *cq_mask;
};

/** uring_open() - Return: false with errno set when the kernel has none */
bool uring_open(struct uring *r);
void uring_close(struct uring *r);

/** uring_read() - as pread(2), with nothing else under way */
ssize_t uring_read(struct uring *r, int fd, void *buf, size_t len, u64 off);

#define URING_ENTRIES 16u

/** struct uring_op - as of pread(2) and pwrite(2); @res: bytes, or -errno */
struct uring_op {
	bool write;
	int fd;
	void *buf;
	size_t len;
	u64 off;
	ssize_t res;
};

/** uring_run() - all at once, and wait for them; at most URING_ENTRIES */
void uring_run(struct uring *r, struct uring_op *ops, unsigned int n);

#endif
