/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cache device, opened by gnsctl while no mount uses it.
 *
 * A block device is opened for this process alone: as long as it is open no
 * kernel can mount it, and one that is in use can not be opened. An image of a
 * device in a file is locked against other gnsctl only.
 */
#ifndef GNS_TOOLS_CACHE_DEV_H
#define GNS_TOOLS_CACHE_DEV_H

#include "kmod/cache/media.h"

/**
 * struct cache_dev - one device
 * @path:  as given; the caller's
 * @fd:    open
 * @block: it is a block device
 * @size:  bytes
 * @geo:   by cache_dev_super(), or by who formats it
 */
struct cache_dev {
	const char *path;
	int fd;
	bool block;
	u64 size;
	struct gns_media_geo geo;
};

enum cache_region_state {
	CACHE_UNUSED, /* since the device was formatted */
	CACHE_TORN, /* its foot is damaged: it counts as empty */
	CACHE_OPEN, /* it was being written: it counts as empty */
	CACHE_SEALED,
	CACHE_DAMAGED, /* its foot says that there is a table, but it is wrong */
	CACHE_UNREADABLE, /* the device gave an error */
};

/**
 * struct cache_region - what the device has about a region
 * @nr:    its number
 * @state: see above
 * @why:   of TORN, DAMAGED and UNREADABLE; a constant
 * @life:  of OPEN, SEALED and DAMAGED
 * @x:     SEALED: the extents
 * @sums:  SEALED: the checksums
 * @table: both; the region's
 */
struct cache_region {
	u32 nr;
	enum cache_region_state state;
	const char *why;
	struct gns_media_life life;
	const struct gns_media_extent *x;
	const __le32 *sums;
	void *table;
};

/**
 * cache_dev_open() - open a device
 * @d:     set; closed by cache_dev_close()
 * @path:  of the device or image
 * @write: to be formatted
 *
 * Return: CTL_OK; CTL_FAILED: it was said why.
 */
int cache_dev_open(struct cache_dev *d, const char *path, bool write);

/** cache_dev_close() - what was opened, or failed to be */
void cache_dev_close(struct cache_dev *d);

/** cache_dev_read() - all @len bytes at @at; Return: 0, or -errno */
int cache_dev_read(const struct cache_dev *d, void *buf, size_t len, u64 at);

/**
 * cache_dev_super() - read the first block
 * @d:   its geo is set
 * @why: set with an error
 *
 * Return: as gns_media_super_check(), or what reading it said.
 */
int cache_dev_super(struct cache_dev *d, const char **why);

/**
 * cache_region_read() - read what the device has about a region
 * @d:  with its super block
 * @nr: of the region
 * @r:  set; freed by cache_region_free()
 *
 * Return: 0, whatever was found; -ENOMEM.
 */
int cache_region_read(const struct cache_dev *d, u32 nr, struct cache_region *r);

/** cache_region_free() - its table */
void cache_region_free(struct cache_region *r);

/** cache_uuid() - as text, "8-4-4-4-12"; Return: @buf */
char *cache_uuid(char buf[static 37], const u8 *uuid);

/** cache_obj() - the name of an object as text; Return: @buf */
char *cache_obj(char buf[static 2 * GNS_MEDIA_OBJ_LEN + 1], const u8 *obj);

#endif
