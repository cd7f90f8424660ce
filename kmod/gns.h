/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Superblock and inode of gns, and how to log.
 *
 * Lifetime: struct gns_sb from get_tree to kill_sb; its calls are ended before
 * the VFS tears down inodes. struct gns_inode is the VFS inode's memory; freed
 * after RCU.
 * Locks: lease.h has the order. Fields: I set at creation, G under gi->lock,
 * R read without it (READ_ONCE), M under gi->lease_mutex.
 */
#ifndef GNS_GNS_H
#define GNS_GNS_H

#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rhashtable-types.h>
#include "cache/limit.h"
#include "call.h"
#include "idmap.h"
#include "stats.h"

#define GNS_SUPER_MAGIC 0x676e7366 /* "gnsf" */

/* Readahead window, bytes: what a 40 ms link at 10 Gbit/s hides behind. */
#define GNS_RASIZE_DEFAULT (8u << 20)
#define GNS_RASIZE_MAX (256u << 20)

#define GNS_TIMEO_DEFAULT_MS 60000u /* soft mounts */
#define GNS_MOUNT_TIMEO_MS 15000u /* for an origin that says nothing */

#define GNS_CACHE_SPEC_MAX 512u

/** struct gns_options - of a mount; all of them in /proc/mounts */
struct gns_options {
	char cache[GNS_CACHE_SPEC_MAX]; /* devices; empty: none */
	bool verify; /* all that is read from them */
	struct gns_climit limit; /* of the context: of the mount's set there */
	enum gns_cache_change change; /* of the context, with @device */
	char *device; /* of the context; NULL: none is to come or go */
	bool soft;
	u32 timeo_ms;
	u32 rasize; /* bytes */
	struct gns_id_map uidmap;
	struct gns_id_map gidmap;
};

/**
 * struct gns_sb - a mount
 * @sb:      I
 * @s:       I its origin's session, a reference
 * @nr:      I its number
 * @export:  I
 * @root_fh: I
 * @opt:     options
 * @cache:   I what is kept on devices; NULL: nothing
 * @cset:    its data set there
 * @dead:    R given up: every call ends with EIO
 * @closing: its inodes go: nobody can read them any more; set under s->lock
 *           and s->mapped_lock, read under either
 * @calls_lock: leaf but for wake-ups
 * @calls:   struct gns_call that have not ended; @calls_lock
 * @ncalls:  calls from init to free, see gns_call_drain()
 * @calls_gone: woken when there is none, under @calls_lock
 * @fill_pages: pages that fills hold locked
 * @pieces:  bounce buffers of reads past the cache
 * @stats:   counters
 * @statfs:  newest answer of STATFS, under @calls_lock; bsize 0: none yet
 * @watches: struct gns_watch
 * @unsynced: @calls_lock: incarnation of the origin that the oldest change of
 *           this mount was sent to that is not known to be durable; 0: none
 * @sync_mutex: one syncfs(2) at a time
 * @opened:  s->opened_lock: inodes with open files, and some that had; those
 *           that were asked for since the session began last are at the end
 * @by_opened: in s->opened while there are some; s->opened_lock
 * @regain:  work: asks for the leases of those in @opened
 * @listings: struct gns_listing, those of all its directories
 * @listings_lock: of @listings; gi->lock comes first
 * @listing_bytes: in them
 * @aheads:  calls of open directories that are ahead of their readers
 * @kobj:    /sys/fs/gns/<nr>
 * @kobj_gone: nobody looks at @kobj any more
 */
struct gns_sb {
	struct super_block *sb;
	struct gns_session *s;
	u32 nr;
	char *export;
	struct gns_fh root_fh;
	struct gns_options opt;
	struct gns_cache *cache;
	int cset;
	bool dead;
	bool closing;
	spinlock_t calls_lock; /* calls */
	struct list_head calls;
	atomic_t ncalls;
	wait_queue_head_t calls_gone;
	atomic_long_t fill_pages;
	atomic_t pieces;
	struct gns_stats __percpu *stats;
	struct gns_ustatfs statfs;
	atomic_t watches;
	u64 unsynced;
	struct mutex sync_mutex; /* syncfs(2) */
	struct list_head opened;
	struct list_head by_opened;
	struct work_struct regain;
	struct list_head listings;
	spinlock_t listings_lock; /* listings */
	atomic_long_t listing_bytes;
	atomic_t aheads;
	struct kobject kobj;
	struct completion kobj_gone;
};

/* So often has to be looked behind names that came with attributes. */
#define GNS_USED_ENOUGH 32

struct gns_acl;
struct gns_cache;
struct gns_cobj;
struct gns_listing;
struct gns_lockq;

