// SPDX-License-Identifier: GPL-2.0
/* Files whose blocks say whose they are; see power.h. */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "power.h"
#include "tools/cache_dev.h"
#include "tools/gnsctl.h"

#define NAMES_MAX 4096u

/** struct tag - fills a block, again and again */
struct tag {
	u32 magic;
	u32 file;
	u32 generation;
	u32 block;
};

#define TAG_MAGIC 0x67746167u
#define TAGS (GNS_MEDIA_BLOCK / sizeof(struct tag))

/** struct name - what was learned of an object in a version */
struct name {
	u8 obj[GNS_MEDIA_OBJ_LEN];
	u64 version;
	u32 file;
	u32 generation;
};

static struct name names[NAMES_MAX];
static u32 nnames;
static u64 all_bytes, all_sealed;

/* From two blocks to 768 KiB; the last block is cut. */
static u32 size_of(u32 file)
{
	return 1000 + 4096 * (1u << file % 7) * (1 + file % 3);
}

int blocks_make(const char *dir, u32 files, u32 generation)
{
	struct tag tags[TAGS];
	u32 i, k, at, n;
	char path[512];
	int fd;

	for (i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "%s/f%u", dir, i);
		fd = open(path, O_WRONLY | O_CREAT, 0644);
		if (fd < 0)
			err(2, "%s", path);
		for (at = 0; at < size_of(i); at += n) {
			for (k = 0; k < TAGS; k++)
				tags[k] = (struct tag){ TAG_MAGIC, i, generation,
							at / GNS_MEDIA_BLOCK };
			n = size_of(i) - at;
			n = n < sizeof(tags) ? n : sizeof(tags);
			if (write(fd, tags, n) != (ssize_t)n)
				err(2, "%s", path);
		}
		close(fd);
	}
	return 0;
}

/* All of a block is of the tag that it begins with; behind the end are zeros. */
static bool is_whole(const u8 *block, u32 len)
{
	static const u8 zeros[GNS_MEDIA_BLOCK];

	if (len > sizeof(struct tag) &&
	    memcmp(block, block + sizeof(struct tag), len - sizeof(struct tag)))
		return false;
	return !memcmp(block + len, zeros, GNS_MEDIA_BLOCK - len);
}

static int check_file(const char *path, u32 file)
{
	u8 block[GNS_MEDIA_BLOCK];
	int fd = open(path, O_RDONLY);
	struct tag first = {}, t;
	ssize_t n;
	u32 at;

	if (fd < 0)
		err(1, "%s", path);
	for (at = 0; at < size_of(file); at += n) {
		memset(block, 0, sizeof(block));
		n = read(fd, block, sizeof(block));
		if (n <= 0)
			errx(1, "%s: ends at %u of %u bytes", path, at,
			     size_of(file));
		memcpy(&t, block, sizeof(t));
		if (!at)
			first = t;
		if (t.magic != TAG_MAGIC || t.file != file ||
		    t.generation != first.generation ||
		    t.block != at / GNS_MEDIA_BLOCK || !is_whole(block, n))
			errx(1, "%s: wrong bytes at %u", path, at);
	}
	close(fd);
	return 0;
}

int blocks_check(const char *dir)
{
	struct dirent *e;
	char path[512];
	DIR *d = opendir(dir);

	if (!d)
		err(2, "%s", dir);
	while ((e = readdir(d))) {
		if (e->d_name[0] != 'f')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		check_file(path, atoi(e->d_name + 1));
	}
	closedir(d);
	return 0;
}

static bool name_is(const struct gns_media_extent *x, const struct tag *t)
{
	u64 version = le64_to_cpu(x->version);
	u32 i;

	for (i = 0; i < nnames; i++) {
		if (memcmp(names[i].obj, x->obj, sizeof(x->obj)))
			continue;
		if (names[i].file != t->file)
			return false;
		if (names[i].version == version)
			return names[i].generation == t->generation;
	}
	if (nnames == NAMES_MAX)
		errx(2, "more than %u names", NAMES_MAX);
	memcpy(names[nnames].obj, x->obj, sizeof(x->obj));
	names[nnames].version = version;
	names[nnames].file = t->file;
	names[nnames++].generation = t->generation;
	return true;
}

