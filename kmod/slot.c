// SPDX-License-Identifier: GPL-2.0
/*
 * Slots of changes; see slot.h and change.h.
 */
#include <linux/sched/signal.h>
#include "change.h"
#include "fence.h"
#include "lock.h"
#include "size.h"
#include "slot.h"

static bool among(const struct gns_fh *fh, const struct gns_fh *list, u32 n)
{
	while (n--)
		if (gns_fh_eq(fh, &list[n]))
			return true;
	return false;
}

static bool slot_touches(const struct gns_slot *sl, const struct gns_fh *fh)
{
	return (sl->busy && among(fh, sl->fh, sl->n)) ||
	       (sl->orphan && among(fh, sl->lost, sl->nlost));
}

bool gns_slots_touch(const struct gns_session *s, const struct gns_fh *fh)
{
	u32 i, left = s->nbusy;

	lockdep_assert_held(&s->lock);
	for (i = 0; left && i < GNS_USLOTS_MAX; i++) {
		if (!s->slot[i].busy && !s->slot[i].orphan)
			continue;
		if (slot_touches(&s->slot[i], fh))
			return true;
		left--;
	}
	return false;
}

bool gns_slots_remove(const struct gns_session *s, const struct gns_fh *fh)
{
	u32 i;

	lockdep_assert_held(&s->lock);
	for (i = 0; s->nbusy && i < GNS_USLOTS_MAX; i++)
		if (s->slot[i].busy && gns_fh_eq(&s->slot[i].removes, fh))
			return true;
	return false;
}

u64 gns_slots_owned(const struct gns_session *s, const struct gns_fh *fh)
{
	u64 n = min_t(u64, s->nowned, GNS_OWNED_MAX), i, seq = s->own_floor;

	lockdep_assert_held(&s->lock);
	for (i = 0; i < n; i++)
		if (gns_fh_eq(&s->owned[i].fh, fh))
			seq = max(seq, s->owned[i].seq);
	return seq;
}

/* s->lock held. For inodes that are made from answers on their way. */
static void note_owned(struct gns_session *s, const struct gns_fh *fh)
{
	struct gns_owned *o = &s->owned[s->nowned % GNS_OWNED_MAX];

	if (s->nowned++ >= GNS_OWNED_MAX)
		s->own_floor = max(s->own_floor, o->seq);
	o->fh = *fh;
	o->seq = s->own_seq;
}

static void own_step(struct gns_inode *gi, void *arg)
{
	gi->own_seq = gi->s->own_seq;
}

/* s->lock held. */
static void own_begin(struct gns_inode *gi, void *arg)
{
	struct gns_session *s = gi->s;

	gi->own_seq = s->own_seq;
	if (gi->held_gen != s->gen)
		return;
	gi->paused = s->gen;
	gns_lease_off(gi);
}

static void count_open(struct gns_inode *gi, void *arg)
{
	bool *open = arg;

	spin_lock(&gi->lock);
	*open |= gi->opens;
	spin_unlock(&gi->lock);
}

/*
 * s->lock held, its leases are off: an open that is not seen here will see
 * this change under way.
 */
static void say_open(struct gns_change *ch, struct gns_slot *sl)
{
	struct gns_session *s = ch->c.s;
	bool open = false;

	sl->removes.len = 0;
	if (!ch->victim || !(READ_ONCE(s->inst->features) & GNS_F_HOLD))
		return;
	ch->c.req.victim = &ch->victim->fh;
	gns_lease_for_each(s, &ch->victim->fh, count_open, &open);
	if (!open)
		sl->removes = ch->victim->fh;
	else if (ch->c.req.type == GNS_CALL_UNLINK)
		ch->c.req.flags |= GNS_UU_OPEN;
	else
		ch->c.req.flags |= GNS_UR_OPEN;
}

struct search {
	struct gns_change *ch;
	struct gns_inode *found;
	u64 pass;
};

static bool is_mine(const struct gns_change *ch, const struct gns_inode *gi)
{
	u32 i;

	for (i = 0; i < ch->ngi; i++)
		if (ch->gi[i] == gi)
			return true;
	return false;
}

static void look(struct gns_inode *gi, void *arg)
{
	struct search *x = arg;

	if (x->found || gi->own_pass == x->pass || is_mine(x->ch, gi))
		return;
	gi->own_pass = x->pass;
	if (!gns_isb(&gi->vfs_inode)->closing && igrab(&gi->vfs_inode))
		x->found = gi;
}

static struct gns_inode *next_other(struct gns_change *ch,
				    const struct gns_fh *fh, u64 pass)
{
	struct search x = { .ch = ch, .pass = pass };

	spin_lock(&ch->c.s->lock);
	gns_lease_for_each(ch->c.s, fh, look, &x);
	spin_unlock(&ch->c.s->lock);
	return x.found;
}

void gns_slot_each_other(struct gns_change *ch, const struct gns_fh *fh,
			 void (*fn)(struct gns_inode *gi))
{
	u64 pass = atomic64_inc_return(&ch->c.s->epochs);
	struct gns_inode *gi;

	while ((gi = next_other(ch, fh, pass))) {
		fn(gi);
		iput(&gi->vfs_inode);
	}
}

