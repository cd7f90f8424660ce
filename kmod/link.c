// SPDX-License-Identifier: GPL-2.0
/*
 * Symbolic links. A link's target can not be changed, so what was read once
 * holds as long as the handle does, with a lease and without.
 */
#include <linux/namei.h>
#include <linux/slab.h>
#include "lease.h"

/* A copy of the target with an end mark. */
static char *take_target(const struct gns_inode *gi, const struct gns_bufcall *c)
{
	u32 len = c->c.ans.len;
	char *target;

	if (!len || len >= GNS_UPATH_MAX || memchr(c->buf, 0, len)) {
		gns_err(gns_isb(&gi->vfs_inode), "the target of link %lu makes no sense (%u bytes); look at the origin's log\n",
			gi->vfs_inode.i_ino, len);
		return ERR_PTR(-EIO);
	}
	target = kmalloc(len + 1, GFP_KERNEL_ACCOUNT);
	if (!target)
		return ERR_PTR(-ENOMEM);
	memcpy(target, c->buf, len);
	target[len] = 0;
	return target;
}

static char *ask(struct gns_inode *gi)
{
	struct gns_bufcall *c;
	char *target;
	int err;

	c = gns_bufcall_new(gi->s, gns_isb(&gi->vfs_inode), GNS_CALL_READLINK,
			    current_cred(), GNS_UPATH_MAX);
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->c.req.fh = gi->fh;
	err = gns_call_sync(&c->c);
	if (err)
		target = ERR_PTR(gns_not_absent(err));
	else
		target = take_target(gi, c);
	gns_call_put(&c->c);
	return target;
}

/* Once i_link is set, the VFS takes it from there and does not come here. */
static const char *gns_get_link(struct dentry *dentry, struct inode *inode,
				struct delayed_call *done)
{
	char *target, *old;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	target = ask(gns_i(inode));
	if (IS_ERR(target))
		return target;
	old = cmpxchg(&inode->i_link, NULL, target);
	if (!old)
		return target;
	kfree(target);
	return old;
}

const struct inode_operations gns_link_iops = {
	.get_link = gns_get_link,
	.setattr = gns_setattr,
	.getattr = gns_getattr,
	.permission = gns_permission,
	.listxattr = gns_listxattr,
};
