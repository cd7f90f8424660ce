// SPDX-License-Identifier: GPL-2.0
/*
 * The memory that answers are taken from; see bulk.h.
 *
 * Blocks are runs of units. The search goes on where the last one ended: blocks
 * live for a few milliseconds, so what was given out long ago is free again.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "satellite/bulk.h"

#define UNIT (64u << 10)
#define HUGE (2u << 20)

struct gns_bulk_region {
	struct gns_mem mem;
	u32 refs; /* the owner, the transport */
	u8 *base;
	u32 size;
	int fd;
	u32 buf; /* its number at @fd */
	u32 units; /* behind the scratch block */
	u32 next; /* unit where the next search begins */
	struct gns_bulk_stats stats;
	u16 run[]; /* by unit: length of the block that begins there, or */
};

#define RUN_FREE 0u
#define RUN_INSIDE 0xffffu /* it is in one that began before */

_Static_assert(GNS_UBUF_MAX / UNIT < RUN_INSIDE, "units");

static u8 *unit_at(const struct gns_bulk_region *b, u32 i)
{
	return b->base + GNS_BULK_SCRATCH + (size_t)i * UNIT;
}

static bool inside(const struct gns_bulk_region *b, const void *p)
{
	return (const u8 *)p >= b->base && (const u8 *)p < b->base + b->size;
}

/* The first of @n free units in a row, from @from on; units if there is none. */
static u32 find_run(const struct gns_bulk_region *b, u32 from, u32 n)
{
	u32 i, have = 0;

	for (i = from; i < b->units; i++) {
		have = b->run[i] == RUN_FREE ? have + 1 : 0;
		if (have == n)
			return i + 1 - n;
	}
	return b->units;
}

static void *bulk_alloc(struct gns_mem *mem, u32 len)
{
	struct gns_bulk_region *b = container_of(mem, struct gns_bulk_region,
						 mem);
	u32 n = (len + UNIT - 1) / UNIT;
	u32 i, k;

	n = n ? n : 1;
	i = find_run(b, b->next, n);
	if (i == b->units)
		i = find_run(b, 0, n);
	if (i == b->units) {
		b->stats.full++;
		return malloc(len);
	}
	b->run[i] = (u16)n;
	for (k = 1; k < n; k++)
		b->run[i + k] = RUN_INSIDE;
	b->next = i + n;
	return unit_at(b, i);
}

static void bulk_free(struct gns_mem *mem, void *p)
{
	struct gns_bulk_region *b = container_of(mem, struct gns_bulk_region,
						 mem);
	u32 i, n;

	if (!p || !inside(b, p)) {
		free(p);
		return;
	}
	i = (u32)(((u8 *)p - b->base - GNS_BULK_SCRATCH) / UNIT);
	n = b->run[i];
	memset(&b->run[i], 0, n * sizeof(b->run[0]));
}

static void bulk_put(struct gns_bulk_region *b)
{
	if (--b->refs)
		return;
	munmap(b->base, b->size);
	free(b);
}

static void bulk_done(struct gns_mem *mem)
{
	bulk_put(container_of(mem, struct gns_bulk_region, mem));
}

static void *map(u32 size)
{
	int prot = PROT_READ | PROT_WRITE;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *p = mmap(NULL, size, prot, flags | MAP_HUGETLB, -1, 0);

	if (p == MAP_FAILED) {
		p = mmap(NULL, size, prot, flags, -1, 0);
		if (p == MAP_FAILED)
			return NULL;
		madvise(p, size, MADV_HUGEPAGE);
	}
	/* A child's copy of a pinned page would leave us with another one. */
	madvise(p, size, MADV_DONTFORK);
	return p;
}

struct gns_bulk_region *gns_bulk_create(u32 size)
{
	struct gns_bulk_region *b;
	u32 units;

	if (size < GNS_BULK_MIN || size > GNS_UBUF_MAX) {
		errno = EINVAL;
		return NULL;
	}
	size = (size + HUGE - 1) / HUGE * HUGE;
	units = (size - GNS_BULK_SCRATCH) / UNIT;
	b = calloc(1, sizeof(*b) + units * sizeof(b->run[0]));
	if (!b)
		return NULL;
	b->refs = 1;
	b->mem.alloc = bulk_alloc;
	b->mem.free = bulk_free;
	b->mem.done = bulk_done;
	b->size = size;
	b->units = units;
	b->fd = -1;
	b->base = map(size);
	if (b->base)
		return b;
	free(b);
	errno = ENOMEM;
	return NULL;
}

void gns_bulk_destroy(struct gns_bulk_region *b)
{
	if (b)
		bulk_put(b);
}

struct gns_mem *gns_bulk_mem(struct gns_bulk_region *b)
{
	b->refs++;
	return &b->mem;
}

void *gns_bulk_scratch(struct gns_bulk_region *b)
{
	return b->base;
}

int gns_bulk_register(struct gns_bulk_region *b, int fd)
{
	struct gns_ubuf u = { .addr = (uintptr_t)b->base, .len = b->size };

	if (ioctl(fd, GNS_IOC_REGISTER, &u))
		return -errno;
	b->fd = fd;
	b->buf = u.index;
	return 0;
}

int gns_bulk_fill(struct gns_bulk_region *b, struct gns_ufill *fill,
		  const void *p, u32 len)
{
	int rc;

	if (len > GNS_BULK_SCRATCH)
		return -EMSGSIZE;
	if (len && !inside(b, p)) {
		memcpy(b->base, p, len);
		p = b->base;
		b->stats.copied += len;
	}
	fill->buf = len ? b->buf : 0;
	fill->offset = len ? (u64)((const u8 *)p - b->base) : 0;
	fill->len = len;
	b->stats.fills++;
	b->stats.bytes += len;
	do {
		rc = ioctl(b->fd, GNS_IOC_FILL, fill);
	} while (rc && errno == EINTR);
	return rc ? -errno : 0;
}

int gns_bulk_take(struct gns_bulk_region *b, u64 id, u32 len)
{
	struct gns_utake t = { .id = id, .buf = b->buf, .len = len };
	int rc;

	if (len > GNS_BULK_SCRATCH)
		return -EMSGSIZE;
	do {
		rc = ioctl(b->fd, GNS_IOC_TAKE, &t);
	} while (rc && errno == EINTR);
	return rc ? -errno : 0;
}

void gns_bulk_stats(const struct gns_bulk_region *b, struct gns_bulk_stats *st)
{
	*st = b->stats;
}
