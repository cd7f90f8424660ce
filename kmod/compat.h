/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that gns is built for, and nothing else.
 *
 * The code is written for the newest of them; this file, which is put in front
 * of every source file, teaches the older ones the newer forms. No other file
 * asks for a version. Each entry says what changed, when, and which kernel has
 * to be given up before the entry can go ("until": the first that needs it no
 * more). Newer forms are macros, so that a stable kernel that was given the
 * same function later on does no harm.
 *
 * On an old kernel this file includes headers, printk.h among them: no file of
 * gns defines pr_fmt().
 */
#ifndef GNS_COMPAT_H
#define GNS_COMPAT_H

/* Also built into assembler and linker files by -include: C only from here. */
#ifndef __ASSEMBLY__

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "gns needs Linux 6.1 or newer"
#endif

/* The origin's access control lists are to be obeyed. */
#ifndef CONFIG_FS_POSIX_ACL
#error "gns needs a kernel with CONFIG_FS_POSIX_ACL"
#endif

/* Ids, epochs and deadlines are read in one access, without a lock. */
#ifndef CONFIG_64BIT
#error "gns needs a 64-bit kernel"
#endif

/*
 * A newer kernel than those in the tests may build and still be wrong: say so
 * here, at build time, where the one who tries it can see it.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#pragma message("gns is tested on Linux 6.1 to 6.12; this kernel is newer")
#endif

/*
 * Access control lists are no extended attributes for a filesystem: they have
 * operations of their own, with these names and arguments; until 6.2.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define get_inode_acl get_acl
#define gns_acl_of_t struct inode
#define gns_acl_inode(of) (of)
#define GNS_ACL_HANDLERS \
	&posix_acl_access_xattr_handler, &posix_acl_default_xattr_handler,
#else
#define gns_acl_of_t struct dentry
#define gns_acl_inode(of) d_inode(of)
#define GNS_ACL_HANDLERS
#endif

/* The first argument of inode operations; until 6.3. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
struct user_namespace;
typedef struct user_namespace gns_idmap_t;
#define gns_file_idmap(file) file_mnt_user_ns(file)
#else
struct mnt_idmap;
typedef struct mnt_idmap gns_idmap_t;
#define gns_file_idmap(file) file_mnt_idmap(file)
#endif

/* vma->vm_flags is written by functions; until 6.3. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#include <linux/mm.h>
#define vm_flags_set(vma, flags) ((void)((vma)->vm_flags |= (flags)))
#define vm_flags_clear(vma, flags) ((void)((vma)->vm_flags &= ~(flags)))
#endif

/* Nothing found is ERR_PTR(-ENOENT), no more NULL; until 6.4. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#include <linux/pagemap.h>
static inline struct folio *gns_folio_or_err(struct folio *folio)
{
	return folio ? folio : ERR_PTR(-ENOENT);
}

#define filemap_get_folio(mapping, index) \
	gns_folio_or_err(filemap_get_folio(mapping, index))
#define __filemap_get_folio(mapping, index, fgp, gfp) \
	gns_folio_or_err(__filemap_get_folio(mapping, index, fgp, gfp))
#endif

/* A number that changes with the object, for knfsd; until 6.3. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define gns_stat_set_cookie(st, cookie) ((void)(st), (void)(cookie))
#else
#include <linux/stat.h>
static inline void gns_stat_set_cookie(struct kstat *st, u64 cookie)
{
	st->change_cookie = cookie;
	st->result_mask |= STATX_CHANGE_COOKIE;
}
#endif

/*
 * How a block device is opened for its holder alone, and what of it has to be
 * kept for closing it; until 6.9.
 */
