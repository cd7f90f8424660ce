/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regular files; between the files below, file.c and super.c only.
 *
 *	read.c		from the page cache, under a lease: the usual way
 *	pass.c		from the origin each time: where no lease is to be had,
 *			and O_DIRECT without a cache
 *	direct.c	O_DIRECT: from the cache's devices, or one of the above
 *	mmap.c		faults
 *	splice.c	pages of the cache into a pipe
 *	seek.c		positions, holes
 *	write.c		writes, fsync
 *	copy.c		copies
 *
 * Locks: none held over a call to the origin, but what the VFS holds already,
 * and invalidate_lock (shared) and folio locks of a fill; fence.c knows them.
 */
#ifndef GNS_FILE_H
#define GNS_FILE_H

#include <linux/uio.h>
#include "lease.h"

/* How often a read of cached bytes starts over before it goes past the cache. */
#define GNS_RESTARTS_MAX 3u

/* Pause before an origin that had no time is asked again. */
#define GNS_BUSY_MS 50u

/**
 * gns_data_enter() - as gns_lease_enter(), for size and bytes of a file
 * @gi:    a regular file
 * @epoch: set to the life of the lease
 */
static inline bool gns_data_enter(const struct gns_inode *gi, u64 *epoch)
{
	return gns_lease_enter(gi, epoch) && gns_attr_ok(gi);
}

/**
 * gns_left() - how much of a read is in front of the end
 * @gi:  a regular file; the caller compares its epoch afterwards
 * @pos: of the read, bytes
 * @len: its length, bytes
 */
static inline size_t gns_left(const struct gns_inode *gi, u64 pos, size_t len)
{
	u64 size = READ_ONCE(gi->size);

	return pos < size ? min_t(u64, len, size - pos) : 0;
}

/**
 * struct gns_try - one read of cached state, until it was of one version
 * @file:     who reads
 * @gi:       what
 * @nowait:   it must not wait
 * @restarts: so far
 * @epoch:    of the try that is under way
 * @busy:     the origin has no time since then, jiffies; 0: it has
 */
struct gns_try {
	struct file *file;
	struct gns_inode *gi;
	bool nowait;
	u32 restarts;
	u64 epoch;
	unsigned long busy;
};

/**
 * gns_try_begin() - the lease is live, or has been asked for
 * @t: file, gi, nowait set, the rest zero
 *
 * Context: process; waits for the origin, killable, unless @t->nowait.
 * Return: 1: read what is cached, then gns_try_keeps(); 0: there is no lease
 * to be had, read past the cache; -EAGAIN: it had to wait; else an error for
 * the application.
 */
int gns_try_begin(struct gns_try *t);

/**
 * gns_try_keeps() - does what was read count?
 * @t:   begun
 * @err: in: how it ended, 0 or an errno of any function in mm/filemap.c; out:
 *       for the application, when it counts
 *
 * Context: process; may sleep, killable, unless @t->nowait.
 * Return: false: undo it, and begin again.
 */
bool gns_try_keeps(struct gns_try *t, int *err);

/**
 * gns_read_result() - what a read gives that an error ended
 * @iocb:  as of read_iter; ki_pos has moved on
 * @to:    where to
 * @total: bytes that were read
 * @err:   0, or an errno
 *
 * Less than was asked for looks like the end of the file to many a program: an
 * error of the origin or the helper wins over the bytes before it, which are
 * given back.
 * Return: @total or @err.
 */
static inline ssize_t gns_read_result(struct kiocb *iocb, struct iov_iter *to,
				      size_t total, int err)
{
	if (!total)
		return err;
	if (err >= 0 || err == -EAGAIN || err == -EFAULT)
		return total;
	iov_iter_revert(to, total);
	iocb->ki_pos -= total;
	return err;
}

/**
 * gns_file_size() - the size of a file as of now
 * @file: open
 * @size: bytes
 *
 * Context: process; may wait for the origin, killable. Return: 0; an errno.
 */
int gns_file_size(struct file *file, loff_t *size);

/**
 * gns_buffered_read() - read through the page cache
 * @iocb: as of read_iter
 * @to:   where to
 *
 * Up to GNS_UREAD_MAX bytes are of one version.
 * Return: bytes; 0: EOF; an errno.
 */
ssize_t gns_buffered_read(struct kiocb *iocb, struct iov_iter *to);

/**
 * gns_pass_read() - read past the page cache
 * @iocb: as of read_iter; ki_pos moves on
 * @to:   where to
 * @len:  at most so much of it, bytes
 *
 * Pieces of GNS_UREAD_MAX, each of one version, none older than the one
 * before; what is read is as of this call. Waits, killable: never with
 * IOCB_NOWAIT.
 * Return: bytes; short only at EOF; 0: EOF; an errno: -ESTALE when the object
 * is gone.
 */
