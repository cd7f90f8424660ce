// SPDX-License-Identifier: GPL-2.0
/*
 * Lookup and revalidation of names; see dir.h.
 *
 * That there is no such name is something the origin says, under the same
 * lease as a name. No error ever stands for it.
 */
#include <linux/dcache.h>
#include <linux/namei.h>
#include "acl.h"
#include "dir.h"
#include "lease.h"
#include "listing.h"

u64 gns_names_stamp(struct gns_inode *gi, u64 epoch, u64 sid,
		    const struct gns_grant *g, const struct gns_uattr *attr)
{
	bool granted = gns_lease_grant(gi, sid, g, attr), ok;
	u64 stamp = 0;

	/* The same version is the same names, whenever they were looked up. */
	spin_lock(&gi->lock);
	if (granted)
		ok = gi->version == g->version && gns_lease_ok(gi);
	else
		ok = gns_lease_shows(gi, epoch, g);
	if (ok)
		stamp = gi->dgen;
	spin_unlock(&gi->lock);
	return stamp;
}

static bool same_object(const struct inode *inode, const struct gns_fh *fh,
			const struct gns_uattr *attr)
{
	return gns_fh_eq(&gns_i(inode)->fh, fh) &&
	       !((inode->i_mode ^ attr->mode) & S_IFMT);
}

/* What is wrong with an answer without an error; 0: nothing. */
static int check_answer(struct gns_inode *gi, const struct gns_answer *ans)
{
	if (ans->flags & GNS_UF_ABSENT || ans->fh.len)
		return 0;
	gns_err(gns_isb(&gi->vfs_inode), "the origin answers a lookup with nothing; look at its log\n");
	return -EIO;
}

int gns_name_ask(struct inode *dir, const struct qstr *name,
		 struct gns_answer *ans, u64 *stamp)
{
	struct gns_inode *gi = gns_i(dir);
	struct gns_bufcall *c;
	u64 epoch;
	int err;

	c = gns_bufcall_new(gi->s, gns_isb(dir), GNS_CALL_LOOKUP,
			    current_cred(), 0);
	if (!c)
		return -ENOMEM;
	c->c.req.fh = gi->fh;
	c->c.req.name = name->name;
	c->c.req.namelen = name->len;
	c->c.req.want = GNS_UWANT_LEASE;
	if (!gns_lease_enter(gi, &epoch))
		epoch = 0;
	gns_count(gns_isb(dir), GNS_C_LOOKUPS, 1);
	err = gns_call_sync(&c->c);
	if (!err)
		err = check_answer(gi, &c->c.ans);
	if (!err) {
		*ans = c->c.ans;
		*stamp = gns_names_stamp(gi, epoch, ans->sid, &ans->dir, NULL);
	}
	gns_call_put(&c->c);
	return gns_not_absent(err);
}

/* Any context, RCU included. */
static bool is_known(const struct inode *dir, const struct dentry *dentry)
{
	const struct gns_inode *gi = gns_i(dir);
	u64 epoch, stamp;

	if (!gns_lease_enter(gi, &epoch))
		return false;
	smp_rmb(); /* dgen is of the lease that was live, or of a later one */
	stamp = READ_ONCE(gi->dgen);
	return READ_ONCE(dentry->d_time) == stamp && gns_lease_same(gi, epoch);
}

/* The same for somebody who looks the name up. */
static bool name_counts(const struct inode *dir, const struct dentry *dentry)
{
	struct gns_inode *gi = gns_i(dir);
	u32 used = READ_ONCE(gi->used);

	if (!is_known(dir, dentry))
		return false;
	/* Then no more: those who look up names here share the cache line. */
	if (used < GNS_USED_ENOUGH)
		WRITE_ONCE(gi->used, used + 1);
	gns_count(gns_isb(dir), GNS_C_DENTRY_HITS, 1);
	return true;
}

/*
 * rename(2) does nothing, and asks nobody, when it finds the same file behind
 * both names. It may have found it behind the first one a while ago: an error
 * makes it look again at both.
 */
