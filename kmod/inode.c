// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes: one for each handle of a mount, as long as memory lasts. Making one
 * and dropping it asks nobody.
 */
#include <linux/jhash.h>
#include <linux/kdev_t.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "acl.h"
#include "cache/cache.h"
#include "file.h"
#include "lease.h"
#include "listing.h"
#include "lock.h"
#include "size.h"

static struct kmem_cache *cache;

static void init_once(void *mem)
{
	struct gns_inode *gi = mem;

	inode_init_once(&gi->vfs_inode);
}

int gns_inode_cache_init(void)
{
	cache = kmem_cache_create("gns_inode", sizeof(struct gns_inode), 0,
				  SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
				  init_once);
	return cache ? 0 : -ENOMEM;
}

void gns_inode_cache_exit(void)
{
	/* Inodes are freed behind RCU. */
	rcu_barrier();
	kmem_cache_destroy(cache);
}

struct inode *gns_inode_alloc(struct super_block *sb)
{
	struct gns_inode *gi = alloc_inode_sb(sb, cache, GFP_KERNEL);
	struct gns_session *s = gns_sb(sb)->s;

	if (!gi)
		return NULL;
	memset(&gi->fh, 0, sizeof(gi->fh));
	gns_lease_init(gi, s);
	gi->btime = 0;
	gi->dgen = atomic64_inc_return(&s->epochs);
	gi->listing = NULL;
	gi->lost = 0;
	gi->used = 0;
	gi->missed = 0;
	gi->behind = 0;
	gi->unsynced = 0;
	gi->syncing = 0;
	gi->nsyncing = 0;
	gi->nocaps = 0;
	gi->bare = 0;
	gi->lockq = NULL;
	gi->acls = 0;
	RCU_INIT_POINTER(gi->acl[0], NULL);
	RCU_INIT_POINTER(gi->acl[1], NULL);
	gi->watched = 0;
	gi->cobj = NULL;
	gi->cset = 0;
	gi->trees = 0;
	gi->ahead = false;
	return &gi->vfs_inode;
}

void gns_inode_free(struct inode *inode)
{
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kmem_cache_free(cache, gns_i(inode));
}

/* From reclaim, too: nobody is told, and nothing is waited for. */
void gns_inode_evict(struct inode *inode)
{
	struct gns_inode *gi = gns_i(inode);
	struct gns_listing *listing;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	gns_lease_unhash(gi);
	gns_open_forget(gi);
	spin_lock(&gi->lock);
	listing = gns_listing_take(gi);
	spin_unlock(&gi->lock);
	gns_listing_free(listing);
	gns_lockq_free(gi);
	gns_acl_forget(gi);
	gns_cobj_put(gi->cobj);
	gi->cobj = NULL;
}

void gns_inode_set_attr(struct gns_inode *gi, const struct gns_uattr *attr)
{
	struct inode *inode = &gi->vfs_inode;

	lockdep_assert_held(&gi->lock);
	/* What kind of object it is was settled when it was made. */
	inode->i_mode = (inode->i_mode & S_IFMT) | (attr->mode & 07777);
	set_nlink(inode, attr->nlink);
	inode->i_uid = gns_uid_here(gns_isb(inode), attr->uid);
	inode->i_gid = gns_gid_here(gns_isb(inode), attr->gid);
	gns_size_set(gi, attr->size);
	inode->i_blocks = attr->blocks;
	inode_set_atime_to_ts(inode, ns_to_timespec64(attr->atime));
	inode_set_mtime_to_ts(inode, ns_to_timespec64(attr->mtime));
	inode_set_ctime_to_ts(inode, ns_to_timespec64(attr->ctime));
	WRITE_ONCE(gi->btime, attr->btime);
	WRITE_ONCE(gi->acls, attr->mode & (GNS_UAM_ACL | GNS_UAM_DEFACL));
}

static bool is_type(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return true;
	}
	return false;
}

static void set_ops(struct inode *inode, u32 rdev)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &gns_file_iops;
		inode->i_fop = &gns_file_fops;
		inode->i_mapping->a_ops = &gns_aops;
		gns_set_large_folios(inode->i_mapping, GNS_UREAD_MAX);
		break;
	case S_IFDIR:
		inode->i_op = &gns_dir_iops;
		inode->i_fop = &gns_dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = &gns_link_iops;
		break;
	default:
		inode->i_op = &gns_special_iops;
		init_special_inode(inode, inode->i_mode, new_decode_dev(rdev));
	}
}

/* All of it is there before a REVOKE can find it. */
static int set_up(struct inode *inode, const struct gns_uattr *attr)
{
	struct gns_inode *gi = gns_i(inode);
	struct gns_sb *gsb = gns_isb(inode);

	/* Without memory for it nothing is kept. */
	if (gsb->cache && S_ISREG(attr->mode))
		gi->cobj = gns_cobj_get(gsb->cache, gsb->s->origin, &gi->fh);
	inode->i_ino = attr->ino;
	inode->i_mode = attr->mode & (S_IFMT | 07777);
	/* What is known of lists ends with a lease: acl.c. */
	inode->i_acl = ACL_DONT_CACHE;
	inode->i_default_acl = ACL_DONT_CACHE;
	/* Its times are the origin's: also a fifo's, which is written here. */
	inode->i_flags |= S_NOCMTIME;
	set_ops(inode, attr->rdev);
	spin_lock(&gi->lock);
	gns_inode_set_attr(gi, attr);
	spin_unlock(&gi->lock);
	return gns_lease_hash(gi);
}

static int has_fh(struct inode *inode, void *fh)
{
	return gns_fh_eq(&gns_i(inode)->fh, fh);
}

static int set_fh(struct inode *inode, void *fh)
{
	gns_i(inode)->fh = *(const struct gns_fh *)fh;
	return 0;
}

struct inode *gns_inode_find(struct super_block *sb, const struct gns_fh *fh)
{
	struct gns_fh key = *fh;

	return ilookup5(sb, jhash(key.b, key.len, 0), has_fh, &key);
}

/* NULL: it was another kind of object, and is hashed no more. */
static struct inode *get_known(struct inode *inode,
			       const struct gns_uattr *attr)
{
	if (((inode->i_mode ^ attr->mode) & S_IFMT) == 0)
		return inode;
	gns_warn(gns_isb(inode), "inode %lu has become another kind of object; was the export restored from a copy?\n",
		 inode->i_ino);
	remove_inode_hash(inode);
	iput(inode);
	return NULL;
}

struct inode *gns_inode_get(struct super_block *sb, const struct gns_fh *fh,
			    const struct gns_uattr *attr)
{
	struct gns_fh key = *fh;
	struct inode *inode;
	int tries, err;

	if (!key.len || key.len > GNS_UFH_MAX || !is_type(attr->mode))
		goto nonsense;
	for (tries = 0; tries < 3; tries++) {
		inode = iget5_locked(sb, jhash(key.b, key.len, 0), has_fh,
				     set_fh, &key);
		if (!inode)
			return ERR_PTR(-ENOMEM);
		if (inode->i_state & I_NEW) {
			err = set_up(inode, attr);
			if (err) {
				iget_failed(inode);
				return ERR_PTR(err);
			}
			unlock_new_inode(inode);
			return inode;
		}
		if (get_known(inode, attr))
			return inode;
	}
nonsense:
	gns_err(gns_sb(sb), "the origin describes an object that can not be (mode %o, handle of %u bytes); look at its log\n",
		attr->mode, key.len);
	return ERR_PTR(-EUCLEAN);
}
