/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads and writes that nobody waits for: of AIO and io_uring. They are on
 * their way to the origin, as many as the caller likes to submit, when the
 * system call returns; a worker ends them.
 *
 * Only what fits into one call is done so, and not on a soft mount, where
 * somebody has to look at the time. The rest waits, as for read(2).
 *
 * A process that exits has its AIO cancelled, as by io_cancel(2): then it
 * ends with EINTR, and a write may happen yet.
 */
#ifndef GNS_ASYNC_H
#define GNS_ASYNC_H

#include "call.h"

/**
 * struct gns_async - a kiocb that ends later; part of what @c frees
 * @iocb:   its owner's until it is ended, which happens once
 * @c:      the call
 * @state:  bit 0: somebody ends it, or has done so
 * @cancel: ends it with EINTR
 */
struct gns_async {
	struct kiocb *iocb;
	struct gns_call *c;
	unsigned long state;
	struct work_struct cancel;
};

/** gns_async_can() - may this one be ended later? @len: bytes, @max: of a call */
bool gns_async_can(struct kiocb *iocb, size_t len, size_t max);

/**
 * gns_async_begin() - from now on it may be cancelled
 * @a:    zeroed
 * @iocb: gns_async_can()
 * @c:    not submitted; the caller has a reference until gns_async_claim()
 */
void gns_async_begin(struct gns_async *a, struct kiocb *iocb,
		     struct gns_call *c);

/**
 * gns_async_claim() - is it the caller who ends it?
 * @a: begun
 *
 * Any context. Return: true: call ki_complete, once, or return its result from
 * the system call; false: it has been cancelled, @a->iocb is not to be used.
 */
bool gns_async_claim(struct gns_async *a);

/**
 * gns_async_failed() - nothing was sent
 * @a:   begun
 * @err: why
 *
 * Return: for the system call. Whatever it is, @a may be freed.
 */
int gns_async_failed(struct gns_async *a, int err);

/** gns_async_is_over() - has it been cancelled? */
bool gns_async_is_over(const struct gns_async *a);

#endif
