// SPDX-License-Identifier: GPL-2.0
/*
 * Grants: how a lease becomes live, and which answers count; see lease.h.
 */
#include <linux/jhash.h>
#include <linux/pagemap.h>
#include <linux/rhashtable.h>
#include "fence.h"
#include "fill.h"
#include "size.h"
#include "slot.h"
#include "trace.h"
#include "watch.h"

static u32 fh_hash(const void *data, u32 len, u32 seed)
{
	const struct gns_fh *fh = data;

	return jhash(fh->b, fh->len, seed);
}

static u32 inode_hash(const void *data, u32 len, u32 seed)
{
	const struct gns_inode *gi = data;

	return fh_hash(&gi->fh, len, seed);
}

static int inode_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct gns_inode *gi = obj;

	return !gns_fh_eq(arg->key, &gi->fh);
}

static const struct rhashtable_params by_fh = {
	.key_len = sizeof(struct gns_fh),
	.key_offset = offsetof(struct gns_inode, fh),
	.head_offset = offsetof(struct gns_inode, by_fh),
	.hashfn = fh_hash,
	.obj_hashfn = inode_hash,
	.obj_cmpfn = inode_cmp,
	.automatic_shrinking = true,
};

int gns_lease_table_init(struct gns_session *s)
{
	return rhltable_init(&s->inodes, &by_fh);
}

void gns_lease_table_destroy(struct gns_session *s)
{
	rhltable_destroy(&s->inodes);
}

struct learned {
	u64 gen;
	u64 revoked;
};

static void learn(struct gns_inode *gi, void *arg)
{
	struct learned *l = arg;

	if (gi->revoked_gen == l->gen)
		l->revoked = max(l->revoked, gi->revoked);
}

int gns_lease_hash(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;
	struct learned l = {};
	int err;

	/* Before a REVOKE can find it. What is about to make it has begun. */
	gi->born = READ_ONCE(s->makes);
	err = rhltable_insert(&s->inodes, &gi->by_fh, by_fh);
	gi->hashed = !err;
	if (err)
		return err;
	/* What was revoked of the same object in another mount. */
	spin_lock(&s->lock);
	l.gen = s->gen;
	gns_lease_for_each(s, &gi->fh, learn, &l);
	gi->revoked = l.revoked;
	gi->revoked_gen = l.gen;
	gi->own_seq = gns_slots_owned(s, &gi->fh);
	spin_unlock(&s->lock);
	return 0;
}

void gns_lease_init(struct gns_inode *gi, struct gns_session *s)
{
	gi->s = s;
	gi->hashed = false;
	gi->held_gen = 0;
	gi->epoch = atomic64_inc_return(&s->epochs);
	gi->number = 0;
	gi->version = 0;
	gi->attr_ok = false;
	gi->revoked = 0;
	gi->revoked_gen = 0;
	gi->own_seq = 0;
	gi->paused = 0;
	gi->own_pass = 0;
	gi->zap_pass = 0;
	gi->size = 0;
	INIT_LIST_HEAD(&gi->sized);
	gi->in_batch = false;
	gi->opens = 0;
	gi->said_open = 0;
	gi->regained = 0;
	INIT_LIST_HEAD(&gi->opened);
	spin_lock_init(&gi->lock);
	mutex_init(&gi->lease_mutex);
	mutex_init(&gi->ask);
	INIT_LIST_HEAD(&gi->fills);
	INIT_LIST_HEAD(&gi->cached);
	INIT_LIST_HEAD(&gi->mapped);
}

/*
 * What was revoked has to stay known for answers that are still on their way:
 * the next inode of this handle begins without a memory.
 */
void gns_lease_unhash(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;

	if (!gi->hashed)
		return;
	gi->hashed = false;
	spin_lock(&s->lock);
	rhltable_remove(&s->inodes, &gi->by_fh, by_fh);
	if (gi->revoked_gen == s->gen && gi->revoked)
		gns_session_note_revoked(s, &gi->fh, gi->revoked);
	gns_lease_off(gi);
	spin_unlock(&s->lock);
	gns_lease_uncache(gi);
	gns_size_hide(gi);
	spin_lock(&s->mapped_lock);
	list_del_init(&gi->mapped);
	spin_unlock(&s->mapped_lock);
}

u32 gns_lease_for_each(struct gns_session *s, const struct gns_fh *fh,
		       void (*fn)(struct gns_inode *gi, void *arg), void *arg)
{
	struct rhlist_head *list, *pos;
	struct gns_inode *gi;
	u32 n = 0;

	lockdep_assert_held(&s->lock);
	rcu_read_lock();
	list = rhltable_lookup(&s->inodes, fh, by_fh);
	rhl_for_each_entry_rcu(gi, pos, list, by_fh) {
		if (fn)
			fn(gi, arg);
		n++;
	}
	rcu_read_unlock();
	return n;
}

void gns_lease_new_epoch(struct gns_inode *gi)
{
	/* Before anything of it changes: see gns_lease_same(). */
	WRITE_ONCE(gi->epoch, atomic64_inc_return(&gi->s->epochs));
	smp_wmb(); /* pairs with gns_lease_enter() and gns_lease_same() */
}

