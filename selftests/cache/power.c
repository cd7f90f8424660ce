// SPDX-License-Identifier: GPL-2.0
/*
 * What a loss of power leaves on a cache device, from a log of all that was
 * written to it (dm-log-writes).
 *
 *	cache-power make DIR FILES GENERATION	files whose blocks say whose they are
 *	cache-power check DIR			and do they?
 *	cache-power cut LOG IMAGE POINTS SEED	judges the device as it is after
 *			each of about POINTS writes, evenly spread: all before it
 *			is there; then once more as it is when any of those behind
 *			the last flush may be lost
 *	cache-power stop LOG IMAGE PERCENT SEED	leaves such an image, cut after so
 *			much of the log
 *	cache-power same LOG DEVICE	has the device what was written to it? What
 *			it has where blocks were discarded is its own affair
 *
 * A device is right if each region that can be read has tables that make sense,
 * and the bytes that they name. IMAGE is the device as it was before.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "power.h"

#define LOG_MAGIC 0x6a736677736872ull
#define LOG_FLUSH 1u
#define LOG_FUA 2u
#define LOG_DISCARD 4u

/* The kernel's, see dm-log-writes; each begins a sector. */
struct log_super {
	__le64 magic;
	__le64 version;
	__le64 entries;
	__le32 sector;
};

struct log_entry {
	__le64 sector;
	__le64 sectors;
	__le64 flags;
	__le64 data_len;
};

/**
 * struct cut - a log, and the device as of some entry
 * @fd:      the log
 * @entries: of it
 * @unit:    bytes of a sector of it
 * @at:      of the next entry, bytes
 * @durable: the device as of the last flush
 * @image:   the file, mapped
 * @size:    of the device, bytes
 * @seed:    of what is lost
 * @dirty:   what was written, or lost, since it was judged
 */
struct cut {
	int fd;
	u64 entries;
	u32 unit;
	off_t at;
	u8 *durable;
	u8 *image;
	size_t size;
	u64 seed;
	bool dirty[POWER_PIECES];
};

static u32 rnd(struct cut *c)
{
	c->seed = c->seed * 6364136223846793005ull + 1442695040888963407ull;
	return c->seed >> 33;
}

static void get(const struct cut *c, void *buf, size_t len, off_t at)
{
	if (pread(c->fd, buf, len, at) != (ssize_t)len)
		err(2, "log at %lld", (long long)at);
}

static void open_log(struct cut *c, const char *path)
{
	struct log_super super;

	c->fd = open(path, O_RDONLY);
	if (c->fd < 0)
		err(2, "%s", path);
	get(c, &super, sizeof(super), 0);
	if (le64_to_cpu(super.magic) != LOG_MAGIC)
		errx(2, "%s: no log of writes", path);
	c->entries = le64_to_cpu(super.entries);
	c->unit = le32_to_cpu(super.sector);
	c->at = c->unit;
}

static void open_image(struct cut *c, const char *path)
{
	int fd = open(path, O_RDWR);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", path);
	c->size = st.st_size;
	c->image = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			0);
	c->durable = malloc(c->size);
	if (c->image == MAP_FAILED || !c->durable)
		err(2, "%s", path);
	memcpy(c->durable, c->image, c->size);
	close(fd);
}

/*
 * What an entry wrote, @part percent of it, in front; returns where the next one
 * is. @to: NULL: only looked at.
 */
static off_t apply(struct cut *c, off_t at, u8 *to, u32 part,
		   struct log_entry *e)
{
	u64 from, len, some;

	get(c, e, sizeof(*e), at);
	at += c->unit;
	from = le64_to_cpu(e->sector) * c->unit;
	len = le64_to_cpu(e->sectors) * c->unit;
	if (from + len > c->size)
		errx(2, "log: a write behind the end");
	c->dirty[power_piece(from)] = true;
	if (le64_to_cpu(e->flags) & LOG_DISCARD) {
		if (to)
			memset(to + from, 0, len);
		return at;
	}
	some = len / c->unit * part / 100 * c->unit;
	if (to && some)
		get(c, to + from, some, at);
	return at + len;
}

/*
 * Of those behind the last flush each may be there or not, if not FUA; of the
 * last one, that was under way, a part.
 */
