// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that are ended together: those of a mount that is given up, and those
 * that depend on a session which is lost; see call.h.
 */
#include "gns.h"
#include "session.h"

bool gns_call_is_lost(const struct gns_call *c)
{
	return c->guard && c->guard != READ_ONCE(c->s->gen);
}

static void end_claimed(struct gns_call **claimed, u32 n, int err)
{
	u32 i;

	for (i = 0; i < n; i++) {
		gns_call_end(claimed[i], err);
		gns_call_put(claimed[i]);
	}
}

/* Those that nobody ends yet, with references. */
static u32 claim_some(struct gns_sb *gsb, struct gns_call **claimed, u32 room)
{
	struct gns_call *c;
	u32 n = 0;

	spin_lock(&gsb->calls_lock);
	list_for_each_entry(c, &gsb->calls, by_sb) {
		if (n == room)
			break;
		if (test_and_set_bit(GNS_CALL_CLAIMED, &c->state))
			continue;
		gns_call_get(c);
		claimed[n++] = c;
	}
	spin_unlock(&gsb->calls_lock);
	return n;
}

void gns_call_abort_all(struct gns_sb *gsb, int err)
{
	struct gns_call *claimed[32];
	u32 n;

	while ((n = claim_some(gsb, claimed, ARRAY_SIZE(claimed)))) {
		end_claimed(claimed, n, err);
		cond_resched();
	}
}

static u32 claim_lost(struct gns_session *s, struct gns_call **claimed, u32 room)
{
	struct gns_instance *inst = s->inst;
	struct gns_call *c;
	unsigned long id;
	u32 n = 0;

	spin_lock_bh(&inst->lock);
	xa_for_each(&inst->calls, id, c) {
		if (n == room)
			break;
		if (c->s != s || !gns_call_is_lost(c) ||
		    test_and_set_bit(GNS_CALL_CLAIMED, &c->state))
			continue;
		gns_call_get(c);
		claimed[n++] = c;
	}
	spin_unlock_bh(&inst->lock);
	return n;
}

void gns_call_abort_lost(struct gns_session *s)
{
	struct gns_call *claimed[32];
	u32 n;

	while ((n = claim_lost(s, claimed, ARRAY_SIZE(claimed)))) {
		end_claimed(claimed, n, -EIO);
		cond_resched();
	}
}
