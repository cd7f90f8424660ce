// SPDX-License-Identifier: GPL-2.0
/*
 * Splice: pages of the cache into a pipe. What was put there while the lease
 * lived is of that version for ever; when it did not live until the end, it is
 * taken out again: the caller holds the pipe, so nobody has seen it.
 */
#include <linux/fs.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include "ahead.h"
#include "file.h"
#include "lock.h"

#ifdef GNS_SPLICE_BY_READ
ssize_t gns_splice_read(struct file *in, loff_t *ppos,
			struct pipe_inode_info *pipe, size_t len,
			unsigned int flags)
{
	return generic_file_splice_read(in, ppos, pipe, len, flags);
}
#else
static void pipe_take_back(struct pipe_inode_info *pipe, unsigned int head)
{
	while (pipe->head != head) {
		pipe->head--;
		pipe_buf_release(pipe, &pipe->bufs[pipe->head &
						   (pipe->ring_size - 1)]);
	}
}

ssize_t gns_splice_read(struct file *in, loff_t *ppos,
			struct pipe_inode_info *pipe, size_t len,
			unsigned int flags)
{
	struct gns_try t = {
		.file = in,
		.gi = gns_i(file_inode(in)),
	};
	struct gns_sb *gsb = gns_isb(file_inode(in));
	unsigned int head = pipe->head;
	loff_t pos = *ppos;
	size_t left;
	ssize_t ret;
	int err;

	if (gns_guard_check(in))
		return -EIO;
	len = min_t(size_t, len, GNS_UREAD_MAX);
	for (;;) {
		err = gns_try_begin(&t);
		if (err < 0)
			return err;
		/* Through read_iter, which counts it. */
		if (!err)
			return copy_splice_read(in, ppos, pipe, len, flags);
		left = gns_left(t.gi, pos, len);
		ret = left ? filemap_splice_read(in, ppos, pipe, left, flags) :
			     0;
		err = ret < 0 ? ret : 0;
		if (gns_try_keeps(&t, &err))
			break;
		pipe_take_back(pipe, head);
		*ppos = pos;
	}
	/* What another one did whose lock came after a lost one. */
	if (gns_guard_check(in)) {
		pipe_take_back(pipe, head);
		*ppos = pos;
		return -EIO;
	}
	gns_count(gsb, GNS_C_READS, 1);
	if (ret > 0) {
		gns_count(gsb, GNS_C_READ_BYTES, ret);
		gns_ahead_read(in, *ppos);
	}
	return ret > 0 ? ret : err;
}
#endif
