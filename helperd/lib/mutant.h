/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mutants: one broken rule each, for the simulator to catch.
 *
 * A rule of the lease protocol that no test misses when it is broken is not
 * tested. Builds for users define GNS_MUTANT() to nothing; the simulator's
 * build chooses one rule to break by gns_mutant.
 */
#ifndef GNS_LIB_MUTANT_H
#define GNS_LIB_MUTANT_H

enum gns_mutant_rule {
	GNS_MUT_NONE,
	GNS_MUT_TIMER_FROM_RECEIPT, /* lease counted from the answer's arrival */
	GNS_MUT_ONE_STAMP_TWO_SENDS, /* newest stamp used for any answer */
	GNS_MUT_ACK_BEFORE_RELEASED, /* applied without waiting for holders */
	GNS_MUT_GRANT_NUMBER_IGNORED, /* revoked grants accepted when late */
	GNS_MUT_NO_MARK, /* version after the apply only */
	GNS_MUT_NO_GRACE, /* changes applied right after a restart */
	GNS_MUT_STALE_SLOT, /* older copies of a slot run */
	GNS_MUT_PASSTHROUGH_JOINED, /* uncached read shared by two readers */
	GNS_MUT_RENEW_DEFEATS_REVOKE, /* renewals go on under a REVOKE */
	GNS_MUT_GRANT_DURING_CHANGE, /* lease given while a change waits */
	GNS_MUT_RELEASED_IGNORES_N, /* an old RELEASED frees a newer grant */
	GNS_MUT_NO_EPOCH, /* fills of an older epoch accepted */
	GNS_MUT_DEAD_CHANGE_RUNS, /* queued changes of dead sessions run */
	GNS_MUT_HELLO_UNFENCED, /* HELLO replaces a session without a fence */
	GNS_MUT_EXPIRY_IGNORED, /* the kernel trusts the helper, not its clock */
	GNS_MUT_REOPEN_ANY_VERSION, /* suspended bytes re-opened unseen */
	GNS_MUT_OWN_LEASE_OPEN, /* writer reads its cache during its change */
	GNS_MUT_BEFORE_IGNORED, /* "version before" not compared */
	GNS_MUT_NO_MARGIN, /* the origin waits for the bare TTL */
	GNS_MUT_NO_INTENT, /* no log: retries after a crash run again */
	GNS_MUT_TTL_NOT_DURABLE, /* grace counted by today's TTL */
	GNS_MUT_TORN_READ, /* reads run beside an apply */
	GNS_MUT_MAP_NOT_ZAPPED, /* mappings outlive the lease */
	GNS_MUT_VERSION_FORGOTTEN, /* no record of what is quiet */
	GNS_MUT_VERSION_REUSED, /* clock stepped back: numbers come again */
	GNS_MUT_CHILD_NOT_REVOKED, /* a name's change revokes the directory only */
	GNS_MUT_SLOT_NOT_REPLAYED, /* a retry runs again beside a live origin */
	GNS_MUT_LATE_CHILD_ATTR, /* child attributes older than its change */
	GNS_MUT_SYNC_AFTER_LOSS, /* FSYNC succeeds for what a power loss took */
	GNS_MUT_LOCK_NO_GRACE, /* locks given right after a restart */
	GNS_MUT_LOCK_FLOOR_IGNORED, /* a lock asked for long ago is given late */
	GNS_MUT_LOCK_ENDS_EARLY, /* locks end before the session does */
	GNS_MUT_LOCK_LOSS_IGNORED, /* what a lost lock guarded goes on */
	GNS_MUT_LOCK_KEPT, /* locks outlive their session for ever */
	GNS_MUT_LOCK_UNLOCKS_ALL, /* unlocking a part of a range unlocks all */
	GNS_MUT_ORPHAN_NOT_HELD, /* an open file goes with its last name */
	GNS_MUT_ORPHAN_OWN_OPEN, /* the writer's word that it is open ignored */
	GNS_MUT_ORPHAN_UNMEANT, /* who meant another file is not asked about it */
	GNS_MUT_ORPHAN_HELD_GOES, /* an orphan goes while it is held */
	GNS_MUT_ORPHAN_STAYS, /* an orphan never goes */
	GNS_MUT_ORPHAN_FORGOTTEN, /* orphans of before a restart not known */
	GNS_MUT_ORPHAN_NO_WAIT, /* they go right after a restart */
	GNS_MUT_ORPHAN_NOT_ASKED, /* nobody is asked who has them open */
	GNS_MUT_VIEWS_APART, /* an object seen in two exports is two */
	GNS_MUT_END,
};

#ifdef GNS_MUTANTS
extern enum gns_mutant_rule gns_mutant;
#define GNS_MUTANT(rule) (gns_mutant == GNS_MUT_##rule)
#else
#define GNS_MUTANT(rule) 0
#endif

#endif
