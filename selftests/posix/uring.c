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

#include "client.h"
#include "uring.h"

#define ENTRIES 4u

static void *at(struct uring *r, unsigned int offset)
{
	return (char *)r->ring + offset;
}

bool uring_open(struct uring *r)
{
	struct io_uring_params p = { 0 };

	r->fd = syscall(SYS_io_uring_setup, ENTRIES, &p);
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
	munmap(r->sqes, ENTRIES * sizeof(*r->sqes));
	close(r->fd);
}

ssize_t uring_read(struct uring *r, int fd, void *buf, size_t len, u64 off)
{
	unsigned int tail = *r->sq_tail, slot = tail & *r->sq_mask;
	unsigned int head = *r->cq_head;
	int res;

	r->sqes[slot] = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = fd,
		.addr = (unsigned long)buf,
		.len = len,
		.off = off,
	};
	r->sq_array[slot] = slot;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == head)
		if (syscall(SYS_io_uring_enter, r->fd,
			    *r->sq_tail - tail, 1, IORING_ENTER_GETEVENTS, NULL,
			    0) < 0 &&
		    errno != EINTR)
			die("io_uring: %s", strerror(errno));
	res = r->cqes[head & *r->cq_mask].res;
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	if (res >= 0)
		return res;
	errno = -res;
	return -1;
}
