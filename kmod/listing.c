// SPDX-License-Identifier: GPL-2.0
/*
 * Listings of directories; see listing.h.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "lease.h"
#include "listing.h"
#include "order.h"

/* Where the cookies 1 and 2 are, which no reader could tell from "..". */
#define MOVED (S64_MAX - 3)

/* Bytes of a listing that the shrinker takes for one object. */
#define OBJECT 512

u64 gns_pos_to_cookie(loff_t pos)
{
	if (pos <= GNS_POS_START)
		return 0;
	if (pos == MOVED + 1 || pos == MOVED + 2)
		return pos - MOVED;
	return pos;
}

static loff_t cookie_to_pos(u64 cookie)
{
	if (!cookie)
		return GNS_POS_START;
	return cookie <= GNS_POS_START ? MOVED + cookie : cookie;
}

static bool is_cookie(u64 cookie)
{
	return cookie && cookie <= S64_MAX && cookie != MOVED + 1 &&
	       cookie != MOVED + 2;
}

static bool is_name(const char *name, u32 len)
{
	if (!len || len > GNS_UNAME_MAX || memchr(name, 0, len) ||
	    memchr(name, '/', len))
		return false;
	return name[0] != '.' || (len > 1 && (len > 2 || name[1] != '.'));
}

/* NULL: all right; else the field that is not. */
static const char *check_record(const struct gns_udirent *d, u32 left)
{
	if (left < sizeof(*d) || d->reclen % 8 || d->reclen > left ||
	    d->reclen < sizeof(*d) + d->namelen)
		return "length";
	if (!is_name((const char *)(d + 1), d->namelen))
		return "name";
	if (!is_cookie(d->cookie))
		return "cookie";
	if (d->flags & ~GNS_UD_ATTR || d->reserved[0] || d->reserved[1])
		return "flags";
	if (d->flags & GNS_UD_ATTR &&
	    (!d->fh.len || d->fh.len > GNS_UFH_MAX))
		return "handle";
	return NULL;
}

/* Bytes as entries; @last: cookie of the last record. */
static const char *check_records(const void *buf, u32 len, u32 *bytes,
				 u64 *last)
{
	const struct gns_udirent *d;
	const char *wrong;
	u32 pos;

	*bytes = 0;
	for (pos = 0; pos < len; pos += d->reclen) {
		d = buf + pos;
		wrong = check_record(d, len - pos);
		if (wrong)
			return wrong;
		*bytes += gns_entry_size(d->namelen);
		*last = d->cookie;
	}
	return NULL;
}

static void add_entry(struct gns_chunk *c, const struct gns_udirent *d)
{
	struct gns_entry *e = (void *)(c->data + c->used);

	e->cookie = d->cookie;
	/* 0 would be taken for no entry at all. */
	e->ino = d->attr.ino ?: U32_MAX;
	e->type = d->type <= DT_WHT ? d->type : DT_UNKNOWN;
	e->namelen = d->namelen;
	memcpy(e->name, d + 1, d->namelen);
	c->used += gns_entry_size(d->namelen);
	c->n++;
}

struct gns_chunk *gns_chunk_new(const struct gns_inode *gi, const void *buf,
				u32 len, u64 after, bool eof)
{
	const struct gns_udirent *d;
	struct gns_chunk *c;
	const char *wrong;
	u64 last = after;
	u32 bytes, pos;

	wrong = check_records(buf, len, &bytes, &last);
	/* It would be asked for the same again for ever. */
	if (!wrong && last == after && !eof)
		wrong = "progress";
	if (wrong) {
		gns_err(gns_isb(&gi->vfs_inode), "the listing of directory %lu makes no sense (%s); look at the origin's log\n",
			gi->vfs_inode.i_ino, wrong);
		return ERR_PTR(-EIO);
	}
	c = kvmalloc(struct_size(c, data, bytes), GFP_KERNEL_ACCOUNT);
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->next = NULL;
	c->after = after;
	c->last = last;
	c->used = 0;
	c->n = 0;
	c->eof = eof;
	c->bare = true;
	for (pos = 0; pos < len; pos += d->reclen) {
		d = buf + pos;
		if (d->flags & GNS_UD_ATTR)
			c->bare = false;
		add_entry(c, d);
	}
	return c;
}

void gns_chunk_free(struct gns_chunk *c)
{
	kvfree(c);
}

static const struct gns_entry *entry_at(const struct gns_chunk *c, u32 off)
{
	return (const void *)(c->data + off);
}

bool gns_chunk_emit(const struct gns_chunk *c, u32 *off,
		    struct dir_context *ctx)
{
	const struct gns_entry *e;

	while (*off < c->used) {
		e = entry_at(c, *off);
		if (!dir_emit(ctx, e->name, e->namelen, e->ino, e->type))
			return false;
		ctx->pos = cookie_to_pos(e->cookie);
		*off += gns_entry_size(e->namelen);
	}
	return true;
}

struct gns_listing *gns_listing_live(struct gns_inode *gi)
{
	struct gns_listing *l;
	u64 epoch;

