// SPDX-License-Identifier: GPL-2.0
/*
 * What was written here goes into the page cache, too: who reads it again asks
 * nobody for the bytes.
 *
 * It is done while the lease is suspended and nothing is mapped, so that no
 * reader takes for one version what is half of the next: those that copy just
 * now find another epoch. Pages that are not cached are made only where the
 * write has all of their bytes. Without memory a page is left out.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include "fence.h"
#include "fill.h"

struct piece {
	const u8 *buf; /* bytes from @pos on */
	u64 pos;
	u64 end;
	u64 size; /* of the file after the write */
};

/* @at: of the folio's first byte. Zeros behind the end of the file stay. */
static void put_bytes(struct folio *folio, const struct piece *p, u64 at)
{
	u64 from = max(p->pos, at);
	u64 to = min_t(u64, p->end, at + folio_size(folio));

	memcpy_to_folio(folio, from - at, p->buf + (from - p->pos), to - from);
}

/* Does the write have every byte of the page that the file has? */
static bool covers(const struct piece *p, u64 at)
{
	return p->pos <= at &&
	       (p->end >= at + PAGE_SIZE || p->end >= p->size);
}

/* Returns where to go on. */
static u64 update_page(struct address_space *mapping, const struct piece *p,
		       u64 at)
{
	fgf_t fgp = FGP_LOCK;
	struct folio *folio;
	u64 next;

	if (covers(p, at))
		fgp |= FGP_CREAT | FGP_NOFS;
	folio = __filemap_get_folio(mapping, at >> PAGE_SHIFT, fgp,
				    mapping_gfp_mask(mapping) & ~__GFP_FS);
	if (IS_ERR(folio))
		return at + PAGE_SIZE;
	next = folio_pos(folio) + folio_size(folio);
	if (folio_test_uptodate(folio)) {
		put_bytes(folio, p, folio_pos(folio));
	} else if (covers(p, at) && folio_size(folio) == PAGE_SIZE) {
		folio_zero_range(folio, 0, PAGE_SIZE);
		put_bytes(folio, p, at);
		folio_mark_uptodate(folio);
	}
	folio_unlock(folio);
	folio_put(folio);
	return next;
}

void gns_fence_write(struct gns_inode *gi, const struct gns_written *w)
{
	struct address_space *mapping = gi->vfs_inode.i_mapping;
	struct piece p = { w->buf, w->pos, w->pos + w->len, w->size };
	u64 at = w->pos & PAGE_MASK;

	lockdep_assert_held(&gi->lease_mutex);
	/* They hold folio locks, and their bytes are of before. */
	gns_fill_abort_all(gi, -ESTALE);
	while (at < p.end) {
		at = update_page(mapping, &p, at);
		cond_resched();
	}
}
