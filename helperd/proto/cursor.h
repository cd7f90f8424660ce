/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cursor over bytes that are being packed or unpacked, little-endian.
 *
 * One past the end is remembered, not acted upon: callers put or take a run
 * of fields and look at @bad once. After it is set, takes give zeros.
 */
#ifndef GNS_PROTO_CURSOR_H
#define GNS_PROTO_CURSOR_H

#include <endian.h>
#include <string.h>

#include "lib/types.h"

struct gns_cursor {
	u8 *p;
	u8 *end;
	bool bad;
};

/**
 * gns_cur_skip() - claim the next bytes
 * @c: the cursor
 * @n: how many
 *
 * Return: where they start; NULL (and c->bad) when there are not so many.
 */
static inline u8 *gns_cur_skip(struct gns_cursor *c, size_t n)
{
	u8 *p = c->p;

	if (c->bad || (size_t)(c->end - p) < n) {
		c->bad = true;
		return NULL;
	}
	c->p = p + n;
	return p;
}

static inline void gns_put(struct gns_cursor *c, u64 v, u32 size)
{
	u8 *p = gns_cur_skip(c, size);

	v = htole64(v);
	if (p)
		memcpy(p, &v, size);
}

static inline u64 gns_take(struct gns_cursor *c, u32 size)
{
	u8 *p = gns_cur_skip(c, size);
	u64 v = 0;

	if (p)
		memcpy(&v, p, size);
	return le64toh(v);
}

static inline void gns_put_bytes(struct gns_cursor *c, const void *b, size_t n)
{
	u8 *p = gns_cur_skip(c, n);

	if (p && n)
		memcpy(p, b, n);
}

static inline void gns_take_bytes(struct gns_cursor *c, void *b, size_t n)
{
	u8 *p = gns_cur_skip(c, n);

	if (p && n)
		memcpy(b, p, n);
}

#endif
