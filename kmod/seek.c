// SPDX-License-Identifier: GPL-2.0
/*
 * Positions: the size under a lease, holes as the origin knows them. What is
 * cached says nothing about holes.
 */
#include "file.h"

static loff_t ask(struct file *file, loff_t off, int whence)
{
	struct inode *inode = file_inode(file);
	struct gns_inode *gi = gns_i(inode);
	struct gns_bufcall *b;
	u64 found;
	int err;

	if (off < 0 || off >= inode->i_sb->s_maxbytes)
		return -ENXIO;
	b = gns_bufcall_new(gi->s, gns_isb(inode), GNS_CALL_SEEK, file->f_cred,
			    0);
	if (!b)
		return -ENOMEM;
	b->c.req.fh = gi->fh;
	b->c.req.off = off;
	b->c.req.flags = whence;
	err = gns_not_absent(gns_call_sync(&b->c));
	found = b->c.ans.off;
	gns_call_put(&b->c);
	if (err)
		return err;
	if (found < off || found > inode->i_sb->s_maxbytes) {
		gns_err(gns_isb(inode),
			"SEEK from %llu went to %llu; look at the origin's log\n",
			off, found);
		return -EIO;
	}
	return vfs_setpos(file, found, inode->i_sb->s_maxbytes);
}

loff_t gns_file_llseek(struct file *file, loff_t off, int whence)
{
	u64 most = file_inode(file)->i_sb->s_maxbytes;
	loff_t size = 0, ret;
	int err;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		ret = ask(file, off, whence);
		if (ret != -EOPNOTSUPP)
			return ret;
		/* The origin can not tell: all data, then a hole. */
	}
	if (whence != SEEK_SET && whence != SEEK_CUR) {
		err = gns_file_size(file, &size);
		if (err)
			return err;
	}
	return generic_file_llseek_size(file, off, whence, most, size);
}
