// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes: asked for each time, for few programs read them.
 *
 * Two exceptions. Access control lists ("system.") are not served, since gns
 * would have to obey them; ls(1) would ask for them with each file. That a
 * program file has no capabilities is remembered for a life of its lease, for
 * execve(2) asks each time.
 */
#include <linux/capability.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#include "lease.h"

static struct gns_bufcall *ask(struct inode *inode, u32 type, const char *name,
			       int *err)
{
	struct gns_bufcall *c;

	*err = -ENOMEM;
	c = gns_bufcall_new(gns_i(inode)->s, gns_isb(inode), type,
			    current_cred(), GNS_UXATTR_MAX);
	if (!c)
		return NULL;
	c->c.req.fh = gns_i(inode)->fh;
	c->c.req.name = name;
	c->c.req.namelen = name ? strlen(name) : 0;
	*err = gns_not_absent(gns_call_sync(&c->c));
	return c;
}

static int get(struct inode *inode, const char *name, void *value, size_t size)
{
	struct gns_bufcall *c;
	int ret;

	c = ask(inode, GNS_CALL_GETXATTR, name, &ret);
	if (!c)
		return ret;
	if (!ret) {
		ret = c->c.ans.len;
		if (size && ret > size)
			ret = -ERANGE;
		else if (size)
			memcpy(value, c->buf, ret);
	}
	gns_call_put(&c->c);
	return ret;
}

static int get_caps(struct inode *inode, const char *name, void *value,
		    size_t size)
{
	struct gns_inode *gi = gns_i(inode);
	u64 epoch;
	bool live = gns_lease_enter(gi, &epoch);
	int ret;

	if (live && READ_ONCE(gi->nocaps) == epoch)
		return -ENODATA;
	ret = get(inode, name, value, size);
	if ((ret == -ENODATA || ret == -EOPNOTSUPP) && live &&
	    gns_lease_ok(gi) && gns_lease_same(gi, epoch))
		WRITE_ONCE(gi->nocaps, epoch);
	return ret;
}

static int gns_xattr_get(const struct xattr_handler *handler,
			 struct dentry *dentry, struct inode *inode,
			 const char *name, void *value, size_t size)
{
	name = xattr_full_name(handler, name);
	if (!strcmp(name, XATTR_NAME_CAPS))
		return get_caps(inode, name, value, size);
	return get(inode, name, value, size);
}

static const struct xattr_handler user_handler = {
	.prefix = XATTR_USER_PREFIX,
	.get = gns_xattr_get,
};

static const struct xattr_handler trusted_handler = {
	.prefix = XATTR_TRUSTED_PREFIX,
	.get = gns_xattr_get,
};

static const struct xattr_handler security_handler = {
	.prefix = XATTR_SECURITY_PREFIX,
	.get = gns_xattr_get,
};

const struct xattr_handler *const gns_xattr_handlers[] = {
	&user_handler,
	&trusted_handler,
	&security_handler,
	NULL
};

static bool is_listed(const char *name)
{
	return strstarts(name, XATTR_USER_PREFIX) ||
	       strstarts(name, XATTR_SECURITY_PREFIX) ||
	       (strstarts(name, XATTR_TRUSTED_PREFIX) &&
		capable(CAP_SYS_ADMIN));
}

/* Names that are served, one behind the other; @from is a private copy. */
static ssize_t copy_names(const char *from, u32 len, char *list, size_t size)
{
	const char *end = from + len;
	size_t n, used = 0;

	for (; from < end; from += n) {
		n = strnlen(from, end - from) + 1;
		if (n > end - from || n == 1 || n > XATTR_NAME_MAX + 1)
			return -EIO;
		if (!is_listed(from))
			continue;
		if (size && n > size - used)
			return -ERANGE;
		if (size)
			memcpy(list + used, from, n);
		used += n;
	}
	return used;
}

ssize_t gns_listxattr(struct dentry *dentry, char *list, size_t size)
{
	struct inode *inode = d_inode(dentry);
	struct gns_bufcall *c;
	ssize_t ret;
	int err;

	c = ask(inode, GNS_CALL_LISTXATTR, NULL, &err);
	if (!c)
		return err;
	ret = err ? err : copy_names(c->buf, c->c.ans.len, list, size);
	if (!err && ret == -EIO)
		gns_err(gns_isb(inode), "the names of attributes of inode %lu make no sense\n",
			inode->i_ino);
	gns_call_put(&c->c);
	return ret;
}
