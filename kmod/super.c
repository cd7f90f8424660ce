// SPDX-License-Identifier: GPL-2.0
/*
 * The superblock. Teardown waits for nobody outside of this kernel: calls are
 * ended, not waited for, and what the helper should still hear it may hear
 * when it comes back.
 */
#include <linux/backing-dev.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include "cache/cache.h"
#include "file.h"
#include "listing.h"
#include "options.h"
#include "sets.h"
#include "super.h"
#include "watch.h"

/* How long a statfs waits for newer numbers than those it has. */
#define STATFS_PATIENCE_MS 500

DEFINE_SPINLOCK(gns_mounts_lock);

struct gns_sb *gns_sb_new(struct gns_session *s, const char *export,
			  const struct gns_fh *root,
			  const struct gns_options *opt)
{
	struct gns_sb *gsb = kzalloc(sizeof(*gsb), GFP_KERNEL);

	if (!gsb)
		return NULL;
	gsb->export = kstrdup(export, GFP_KERNEL);
	gsb->stats = alloc_percpu(struct gns_stats);
	if (!gsb->export || !gsb->stats) {
		free_percpu(gsb->stats);
		kfree(gsb->export);
		kfree(gsb);
		return NULL;
	}
	gns_session_get(s);
	get_net(s->inst->net);
	gsb->s = s;
	gsb->root_fh = *root;
	gsb->opt = *opt;
	spin_lock_init(&gsb->calls_lock);
	INIT_LIST_HEAD(&gsb->listings);
	spin_lock_init(&gsb->listings_lock);
	INIT_LIST_HEAD(&gsb->calls);
	init_waitqueue_head(&gsb->calls_gone);
	mutex_init(&gsb->sync_mutex);
	INIT_LIST_HEAD(&gsb->opened);
	INIT_LIST_HEAD(&gsb->by_opened);
	INIT_WORK(&gsb->regain, gns_lease_regain);
	init_completion(&gsb->kobj_gone);
	gsb->nr = gns_new_nr();
	return gsb;
}

void gns_sb_free(struct gns_sb *gsb)
{
	struct net *net;

	if (!gsb)
		return;
	net = gsb->s->inst->net;
	gns_cache_put(gsb->cache);
	gns_session_put(gsb->s);
	put_net(net);
	free_percpu(gsb->stats);
	kfree(gsb->export);
	kfree(gsb);
}

static int ask_for_a_while(struct gns_call *c)
{
	unsigned long patience = msecs_to_jiffies(STATFS_PATIENCE_MS);
	int err = gns_call_submit(c);
	long left;

	if (err)
		return err;
	left = wait_for_completion_killable_timeout(&c->done, patience);
	if (left <= 0) {
		err = left ? left : -ETIMEDOUT;
		if (gns_call_abort(c, err))
			return err;
		wait_for_completion(&c->done);
	}
	return c->ans.err;
}

/*
 * The origin's numbers, as new as can be had. They are no part of what leases
 * promise, and df(1) and umount(8), which ask on their way to other things,
 * shall not hang with an origin that is away: old numbers are better than that.
 */
static int get_statfs(struct gns_sb *gsb, const struct gns_fh *fh,
		      bool hurry, struct gns_ustatfs *got)
{
	struct gns_bufcall *c;
	int err;

	c = gns_bufcall_new(gsb->s, gsb, GNS_CALL_STATFS, current_cred(), 0);
	if (!c)
		return -ENOMEM;
	c->c.req.fh = *fh;
	err = hurry ? ask_for_a_while(&c->c) : gns_call_sync(&c->c);
	err = gns_not_absent(err);
	spin_lock(&gsb->calls_lock);
	if (!err)
		gsb->statfs = c->c.ans.statfs;
	*got = gsb->statfs;
	spin_unlock(&gsb->calls_lock);
	gns_call_put(&c->c);
	return err && got->bsize && !fatal_signal_pending(current) ? 0 : err;
}

void gns_super_learn(struct gns_sb *gsb)
{
	struct gns_ustatfs got;

	get_statfs(gsb, &gsb->root_fh, true, &got);
	/* It may be that this mount is not needed, and freed. */
	gns_call_drain(gsb);
}

static int gns_statfs(struct dentry *dentry, struct kstatfs *st)
{
	struct gns_sb *gsb = gns_sb(dentry->d_sb);
	struct gns_ustatfs got;
	u32 hash;
	int err;

	/* The first time there is nothing else to show. */
	err = get_statfs(gsb, &gns_i(d_inode(dentry))->fh,
			 READ_ONCE(gsb->statfs.bsize), &got);
	if (err)
		return err;
	st->f_type = GNS_SUPER_MAGIC;
	st->f_bsize = got.bsize && got.bsize <= INT_MAX ? got.bsize : PAGE_SIZE;
	st->f_frsize = st->f_bsize;
	st->f_blocks = got.blocks;
	st->f_bfree = got.bfree;
	st->f_bavail = got.bavail;
	st->f_files = got.files;
	st->f_ffree = got.ffree;
	st->f_namelen = got.namelen ? min(got.namelen, GNS_UNAME_MAX) :
				      GNS_UNAME_MAX;
	/* The same for every host that mounts this export. */
	hash = jhash(gsb->s->origin, strlen(gsb->s->origin), GNS_SUPER_MAGIC);
	st->f_fsid.val[0] = hash;
	st->f_fsid.val[1] = jhash(gsb->export, strlen(gsb->export), hash);
	return 0;
}