/**
 * struct gns_inode - an object of the origin
 * @vfs_inode: first use of the memory is the VFS's
 * @s:         I its session; the superblock holds the reference
 * @fh:        I
 * @by_fh:     in s->inodes
 * @hashed:    it is there
 * @lock:      G
 * @held_gen:  G R s->gen of the session that the lease is of; 0: none
 * @epoch:     G R this life of the lease; changes before anything cached does
 * @number:    G newest grant
 * @version:   G of what is cached; 0: nothing is
 * @attr_ok:   G R the attributes are of @version
 * @revoked:   G every grant up to it is void
 * @revoked_gen: G in this generation of the session
 * @born:      I s->makes when it was hashed, or a little older
 * @own_seq:   S->lock: s->own_seq when a change of it began or ended here last
 * @paused:    s->lock: s->gen of the session that its lease was held in when a
 *             change suspended it; 0: it was not held, or has gone since
 * @own_pass:  s->lock: mark of who goes through the inodes of a handle
 * @lease_mutex: M dropping of what is cached, taking of grants
 * @ask:       one asker at a time; killable, never under lease_mutex
 * @fills:     G struct gns_fill of the page cache in flight
 * @cached:    in s->cached
 * @in_batch:  somebody is asking for it among others; s->cached_lock
 * @mapped:    in s->mapped
 * @zap_pass:  s->mapped_lock
 * @size:      G R bytes, see size.h
 * @sized:     in s->sized while i_size is that; s->sized_lock
 * @btime:     G ns
 * @dgen:      G R directories: names looked up under another are void; never 0,
 *             and never used twice, for a directory moves with its dentry
 * @listing:   G directories: what READDIR said, of @dgen
 * @lost:      R directories: names in @listing that reclaim took since
 * @used:      R directories: how often known names in it were looked up since
 *             attributes were asked for by the listing; at most GNS_USED_ENOUGH
 * @missed:    R directories: names that had to be asked for since then
 * @behind:    @ask, directories: how many names that was for, at a miss
 * @unsynced:  G incarnation of the origin that the oldest change was sent to
 *             that is not known to be durable; 0: none
 * @syncing:   G the same of those that fsync(2) is about now
 * @nsyncing:  G how many of it there are
 * @nocaps:    R life of the lease in which the origin knew of no capabilities
 * @lockq:     requests for its locks; NULL: there never was one
 * @bare:      R the same of any extended attribute, see xattr.c
 * @acls:      G R GNS_UAM_*: access control lists that it has
 * @acl:       G RCU those that are known, see acl.h; the second: the default one
 * @watched:   R somebody is looking at it for watch.c
 * @opens:     G open files; regular files only
 * @said_open: G s->gen of the session in which a RELEASED said that it is
 *             open, and no lease was taken since; 0: none
 * @opened:    in gsb->opened if @opens is not 0, or was not; entered under
 *             @lock, too, and left under it while the inode is in use;
 *             s->opened_lock
 * @regained:  s->opened_lock: s->gen when its lease was asked for last
 * @cobj:      I what is kept of it; NULL: nothing
 * @cset:      R directories: the data set of what is below; 0: it has none of its
 *             own; see sets.c
 * @trees:     R how many directories had one when that was looked for
 * @ahead:     R its pages came since it was read to its end last, see ahead.h
 */
struct gns_inode {
	struct inode vfs_inode;
	struct gns_session *s;
	struct gns_fh fh;
	struct rhlist_head by_fh;
	bool hashed;
	spinlock_t lock; /* G */
	u64 held_gen;
	u64 epoch;
	u64 number;
	u64 version;
	bool attr_ok;
	u64 revoked;
	u64 revoked_gen;
	u64 born;
	u64 own_seq;
	u64 paused;
	u64 own_pass;
	struct mutex lease_mutex; /* M */
	struct mutex ask; /* one asker */
	struct list_head fills;
	struct list_head cached;
	bool in_batch;
	struct list_head mapped;
	u64 zap_pass;
	u64 size;
	struct list_head sized;
	s64 btime;
	u64 dgen;
	struct gns_listing *listing;
	u32 lost;
	u32 used;
	u32 missed;
	u32 behind;
	u64 unsynced;
	u64 syncing;
	u32 nsyncing;
	u64 nocaps;
	u64 bare;
	struct gns_lockq *lockq;
	u32 acls;
	struct gns_acl __rcu *acl[2];
	int watched;
	u32 opens;
	u64 said_open;
	struct list_head opened;
	u64 regained;
	struct gns_cobj *cobj;
	int cset;
	u32 trees;
	bool ahead;
};

static inline struct gns_inode *gns_i(const struct inode *inode)
{
	return container_of(inode, struct gns_inode, vfs_inode);
}

static inline struct gns_sb *gns_sb(const struct super_block *sb)
{
	return sb->s_fs_info;
}

#define gns_isb(inode) gns_sb((inode)->i_sb)

static inline bool gns_fh_eq(const struct gns_fh *a, const struct gns_fh *b)
{
	return a->len == b->len && !memcmp(a->b, b->b, a->len);
}