static bool was_elsewhere(struct inode *inode, const struct dentry *dentry,
			  unsigned int flags)
{
	const struct dentry *alias;
	const struct inode *dir;
	bool ret = false;

	if (!(flags & LOOKUP_RENAME_TARGET) || flags & LOOKUP_REVAL || !inode ||
	    S_ISDIR(inode->i_mode))
		return false;
	rcu_read_lock();
	spin_lock(&inode->i_lock);
	hlist_for_each_entry(alias, &inode->i_dentry, d_u.d_alias) {
		dir = d_inode_rcu(READ_ONCE(alias->d_parent));
		if (alias != dentry && !(dir && is_known(dir, alias)))
			ret = true;
	}
	spin_unlock(&inode->i_lock);
	rcu_read_unlock();
	return ret;
}

struct dentry *gns_lookup(struct inode *dir, struct dentry *dentry,
			  unsigned int flags)
{
	struct dentry *parent = dentry->d_parent, *alias;
	struct inode *inode = NULL;
	struct gns_answer ans;
	bool next = false;
	u64 stamp;
	int err;

	if (dentry->d_name.len > GNS_UNAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	err = gns_name_ask(dir, &dentry->d_name, &ans, &stamp);
	if (err)
		return ERR_PTR(err);
	if (!(ans.flags & GNS_UF_ABSENT)) {
		inode = gns_inode_get(dir->i_sb, &ans.fh, &ans.attr);
		if (IS_ERR(inode))
			return ERR_CAST(inode);
		gns_lease_grant(gns_i(inode), ans.sid, &ans.grant, &ans.attr);
		if (was_elsewhere(inode, dentry, flags)) {
			iput(inode);
			return ERR_PTR(-ESTALE);
		}
		next = gns_listing_is_next(gns_i(dir), &dentry->d_name);
	}
	WRITE_ONCE(dentry->d_time, stamp);
	alias = d_splice_alias(inode, dentry);
	/* A directory that was elsewhere comes with the stamp from there. */
	if (!IS_ERR_OR_NULL(alias))
		WRITE_ONCE(alias->d_time, stamp);
	/* With an alias @dentry is being looked up still. */
	if (inode && !alias && stamp)
		gns_listing_missed(parent, next);
	return alias;
}

/* The VFS may have the directory's lock, or not. */
static void missed_again(struct dentry *parent, const struct qstr *name)
{
	struct inode *dir = d_inode(parent);
	bool next = gns_listing_is_next(gns_i(dir), name);

	if (!inode_trylock_shared(dir))
		return;
	if (!IS_DEADDIR(dir))
		gns_listing_missed(parent, next);
	inode_unlock_shared(dir);
}

/* What the origin says now. 0: something else is behind the name; 1: it counts. */
static int name_is(struct dentry *dentry, const struct gns_answer *ans,
		   u64 stamp)
{
	struct inode *inode = d_inode(dentry);

	if (ans->flags & GNS_UF_ABSENT) {
		if (inode)
			return 0;
	} else {
		if (!inode || !same_object(inode, &ans->fh, &ans->attr))
			return 0;
		gns_lease_grant(gns_i(inode), ans->sid, &ans->grant,
				&ans->attr);
	}
	WRITE_ONCE(dentry->d_time, stamp);
	return 1;
}

static int name_again(struct dentry *parent, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry), *dir = d_inode(parent);
	struct name_snapshot name;
	struct gns_answer ans;
	u64 stamp;
	int err;

	/* It may be moved while we ask. */
	take_dentry_name_snapshot(&name, dentry);
	err = gns_name_ask(dir, &name.name, &ans, &stamp);
	if (!err)
		err = name_is(dentry, &ans, stamp);
	if (err > 0 && stamp && inode)
		missed_again(parent, &name.name);
	release_dentry_name_snapshot(&name);
	return err;
}

/*
 * The VFS looks at the inode, without asking, for whose it is. That decides who
 * may take a name out of a sticky directory, and who may set access control
 * lists and times: what begins with a last component that is followed. An open
 * asks by itself.
 */
static bool owner_decides(const struct inode *dir, unsigned int flags)
{
	if (READ_ONCE(dir->i_mode) & S_ISVTX)
		return true;
	flags &= LOOKUP_FOLLOW | LOOKUP_PARENT | LOOKUP_OPEN |
		 LOOKUP_MOUNTPOINT;
	return flags == LOOKUP_FOLLOW;
}

/* Any context. */
static bool owner_counts(const struct inode *dir, const struct inode *inode,
			 unsigned int flags)
{
	return !inode || !owner_decides(dir, flags) ||
	       gns_attr_ok(gns_i(inode));
}

