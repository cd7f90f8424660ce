/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The little that the parts of the cache need which are built for userspace as
 * well: gnsctl, and their tests, use the very same code.
 */
#ifndef GNS_CACHE_PORT_H
#define GNS_CACHE_PORT_H

#ifdef __KERNEL__

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/string.h>
#include <linux/types.h>
#include <uapi/linux/gns_media.h>

/* crc.c; begins and ends as it is told, without an inversion */
u32 gns_crc32c(u32 crc, const void *p, u32 len);

#else

#include <endian.h>
#include <errno.h>
#include <isa-l/crc.h>
#include <string.h>
#include <linux/gns_media.h>

#include "lib/types.h"

#ifdef __CHECKER__
#define __force __attribute__((force))
#else
#define __force
#endif

#define cpu_to_le32(v) ((__force __le32)htole32(v))
#define cpu_to_le64(v) ((__force __le64)htole64(v))
#define le32_to_cpu(v) le32toh((__force u32)(v))
#define le64_to_cpu(v) le64toh((__force u64)(v))

#define S64_MAX INT64_MAX
#define U64_MAX UINT64_MAX
#define ALIGN(v, to) gns_align(v, to)
#define DIV_ROUND_UP(v, by) gns_div_up(v, by)

/* @to: a power of two */
static inline u64 gns_align(u64 v, u64 to)
{
	return (v + to - 1) & ~(to - 1);
}

static inline u64 gns_div_up(u64 v, u64 by)
{
	return (v + by - 1) / by;
}

static inline bool is_power_of_2(u64 v)
{
	return v && !(v & (v - 1));
}

static inline u32 gns_crc32c(u32 crc, const void *p, u32 len)
{
	return crc32_iscsi((unsigned char *)p, (int)len, crc);
}

#endif
#endif
