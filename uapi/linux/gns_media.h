/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What gns keeps on a cache device. Only the kernel writes to one, once gnsctl
 * has formatted it.
 *
 *	0			super block
 *	GNS_MEDIA_START		region 0, region 1, ... all of one size
 *
 * A region is written once, front to back, and then read until it is used
 * again, as a whole:
 *
 *	data ...	table: extents, then checksums ...	foot
 *
 * The foot is the last block of a region. When the region is begun the foot is
 * OPEN, and that is durable before the first byte of data is written; so what a
 * table of its earlier life says is not believed any more. When the region is
 * full its table is written, and then, behind a flush of all that, the foot is
 * SEALED. After a loss of power an OPEN region is empty: data that was cached
 * is forgotten, and never taken for other data.
 *
 * Each life of a region has a number, @seq, that no region of the device has
 * had before; the foot of a device that was formatted anew has another uuid.
 *
 * An extent names its bytes: by object, version and offset. An object's name is
 * a hash of the origin's identity and the object's handle. Nothing here says
 * that a version is the newest: the bytes are used when the origin has granted
 * a lease on the object in just that version. So there is nothing to be written
 * when a version becomes old.
 *
 * All numbers are little-endian. Offsets on the device, and lengths, are whole
 * blocks. The end of a file is in its attributes; behind it a block has zeros.
 * Checksums are crc32c, begun with all ones and inverted at the end; that of a
 * block is over all of it, with its own field zero.
 */
#ifndef _UAPI_LINUX_GNS_MEDIA_H
#define _UAPI_LINUX_GNS_MEDIA_H

#include <linux/types.h>

#define GNS_MEDIA_BLOCK 4096u
#define GNS_MEDIA_START (1u << 20)

#define GNS_MEDIA_REGION_MIN (4u << 20)
#define GNS_MEDIA_REGION_MAX (1u << 30)
#define GNS_MEDIA_REGIONS_MIN 4u
#define GNS_MEDIA_REGIONS_MAX (1u << 20)

/* An extent does not cross a border of so many bytes in its file. */
#define GNS_MEDIA_EXTENT_MAX (2u << 20)
/* Bytes of an extent, from its begin, that one checksum is over. */
#define GNS_MEDIA_SUM_UNIT (64u << 10)

#define GNS_MEDIA_OBJ_LEN 16
#define GNS_MEDIA_UUID_LEN 16

#define GNS_MEDIA_MAGIC "gnscache"
#define GNS_MEDIA_VERSION 1u

#define GNS_MEDIA_FOOT_MAGIC 0x746f6667u /* "gfot" */
#define GNS_MEDIA_OPEN 1u
#define GNS_MEDIA_SEALED 2u

/**
 * struct gns_media_super - the first block
 * @magic:       GNS_MEDIA_MAGIC, without a NUL
 * @crc:         of the block
 * @version:     of all that this file describes; another one is refused
 * @features:    none is known yet; a device with any is refused
 * @uuid:        of this formatting; random
 * @size:        bytes of the device that are used
 * @region_size: bytes, a power of two
 * @regions:     their number
 * @block:       GNS_MEDIA_BLOCK
 * @made:        when it was formatted, seconds since 1970
 *
 * Zeros to the end of the block, here as in the foot.
 */
struct gns_media_super {
	__u8 magic[8];
	__le32 crc;
	__le32 version;
	__le64 features;
	__u8 uuid[GNS_MEDIA_UUID_LEN];
	__le64 size;
	__le64 region_size;
	__le32 regions;
	__le32 block;
	__le64 made;
};

/**
 * struct gns_media_foot - the last block of a region
 * @magic:     GNS_MEDIA_FOOT_MAGIC
 * @crc:       of the block
 * @uuid:      of the super block
 * @seq:       this life of the region; not 0
 * @region:    its number
 * @state:     GNS_MEDIA_OPEN, or GNS_MEDIA_SEALED; what follows is 0 if open
 * @extents:   in the table; not 0
 * @sums:      checksums in the table, behind the extents
 * @table:     where the table begins, bytes from the begin of the region
 * @table_crc: of the extents and checksums, not of what fills the last block
 */
struct gns_media_foot {
	__le32 magic;
	__le32 crc;
	__u8 uuid[GNS_MEDIA_UUID_LEN];
	__le64 seq;
	__le32 region;
	__le32 state;
	__le32 extents;
	__le32 sums;
	__le32 table;
	__le32 table_crc;
};

/**
 * struct gns_media_extent - cached bytes; in the order in which they lie
 * @obj:     name of the object
 * @version: of the object, at its origin
 * @set:     the data set that its quota counts for; 0: none
 * @off:     in the file, bytes
 * @len:     bytes
 * @at:      bytes from the begin of the region
 * @sum:     its first checksum is the table's so many-th, from 0
 * @flags:   0
 */
struct gns_media_extent {
	__u8 obj[GNS_MEDIA_OBJ_LEN];
	__le64 version;
	__le64 set;
	__le64 off;
	__le32 len;
	__le32 at;
	__le32 sum;
	__le32 flags;
};

#endif