void gns_lease_off(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;

	lockdep_assert_held(&s->lock);
	spin_lock(&gi->lock);
	if (gi->held_gen) {
		if (gi->held_gen == s->gen)
			s->nheld--;
		WRITE_ONCE(gi->held_gen, 0);
		gns_size_hide(gi);
		gns_lease_new_epoch(gi);
	}
	spin_unlock(&gi->lock);
}

static void cache_add(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;

	if (!list_empty(&gi->cached))
		return;
	spin_lock(&s->cached_lock);
	list_add_tail(&gi->cached, &s->cached);
	s->ncached++;
	spin_unlock(&s->cached_lock);
}

void gns_lease_uncache(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;

	spin_lock(&s->cached_lock);
	if (!list_empty(&gi->cached)) {
		list_del_init(&gi->cached);
		s->ncached--;
	}
	spin_unlock(&s->cached_lock);
}

/* gi->lock held; nothing of another version is cached any more. */
static void take_attr(struct gns_inode *gi, const struct gns_uattr *attr)
{
	if (gi->attr_ok || !attr)
		return;
	gns_inode_set_attr(gi, attr);
	/* Pairs with gns_attr_ok(). */
	smp_store_release(&gi->attr_ok, true);
}

/* s->lock and gi->lock held. May the grant be used at all? */
static bool counts(const struct gns_inode *gi, u64 sid,
		   const struct gns_grant *g)
{
	const struct gns_session *s = gi->s;

	if (!g->number || !g->version || !sid || sid != s->sid)
		return false;
	if (gi->revoked_gen == s->gen && g->number <= gi->revoked)
		return false;
	if (g->number <= gns_session_revoked_upto(s, &gi->fh))
		return false;
	/* It may show the state before a change that was made here. */
	if (g->asked < gi->own_seq || gns_slots_touch(s, &gi->fh))
		return false;
	/* An older answer than the one that is in use. */
	return gi->held_gen != s->gen || g->number >= gi->number;
}

enum taken {
	TAKEN,
	REFUSED,
	OTHER_VERSION,
};

/* lease_mutex held. */
static enum taken take(struct gns_inode *gi, u64 sid, const struct gns_grant *g,
		       const struct gns_uattr *attr)
{
	struct gns_session *s = gi->s;
	enum taken ret = REFUSED;

	spin_lock(&s->lock);
	if (sid && sid == s->sid)
		s->newest = max(s->newest, g->number);
	spin_lock(&gi->lock);
	if (counts(gi, sid, g))
		ret = !gi->version || gi->version == g->version ?
			      TAKEN :
			      OTHER_VERSION;
	if (ret == TAKEN) {
		if (gi->held_gen != s->gen) {
			gns_lease_new_epoch(gi);
			s->nheld++;
		}
		WRITE_ONCE(gi->version, g->version);
		take_attr(gi, attr);
		gi->number = g->number;
		gi->said_open = 0;
		cache_add(gi);
		/* Whoever sees the lease sees what it covers. */
		smp_wmb();
		WRITE_ONCE(gi->held_gen, s->gen);
		gns_size_show(gi);
	}
	spin_unlock(&gi->lock);
	spin_unlock(&s->lock);
	return ret;
}

bool gns_lease_grant(struct gns_inode *gi, u64 sid, const struct gns_grant *g,
		     const struct gns_uattr *attr)
{
	struct gns_watch *w = NULL;
	enum taken ret;

	if (!g->number)
		return false;
	/* Of another kind of object, or none at all: as a size, zero is EOF. */
	if (attr && (attr->mode ^ gi->vfs_inode.i_mode) & S_IFMT)
		return false;
	mutex_lock(&gi->lease_mutex);
	/* The second time there is nothing left to drop: no grant is taken
	 * but under the mutex.
	 */
	ret = take(gi, sid, g, attr);
	if (ret == OTHER_VERSION) {
		w = gns_watch_note(gi);
		gns_fence_drop(gi);
		ret = take(gi, sid, g, attr);
	}
	mutex_unlock(&gi->lease_mutex);
	gns_watch_look(w);
	if (ret != TAKEN)
		return false;
	gns_count(gns_isb(&gi->vfs_inode), GNS_C_GRANTS, 1);
	trace_gns_grant(gi, g->version, g->number);
	return true;
}

void gns_lease_learn(struct gns_inode *gi, const struct gns_uchanged *e)
{
	mutex_lock(&gi->lease_mutex);
	spin_lock(&gi->lock);
	if (!gi->version && e->after) {
		gns_lease_new_epoch(gi);
		WRITE_ONCE(gi->version, e->after);
		take_attr(gi, &e->attr);
		cache_add(gi);
	}
	spin_unlock(&gi->lock);
	mutex_unlock(&gi->lease_mutex);
}

bool gns_lease_shows(const struct gns_inode *gi, u64 epoch,
		     const struct gns_grant *g)
{
	return epoch && g->version && READ_ONCE(gi->epoch) == epoch &&
	       READ_ONCE(gi->version) == g->version && gns_lease_ok(gi);
}

void gns_lease_mapped(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;

	spin_lock(&s->mapped_lock);
	if (list_empty(&gi->mapped))
		list_add_tail(&gi->mapped, &s->mapped);
	spin_unlock(&s->mapped_lock);
}
