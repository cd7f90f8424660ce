// SPDX-License-Identifier: GPL-2.0
/*
 * The first block of a cache device, a foot and a table: whatever has the right
 * checksums. What is accepted lies in its region, and nothing lies twice.
 */
#include "fuzz.h"
#include "kmod/cache/media.h"

#define REGION 3u

/* The input is three parts; each is cut or filled up to its size. */
static size_t take(void *to, size_t len, const u8 **data, size_t *size)
{
	size_t n = *size < len ? *size : len;

	memset(to, 0, len);
	memcpy(to, *data, n);
	*data += n;
	*size -= n;
	return n;
}

static void seal(u8 *block, size_t at)
{
	__le32 crc = 0;

	memcpy(block + at, &crc, sizeof(crc));
	crc = cpu_to_le32(gns_media_crc(block, GNS_MEDIA_BLOCK));
	memcpy(block + at, &crc, sizeof(crc));
}

static void look_at_table(const struct gns_media_geo *geo,
			  const struct gns_media_life *life, const void *table)
{
	const struct gns_media_extent *x = table;
	u64 end = 0, off;
	u32 i, sums = 0;

	for (i = 0; i < life->extents; i++, x++) {
		off = le64_to_cpu(x->off);
		FUZZ_CHECK(le32_to_cpu(x->at) >= end, "one in another");
		end = (u64)le32_to_cpu(x->at) + le32_to_cpu(x->len);
		FUZZ_CHECK(end <= life->table, "not in the data");
		FUZZ_CHECK(le32_to_cpu(x->len) && !(end % GNS_MEDIA_BLOCK),
			   "no blocks");
		FUZZ_CHECK(off / GNS_MEDIA_EXTENT_MAX ==
				   (off + le32_to_cpu(x->len) - 1) /
					   GNS_MEDIA_EXTENT_MAX,
			   "it crosses a border");
		FUZZ_CHECK(le32_to_cpu(x->sum) == sums, "another one's sum");
		sums += gns_media_sums(le32_to_cpu(x->len));
	}
	FUZZ_CHECK(sums == life->sums, "%u of %u sums", sums, life->sums);
	FUZZ_CHECK(life->table + gns_media_table_len(life->extents, sums) <=
			   geo->region_size - GNS_MEDIA_BLOCK,
		   "the table is in the foot");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct gns_media_super super;
	struct gns_media_foot foot;
	u8 block[GNS_MEDIA_BLOCK], again[GNS_MEDIA_BLOCK];
	struct gns_media_life life;
	struct gns_media_geo geo;
	const char *why = NULL;
	u64 len;
	u8 *table;

	take(&super, sizeof(super), &data, &size);
	memset(block, 0, sizeof(block));
	memcpy(super.magic, GNS_MEDIA_MAGIC, sizeof(super.magic));
	memcpy(block, &super, sizeof(super));
	seal(block, offsetof(struct gns_media_super, crc));
	if (gns_media_super_check(block, UINT64_MAX, &geo, &why)) {
		FUZZ_CHECK(why, "refused without a reason");
		return 0;
	}
	gns_media_super_make(&geo, again);
	FUZZ_CHECK(!memcmp(block, again, sizeof(block)), "other bytes");
	FUZZ_CHECK(gns_media_region_at(&geo, geo.regions) == geo.size,
		   "regions that are not on the device");
	take(&foot, sizeof(foot), &data, &size);
	memset(block, 0, sizeof(block));
	foot.magic = cpu_to_le32(GNS_MEDIA_FOOT_MAGIC);
	memcpy(foot.uuid, geo.uuid, sizeof(foot.uuid));
	/* Of the table as it is here; where it has to be is no riddle. */
	len = gns_media_table_len(le32_to_cpu(foot.extents),
				  le32_to_cpu(foot.sums));
	if (len > 1 << 20)
		return 0;
	foot.table = cpu_to_le32(gns_media_table_at(&geo,
						    le32_to_cpu(foot.extents),
						    le32_to_cpu(foot.sums)));
	table = malloc(len ?: 1);
	FUZZ_CHECK(table, "no memory");
	take(table, len, &data, &size);
	foot.table_crc = cpu_to_le32(gns_media_crc(table, (u32)len));
	memcpy(block, &foot, sizeof(foot));
	seal(block, offsetof(struct gns_media_foot, crc));
	if (!gns_media_foot_check(block, &geo, REGION, &life, &why) &&
	    life.sealed && !gns_media_table_check(table, &life, &why))
		look_at_table(&geo, &life, table);
	free(table);
	return 0;
}
