// SPDX-License-Identifier: GPL-2.0
/*
 * A region of a cache device, in the form that fuzz_media takes.
 */
#include "seeds.h"
#include "selftests/unit/media_rig.h"

static size_t add(u8 *to, size_t at, const void *p, size_t len)
{
	memcpy(to + at, p, len);
	return at + len;
}

static void save(const char *name, struct made *m)
{
	static u8 buf[1 << 16];
	u8 block[GNS_MEDIA_BLOCK];
	void *table = made_table(m);
	size_t n;

	gns_media_super_make(&m->geo, block);
	n = add(buf, 0, block, sizeof(struct gns_media_super));
	gns_media_foot_make(&m->geo, 3, &m->life, block);
	n = add(buf, n, block, sizeof(struct gns_media_foot));
	n = add(buf, n, table,
		gns_media_table_len(m->life.extents, m->life.sums));
	seed_save("media", name, buf, n);
	free(table);
}

void seed_media(void)
{
	struct gns_media_geo geo;
	const char *why;
	struct made m;

	FUZZ_CHECK(!gns_media_plan(32u << 20, 0, &geo, &why), "%s", why);
	memcpy(geo.uuid, "fifteen letters", sizeof(geo.uuid));
	geo.made = 1;
	made_init(&m, &geo, 1);
	made_add(&m, 1, 2, 4096, 4096);
	save("one", &m);
	made_add(&m, 1, 2, GNS_MEDIA_EXTENT_MAX, 2u << 20);
	made_add(&m, 2, 1, GNS_MEDIA_EXTENT_MAX - 4096, 4096);
	save("three", &m);
	free(m.data);
}
