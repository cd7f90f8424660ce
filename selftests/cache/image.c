// SPDX-License-Identifier: GPL-2.0
/*
 * cache-image: fills a formatted image as a kernel would.
 *
 *	cache-image FILE SEALED OPEN
 *
 * The first SEALED regions get extents of many sizes, the OPEN ones behind them
 * are as a loss of power leaves them. Prints how many extents and bytes there
 * are. The same arguments make the same extents.
 */
#include <fcntl.h>
#include <unistd.h>

#include "selftests/unit/media_rig.h"

static u64 extents, bytes;

static void die(const char *what)
{
	fprintf(stderr, "cache-image: %s\n", what);
	exit(2);
}

static void put(int fd, const void *p, size_t len, u64 at)
{
	if (pwrite(fd, p, len, (off_t)at) != (ssize_t)len)
		die(strerror(errno));
}

/* From one block to the largest, as long as table and foot have room. */
static void fill(struct made *m, u32 nr)
{
	static const u32 sizes[] = { 4096, 2u << 20, 68 << 10, 128 << 10,
				     12288, 1u << 20 };
	u32 i, len, sums;

	for (i = 0; i < ARRAY_SIZE(m->x); i++) {
		len = sizes[(i + nr) % ARRAY_SIZE(sizes)];
		sums = m->life.sums + gns_media_sums(len);
		if (m->end + len >
		    gns_media_table_at(&m->geo, m->life.extents + 1, sums))
			break;
		made_add(m, (u8)nr, i + 1, (u64)i * GNS_MEDIA_EXTENT_MAX, len);
	}
	extents += m->life.extents;
	bytes += m->end;
}

static void write_region(int fd, const struct gns_media_geo *geo, u32 nr,
			 bool seal)
{
	u64 at = gns_media_region_at(geo, nr);
	u8 foot[GNS_MEDIA_BLOCK];
	struct made m;
	void *table;

	made_init(&m, geo, 100 + nr);
	if (seal) {
		fill(&m, nr);
		table = made_table(&m);
		put(fd, table, gns_media_table_len(m.life.extents, m.life.sums),
		    at + m.life.table);
		put(fd, m.data, m.end, at);
		free(table);
	}
	gns_media_foot_make(geo, nr, &m.life, foot);
	put(fd, foot, sizeof(foot), at + geo->region_size - sizeof(foot));
	free(m.data);
}

int main(int argc, char **argv)
{
	u8 block[GNS_MEDIA_BLOCK];
	struct gns_media_geo geo;
	const char *why;
	u32 i, sealed, open_ones;
	int fd;

	if (argc != 4)
		die("FILE SEALED OPEN");
	sealed = (u32)atoi(argv[2]);
	open_ones = (u32)atoi(argv[3]);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, block, sizeof(block), 0) != sizeof(block))
		die(strerror(errno));
	if (gns_media_super_check(block, (u64)lseek(fd, 0, SEEK_END), &geo,
				  &why))
		die(why);
	if (sealed + open_ones > geo.regions)
		die("so many regions there are not");
	for (i = 0; i < sealed + open_ones; i++)
		write_region(fd, &geo, i, i < sealed);
	printf("%llu %llu\n", (unsigned long long)extents,
	       (unsigned long long)bytes);
	return close(fd) ? 2 : 0;
}