/* An orphan first: the change that is answered in it ends what it holds up. */
static struct gns_slot *free_slot(struct gns_session *s)
{
	struct gns_slot *sl, *best = NULL;
	u32 i;

	for (i = 0; i < s->slots; i++) {
		sl = &s->slot[i];
		if (!sl->busy && (!best || (sl->orphan && !best->orphan)))
			best = sl;
	}
	return best;
}

static bool take(struct gns_change *ch)
{
	struct gns_session *s = ch->c.s;
	struct gns_slot *sl;
	u32 i;

	spin_lock(&s->lock);
	sl = gns_call_is_lost(&ch->c) ? NULL : free_slot(s);
	if (sl) {
		if (!sl->orphan)
			s->nbusy++;
		sl->busy = true;
		sl->seq = atomic64_inc_return(&s->inst->seqs);
		s->had_slots = true;
		WRITE_ONCE(s->own_seq, s->own_seq + 1);
		sl->n = 0;
		for (i = 0; i < ch->ngi; i++) {
			sl->fh[sl->n++] = ch->gi[i]->fh;
			gns_lease_for_each(s, &ch->gi[i]->fh, own_begin, NULL);
		}
		say_open(ch, sl);
		ch->slot = sl - s->slot;
		ch->incarnation = s->incarnation;
		ch->c.req.slot = ch->slot;
		ch->c.req.seq = sl->seq;
	}
	spin_unlock(&s->lock);
	return sl;
}

static int wait_slot(struct gns_change *ch, bool nowait)
{
	struct gns_sb *gsb = ch->c.gsb;
	bool taken = false;
	long left;

	if (READ_ONCE(gsb->dead))
		return -EIO;
	if (nowait)
		return take(ch) ? 0 : -EAGAIN;
	left = wait_event_killable_timeout(ch->c.s->wait,
					   READ_ONCE(gsb->dead) ||
						   (taken = take(ch)) ||
						   gns_call_is_lost(&ch->c),
					   gns_patience(gsb));
	if (taken)
		return 0;
	return gns_waited(left) ?: -EIO;
}

int gns_slot_take(struct gns_change *ch, bool nowait)
{
	int err = wait_slot(ch, nowait);
	u32 i;

	if (err)
		return err;
	for (i = 0; i < ch->ngi; i++) {
		gns_lease_unmap_all(ch->gi[i]);
		gns_slot_each_other(ch, &ch->gi[i]->fh, gns_lease_unmap_all);
	}
	return 0;
}

/*
 * s->lock held. The lease that a change suspended: has it been held all the
 * time, and is what is cached that which the origin has?
 */
static void reopen(struct gns_change *ch, struct gns_inode *gi)
{
	struct gns_session *s = gi->s;
	u64 after = gns_change_after(ch, gi);

	if (gns_slots_touch(s, &gi->fh))
		return;
	spin_lock(&gi->lock);
	if (gi->paused == s->gen && after && gi->version == after &&
	    gi->held_gen != s->gen &&
	    !(gi->revoked_gen == s->gen && gi->number <= gi->revoked)) {
		gns_lease_new_epoch(gi);
		s->nheld++;
		/* Whoever sees the lease sees what it covers. */
		smp_wmb();
		WRITE_ONCE(gi->held_gen, s->gen);
		gns_size_show(gi);
	}
	gi->paused = 0;
	spin_unlock(&gi->lock);
}

/*
 * s->lock held. The change may run yet. Where that was so before, both may: a
 * slot that can not remember them all is not used again.
 */
static void give_up(struct gns_slot *sl)
{
	u32 i;

	if (sl->nlost + sl->n > GNS_LOST_MAX) {
		pr_warn_once("gns: many changes were given up unanswered; mount the origin anew\n");
		return;
	}
	for (i = 0; i < sl->n; i++)
		sl->lost[sl->nlost++] = sl->fh[i];
	sl->orphan = true;
	sl->busy = false;
}

/* s->lock held. */
static void own_end(struct gns_session *s, const struct gns_fh *fh)
{
	gns_lease_for_each(s, fh, own_step, NULL);
	note_owned(s, fh);
}

void gns_slot_give(struct gns_change *ch, enum gns_slot_end how)
{
	struct gns_session *s = ch->c.s;
	struct gns_slot *sl = &s->slot[ch->slot];
	u32 i;

	spin_lock(&s->lock);
	WRITE_ONCE(s->own_seq, s->own_seq + 1);
	for (i = 0; i < sl->n; i++)
		own_end(s, &sl->fh[i]);
	/* Some nobody has expected; the lease on what was made is in the answer. */
	for (i = 0; i < ch->nchanged; i++)
		if (!gns_fh_eq(&ch->changed[i].fh, &ch->c.ans.fh))
			own_end(s, &ch->changed[i].fh);
	if (how == GNS_SLOT_UNKNOWN) {
		give_up(sl);
	} else {
		sl->busy = false;
		if (how == GNS_SLOT_ANSWERED) {
			sl->orphan = false;
			sl->nlost = 0;
		}
		if (!sl->orphan)
			s->nbusy--;
	}
	for (i = 0; i < ch->ngi; i++)
		reopen(ch, ch->gi[i]);
	spin_unlock(&s->lock);
	wake_up_all(&s->wait);
	gns_unlocks_go(s);
}
