// SPDX-License-Identifier: GPL-2.0
/*
 * What is on a cache device: what was made is accepted and says the same, and
 * whatever else has a right checksum is refused by the field that is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "media_rig.h"

#define MIB (1ull << 20)

static u8 block[GNS_MEDIA_BLOCK];
static const char *why;

static struct gns_media_geo planned(u64 size)
{
	struct gns_media_geo geo = { .uuid = "fifteen letters" };

	assert_int_equal(gns_media_plan(size, 0, &geo, &why), 0);
	geo.made = 1234567;
	return geo;
}

/* crc32c of the nine digits, as everybody has it. */
static void test_crc(void **state)
{
	(void)state;
	assert_int_equal(gns_media_crc("123456789", 9), 0xe3069283);
	assert_int_equal(sizeof(struct gns_media_extent), 56);
	assert_int_equal(sizeof(struct gns_media_super), 72);
	assert_int_equal(sizeof(struct gns_media_foot), 56);
}

static void test_plan(void **state)
{
	static const struct {
		u64 size, region;
	} good[] = {
		{ 17 * MIB, 4 * MIB },
		{ 257 * MIB, 4 * MIB },
		{ 1025 * MIB, 16 * MIB },
		{ 16384 * MIB + MIB, 256 * MIB },
		{ MIB << 20, 256 * MIB },
		{ 30 * (MIB << 20), 256 * MIB },
		{ MIB << 29, 512 * MIB },
	};
	struct gns_media_geo geo;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		geo = planned(good[i].size);
		assert_int_equal(geo.region_size, good[i].region);
		assert_true(geo.size <= good[i].size);
		assert_true(geo.size + geo.region_size > good[i].size);
	}
	assert_int_equal(gns_media_plan(17 * MIB - 1, 0, &geo, &why), -ENOSPC);
	assert_int_equal(gns_media_plan(0, 0, &geo, &why), -ENOSPC);
	assert_int_equal(gns_media_plan(32 * MIB, 8 * MIB, &geo, &why), -ENOSPC);
	assert_int_equal(gns_media_plan(33 * MIB, 8 * MIB, &geo, &why), 0);
	assert_int_equal(gns_media_plan(MIB << 10, 3 * MIB, &geo, &why), -EINVAL);
	assert_int_equal(gns_media_plan(MIB << 10, 2 * MIB, &geo, &why), -EINVAL);
	assert_int_equal(gns_media_plan(MIB << 20, 2048 * MIB, &geo, &why),
			 -EINVAL);
	/* More than is counted is left alone. */
	assert_int_equal(gns_media_plan(UINT64_MAX, 4 * MIB, &geo, &why), 0);
	assert_int_equal(geo.regions, GNS_MEDIA_REGIONS_MAX);
}

static void super_is(u64 size, int err, const char *field)
{
	struct gns_media_geo geo;

	assert_int_equal(gns_media_super_check(block, size, &geo, &why), err);
	if (strncmp(why, field, strlen(field)))
		fail_msg("%s: %s", field, why);
}

/* What is changed has a right checksum again. */
static void seal(u32 crc_at)
{
	__le32 crc = 0;

	memcpy(block + crc_at, &crc, 4);
	crc = cpu_to_le32(gns_media_crc(block, sizeof(block)));
	memcpy(block + crc_at, &crc, 4);
}

