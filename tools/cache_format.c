// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl cache format: the one that makes a device a cache.
 *
 * All devices are looked at before any is written to.
 */
#include <blkid.h>
#include <getopt.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "cache_dev.h"
#include "gnsctl.h"
#include "units.h"

struct plan {
	bool force;
	bool keep_blocks; /* do not discard them */
	u64 region_size; /* 0: what suits */
};

static const char *value(blkid_probe pr, const char *name)
{
	const char *text;

	return blkid_probe_lookup_value(pr, name, &text, NULL) ? NULL : text;
}

static blkid_probe probe(const struct cache_dev *d)
{
	blkid_probe pr = blkid_new_probe();

	if (pr && !blkid_probe_set_device(pr, d->fd, 0, 0)) {
		blkid_probe_enable_superblocks(pr, true);
		blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE |
							      BLKID_SUBLKS_MAGIC);
		blkid_probe_enable_partitions(pr, true);
		blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC);
		return pr;
	}
	blkid_free_probe(pr);
	ctl_fail("%s: can not look at what is on it", d->path);
	return NULL;
}

/* Whatever somebody may miss: a filesystem, partitions, another cache. */
static int refuse_used(struct cache_dev *d)
{
	const char *why, *what;
	blkid_probe pr;
	int ret = CTL_OK, rc;

	if (cache_dev_super(d, &why) != -ENODATA)
		return ctl_fail("%s is a cache of gns already; --force empties it",
				d->path);
	pr = probe(d);
	if (!pr)
		return CTL_FAILED;
	rc = blkid_do_safeprobe(pr);
	what = value(pr, "TYPE") ?: value(pr, "PTTYPE");
	if (rc == 0)
		ret = ctl_fail("%s has something on it (%s); --force destroys that",
			       d->path, what ?: "of a kind that is not known");
	else if (rc < 0)
		ret = ctl_fail("%s: what is on it can not be told%s; --force destroys it",
			       d->path,
			       rc == -2 ? ", it looks like several things" : "");
	blkid_free_probe(pr);
	return ret;
}

/* Nobody is to find what was there, at whatever place it had its marks. */
static int wipe(const struct cache_dev *d)
{
	blkid_probe pr = probe(d);
	int rc = 0;

	if (!pr)
		return CTL_FAILED;
	while (!rc && !blkid_do_probe(pr))
		rc = blkid_do_wipe(pr, false);
	blkid_free_probe(pr);
	return rc ? ctl_fail("%s: the marks of what was on it can not be removed",
			     d->path) :
		    CTL_OK;
}

static int look(struct cache_dev *d, const char *path, const struct plan *p)
{
	const char *why;
	int ret;

	ret = cache_dev_open(d, path, true);
	if (ret)
		return ret;
	if (gns_media_plan(d->size, p->region_size, &d->geo, &why))
		return ctl_fail("%s: %s", path, why);
	if (!p->force)
		ret = refuse_used(d);
	/* Looking for a cache has left what that says. */
	gns_media_plan(d->size, p->region_size, &d->geo, &why);
	return ret;
}

/* Its old blocks are of no use; a drive that knows that writes less. */
static void tell_unused(const struct cache_dev *d)
{
	u64 range[2] = { 0, d->size };

	if (d->block && ioctl(d->fd, BLKDISCARD, range) && errno != EOPNOTSUPP)
		fprintf(stderr, "gnsctl: %s: discard: %s\n", d->path,
			strerror(errno));
}

static int write_super(struct cache_dev *d)
{
	void *block = aligned_alloc(GNS_MEDIA_BLOCK, GNS_MEDIA_BLOCK);
	ssize_t n;

	if (!block)
		return ctl_fail("out of memory");
	d->geo.made = (u64)time(NULL);
	if (getrandom(d->geo.uuid, sizeof(d->geo.uuid), 0) !=
	    sizeof(d->geo.uuid)) {
		free(block);
		return ctl_fail("no random numbers: %s", strerror(errno));
	}
	gns_media_super_make(&d->geo, block);
	n = pwrite(d->fd, block, GNS_MEDIA_BLOCK, 0);
	free(block);
	if (n != GNS_MEDIA_BLOCK || fsync(d->fd))
		return ctl_fail("%s: writing: %s", d->path, strerror(errno));
	return CTL_OK;
}

static int format(struct cache_dev *d, const struct plan *p)
{
	char uuid[37], region[UNITS_LEN], size[UNITS_LEN];
	int ret = wipe(d);

	if (ret)
		return ret;
	if (!p->keep_blocks)
		tell_unused(d);
	ret = write_super(d);
	if (!ret)
		printf("%s: %s in %u regions of %s, %s\n", d->path,
		       units_bytes(size, d->geo.size), d->geo.regions,
		       units_bytes(region, d->geo.region_size),
		       cache_uuid(uuid, d->geo.uuid));
	return ret;
}

static int format_all(char **paths, int n, const struct plan *p)
{
	struct cache_dev *d = calloc(n, sizeof(*d));
	int i, opened = 0, ret = CTL_OK;

	if (!d)
		return ctl_fail("out of memory");
	while (opened < n && ret == CTL_OK) {
		ret = look(&d[opened], paths[opened], p);
		opened++;
	}
	for (i = 0; i < n && ret == CTL_OK; i++)
		ret = format(&d[i], p);
	for (i = 0; i < opened; i++)
		cache_dev_close(&d[i]);
	free(d);
	return ret;
}

int cache_format(int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "keep-blocks", no_argument, NULL, 'k' },
		{ "region-size", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	struct plan p = { .force = false };
	int c;

	while ((c = getopt_long(argc, argv, "f", options, NULL)) != -1) {
		if (c == 'f') {
			p.force = true;
		} else if (c == 'k') {
			p.keep_blocks = true;
		} else if (c == 'r') {
			if (!units_parse(optarg, &p.region_size) ||
			    !p.region_size)
				return ctl_fail("--region-size: %s is no size, as 256M is",
						optarg);
		} else {
			return CTL_USAGE;
		}
	}
	if (optind == argc)
		return ctl_usage("cache");
	return format_all(argv + optind, argc - optind, &p);
}
