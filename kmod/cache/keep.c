// SPDX-License-Identifier: GPL-2.0
/*
 * Keeping: bytes that have come go from the page cache to a device.
 */
#include <linux/bio.h>
#include <linux/highmem.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include "int.h"

/**
 * struct keep - an extent that is being written
 * @x:       the region's
 * @version: of its bytes
 * @len:     bytes
 * @bios:    under way, and who starts them
 * @moving:  it is written again
 * @failed:  one of them
 * @work:    to send them, and then the end
 * @skip:    bytes of the first folio that are not the extent's
 * @nr:      of @folios
 * @folios:  a reference on each until its bio is through
 */
struct keep {
	struct gns_cext *x;
	u64 version;
	u32 len;
	atomic_t bios;
	bool moving;
	bool failed;
	struct work_struct work;
	u32 skip;
	u32 nr;
	struct folio *folios[];
};

static void keep_over(struct work_struct *work)
{
	struct keep *k = container_of(work, struct keep, work);
	struct gns_cregion *r = gns_cext_region(k->x);
	struct gns_cache *c = r->dev->cache;

	if (!k->failed && !READ_ONCE(r->dev->out))
		gns_cext_add(k->x, k->version);
	atomic_long_sub(k->len, &r->dev->writes);
	if (k->moving && atomic_dec_and_test(&c->moving))
		gns_cprepare_soon(c);
	gns_cache_wake(c);
	gns_cregion_written(r, k->failed);
	kfree(k);
	gns_cache_done(c);
}

static void put_bio(struct keep *k)
{
	if (!atomic_dec_and_test(&k->bios))
		return;
	INIT_WORK(&k->work, keep_over);
	queue_work(gns_cext_region(k->x)->dev->cache->wq, &k->work);
}

static void keep_endio(struct bio *bio)
{
	struct keep *k = bio->bi_private;
	struct folio_iter fi;

	if (bio->bi_status) {
		WRITE_ONCE(k->failed, true);
		gns_cdev_error(gns_cext_region(k->x)->dev);
	}
	bio_for_each_folio_all(fi, bio)
		folio_put(fi.folio);
	bio_put(bio);
	put_bio(k);
}

static struct bio *new_bio(struct keep *k, u32 off, u32 vecs)
{
	struct bio *bio = gns_cext_bio(k->x, off, vecs, REQ_OP_WRITE, GFP_NOFS);

	bio->bi_private = k;
	bio->bi_end_io = keep_endio;
	atomic_inc(&k->bios);
	return bio;
}

/* All of the extent, in as many bios as it takes. */
static void write_folios(struct keep *k)
{
	u32 i, n, from = k->skip, off = 0;
	struct bio *bio = NULL;
	struct folio *folio;

	for (i = 0; i < k->nr; i++, off += n, from = 0) {
		folio = k->folios[i];
		n = min_t(u32, folio_size(folio) - from, k->len - off);
		if (bio && gns_bio_add(bio, folio, n, from))
			continue;
		if (bio)
			submit_bio(bio);
		bio = new_bio(k, off, k->nr - i);
		/* The first one always fits. */
		WARN_ON_ONCE(!gns_bio_add(bio, folio, n, from));
	}
	if (bio)
		submit_bio(bio);
}

/* A checksum for each unit, counted from the extent's begin. */
static void sum_up(struct keep *k)
{
	__le32 *sum = gns_cext_region(k->x)->sums + k->x->sum;
	u32 i, n, from = k->skip, off = 0, crc = ~0u;
	void *p;

	for (i = 0; i < k->nr; i++, from = 0) {
		while (from < folio_size(k->folios[i]) && off < k->len) {
			n = min_t(u32, PAGE_SIZE - offset_in_page(from),
				  k->len - off);
			n = min(n, GNS_MEDIA_SUM_UNIT -
					   off % GNS_MEDIA_SUM_UNIT);
			p = kmap_local_folio(k->folios[i], from);
			crc = gns_crc32c(crc, p, n);
			kunmap_local(p);
			from += n;
			off += n;
			if (off % GNS_MEDIA_SUM_UNIT && off < k->len)
				continue;
			*sum++ = cpu_to_le32(~crc);
			crc = ~0u;
		}
	}
}

