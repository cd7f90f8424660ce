/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cache on NVMe, as the rest of the module sees it.
 *
 * It keeps bytes by the name of their object, version and offset, and knows
 * nothing of leases: the caller asks for the version that he has a lease on,
 * and looks afterwards whether the lease's life went on. What is kept of an old
 * version is never asked for again, and needs nobody to drop it.
 *
 * Lifetime: a cache lives as long as a mount holds it; its last user's put
 * makes all that it has durable. An object lives as long as an inode holds it,
 * or bytes of it are kept.
 */
#ifndef GNS_CACHE_CACHE_H
#define GNS_CACHE_CACHE_H

#include "../gns.h"

struct fs_context;
struct gns_cache;
struct gns_cobj;
struct gns_cread;

/**
 * gns_cache_get() - the cache on these devices
 * @inst: the instance; it has one cache at a time
 * @spec: "/dev/a[:/dev/b...]", formatted
 * @verify: look at all that is read through the page cache, and not only at
 *          what was there at the start, once
 * @fc:   gets a message about what is wrong
 *
 * Opens the devices, for this kernel alone, and reads what they have, unless a
 * mount has done so. Context: process, sleeps.
 * Return: put by gns_cache_put(); ERR_PTR().
 */
struct gns_cache *gns_cache_get(struct gns_instance *inst, const char *spec,
				bool verify, struct fs_context *fc);

/**
 * gns_cset_of_export() - the data set of what a mount shows
 * @cache: the cache
 * @name:  "<origin>:/<export>"
 * @limit: of it
 *
 * Context: process, sleeps. Return: its number, as long as the cache lives;
 * -ENOMEM; -EINTR; -EINVAL: the quota is less than a region; -ENOSPC: there are so
 * many sets that it shares one, and can not have limits.
 */
int gns_cset_of_export(struct gns_cache *cache, const char *name,
		       const struct gns_climit *limit);

/** gns_cset_limits() - what a set may have; any context but interrupts */
void gns_cset_limits(struct gns_cache *cache, int set, struct gns_climit *limit);

/**
 * gns_cset_of_tree() - a directory, and what is below, becomes a set of its own
 * @cache:  the cache
 * @origin: the origin's name
 * @fh:     of the directory
 * @name:   for people
 * @limit:  of it
 *
 * Context: process, sleeps, killable. Return: as gns_cset_of_export(); -ENOSPC:
 * there are too many sets; -EINTR.
 */
int gns_cset_of_tree(struct gns_cache *cache, const char *origin,
		     const struct gns_fh *fh, const char *name,
		     const struct gns_climit *limit);

/**
 * gns_cset_find_tree() - is a directory one that has a set of its own?
 * @cache:  the cache
 * @origin: the origin's name
 * @fh:     of the directory
 *
 * Context: any but interrupts. Return: the set's number; 0: no.
 */
int gns_cset_find_tree(struct gns_cache *cache, const char *origin,
		       const struct gns_fh *fh);

/** gns_cache_trees() - directories that have a set of their own; never less */
u32 gns_cache_trees(const struct gns_cache *cache);

/** gns_cobj_use_set() - what is kept of it from now on is of that set */
void gns_cobj_use_set(struct gns_cobj *obj, int set);

/**
 * gns_cache_change() - a device comes or goes, while the cache is used
 * @cache: the cache
 * @what:  happens
 * @path:  of the device
 * @fc:    gets a message about what is wrong
 *
 * Waits for the device. Context: process, sleeps, killable. Return: 0; -ENODEV:
 * it is none of the cache; -EBUSY: it is in use; -EINTR; what opening it gave.
 */
int gns_cache_change(struct gns_cache *cache, enum gns_cache_change what,
		     const char *path, struct fs_context *fc);

/** gns_cache_kobj() - its directory under /sys */
struct kobject *gns_cache_kobj(struct gns_cache *cache);

/** gns_cache_put() - NULL is harmless; process context, sleeps */
void gns_cache_put(struct gns_cache *cache);

/**
 * gns_cobj_get() - the object that an inode is about
 * @cache:  the cache
 * @origin: the origin's name
 * @fh:     handle at it
 *
 * Context: process, may sleep; GFP_NOFS. Return: put by gns_cobj_put(); NULL
 * without memory.
 */