	if (!gns_lease_enter(gi, &epoch))
		return NULL;
	spin_lock(&gi->lock);
	l = gi->listing;
	if (l)
		refcount_inc(&l->ref);
	spin_unlock(&gi->lock);
	if (l && !READ_ONCE(l->read))
		WRITE_ONCE(l->read, true);
	if (l && !gns_lease_same(gi, epoch)) {
		gns_listing_free(l);
		l = NULL;
	}
	return l;
}

struct gns_listing *gns_listing_whole(struct gns_inode *gi, u64 *last)
{
	struct gns_listing *l;

	spin_lock(&gi->lock);
	l = gi->listing;
	if (last)
		*last = l ? l->tail->last : 0;
	if (l && !l->tail->eof)
		l = NULL;
	if (l)
		refcount_inc(&l->ref);
	spin_unlock(&gi->lock);
	return l;
}

void gns_listing_free(struct gns_listing *l)
{
	struct gns_chunk *c, *next;

	if (!l || !refcount_dec_and_test(&l->ref))
		return;
	for (c = l->first; c; c = next) {
		next = c->next;
		gns_chunk_free(c);
	}
	gns_order_free(l->order);
	kfree(l);
}

void gns_listing_cool(struct gns_inode *gi)
{
	u64 lost = READ_ONCE(gi->lost);
	struct gns_listing *l = NULL;

	if (lost < 2)
		return;
	spin_lock(&gi->lock);
	if (gi->listing && gi->listing->n <= 2 * lost)
		l = gns_listing_take(gi);
	spin_unlock(&gi->lock);
	gns_listing_free(l);
}

struct gns_listing *gns_inode_drop_names(struct gns_inode *gi)
{
	lockdep_assert_held(&gi->lock);
	WRITE_ONCE(gi->dgen, atomic64_inc_return(&gi->s->epochs));
	return gns_listing_take(gi);
}

/* gi->lock held. NULL: all that is there came with attributes. */
static const struct gns_entry *first_bare(struct gns_listing *l)
{
	while (l->off == l->bare->used) {
		if (!l->bare->next)
			return NULL;
		l->bare = l->bare->next;
		l->off = 0;
	}
	return entry_at(l->bare, l->off);
}

/* gi->lock held. @c is part of @l, or has the same names. */
static void know(struct gns_listing *l, const struct gns_chunk *c)
{
	const struct gns_entry *e;

	if (c->bare || c->after != l->known)
		return;
	while (l->known != c->last && (e = first_bare(l))) {
		l->known = e->cookie;
		l->off += gns_entry_size(e->namelen);
	}
}

/* gi->lock held. */
static void listing_give(struct gns_inode *gi, struct gns_listing *l)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);

	gi->listing = l;
	atomic_long_add(l->bytes, &gsb->listing_bytes);
	spin_lock(&gsb->listings_lock);
	list_add_tail(&l->by_sb, &gsb->listings);
	spin_unlock(&gsb->listings_lock);
}

/* gi->lock and listings_lock held. */
static struct gns_listing *listing_take(struct gns_inode *gi)
{
	struct gns_listing *l = gi->listing;

	gi->listing = NULL;
	list_del_init(&l->by_sb);
	atomic_long_sub(l->bytes, &gns_isb(&gi->vfs_inode)->listing_bytes);
	return l;
}

struct gns_listing *gns_listing_take(struct gns_inode *gi)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	struct gns_listing *l;

	lockdep_assert_held(&gi->lock);
	if (!gi->listing)
		return NULL;
	spin_lock(&gsb->listings_lock);
	l = listing_take(gi);
	spin_unlock(&gsb->listings_lock);
	return l;
}

unsigned long gns_listings_count(struct gns_sb *gsb)
{
	return atomic_long_read(&gsb->listing_bytes) / OBJECT;
}

/*
 * The one that has been there longest. NULL: it stays, for it was read since
 * this looked at it last. Its inode is there as long as it is in the list.
 */
static struct gns_listing *take_if_cold(struct gns_sb *gsb,
					struct gns_listing *l)
{
	struct gns_inode *gi = l->gi;

	list_move_tail(&l->by_sb, &gsb->listings);
	/* The locks the other way round than elsewhere. */
	if (READ_ONCE(l->read) || !spin_trylock(&gi->lock)) {
		WRITE_ONCE(l->read, false);
		return NULL;
	}
	listing_take(gi);
	spin_unlock(&gi->lock);
	return l;
}

unsigned long gns_listings_shrink(struct gns_sb *gsb, unsigned long most)
{
	const struct gns_listing *stayed = NULL;
	struct gns_listing *first, *cold;
	unsigned long freed = 0, looked;

	for (looked = 0; looked < most && freed < most; looked++) {
		cold = NULL;
		spin_lock(&gsb->listings_lock);
		first = list_first_entry_or_null(&gsb->listings,
						 struct gns_listing, by_sb);
		if (first && first != stayed)
			cold = take_if_cold(gsb, first);
		spin_unlock(&gsb->listings_lock);
		/* Once round will do. */
		if (!first || first == stayed)
			break;
		if (!cold) {
			stayed = stayed ?: first;
			continue;
		}
		freed += cold->bytes / OBJECT + 1;
		gns_listing_free(cold);
		cond_resched();
	}
	return freed;
}

