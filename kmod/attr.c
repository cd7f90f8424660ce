// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes: from the inode under a live lease, else as the origin answers
 * now. Such an answer is used once; it is fresh, for it was asked for after
 * the system call began.
 */
#include <linux/capability.h>
#include <linux/namei.h>
#include <linux/stat.h>
#include <linux/uidgid.h>
#include "acl.h"
#include "attr.h"
#include "cache/cache.h"
#include "watch.h"

/* What programs make their buffers of; more comes by readahead anyway. */
#define BLKSIZE (64u << 10)

/* How often a list may be gone again that was there a moment ago. */
#define ACL_TRIES 5

static void set_extra(const struct gns_inode *gi, s64 btime, struct kstat *st)
{
	if (S_ISREG(gi->vfs_inode.i_mode)) {
		st->blksize = BLKSIZE;
		/* What comes straight from a device; to the origin any will
		 * do, this one is as small as an allocator takes for one.
		 */
		st->dio_mem_align = gi->cobj ? gns_cdirect_align(gi->cobj) :
					       sizeof(void *);
		st->dio_offset_align =
			gi->cobj ? gns_cdirect_align(gi->cobj) : 1;
		st->result_mask |= STATX_DIOALIGN;
	}
	st->btime = ns_to_timespec64(btime);
	st->result_mask |= STATX_BTIME;
}

void gns_attr_to_stat(const struct inode *inode, const struct gns_uattr *attr,
		      struct kstat *st)
{
	st->result_mask |= STATX_BASIC_STATS;
	st->dev = inode->i_sb->s_dev;
	st->ino = inode->i_ino;
	st->mode = (inode->i_mode & S_IFMT) | (attr->mode & 07777);
	st->nlink = attr->nlink;
	st->uid = gns_uid_here(gns_isb(inode), attr->uid);
	st->gid = gns_gid_here(gns_isb(inode), attr->gid);
	st->rdev = inode->i_rdev;
	st->size = min_t(u64, attr->size, MAX_LFS_FILESIZE);
	st->atime = ns_to_timespec64(attr->atime);
	st->mtime = ns_to_timespec64(attr->mtime);
	st->ctime = ns_to_timespec64(attr->ctime);
	st->blksize = i_blocksize(inode);
	st->blocks = attr->blocks;
	set_extra(gns_i(inode), attr->btime, st);
}

int gns_attr_ask(struct gns_inode *gi, struct gns_answer *ans)
{
	int err = gns_lease_get(gi, GNS_UWANT_LEASE, current_cred(), ans);

	if (!err && gns_attr_is_answer(ans) &&
	    ((ans->attr.mode ^ gi->vfs_inode.i_mode) & S_IFMT))
		err = -ESTALE;
	return gns_not_absent(err);
}

/* What is known, by the caller's lock or epoch. The size is not the VFS's. */
static void fill_known(struct gns_inode *gi, gns_idmap_t *idmap, u32 mask,
		       struct kstat *st)
{
	generic_fillattr(idmap, mask, &gi->vfs_inode, st);
	st->size = READ_ONCE(gi->size);
	set_extra(gi, READ_ONCE(gi->btime), st);
}

/* Of one version: nobody sets them while the lock is held. */
static void get_last(struct gns_inode *gi, gns_idmap_t *idmap, u32 mask,
		     struct kstat *st)
{
	spin_lock(&gi->lock);
	fill_known(gi, idmap, mask, st);
	spin_unlock(&gi->lock);
}

/* Answers are large, and zeroed: not on the stack of who finds all he needs. */
static noinline_for_stack int stat_ask(struct inode *inode, struct kstat *st,
				       bool *told)
{
	struct gns_answer ans;
	int err = gns_attr_ask(gns_i(inode), &ans);

	*told = !err && gns_attr_is_answer(&ans);
	if (*told) {
		gns_attr_to_stat(inode, &ans.attr, st);
		if (ans.grant.version)
			gns_stat_set_cookie(st, ans.grant.version);
	}
	return err;
}

/*
 * AT_STATX_DONT_SYNC: whatever was known last, fresh or not, and at once. For
 * those who only look what kind of thing is there, as umount(8) at a mount
 * whose origin is away.
 */
int gns_getattr(gns_idmap_t *idmap, const struct path *path, struct kstat *st,
		u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct gns_inode *gi = gns_i(inode);
	bool told;
	u64 epoch;
	int err;

	for (;;) {
		if (gns_attr_enter(gi, &epoch)) {
			fill_known(gi, idmap, mask, st);
			gns_stat_set_cookie(st, READ_ONCE(gi->version));
			if (gns_lease_same(gi, epoch))
				return 0;
		}
		if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_DONT_SYNC ||
		    IS_DEADDIR(inode)) {
			get_last(gi, idmap, mask, st);
			return 0;
		}
		err = stat_ask(inode, st, &told);
		if (err || told)
			return err;
	}
}

static bool is_owner(const struct gns_sb *gsb, const struct gns_uattr *attr)
{
	return uid_eq(current_fsuid(), gns_uid_here(gsb, attr->uid));
}

