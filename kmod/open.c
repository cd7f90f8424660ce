// SPDX-License-Identifier: GPL-2.0
/*
 * Open files live on without a name.
 *
 * The origin keeps a file that has lost its last name as long as a session
 * says that it is open there. A session is asked that by REVOKE, which the
 * origin sends it as long as it has a lease there; and it says so itself with
 * the change that takes the name away. So an open counts first, and then makes
 * sure that the origin has a lease of this session, or gives it one: either
 * who asks sees the count, or who opens sees that the lease has gone.
 *
 * Lock order: session->lock > gi->lock > session->opened_lock.
 */
#include <linux/sched/signal.h>
#include "fence.h"
#include "file.h"
#include "instance.h"
#include "slot.h"

/*
 * One that was open stays in the list when it is closed: the next open does
 * not have to come by a lock that all others come by. It goes when its turn to
 * be asked for comes and it is not open then, or with its inode.
 */
static void list_remove(struct gns_sb *gsb, struct gns_inode *gi)
{
	lockdep_assert_held(&gsb->s->opened_lock);
	list_del_init(&gi->opened);
	if (list_empty(&gsb->opened))
		list_del_init(&gsb->by_opened);
}

bool gns_open_closed(struct gns_inode *gi)
{
	bool closed;

	/* The locks' order is the other one; somebody is busy with it then. */
	if (!spin_trylock(&gi->lock))
		return false;
	closed = !gi->opens;
	if (closed)
		list_remove(gns_isb(&gi->vfs_inode), gi);
	spin_unlock(&gi->lock);
	return closed;
}

void gns_open_forget(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;

	/* Always by the lock: who has just found it closed may be at it still. */
	spin_lock(&s->opened_lock);
	if (!list_empty(&gi->opened))
		list_remove(gns_isb(&gi->vfs_inode), gi);
	spin_unlock(&s->opened_lock);
}

/* Counts from here on. True: there is a lease, and no change is under way. */
bool gns_open_count(struct gns_inode *gi)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	struct gns_session *s = gi->s;
	bool live;

	spin_lock(&gi->lock);
	if (!gi->opens++ && list_empty(&gi->opened)) {
		spin_lock(&s->opened_lock);
		gi->regained = READ_ONCE(s->gen);
		if (list_empty(&gsb->opened))
			list_add_tail(&gsb->by_opened, &s->opened);
		list_add_tail(&gi->opened, &gsb->opened);
		spin_unlock(&s->opened_lock);
	}
	live = gns_lease_ok(gi);
	spin_unlock(&gi->lock);
	return live;
}

static bool is_live(struct gns_inode *gi)
{
	bool live;

	spin_lock(&gi->lock);
	live = gns_lease_ok(gi);
	spin_unlock(&gi->lock);
	return live;
}

static bool is_leaving(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;
	bool ret;

	spin_lock(&s->lock);
	ret = gns_slots_remove(s, &gi->fh);
	spin_unlock(&s->lock);
	return ret;
}

/* A change made here may take its last name, and has not said that it is open. */
static int wait_leaving(struct gns_inode *gi)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	long left = wait_event_killable_timeout(gi->s->wait,
						!is_leaving(gi) ||
							READ_ONCE(gsb->dead),
						gns_patience(gsb));

	return gns_waited(left);
}

/*
 * The origin has a lease of this session that was given after the open counted:
 * it does not matter whether anything may be cached under it.
 */
static int get_lease(struct gns_inode *gi, const struct cred *cred)
{
	static const u32 wants[] = { GNS_UWANT_LEASE,
				     GNS_UWANT_LEASE | GNS_UWANT_TURN };
	struct gns_answer ans;
	u32 i;
	int err;

	for (i = 0; i < ARRAY_SIZE(wants); i++) {
		err = gns_lease_get(gi, wants[i], cred, &ans);
		if (err)
			return err;
		if (is_live(gi) || (ans.grant.number && ans.sid &&
				    ans.sid == READ_ONCE(gi->s->sid)))
			return 0;
	}
	/* There are too many leases: it is as long as it has a name. */
	return 0;
}

int gns_open_counted(struct gns_inode *gi, const struct cred *cred, bool live)
{
	int err;

	if (live || !(READ_ONCE(gi->s->inst->features) & GNS_F_HOLD))
		return 0;
	err = wait_leaving(gi);
	if (!err && !is_live(gi))
		err = get_lease(gi, cred);
	if (err)
		gns_open_end(gi);
	return err;
}

int gns_open_begin(struct gns_inode *gi, const struct cred *cred)
{
	return gns_open_counted(gi, cred, gns_open_count(gi));
}

void gns_open_end(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;
	bool say = false;
	u64 sid, upto;

	spin_lock(&gi->lock);
	/* A lease that it has says more than what was said before. */
	if (!--gi->opens)
		say = !gi->vfs_inode.i_nlink ||
		      (gi->said_open == READ_ONCE(s->gen) &&
		       gi->held_gen != gi->said_open);
	spin_unlock(&gi->lock);
	if (!say || !(READ_ONCE(s->inst->features) & GNS_F_HOLD))
		return;
	spin_lock(&s->lock);
	sid = s->sid;
	upto = s->newest;
	spin_unlock(&s->lock);
	/* As if the origin had asked. If it gets lost, the origin will ask. */
	gns_lease_revoke(s, sid, &gi->fh, upto);
}

void gns_open_again(struct gns_session *s)
{
	struct gns_sb *gsb;

	spin_lock(&s->opened_lock);
	/* What is closed stays in the list until after its mount has gone. */
	list_for_each_entry(gsb, &s->opened, by_opened)
		if (!READ_ONCE(gsb->dead))
			queue_work(system_unbound_wq, &gsb->regain);
	spin_unlock(&s->opened_lock);
}