/* How long who asks for something by a mount waits, in jiffies. */
static inline long gns_patience(const struct gns_sb *gsb)
{
	return READ_ONCE(gsb->opt.soft) ?
		       msecs_to_jiffies(READ_ONCE(gsb->opt.timeo_ms)) :
		       MAX_SCHEDULE_TIMEOUT;
}

/* What came of it: @left as wait_..._killable_timeout() returns it. */
static inline int gns_waited(long left)
{
	if (left > 0)
		return 0;
	return left ? -EINTR : -ETIMEDOUT;
}

/* That something is not there is said by LOOKUP only, and never as an error. */
static inline int gns_not_absent(int err)
{
	return err == -ENOENT ? -EIO : err;
}

/* One line, which says what to do; nobody can fill the log with them. */
#define gns_err(gsb, fmt, ...) \
	pr_err_ratelimited("gns: %s:/%s: " fmt, (gsb)->s->origin, \
			   (gsb)->export, ##__VA_ARGS__)
#define gns_warn(gsb, fmt, ...) \
	pr_warn_ratelimited("gns: %s:/%s: " fmt, (gsb)->s->origin, \
			    (gsb)->export, ##__VA_ARGS__)

/* super.c */
int gns_super_init(void);
void gns_super_exit(void);

/* inode.c */
extern const struct inode_operations gns_file_iops;
extern const struct inode_operations gns_dir_iops;
extern const struct inode_operations gns_link_iops;
extern const struct inode_operations gns_special_iops;
extern const struct file_operations gns_file_fops;
extern const struct file_operations gns_dir_fops;
extern const struct address_space_operations gns_aops;
extern const struct dentry_operations gns_dentry_ops;

int gns_inode_cache_init(void);
void gns_inode_cache_exit(void);
struct inode *gns_inode_alloc(struct super_block *sb);
void gns_inode_free(struct inode *inode);
void gns_inode_evict(struct inode *inode);

/**
 * gns_inode_get() - the inode of a handle, made if there is none
 * @sb:   the mount
 * @fh:   from the origin, len 1..63
 * @attr: type, for a new inode; that of a known one must be the same
 *
 * A new inode has no lease, and no attributes that count: grant it.
 * Context: process, may sleep. Return: a reference; ERR_PTR(-ENOMEM), or
 * -EUCLEAN when the origin's answer makes no sense.
 */
struct inode *gns_inode_get(struct super_block *sb, const struct gns_fh *fh,
			    const struct gns_uattr *attr);

/**
 * gns_inode_find() - the inode of a handle, if there is one
 * @sb: the mount
 * @fh: whoever has it from
 *
 * Context: process, may sleep. Return: a reference; NULL.
 */
struct inode *gns_inode_find(struct super_block *sb, const struct gns_fh *fh);

/**
 * gns_inode_set_attr() - attributes of the version that is being granted
 * @gi:   the inode
 * @attr: from the origin
 *
 * Context: gi->lock held; called by lease.c.
 */
void gns_inode_set_attr(struct gns_inode *gi, const struct gns_uattr *attr);

/**
 * gns_attr_to_stat() - attributes that are not kept, for one stat(2)
 * @inode: whose
 * @attr:  from the origin
 * @st:    filled
 */
void gns_attr_to_stat(const struct inode *inode, const struct gns_uattr *attr,
		      struct kstat *st);

/**
 * gns_inode_drop_names() - a directory's names are void
 * @gi: a directory; gi->lock held
 *
 * Return: the listing that it had, to be freed by gns_listing_free() without
 * the lock; NULL.
 */
struct gns_listing *gns_inode_drop_names(struct gns_inode *gi);
void gns_listing_free(struct gns_listing *l); /* NULL is harmless */

/* attr.c: inode operations */
int gns_getattr(gns_idmap_t *idmap, const struct path *path, struct kstat *st,
		u32 mask, unsigned int flags);
int gns_permission(gns_idmap_t *idmap, struct inode *inode, int mask);

/* setattr.c */
int gns_setattr(gns_idmap_t *idmap, struct dentry *dentry, struct iattr *attr);

/* xattr.c */
extern const struct xattr_handler *const gns_xattr_handlers[];
ssize_t gns_listxattr(struct dentry *dentry, char *list, size_t size);

/* export.c */
extern const struct export_operations gns_export_ops;

/* sysfs.c */
int gns_sysfs_init(void);
void gns_sysfs_exit(void);
struct kobject *gns_sysfs_root(void);
int gns_sysfs_add(struct gns_sb *gsb);
void gns_sysfs_del(struct gns_sb *gsb);

/* netlink.c, chardev.c */
int gns_netlink_init(void);
void gns_netlink_exit(void);
int gns_chardev_init(void);
void gns_chardev_exit(void);

#endif
