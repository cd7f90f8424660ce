/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the cache: devices, sets, regions, objects and extents.
 *
 * A region's life:
 *
 *	FREE > PREPARING > READY > OPEN > FULL > SEALED > FREE
 *
 * @prepare, one worker of the cache, writes an OPEN foot on the device and puts
 * the region in line (READY). Writers take space in the OPEN one of a device;
 * when the next extent does not fit it is FULL, and when the last write to it is
 * through it is sealed by work of its own. What is SEALED is given up as a whole
 * by @prepare: its extents go out of their objects, readers that have it pinned
 * are waited for, and it is FREE.
 *
 * A region is of one set, from the moment on in which it is meant for it. So what
 * a set has is known to the region, and what it gives up takes nothing of others.
 *
 * A device that is taken away is @out first: nobody writes to it, and what it had
 * is not found any more. Once nobody has anything of it pinned it is freed; who
 * comes by a region, an extent or a bio knows it to be there until he unpins it.
 *
 * An extent is found under its object's lock. Who finds it pins the region
 * before he drops the lock; so nobody reads from a region that is used anew.
 * Extents stay in their region's list, found or not, until that is given up.
 *
 * Locks: obj->lock > cache->lock; both are taken in process context only.
 * Fields: C under cache->lock, O under the object's, A atomic, R without a lock,
 * I set before others see it.
 */
#ifndef GNS_CACHE_INT_H
#define GNS_CACHE_INT_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/kobject.h>
#include <linux/rbtree.h>
#include <linux/rhashtable.h>
#include <linux/workqueue.h>
#include "cache.h"
#include "media.h"
#include "policy.h"

#define GNS_CDEVS_MAX 16u
#define GNS_CSETS_MAX 64u
/* Regions of a device that are written to at a time, each of another set. */
#define GNS_COPEN_MAX 8u
/* Extents of a region, at most: memory of its table while it is open. */
#define GNS_CEXTENTS_MAX 16384u
/* Bytes under way to one device; what comes beside them is not kept. */
#define GNS_CWRITES_MAX (32u << 20)
/* All extents of a cache take so much of the memory at most. */
#define GNS_CMEMORY_PART 32u
/* A device that has failed so often is not used any more; a small one sooner. */
#define GNS_CERRORS_MAX 32
/* Regions of a device that wait to be written. */
#define GNS_CREADY 2u
/* Passes over a region that is drained, in which nothing of it finds place. */
#define GNS_CDRAIN_TRIES 3u

enum gns_cstate {
	GNS_CR_FREE,
	GNS_CR_PREPARING,
	GNS_CR_READY,
	GNS_CR_OPEN,
	GNS_CR_FULL,
	GNS_CR_SEALED,
	GNS_CR_BAD, /* the device could not write it: not used any more */
};

/**
 * struct gns_cregion - a region
 * @dev:    I its device
 * @nr:     I its number there
 * @state:  C
 * @set:    C that it is of; NULL: of none yet
 * @link:   C in a list of its device, free or ready, or of its set, sealed
 * @pins:   A reads from it
 * @writes: A writes to it, and one while it is OPEN; the last one seals it
 * @seq:    of this life
 * @end:    C of the data, bytes
 * @count:  C extents in @table, or in the table on the device
 * @nsums:  C checksums, likewise
 * @ext:    C all extents, linked by their next; NULL when it is free
 * @seen:   C policy's now when it was opened or judged to be kept
 * @picky:  C only what was missed a moment ago has place in it
 * @failed: a write to it failed
 * @live:   A blocks of it that can be found
 * @found:  of them when it was drained last; @prepare only
 * @tries:  how often there were not less than before
 * @wrote:  C cache->now when an extent found place in it last
 * @table:  while it is written: GNS_CEXTENTS_MAX of them
 * @sums:   C checksums: while it is written; with verify=all as long as it lives
 * @table_at: of the table on the device, bytes from the begin; sealed ones
 * @seal:   work
 */
struct gns_cregion {
	struct gns_cdev *dev;
	u32 nr;
	enum gns_cstate state;
	struct gns_cset *set;
	struct list_head link;
	atomic_t pins;
	atomic_t writes;
	u64 seq;
	u32 end;
	u32 count;
	u32 nsums;
	struct gns_cext *ext;
	u64 seen;
	bool picky;
	bool failed;
	atomic_t live;
	u32 found;
	u32 tries;
	u64 wrote;
	struct gns_media_extent *table;
	__le32 *sums;
	u32 table_at;
	struct work_struct seal;
};

