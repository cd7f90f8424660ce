// SPDX-License-Identifier: GPL-2.0
/*
 * Copies that stay at the origin: no byte of them comes here.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/splice.h>
#include "change.h"
#include "file.h"
#include "lock.h"

/* One COPY; longer ones are several. */
#define COPY_MAX SZ_1G

/* Bytes copied; 0: there is nothing to copy from there on; an errno. */
static s64 copy(struct file *in, u64 from, struct file *out, u64 to, u64 len,
		u32 flags)
{
	struct inode *src = file_inode(in), *dst = file_inode(out);
	struct gns_change *ch = gns_change_new(dst->i_sb, GNS_CALL_COPY,
					       out->f_cred, 0);
	s64 ret;

	if (!ch)
		return -ENOMEM;
	gns_change_touches(ch, dst);
	ch->c.req.fh = gns_i(src)->fh;
	ch->c.req.off = from;
	ch->c.req.fh2 = gns_i(dst)->fh;
	ch->c.req.off2 = to;
	ch->c.req.count = len;
	ch->c.req.flags = flags;
	ch->from = to;
	ch->to = len ? to + len : U64_MAX;
	/* What is read, too, may be another's by now. */
	ret = gns_guard_check(in);
	if (!ret)
		ret = gns_guard_call(&ch->c, out);
	if (!ret)
		ret = gns_change_run(ch);
	if (!ret)
		ret = gns_guard_check(in);
	if (!ret) {
		ret = ch->c.ans.count;
		if (len && ret > len)
			ret = -EIO;
	}
	gns_change_put(ch);
	return ret;
}

ssize_t gns_copy_file_range(struct file *in, loff_t from, struct file *out,
			    loff_t to, size_t len, unsigned int flags)
{
	ssize_t total = 0;
	s64 ret = 0;

	if (in->f_op != out->f_op ||
	    file_inode(in)->i_sb != file_inode(out)->i_sb)
		return gns_splice_copy(in, from, out, to, len, flags);
	while (len) {
		ret = copy(in, from + total, out, to + total,
			   min_t(size_t, len, COPY_MAX), 0);
		if (ret <= 0)
			break;
		total += ret;
		len -= ret;
		if (fatal_signal_pending(current))
			break;
	}
	if (total)
		return total;
	/* The origin, or its filesystem, can not. */
	if (ret == -EOPNOTSUPP || ret == -EXDEV)
		return gns_splice_copy(in, from, out, to, len, flags);
	return ret;
}

loff_t gns_remap_file_range(struct file *in, loff_t from, struct file *out,
			    loff_t to, loff_t len, unsigned int flags)
{
	s64 ret;

	/* Sharing what is alike would need both to be compared there. */
	if (flags & ~(REMAP_FILE_CAN_SHORTEN | REMAP_FILE_ADVISORY))
		return -EOPNOTSUPP;
	/* It is shared as asked for, or not at all. */
	ret = copy(in, from, out, to, len, GNS_UY_CLONE);
	return ret < 0 ? ret : (len ?: ret);
}
