// SPDX-License-Identifier: GPL-2.0
/*
 * Unlocks of mounts that are given up. Such a mount can not ask any more, and
 * its session may live on by another one: the helper is told what to unlock,
 * and nobody waits for it.
 *
 * Changes that were given up with the mount may run yet. What they may change
 * is not unlocked before it is known that they have run, or never will: by the
 * slots. Until then it waits in session->unlocks.
 */
#include <linux/slab.h>
#include "lock.h"
#include "slot.h"

/**
 * struct unlock - one of them
 * @word: in s->unlocks, then in the helper's line
 * @s:    the session; a reference from when it is in the line
 * @sid:  it was locked in
 * @fh:   the file
 * @lk:   what is to be unlocked
 */
struct unlock {
	struct gns_word word;
	struct gns_session *s;
	u64 sid;
	struct gns_fh fh;
	struct gns_ulock lk;
};

/* Its number is as new as can be: it is not asked again if it comes late. */
static int unlock_fill(struct gns_word *w, struct sk_buff *skb)
{
	struct unlock *u = container_of(w, struct unlock, word);

	u->lk.seq = atomic64_inc_return(&u->s->lock_seq);
	if (nla_put_u32(skb, GNS_A_ORIGIN, u->s->nr) ||
	    gns_put_u64(skb, GNS_A_SID, u->sid) ||
	    nla_put(skb, GNS_A_FH, u->fh.len, u->fh.b) ||
	    nla_put(skb, GNS_A_LOCK, sizeof(u->lk), &u->lk))
		return -EMSGSIZE;
	return 0;
}

static void unlock_put(struct gns_word *w)
{
	struct unlock *u = container_of(w, struct unlock, word);

	gns_session_put(u->s);
	kfree(u);
}

/* One that nothing holds up, out of s->unlocks. With its session it is over. */
static struct unlock *next(struct gns_session *s, bool *over)
{
	struct unlock *u, *found = NULL;

	spin_lock(&s->lock);
	list_for_each_entry(u, &s->unlocks, word.link) {
		*over = u->sid != s->sid;
		if (!*over && gns_slots_touch(s, &u->fh))
			continue;
		list_del_init(&u->word.link);
		found = u;
		break;
	}
	spin_unlock(&s->lock);
	return found;
}

void gns_unlocks_go(struct gns_session *s)
{
	struct unlock *u;
	bool over;

	if (list_empty_careful(&s->unlocks))
		return;
	while ((u = next(s, &over))) {
		if (over) {
			kfree(u);
			continue;
		}
		gns_session_get(s);
		gns_word_post(s->inst, &u->word);
	}
}

void gns_unlock_given_up(struct gns_session *s, const struct gns_fh *fh,
			 const struct gns_ulock *lk)
{
	struct unlock *u = kzalloc(sizeof(*u), GFP_KERNEL | __GFP_NOFAIL);

	u->word.kind = GNS_WORD_UNLOCK;
	u->word.fill = unlock_fill;
	u->word.put = unlock_put;
	u->s = s;
	u->fh = *fh;
	u->lk = *lk;
	u->lk.op = GNS_ULK_UNLOCK;
	u->lk.how = GNS_ULH_TRY;
	spin_lock(&s->lock);
	u->sid = s->sid;
	list_add_tail(&u->word.link, &s->unlocks);
	spin_unlock(&s->lock);
	gns_unlocks_go(s);
}

void gns_unlocks_drop(struct gns_session *s)
{
	struct unlock *u, *tmp;

	list_for_each_entry_safe(u, tmp, &s->unlocks, word.link)
		kfree(u);
}
