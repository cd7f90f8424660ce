// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring by its system calls; see uring.h.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../tree/client.h"
#include "uring.h"

static void *at(struct uring *r, unsigned int offset)
{
	return (char *)r->ring + offset;
}

bool uring_open(struct uring *r)
{
	struct io_uring_params p = { 0 };

	r->fd = syscall(SYS_io_uring_setup, URING_ENTRIES, &p);
	if (r->fd < 0)
		return false;
	r->ring_len = p.cq_off.cqes + p.cq_entries * sizeof(*r->cqes);
	if (r->ring_len < p.sq_off.array + p.sq_entries * sizeof(int))
		r->ring_len = p.sq_off.array + p.sq_entries * sizeof(int);
	r->ring = mmap(NULL, r->ring_len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQ_RING);
	r->sqes = mmap(NULL, p.sq_entries * sizeof(*r->sqes),
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
		       IORING_OFF_SQES);
	if (r->ring == MAP_FAILED || (void *)r->sqes == MAP_FAILED)
		die("the rings can not be mapped: %s", strerror(errno));
	r->sq_tail = at(r, p.sq_off.tail);
	r->sq_array = at(r, p.sq_off.array);
	r->sq_mask = at(r, p.sq_off.ring_mask);
	r->cq_head = at(r, p.cq_off.head);
	r->cq_tail = at(r, p.cq_off.tail);
	r->cq_mask = at(r, p.cq_off.ring_mask);
	r->cqes = at(r, p.cq_off.cqes);
	return true;
}

void uring_close(struct uring *r)
{
	munmap(r->ring, r->ring_len);
	munmap(r->sqes, URING_ENTRIES * sizeof(*r->sqes));
	close(r->fd);
}

static void put(struct uring *r, const struct uring_op *op, unsigned int nr)
{
	unsigned int tail = *r->sq_tail, slot = tail & *r->sq_mask;

	r->sqes[slot] = (struct io_uring_sqe){
		.opcode = op->write ? IORING_OP_WRITE : IORING_OP_READ,
		.fd = op->fd,
		.addr = (unsigned long)op->buf,
		.len = op->len,
		.off = op->off,
		.user_data = nr,
	};
	r->sq_array[slot] = slot;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

static void take(struct uring *r, struct uring_op *ops, unsigned int n)
{
	unsigned int head = *r->cq_head;
	struct io_uring_cqe *cqe = &r->cqes[head & *r->cq_mask];

	if (cqe->user_data >= n)
		die("io_uring: an answer to nothing");
	ops[cqe->user_data].res = cqe->res;
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
}

void uring_run(struct uring *r, struct uring_op *ops, unsigned int n)
{
	unsigned int i, todo = n, sent;

	if (n > URING_ENTRIES)
		die("io_uring: %u are too many", n);
	for (i = 0; i < n; i++)
		put(r, &ops[i], i);
	for (sent = n; todo;) {
		if (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) !=
		    *r->cq_head) {
			take(r, ops, n);
			todo--;
			continue;
		}
		if (syscall(SYS_io_uring_enter, r->fd, sent, 1,
			    IORING_ENTER_GETEVENTS, NULL, 0) >= 0)
			sent = 0;
		else if (errno != EINTR)
			die("io_uring: %s", strerror(errno));
	}
}

ssize_t uring_read(struct uring *r, int fd, void *buf, size_t len, u64 off)
{
	struct uring_op op = { .fd = fd, .buf = buf, .len = len, .off = off };

	uring_run(r, &op, 1);
	if (op.res >= 0)
		return op.res;
	errno = -op.res;
	return -1;
}