/*
 * A drive that is slow makes its writers wait, and checksums take time: not of the
 * helper's, which has leases to renew and to give back, nor of the reader's.
 */
static void keep_send(struct work_struct *work)
{
	struct keep *k = container_of(work, struct keep, work);

	sum_up(k);
	write_folios(k);
	put_bio(k);
}

/* The extent begins @skip bytes behind the first of these folios. */
static void take_folios(struct keep *k, struct folio **folios, u32 skip)
{
	u32 left = k->len, n;

	while (skip >= folio_size(*folios))
		skip -= folio_size(*folios++);
	k->skip = skip;
	for (; left; left -= n, skip = 0, folios++) {
		n = min_t(u32, folio_size(*folios) - skip, left);
		folio_get(*folios);
		k->folios[k->nr++] = *folios;
	}
}

/**
 * struct bytes - what is to be kept
 * @obj:     its object
 * @set:     and set
 * @version: of it
 * @how:     what is there already stays, if it is not to be moved
 */
struct bytes {
	struct gns_cobj *obj;
	struct gns_cset *set;
	u64 version;
	enum gns_ckeep how;
};

/* As much of it as there is place for in one region; NULL: there is none. */
static struct keep *keep_new(const struct bytes *b, u32 off, u32 len, u32 nr)
{
	struct keep *k = kzalloc(struct_size(k, folios, nr), GFP_NOFS);

	if (!k)
		return NULL;
	k->version = b->version;
	atomic_set(&k->bios, 1);
	INIT_WORK(&k->work, keep_send);
	k->x = gns_cext_new(b->obj, off, len / GNS_MEDIA_BLOCK);
	if (k->x && gns_cregion_space(b->set, k->x, b->version, b->how)) {
		k->len = k->x->len * GNS_MEDIA_BLOCK;
		return k;
	}
	if (k->x)
		gns_cext_free(k->x);
	kfree(k);
	return NULL;
}

/*
 * Bytes from @pos on: what is there already need not be written again. Of a large
 * folio that was asked for since a part of it is not there, that part may be
 * anywhere. False: there was no place for some.
 */
static bool keep_bytes(const struct bytes *b, u64 pos, u32 len,
		       struct folio **folios, u32 nr)
{
	u64 end = pos + len, at = pos, to = end;
	struct gns_cache *c = b->obj->cache;
	struct keep *k;

	for (;;) {
		if (b->how != GNS_CK_MOVED) {
			at = gns_cext_present(b->obj, b->version, at, end);
			to = gns_cext_absent(b->obj, b->version, at, end);
		}
		if (at >= end)
			return true;
		/* Somebody was faster just now. */
		if (at >= to)
			continue;
		k = keep_new(b, at / GNS_MEDIA_BLOCK, to - at, nr);
		if (!k)
			return false;
		gns_cache_busy(c);
		k->moving = b->how == GNS_CK_MOVED;
		if (k->moving)
			atomic_inc(&c->moving);
		atomic_long_add(k->len, &gns_cext_region(k->x)->dev->writes);
		take_folios(k, folios, at - pos);
		at += k->len;
		queue_work(gns_cext_region(k->x)->dev->keeps, &k->work);
	}
}

