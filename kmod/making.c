// SPDX-License-Identifier: GPL-2.0
/*
 * Files that are made to be opened, and what the origin was told of them; see
 * making.h.
 */
#include "fence.h"
#include "file.h"
#include "making.h"

void gns_making_begin(struct gns_making *m, struct gns_session *s)
{
	m->s = s;
	spin_lock(&s->lock);
	m->nr = s->makes + 1;
	WRITE_ONCE(s->makes, m->nr);
	list_add_tail(&m->link, &s->making);
	spin_unlock(&s->lock);
}

u64 gns_making_first(struct gns_session *s)
{
	struct gns_making *m;

	lockdep_assert_held(&s->lock);
	m = list_first_entry_or_null(&s->making, struct gns_making, link);
	return m ? m->nr : U64_MAX;
}

static struct gns_maybe *maybe_of(struct gns_session *s,
				  const struct gns_fh *fh)
{
	u32 i;

	for (i = 0; i < s->nmaybe; i++)
		if (gns_fh_eq(&s->maybe[i].fh, fh))
			return &s->maybe[i];
	return NULL;
}

static void forget(struct gns_session *s, struct gns_maybe *x)
{
	*x = s->maybe[--s->nmaybe];
}

bool gns_making_asked(struct gns_session *s, const struct gns_fh *fh, u64 upto)
{
	struct gns_maybe *x = maybe_of(s, fh);

	lockdep_assert_held(&s->lock);
	if (list_empty(&s->making))
		return false;
	if (!x && s->nmaybe == GNS_MAYBE_MAX)
		return false;
	if (!x)
		x = &s->maybe[s->nmaybe++];
	x->fh = *fh;
	x->upto = upto;
	x->nr = s->makes;
	return true;
}

int gns_making_open(struct gns_making *m, struct gns_inode *gi,
		    const struct cred *cred)
{
	struct gns_session *s = m->s;
	struct gns_maybe *x;
	bool live;

	spin_lock(&s->lock);
	live = gns_open_count(gi);
	x = maybe_of(s, &gi->fh);
	if (x) {
		spin_lock(&gi->lock);
		gi->said_open = s->gen;
		spin_unlock(&gi->lock);
		forget(s, x);
	}
	spin_unlock(&s->lock);
	return gns_open_counted(gi, cred, live);
}

/* One that none of those under way can make: take it out. */
static bool decided(struct gns_session *s, struct gns_maybe *x, u64 *sid)
{
	u64 first;
	u32 i;

	spin_lock(&s->lock);
	first = gns_making_first(s);
	for (i = 0; i < s->nmaybe && s->maybe[i].nr >= first; i++)
		;
	if (i == s->nmaybe) {
		spin_unlock(&s->lock);
		return false;
	}
	*x = s->maybe[i];
	*sid = s->sid;
	forget(s, &s->maybe[i]);
	spin_unlock(&s->lock);
	return true;
}

void gns_making_end(struct gns_making *m)
{
	struct gns_session *s = m->s;
	struct gns_maybe x;
	u64 sid;

	spin_lock(&s->lock);
	list_del(&m->link);
	spin_unlock(&s->lock);
	while (decided(s, &x, &sid))
		gns_lease_released(s, sid, &x.fh, x.upto);
}
