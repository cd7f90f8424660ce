/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Making and judging what lies on a cache device, see uapi/linux/gns_media.h.
 *
 * Nothing here does I/O, allocates or keeps anything: the caller brings blocks
 * in memory. What is found to be right can be used without a further look at
 * its numbers: all of it is inside the region, and nothing overlaps.
 *
 * Errors, of all that judge: -EUCLEAN: it is not what gns wrote, and *why, a
 * constant string, names the field. Context: any.
 */
#ifndef GNS_CACHE_MEDIA_H
#define GNS_CACHE_MEDIA_H

#include "port.h"

/**
 * struct gns_media_geo - a formatted device
 * @uuid:        of the formatting
 * @size:        bytes that are used
 * @region_size: bytes
 * @regions:     their number
 * @made:        seconds since 1970
 */
struct gns_media_geo {
	u8 uuid[GNS_MEDIA_UUID_LEN];
	u64 size;
	u64 region_size;
	u32 regions;
	u64 made;
};

/**
 * struct gns_media_life - what the foot of a region says
 * @seq:       of this life
 * @sealed:    there is a table
 * @extents:   in it
 * @sums:      in it
 * @table:     where it begins in the region, bytes; what is before is data
 * @table_crc: of it
 */
struct gns_media_life {
	u64 seq;
	bool sealed;
	u32 extents;
	u32 sums;
	u32 table;
	u32 table_crc;
};

/** gns_media_crc() - crc32c of @len bytes, as it is written */
static inline u32 gns_media_crc(const void *p, u32 len)
{
	return ~gns_crc32c(~0u, p, len);
}

/** gns_media_sums() - how many checksums an extent of @len bytes has */
static inline u32 gns_media_sums(u32 len)
{
	return DIV_ROUND_UP(len, GNS_MEDIA_SUM_UNIT);
}

/** gns_media_region_at() - where a region begins, bytes on the device */
static inline u64 gns_media_region_at(const struct gns_media_geo *geo, u32 region)
{
	return GNS_MEDIA_START + region * geo->region_size;
}

/** gns_media_foot_at() - where its foot is, bytes on the device */
static inline u64 gns_media_foot_at(const struct gns_media_geo *geo, u32 region)
{
	return gns_media_region_at(geo, region) + geo->region_size -
	       GNS_MEDIA_BLOCK;
}

/** gns_media_table_len() - bytes of a table, without what fills its last block */
static inline u64 gns_media_table_len(u32 extents, u32 sums)
{
	return extents * (u64)sizeof(struct gns_media_extent) +
	       sums * (u64)sizeof(__le32);
}

/**
 * gns_media_table_at() - where a region's table has to begin
 * @geo:     the device
 * @extents: in it
 * @sums:    in it
 *
 * It ends before the foot. Return: bytes from the begin of the region; 0: it
 * does not fit. There is room as long as the data ends at or before it.
 */
u32 gns_media_table_at(const struct gns_media_geo *geo, u32 extents, u32 sums);

/**
 * gns_media_plan() - how a device is divided
 * @size:        of the device, bytes
 * @region_size: bytes; 0: what suits the size
 * @geo:         set, but for uuid and time
 * @why:         set with an error
 *
 * Return: 0; -EINVAL: @region_size is none; -ENOSPC: the device is too small.
 */
int gns_media_plan(u64 size, u64 region_size, struct gns_media_geo *geo,
		   const char **why);

/**
 * gns_media_super_make() - the first block
 * @geo:   complete
 * @block: GNS_MEDIA_BLOCK bytes, written
 */
void gns_media_super_make(const struct gns_media_geo *geo, void *block);

/**
 * gns_media_super_check() - judge the first block
 * @block: GNS_MEDIA_BLOCK bytes
 * @size:  of the device, bytes
 * @geo:   set
 * @why:   set with an error
 *
 * Return: 0; -ENODATA: it is no cache of gns; -EOPNOTSUPP: one of a version, or
 * with features, that are not known here; -EUCLEAN.
 */
int gns_media_super_check(const void *block, u64 size,
			  struct gns_media_geo *geo, const char **why);

/**
 * gns_media_foot_make() - the last block of a region
 * @geo:    the device
 * @region: its number
 * @life:   what to say; of an open region only @seq counts
 * @block:  GNS_MEDIA_BLOCK bytes, written
 */
void gns_media_foot_make(const struct gns_media_geo *geo, u32 region,
			 const struct gns_media_life *life, void *block);

/**
 * gns_media_foot_check() - judge the last block of a region
 * @block:  GNS_MEDIA_BLOCK bytes
 * @geo:    the device
 * @region: its number
 * @life:   set
 * @why:    set with -EUCLEAN
 *
 * Return: 0; -ENODATA: the region was never used since the device was
 * formatted; -EUCLEAN: nor can it be used, it is empty.
 */
int gns_media_foot_check(const void *block, const struct gns_media_geo *geo,
			 u32 region, struct gns_media_life *life,
			 const char **why);

/**
 * gns_media_table_make() - complete a table
 * @geo:   the device
 * @table: @extents entries of struct gns_media_extent, then @sums of __le32; all
 *         fields set
 * @life:  @extents and @sums are set; gets the rest, and is sealed then
 */
void gns_media_table_make(const struct gns_media_geo *geo, const void *table,
			  struct gns_media_life *life);

/**
 * gns_media_table_check() - judge a table
 * @table: gns_media_table_len() bytes, from where @life says
 * @life:  of a sealed region
 * @why:   set with -EUCLEAN
 *
 * Return: 0; -EUCLEAN: nothing of it can be used.
 */
int gns_media_table_check(const void *table, const struct gns_media_life *life,
			  const char **why);

#endif