ssize_t gns_pass_read(struct kiocb *iocb, struct iov_iter *to, size_t len);

/**
 * gns_pass_async() - a read past the page cache that nobody waits for
 * @iocb: gns_async_can(), with GNS_UREAD_MAX
 * @to:   where to; memory that can not be held is read to at once
 *
 * Return: -EIOCBQUEUED: it ends later; -EAGAIN: it would have to wait; else as
 * gns_pass_read().
 */
ssize_t gns_pass_async(struct kiocb *iocb, struct iov_iter *to);

/**
 * gns_pass_again() - such a read, into memory that is held
 * @iocb: ki_pos is where it begins; kept by its file
 * @to:   where to; pages get a reference each
 * @n:    of @to; GNS_UREAD_MAX bytes at most
 * @user: the pages are of a process
 *
 * Context: process. Return: -EIOCBQUEUED: it ends later; an errno.
 */
int gns_pass_again(struct kiocb *iocb, const struct bio_vec *to, u32 n,
		   bool user);

/**
 * gns_direct_read() - O_DIRECT
 * @iocb: as of read_iter
 * @to:   where to
 *
 * From the cache's devices what they have, as of one version up to
 * GNS_UREAD_MAX bytes. What is neither there nor aligned goes through the page
 * cache, if there is one of both; what is not there comes from the origin.
 * Return: as of read_iter.
 */
ssize_t gns_direct_read(struct kiocb *iocb, struct iov_iter *to);

/**
 * struct gns_probed - what the origin says of one page
 * @version: 0: it changes
 * @size:    of the file, bytes
 */
struct gns_probed {
	u64 version;
	u64 size;
};

/**
 * gns_pass_probe() - can the origin read this page?
 * @file: open
 * @pos:  of the page, bytes
 * @p:    filled
 *
 * Return: 0; else what a read(2) of it would give.
 */
int gns_pass_probe(struct file *file, u64 pos, struct gns_probed *p);

/*
 * write.c: through to the origin. All of them wait for it, killable; a change
 * whose waiter was killed may happen yet.
 */

/**
 * gns_write_iter() - write(2) and its kin
 * @iocb: ki_pos moves on; to where it was written, when it appended
 * @from: the bytes
 *
 * Return: bytes that the origin has, durable with IOCB_DSYNC; an errno when it
 * has none of them.
 */
ssize_t gns_write_iter(struct kiocb *iocb, struct iov_iter *from);

/** gns_fsync() - files and directories; an error is told once to each file */
int gns_fsync(struct file *file, loff_t start, loff_t end, int datasync);

/** gns_sync_fs() - what was written through this mount is durable */
int gns_sync_fs(struct super_block *sb, int wait);

/** gns_fallocate() - whatever the origin's filesystem has of it */
long gns_fallocate(struct file *file, int mode, loff_t off, loff_t len);

/* copy.c: copies that stay at the origin. */
ssize_t gns_copy_file_range(struct file *in, loff_t from, struct file *out,
			    loff_t to, size_t len, unsigned int flags);
loff_t gns_remap_file_range(struct file *in, loff_t from, struct file *out,
			    loff_t to, loff_t len, unsigned int flags);

/* The file operations that are more than a line. */
loff_t gns_file_llseek(struct file *file, loff_t off, int whence);
int gns_file_mmap(struct file *file, struct vm_area_struct *vma);
ssize_t gns_splice_read(struct file *in, loff_t *ppos,
			struct pipe_inode_info *pipe, size_t len,
			unsigned int flags);

/*
 * open.c: open files live on without a name.
 */

/**
 * gns_open_begin() - a regular file is being opened
 * @gi:   the file
 * @cred: who opens it
 *
 * Asks the origin if there is no live lease. Context: process, sleeps,
 * killable. Return: 0, gns_open_end() follows one day; -ESTALE: it is gone;
 * else as gns_lease_get().
 */
int gns_open_begin(struct gns_inode *gi, const struct cred *cred);

/** gns_open_count() - its first half, which does not sleep */
bool gns_open_count(struct gns_inode *gi);

/** gns_open_counted() - its second half; @live: what the first one returned */
int gns_open_counted(struct gns_inode *gi, const struct cred *cred, bool live);

/** gns_open_end() - it is closed; process context, waits for no call */
void gns_open_end(struct gns_inode *gi);

/**
 * gns_open_closed() - does an inode that had open files have none any more?
 * @gi: in the list of its mount; s->opened_lock is held
 *
 * Then it leaves the list. Context: any. Return: false if that can not be told
 * at the moment, too.
 */
bool gns_open_closed(struct gns_inode *gi);

/** gns_open_forget() - an inode goes, no file is open; does not sleep */
void gns_open_forget(struct gns_inode *gi);

/** gns_open_again() - a new session: it shall know of what is open */
void gns_open_again(struct gns_session *s);

#endif