static struct gns_listing *listing_new(struct gns_inode *gi,
				       struct gns_chunk *c)
{
	struct gns_listing *l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);

	if (!l)
		return NULL;
	/* The directory's, and the caller's. */
	refcount_set(&l->ref, 2);
	l->id = atomic64_inc_return(&gi->s->epochs);
	l->first = c;
	l->tail = c;
	l->bare = c;
	l->gi = gi;
	INIT_LIST_HEAD(&l->by_sb);
	l->bytes = struct_size(c, data, c->used);
	l->n = c->n;
	know(l, c);
	return l;
}

/* gi->lock held. */
static bool append(struct gns_listing *l, struct gns_chunk *c)
{
	size_t bytes = struct_size(c, data, c->used);

	if (l->tail->eof || l->tail->last != c->after ||
	    l->bytes + bytes > GNS_LISTING_MAX)
		return false;
	l->bytes += bytes;
	l->n += c->n;
	/* Pairs with next_chunk(): a chunk that is seen is complete. */
	smp_store_release(&l->tail->next, c);
	l->tail = c;
	know(l, c);
	atomic_long_add(bytes, &gns_isb(&l->gi->vfs_inode)->listing_bytes);
	refcount_inc(&l->ref);
	return true;
}

struct gns_listing *gns_listing_add(struct gns_inode *gi, u64 stamp,
				    struct gns_chunk *c)
{
	struct gns_listing *l = NULL, *new = c->after ? NULL :
							listing_new(gi, c);

	spin_lock(&gi->lock);
	if (gi->dgen == stamp) {
		l = gi->listing;
		if (l && !append(l, c)) {
			l = NULL;
		} else if (!l && new) {
			l = new;
			listing_give(gi, new);
			WRITE_ONCE(gi->lost, 0);
			new = NULL;
		}
	}
	spin_unlock(&gi->lock);
	kfree(new);
	return l;
}

bool gns_listing_unknown(struct gns_inode *gi, struct gns_listing *l,
			 u64 *after)
{
	bool ret;

	spin_lock(&gi->lock);
	ret = first_bare(l);
	*after = l->known;
	spin_unlock(&gi->lock);
	return ret;
}

bool gns_listing_is_next(struct gns_inode *gi, const struct qstr *name)
{
	const struct gns_entry *e;
	bool ret;

	if (!READ_ONCE(gi->listing))
		return false;
	spin_lock(&gi->lock);
	e = gi->listing ? first_bare(gi->listing) : NULL;
	ret = e && e->namelen == name->len &&
	      !memcmp(e->name, name->name, name->len);
	spin_unlock(&gi->lock);
	return ret;
}

void gns_listing_know(struct gns_inode *gi, struct gns_listing *l,
		      const struct gns_chunk *c)
{
	spin_lock(&gi->lock);
	know(l, c);
	spin_unlock(&gi->lock);
}

static const struct gns_chunk *next_chunk(const struct gns_chunk *c)
{
	return smp_load_acquire(&c->next); /* pairs with append() */
}

static bool find_in(const struct gns_chunk *c, u64 cookie, u32 *off)
{
	const struct gns_entry *e;

	*off = 0;
	if (c->after == cookie)
		return true;
	while (*off < c->used) {
		e = entry_at(c, *off);
		*off += gns_entry_size(e->namelen);
		if (e->cookie == cookie)
			return true;
	}
	return false;
}

/* Only after a seek, or in a listing that is new to the reader. */
static bool find(const struct gns_listing *l, struct gns_dir_at *at, u64 cookie)
{
	const struct gns_chunk *c;
	u32 off;

	if (at->id == l->id && at->cookie == cookie)
		return true;
	for (c = l->first; c; c = next_chunk(c)) {
		cond_resched();
		if (!find_in(c, cookie, &off))
			continue;
		at->id = l->id;
		at->cookie = cookie;
		at->chunk = c;
		at->off = off;
		return true;
	}
	return false;
}

enum gns_walk gns_listing_walk(const struct gns_listing *l,
			       struct gns_dir_at *at, struct dir_context *ctx,
			       u64 cookie)
{
	const struct gns_chunk *next;

	if (!find(l, at, cookie))
		return GNS_WALK_LOST;
	for (;;) {
		if (!ctx && at->off < at->chunk->used)
			return GNS_WALK_ENOUGH;
		if (!gns_chunk_emit(at->chunk, &at->off, ctx))
			break;
		if (at->chunk->eof)
			break;
		next = next_chunk(at->chunk);
		if (!next) {
			at->cookie = at->chunk->last;
			return GNS_WALK_SHORT;
		}
		at->chunk = next;
		at->off = 0;
	}
	if (ctx)
		at->cookie = gns_pos_to_cookie(ctx->pos);
	return GNS_WALK_ENOUGH;
}
