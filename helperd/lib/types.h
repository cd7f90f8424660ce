/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixed-size integers and small helpers that all of gns's userspace uses.
 */
#ifndef GNS_LIB_TYPES_H
#define GNS_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void *gns_step_back(const void *p, size_t bytes)
{
	return (char *)p - bytes;
}

#define container_of(ptr, type, member) \
	((type *)gns_step_back(ptr, offsetof(type, member)))

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

#endif
