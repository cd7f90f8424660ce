// SPDX-License-Identifier: GPL-2.0
/*
 * Every rule of the protocol, broken on purpose: a rule that may be broken
 * without being caught is a rule that nothing here tests.
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/**
 * struct mutant - one broken rule
 * @rule:   which GNS_MUTANT() it is
 * @name:   the same as text
 * @broken: what is done in the rule's place
 * @seed:   the first one that catches it; moves with every change of the code
 */
struct mutant {
	enum gns_mutant_rule rule;
	const char *name;
	const char *broken;
	u64 seed;
};

#define M(r, s, b) \
	[GNS_MUT_##r] = { .rule = GNS_MUT_##r, .name = #r, .broken = b, .seed = s }

static const struct mutant mutants[GNS_MUT_END] = {
	M(TIMER_FROM_RECEIPT, 39, "lease counted from the answer's arrival"),
	M(ONE_STAMP_TWO_SENDS, 27, "newest stamp taken for any answer"),
	M(ACK_BEFORE_RELEASED, 1, "applied before holders released"),
	M(GRANT_NUMBER_IGNORED, 2, "revoked grants accepted late"),
	M(NO_MARK, 552, "no durable mark before a change"),
	M(NO_GRACE, 7, "changes applied right after a restart"),
	M(STALE_SLOT, 7, "older copies of a slot run"),
	M(PASSTHROUGH_JOINED, 61, "uncached reads shared"),
	M(RENEW_DEFEATS_REVOKE, 4, "sessions renewed under a REVOKE"),
	M(GRANT_DURING_CHANGE, 1, "leases given while a change waits"),
	M(RELEASED_IGNORES_N, 8, "RELEASED frees newer grants"),
	M(NO_EPOCH, 12, "fills of an older epoch accepted"),
	M(DEAD_CHANGE_RUNS, 4, "changes of dead sessions run"),
	M(HELLO_UNFENCED, 17, "HELLO replaces without a fence"),
	M(EXPIRY_IGNORED, 6, "the kernel's clock not asked"),
	M(REOPEN_ANY_VERSION, 2, "suspended bytes re-opened unseen"),
	M(OWN_LEASE_OPEN, 1, "own lease not suspended"),
	M(BEFORE_IGNORED, 7, "version before not compared"),
	M(NO_MARGIN, 11, "the origin waits for the bare TTL"),
	M(NO_INTENT, 520, "no intent logged"),
	M(TTL_NOT_DURABLE, 518, "grace by today's TTL"),
	M(TORN_READ, 12, "reads beside an apply"),
	M(MAP_NOT_ZAPPED, 5, "mappings outlive the lease"),
	M(VERSION_FORGOTTEN, 9, "no version is written down of what is quiet"),
	M(VERSION_REUSED, 4, "versions by the clock alone"),
	M(CHILD_NOT_REVOKED, 1, "a name's change revokes the directory only"),
	M(SLOT_NOT_REPLAYED, 1, "a retry runs again"),
	M(LATE_CHILD_ATTR, 36, "child attributes older than its change"),
	M(SYNC_AFTER_LOSS, 33, "fsync good for what was lost"),
	M(LOCK_NO_GRACE, 43, "locks given right after a restart"),
	M(LOCK_FLOOR_IGNORED, 27, "late copies lock again"),
	M(LOCK_ENDS_EARLY, 11, "locks end before their session"),
	M(LOCK_LOSS_IGNORED, 3, "writes go on without their lock"),
	M(LOCK_KEPT, 1, "locks stay when their session is dead"),
	M(LOCK_UNLOCKS_ALL, 11, "a part unlocked unlocks all of it"),
	M(ORPHAN_NOT_HELD, 2, "an open file goes with its last name"),
	M(ORPHAN_OWN_OPEN, 2, "the writer's word that it is open ignored"),
	M(ORPHAN_UNMEANT, 486, "who meant another file is not asked about it"),
	M(ORPHAN_HELD_GOES, 2, "an orphan goes while others hold it"),
	M(ORPHAN_STAYS, 2, "an orphan never goes"),
	M(ORPHAN_FORGOTTEN, 50, "orphans not looked for at a start"),
	M(ORPHAN_NO_WAIT, 50, "orphans go right after a restart"),
	M(ORPHAN_NOT_ASKED, 18, "nobody is asked who has what open"),
	M(VIEWS_APART, 4, "an object seen in two exports is two"),
};

#undef M

static const struct mutant *chosen;

/**
 * mutant_choose() - break a rule in all that runs from now on
 * @name: of the rule
 *
 * Return: 0; -1 without such a rule, after saying so.
 */
int mutant_choose(const char *name)
{
	const struct mutant *m;

	for (m = mutants + 1; m < mutants + GNS_MUT_END; m++) {
		if (!m->name || strcmp(m->name, name))
			continue;
		chosen = m;
		gns_mutant = m->rule;
		return 0;
	}
	fprintf(stderr, "gns-sim: no mutant %s\n", name);
	return -1;
}

/**
 * mutant_name() - the rule that is broken
 *
 * Return: its name, NULL for none.
 */
const char *mutant_name(void)
{
	return chosen ? chosen->name : NULL;
}

/* Does this seed catch it, by a violation that is proven? */
static bool catches(u64 seed, struct sim_result *r)
{
	return !run_one(seed, r) && !r->unsure;
}

/* Returns the seed that catches it, the one of the table if that still does. */
static u64 hunt(const struct mutant *m, u64 from, u64 seeds,
		struct sim_result *r)
{
	u64 seed;

	if (!from && m->seed && catches(m->seed, r))
		return m->seed;
	if (!from)
		from = 1;
	for (seed = from; seed < from + seeds; seed++)
		if (catches(seed, r))
			return seed;
	return 0;
}

/* What catches the mutant must not be wrong without it. */
static bool clean(u64 seed)
{
	const struct mutant *m = chosen;
	struct sim_result r = { 0 };
	bool ok;

	chosen = NULL;
	gns_mutant = GNS_MUT_NONE;
	ok = run_one(seed, &r);
	if (!ok) {
		printf("# without the mutant: %s\n", r.why);
		tell_replay(seed);
	}
	chosen = m;
	return ok;
}

static bool hunt_one(const struct mutant *m, u64 from, u64 seeds, u32 nr)
{
	struct sim_result r = { 0 };
	bool ok = false;
	u64 seed;

	if (mutant_choose(m->name))
		return false;
	printf("# %s: %s\n", m->name, m->broken);
	seed = hunt(m, from, seeds, &r);
	if (!seed) {
		printf("# survived %llu seeds, %llu faults\n",
		       (unsigned long long)seeds,
		       (unsigned long long)r.nfaults);
		printf("not ok %u - %s is caught\n", nr, m->name);
	} else {
		printf("# seed %llu: %s\n", (unsigned long long)seed, r.why);
		tell_replay(seed);
		if (!from && seed != m->seed)
			printf("# mutants.c lists seed %llu, which does not any more\n",
			       (unsigned long long)m->seed);
		ok = clean(seed);
		printf("%s %u - %s is caught\n", ok ? "ok" : "not ok", nr,
		       m->name);
	}
	fflush(stdout);
	chosen = NULL;
	gns_mutant = GNS_MUT_NONE;
	return ok;
}

/**
 * mutants_run() - hunt them, as TAP
 * @only:  the name of one; NULL: all
 * @from:  first seed; 0: the seed listed for each, then from 1
 * @seeds: how many to try
 *
 * Return: 0 when all were caught, else 1.
 */
int mutants_run(const char *only, u64 from, u64 seeds)
{
	const struct mutant *m;
	u32 nr = 0;
	int bad = 0;

	printf("1..%d\n", only ? 1 : GNS_MUT_END - 1);
	for (m = mutants + 1; m < mutants + GNS_MUT_END; m++) {
		if (only && (!m->name || strcmp(only, m->name)))
			continue;
		/* A rule that this file does not know has no name. */
		if (m->name && hunt_one(m, from, seeds, ++nr))
			continue;
		bad++;
	}
	return bad || !nr ? 1 : 0;
}
