// SPDX-License-Identifier: GPL-2.0
/*
 * Registered buffers: memory of the helper, pinned once, so that nothing in
 * an answer can fault.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "chardev.h"

/* Pinned at a time; a signal is noticed in between. */
#define PIN_PAGES 4096u

/**
 * struct gns_buffer - one of them
 * @mm:    whose limit its pages count against, a reference to the struct
 * @npages: pinned
 * @pages: they
 */
struct gns_buffer {
	struct mm_struct *mm;
	unsigned long npages;
	struct page *pages[];
};

void gns_buffers_init(struct gns_buffers *b)
{
	mutex_init(&b->mutex);
	b->n = 0;
}

static int pin(struct gns_buffer *buf, unsigned long addr, unsigned long npages)
{
	int n;

	while (buf->npages < npages) {
		if (signal_pending(current))
			return -EINTR;
		n = pin_user_pages_fast(addr + (buf->npages << PAGE_SHIFT),
					min_t(unsigned long, PIN_PAGES,
					      npages - buf->npages),
					FOLL_WRITE | FOLL_LONGTERM,
					buf->pages + buf->npages);
		if (n <= 0)
			return n ? n : -EFAULT;
		buf->npages += n;
		cond_resched();
	}
	return 0;
}

static void unpin(struct gns_buffer *buf)
{
	/* TAKE may have written to any of them. */
	unpin_user_pages_dirty_lock(buf->pages, buf->npages, true);
}

static struct gns_buffer *buffer_new(unsigned long addr, unsigned long npages)
{
	struct gns_buffer *buf;
	int err;

	buf = kvzalloc(struct_size(buf, pages, npages), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	err = account_locked_vm(current->mm, npages, true);
	if (err)
		goto out_free;
	err = pin(buf, addr, npages);
	if (err)
		goto out_unpin;
	buf->mm = current->mm;
	mmgrab(buf->mm);
	return buf;

out_unpin:
	unpin(buf);
	account_locked_vm(current->mm, npages, false);
out_free:
	kvfree(buf);
	return ERR_PTR(err);
}

int gns_buffers_add(struct gns_buffers *b, u64 addr, u64 len)
{
	struct gns_buffer *buf;
	u64 end;
	int nr;

	if (!len || len > GNS_UBUF_MAX || !PAGE_ALIGNED(addr) ||
	    !PAGE_ALIGNED(len) || check_add_overflow(addr, len, &end))
		return -EINVAL;
	if (mutex_lock_killable(&b->mutex))
		return -EINTR;
	nr = b->n;
	if (nr == GNS_UBUFS_MAX) {
		nr = -ENOSPC;
		goto out;
	}
	buf = buffer_new(addr, len >> PAGE_SHIFT);
	if (IS_ERR(buf)) {
		nr = PTR_ERR(buf);
		goto out;
	}
	b->buf[nr] = buf;
	/* Pairs with gns_buffers_range(). */
	smp_store_release(&b->n, nr + 1);
out:
	mutex_unlock(&b->mutex);
	return nr;
}

int gns_buffers_range(struct gns_buffers *b, u32 nr, u64 offset, u32 len,
		      struct gns_bytes *bytes)
{
	struct gns_buffer *buf;
	u64 size;

	/* Pairs with gns_buffers_add(). */
	if (nr >= smp_load_acquire(&b->n))
		return -EINVAL;
	buf = b->buf[nr];
	size = (u64)buf->npages << PAGE_SHIFT;
	if (offset > size || len > size - offset)
		return -EINVAL;
	bytes->pages = buf->pages;
	bytes->offset = offset;
	bytes->len = len;
	return 0;
}

void gns_buffers_destroy(struct gns_buffers *b)
{
	struct gns_buffer *buf;

	while (b->n) {
		buf = b->buf[--b->n];
		unpin(buf);
		account_locked_vm(buf->mm, buf->npages, false);
		mmdrop(buf->mm);
		kvfree(buf);
	}
}
