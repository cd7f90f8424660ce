// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl cache dump: what a device says that it has, a line each.
 */
#include <stdio.h>

#include "cache.h"
#include "cache_dev.h"
#include "gnsctl.h"

static const char *const states[] = {
	[CACHE_UNUSED] = "unused",
	[CACHE_TORN] = "torn",
	[CACHE_OPEN] = "open",
	[CACHE_SEALED] = "sealed",
	[CACHE_DAMAGED] = "damaged",
	[CACHE_UNREADABLE] = "unreadable",
};

static void dump_super(const struct cache_dev *d)
{
	char uuid[37];

	printf("super version=%u uuid=%s size=%llu region_size=%llu regions=%u made=%llu\n",
	       GNS_MEDIA_VERSION, cache_uuid(uuid, d->geo.uuid),
	       (unsigned long long)d->geo.size,
	       (unsigned long long)d->geo.region_size, d->geo.regions,
	       (unsigned long long)d->geo.made);
}

static void dump_extent(const struct gns_media_extent *x)
{
	char obj[2 * GNS_MEDIA_OBJ_LEN + 1];

	printf("extent obj=%s version=%llu set=%llu off=%llu len=%u at=%u sum=%u\n",
	       cache_obj(obj, x->obj),
	       (unsigned long long)le64_to_cpu(x->version),
	       (unsigned long long)le64_to_cpu(x->set),
	       (unsigned long long)le64_to_cpu(x->off), le32_to_cpu(x->len),
	       le32_to_cpu(x->at), le32_to_cpu(x->sum));
}

static void dump_region(const struct cache_region *r)
{
	u32 i;

	printf("region nr=%u state=%s seq=%llu extents=%u sums=%u table=%u", r->nr,
	       states[r->state], (unsigned long long)r->life.seq,
	       r->life.extents, r->life.sums, r->life.table);
	if (r->why && r->state != CACHE_UNUSED && r->state != CACHE_OPEN &&
	    r->state != CACHE_SEALED)
		printf(" why=\"%s\"", r->why);
	putchar('\n');
	for (i = 0; r->state == CACHE_SEALED && i < r->life.extents; i++)
		dump_extent(&r->x[i]);
}

int cache_dump(int argc, char **argv)
{
	struct cache_region r;
	struct cache_dev d;
	const char *why;
	int ret;
	u32 i;

	if (argc != 2 || argv[1][0] == '-')
		return ctl_usage("cache");
	ret = cache_dev_open(&d, argv[1], false);
	if (!ret && cache_dev_super(&d, &why))
		ret = ctl_fail("%s: %s", d.path, why);
	if (!ret)
		dump_super(&d);
	for (i = 0; !ret && i < d.geo.regions; i++) {
		if (cache_region_read(&d, i, &r)) {
			ret = ctl_fail("out of memory");
			break;
		}
		if (r.state != CACHE_UNUSED)
			dump_region(&r);
		cache_region_free(&r);
	}
	cache_dev_close(&d);
	return ret;
}