void gns_cobj_keep(struct gns_cobj *obj, u64 version, u64 size, u64 pos,
		   u32 len, struct folio **folios, u32 nr)
{
	u64 off = pos / GNS_MEDIA_BLOCK;
	struct bytes b = { .obj = obj, .version = version };

	if (!obj || !version || !len)
		return;
	gns_cache_note(obj, pos, len, size, true);
	len = ALIGN(len, GNS_MEDIA_BLOCK);
	if (off > U32_MAX - len / GNS_MEDIA_BLOCK || len > GNS_MEDIA_EXTENT_MAX)
		return;
	gns_cobj_turn(obj, version, false);
	b.set = gns_cobj_cset(obj);
	b.how = READ_ONCE(obj->again) ? GNS_CK_AGAIN : GNS_CK_NEW;
	keep_bytes(&b, pos, len, folios, nr);
}

/* Folios for @len bytes, large ones if there are; fewer than that: no memory. */
static u32 new_folios(struct folio **folios, u32 max, u32 len)
{
	gfp_t gfp = GFP_NOFS | __GFP_NOWARN | __GFP_NORETRY;
	u32 n = 0, got, order = get_order(len);

	while (len && n < max) {
		order = min_t(u32, order, ilog2(len >> PAGE_SHIFT));
		folios[n] = folio_alloc(gfp, order);
		if (!folios[n] && !order)
			break;
		if (!folios[n]) {
			order--;
			continue;
		}
		got = folio_size(folios[n++]);
		len -= got;
	}
	if (!len)
		return n;
	while (n)
		folio_put(folios[--n]);
	return 0;
}

static void copy_in(struct folio *folio, const u8 *buf, u32 len)
{
	u32 at, n;
	u8 *to;

	for (at = 0; at < folio_size(folio); at += PAGE_SIZE) {
		n = at < len ? min_t(u32, len - at, PAGE_SIZE) : 0;
		to = kmap_local_folio(folio, at);
		memcpy(to, buf + at, n);
		memset(to + n, 0, PAGE_SIZE - n);
		kunmap_local(to);
	}
}

/* Folios with a copy of @len bytes; @n of them, 0: there is no memory. */
static struct folio **copy_out(const u8 *buf, u32 len, u32 *n)
{
	u32 max = GNS_MEDIA_EXTENT_MAX >> PAGE_SHIFT, i, at = 0;
	struct folio **folios = kvmalloc_array(max, sizeof(*folios), GFP_NOFS);

	*n = folios ? new_folios(folios, max, PAGE_ALIGN(len)) : 0;
	for (i = 0; i < *n; i++) {
		copy_in(folios[i], buf + at, at < len ? len - at : 0);
		at += folio_size(folios[i]);
	}
	return folios;
}

static void put_folios(struct folio **folios, u32 n)
{
	while (n)
		folio_put(folios[--n]);
	kvfree(folios);
}

bool gns_cext_again(struct gns_cext *x, struct gns_cset *s, u64 version,
		    const u8 *buf)
{
	u32 len = x->len * GNS_MEDIA_BLOCK, n;
	struct folio **folios = copy_out(buf, len, &n);
	const struct bytes b = { .obj = x->obj,
				 .set = s,
				 .version = version,
				 .how = GNS_CK_MOVED };
	bool all;

	all = n && keep_bytes(&b, (u64)x->off * GNS_MEDIA_BLOCK, len, folios, n);
	put_folios(folios, n);
	return all;
}

void gns_cobj_keep_copy(struct gns_cobj *obj, u64 version, u64 size, u64 pos,
			const void *buf, u32 len)
{
	u64 end = pos + len, from = ALIGN(pos, (u64)GNS_MEDIA_BLOCK), to, part;
	struct folio **folios;
	u32 n;

	if (!obj || !version)
		return;
	to = end < size ? ALIGN_DOWN(end, (u64)GNS_MEDIA_BLOCK) : end;
	while (from < to) {
		part = min(to - from,
			   GNS_MEDIA_EXTENT_MAX - from % GNS_MEDIA_EXTENT_MAX);
		folios = copy_out(buf + (from - pos), part, &n);
		if (n)
			gns_cobj_keep(obj, version, size, from, part, folios, n);
		put_folios(folios, n);
		from += part;
	}
}