struct gns_cobj *gns_cobj_get(struct gns_cache *cache, const char *origin,
			      const struct gns_fh *fh);

/** gns_cobj_put() - NULL is harmless; any context but interrupts */
void gns_cobj_put(struct gns_cobj *obj);

/**
 * gns_cobj_keep() - keep bytes that have come
 * @obj:     the object; NULL: nothing happens
 * @version: that they are of
 * @size:    of the file in that, bytes
 * @pos:     of the first folio, bytes; no border of 2 MiB is crossed
 * @len:     bytes up to the end of the file or of the folios; behind it zeros
 * @folios:  locked, uptodate or about to be, without a gap
 * @nr:      of @folios
 *
 * They are written in the background, out of the folios, which may be changed
 * meanwhile when @version is not the newest any more: then checksums are of other
 * bytes, too, and nobody will ask, for a version never comes back. Nobody learns whether it
 * was done. Context: process; waits for no device; GFP_NOFS.
 */
void gns_cobj_keep(struct gns_cobj *obj, u64 version, u64 size, u64 pos,
		   u32 len, struct folio **folios, u32 nr);

/**
 * gns_cread_add() - read a folio from the cache, if all of it is there
 * @r:     NULL, or of earlier folios; set
 * @inode: its
 * @epoch: of the live lease
 * @size:  of the file in that epoch, bytes
 * @folio: locked, not uptodate; behind those before
 *
 * Return: true: @r has the folio's lock; false: it is still the caller's, and
 * @r should be sent, if it is not NULL: it may be that it is full.
 */
bool gns_cread_add(struct gns_cread **r, struct inode *inode, u64 epoch,
		   u64 size, struct folio *folio);

/**
 * gns_cread_send() - read them
 * @r:    has folios; NULL is harmless
 * @wait: until it is over
 *
 * Each folio is unlocked, uptodate if the lease's life has gone on. Context:
 * process. Return: 0: they are, or nobody waited; -ESTALE: begin again; -EINTR.
 */
int gns_cread_send(struct gns_cread *r, bool wait);

/**
 * gns_cobj_keep_copy() - keep bytes that have come, and are nobody's pages
 * @obj:     the object; NULL: nothing happens
 * @version: that they are of
 * @size:    of the file in that, bytes
 * @pos:     in the file, bytes
 * @buf:     the bytes; the caller's again afterwards
 * @len:     of them, up to the end of the file or not
 *
 * Blocks of which it has a part only are left out. Else as gns_cobj_keep();
 * may sleep.
 */
void gns_cobj_keep_copy(struct gns_cobj *obj, u64 version, u64 size, u64 pos,
			const void *buf, u32 len);

/** gns_cdirect_align() - of positions, lengths and memory of O_DIRECT, bytes */
u32 gns_cdirect_align(const struct gns_cobj *obj);

/**
 * gns_cdirect_read() - read from the devices into the reader's memory
 * @iocb:  of a file with an object; aligned, in front of @size
 * @to:    likewise aligned; left where the read ended
 * @epoch: of the live lease
 * @size:  of the file in that epoch, bytes
 * @whole: all of it or nothing; else only what is there from the begin on
 *
 * With @whole, who does not wait for @iocb is not made to wait. Context:
 * process, sleeps, killable; with IOCB_NOWAIT only for memory and a place in the
 * device's queue.
 * Return: bytes; -EIOCBQUEUED; -ENODATA: it is not there; -EAGAIN: by
 * IOCB_NOWAIT; -ESTALE: begin again, the lease has ended or what was there is
 * not any more; -EFAULT; -EINTR; -ENOMEM.
 */
ssize_t gns_cdirect_read(struct kiocb *iocb, struct iov_iter *to, u64 epoch,
			 u64 size, bool whole);

/** gns_cdirect_absent() - bytes of @len from @pos on before some that are kept */
u64 gns_cdirect_absent(struct gns_inode *gi, u64 pos, u64 len);

int gns_cache_init(void);
void gns_cache_exit(void);

#endif
