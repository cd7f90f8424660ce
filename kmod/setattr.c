// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of attributes: who may do so is checked here by attributes that
 * count, and by the origin, which does it as the caller.
 *
 * What follows from a change is left to the origin's filesystem: bits and
 * capabilities that a new owner, or a new size, takes from a program; the time
 * of a new size; and every ctime.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "attr.h"
#include "change.h"
#include "lock.h"
#include "size.h"

#define ATTR_KILL (ATTR_KILL_SUID | ATTR_KILL_SGID)

/*
 * Without ATTR_MODE, where the origin sees to it. What is left of ATTR_KILL is
 * a chown(2) that changes no owner: the VFS made a mode of it, of attributes
 * that may be old.
 */
static void settle_kill(umode_t mode, struct iattr *attr)
{
	attr->ia_valid &= ~ATTR_KILL_PRIV;
	if (!(attr->ia_valid & ATTR_KILL))
		return;
	if (attr->ia_valid & (ATTR_UID | ATTR_GID | ATTR_SIZE | ATTR_FORCE))
		attr->ia_valid &= ~ATTR_MODE;
	attr->ia_mode = mode;
	if (attr->ia_valid & ATTR_KILL_SUID)
		attr->ia_mode &= ~S_ISUID;
	if (attr->ia_valid & ATTR_KILL_SGID)
		attr->ia_mode &= ~S_ISGID;
}

/* setattr_prepare() for attributes that are in no inode: who may do it. */
static int check_answer(const struct gns_sb *gsb, const struct gns_uattr *has,
			struct iattr *attr)
{
	kuid_t uid = gns_uid_here(gsb, has->uid);
	kgid_t gid = gns_gid_here(gsb, has->gid);
	bool owner = uid_eq(current_fsuid(), uid);
	u32 valid = attr->ia_valid;

	if (valid & ATTR_FORCE)
		return 0;
	if (valid & ATTR_UID && !(owner && uid_eq(attr->ia_uid, uid)) &&
	    !gns_attr_capable(gsb, has, CAP_CHOWN))
		return -EPERM;
	if (valid & ATTR_GID && !gns_attr_capable(gsb, has, CAP_CHOWN) &&
	    !(owner &&
	      (gid_eq(attr->ia_gid, gid) || in_group_p(attr->ia_gid))))
		return -EPERM;
	if (valid & (ATTR_MODE | ATTR_ATIME_SET | ATTR_MTIME_SET |
		     ATTR_TIMES_SET) &&
	    !owner && !gns_attr_capable(gsb, has, CAP_FOWNER))
		return -EPERM;
	if (valid & ATTR_MODE && !gns_attr_capable(gsb, has, CAP_FSETID) &&
	    !in_group_p(valid & ATTR_GID ? attr->ia_gid : gid))
		attr->ia_mode &= ~S_ISGID;
	return 0;
}

static int check_asked(struct inode *inode, const struct gns_uattr *has,
		       struct iattr *attr)
{
	int err = 0;

	if (attr->ia_valid & ATTR_SIZE)
		err = gns_size_may_be(gns_i(inode), has->size, attr->ia_size);
	return err ? err : check_answer(gns_isb(inode), has, attr);
}

/* May the caller do it? @want is what is to be done then. */
static int check(gns_idmap_t *idmap, struct dentry *dentry,
		 const struct iattr *attr, struct iattr *want)
{
	struct inode *inode = d_inode(dentry);
	struct gns_inode *gi = gns_i(inode);
	bool asked = false;
	struct gns_answer ans;
	u64 epoch;
	int err;

	for (;;) {
		*want = *attr;
		if (gns_attr_enter(gi, &epoch)) {
			settle_kill(inode->i_mode, want);
			err = setattr_prepare(idmap, dentry, want);
			/* By i_size, which may be hidden. */
			if (!err && want->ia_valid & ATTR_SIZE)
				err = gns_size_may_be(gi, READ_ONCE(gi->size),
						      want->ia_size);
			if (gns_lease_same(gi, epoch))
				return err;
			*want = *attr;
		}
		err = gns_attr_ask(gi, &ans);
		if (err)
			return err;
		/* A lease came with it, or somebody else got one. */
		if (!gns_attr_is_answer(&ans) || (!asked && gns_attr_ok(gi))) {
			asked = true;
			continue;
		}
		settle_kill(ans.attr.mode, want);
		return check_asked(inode, &ans.attr, want);
	}
}

