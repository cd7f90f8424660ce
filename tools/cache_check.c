// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl cache check: everything that a device has, against its checksums.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache.h"
#include "cache_dev.h"
#include "gnsctl.h"
#include "units.h"

struct check {
	const struct cache_dev *d;
	u8 *buf; /* GNS_MEDIA_EXTENT_MAX */
	u32 regions[CACHE_UNREADABLE + 1]; /* by state */
	u64 extents;
	u64 bytes;
	u64 damaged;
};

static void __attribute__((format(printf, 3, 4)))
damage(struct check *c, u32 region, const char *fmt, ...)
{
	va_list ap;

	c->damaged++;
	printf("%s: region %u: ", c->d->path, region);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void check_extent(struct check *c, const struct cache_region *r,
			 const struct gns_media_extent *x)
{
	const __le32 *sum = r->sums + le32_to_cpu(x->sum);
	u32 len = le32_to_cpu(x->len), at, n;
	char obj[2 * GNS_MEDIA_OBJ_LEN + 1];
	const char *what = NULL;

	if (cache_dev_read(c->d, c->buf, len,
			   gns_media_region_at(&c->d->geo, r->nr) +
				   le32_to_cpu(x->at)))
		what = "can not be read";
	for (at = 0; !what && at < len; at += n, sum++) {
		n = len - at < GNS_MEDIA_SUM_UNIT ? len - at :
						    GNS_MEDIA_SUM_UNIT;
		if (gns_media_crc(c->buf + at, n) != le32_to_cpu(*sum))
			what = "are damaged";
	}
	c->extents++;
	c->bytes += len;
	if (what)
		damage(c, r->nr,
		       "object %s, version %llu: the %u bytes from %llu on %s",
		       cache_obj(obj, x->obj),
		       (unsigned long long)le64_to_cpu(x->version), len,
		       (unsigned long long)le64_to_cpu(x->off), what);
}

static void check_region(struct check *c, const struct cache_region *r)
{
	u32 i;

	c->regions[r->state]++;
	if (r->state == CACHE_DAMAGED || r->state == CACHE_UNREADABLE)
		damage(c, r->nr, "%s", r->why);
	for (i = 0; r->state == CACHE_SEALED && i < r->life.extents; i++)
		check_extent(c, r, &r->x[i]);
}

static void summary(const struct check *c)
{
	char bytes[UNITS_LEN];

	printf("%s: %u regions: %u sealed, %u open, %u unused, %u of no use\n",
	       c->d->path, c->d->geo.regions, c->regions[CACHE_SEALED],
	       c->regions[CACHE_OPEN], c->regions[CACHE_UNUSED],
	       c->regions[CACHE_TORN] + c->regions[CACHE_DAMAGED] +
		       c->regions[CACHE_UNREADABLE]);
	printf("%s: %llu extents, %s; %llu damaged\n", c->d->path,
	       (unsigned long long)c->extents, units_bytes(bytes, c->bytes),
	       (unsigned long long)c->damaged);
}

static int check_all(struct check *c)
{
	struct cache_region r;
	u32 i;

	for (i = 0; i < c->d->geo.regions; i++) {
		if (cache_region_read(c->d, i, &r))
			return ctl_fail("out of memory");
		check_region(c, &r);
		cache_region_free(&r);
	}
	summary(c);
	return c->damaged ? CTL_FAILED : CTL_OK;
}

static int check_device(const char *path, u8 *buf)
{
	struct cache_dev d;
	struct check c = { .d = &d, .buf = buf };
	const char *why;
	int ret;

	ret = cache_dev_open(&d, path, false);
	if (!ret && cache_dev_super(&d, &why))
		ret = ctl_fail("%s: %s", path, why);
	if (!ret)
		ret = check_all(&c);
	cache_dev_close(&d);
	return ret;
}

int cache_check(int argc, char **argv)
{
	u8 *buf;
	int ret = CTL_OK, i;

	if (argc < 2 || argv[1][0] == '-')
		return ctl_usage("cache");
	buf = aligned_alloc(GNS_MEDIA_BLOCK, GNS_MEDIA_EXTENT_MAX);
	if (!buf)
		return ctl_fail("out of memory");
	for (i = 1; i < argc; i++)
		if (check_device(argv[i], buf))
			ret = CTL_FAILED;
	free(buf);
	return ret;
}
