/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A region of a cache device in memory, and what may be wrong with it.
 */
#ifndef GNS_UNIT_MEDIA_RIG_H
#define GNS_UNIT_MEDIA_RIG_H

#include <stdio.h>
#include <stdlib.h>

#include "kmod/cache/media.h"

/**
 * struct made - a region that is being filled
 * @geo:  the device
 * @life: of the region; what is in it so far
 * @x:    extents
 * @sum:  checksums
 * @end:  of the data, bytes from the region's begin
 * @data: of the whole region; zeroed
 */
struct made {
	struct gns_media_geo geo;
	struct gns_media_life life;
	struct gns_media_extent x[256];
	__le32 sum[256 * 32];
	u32 end;
	u8 *data;
};

static inline void made_init(struct made *m, const struct gns_media_geo *geo,
			     u64 seq)
{
	memset(m, 0, sizeof(*m));
	m->geo = *geo;
	m->life.seq = seq;
	m->data = calloc(1, geo->region_size);
	if (!m->data)
		abort();
}

static inline void made_sums(struct made *m, u32 at, u32 len)
{
	u32 n;

	for (; len; at += n, len -= n) {
		n = len < GNS_MEDIA_SUM_UNIT ? len : GNS_MEDIA_SUM_UNIT;
		m->sum[m->life.sums++] =
			cpu_to_le32(gns_media_crc(m->data + at, n));
	}
}

/* One more extent, of object @obj; its bytes are made up. */
static inline void made_add(struct made *m, u8 obj, u64 version, u64 off,
			    u32 len)
{
	struct gns_media_extent *x = &m->x[m->life.extents++];
	u32 i;

	x->obj[0] = obj;
	x->version = cpu_to_le64(version);
	x->off = cpu_to_le64(off);
	x->len = cpu_to_le32(len);
	x->at = cpu_to_le32(m->end);
	x->sum = cpu_to_le32(m->life.sums);
	for (i = 0; i < len; i++)
		m->data[m->end + i] = (u8)(obj + version + off / 4096 + i);
	made_sums(m, m->end, len);
	m->end += len;
}

/* The table as it lies on the device; freed by the caller. */
static inline void *made_table(struct made *m)
{
	u64 len = gns_media_table_len(m->life.extents, m->life.sums);
	u8 *table = calloc(1, len);
	u64 head = m->life.extents * sizeof(m->x[0]);

	if (!table)
		abort();
	memcpy(table, m->x, head);
	memcpy(table + head, m->sum, len - head);
	gns_media_table_make(&m->geo, table, &m->life);
	return table;
}

#endif