static const char *wrong_block(const struct gns_media_extent *x, const u8 *p,
			       u32 off)
{
	u64 at = le64_to_cpu(x->off) + off;
	struct tag t;
	u32 left;

	memcpy(&t, p, sizeof(t));
	if (t.magic != TAG_MAGIC)
		return "no bytes of any file";
	if (t.block != at / GNS_MEDIA_BLOCK || at >= size_of(t.file))
		return "another place's bytes";
	left = size_of(t.file) - at;
	if (!is_whole(p, left < GNS_MEDIA_BLOCK ? left : GNS_MEDIA_BLOCK))
		return "a block in part";
	if (!off && !name_is(x, &t))
		return "another file's bytes, or another version's";
	return NULL;
}

static const char *wrong_extent(const struct cache_dev *d,
				const struct cache_region *r,
				const struct gns_media_extent *x, u8 *buf)
{
	u32 len = le32_to_cpu(x->len), at, n, sum = le32_to_cpu(x->sum);
	const char *why = NULL;

	if (cache_dev_read(d, buf, len,
			   gns_media_region_at(&d->geo, r->nr) +
				   le32_to_cpu(x->at)))
		return "can not be read";
	for (at = 0; !why && at < len; at += GNS_MEDIA_BLOCK)
		why = wrong_block(x, buf + at, at);
	for (at = 0; !why && at < len; at += n, sum++) {
		n = len - at < GNS_MEDIA_SUM_UNIT ? len - at :
						    GNS_MEDIA_SUM_UNIT;
		if (gns_media_crc(buf + at, n) != le32_to_cpu(r->sums[sum]))
			why = "a wrong checksum";
	}
	return why;
}

static bool judge_region(const struct cache_dev *d, u32 nr, struct judged *j,
			 u8 *buf)
{
	const char *why = NULL;
	struct cache_region r;
	u32 i;

	if (cache_region_read(d, nr, &r))
		err(2, "memory");
	/* A foot that was written in part counts as empty. */
	if (r.state == CACHE_DAMAGED || r.state == CACHE_UNREADABLE)
		why = r.why;
	for (i = 0; r.state == CACHE_SEALED && i < r.life.extents && !why; i++) {
		why = wrong_extent(d, &r, &r.x[i], buf);
		j->bytes += le32_to_cpu(r.x[i].len);
	}
	j->sealed += r.state == CACHE_SEALED;
	cache_region_free(&r);
	if (why)
		warnx("region %u: %s", nr, why);
	return !why;
}

bool judge(const char *path, const bool *dirty, struct judged *j)
{
	static u8 buf[GNS_MEDIA_EXTENT_MAX]
		__attribute__((aligned(GNS_MEDIA_BLOCK)));
	bool right = true;
	struct cache_dev d;
	const char *why;
	u32 i;

	*j = (struct judged){};
	if (cache_dev_open(&d, path, false))
		exit(2);
	/* Before the first block is there nobody uses it. */
	if (!cache_dev_super(&d, &why) &&
	    d.geo.region_size == GNS_MEDIA_REGION_MIN)
		for (i = 0; i < d.geo.regions && right; i++) {
			if (dirty[power_piece(gns_media_region_at(&d.geo, i))])
				right = judge_region(&d, i, j, buf);
		}
	cache_dev_close(&d);
	all_bytes += j->bytes;
	all_sealed += j->sealed;
	return right;
}

void judged_summary(u64 points, u64 writes)
{
	printf("# %llu points in %llu writes; judged: %llu regions, %llu MiB, %u versions\n",
	       (unsigned long long)points, (unsigned long long)writes,
	       (unsigned long long)all_sealed,
	       (unsigned long long)all_bytes >> 20, nnames);
}

/* What tools/cache_dev.c says of what it can not open. */
int ctl_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vwarnx(fmt, ap);
	va_end(ap);
	return 1;
}
