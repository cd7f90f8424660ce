// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/gns: bytes between helper and kernel; its close is the helper's death.
 */
#include <linux/capability.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "chardev.h"
#include "gns.h"
#include "session.h"

struct gns_helper {
	struct gns_instance *inst;
	struct gns_buffers buffers;
};

static int dev_open(struct inode *inode, struct file *file)
{
	struct net *net = current->nsproxy->net_ns;
	struct gns_helper *h;
	int err;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;
	gns_buffers_init(&h->buffers);
	h->inst = gns_instance_of(get_net(net));
	err = gns_helper_attach(h->inst, h);
	if (err) {
		/* Others may wait for their turn: no line for each look. */
		pr_debug("gns: /dev/gns is open already in this network namespace\n");
		put_net(net);
		kfree(h);
		return err;
	}
	file->private_data = h;
	return nonseekable_open(inode, file);
}

/*
 * Calls go back in line before another helper can come; the pages are let go
 * of when nothing can be copied from or to them: no ioctl is in progress.
 */
static int dev_release(struct inode *inode, struct file *file)
{
	struct gns_helper *h = file->private_data;
	struct net *net = h->inst->net;

	gns_helper_gone(h->inst);
	gns_buffers_destroy(&h->buffers);
	gns_helper_detach(h->inst);
	kfree(h);
	put_net(net);
	return 0;
}

static long dev_register(struct gns_helper *h, struct gns_ubuf __user *arg)
{
	struct gns_ubuf u;
	int nr;

	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.reserved)
		return -EINVAL;
	nr = gns_buffers_add(&h->buffers, u.addr, u.len);
	if (nr < 0)
		return nr;
	/* Where this fails the buffer is there, and of no use to anyone. */
	return put_user((u32)nr, &arg->index);
}

static long dev_fill(struct gns_helper *h, const struct gns_ufill __user *arg)
{
	struct gns_answer ans = {};
	struct gns_bytes bytes;
	struct gns_ufill u;

	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (!u.id || u.flags & ~GNS_UF_ALL)
		return -EINVAL;
	/* An error has no bytes. */
	if (u.status ? u.buf || u.len || u.offset :
		       gns_buffers_range(&h->buffers, u.buf, u.offset, u.len,
					 &bytes))
		return -EINVAL;
	ans.err = gns_status_errno(u.status);
	ans.sid = u.sid;
	ans.flags = u.flags;
	ans.grant.version = u.version;
	ans.grant.number = u.number;
	ans.attr = u.attr;
	return gns_call_answer(h->inst, u.id, &ans, u.status ? NULL : &bytes);
}

static long dev_take(struct gns_helper *h, const struct gns_utake __user *arg)
{
	struct gns_bytes bytes;
	struct gns_utake u;
	int err;

	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.reserved)
		return -EINVAL;
	err = gns_buffers_range(&h->buffers, u.buf, u.offset, u.len, &bytes);
	if (err)
		return err;
	return gns_call_take(h->inst, u.id, u.pos, &bytes);
}

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct gns_helper *h = file->private_data;
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case GNS_IOC_REGISTER:
		return dev_register(h, p);
	case GNS_IOC_FILL:
		return dev_fill(h, p);
	case GNS_IOC_TAKE:
		return dev_take(h, p);
	case GNS_IOC_STAMP:
		/* The clock that leases are measured by. */
		return put_user(gns_now(), (u64 __user *)p);
	}
	return -ENOTTY;
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.open = dev_open,
	.release = dev_release,
	.unlocked_ioctl = dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

struct gns_helper *gns_helper_of(struct file *file)
{
	return file->f_op == &dev_fops ? file->private_data : NULL;
}

struct gns_instance *gns_helper_instance(const struct gns_helper *h)
{
	return h->inst;
}

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = GNS_DEV_NAME,
	.fops = &dev_fops,
	.mode = 0600,
};

int __init gns_chardev_init(void)
{
	return misc_register(&device);
}

void gns_chardev_exit(void)
{
	misc_deregister(&device);
}