/**
 * struct gns_cdev - a device
 * @cache:  I
 * @index:  I in cache->dev
 * @bdev:   I open for this kernel alone
 * @handle: I of compat.h
 * @path:   I as it was given
 * @geo:    I
 * @region: I all regions
 * @seq:    newest of a region; @prepare only, and at the start
 * @free:   C
 * @ready:  C for a set, or for whoever comes first
 * @nready: C of the latter
 * @nopen:  C
 * @nwritten: C regions that are OPEN or FULL
 * @nheld:  C regions that are a set's
 * @keeps:  writes that wait for it to take them, and for no other one
 * @writes: A bytes under way
 * @errors: A bios that have failed
 * @joining: C it is not known yet what it has
 * @drain:  C nothing is written to it, and what it has goes to others
 * @out:    C nothing is read from it or written to it any more
 * @emptied: what was kept there is forgotten; @prepare only
 * @kobj:   see sysfs.c
 * @kobj_gone: nobody looks at @kobj any more
 */
struct gns_cdev {
	struct gns_cache *cache;
	u32 index;
	struct block_device *bdev;
	void *handle;
	char *path;
	struct gns_media_geo geo;
	struct gns_cregion *region;
	u64 seq;
	struct list_head free;
	struct list_head ready;
	u32 nready;
	u32 nopen;
	u32 nwritten;
	u32 nheld;
	struct workqueue_struct *keeps;
	atomic_long_t writes;
	atomic_t errors;
	bool joining;
	bool drain;
	bool out;
	bool emptied;
	struct kobject kobj;
	struct completion kobj_gone;
};

/**
 * struct gns_cset - a data set: what it has of the cache, and may have. They
 * stay as long as the cache does, at the same place
 * @cache:  I
 * @index:  I in cache->set
 * @id:     I its name on the devices
 * @tree:   I it is a directory's, and all below that has no other one
 * @name:   C for people; NULL: it was found on a device, and nobody has come
 * @policy: C NULL: likewise
 * @missed: C
 * @again:  C what was missed a moment ago has come, and found no place
 * @wants:  C something has found no place
 * @mean:   C mean length of the chunks that were read lately, bytes
 * @last:   C cache->now when it was read last
 * @quota:  C bytes that it has at most; 0: as much as there is
 * @pin:    C what it has stays
 * @share:  C bytes that it may have, beside the others
 * @held:   C bytes of its regions, on devices that can be used
 * @open:   C by device: the region that is written to; NULL
 * @sealed: C by device: oldest first
 * @kobj:   see sysfs.c
 * @kobj_gone: nobody looks at @kobj any more
 */
struct gns_cset {
	struct gns_cache *cache;
	u32 index;
	u64 id;
	bool tree;
	char *name;
	struct gns_pset *policy;
	struct gns_pmissed missed;
	bool again;
	bool wants;
	u64 mean;
	u64 last;
	u64 quota;
	bool pin;
	u64 share;
	u64 held;
	struct gns_cregion *open[GNS_CDEVS_MAX];
	struct list_head sealed[GNS_CDEVS_MAX];
	struct kobject kobj;
	struct completion kobj_gone;
};

/**
 * struct gns_cache - the devices of an instance
 * @inst:    I
 * @ref:     under inst->cache_mutex, as who changes @dev
 * @spec:    I as the first mount gave it
 * @dev:     C
 * @ndevs:   C behind the last one; those between may be NULL
 * @lock:    C
 * @turn:    C the device that is written to next
 * @set:     C the first one is for what has no other one
 * @nsets:   C
 * @sets_mutex: one is made at a time
 * @ntrees:  C R sets that are trees
 * @now:     C reads of chunks
 * @needs:   C room for gns_csets_share()
 * @shares:  C the same
 * @missed:  I slots of what was missed, of all sets
 * @nmissed: I their number
 * @room:    C bytes of all regions that can be used
 * @align:   of O_DIRECT: largest logical block of a device, bytes
 * @verify:  I all that is read through the page cache is looked at
 * @objs:    struct gns_cobj by name
 * @extents: A of all objects, those that are not found any more, too
 * @wq:      reads and writes that need a worker; memory may wait for them
 * @regions_wq: prepare and seal, which may wait for those
 * @prepare: work
 * @preparing: C the device that it is at; NULL
 * @moving:  A extents that are being written again
 * @busy:    A reads and writes under way
 * @idle:    woken when there is none, and when a region has no reader, or a device
 *           less to write
 * @closing: nothing is kept any more
 * @nr:      I its number under /sys
 * @kobj:    see sysfs.c
 * @kobj_gone: nobody looks at @kobj any more
 */
