// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at what is kept: against its checksums, which are on the device, and
 * with verify=all in memory.
 */
#include <linux/bio.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include "int.h"

/* Checksums of the longest extent. */
#define SUMS_MAX (GNS_MEDIA_EXTENT_MAX / GNS_MEDIA_SUM_UNIT)

static bool sums_in_memory(const struct gns_cext *x, __le32 *sums, u32 n)
{
	struct gns_cregion *r = gns_cext_region(x);
	struct gns_cache *c = r->dev->cache;
	bool there;

	spin_lock(&c->lock);
	there = r->sums;
	if (there)
		memcpy(sums, r->sums + x->sum, n * sizeof(*sums));
	spin_unlock(&c->lock);
	return there;
}

/* The region is sealed, and pinned. */
static bool sums_on_device(const struct gns_cext *x, __le32 *sums, u32 n)
{
	struct gns_cregion *r = gns_cext_region(x);
	u64 from = gns_media_region_at(&r->dev->geo, r->nr) + r->table_at +
		   gns_media_table_len(r->count, x->sum);
	u64 at = ALIGN_DOWN(from, GNS_MEDIA_BLOCK);
	u32 len = ALIGN(from + n * sizeof(*sums), GNS_MEDIA_BLOCK) - at;
	u8 *buf = kvmalloc(len, GFP_NOFS | __GFP_NOFAIL);
	int err = gns_cdev_rw(r->dev, REQ_OP_READ, at, buf, len);

	if (!err)
		memcpy(sums, buf + (from - at), n * sizeof(*sums));
	kvfree(buf);
	return !err;
}

static bool get_sums(const struct gns_cext *x, __le32 *sums)
{
	u32 n = gns_media_sums(x->len * GNS_MEDIA_BLOCK);

	return sums_in_memory(x, sums, n) || sums_on_device(x, sums, n);
}

static int read_at(const struct gns_cext *x, u64 off, u8 *buf, u32 len)
{
	struct gns_cdev *d = gns_cext_region(x)->dev;
	int err = gns_cdev_rw(d, REQ_OP_READ, gns_cext_at(x, off), buf, len);

	if (err)
		gns_cdev_error(d);
	return err;
}

static void is_bad(struct gns_cext *x, struct gns_sb *gsb)
{
	gns_count(gsb, GNS_C_CACHE_BAD, 1);
	pr_err_ratelimited("gns: cache %s: region %u: damaged bytes are dropped, and fetched again; look at the drive\n",
			   gns_cext_region(x)->dev->path,
			   gns_cext_region(x)->nr);
	gns_cext_drop(x);
}

/* All of it, from the device; false: it can not be read, or is wrong. */
bool gns_cext_read(const struct gns_cext *x, u8 *buf)
{
	u32 len = x->len * GNS_MEDIA_BLOCK, at, n;
	__le32 sums[SUMS_MAX], *sum = sums;

	if (!get_sums(x, sums) || read_at(x, 0, buf, len))
		return false;
	for (at = 0; at < len; at += n) {
		n = min(len - at, GNS_MEDIA_SUM_UNIT);
		if (gns_media_crc(buf + at, n) != le32_to_cpu(*sum++))
			return false;
	}
	return true;
}

/* Before it is used for the first time. False: it is dropped. */
bool gns_cext_verify(struct gns_cext *x, struct gns_sb *gsb)
{
	u8 *buf = kvmalloc(x->len * GNS_MEDIA_BLOCK, GFP_NOFS | __GFP_NOFAIL);
	bool right = gns_cext_read(x, buf);

	kvfree(buf);
	if (right)
		WRITE_ONCE(x->unsure, false);
	else
		is_bad(x, gsb);
	return right;
}

/**
 * struct span - bytes of a file in folios
 * @folios: without a gap
 * @nr:     of them
 * @pos:    bytes, from here
 * @end:    to here
 */
struct span {
	struct folio **folios;
	u32 nr;
	u64 pos;
	u64 end;
};

/*
 * The checksum of a span, begun with all ones, not inverted; with @src the
 * folios get their bytes from there first.
 */
static u32 span_crc(const struct span *s, const u8 *src)
{
	u64 pos = s->pos, at;
	u32 i, n, crc = ~0u;
	u8 *p;

	for (i = 0; i < s->nr && pos < s->end; i++) {
		at = folio_pos(s->folios[i]);
		while (pos < s->end && pos < at + folio_size(s->folios[i])) {
			n = min_t(u64, PAGE_SIZE - offset_in_page(pos),
				  s->end - pos);
			p = kmap_local_folio(s->folios[i], pos - at);
			if (src)
				memcpy(p, src + (pos - s->pos), n);
			crc = gns_crc32c(crc, p, n);
			kunmap_local(p);
			pos += n;
		}
	}
	return crc;
}

/*
 * One unit, of which the span has a part: the device is asked for all of it,
 * and what is looked at is what is used.
 */
static bool unit_verify(const struct gns_cext *x, u64 unit, u32 len, u32 sum,
			const struct span *s)
{
	u8 *buf = kvmalloc(len, GFP_NOFS | __GFP_NOFAIL);
	u64 off = unit - (u64)x->off * GNS_MEDIA_BLOCK;
	bool right;

	right = !read_at(x, off, buf, len) && gns_media_crc(buf, len) == sum;
	if (right)
		span_crc(s, buf + (s->pos - unit));
	kvfree(buf);
	return right;
}

/* What was read of a piece, in these folios. False: the extent is dropped. */
bool gns_cpiece_verify(const struct gns_cpiece *p, struct folio **folios,
		       u32 nr, struct gns_sb *gsb)
{
	u64 begin = (u64)p->x->off * GNS_MEDIA_BLOCK, unit;
	u64 end = begin + p->x->len * (u64)GNS_MEDIA_BLOCK;
	struct span s = { .folios = folios, .nr = nr };
	__le32 sums[SUMS_MAX];
	bool right = get_sums(p->x, sums);
	u32 i, len, sum;

	for (i = 0; right && i < SUMS_MAX; i++) {
		unit = begin + i * (u64)GNS_MEDIA_SUM_UNIT;
		if (unit >= p->pos + p->len)
			break;
		len = min_t(u64, end - unit, GNS_MEDIA_SUM_UNIT);
		s.pos = max(unit, p->pos);
		s.end = min(unit + len, p->pos + p->len);
		if (s.pos >= s.end)
			continue;
		sum = le32_to_cpu(sums[i]);
		right = s.end - s.pos == len ?
				~span_crc(&s, NULL) == sum :
				unit_verify(p->x, unit, len, sum, &s);
	}
	if (!right)
		is_bad(p->x, gsb);
	return right;
}
