// SPDX-License-Identifier: GPL-2.0
/*
 * cache-sim: gns's policy beside others on made-up reads; TAP. Each line before
 * a verdict is a row of hit ratios, with what gns wrote for each chunk that it
 * took.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum policy {
	LRU,
	FIFO,
	SIEVE,
	S3FIFO,
	BELADY,
	GNS,
	POLICIES
};

static policy_fn *const policies[] = {
	[LRU] = run_lru,
	[FIFO] = run_fifo,
	[SIEVE] = run_sieve,
	[S3FIFO] = run_s3fifo,
	[BELADY] = run_belady,
	[GNS] = run_gns,
};

static u32 cases, failed;
static struct score scores[POLICIES];

u32 set_of(const struct trace *t, u32 chunk)
{
	u32 i = 0;

	while (chunk >= t->first[i + 1])
		i++;
	return i;
}

void score_note(struct score *s, const struct trace *t, u32 i, bool hit)
{
	u32 set = set_of(t, t->chunk[i]);

	s->missed += !hit;
	if (i < t->warm)
		return;
	s->reads[set]++;
	s->hits[set] += hit;
}

double score_rate(const struct score *s, u32 set)
{
	u64 hits = 0, reads = 0;
	u32 i;

	for (i = 0; i < SETS; i++) {
		if (set != SETS && i != set)
			continue;
		hits += s->hits[i];
		reads += s->reads[i];
	}
	return reads ? (double)hits / (double)reads : 0;
}

static double rate(u32 policy)
{
	return score_rate(&scores[policy], SETS);
}

/* Chunks written for each of which there was a miss that was taken. */
static double amplified(u64 taken)
{
	return taken ? (double)scores[GNS].written / (double)taken : 0;
}

static void run_all(const struct trace *t, u32 room)
{
	u32 i;

	memset(scores, 0, sizeof(scores));
	for (i = 0; i < POLICIES; i++)
		policies[i](t, room, &scores[i]);
	printf("# lru %.3f fifo %.3f sieve %.3f s3fifo %.3f belady %.3f",
	       rate(LRU), rate(FIFO), rate(SIEVE), rate(S3FIFO), rate(BELADY));
	printf(" gns %.3f, %llu written of %llu missed\n", rate(GNS),
	       (unsigned long long)scores[GNS].written,
	       (unsigned long long)scores[GNS].missed);
}

static void __attribute__((format(printf, 2, 3)))
verdict(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %u - ", good ? "ok" : "not ok", ++cases);
	failed |= !good;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static double best(void)
{
	double b = 0;
	u32 i;

	for (i = 0; i < BELADY; i++)
		b = rate(i) > b ? rate(i) : b;
	return b;
}

/* There is no more to have of a shuffled one than cache/dataset, but by luck. */
static void in_epochs(u32 chunks, bool shuffled)
{
	static const u32 percents[] = { 25, 50, 75, 90, 95, 100, 110 };
	struct trace t;
	u32 i, room;
	double want;

	trace_epochs(&t, chunks, 10, shuffled);
	for (i = 0; i < ARRAY_SIZE(percents); i++) {
		room = chunks / 100 * percents[i];
		run_all(&t, room);
		want = percents[i] < 100 ? 0.98 * percents[i] / 100 : 0.98;
		verdict(rate(GNS) >= want && amplified(room < chunks ? room : chunks) <= 1.10,
			"%s epochs of %u chunks, cache %u %%",
			shuffled ? "shuffled" : "fixed", chunks, percents[i]);
	}
	trace_free(&t);
}

static void skewed(double skew)
{
	static const u32 percents[] = { 5, 10, 20, 50 };
	struct trace t;
	bool good;
	u32 i;

	trace_zipf(&t, 20000, 1000000, skew);
	for (i = 0; i < ARRAY_SIZE(percents); i++) {
		run_all(&t, 200 * percents[i]);
		good = rate(GNS) >= 0.98 * best() &&
		       scores[GNS].written < scores[GNS].missed;
		verdict(good, "popular things, skew %.1f, cache %u %%", skew,
			percents[i]);
	}
	trace_free(&t);
}

static void scanned(void)
{
	struct trace t;

	trace_scan(&t, 2000, 20000, 400000);
	run_all(&t, 4400);
	verdict(rate(GNS) >= 0.98 * best(), "a hot set beside a scan, cache 20 %%");
	trace_free(&t);
}

static void shifted(void)
{
	struct trace t;

	trace_shift(&t, 10000, 8);
	run_all(&t, 5008);
	verdict(rate(GNS) >= 0.9 * 0.5,
		"another set of data under the same name, after six epochs");
	trace_free(&t);
}

static void mixed(void)
{
	struct trace t;

	trace_mix(&t, 20000, 8, 20000, 1.0);
	run_all(&t, 12000);
	printf("# of them epochs: lru %.3f sieve %.3f gns %.3f\n",
	       score_rate(&scores[LRU], 0), score_rate(&scores[SIEVE], 0),
	       score_rate(&scores[GNS], 0));
	verdict(rate(GNS) >= best(), "epochs of one set, popular things of another");
	trace_free(&t);
}

int main(void)
{
	in_epochs(2000, false);
	in_epochs(2000, true);
	in_epochs(40000, false);
	in_epochs(40000, true);
	skewed(0.7);
	skewed(1.0);
	skewed(1.3);
	scanned();
	shifted();
	mixed();
	printf("1..%u\n", cases);
	return failed;
}
