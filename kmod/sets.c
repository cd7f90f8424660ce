// SPDX-License-Identifier: GPL-2.0
/*
 * Which data set of the cache a file is of: that of the nearest directory above
 * the name by which it was opened that has one of its own, or the mount's.
 */
#include <linux/dcache.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "cache/cache.h"
#include "dir.h"
#include "session.h"
#include "sets.h"

/* What was found of a directory counts until there is one tree more. */
static int set_of_dir(struct gns_inode *gi)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	u32 trees = gns_cache_trees(gsb->cache);
	int set;

	/* Who sees the number sees what was found for it. */
	if (smp_load_acquire(&gi->trees) == trees)
		return READ_ONCE(gi->cset);
	set = gns_cset_find_tree(gsb->cache, gsb->s->origin, &gi->fh);
	spin_lock(&gi->lock);
	/* Somebody else may know of more. */
	if (trees > gi->trees) {
		WRITE_ONCE(gi->cset, set);
		/* Behind it: who sees that sees the other, too. */
		smp_store_release(&gi->trees, trees);
	}
	spin_unlock(&gi->lock);
	return set;
}

static int set_of(const struct gns_sb *gsb, struct dentry *dentry)
{
	struct dentry *d = dget(dentry), *parent;
	struct inode *inode;
	int set = 0;

	while (!set && !IS_ROOT(d)) {
		parent = dget_parent(d);
		dput(d);
		d = parent;
		inode = d_inode(d);
		if (inode && S_ISDIR(inode->i_mode))
			set = set_of_dir(gns_i(inode));
	}
	dput(d);
	return set ?: gsb->cset;
}

void gns_set_use(struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	struct gns_sb *gsb = gns_isb(inode);
	struct gns_cobj *obj = gns_i(inode)->cobj;

	if (obj)
		gns_cobj_use_set(obj, gns_cache_trees(gsb->cache) ?
					      set_of(gsb, dentry) :
					      gsb->cset);
}

int gns_set_of_mount(struct gns_sb *gsb, const struct gns_climit *limit)
{
	char *name = kasprintf(GFP_KERNEL, "%s:/%s", gsb->s->origin,
			       gsb->export);
	int set;

	if (!name)
		return -ENOMEM;
	set = gns_cset_of_export(gsb->cache, name, limit);
	kfree(name);
	if (set < 0)
		return set;
	gsb->cset = set;
	return 0;
}

void gns_set_show(struct seq_file *m, struct gns_sb *gsb)
{
	struct gns_climit limit;

	gns_cset_limits(gsb->cache, gsb->cset, &limit);
	if (limit.has_quota)
		seq_printf(m, ",cache_quota=%llu", limit.quota);
	if (limit.has_pin)
		seq_puts(m, ",cache_pin=yes");
}

/* "<origin>:/<export>/<path>", as it is called now; freed by kfree(). */
static char *tree_name(struct gns_sb *gsb, struct dentry *dentry)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL), *path, *name = NULL;

	if (!buf)
		return NULL;
	path = dentry_path_raw(dentry, buf, PATH_MAX);
	if (!IS_ERR(path))
		name = kasprintf(GFP_KERNEL, "%s:/%s%s", gsb->s->origin,
				 gsb->export, path);
	kfree(buf);
	return name;
}

static int check_args(const struct gns_ucache_set *a)
{
	if (a->flags & ~(GNS_UCS_QUOTA | GNS_UCS_PIN | GNS_UCS_UNPIN) || a->reserved ||
	    (a->flags & GNS_UCS_PIN && a->flags & GNS_UCS_UNPIN) ||
	    (a->quota && !(a->flags & GNS_UCS_QUOTA)))
		return -EINVAL;
	return 0;
}

static long cache_set(struct file *file, const struct gns_ucache_set *a)
{
	struct dentry *dentry = file_dentry(file);
	struct gns_inode *gi = gns_i(d_inode(dentry));
	struct gns_sb *gsb = gns_isb(d_inode(dentry));
	struct gns_climit limit = {
		.has_quota = a->flags & GNS_UCS_QUOTA,
		.quota = a->quota,
		.has_pin = a->flags & (GNS_UCS_PIN | GNS_UCS_UNPIN),
		.pin = a->flags & GNS_UCS_PIN,
	};
	char *name;
	int set;

	if (!gsb->cache)
		return -EOPNOTSUPP;
	/* The export's root has one already: the mount's. */
	if (IS_ROOT(dentry)) {
		set = gns_set_of_mount(gsb, &limit);
		return set ?: gsb->cset;
	}
	name = tree_name(gsb, dentry);
	if (!name)
		return -ENOMEM;
	set = gns_cset_of_tree(gsb->cache, gsb->s->origin, &gi->fh, name,
			       &limit);
	kfree(name);
	return set;
}

long gns_dir_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct gns_ucache_set a;
	int err;

	if (cmd != GNS_IOC_CACHE_SET)
		return -ENOTTY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&a, (void __user *)arg, sizeof(a)))
		return -EFAULT;
	err = check_args(&a);
	return err ?: cache_set(file, &a);
}
