// SPDX-License-Identifier: GPL-2.0
/*
 * Fills: bytes of an answer into locked folios; see fill.h.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include "cache/cache.h"
#include "fill.h"
#include "instance.h"
#include "lease.h"
#include "trace.h"

/* Pages that fills of one mount may hold locked before readahead stops. */
#define FILL_PAGES_MAX ((256ul << 20) >> PAGE_SHIFT)

static struct gns_fill *to_fill(struct gns_call *c)
{
	return container_of(c, struct gns_fill, c);
}

/* Does what @ans shows count? 0, or how the fill ends. */
static int judge(const struct gns_fill *f, const struct gns_answer *ans)
{
	const struct gns_inode *gi = f->gi;

	if (gns_lease_shows(gi, f->epoch, &ans->grant))
		return ans->sid == READ_ONCE(gi->s->sid) ? 0 : -ESTALE;
	if (READ_ONCE(gi->epoch) != f->epoch || !gns_lease_ok(gi))
		return -ESTALE;
	return -EREMCHG;
}

/*
 * From @pos of the answer on into @folio, zeros behind its last byte. Page by
 * page: folios may be in high memory as far as their interface goes.
 */
static void copy_folio(struct folio *folio, const struct gns_bytes *bytes,
		       u64 pos)
{
	size_t size = folio_size(folio), at, n;
	u8 *to;

	for (at = 0; at < size; at += PAGE_SIZE, pos += PAGE_SIZE) {
		n = pos < bytes->len ? min_t(u64, bytes->len - pos, PAGE_SIZE) :
				       0;
		to = kmap_local_folio(folio, at);
		if (n)
			gns_bytes_copy(bytes, pos, to, n);
		if (n < PAGE_SIZE)
			memset(to + n, 0, PAGE_SIZE - n);
		kunmap_local(to);
	}
	flush_dcache_folio(folio);
}

static int fill_deliver(struct gns_call *c, const struct gns_bytes *bytes)
{
	struct gns_sb *gsb = c->gsb;
	struct gns_fill *f = to_fill(c);
	int err = judge(f, &c->ans);
	u32 i;

	if (err)
		return err;
	if (c->ans.attr.size != f->size || bytes->len != c->req.len) {
		gns_err(gsb,
			"READ at %llu: %u of %u bytes, size %llu where the same version had %llu; look at the origin's log\n",
			c->req.off, bytes->len, c->req.len, c->ans.attr.size,
			f->size);
		return -EIO;
	}
	for (i = 0; i < f->nr; i++)
		copy_folio(f->folios[i], bytes,
			   folio_pos(f->folios[i]) - c->req.off);
	/* The lease has to have lived until here: whoever ends it from now on
	 * waits for the folio locks, and drops what it finds.
	 */
	err = judge(f, &c->ans);
	f->usable = !err;
	return err;
}

/* What the reader is told, once it is known that the bytes do not count. */
static int fill_error(const struct gns_fill *f)
{
	int err = f->c.ans.err;

	if (!err) /* an answer without bytes */
		err = judge(f, &f->c.ans) ?: -EIO;
	/* -EAGAIN has its meaning for readers that must not wait. */
	return err == -EAGAIN ? -EBUSY : gns_not_absent(err);
}

static void fill_count(const struct gns_fill *f, int err)
{
	enum gns_fill_end what = GNS_FILL_FAILED;

	if (!err) {
		what = GNS_FILL_DONE;
		gns_count(f->c.gsb, GNS_C_FILL_BYTES, f->c.req.len);
	} else if (err == -ESTALE || err == -EREMCHG) {
		what = GNS_FILL_STALE;
		gns_count(f->c.gsb, GNS_C_FILLS_STALE, 1);
	}
	trace_gns_fill(f, what, err);
}

static void fill_end(struct gns_call *c)
{
	struct gns_fill *f = to_fill(c);
	struct gns_inode *gi = f->gi;
	bool ok = f->usable && !c->ans.err;
	u32 i;

	spin_lock(&gi->lock);
	f->over = true;
	list_del_init(&f->by_inode);
	spin_unlock(&gi->lock);
	if (cancel_delayed_work(&f->timeout))
		gns_call_put(c);
	if (!ok)
		c->ans.err = fill_error(f);
	fill_count(f, c->ans.err);
	if (ok)
		gns_cobj_keep(gi->cobj, f->version, f->size, c->req.off,
			      c->req.len, f->folios, f->nr);
	for (i = 0; i < f->nr; i++) {
		if (ok)
			folio_mark_uptodate(f->folios[i]);
		folio_unlock(f->folios[i]);
	}
	f->nr = 0;
	atomic_long_sub(f->pages, &c->gsb->fill_pages);
	iput(&gi->vfs_inode);
}

static void fill_free(struct gns_call *c)
{
	kvfree(to_fill(c));
}

