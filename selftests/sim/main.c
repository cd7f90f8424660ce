// SPDX-License-Identifier: GPL-2.0
/*
 * gns-sim: run seeds, count faults, hunt mutants, tell stories.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"
#include "sim.h"

struct mutant {
	enum gns_mutant_rule rule;
	const char *name;
	const char *broken;
};

#define MUT(r, b) { GNS_MUT_##r, #r, b }

static const struct mutant mutants[] = {
	MUT(TIMER_FROM_RECEIPT, "lease counted from the answer's arrival"),
	MUT(ONE_STAMP_TWO_SENDS, "newest stamp taken for any answer"),
	MUT(ACK_BEFORE_RELEASED, "applied before holders released"),
	MUT(GRANT_NUMBER_IGNORED, "revoked grants accepted late"),
	MUT(NO_MARK, "no durable mark before a change"),
	MUT(NO_GRACE, "changes applied right after a restart"),
	MUT(STALE_SLOT, "older copies of a slot run"),
	MUT(PASSTHROUGH_JOINED, "uncached reads shared"),
	MUT(RENEW_DEFEATS_REVOKE, "sessions renewed under a REVOKE"),
	MUT(GRANT_DURING_CHANGE, "leases given while a change waits"),
	MUT(RELEASED_IGNORES_N, "RELEASED frees newer grants"),
	MUT(NO_EPOCH, "fills of an older epoch accepted"),
	MUT(DEAD_CHANGE_RUNS, "changes of dead sessions run"),
	MUT(HELLO_UNFENCED, "HELLO replaces without a fence"),
	MUT(EXPIRY_IGNORED, "the kernel's clock not asked"),
	MUT(REOPEN_ANY_VERSION, "suspended bytes re-opened unseen"),
	MUT(OWN_LEASE_OPEN, "own lease not suspended"),
	MUT(BEFORE_IGNORED, "version before not compared"),
	MUT(NO_MARGIN, "the origin waits for the bare TTL"),
	MUT(NO_INTENT, "no intent logged"),
	MUT(TTL_NOT_DURABLE, "grace by today's TTL"),
	MUT(TORN_READ, "reads beside an apply"),
	MUT(MAP_NOT_ZAPPED, "mappings outlive the lease"),
	MUT(VERSION_REUSED, "versions by the clock alone"),
	MUT(SLOT_NOT_REPLAYED, "a retry runs again"),
	MUT(LATE_CHILD_ATTR, "child attributes older than its change"),
	MUT(CHILD_NOT_REVOKED, "a name's change revokes the directory only"),
	MUT(SYNC_AFTER_LOSS, "fsync good for what was lost"),
};

static struct sim_opts opts = {
	.duration = 20 * SEC,
	.intensity = 4,
	.still = true,
};

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool one(u64 seed, u64 *faults, u64 *ops, char *why, size_t len)
{
	struct sim_opts o = opts;

	o.seed = seed;
	return sim_run(&o, faults, ops, why, len);
}

static int run_faults(u64 from, u64 want)
{
	u64 faults = 0, ops = 0, seed = from;
	double t0 = seconds(), t;
	char why[600];
	int bad = 0, i;

	for (; faults < want; seed++) {
		if (one(seed, &faults, &ops, why, sizeof(why)))
			continue;
		printf("# seed %llu: %s\n", (unsigned long long)seed, why);
		printf("# its story: gns-sim --seed %llu --story\n",
		       (unsigned long long)seed);
		fflush(stdout);
		if (++bad == 5)
			break;
	}
	t = seconds() - t0;
	printf("# %llu faults, %llu calls, seeds %llu to %llu, %.1f s, %.0f faults a second\n",
	       (unsigned long long)faults, (unsigned long long)ops,
	       (unsigned long long)from, (unsigned long long)seed - 1, t,
	       faults / t);
	for (i = 0; i < F_MAX; i++)
		printf("# %12llu %s\n", (unsigned long long)sim_fault_totals[i],
		       fault_names[i]);
	printf("%s 1 - %llu faults without a violation\n",
	       bad ? "not ok" : "ok", (unsigned long long)want);
	return bad ? 1 : 0;
}

static bool hunt(const struct mutant *m, u64 from, u64 seeds, int nr)
{
	u64 faults = 0, ops = 0, seed;
	char why[600];

	gns_mutant = m->rule;
	for (seed = from; seed < from + seeds; seed++)
		if (!one(seed, &faults, &ops, why, sizeof(why)))
			break;
	gns_mutant = GNS_MUT_NONE;
	if (seed < from + seeds) {
		printf("ok %d - %s (%s): seed %llu, %s\n", nr, m->name,
		       m->broken, (unsigned long long)seed, why);
		fflush(stdout);
		return true;
	}
	printf("not ok %d - %s (%s): survived %llu seeds, %llu faults\n", nr,
	       m->name, m->broken, (unsigned long long)seeds,
	       (unsigned long long)faults);
	fflush(stdout);
	return false;
}

static int run_mutants(const char *only, u64 from, u64 seeds)
{
	size_t i;
	int nr = 0, bad = 0;

	for (i = 0; i < ARRAY_SIZE(mutants); i++)
		if (!only || !strcmp(only, mutants[i].name))
			bad += !hunt(&mutants[i], from, seeds, ++nr);
	printf("1..%d\n", nr);
	return bad || !nr ? 1 : 0;
}

static void usage(FILE *to)
{
	fputs("usage: gns-sim [--faults N] [--from SEED]      run until N faults\n"
	      "       gns-sim --seed SEED [--story]           replay one seed\n"
	      "       gns-sim --mutants [--only NAME] [--seeds N]  all must be caught\n"
	      "options: --seconds N (virtual, a seed), --intensity N, --mutant NAME,\n"
	      "         --debug\n",
	      to);
}

static int set_mutant(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mutants); i++) {
		if (strcmp(mutants[i].name, name))
			continue;
		gns_mutant = mutants[i].rule;
		return 0;
	}
	fprintf(stderr, "gns-sim: no mutant %s\n", name);
	return -1;
}

static int run_seed(u64 seed)
{
	u64 faults = 0, ops = 0;
	char why[600];

	if (!one(seed, &faults, &ops, why, sizeof(why))) {
		printf("seed %llu: %s\n", (unsigned long long)seed, why);
		return 1;
	}
	printf("seed %llu: %llu faults, %llu calls, no violation\n",
	       (unsigned long long)seed, (unsigned long long)faults,
	       (unsigned long long)ops);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "faults", 1, NULL, 'f' }, { "from", 1, NULL, 'F' },
		{ "seed", 1, NULL, 's' },   { "story", 0, NULL, 'S' },
		{ "mutants", 0, NULL, 'm' }, { "only", 1, NULL, 'o' },
		{ "seeds", 1, NULL, 'n' },  { "seconds", 1, NULL, 't' },
		{ "intensity", 1, NULL, 'i' }, { "mutant", 1, NULL, 'M' },
		{ "debug", 0, NULL, 'd' },  { "help", 0, NULL, 'h' },
		{ 0 },
	};
	u64 faults = 20000, from = 1, seed = 0, seeds = 300;
	bool hunt_all = false;
	const char *only = NULL;
	int c;

	gns_log_level = 0;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			faults = strtoull(optarg, NULL, 0);
			break;
		case 'F':
			from = strtoull(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'S':
			opts.story = true;
			break;
		case 'm':
			hunt_all = true;
			break;
		case 'o':
			only = optarg;
			break;
		case 'n':
			seeds = strtoull(optarg, NULL, 0);
			break;
		case 't':
			opts.duration = strtoull(optarg, NULL, 0) * SEC;
			break;
		case 'i':
			opts.intensity = strtoull(optarg, NULL, 0);
			break;
		case 'M':
			if (set_mutant(optarg))
				return 2;
			break;
		case 'd':
			gns_log_level = GNS_LOG_DEBUG;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (seed)
		return run_seed(seed);
	if (hunt_all)
		return run_mutants(only, from, seeds);
	printf("1..1\n");
	return run_faults(from, faults);
}