struct gns_cache {
	struct gns_instance *inst;
	u32 ref;
	char *spec;
	struct gns_cdev *dev[GNS_CDEVS_MAX];
	u32 ndevs;
	spinlock_t lock; /* C */
	u32 turn;
	struct gns_cset *set[GNS_CSETS_MAX];
	u32 nsets;
	struct mutex sets_mutex; /* new sets */
	u32 ntrees;
	u64 now;
	u64 needs[GNS_CSETS_MAX];
	u64 shares[GNS_CSETS_MAX];
	u32 *missed;
	u32 nmissed;
	u64 room;
	u32 align;
	bool verify;
	struct rhashtable objs;
	atomic_long_t extents;
	struct workqueue_struct *wq;
	struct workqueue_struct *regions_wq;
	struct work_struct prepare;
	struct gns_cdev *preparing;
	atomic_t moving;
	atomic_t busy;
	wait_queue_head_t idle;
	bool closing;
	u32 nr;
	struct kobject kobj;
	struct completion kobj_gone;
};

/**
 * struct gns_cobj - an object of which something is kept, or may be
 * @by_key:  in cache->objs
 * @key:     I
 * @ref:     inodes, extents
 * @cache:   I
 * @lock:    O
 * @version: O of all that is in @extents
 * @extents: O by offset; they do not overlap
 * @next:    R where the last read of it ended, bytes
 * @credit:  R bytes that were read here and there, and not counted yet
 * @again:   R what is missed now was missed a moment ago
 * @set:     R the set that it is of, in cache->set; as of who opened it last
 * @rcu:     its end
 */
struct gns_cobj {
	struct rhash_head by_key;
	u8 key[GNS_MEDIA_OBJ_LEN];
	refcount_t ref;
	struct gns_cache *cache;
	spinlock_t lock; /* O */
	u64 version;
	struct rb_root extents;
	u64 next;
	u32 credit;
	bool again;
	u8 set;
	struct rcu_head rcu;
};

/**
 * struct gns_cext - kept bytes: 64 bytes
 * @node:    O in obj->extents; empty: it is not found any more
 * @obj:     I a reference
 * @next:    C of the region's
 * @place:   I its region, see gns_cext_region()
 * @off:     I in the file, blocks
 * @at:      I in the region, blocks
 * @sum:     I the first checksum's place in the region's
 * @unsure:  its checksums were not looked at since the start
 * @len:     I blocks
 * @visited: somebody read it since the region was judged
 */
struct gns_cext {
	struct rb_node node;
	struct gns_cobj *obj;
	struct gns_cext *next;
	u32 place;
	u32 off;
	u32 at;
	u32 sum;
	bool unsure;
	bool visited;
	u16 len;
};

static_assert(sizeof(struct gns_cext) <= 64);
static_assert(GNS_MEDIA_REGIONS_MAX <= 1u << 24 && GNS_CDEVS_MAX <= 1u << 8);

static inline struct gns_cregion *gns_cext_region(const struct gns_cext *x)
{
	struct gns_cdev *d = x->obj->cache->dev[x->place >> 24];

	return &d->region[x->place & 0xffffff];
}

static inline struct gns_cset *gns_cobj_cset(const struct gns_cobj *obj)
{
	return obj->cache->set[READ_ONCE(obj->set)];
}

/* Something can be written to it; c->lock held. */
static inline bool gns_cdev_usable(const struct gns_cdev *d)
{
	return d && !d->joining && !d->drain && !d->out;
}