static int gns_show_options(struct seq_file *m, struct dentry *root)
{
	struct gns_sb *gsb = gns_sb(root->d_sb);

	gns_options_show(m, &gsb->opt);
	if (gsb->cache)
		gns_set_show(m, gsb);
	return 0;
}

static void give_up(struct gns_sb *gsb)
{
	/* Under the lock: no call slips into the list behind the sweep. */
	spin_lock(&gsb->calls_lock);
	WRITE_ONCE(gsb->dead, true);
	spin_unlock(&gsb->calls_lock);
	gns_call_abort_all(gsb, -EIO);
	/* Who waits for a slot has no call yet. */
	wake_up_all(&gsb->s->wait);
}

/*
 * umount -f: whoever waits gets EIO, so that the mount becomes free to go. It
 * stays given up, even if it could not be unmounted.
 */
static void gns_umount_begin(struct super_block *sb)
{
	give_up(gns_sb(sb));
}

static long gns_nr_cached(struct super_block *sb, struct shrink_control *sc)
{
	return gns_listings_count(gns_sb(sb));
}

static long gns_free_cached(struct super_block *sb, struct shrink_control *sc)
{
	return gns_listings_shrink(gns_sb(sb), sc->nr_to_scan);
}

static const struct super_operations super_ops = {
	.alloc_inode = gns_inode_alloc,
	.free_inode = gns_inode_free,
	.evict_inode = gns_inode_evict,
	.statfs = gns_statfs,
	.sync_fs = gns_sync_fs,
	.show_options = gns_show_options,
	.umount_begin = gns_umount_begin,
	.nr_cached_objects = gns_nr_cached,
	.free_cached_objects = gns_free_cached,
};

void gns_super_set_rasize(struct super_block *sb, u32 rasize)
{
	sb->s_bdi->ra_pages = rasize >> PAGE_SHIFT;
	sb->s_bdi->io_pages = rasize >> PAGE_SHIFT;
}

static int make_root(struct super_block *sb, const struct gns_answer *ans)
{
	struct inode *inode = gns_inode_get(sb, &ans->fh, &ans->attr);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	gns_lease_grant(gns_i(inode), ans->sid, &ans->grant, &ans->attr);
	sb->s_root = d_make_root(inode);
	return sb->s_root ? 0 : -ENOMEM;
}

int gns_super_fill(struct super_block *sb, struct fs_context *fc,
		   const struct gns_answer *ans)
{
	struct gns_sb *gsb = gns_sb(sb);
	int err;

	gsb->sb = sb;
	sb->s_magic = GNS_SUPER_MAGIC;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_time_gran = 1;
	/* What nanoseconds can say in 64 bits. */
	sb->s_time_min = div_s64(S64_MIN, NSEC_PER_SEC);
	sb->s_time_max = div_s64(S64_MAX, NSEC_PER_SEC);
	sb->s_op = &super_ops;
	gns_set_xattr(sb, gns_xattr_handlers);
	sb->s_export_op = &gns_export_ops;
	set_default_d_op(sb, &gns_dentry_ops);
	/* The origin keeps no access times for its readers. */
	sb->s_flags |= SB_NOATIME | SB_NODIRATIME;
	/* And it applies the umask. */
	sb->s_flags |= SB_POSIXACL;
#ifdef SB_I_NOIDMAP
	sb->s_iflags |= SB_I_NOIDMAP;
#endif
	err = super_setup_bdi(sb);
	if (err)
		return err;
	gns_super_set_rasize(sb, gsb->opt.rasize);
	err = make_root(sb, ans);
	if (!err)
		err = gns_sysfs_add(gsb);
	if (err) {
		errorfc(fc, "the mount can not be set up: error %d", err);
		return err;
	}
	sb->s_flags |= SB_ACTIVE;
	return 0;
}

/*
 * Files under /sys first, which look at all of it; calls, for fills hold
 * inodes; then the fences, which do so, too, and what they leave to watch.c;
 * then the VFS finds every inode unused.
 */
static void gns_kill_sb(struct super_block *sb)
{
	struct gns_sb *gsb = gns_sb(sb);

	if (gsb->kobj.state_initialized)
		gns_sysfs_del(gsb);
	give_up(gsb);
	/* Who queues it looks under this lock whether the mount is there. */
	spin_lock(&gsb->s->opened_lock);
	spin_unlock(&gsb->s->opened_lock);
	cancel_work_sync(&gsb->regain);
	gns_call_drain(gsb);
	gns_lease_quiesce(gsb);
	gns_watch_drain(gsb);
	kill_anon_super(sb);
	/* A path walk under RCU may still look at what is no more. */
	synchronize_rcu();
	spin_lock(&gns_mounts_lock);
	sb->s_fs_info = NULL;
	spin_unlock(&gns_mounts_lock);
	gns_sb_free(gsb);
}

/* Without FS_USERNS_MOUNT only the host's administrator may mount it. */
static struct file_system_type fs_type = {
	.owner = THIS_MODULE,
	.name = "gns",
	.init_fs_context = gns_init_fs_context,
	.parameters = gns_options_spec,
	.kill_sb = gns_kill_sb,
	.fs_flags = FS_RENAME_DOES_D_MOVE,
};
MODULE_ALIAS_FS("gns");

int gns_super_init(void)
{
	int err = gns_inode_cache_init();

	if (err)
		return err;
	err = register_filesystem(&fs_type);
	if (err)
		gns_inode_cache_exit();
	return err;
}

void gns_super_exit(void)
{
	unregister_filesystem(&fs_type);
	gns_inode_cache_exit();
}
