// SPDX-License-Identifier: GPL-2.0
/*
 * fullcache FILE MEAN: what `gnsctl cache format` has made a cache gets full, of
 * extents of MEAN bytes, 40 of them to a file: feet and tables only, for a look at
 * what it takes to read these. Prints how many extents there are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmod/cache/media.h"

/* Extents of a file. */
#define OF_A_FILE 40u

static void die(const char *what)
{
	fprintf(stderr, "fullcache: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void put(int fd, const void *p, size_t len, u64 at)
{
	if (pwrite(fd, p, len, (off_t)at) != (ssize_t)len)
		die("write");
}

/* How many extents of @mean bytes a region has place for. */
static u32 how_many(const struct gns_media_geo *geo, u32 mean)
{
	u32 n = (u32)(geo->region_size / mean);

	while (n && gns_media_table_at(geo, n, n * gns_media_sums(mean)) <
			    n * mean)
		n--;
	return n;
}

static void enter(struct gns_media_extent *e, u64 nr, u32 i, u32 mean)
{
	u64 file = nr / OF_A_FILE;

	/* As good as a hash, for a table of them. */
	file *= 0x9e3779b97f4a7c15ull;
	memcpy(e->obj, &file, sizeof(file));
	e->obj[GNS_MEDIA_OBJ_LEN - 1] = 1;
	e->version = cpu_to_le64(1);
	e->off = cpu_to_le64(nr % OF_A_FILE * mean);
	e->len = cpu_to_le32(mean);
	e->at = cpu_to_le32(i * mean);
	e->sum = cpu_to_le32(i * gns_media_sums(mean));
}

static void fill(int fd, const struct gns_media_geo *geo, u32 region, u32 n,
		 u32 mean)
{
	u32 sums = n * gns_media_sums(mean), i;
	struct gns_media_life life = { .seq = region + 1,
				       .extents = n,
				       .sums = sums };
	u64 at = gns_media_region_at(geo, region);
	u64 len = gns_media_table_len(n, sums);
	struct gns_media_extent *e = calloc(1, len);
	u8 foot[GNS_MEDIA_BLOCK];

	if (!e)
		die("memory");
	for (i = 0; i < n; i++)
		enter(&e[i], (u64)region * n + i, i, mean);
	gns_media_table_make(geo, e, &life);
	put(fd, e, len, at + life.table);
	gns_media_foot_make(geo, region, &life, foot);
	put(fd, foot, sizeof(foot), gns_media_foot_at(geo, region));
	free(e);
}

int main(int argc, char **argv)
{
	u8 block[GNS_MEDIA_BLOCK];
	struct gns_media_geo geo;
	const char *why;
	u32 i, n, mean;
	int fd;

	mean = argc == 3 ? (u32)atoi(argv[2]) : 0;
	if (!mean || mean % GNS_MEDIA_BLOCK || mean > GNS_MEDIA_EXTENT_MAX) {
		fprintf(stderr, "usage: fullcache FILE MEAN\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, block, sizeof(block), 0) != sizeof(block))
		die(argv[1]);
	if (gns_media_super_check(block, (u64)lseek(fd, 0, SEEK_END), &geo,
				  &why)) {
		fprintf(stderr, "fullcache: %s: %s\n", argv[1], why);
		return 2;
	}
	n = how_many(&geo, mean);
	for (i = 0; i < geo.regions; i++)
		fill(fd, &geo, i, n, mean);
	printf("%llu\n", (unsigned long long)n * geo.regions);
	return close(fd) ? 2 : 0;
}