static const struct gns_call_ops fill_ops = {
	.deliver = fill_deliver,
	.end = fill_end,
	.free = fill_free,
};

static void fill_timeout(struct work_struct *work)
{
	struct gns_fill *f =
		container_of(to_delayed_work(work), struct gns_fill, timeout);

	gns_call_abort(&f->c, -ETIMEDOUT);
	gns_call_put(&f->c);
}

struct gns_fill *gns_fill_new(struct inode *inode, const struct cred *cred,
			      u64 epoch, u64 size, u32 room)
{
	struct gns_inode *gi = gns_i(inode);
	struct gns_fill *f;

	f = kvzalloc(struct_size(f, folios, room), GFP_NOFS);
	if (!f)
		return NULL;
	gns_call_init(&f->c, &fill_ops, gi->s, gns_isb(inode), GNS_CALL_READ,
		      cred);
	INIT_LIST_HEAD(&f->by_inode);
	INIT_DELAYED_WORK(&f->timeout, fill_timeout);
	ihold(inode);
	f->gi = gi;
	f->epoch = epoch;
	/* Another one by now, and another epoch, too: then nothing counts. */
	f->version = READ_ONCE(gi->version);
	f->size = size;
	f->room = room;
	f->c.req.fh = gi->fh;
	f->c.req.epoch = epoch;
	return f;
}

bool gns_fill_add(struct gns_fill *f, struct folio *folio)
{
	u64 pos = folio_pos(folio);

	if (f->nr == f->room || folio_size(folio) > GNS_UREAD_MAX)
		return false;
	if (!f->nr)
		f->c.req.off = pos;
	else if (pos / GNS_UREAD_MAX != f->c.req.off / GNS_UREAD_MAX)
		return false;
	f->folios[f->nr++] = folio;
	f->pages += folio_nr_pages(folio);
	return true;
}

bool gns_fill_full(struct gns_sb *gsb)
{
	return atomic_long_read(&gsb->fill_pages) >=
	       min(FILL_PAGES_MAX, totalram_pages() / 16);
}

/*
 * Into gi->fills, where a fence finds it. It may have been answered already;
 * and a fence that came before it was there leaves it to us.
 */
static bool fill_list(struct gns_fill *f, bool wait)
{
	struct gns_sb *gsb = f->c.gsb;
	struct gns_inode *gi = f->gi;
	bool stale = false;

	spin_lock(&gi->lock);
	if (!f->over) {
		list_add_tail(&f->by_inode, &gi->fills);
		stale = gi->epoch != f->epoch;
		if (!wait && READ_ONCE(gsb->opt.soft)) {
			gns_call_get(&f->c);
			queue_delayed_work(f->c.s->inst->wq, &f->timeout,
					   msecs_to_jiffies(gsb->opt.timeo_ms));
		}
	}
	spin_unlock(&gi->lock);
	return stale;
}

int gns_fill_submit(struct gns_fill *f, bool wait)
{
	u64 end = f->c.req.off + ((u64)f->pages << PAGE_SHIFT);
	struct gns_inode *gi = f->gi;
	int err = -ESTALE;

	atomic_long_add(f->pages, &f->c.gsb->fill_pages);
	end = min(end, f->size);
	/* Who finds no byte of the file in his folios has read an old size. */
	if (end > f->c.req.off) {
		f->c.req.len = end - f->c.req.off;
		spin_lock(&gi->lock);
		f->c.req.lease = gi->number;
		if (gi->epoch == f->epoch && gns_lease_ok(gi))
			err = 0;
		spin_unlock(&gi->lock);
	}
	if (!err)
		err = gns_call_submit(&f->c);
	if (err) {
		f->c.ans.err = err;
		fill_end(&f->c);
		return f->c.ans.err;
	}
	gns_count(f->c.gsb, GNS_C_FILLS, 1);
	trace_gns_fill(f, GNS_FILL_SENT, 0);
	if (fill_list(f, wait))
		gns_call_abort(&f->c, -ESTALE);
	return 0;
}

static struct gns_fill *unclaimed(struct gns_inode *gi)
{
	struct gns_fill *f;

	spin_lock(&gi->lock);
	list_for_each_entry(f, &gi->fills, by_inode) {
		if (test_bit(GNS_CALL_CLAIMED, &f->c.state))
			continue;
		gns_call_get(&f->c);
		spin_unlock(&gi->lock);
		return f;
	}
	spin_unlock(&gi->lock);
	return NULL;
}

void gns_fill_abort_all(struct gns_inode *gi, int err)
{
	struct gns_fill *f;

	/* Each round leaves one less: an abort claims, or finds it claimed. */
	while ((f = unclaimed(gi))) {
		gns_call_abort(&f->c, err);
		gns_call_put(&f->c);
	}
}
