// SPDX-License-Identifier: GPL-2.0
/*
 * The fence: how a lease ends, so that nothing of it can be read afterwards.
 *
 * REVOKE takes the lease off at once. A worker then ends the fills of the old
 * epoch (their readers hold folio locks, and invalidate_lock shared), unmaps,
 * drops pages, names and attributes, and only then RELEASED is said. A fault
 * that had passed the gate before holds its folio locked until its entry is
 * made; dropping takes that lock and unmaps again.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/slab.h>
#include "fence.h"
#include "fill.h"
#include "listing.h"
#include "making.h"
#include "trace.h"
#include "watch.h"

static void drop_pages(struct gns_inode *gi)
{
	struct address_space *mapping = gi->vfs_inode.i_mapping;

	gns_fill_abort_all(gi, -ESTALE);
	unmap_mapping_pages(mapping, 0, 0, false);
	filemap_invalidate_lock(mapping);
	/* Readers that came in between found no lease: theirs end as soon. */
	gns_fill_abort_all(gi, -ESTALE);
	/* It may pass by a large folio that khugepaged puts in place of those
	 * which it has found. Nothing else comes in while the lock is held.
	 */
	if (invalidate_inode_pages2(mapping) || mapping->nrpages)
		truncate_inode_pages(mapping, 0);
	filemap_invalidate_unlock(mapping);
}

void gns_fence_drop(struct gns_inode *gi)
{
	struct gns_listing *listing = NULL;
	struct gns_session *s = gi->s;

	lockdep_assert_held(&gi->lease_mutex);
	spin_lock(&s->lock);
	gns_lease_off(gi);
	gi->paused = 0;
	spin_unlock(&s->lock);
	spin_lock(&gi->lock);
	gns_lease_new_epoch(gi);
	WRITE_ONCE(gi->version, 0);
	WRITE_ONCE(gi->attr_ok, false);
	if (S_ISDIR(gi->vfs_inode.i_mode))
		listing = gns_inode_drop_names(gi);
	else if (S_ISREG(gi->vfs_inode.i_mode))
		/* execve(2) looks at them without asking. */
		gi->vfs_inode.i_mode &= ~(S_ISUID | S_ISGID);
	spin_unlock(&gi->lock);
	gns_listing_free(listing);
	gns_lease_uncache(gi);
	if (S_ISREG(gi->vfs_inode.i_mode))
		drop_pages(gi);
}

void gns_lease_drop(struct gns_inode *gi)
{
	mutex_lock(&gi->lease_mutex);
	gns_fence_drop(gi);
	mutex_unlock(&gi->lease_mutex);
}

void gns_lease_quiesce(struct gns_sb *gsb)
{
	struct gns_session *s = gsb->s;

	spin_lock(&s->lock);
	spin_lock(&s->mapped_lock);
	gsb->closing = true;
	spin_unlock(&s->mapped_lock);
	spin_unlock(&s->lock);
	flush_workqueue(s->inst->wq);
	/* Zaps are elsewhere; one that begins now takes no inode of it. */
	mutex_lock(&s->zap_mutex);
	mutex_unlock(&s->zap_mutex);
}

/*
 * A fault that passed the gate in time may make its entry after the first
 * unmap. It does so with the folio locked, and the folio is uptodate; others
 * are locked by fills, are mapped nowhere, and are not waited for.
 */
static void unmap_late(struct address_space *mapping, struct folio *folio)
{
	folio_lock(folio);
	if (folio->mapping == mapping && folio_mapped(folio))
		unmap_mapping_pages(mapping, folio->index,
				    folio_nr_pages(folio), false);
	folio_unlock(folio);
}

/* The lock: who changes a vma takes it out, and puts it in again. */
static bool is_mapped(struct address_space *mapping)
{
	bool ret;

	i_mmap_lock_read(mapping);
	ret = mapping_mapped(mapping);
	i_mmap_unlock_read(mapping);
	return ret;
}

void gns_lease_unmap(struct gns_inode *gi)
{
	unmap_mapping_pages(gi->vfs_inode.i_mapping, 0, 0, false);
}

void gns_lease_zap(struct gns_inode *gi)
{
	struct address_space *mapping = gi->vfs_inode.i_mapping;
	struct folio_batch batch;
	pgoff_t index = 0;
	u32 i;

	/* Who maps it from now on finds the gate shut. */
	if (!is_mapped(mapping))
		return;
	unmap_mapping_pages(mapping, 0, 0, false);
	folio_batch_init(&batch);
	while (filemap_get_folios(mapping, &index, ULONG_MAX, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++)
			if (folio_test_uptodate(batch.folios[i]))
				unmap_late(mapping, batch.folios[i]);
		folio_batch_release(&batch);
		cond_resched();
	}
}