#include <linux/blkdev.h>
#include <linux/err.h>
static inline struct block_device *gns_bdev_open(const char *path, void *holder,
						 void **handle)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	*handle = NULL;
	return blkdev_get_by_path(path, FMODE_READ | FMODE_WRITE | FMODE_EXCL,
				  holder);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	*handle = NULL;
	return blkdev_get_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, holder,
				  NULL);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
	struct bdev_handle *h = bdev_open_by_path(path,
						  BLK_OPEN_READ | BLK_OPEN_WRITE,
						  holder, NULL);

	*handle = h;
	return IS_ERR(h) ? ERR_CAST(h) : h->bdev;
#else
	struct file *file = bdev_file_open_by_path(path,
						   BLK_OPEN_READ | BLK_OPEN_WRITE,
						   holder, NULL);

	*handle = file;
	return IS_ERR(file) ? ERR_CAST(file) : file_bdev(file);
#endif
}

static inline void gns_bdev_close(struct block_device *bdev, void *handle,
				  void *holder)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	blkdev_put(bdev, FMODE_READ | FMODE_WRITE | FMODE_EXCL);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	blkdev_put(bdev, holder);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
	bdev_release(handle);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	fput(handle);
#else
	/* Another task may open it as soon as this is over. */
	bdev_fput(handle);
#endif
}

/* A fault may hold the lock of its vma instead of mmap_lock; until 6.4. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#include <linux/mm.h>
#define release_fault_lock(vmf) mmap_read_unlock((vmf)->vma->vm_mm)
#endif

/*
 * Splice is a ->read_iter into a pipe's iterator, which can be reverted; there
 * is no other way. filemap_splice_read() and copy_splice_read(); until 6.5.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define GNS_SPLICE_BY_READ
#endif

/* It is told which attributes are asked for; until 6.6. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#include <linux/fs.h>
#define generic_fillattr(idmap, mask, inode, stat) \
	((void)(mask), generic_fillattr(idmap, inode, stat))
#endif

/* Flags of __filemap_get_folio() have a type; until 6.6. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef int fgf_t;
#endif

/* Copies into a folio of any size; until 6.6. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#include <linux/highmem.h>
static inline void gns_memcpy_to_folio(struct folio *folio, size_t offset,
				       const char *from, size_t len)
{
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(offset));
		void *to = kmap_local_folio(folio, offset);

		memcpy(to, from, n);
		kunmap_local(to);
		from += n;
		offset += n;
		len -= n;
	}
	flush_dcache_folio(folio);
}

#define memcpy_to_folio gns_memcpy_to_folio
#endif

/* A file without a name is called by its number in /proc; until 6.10. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define d_mark_tmpfile(file, inode) ((void)(file), (void)(inode))
#endif

/* What is left of copy_file_range(2) when a filesystem can not; until 6.8. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define gns_splice_copy generic_copy_file_range
#else
#define gns_splice_copy(in, from, out, to, len, flags) \
	((void)(flags), splice_copy_file_range(in, from, out, to, len))
#endif

/* An inode's times have accessors, ctime since 6.6 and 6.1.y; until 6.7. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#include <linux/fs.h>
#define inode_get_atime(inode) ((inode)->i_atime)
#define inode_get_mtime(inode) ((inode)->i_mtime)
#define inode_set_atime_to_ts(inode, ts) ((inode)->i_atime = (ts))
#define inode_set_mtime_to_ts(inode, ts) ((inode)->i_mtime = (ts))
#endif

/* One step from locked to unlocked, uptodate or not; until 6.7. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#include <linux/pagemap.h>
static inline void gns_folio_end_read(struct folio *folio, bool success)
{
	if (success)
		folio_mark_uptodate(folio);
	folio_unlock(folio);
}

#define folio_end_read gns_folio_end_read
#endif

/* The table of handlers is const all through; until 6.7. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define gns_set_xattr(sb, handlers) \
	((sb)->s_xattr = (const struct xattr_handler **)(handlers))
#else
#define gns_set_xattr(sb, handlers) ((sb)->s_xattr = (handlers))
#endif

/*
 * That writes by O_DIRECT to one file need not stand in line is promised by
 * each open file, since 6.5, then by file_operations: both are written, one of
 * them is empty; until 6.10.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define GNS_FOP_FLAGS
#define gns_set_parallel_write(file) ((void)(file))
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define GNS_FOP_FLAGS
#define gns_set_parallel_write(file) \
	((file)->f_mode |= FMODE_DIO_PARALLEL_WRITE)
#else
#define GNS_FOP_FLAGS .fop_flags = FOP_DIO_PARALLEL_WRITE,
#define gns_set_parallel_write(file) ((void)(file))
#endif

/* The source of a string in a tracepoint is known already; until 6.10. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define gns_assign_str(dst, src) __assign_str(dst, src)
#else
#define gns_assign_str(dst, src) __assign_str(dst)
#endif

/* Is anything watched in a mount? Until 6.10. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define gns_sb_watched(sb) (atomic_long_read(&(sb)->s_fsnotify_connectors) > 0)
#else
#define gns_sb_watched(sb) fsnotify_sb_has_watchers(sb)
#endif

/*
 * Sizes of folios can be bounded; before, they are up to the kernel, and only
 * small ones are no larger than @max if a PMD is; until 6.12.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define gns_set_large_folios(mapping, max) \
	do { \
		if (PMD_SIZE <= (max)) \
			mapping_set_large_folios(mapping); \
	} while (0)
#else
#define gns_set_large_folios(mapping, max) \
	mapping_set_folio_order_range(mapping, 0, ilog2(max) - PAGE_SHIFT)
#endif

/*
 * What locks and leases share has a structure of its own in struct file_lock,
 * and what is about locks a header; until 6.9 and 6.3.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#include <linux/fs.h>
#else
#include <linux/filelock.h>
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define gns_fl(fl, field) ((fl)->fl_##field)
#define gns_for_each_lock(fl, head) list_for_each_entry(fl, head, fl_list)
#else
#define gns_fl(fl, field) ((fl)->c.flc_##field)
#define gns_for_each_lock(fl, head) list_for_each_entry(fl, head, c.flc_list)
#endif

/* A device says in its limits that its queues can be polled; until 6.11. */
#include <linux/blk-mq.h>
static inline bool gns_bdev_polls(struct block_device *bdev)
{
	const struct request_queue *q = bdev_get_queue(bdev);
	const struct blk_mq_tag_set *set = q->tag_set;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
	if (!test_bit(QUEUE_FLAG_POLL, &q->queue_flags))
		return false;
#else
	if (!(q->limits.features & BLK_FEAT_POLL))
		return false;
#endif
	return set && set->nr_maps > HCTX_TYPE_POLL &&
	       set->map[HCTX_TYPE_POLL].nr_queues;
}

