// SPDX-License-Identifier: GPL-2.0
/*
 * O_TMPFILE: files that are made without a name.
 *
 * The origin keeps such a file as it keeps one that was deleted while it was
 * open (open.c), by the lease in its answer. It counts as open before anybody
 * has it; when the lease was lost before that, the file is gone, and another
 * one is made.
 *
 * Whether it may get a name is the VFS's to know, and the origin's.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include "change.h"
#include "dir.h"
#include "file.h"

/* How often the origin may lose it before it is open. */
#define TRIES 5

/* Nobody here wants what it made. */
static void let_go(struct gns_change *ch)
{
	const struct gns_answer *ans = &ch->c.ans;

	if (!ans->err && ans->fh.len && ans->grant.number)
		gns_lease_revoke(ch->c.s, ans->sid, &ans->fh,
				 ans->grant.number);
}

/* @inode goes to the file's dentry, which is the VFS's. */
static int open_inode(struct inode *inode, struct file *file)
{
	struct gns_inode *gi = gns_i(inode);
	int err = gns_open_begin(gi, file->f_cred);

	if (err) {
		iput(inode);
		return err;
	}
	d_mark_tmpfile(file, inode);
	d_instantiate(file->f_path.dentry, inode);
	err = finish_open_simple(file, 0);
	gns_open_end(gi);
	return err;
}

static int open_made(struct gns_change *ch, struct file *file)
{
	struct inode *inode = gns_change_made(ch, file->f_path.dentry->d_sb);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	if (S_ISREG(inode->i_mode))
		return open_inode(inode, file);
	iput(inode);
	return -EIO;
}

static int try(struct inode *dir, struct file *file, umode_t mode)
{
	struct gns_change *ch = gns_change_new(dir->i_sb, GNS_CALL_TMPFILE,
					       current_cred(), 0);
	int err;

	if (!ch)
		return -ENOMEM;
	ch->c.req.fh = gns_i(dir)->fh;
	ch->c.req.mode = mode & 07777;
	ch->c.req.umask = current_umask();
	if (file->f_flags & O_EXCL)
		ch->c.req.flags = GNS_UT_EXCL;
	ch->over = let_go;
	err = gns_change_run(ch);
	if (!err) {
		err = open_made(ch, file);
		if (err)
			let_go(ch);
	}
	gns_change_put(ch);
	return err;
}

int gns_tmpfile(gns_idmap_t *idmap, struct inode *dir, struct file *file,
		umode_t mode)
{
	int i, err = -ESTALE;

	for (i = 0; i < TRIES && err == -ESTALE; i++)
		err = try(dir, file, mode);
	return err;
}