/*
 * Faults in progress: around looks at the gate in an RCU section, and maps in
 * that; others look again with the folio locked, which the zap waits for.
 */
void gns_lease_unmap_all(struct gns_inode *gi)
{
	if (!S_ISREG(gi->vfs_inode.i_mode) ||
	    !is_mapped(gi->vfs_inode.i_mapping))
		return;
	gns_lease_unmap(gi);
	synchronize_rcu_expedited();
	gns_lease_zap(gi);
}

/* As drop_pages(), of a range; to @to, exclusive. */
static void drop_range(struct gns_inode *gi, u64 from, u64 to)
{
	struct address_space *mapping = gi->vfs_inode.i_mapping;
	pgoff_t first = from >> PAGE_SHIFT, last = (to - 1) >> PAGE_SHIFT;

	gns_fill_abort_all(gi, -ESTALE);
	unmap_mapping_pages(mapping, first, last - first + 1, false);
	filemap_invalidate_lock(mapping);
	gns_fill_abort_all(gi, -ESTALE);
	if (invalidate_inode_pages2_range(mapping, first, last))
		truncate_inode_pages(mapping, 0);
	filemap_invalidate_unlock(mapping);
}

static void step_pages(struct gns_inode *gi, const struct gns_written *w,
		       u64 size)
{
	/* What was cut off must not come back when the file grows again. */
	if (size < gi->size)
		drop_range(gi, size, U64_MAX);
	if (!w->len)
		return;
	if (w->buf)
		gns_fence_write(gi, w);
	else
		drop_range(gi, w->pos, w->pos + w->len);
}

bool gns_fence_step(struct gns_inode *gi, const struct gns_uchanged *ch,
		    const struct gns_written *w)
{
	struct gns_listing *listing = NULL;

	lockdep_assert_held(&gi->lease_mutex);
	if (!gi->version || gi->version != ch->before || !ch->after ||
	    !ch->attr.ino || (ch->attr.mode ^ gi->vfs_inode.i_mode) & S_IFMT) {
		gns_fence_drop(gi);
		return false;
	}
	if (S_ISREG(gi->vfs_inode.i_mode))
		step_pages(gi, w, ch->attr.size);
	spin_lock(&gi->lock);
	/* Other names are as they were: their stamp goes on to count. */
	listing = gns_listing_take(gi);
	gns_lease_new_epoch(gi);
	WRITE_ONCE(gi->version, ch->after);
	gns_inode_set_attr(gi, &ch->attr);
	/* Pairs with gns_attr_ok(). */
	smp_store_release(&gi->attr_ok, true);
	spin_unlock(&gi->lock);
	if (listing)
		gns_watch_renew(gi);
	gns_listing_free(listing);
	return true;
}

struct release;

/** struct fence - the work on one inode, with a reference on it */
struct fence {
	struct work_struct work;
	struct gns_inode *gi;
	struct release *r;
};

/**
 * struct release - RELEASED, to be said when the last fence is through
 * @word:   in line when that is so
 * @s:      the session, a reference
 * @fh:     the object
 * @sid:    session that was revoked in
 * @upto:   grants up to it are released
 * @open:   the file is open in a mount
 * @old:    it was there before any file that is being made just now
 * @left:   fences at work, and who starts them
 * @n:      of @fences that are in use
 * @room:   of @fences that there are
 * @fences: one for each mount that has the object
 */
struct release {
	struct gns_word word;
	struct gns_session *s;
	struct gns_fh fh;
	u64 sid;
	u64 upto;
	bool open;
	bool old;
	refcount_t left;
	u32 n;
	u32 room;
	struct fence fences[];
};

static int release_fill(struct gns_word *w, struct sk_buff *skb)
{
	struct release *r = container_of(w, struct release, word);

	if (nla_put_u32(skb, GNS_A_ORIGIN, r->s->nr) ||
	    gns_put_u64(skb, GNS_A_SID, r->sid) ||
	    nla_put(skb, GNS_A_FH, r->fh.len, r->fh.b) ||
	    gns_put_u64(skb, GNS_A_UPTO, r->upto) ||
	    (r->open && r->s->inst->features & GNS_F_HOLD &&
	     nla_put_flag(skb, GNS_A_OPEN)))
		return -EMSGSIZE;
	return 0;
}

static void release_put(struct gns_word *w)
{
	struct release *r = container_of(w, struct release, word);

	gns_session_put(r->s);
	kvfree(r);
}

static void release_done(struct release *r)
{
	if (refcount_dec_and_test(&r->left))
		gns_word_post(r->s->inst, &r->word);
}

static bool held_above(struct gns_inode *gi, u64 upto)
{
	bool ret;

	spin_lock(&gi->lock);
	ret = gi->held_gen == READ_ONCE(gi->s->gen) && gi->number > upto;
	spin_unlock(&gi->lock);
	return ret;
}