static int owner_again(struct inode *inode)
{
	int err = gns_lease_get(gns_i(inode), GNS_UWANT_LEASE, current_cred(),
				NULL);

	/* It is gone: another lookup says what is there. */
	if (err == -ESTALE)
		return 0;
	return err ? gns_not_absent(err) : 1;
}

static int gns_d_revalidate(GNS_D_REVALIDATE_ARGS)
{
	struct dentry *parent;
	struct inode *in;
	int ret;

	if (flags & LOOKUP_RCU) {
		in = d_inode_rcu(READ_ONCE(dentry->d_parent));
		return in && name_counts(in, dentry) &&
				       owner_counts(in, d_inode_rcu(dentry),
						    flags) ?
			       1 :
			       -ECHILD;
	}
	parent = dget_parent(dentry);
	in = d_inode(parent);
	ret = name_counts(in, dentry) ? 1 : name_again(parent, dentry);
	if (ret > 0 && !owner_counts(in, d_inode(dentry), flags))
		ret = owner_again(d_inode(dentry));
	dput(parent);
	if (ret > 0 && was_elsewhere(d_inode(dentry), dentry, flags))
		ret = -ESTALE;
	return ret;
}

/* An absence that has to be asked for each time is not worth its memory. */
static int gns_d_delete(const struct dentry *dentry)
{
	return !READ_ONCE(dentry->d_time) && d_really_is_negative(dentry);
}

/* d_lock held, and no more: a count that is about right will do. */
static void gns_d_prune(struct dentry *dentry)
{
	struct gns_inode *gi;

	if (IS_ROOT(dentry) || d_unhashed(dentry) ||
	    d_really_is_negative(dentry))
		return;
	gi = gns_i(d_inode(dentry->d_parent));
	WRITE_ONCE(gi->lost, READ_ONCE(gi->lost) + 1);
}

/*
 * Without d_weak_revalidate: what is reached without a name (".", "..", a
 * descriptor) has no name to ask for, and its attributes look after themselves.
 */
const struct dentry_operations gns_dentry_ops = {
	.d_revalidate = gns_d_revalidate,
	.d_delete = gns_d_delete,
	.d_prune = gns_d_prune,
	.d_iput = gns_d_iput,
};

/* The name was known before. Another object: the next lookup sorts it out. */
static void refresh(struct dentry *dentry, const struct gns_found *f)
{
	struct inode *inode = d_inode(dentry);

	if (!inode || !same_object(inode, f->fh, f->attr))
		return;
	gns_lease_grant(gns_i(inode), f->sid, &f->grant, f->attr);
	WRITE_ONCE(dentry->d_time, f->stamp);
}

static void instantiate(struct dentry *dentry, const struct gns_found *f)
{
	struct inode *inode = gns_inode_get(dentry->d_sb, f->fh, f->attr);
	struct dentry *alias;

	if (IS_ERR(inode))
		return;
	gns_lease_grant(gns_i(inode), f->sid, &f->grant, f->attr);
	WRITE_ONCE(dentry->d_time, f->stamp);
	alias = d_splice_alias(inode, dentry);
	if (IS_ERR_OR_NULL(alias))
		return;
	WRITE_ONCE(alias->d_time, f->stamp);
	dput(alias);
}

void gns_name_prime(struct dentry *parent, const struct gns_found *f)
{
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(wq);
	struct qstr name = f->name;
	struct dentry *dentry;

	name.hash = full_name_hash(parent, name.name, name.len);
	dentry = d_lookup(parent, &name);
	if (!dentry)
		dentry = d_alloc_parallel(parent, &name, &wq);
	if (IS_ERR(dentry))
		return;
	if (d_in_lookup(dentry)) {
		instantiate(dentry, f);
		d_lookup_done(dentry);
	} else {
		refresh(dentry, f);
	}
	dput(dentry);
}

const struct inode_operations gns_dir_iops = {
	.lookup = gns_lookup,
	.create = gns_create,
	.atomic_open = gns_atomic_open,
	.link = gns_link,
	.unlink = gns_unlink,
	.symlink = gns_symlink,
	.mkdir = gns_mkdir,
	.rmdir = gns_rmdir,
	.mknod = gns_mknod,
	.rename = gns_rename,
	.tmpfile = gns_tmpfile,
	.setattr = gns_setattr,
	.getattr = gns_getattr,
	.permission = gns_permission,
	.listxattr = gns_listxattr,
	.get_inode_acl = gns_get_acl,
	.set_acl = gns_set_acl,
};
