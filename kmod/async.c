// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes that nobody waits for; see async.h.
 */
#include <linux/aio.h>
#include "async.h"
#include "gns.h"
#include "session.h"

#define CLAIMED 0

bool gns_async_can(struct kiocb *iocb, size_t len, size_t max)
{
	return !is_sync_kiocb(iocb) && len && len <= max &&
	       !READ_ONCE(gns_isb(file_inode(iocb->ki_filp))->opt.soft);
}

bool gns_async_claim(struct gns_async *a)
{
	return !test_and_set_bit(CLAIMED, &a->state);
}

bool gns_async_is_over(const struct gns_async *a)
{
	return test_bit(CLAIMED, &a->state);
}

/*
 * AIO may cancel it until it is completed. io_uring wants to be told, and
 * tries again where it may wait.
 */
int gns_async_failed(struct gns_async *a, int err)
{
	if (!(a->iocb->ki_flags & IOCB_AIO_RW))
		return err;
	if (gns_async_claim(a))
		a->iocb->ki_complete(a->iocb, err);
	return -EIOCBQUEUED;
}

static void cancel_later(struct work_struct *work)
{
	struct gns_async *a = container_of(work, struct gns_async, cancel);

	a->iocb->ki_complete(a->iocb, -EINTR);
	/* Of a read nobody wants to hear any more; a change goes on. */
	if (a->c->req.type == GNS_CALL_READ)
		gns_call_abort(a->c, -EINTR);
	gns_call_put(a->c);
}

/* Under the lock of AIO: the kiocb has not ended, so @a is still there. */
static int cancel(struct kiocb *iocb)
{
	struct gns_async *a = iocb->private;

	if (!gns_async_claim(a))
		return 0;
	gns_call_get(a->c);
	queue_work(a->c->s->inst->wq, &a->cancel);
	return 0;
}

void gns_async_begin(struct gns_async *a, struct kiocb *iocb,
		     struct gns_call *c)
{
	a->iocb = iocb;
	a->c = c;
	INIT_WORK(&a->cancel, cancel_later);
	/* Of others it is for who polls, see gns_cdirect_read(). */
	if (iocb->ki_flags & IOCB_AIO_RW) {
		iocb->private = a;
		kiocb_set_cancel_fn(iocb, cancel);
	}
}