/* Is it the list that decides, and not the mode? As for the VFS. */
static bool acl_decides(const struct gns_sb *gsb, const struct gns_uattr *attr)
{
	return attr->mode & GNS_UAM_ACL && attr->mode & 0070 &&
	       !is_owner(gsb, attr);
}

/* Without its privileges: may the caller do what is in @mask, MAY_*? */
static bool allows(const struct gns_sb *gsb, const struct gns_uattr *attr,
		   const struct posix_acl *acl, int mask)
{
	u32 bits = attr->mode;

	if (is_owner(gsb, attr))
		bits >>= 6;
	else if (acl)
		return gns_acl_allows(gsb, acl, attr, mask);
	else if (in_group_p(gns_gid_here(gsb, attr->gid)))
		bits >>= 3;
	return !(mask & ~bits);
}

bool gns_attr_capable(const struct gns_sb *gsb, const struct gns_uattr *attr,
		      int cap)
{
	struct user_namespace *ns = current_user_ns();

	return kuid_has_mapping(ns, gns_uid_here(gsb, attr->uid)) &&
	       kgid_has_mapping(ns, gns_gid_here(gsb, attr->gid)) &&
	       ns_capable(ns, cap);
}

/*
 * generic_permission() for attributes that are in no inode; @acl: NULL: it is
 * not the list that decides.
 */
static int check_answer(const struct gns_sb *gsb, const struct gns_uattr *attr,
			const struct posix_acl *acl, int mask)
{
	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (allows(gsb, attr, acl, mask))
		return 0;
	if (S_ISDIR(attr->mode)) {
		if (!(mask & MAY_WRITE) &&
		    gns_attr_capable(gsb, attr, CAP_DAC_READ_SEARCH))
			return 0;
		return gns_attr_capable(gsb, attr, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (mask == MAY_READ && gns_attr_capable(gsb, attr, CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(mask & MAY_EXEC) || (attr->mode & 0111)) &&
	    gns_attr_capable(gsb, attr, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

/*
 * With attributes that the origin has just told, and the list that it has with
 * them. -EAGAIN: there is none any more.
 */
static int check_asked(struct inode *inode, struct gns_answer *ans, int mask)
{
	const struct gns_sb *gsb = gns_isb(inode);
	struct posix_acl *acl;
	int err;

	if (!acl_decides(gsb, &ans->attr))
		return check_answer(gsb, &ans->attr, NULL, mask);
	acl = gns_acl_ask(inode, ans);
	if (!acl)
		return -EAGAIN;
	/* The filesystem there obeys lists no more. */
	if (PTR_ERR_OR_ZERO(acl) == -EOPNOTSUPP)
		return check_answer(gsb, &ans->attr, NULL, mask);
	if (IS_ERR(acl))
		return gns_not_absent(PTR_ERR(acl));
	err = check_answer(gsb, &ans->attr,
			   acl_decides(gsb, &ans->attr) ? acl : NULL, mask);
	posix_acl_release(acl);
	return err;
}

/* -EAGAIN, and not *@told: look at the inode again. */
static noinline_for_stack int may_ask(struct inode *inode, int mask, bool *told)
{
	struct gns_answer ans;
	int err = gns_attr_ask(gns_i(inode), &ans);

	*told = err || gns_attr_is_answer(&ans);
	if (err)
		return err;
	return *told ? check_asked(inode, &ans, mask) : -EAGAIN;
}

static int may(gns_idmap_t *idmap, struct inode *inode, int mask)
{
	struct gns_inode *gi = gns_i(inode);
	int err, tries = 0;
	bool told;
	u64 epoch;

	/* An open of what the caller has just made: there is nothing to ask. */
	if (!(mask & (MAY_READ | MAY_WRITE | MAY_EXEC)))
		return 0;
	/* Removed here, and somebody is in it: nothing changes any more. */
	if (IS_DEADDIR(inode))
		return generic_permission(idmap, inode, mask);
	for (;;) {
		if (gns_attr_enter(gi, &epoch)) {
			err = generic_permission(idmap, inode, mask);
			if (gns_lease_same(gi, epoch))
				return err;
		}
		if (mask & MAY_NOT_BLOCK)
			return -ECHILD;
		err = may_ask(inode, mask, &told);
		if (err != -EAGAIN)
			return err;
		if (told && ++tries == ACL_TRIES)
			return -EIO;
	}
}

int gns_permission(gns_idmap_t *idmap, struct inode *inode, int mask)
{
	int err = may(idmap, inode, mask);

	/* Who neither opens it nor asks by access(2) is going to watch it. */
	if (!err && mask == MAY_READ && S_ISDIR(inode->i_mode))
		gns_watch_ready(inode);
	return err;
}

const struct inode_operations gns_file_iops = {
	.setattr = gns_setattr,
	.getattr = gns_getattr,
	.permission = gns_permission,
	.listxattr = gns_listxattr,
	.get_inode_acl = gns_get_acl,
	.set_acl = gns_set_acl,
};

const struct inode_operations gns_special_iops = {
	.setattr = gns_setattr,
	.getattr = gns_getattr,
	.permission = gns_permission,
	.listxattr = gns_listxattr,
	.get_inode_acl = gns_get_acl,
	.set_acl = gns_set_acl,
};
