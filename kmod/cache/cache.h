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
 * @fc:   gets a message about what is wrong
 *
 * Opens the devices, for this kernel alone, and reads what they have, unless a
 * mount has done so. Context: process, sleeps.
 * Return: put by gns_cache_put(); ERR_PTR().
 */
struct gns_cache *gns_cache_get(struct gns_instance *inst, const char *spec,
				struct fs_context *fc);

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
 * meanwhile when @version is not the newest any more. Nobody learns whether it
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

int gns_cache_init(void);
void gns_cache_exit(void);

#endif
