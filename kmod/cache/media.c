// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of a cache device, in memory. Also built for userspace.
 */
#include "media.h"

/* A device has at least so many regions, if they need not be smaller than... */
#define REGIONS_GOOD 64u
#define REGION_USUAL (256u << 20)

static int bad(const char **why, const char *what)
{
	*why = what;
	return -EUCLEAN;
}

/* Of a block whose checksum is at @at. */
static u32 block_crc(const void *block, u32 at)
{
	static const u8 none[4];
	u32 crc = gns_crc32c(~0u, block, at);

	crc = gns_crc32c(crc, none, sizeof(none));
	return ~gns_crc32c(crc, (const u8 *)block + at + 4,
			   GNS_MEDIA_BLOCK - at - 4);
}

u32 gns_media_table_at(const struct gns_media_geo *geo, u32 extents, u32 sums)
{
	u64 len = ALIGN(gns_media_table_len(extents, sums),
			(u64)GNS_MEDIA_BLOCK) +
		  GNS_MEDIA_BLOCK;

	return len < geo->region_size ? (u32)(geo->region_size - len) : 0;
}

static u64 usual_size(u64 size)
{
	u64 region = REGION_USUAL;

	while (region > GNS_MEDIA_REGION_MIN &&
	       (size - GNS_MEDIA_START) / region < REGIONS_GOOD)
		region /= 2;
	while (region < GNS_MEDIA_REGION_MAX &&
	       (size - GNS_MEDIA_START) / region > GNS_MEDIA_REGIONS_MAX)
		region *= 2;
	return region;
}

int gns_media_plan(u64 size, u64 region_size, struct gns_media_geo *geo,
		   const char **why)
{
	u64 n;

	if (region_size && (!is_power_of_2(region_size) ||
			    region_size < GNS_MEDIA_REGION_MIN ||
			    region_size > GNS_MEDIA_REGION_MAX)) {
		*why = "the size of a region is a power of two from 4 MiB to 1 GiB";
		return -EINVAL;
	}
	*why = "the device is too small: 17 MiB at least, and four regions";
	if (size <= GNS_MEDIA_START)
		return -ENOSPC;
	if (!region_size)
		region_size = usual_size(size);
	n = (size - GNS_MEDIA_START) / region_size;
	if (n < GNS_MEDIA_REGIONS_MIN)
		return -ENOSPC;
	if (n > GNS_MEDIA_REGIONS_MAX)
		n = GNS_MEDIA_REGIONS_MAX;
	geo->region_size = region_size;
	geo->regions = (u32)n;
	geo->size = GNS_MEDIA_START + n * region_size;
	return 0;
}

void gns_media_super_make(const struct gns_media_geo *geo, void *block)
{
	struct gns_media_super *s = block;

	memset(block, 0, GNS_MEDIA_BLOCK);
	memcpy(s->magic, GNS_MEDIA_MAGIC, sizeof(s->magic));
	s->version = cpu_to_le32(GNS_MEDIA_VERSION);
	memcpy(s->uuid, geo->uuid, sizeof(s->uuid));
	s->size = cpu_to_le64(geo->size);
	s->region_size = cpu_to_le64(geo->region_size);
	s->regions = cpu_to_le32(geo->regions);
	s->block = cpu_to_le32(GNS_MEDIA_BLOCK);
	s->made = cpu_to_le64(geo->made);
	s->crc = cpu_to_le32(block_crc(block, offsetof(struct gns_media_super,
						       crc)));
}

/* The checksum is right: this is what gns, maybe a later one, has written. */
static int super_numbers(const struct gns_media_super *s, u64 size,
			 struct gns_media_geo *geo, const char **why)
{
	*why = "version: it is of another gns";
	if (le32_to_cpu(s->version) != GNS_MEDIA_VERSION)
		return -EOPNOTSUPP;
	*why = "features: it has some that this gns does not know";
	if (s->features)
		return -EOPNOTSUPP;
	if (le32_to_cpu(s->block) != GNS_MEDIA_BLOCK)
		return bad(why, "block: not 4096");
	geo->size = le64_to_cpu(s->size);
	geo->region_size = le64_to_cpu(s->region_size);
	geo->regions = le32_to_cpu(s->regions);
	geo->made = le64_to_cpu(s->made);
	memcpy(geo->uuid, s->uuid, sizeof(geo->uuid));
	if (!is_power_of_2(geo->region_size) ||
	    geo->region_size < GNS_MEDIA_REGION_MIN ||
	    geo->region_size > GNS_MEDIA_REGION_MAX)
		return bad(why, "region_size: no power of two from 4 MiB to 1 GiB");
	if (geo->regions < GNS_MEDIA_REGIONS_MIN ||
	    geo->regions > GNS_MEDIA_REGIONS_MAX)
		return bad(why, "regions: too few or too many");
	if (geo->size != gns_media_region_at(geo, geo->regions))
		return bad(why, "size: not that of all regions");
	if (geo->size > size)
		return bad(why, "size: the device is smaller than when it was formatted");
	return 0;
}

int gns_media_super_check(const void *block, u64 size,
			  struct gns_media_geo *geo, const char **why)
{
	const struct gns_media_super *s = block;

	*why = "there is no cache of gns on it";
	if (memcmp(s->magic, GNS_MEDIA_MAGIC, sizeof(s->magic)))
		return -ENODATA;
	if (le32_to_cpu(s->crc) !=
	    block_crc(block, offsetof(struct gns_media_super, crc)))
		return bad(why, "crc: the first block is damaged");
	return super_numbers(s, size, geo, why);
}