#define SUPER_BAD(field, value, err) \
	do { \
		struct gns_media_super *s_ = (void *)block; \
		__typeof__(s_->field) was_ = s_->field; \
		s_->field = (__force __typeof__(s_->field))(value); \
		seal(offsetof(struct gns_media_super, crc)); \
		super_is(geo.size, err, #field ":"); \
		s_->field = was_; \
	} while (0)

static void test_super(void **state)
{
	struct gns_media_geo geo = planned(101 * MIB), got;

	(void)state;
	gns_media_super_make(&geo, block);
	memset(&got, 0, sizeof(got));
	assert_int_equal(gns_media_super_check(block, geo.size, &got, &why), 0);
	assert_memory_equal(got.uuid, geo.uuid, sizeof(geo.uuid));
	assert_int_equal(got.size, geo.size);
	assert_int_equal(got.region_size, geo.region_size);
	assert_int_equal(got.regions, geo.regions);
	assert_int_equal(got.made, geo.made);
	super_is(geo.size - 1, -EUCLEAN, "size:");
	SUPER_BAD(version, 2, -EOPNOTSUPP);
	SUPER_BAD(features, 1, -EOPNOTSUPP);
	SUPER_BAD(block, 512, -EUCLEAN);
	SUPER_BAD(regions, 3, -EUCLEAN);
	SUPER_BAD(regions, GNS_MEDIA_REGIONS_MAX + 1, -EUCLEAN);
	SUPER_BAD(region_size, 5 * MIB, -EUCLEAN);
	SUPER_BAD(region_size, 2 * MIB, -EUCLEAN);
	SUPER_BAD(region_size, 2048 * MIB, -EUCLEAN);
	SUPER_BAD(size, geo.size - 4096, -EUCLEAN);
	SUPER_BAD(size, UINT64_MAX, -EUCLEAN);
	seal(offsetof(struct gns_media_super, crc));
	assert_int_equal(gns_media_super_check(block, geo.size, &got, &why), 0);
	block[4095] ^= 1;
	super_is(geo.size, -EUCLEAN, "crc:");
	block[0] ^= 1;
	super_is(geo.size, -ENODATA, "there is no");
}

static void foot_is(const struct gns_media_geo *geo, int err, const char *field)
{
	struct gns_media_life life;

	assert_int_equal(gns_media_foot_check(block, geo, 5, &life, &why), err);
	if (err == -EUCLEAN && strncmp(why, field, strlen(field)))
		fail_msg("%s: %s", field, why);
}

#define FOOT_BAD(field, value) \
	do { \
		struct gns_media_foot *f_ = (void *)block; \
		__typeof__(f_->field) was_ = f_->field; \
		f_->field = (__force __typeof__(f_->field))(value); \
		seal(offsetof(struct gns_media_foot, crc)); \
		foot_is(&m.geo, -EUCLEAN, #field ":"); \
		f_->field = was_; \
	} while (0)

static void test_foot(void **state)
{
	struct gns_media_geo geo = planned(101 * MIB);
	struct gns_media_life got;
	struct made m;

	(void)state;
	memset(block, 0, sizeof(block));
	foot_is(&geo, -ENODATA, "");
	made_init(&m, &geo, 9);
	gns_media_foot_make(&geo, 5, &m.life, block);
	assert_int_equal(gns_media_foot_check(block, &geo, 5, &got, &why), 0);
	assert_int_equal(got.seq, 9);
	assert_false(got.sealed);
	FOOT_BAD(extents, 1);
	made_add(&m, 1, 2, 0, 2 * MIB);
	made_add(&m, 1, 2, 2 * MIB, 68 << 10);
	free(made_table(&m));
	gns_media_foot_make(&geo, 5, &m.life, block);
	assert_int_equal(gns_media_foot_check(block, &geo, 5, &got, &why), 0);
	assert_true(got.sealed);
	assert_int_equal(got.extents, 2);
	assert_int_equal(got.sums, 34);
	assert_int_equal(got.table, geo.region_size - 2 * 4096);
	FOOT_BAD(region, 4);
	FOOT_BAD(seq, 0);
	FOOT_BAD(state, 0);
	FOOT_BAD(state, 3);
	FOOT_BAD(extents, 0);
	FOOT_BAD(extents, UINT32_MAX);
	FOOT_BAD(sums, 1);
	FOOT_BAD(sums, UINT32_MAX);
	FOOT_BAD(table, m.life.table - 4096);
	FOOT_BAD(table, 0);
	block[4095] ^= 1;
	foot_is(&geo, -EUCLEAN, "crc:");
	geo.uuid[3] ^= 1;
	foot_is(&geo, -ENODATA, "");
	free(m.data);
}

static void table_is(struct made *m, const char *field)
{
	void *table = made_table(m);
	int err = gns_media_table_check(table, &m->life, &why);

	free(table);
	if (!field)
		assert_int_equal(err, 0);
	else if (err != -EUCLEAN || strncmp(why, field, strlen(field)))
		fail_msg("%s: %d %s", field, err, why);
}

#define EXTENT_BAD(i, field, value) \
	do { \
		__typeof__(m.x[0].field) was_ = m.x[i].field; \
		m.x[i].field = value; \
		table_is(&m, #field ":"); \
		m.x[i].field = was_; \
	} while (0)

static void test_table(void **state)
{
	struct gns_media_geo geo = planned(101 * MIB);
	struct made m;
	u8 *table;

	(void)state;
	made_init(&m, &geo, 1);
	made_add(&m, 1, 7, 8192, 4096);
	m.end += 8192; /* a gap is no harm */
	made_add(&m, 2, 7, 4 * MIB - 128 * 1024, 128 << 10);
	made_add(&m, 2, 7, INT64_MAX - (2 * MIB - 1), 2 * MIB - 4096);
	table_is(&m, NULL);
	EXTENT_BAD(0, len, 0);
	EXTENT_BAD(0, len, cpu_to_le32(512));
	EXTENT_BAD(2, len, cpu_to_le32((2u << 20) + 4096));
	EXTENT_BAD(0, off, cpu_to_le64(1));
	EXTENT_BAD(0, off, cpu_to_le64(1ull << 63));
	EXTENT_BAD(1, off, cpu_to_le64(4 * MIB - 4096));
	EXTENT_BAD(0, at, cpu_to_le32(1));
	EXTENT_BAD(1, at, 0);
	EXTENT_BAD(0, at, cpu_to_le32(12288));
	EXTENT_BAD(2, at, cpu_to_le32(m.life.table - 4096));
	EXTENT_BAD(2, at, cpu_to_le32(0xfffff000));
	EXTENT_BAD(1, sum, cpu_to_le32(0));
	EXTENT_BAD(1, flags, cpu_to_le32(1));
	m.life.sums++;
	table_is(&m, "sums:");
	m.life.sums--;
	table = made_table(&m);
	table[3] ^= 1;
	assert_int_equal(gns_media_table_check(table, &m.life, &why), -EUCLEAN);
	assert_memory_equal(why, "table_crc:", 10);
	free(table);
	free(m.data);
}

/* A region is full when its table would not fit any more, and not before. */
static void test_room(void **state)
{
	struct gns_media_geo geo = planned(17 * MIB);
	u32 n = 0, at;

	(void)state;
	while ((u64)(n + 1) * 4096 <= gns_media_table_at(&geo, n + 1, n + 1))
		n++;
	at = gns_media_table_at(&geo, n, n);
	assert_true((u64)n * 4096 <= at);
	assert_true(at + gns_media_table_len(n, n) <= geo.region_size - 4096);
	/* 60 bytes for each 4096. */
	assert_true(n > 4 * MIB / 4096 * 98 / 100);
	assert_int_equal(gns_media_table_at(&geo, 4 * MIB / 56, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_super),
		cmocka_unit_test(test_foot),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