static void fence_work(struct work_struct *work)
{
	struct fence *f = container_of(work, struct fence, work);
	struct gns_inode *gi = f->gi;
	struct release *r = f->r;
	u64 begun = ktime_get_ns();
	struct gns_watch *w;

	/* First, for readers hold locks that the rest of this needs. */
	gns_fill_abort_all(gi, -ESTALE);
	mutex_lock(&gi->lease_mutex);
	w = gns_watch_note(gi);
	/* A newer grant has verified or dropped it already. */
	if (!held_above(gi, r->upto))
		gns_fence_drop(gi);
	mutex_unlock(&gi->lease_mutex);
	trace_gns_fence(gi, r->upto, ktime_get_ns() - begun);
	release_done(r);
	gns_watch_look(w);
	iput(&gi->vfs_inode);
}

/* Called under s->lock. */
static void revoke_inode(struct gns_inode *gi, void *arg)
{
	struct gns_session *s = gi->s;
	struct release *r = arg;
	struct fence *f;
	bool held;

	spin_lock(&gi->lock);
	gi->revoked = gi->revoked_gen == s->gen ? max(gi->revoked, r->upto) :
						  r->upto;
	gi->revoked_gen = s->gen;
	held = gi->held_gen == s->gen && gi->number <= r->upto;
	spin_unlock(&gi->lock);
	if (held)
		gns_lease_off(gi);
	r->old |= gi->born < gns_making_first(s);
	spin_lock(&gi->lock);
	/* An open that is not seen here will see that the lease has gone. */
	if (gi->opens) {
		gi->said_open = s->gen;
		r->open = true;
	} else {
		gi->said_open = 0;
	}
	spin_unlock(&gi->lock);
	/* Without references nobody can read it, and nobody will again. */
	if (gns_isb(&gi->vfs_inode)->closing || r->n == r->room ||
	    !igrab(&gi->vfs_inode))
		return;
	gns_count(gns_isb(&gi->vfs_inode), GNS_C_REVOKES, held ? 1 : 0);
	f = &r->fences[r->n++];
	f->gi = gi;
	f->r = r;
	INIT_WORK(&f->work, fence_work);
}

/* The origin waits for the answer: not for lack of memory it is left out. */
static struct release *release_new(struct gns_session *s, u32 room, u64 sid,
				   const struct gns_fh *fh, u64 upto)
{
	struct release *r = kvzalloc(struct_size(r, fences, room),
				     GFP_KERNEL | __GFP_NOFAIL);

	INIT_LIST_HEAD(&r->word.link);
	r->word.kind = GNS_WORD_RELEASED;
	r->word.fill = release_fill;
	r->word.put = release_put;
	r->room = room;
	r->fh = *fh;
	r->sid = sid;
	r->upto = upto;
	refcount_set(&r->left, 1);
	r->s = s;
	gns_session_get(s);
	return r;
}

/*
 * Takes the leases off. 0; -ESTALE; -EAGAIN when there are more inodes of that
 * handle than @r has room for, and nothing was done.
 */
static int revoke_all(struct gns_session *s, struct release *r, u32 *room)
{
	int err = 0;

	spin_lock(&s->lock);
	*room = gns_lease_for_each(s, &r->fh, NULL, NULL);
	if (!r->sid || r->sid != s->sid) {
		err = -ESTALE;
	} else if (*room > r->room) {
		err = -EAGAIN;
	} else {
		/* An inode made from now on learns of it here, or from the
		 * inode of another mount: see gns_lease_hash().
		 */
		if (!*room)
			gns_session_note_revoked(s, &r->fh, r->upto);
		gns_lease_for_each(s, &r->fh, revoke_inode, r);
		if (!r->open && !r->old)
			r->open = gns_making_asked(s, &r->fh, r->upto);
	}
	spin_unlock(&s->lock);
	return err;
}

int gns_lease_revoke(struct gns_session *s, u64 sid, const struct gns_fh *fh,
		     u64 upto)
{
	struct release *r;
	u32 room = 1, i;
	int err;

	do {
		r = release_new(s, room, sid, fh, upto);
		err = revoke_all(s, r, &room);
		if (err)
			release_put(&r->word);
	} while (err == -EAGAIN);
	if (err)
		return err;
	trace_gns_revoke(s->nr, fh, upto, r->n);
	refcount_set(&r->left, r->n + 1);
	for (i = 0; i < r->n; i++)
		queue_work(s->inst->wq, &r->fences[i].work);
	release_done(r);
	return 0;
}

void gns_lease_released(struct gns_session *s, u64 sid,
			const struct gns_fh *fh, u64 upto)
{
	release_done(release_new(s, 0, sid, fh, upto));
}