static void lose_some(struct cut *c, off_t from, off_t to)
{
	struct log_entry e;
	off_t next;

	memcpy(c->image, c->durable, c->size);
	for (; from < to; from = next) {
		next = apply(c, from, NULL, 100, &e);
		if (next == to)
			apply(c, from, c->image, rnd(c) % 101, &e);
		else if (le64_to_cpu(e.flags) & LOG_FUA || rnd(c) & 1)
			apply(c, from, c->image, 100, &e);
	}
}

/*
 * Entry by entry, up to number @last; @point is called behind those that are to
 * be judged, with where the flushed ones end.
 */
static void replay(struct cut *c, u64 last, u64 step,
		   void (*point)(struct cut *c, off_t flushed, u64 nr))
{
	off_t flushed = c->at, next;
	struct log_entry e;
	u64 i;

	for (i = 0; i < last; i++, c->at = next) {
		next = apply(c, c->at, c->image, 100, &e);
		if (point && i % step == 0) {
			c->at = next;
			point(c, flushed, i);
		}
		if (!(le64_to_cpu(e.flags) & LOG_FLUSH))
			continue;
		/* It is in front of it in the log, as it was on the device. */
		while (flushed < next)
			flushed = apply(c, flushed, c->durable, 100, &e);
	}
	if (!point)
		lose_some(c, flushed, c->at);
}

static const char *image_path;
static u64 points;

static void judge_one(struct cut *c, u64 nr, const char *how)
{
	struct judged j;

	points++;
	if (!judge(image_path, c->dirty, &j))
		errx(1, "cut behind write %llu, %s", (unsigned long long)nr,
		     how);
}

static void judge_point(struct cut *c, off_t flushed, u64 nr)
{
	u8 *whole = malloc(c->size);
	struct log_entry e;

	if (!whole)
		err(2, "memory");
	judge_one(c, nr, "all before it there");
	memset(c->dirty, 0, sizeof(c->dirty));
	memcpy(whole, c->image, c->size);
	lose_some(c, flushed, c->at);
	judge_one(c, nr, "some of those before it lost");
	memcpy(c->image, whole, c->size);
	free(whole);
	/* What was lost is there again. */
	while (flushed < c->at)
		flushed = apply(c, flushed, NULL, 100, &e);
}

/* Sectors that were written and not discarded since are compared. */
static int same(struct cut *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT);
	struct log_entry e;
	u8 *known, *got;
	u64 i, at, len;

	c->size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	c->image = malloc(c->size);
	known = calloc(1, c->size / c->unit + 1);
	if (!c->size || !c->image || !known ||
	    posix_memalign((void **)&got, 4096, c->size) ||
	    pread(fd, got, c->size, 0) != (ssize_t)c->size)
		err(2, "%s", path);
	for (i = 0; i < c->entries; i++) {
		c->at = apply(c, c->at, c->image, 100, &e);
		memset(known + le64_to_cpu(e.sector),
		       !(le64_to_cpu(e.flags) & LOG_DISCARD),
		       le64_to_cpu(e.sectors));
	}
	for (at = 0, len = 0; at < c->size; at += c->unit) {
		if (!known[at / c->unit])
			continue;
		if (memcmp(c->image + at, got + at, c->unit))
			errx(1, "%s: other bytes at %llu than were written",
			     path, (unsigned long long)at);
		len += c->unit;
	}
	printf("# %llu of %zu bytes compared\n", (unsigned long long)len,
	       c->size);
	return len ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct cut c = {};
	u64 n;

	if (argc == 5 && !strcmp(argv[1], "make"))
		return blocks_make(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc == 3 && !strcmp(argv[1], "check"))
		return blocks_check(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "same")) {
		open_log(&c, argv[2]);
		return same(&c, argv[3]);
	}
	if (argc != 6 || (strcmp(argv[1], "cut") && strcmp(argv[1], "stop")))
		errx(2, "usage: see power.c");
	open_log(&c, argv[2]);
	open_image(&c, argv[3]);
	image_path = argv[3];
	n = strtoull(argv[4], NULL, 10);
	c.seed = strtoull(argv[5], NULL, 10);
	if (!strcmp(argv[1], "stop")) {
		replay(&c, c.entries * n / 100, 1, NULL);
		return 0;
	}
	/* Each point is judged twice. */
	n = c.entries * 2 / n;
	replay(&c, c.entries, n ? n : 1, judge_point);
	judged_summary(points, c.entries);
	return 0;
}
