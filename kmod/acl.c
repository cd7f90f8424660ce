// SPDX-License-Identifier: GPL-2.0
/*
 * Access control lists; see acl.h.
 *
 * On the wire they are what getxattr(2) gives, with the origin's numbers for
 * users and groups. Here they have this host's; who is nobody here, or nobody
 * there, is the same as in attributes.
 */
#include <linux/fs.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#include "acl.h"
#include "attr.h"
#include "change.h"
#include "instance.h"

static bool is_default(int type)
{
	return type == ACL_TYPE_DEFAULT;
}

static const char *name_of(int type)
{
	return is_default(type) ? XATTR_NAME_POSIX_ACL_DEFAULT :
				  XATTR_NAME_POSIX_ACL_ACCESS;
}

static bool can_ask(const struct inode *inode)
{
	return READ_ONCE(gns_i(inode)->s->inst->features) & GNS_F_ACL;
}

/* Entries of those who are nobody here stay, and mean nobody. */
static void to_here(const struct gns_sb *gsb, struct posix_acl *acl)
{
	struct posix_acl_entry *e, *end;

	FOREACH_ACL_ENTRY(e, acl, end)
	{
		if (e->e_tag == ACL_USER)
			e->e_uid = gns_uid_here(gsb, from_kuid(&init_user_ns,
							       e->e_uid));
		else if (e->e_tag == ACL_GROUP)
			e->e_gid = gns_gid_here(gsb, from_kgid(&init_user_ns,
							       e->e_gid));
	}
}

/* The other way round, in what is to be sent. */
static int to_origin(const struct gns_sb *gsb, const struct posix_acl *acl,
		     void *buf)
{
	struct posix_acl_xattr_header *head = buf;
	struct posix_acl_xattr_entry *to = (void *)(head + 1);
	const struct posix_acl_entry *e, *end;
	u32 id;

	FOREACH_ACL_ENTRY(e, acl, end)
	{
		if (e->e_tag == ACL_USER)
			id = gns_uid_origin(gsb, e->e_uid);
		else if (e->e_tag == ACL_GROUP)
			id = gns_gid_origin(gsb, e->e_gid);
		else
			id = ACL_UNDEFINED_ID;
		if (id == ACL_UNDEFINED_ID &&
		    (e->e_tag == ACL_USER || e->e_tag == ACL_GROUP))
			return -EOVERFLOW;
		to->e_id = cpu_to_le32(id);
		to++;
	}
	return 0;
}

/* A list of the origin, or -EIO. */
static struct posix_acl *parse(struct inode *inode, const void *value, u32 len)
{
	struct posix_acl *acl;

	acl = posix_acl_from_xattr(&init_user_ns, value, len);
	if (PTR_ERR_OR_ZERO(acl) == -ENOMEM)
		return acl;
	if (!IS_ERR_OR_NULL(acl)) {
		if (!posix_acl_valid(&init_user_ns, acl)) {
			to_here(gns_isb(inode), acl);
			return acl;
		}
		posix_acl_release(acl);
	}
	gns_err(gns_isb(inode), "the access control list of inode %lu makes no sense; look at the origin's log\n",
		inode->i_ino);
	return ERR_PTR(-EIO);
}

/* NULL: there is none; -EOPNOTSUPP: and there can not be any. */
static struct posix_acl *ask(struct inode *inode, int type,
			     struct gns_answer *ans)
{
	struct posix_acl *acl = NULL;
	struct gns_bufcall *c;
	int err;

	if (!can_ask(inode))
		return ERR_PTR(-EOPNOTSUPP);
	c = gns_xattr_ask(inode, GNS_CALL_GETXATTR, name_of(type), &err);
	if (!c)
		return ERR_PTR(err);
	if (!err) {
		*ans = c->c.ans;
		acl = parse(inode, c->buf, c->c.ans.len);
	} else if (err != -ENODATA) {
		acl = ERR_PTR(err);
	}
	gns_call_put(&c->c);
	return acl;
}

static void drop(struct gns_acl *a)
{
	if (!a)
		return;
	/* Both are freed behind RCU. */
	posix_acl_release(a->acl);
	kfree_rcu(a, rcu);
}

static struct gns_acl *swap_known(struct gns_inode *gi, int type,
				  struct gns_acl *a)
{
	lockdep_assert_held(&gi->lock);
	return rcu_replace_pointer(gi->acl[is_default(type)], a,
				   lockdep_is_held(&gi->lock));
}

/* @acl came in an answer to what was asked in @epoch. Best effort. */
static void keep(struct gns_inode *gi, int type, u64 epoch,
		 const struct gns_answer *ans, struct posix_acl *acl)
{
	struct gns_acl *a = kmalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);

	if (!a)
		return;
	a->epoch = epoch;
	a->acl = posix_acl_dup(acl);
	spin_lock(&gi->lock);
	if (gns_lease_shows(gi, epoch, &ans->grant))
		a = swap_known(gi, type, a);
	spin_unlock(&gi->lock);
	drop(a);
}