static inline int gns_cdev_errors_max(const struct gns_cdev *d)
{
	return clamp_t(u32, d->geo.regions / 4, 2, GNS_CERRORS_MAX);
}

static inline void gns_cext_place(struct gns_cext *x, struct gns_cregion *r,
				  u32 at, u32 sum)
{
	x->place = r->dev->index << 24 | r->nr;
	x->at = at / GNS_MEDIA_BLOCK;
	x->sum = sum;
	x->next = r->ext;
	r->ext = x;
}

/** struct gns_cpiece - bytes of one extent; its region is pinned */
struct gns_cpiece {
	struct gns_cext *x;
	u64 pos; /* in the file, bytes */
	u32 len;
};

/* Where byte @off of an extent is on its device, bytes. */
static inline u64 gns_cext_at(const struct gns_cext *x, u64 off)
{
	const struct gns_cregion *r = gns_cext_region(x);

	return gns_media_region_at(&r->dev->geo, r->nr) +
	       x->at * (u64)GNS_MEDIA_BLOCK + off;
}

/**
 * struct gns_cbio - a bio, that knows its device: what lies under that may put
 * another one into it
 * @dev:   I
 * @next:  of the same read, in order; direct.c
 * @whole: as it was before it began; direct.c
 * @bio:   the bio
 */
struct gns_cbio {
	struct gns_cdev *dev;
	struct gns_cbio *next;
	struct bvec_iter whole;
	struct bio bio;
};

extern struct bio_set gns_cbios;

static inline struct gns_cdev *gns_cbio_dev(struct bio *bio)
{
	return container_of(bio, struct gns_cbio, bio)->dev;
}

/* A bio for an extent from byte @off on; NULL: by @gfp it must not wait. */
static inline struct bio *gns_cext_bio(const struct gns_cext *x, u64 off,
				       u32 vecs, blk_opf_t opf, gfp_t gfp)
{
	struct gns_cdev *d = gns_cext_region(x)->dev;
	struct bio *bio;

	bio = bio_alloc_bioset(d->bdev, bio_max_segs(vecs), opf, gfp,
			       &gns_cbios);
	if (!bio)
		return NULL;
	container_of(bio, struct gns_cbio, bio)->dev = d;
	bio->bi_iter.bi_sector = gns_cext_at(x, off) >> SECTOR_SHIFT;
	return bio;
}

/* Part of a folio, which lies in one piece; false: the bio is full. */
static inline bool gns_bio_add(struct bio *bio, struct folio *folio, u32 len,
			       size_t off)
{
	return bio_add_page(bio, folio_page(folio, off / PAGE_SIZE), len,
			    offset_in_page(off)) == len;
}

/* Of each read and write: the lock of @idle is not for nothing. */
static inline void gns_cache_wake(struct gns_cache *c)
{
	if (wq_has_sleeper(&c->idle))
		wake_up_all(&c->idle);
}

/* cache.c */
void gns_cache_busy(struct gns_cache *c);
void gns_cache_done(struct gns_cache *c);

/* set.c */
int gns_csets_init(struct gns_cache *c);
int gns_csets_start(struct gns_cache *c);
void gns_csets_exit(struct gns_cache *c);
struct gns_cset *gns_cset_found(struct gns_cache *c, u64 id);
void gns_csets_share(struct gns_cache *c);
int gns_cset_limit(struct gns_cset *s, const struct gns_climit *limit);
void gns_cache_note(struct gns_cobj *obj, u64 pos, u32 len, u64 size,
		    bool missed);

/* dev.c: sleep; 0 or -errno. @buf: from kvmalloc(), whole blocks */
struct gns_cdev *gns_cdev_open(struct gns_cache *c, u32 index, const char *path,
			       struct fs_context *fc);
void gns_cdev_close(struct gns_cdev *d);
int gns_cdev_rw(struct gns_cdev *d, blk_opf_t opf, u64 at, void *buf, u32 len);

/* recover.c: sleeps; 0 or -errno */
int gns_cdev_recover(struct gns_cdev *d);