void gns_media_foot_make(const struct gns_media_geo *geo, u32 region,
			 const struct gns_media_life *life, void *block)
{
	struct gns_media_foot *f = block;

	memset(block, 0, GNS_MEDIA_BLOCK);
	f->magic = cpu_to_le32(GNS_MEDIA_FOOT_MAGIC);
	memcpy(f->uuid, geo->uuid, sizeof(f->uuid));
	f->seq = cpu_to_le64(life->seq);
	f->region = cpu_to_le32(region);
	f->state = cpu_to_le32(life->sealed ? GNS_MEDIA_SEALED :
					      GNS_MEDIA_OPEN);
	if (life->sealed) {
		f->extents = cpu_to_le32(life->extents);
		f->sums = cpu_to_le32(life->sums);
		f->table = cpu_to_le32(life->table);
		f->table_crc = cpu_to_le32(life->table_crc);
	}
	f->crc = cpu_to_le32(block_crc(block, offsetof(struct gns_media_foot,
						       crc)));
}

static int foot_numbers(const struct gns_media_foot *f,
			const struct gns_media_geo *geo,
			struct gns_media_life *life, const char **why)
{
	u32 state = le32_to_cpu(f->state);

	life->seq = le64_to_cpu(f->seq);
	life->sealed = state == GNS_MEDIA_SEALED;
	life->extents = le32_to_cpu(f->extents);
	life->sums = le32_to_cpu(f->sums);
	life->table = le32_to_cpu(f->table);
	life->table_crc = le32_to_cpu(f->table_crc);
	if (!life->seq)
		return bad(why, "seq: 0");
	if (state != GNS_MEDIA_OPEN && state != GNS_MEDIA_SEALED)
		return bad(why, "state: neither open nor sealed");
	if (!life->sealed)
		return life->extents || life->sums || life->table ?
			       bad(why, "extents: of an open region") :
			       0;
	if (!life->extents ||
	    life->extents > geo->region_size / GNS_MEDIA_BLOCK)
		return bad(why, "extents: none, or more than fit");
	if (life->sums < life->extents ||
	    life->sums > geo->region_size / GNS_MEDIA_BLOCK)
		return bad(why, "sums: less than extents, or more than fit");
	if (!life->table ||
	    life->table != gns_media_table_at(geo, life->extents, life->sums))
		return bad(why, "table: not where it has to be");
	return 0;
}

int gns_media_foot_check(const void *block, const struct gns_media_geo *geo,
			 u32 region, struct gns_media_life *life,
			 const char **why)
{
	const struct gns_media_foot *f = block;

	if (le32_to_cpu(f->magic) != GNS_MEDIA_FOOT_MAGIC ||
	    memcmp(f->uuid, geo->uuid, sizeof(f->uuid)))
		return -ENODATA;
	if (le32_to_cpu(f->crc) !=
	    block_crc(block, offsetof(struct gns_media_foot, crc)))
		return bad(why, "crc: the last block was not written as a whole, or is damaged");
	if (le32_to_cpu(f->region) != region)
		return bad(why, "region: it is another one's");
	return foot_numbers(f, geo, life, why);
}

void gns_media_table_make(const struct gns_media_geo *geo, const void *table,
			  struct gns_media_life *life)
{
	u64 len = gns_media_table_len(life->extents, life->sums);

	life->sealed = true;
	life->table = gns_media_table_at(geo, life->extents, life->sums);
	life->table_crc = gns_media_crc(table, (u32)len);
}

/* @end: of the data before it; *sums: before it, both are moved on. */
static int extent_check(const struct gns_media_extent *x, u32 table, u32 *end,
			u32 *sums, const char **why)
{
	u64 off = le64_to_cpu(x->off);
	u32 len = le32_to_cpu(x->len), at = le32_to_cpu(x->at);

	if (!len || len > GNS_MEDIA_EXTENT_MAX || len % GNS_MEDIA_BLOCK)
		return bad(why, "len: of an extent: none, too large, or no whole blocks");
	if (off % GNS_MEDIA_BLOCK || off > (u64)S64_MAX - len)
		return bad(why, "off: of an extent: behind any file, or no whole blocks");
	if (off % GNS_MEDIA_EXTENT_MAX + len > GNS_MEDIA_EXTENT_MAX)
		return bad(why, "off: of an extent: it crosses a border");
	if (at % GNS_MEDIA_BLOCK || at < *end || at > table ||
	    len > table - at)
		return bad(why, "at: of an extent: in another one, or not in the data");
	if (le32_to_cpu(x->sum) != *sums)
		return bad(why, "sum: of an extent: another one's");
	if (x->flags)
		return bad(why, "flags: of an extent: not known");
	*end = at + len;
	*sums += gns_media_sums(len);
	return 0;
}

int gns_media_table_check(const void *table, const struct gns_media_life *life,
			  const char **why)
{
	const struct gns_media_extent *x = table;
	u32 i, end = 0, sums = 0;
	int err;

	if (life->table_crc !=
	    gns_media_crc(table, (u32)gns_media_table_len(life->extents,
							  life->sums)))
		return bad(why, "table_crc: the table is damaged");
	for (i = 0; i < life->extents; i++) {
		err = extent_check(&x[i], life->table, &end, &sums, why);
		if (err)
			return err;
	}
	if (sums != life->sums)
		return bad(why, "sums: not those of all extents");
	return 0;
}