/* A timer is set up with its function in one step; until 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <linux/hrtimer.h>
static inline void
gns_hrtimer_setup(struct hrtimer *timer,
		  enum hrtimer_restart (*fn)(struct hrtimer *timer),
		  clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}

#define hrtimer_setup gns_hrtimer_setup
#endif

/*
 * ->d_revalidate() is told the directory and the name; gns asks the dentry for
 * both; until 6.14.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define GNS_D_REVALIDATE_ARGS struct dentry *dentry, unsigned int flags
#else
#define GNS_D_REVALIDATE_ARGS \
	struct inode *dir, const struct qstr *name, struct dentry *dentry, \
		unsigned int flags
#endif

/* ->mkdir() returns the dentry that is in use, or NULL; until 6.15. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#include <linux/dcache.h>
#include <linux/err.h>
#define gns_mkdir_t int
static inline int gns_mkdir_result(struct dentry *dentry)
{
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	dput(dentry);
	return 0;
}
#else
#define gns_mkdir_t struct dentry *
#define gns_mkdir_result(dentry) (dentry)
#endif

/* A superblock's dentry operations are set by a function; until 6.17. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define set_default_d_op(sb, ops) ((void)((sb)->s_d_op = (ops)))
#endif

#endif /* __ASSEMBLY__ */
#endif /* GNS_COMPAT_H */