/* NULL: it is not known. Without a reference in RCU walk. */
static struct posix_acl *known(struct gns_inode *gi, int type, u64 epoch,
			       bool rcu)
{
	struct posix_acl *acl = NULL;
	struct gns_acl *a;

	rcu_read_lock();
	a = rcu_dereference(gi->acl[is_default(type)]);
	if (a && a->epoch == epoch)
		acl = a->acl;
	if (acl && !rcu && !refcount_inc_not_zero(&acl->a_refcount))
		acl = NULL;
	rcu_read_unlock();
	return acl;
}

void gns_acl_forget(struct gns_inode *gi)
{
	struct gns_acl *a, *d;

	spin_lock(&gi->lock);
	a = swap_known(gi, ACL_TYPE_ACCESS, NULL);
	d = swap_known(gi, ACL_TYPE_DEFAULT, NULL);
	spin_unlock(&gi->lock);
	drop(a);
	drop(d);
}

struct posix_acl *gns_get_acl(struct inode *inode, int type, bool rcu)
{
	u32 bit = is_default(type) ? GNS_UAM_DEFACL : GNS_UAM_ACL;
	struct gns_inode *gi = gns_i(inode);
	struct posix_acl *acl;
	struct gns_answer ans;
	bool live, has;
	u64 epoch;

	/* Nothing is behind it any more that could be kept from anybody. */
	if (IS_DEADDIR(inode))
		return NULL;
	live = gns_attr_enter(gi, &epoch);
	has = live && READ_ONCE(gi->acls) & bit;
	if (live && !has && gns_lease_same(gi, epoch))
		return NULL;
	acl = has ? known(gi, type, epoch, rcu) : NULL;
	if (acl)
		return acl;
	if (rcu)
		return ERR_PTR(-ECHILD);
	acl = ask(inode, type, &ans);
	if (has && PTR_ERR_OR_ZERO(acl) == -EOPNOTSUPP)
		return NULL;
	if (has && !IS_ERR_OR_NULL(acl))
		keep(gi, type, epoch, &ans, acl);
	return acl;
}

int gns_set_acl(gns_idmap_t *idmap, gns_acl_of_t *of, struct posix_acl *acl,
		int type)
{
	struct inode *inode = gns_acl_inode(of);
	size_t size = 0;
	void *buf = NULL;
	int err;

	if (!can_ask(inode))
		return -EOPNOTSUPP;
	if (acl) {
		size = posix_acl_xattr_size(acl->a_count);
		buf = kvmalloc(size, GFP_KERNEL_ACCOUNT);
		if (!buf)
			return -ENOMEM;
		err = posix_acl_to_xattr(&init_user_ns, acl, buf, size);
		if (err >= 0)
			err = to_origin(gns_isb(inode), acl, buf);
		if (err)
			goto out;
	}
	err = gns_xattr_change(inode, name_of(type), buf, size, 0);
out:
	kvfree(buf);
	return err;
}

struct posix_acl *gns_acl_ask(struct inode *inode, struct gns_answer *ans)
{
	struct posix_acl *acl = ask(inode, ACL_TYPE_ACCESS, ans);

	if (IS_ERR_OR_NULL(acl))
		return acl;
	if (!((ans->attr.mode ^ inode->i_mode) & S_IFMT))
		return acl;
	posix_acl_release(acl);
	return ERR_PTR(-ESTALE);
}

static u32 mask_of(const struct posix_acl *acl)
{
	const struct posix_acl_entry *e, *end;

	FOREACH_ACL_ENTRY(e, acl, end)
	if (e->e_tag == ACL_MASK)
		return e->e_perm;
	return MAY_READ | MAY_WRITE | MAY_EXEC;
}

bool gns_acl_allows(const struct gns_sb *gsb, const struct posix_acl *acl,
		    const struct gns_uattr *attr, int want)
{
	u32 mask = mask_of(acl);
	const struct posix_acl_entry *e, *end;
	bool member = false;

	FOREACH_ACL_ENTRY(e, acl, end)
	{
		switch (e->e_tag) {
		case ACL_USER:
			if (uid_eq(e->e_uid, current_fsuid()))
				return !(want & ~(e->e_perm & mask));
			break;
		case ACL_GROUP_OBJ:
		case ACL_GROUP:
			if (!in_group_p(e->e_tag == ACL_GROUP ?
						e->e_gid :
						gns_gid_here(gsb, attr->gid)))
				break;
			if (!(want & ~(e->e_perm & mask)))
				return true;
			member = true;
			break;
		case ACL_OTHER:
			return !member && !(want & ~e->e_perm);
		}
	}
	return false;
}