static int fill_ids(const struct gns_sb *gsb, const struct iattr *attr,
		    struct gns_usetattr *sa)
{
	if (attr->ia_valid & ATTR_UID) {
		sa->uid = gns_uid_origin(gsb, attr->ia_uid);
		sa->valid |= GNS_USA_UID;
		if (sa->uid == (uid_t)-1)
			return -EOVERFLOW;
	}
	if (attr->ia_valid & ATTR_GID) {
		sa->gid = gns_gid_origin(gsb, attr->ia_gid);
		sa->valid |= GNS_USA_GID;
		if (sa->gid == (gid_t)-1)
			return -EOVERFLOW;
	}
	return 0;
}

static void fill_times(const struct iattr *attr, struct gns_usetattr *sa)
{
	if (attr->ia_valid & ATTR_ATIME_SET) {
		sa->valid |= GNS_USA_ATIME;
		sa->atime = timespec64_to_ns(&attr->ia_atime);
	} else if (attr->ia_valid & ATTR_ATIME) {
		sa->valid |= GNS_USA_ATIME_NOW;
	}
	if (attr->ia_valid & ATTR_MTIME_SET) {
		sa->valid |= GNS_USA_MTIME;
		sa->mtime = timespec64_to_ns(&attr->ia_mtime);
	} else if (attr->ia_valid & ATTR_MTIME) {
		sa->valid |= GNS_USA_MTIME_NOW;
	}
}

/* With nothing in sa->valid there is nothing to ask for. */
static int fill(const struct gns_sb *gsb, const struct iattr *attr,
		struct gns_usetattr *sa)
{
	if (attr->ia_valid & ATTR_MODE) {
		sa->valid |= GNS_USA_MODE;
		sa->mode = attr->ia_mode & 07777;
	}
	if (attr->ia_valid & ATTR_SIZE) {
		sa->valid |= GNS_USA_SIZE;
		sa->size = attr->ia_size;
	} else {
		fill_times(attr, sa);
	}
	return fill_ids(gsb, attr, sa);
}

/* The right to cut an open file is that of who opened it. */
static const struct cred *who(const struct iattr *attr)
{
	if (attr->ia_valid & ATTR_SIZE && attr->ia_valid & ATTR_FILE)
		return attr->ia_file->f_cred;
	return current_cred();
}

static int change(struct inode *inode, const struct iattr *attr,
		  const struct gns_usetattr *sa)
{
	struct gns_change *ch;
	int err = -ENOMEM;

	ch = gns_change_new(inode->i_sb, GNS_CALL_SETATTR, who(attr), 0);
	if (!ch)
		return -ENOMEM;
	/* It has to last until the change is answered, as a payload does. */
	ch->buf = kmemdup(sa, sizeof(*sa), GFP_KERNEL);
	if (ch->buf) {
		ch->c.req.setattr = ch->buf;
		ch->c.req.fh = gns_i(inode)->fh;
		gns_change_touches(ch, inode);
		err = attr->ia_valid & ATTR_FILE ?
			      gns_guard_call(&ch->c, attr->ia_file) :
			      0;
		if (!err)
			err = gns_change_run(ch);
	}
	gns_change_put(ch);
	return err;
}

int gns_setattr(gns_idmap_t *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct gns_usetattr sa = {};
	struct iattr want;
	int err;

	err = check(idmap, dentry, attr, &want);
	if (!err)
		err = fill(gns_isb(d_inode(dentry)), &want, &sa);
	if (err || !sa.valid)
		return err;
	return change(d_inode(dentry), &want, &sa);
}