/* region.c */
void gns_cregion_init(struct gns_cregion *r, struct gns_cdev *d, u32 nr);
void gns_cregion_free(struct gns_cregion *r);
void gns_cregion_unpin(struct gns_cregion *r);
void gns_cregion_assign(struct gns_cregion *r, struct gns_cset *s);
void gns_cregion_empty(struct gns_cregion *r);
int gns_cregion_ready(struct gns_cregion *r);
void gns_cregion_bad(struct gns_cregion *r, int err);
void gns_cregion_put_write(struct gns_cregion *r);
void gns_cregion_written(struct gns_cregion *r, bool failed);

/* Why bytes are kept. */
enum gns_ckeep {
	GNS_CK_NEW,
	GNS_CK_AGAIN, /* they were missed a moment ago */
	GNS_CK_MOVED, /* they are there, and what has a part of them is forgotten */
};

/* space.c */
bool gns_cregion_memory(const struct gns_cache *c);
bool gns_cregion_space(struct gns_cset *s, struct gns_cext *x, u64 version,
		       enum gns_ckeep how);
void gns_cregion_close_all(struct gns_cache *c);
void gns_cset_close(struct gns_cset *s, struct gns_cdev *d);
void gns_cdev_close_open(struct gns_cdev *d);

/* evict.c */
struct gns_cregion *gns_cevict(struct gns_cdev *d, struct gns_cset *s);
struct gns_cregion *gns_cevict_over(struct gns_cdev *d);
struct gns_cregion *gns_cevict_drained(struct gns_cdev *d, bool *more);

/* prepare.c */
void gns_cprepare(struct work_struct *work);
void gns_cprepare_soon(struct gns_cache *c);

/* admin.c */
void gns_cdev_error(struct gns_cdev *d);
void gns_cdev_out(struct gns_cdev *d);
void gns_cdev_forget(struct gns_cdev *d);
int gns_cdevs_join(struct gns_cache *c, const char *spec, bool list,
		   struct fs_context *fc);
bool gns_cache_has(struct gns_cache *c, const char *spec);

/* sysfs.c: 0 or -errno; sleep */
int gns_csysfs_add(struct gns_cache *c);
void gns_csysfs_del(struct gns_cache *c);
int gns_csysfs_add_dev(struct gns_cdev *d);
void gns_csysfs_del_dev(struct gns_cdev *d);
int gns_csysfs_add_set(struct gns_cset *s);
void gns_csysfs_del_set(struct gns_cset *s);

/* index.c */
extern struct kmem_cache *gns_cext_cache;
int gns_cindex_init(struct gns_cache *c);
void gns_cindex_exit(struct gns_cache *c);
struct gns_cobj *gns_cobj_by_key(struct gns_cache *c, const u8 *key);
struct gns_cext *gns_cext_new(struct gns_cobj *obj, u32 off, u16 len);
void gns_cext_free(struct gns_cext *x);
void gns_cobj_turn(struct gns_cobj *obj, u64 version, bool newer);
void gns_cext_add(struct gns_cext *x, u64 version);
void gns_cext_drop(struct gns_cext *x);
struct gns_cext *gns_cext_find(struct gns_cobj *obj, u32 off);
u64 gns_cext_map(struct gns_cobj *obj, struct gns_cpiece *piece, u32 *n,
		 u32 max, u64 pos, u64 end);
void gns_cobj_name(const char *origin, const struct gns_fh *fh, u8 *key);
u64 gns_cext_present(struct gns_cobj *obj, u64 version, u64 pos, u64 end);
u64 gns_cext_absent(struct gns_cobj *obj, u64 version, u64 pos, u64 end);
void gns_cpieces_unpin(const struct gns_cpiece *piece, u32 n);
void gns_cpieces_drop(const struct gns_cpiece *piece, u32 n,
		      const struct gns_cdev *d);

/*
 * keep.c: what is there already, once more, for the set, if there is place for it;
 * sleeps. @buf: all of it, and right. False: there is none.
 */
bool gns_cext_again(struct gns_cext *x, struct gns_cset *s, u64 version,
		    const u8 *buf);

/* verify.c: sleep, for the device */
bool gns_cext_read(const struct gns_cext *x, u8 *buf);
bool gns_cext_verify(struct gns_cext *x, struct gns_sb *gsb);
bool gns_cpiece_verify(const struct gns_cpiece *p, struct folio **folios,
		       u32 nr, struct gns_sb *gsb);

/* crc.c */
int gns_crc_init(void);
void gns_crc_exit(void);

#endif
