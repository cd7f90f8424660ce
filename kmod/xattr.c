// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes: asked for each time, for few programs read them. But
 * that there is none is remembered for a life of the lease: ls(1) looks for
 * some with each file, and execve(2) for capabilities.
 *
 * Served are those of users and administrators, the capabilities of programs,
 * and access control lists (acl.c). Labels of a security module mean nothing to
 * another host's.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#include "acl.h"
#include "change.h"

struct gns_bufcall *gns_xattr_ask(struct inode *inode, u32 type,
				  const char *name, int *err)
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

	c = gns_xattr_ask(inode, GNS_CALL_GETXATTR, name, &ret);
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

/*
 * @bare: the life of the lease in which the list was empty, times two; and one
 * if it was asked for by somebody who would have been told of "trusted." ones.
 */
static bool is_bare(const struct gns_inode *gi, u64 epoch, bool trusted)
{
	u64 bare = READ_ONCE(gi->bare);

	return bare >> 1 == epoch && ((bare & 1) || !trusted);
}

static int get_caps(struct inode *inode, const char *name, void *value,
		    size_t size)
{
	struct gns_inode *gi = gns_i(inode);
	u64 epoch;
	bool live = gns_lease_enter(gi, &epoch);
	int ret;

	if (live && (READ_ONCE(gi->nocaps) == epoch ||
		     is_bare(gi, epoch, false)))
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
	return get(inode, xattr_full_name(handler, name), value, size);
}

static int gns_caps_get(const struct xattr_handler *handler,
			struct dentry *dentry, struct inode *inode,
			const char *name, void *value, size_t size)
{
	return get_caps(inode, XATTR_NAME_CAPS, value, size);
}

/* What was known of @inode's ends with its epoch. */
int gns_xattr_change(struct inode *inode, const char *name, const void *value,
		     size_t size, int flags)
{
	struct qstr q = { .name = name, .len = strlen(name) };
	struct gns_change *ch;
	int err;

	if (size > GNS_UXATTR_MAX)
		return -E2BIG;
	ch = gns_change_new(inode->i_sb, GNS_CALL_SETXATTR, current_cred(),
			    value ? size : 0);
	if (!ch)
		return -ENOMEM;
	if (!value)
		ch->c.req.flags = GNS_UX_REMOVE;
	else if (flags & XATTR_CREATE)
		ch->c.req.flags = GNS_UX_CREATE;
	else if (flags & XATTR_REPLACE)
		ch->c.req.flags = GNS_UX_REPLACE;
	if (value && size)
		memcpy(ch->buf, value, size);
	err = gns_change_name(ch, inode, &q);
	if (!err)
		err = gns_change_run(ch);
	gns_change_put(ch);
	return gns_not_absent(err);
}

static int gns_xattr_set(const struct xattr_handler *handler,
			 gns_idmap_t *idmap, struct dentry *dentry,
			 struct inode *inode, const char *name,
			 const void *value, size_t size, int flags)
{
	return gns_xattr_change(inode, xattr_full_name(handler, name), value,
				size, flags);
}

static int gns_caps_set(const struct xattr_handler *handler,
			gns_idmap_t *idmap, struct dentry *dentry,
			struct inode *inode, const char *name,
			const void *value, size_t size, int flags)
{
	return gns_xattr_change(inode, XATTR_NAME_CAPS, value, size, flags);
}

static const struct xattr_handler user_handler = {
	.prefix = XATTR_USER_PREFIX,
	.get = gns_xattr_get,
	.set = gns_xattr_set,
};

static const struct xattr_handler trusted_handler = {
	.prefix = XATTR_TRUSTED_PREFIX,
	.get = gns_xattr_get,
	.set = gns_xattr_set,
};

static const struct xattr_handler caps_handler = {
	.name = XATTR_NAME_CAPS,
	.get = gns_caps_get,
	.set = gns_caps_set,
};

const struct xattr_handler *const gns_xattr_handlers[] = {
	&user_handler,
	&trusted_handler,
	&caps_handler,
	GNS_ACL_HANDLERS
		NULL
};

static bool is_listed(const char *name, bool trusted)
{
	return strstarts(name, XATTR_USER_PREFIX) ||
	       !strcmp(name, XATTR_NAME_CAPS) ||
	       !strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS) ||
	       !strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT) ||
	       (trusted && strstarts(name, XATTR_TRUSTED_PREFIX));
}

/* Names that are served, one behind the other; @from is a private copy. */
static ssize_t copy_names(const char *from, u32 len, char *list, size_t size,
			  bool trusted)
{
	const char *end = from + len;
	size_t n, used = 0;

	for (; from < end; from += n) {
		n = strnlen(from, end - from) + 1;
		if (n > end - from || n == 1 || n > XATTR_NAME_MAX + 1)
			return -EIO;
		if (!is_listed(from, trusted))
			continue;
		if (size && n > size - used)
			return -ERANGE;
		if (size)
			memcpy(list + used, from, n);
		used += n;
	}
	return used;
}

static ssize_t ask_list(struct inode *inode, char *list, size_t size,
			bool trusted)
{
	struct gns_bufcall *c;
	ssize_t ret;
	int err;

	c = gns_xattr_ask(inode, GNS_CALL_LISTXATTR, NULL, &err);
	if (!c)
		return err;
	ret = err ? err : copy_names(c->buf, c->c.ans.len, list, size, trusted);
	if (!err && ret == -EIO)
		gns_err(gns_isb(inode), "the names of attributes of inode %lu make no sense; look at the origin's log\n",
			inode->i_ino);
	gns_call_put(&c->c);
	return ret;
}

ssize_t gns_listxattr(struct dentry *dentry, char *list, size_t size)
{
	bool trusted = capable(CAP_SYS_ADMIN);
	struct inode *inode = d_inode(dentry);
	struct gns_inode *gi = gns_i(inode);
	u64 epoch;
	bool live = gns_lease_enter(gi, &epoch);
	ssize_t ret;

	if (live && is_bare(gi, epoch, trusted))
		return 0;
	ret = ask_list(inode, list, size, trusted);
	/* The origin goes by the user, and not by what he may do here. */
	trusted &= uid_eq(current_fsuid(), GLOBAL_ROOT_UID);
	if (!ret && live && gns_lease_ok(gi) && gns_lease_same(gi, epoch))
		WRITE_ONCE(gi->bare, epoch << 1 | trusted);
	return ret;
}
