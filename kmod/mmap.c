// SPDX-License-Identifier: GPL-2.0
/*
 * Mapped files: a page is mapped only while the lease is live and its deadline
 * far. Who unmaps (gns_lease_zap(), the fence) shuts that gate first, then
 * waits for faults which had passed it: they look at it again with the folio
 * locked, and keep that lock until the entry is made; those in gns_map_pages()
 * are inside of one RCU section.
 *
 * While the gate is shut a fault waits, without mmap_lock where it can be
 * dropped. It never ends in SIGBUS for that; only the end of the file, an error
 * of the origin, or the end of the process do that.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include "file.h"
#include "instance.h"
#include "lock.h"
#include "size.h"

/* Pause between looks at the gate; the longest wait with mmap_lock held. */
#define GATE_POLL (HZ / 20)
#define LOCKED_WAIT HZ

static bool is_open(const struct gns_inode *gi)
{
	return gns_lease_may_map(gi);
}

static bool is_live(const struct gns_inode *gi)
{
	return gns_session_live(gi->s);
}

/*
 * Sleep until something is said of the session, at most @timeout jiffies. It
 * may be frozen: the gate is shut while the host is about to sleep.
 */
static int session_wait(struct gns_inode *gi,
			bool (*is)(const struct gns_inode *gi), long timeout)
{
	DEFINE_WAIT(wait);

	while (timeout && !is(gi) && !fatal_signal_pending(current)) {
		prepare_to_wait(&gi->s->wait, &wait,
				TASK_KILLABLE | TASK_FREEZABLE_UNSAFE);
		if (!is(gi))
			timeout = schedule_timeout(timeout);
		finish_wait(&gi->s->wait, &wait);
	}
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * Wait until pages may be mapped. 0; -EAGAIN: @timeout jiffies are over; an
 * error of the origin; -EINTR or -ERESTARTSYS: killed.
 */
static int gate_wait(struct file *file, unsigned long timeout)
{
	struct gns_inode *gi = gns_i(file_inode(file));
	unsigned long begun = jiffies;
	int err;

	while (!gns_lease_may_map(gi)) {
		/* In line with changes: a steady writer starves nobody. */
		if (!gns_attr_ok(gi)) {
			err = gns_lease_get(gi,
					    GNS_UWANT_LEASE | GNS_UWANT_TURN,
					    file->f_cred, NULL);
			if (err)
				return err;
		}
		/* Live, but to be renewed soon; or gone again. */
		err = session_wait(gi, is_open, GATE_POLL);
		if (err)
			return err;
		if (jiffies - begun >= timeout)
			return -EAGAIN;
	}
	return 0;
}

/*
 * With mmap_lock dropped: into the cache, so that it is not read under it. A
 * read of one byte does all that it takes, and waits killably.
 */
static void fetch_page(struct file *file, pgoff_t index)
{
	struct kiocb iocb;
	struct iov_iter to;
	struct kvec vec;
	char byte;

	vec.iov_base = &byte;
	vec.iov_len = 1;
	init_sync_kiocb(&iocb, file);
	iocb.ki_pos = (loff_t)index << PAGE_SHIFT;
	iov_iter_kvec(&to, ITER_DEST, &vec, 1, 1);
	gns_buffered_read(&iocb, &to);
}

static vm_fault_t gate_wait_unlocked(struct vm_fault *vmf)
{
	struct file *file = get_file(vmf->vma->vm_file);
	pgoff_t index = vmf->pgoff;

	release_fault_lock(vmf);
	/* An error is met again, and told, by the next try. */
	if (!gate_wait(file, MAX_JIFFY_OFFSET))
		fetch_page(file, index);
	fput(file);
	return VM_FAULT_RETRY;
}

static vm_fault_t fault_errno(int err)
{
	/* A dying process must get out of the kernel: nothing else ends a
	 * copy from user memory that faults again and again.
	 */
	if (fatal_signal_pending(current))
		return VM_FAULT_SIGBUS;
	if (!err || err == -EAGAIN)
		return VM_FAULT_NOPAGE;
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

/* The gate is shut. */
static vm_fault_t fault_wait(struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;
	struct gns_inode *gi = gns_i(file_inode(file));
	struct gns_sb *gsb = gns_isb(file_inode(file));
	int err;

	if (fatal_signal_pending(current))
		return VM_FAULT_SIGBUS;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (fault_flag_allow_retry_first(vmf->flags))
		return gate_wait_unlocked(vmf);
	/* mmap_lock stays held: let others have it now and then. While there
	 * is no session a question could take for ever.
	 */
	if (!gns_session_live(gsb->s) && !READ_ONCE(gsb->opt.soft) &&
	    !READ_ONCE(gsb->dead))
		err = session_wait(gi, is_live, LOCKED_WAIT);
	else
		err = gate_wait(file, LOCKED_WAIT);
	return fault_errno(err);
}

/*
 * filemap_fault() found an error, and does not say which: what it was of a
 * lease that went, the next try finds out. Else the origin is asked.
 */
static vm_fault_t fault_error(struct vm_fault *vmf, u64 epoch)
{
	struct file *file = vmf->vma->vm_file;
	struct gns_inode *gi = gns_i(file_inode(file));
	u64 size = READ_ONCE(gi->size);
	struct gns_probed probed;
	int err;

	if (fatal_signal_pending(current))
		return VM_FAULT_SIGBUS;
	if (!gns_lease_ok(gi) || !gns_lease_same(gi, epoch))
		return VM_FAULT_NOPAGE;
	if (vmf->pgoff >= DIV_ROUND_UP(size, PAGE_SIZE))
		return VM_FAULT_SIGBUS;
	err = gns_pass_probe(file, (u64)vmf->pgoff << PAGE_SHIFT, &probed);
	if (err)
		return fault_errno(err);
	if (!gns_lease_same(gi, epoch))
		return VM_FAULT_NOPAGE;
	if (probed.version != READ_ONCE(gi->version))
		gns_lease_drop(gi);
	else if (probed.size != size)
		return VM_FAULT_SIGBUS;
	return VM_FAULT_NOPAGE;
}

static vm_fault_t gns_fault(struct vm_fault *vmf)
{
	struct gns_inode *gi = gns_i(file_inode(vmf->vma->vm_file));
	vm_fault_t ret;
	u64 epoch;

	gns_count(gns_isb(&gi->vfs_inode), GNS_C_FAULTS, 1);
	if (!gns_data_enter(gi, &epoch) || !gns_lease_may_map(gi))
		return fault_wait(vmf);
	gns_size_show(gi);
	ret = filemap_fault(vmf);
	/* mmap_lock was dropped: there may be neither mapping nor file. */
	if (ret & VM_FAULT_RETRY)
		return ret;
	if (ret & VM_FAULT_LOCKED) {
		if (gns_lease_may_map(gi) && gns_lease_same(gi, epoch))
			return ret;
		unlock_page(vmf->page);
		put_page(vmf->page);
		vmf->page = NULL;
		return VM_FAULT_NOPAGE;
	}
	return ret & VM_FAULT_SIGBUS ? fault_error(vmf, epoch) : ret;
}

/* Called without sleeping locks: the RCU section is what an unmapper waits for. */
static vm_fault_t gns_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = 0;

	rcu_read_lock();
	/* By i_size it tells what is behind the end. */
	if (gns_lease_may_map(gns_i(inode)) &&
	    i_size_read(inode) != GNS_SIZE_HIDDEN)
		ret = filemap_map_pages(vmf, start, end);
	rcu_read_unlock();
	return ret;
}

static const struct vm_operations_struct gns_vm_ops = {
	.fault = gns_fault,
	.map_pages = gns_map_pages,
};

int gns_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct gns_inode *gi = gns_i(file_inode(file));

	if (gns_guard_check(file))
		return -EIO;
	/* Nobody could write it back. */
	if (vma->vm_flags & VM_SHARED) {
		if (vma->vm_flags & VM_WRITE)
			return -ENODEV;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	if (gns_helper_is_me(gi->s->inst))
		return -EDEADLK;
	gns_lease_mapped(gi);
	vma->vm_ops = &gns_vm_ops;
	return 0;
}
