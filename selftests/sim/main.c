// SPDX-License-Identifier: GPL-2.0
/*
 * gns-sim: run seeds, count faults, hunt mutants, tell stories.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "lib/log.h"

#define DURATION 20 /* seconds of virtual time */
#define INTENSITY 4

/* A run of faults goes on after a violation, but not for ever. */
#define ENOUGH 5

static struct sim_opts opts = {
	.duration = DURATION * SEC,
	.intensity = INTENSITY,
	.still = true,
};

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/**
 * run_one() - one seed, with the options of the command line
 * @seed: which
 * @r:    results are added here
 *
 * Return: false after a violation.
 */
bool run_one(u64 seed, struct sim_result *r)
{
	struct sim_opts o = opts;

	o.seed = seed;
	return sim_run(&o, r);
}

/**
 * tell_replay() - say how to see a seed again
 * @seed: which
 */
void tell_replay(u64 seed)
{
	const char *mutant = mutant_name();

	printf("# its story: gns-sim --seed %llu", (unsigned long long)seed);
	if (mutant)
		printf(" --mutant %s", mutant);
	if (opts.duration != DURATION * SEC)
		printf(" --seconds %llu",
		       (unsigned long long)(opts.duration / SEC));
	if (opts.intensity != INTENSITY)
		printf(" --intensity %u", opts.intensity);
	printf(" --story\n");
}

static int run_faults(u64 from, u64 want)
{
	struct sim_result r = { 0 };
	double t0 = seconds(), t;
	int bad = 0, i;
	u64 seed;

	printf("1..1\n");
	for (seed = from; r.nfaults < want && bad < ENOUGH; seed++) {
		if (run_one(seed, &r))
			continue;
		printf("# seed %llu: %s\n", (unsigned long long)seed, r.why);
		tell_replay(seed);
		fflush(stdout);
		bad++;
	}
	t = seconds() - t0;
	printf("# %llu faults, %llu calls, seeds %llu to %llu, %.1f s, %.0f faults a second\n",
	       (unsigned long long)r.nfaults, (unsigned long long)r.ops,
	       (unsigned long long)from, (unsigned long long)seed - 1, t,
	       r.nfaults / t);
	for (i = 0; i < F_MAX; i++)
		printf("# %12llu %s\n", (unsigned long long)r.faults[i],
		       fault_names[i]);
	printf("%s 1 - %llu faults without a violation\n",
	       bad ? "not ok" : "ok", (unsigned long long)want);
	return bad ? 1 : 0;
}

static int run_seed(u64 seed)
{
	struct sim_result r = { 0 };

	if (!run_one(seed, &r)) {
		printf("seed %llu: %s\n", (unsigned long long)seed, r.why);
		if (!opts.story)
			tell_replay(seed);
		return 1;
	}
	printf("seed %llu: %llu faults, %llu calls, no violation\n",
	       (unsigned long long)seed, (unsigned long long)r.nfaults,
	       (unsigned long long)r.ops);
	return 0;
}

static void usage(FILE *to)
{
	fputs("usage: gns-sim [--faults N] [--from SEED]  run until N faults\n"
	      "       gns-sim --seed SEED [--story]       replay one seed\n"
	      "       gns-sim --mutants [--only NAME] [--seeds N] [--from SEED]\n"
	      "                                           all must be caught\n"
	      "options: --seconds N (virtual, a seed), --intensity N, --mutant NAME,\n"
	      "         --debug\n",
	      to);
}

/* What the command line asks for, besides opts. */
struct job {
	u64 faults;
	u64 from;
	u64 seed;
	u64 seeds;
	bool mutants;
	const char *only;
};

/* Returns the exit status, or -1 to go on. */
static int parse(int argc, char **argv, struct job *j)
{
	static const struct option longs[] = {
		{ "faults", 1, NULL, 'f' },
		{ "from", 1, NULL, 'F' },
		{ "seed", 1, NULL, 's' },
		{ "story", 0, NULL, 'S' },
		{ "mutants", 0, NULL, 'm' },
		{ "only", 1, NULL, 'o' },
		{ "seeds", 1, NULL, 'n' },
		{ "seconds", 1, NULL, 't' },
		{ "intensity", 1, NULL, 'i' },
		{ "mutant", 1, NULL, 'M' },
		{ "debug", 0, NULL, 'd' },
		{ "help", 0, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			j->faults = strtoull(optarg, NULL, 0);
			break;
		case 'F':
			j->from = strtoull(optarg, NULL, 0);
			break;
		case 's':
			j->seed = strtoull(optarg, NULL, 0);
			break;
		case 'S':
			opts.story = true;
			break;
		case 'm':
			j->mutants = true;
			break;
		case 'o':
			j->only = optarg;
			break;
		case 'n':
			j->seeds = strtoull(optarg, NULL, 0);
			break;
		case 't':
			opts.duration = strtoull(optarg, NULL, 0) * SEC;
			break;
		case 'i':
			opts.intensity = strtoul(optarg, NULL, 0);
			break;
		case 'M':
			if (mutant_choose(optarg))
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
	return -1;
}

int main(int argc, char **argv)
{
	struct job j = { .faults = 20000, .seeds = 3000 };
	int status;

	gns_log_level = 0;
	status = parse(argc, argv, &j);
	if (status >= 0)
		return status;
	if (j.seed)
		return run_seed(j.seed);
	if (j.mutants)
		return mutants_run(j.only, j.from, j.seeds);
	return run_faults(j.from ? j.from : 1, j.faults);
}
