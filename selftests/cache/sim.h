/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Policies side by side: each gets the same reads of chunks, and says what it
 * had. A chunk is a number; of several data sets each has numbers of its own.
 */
#ifndef GNS_CACHE_SIM_H
#define GNS_CACHE_SIM_H

#include "lib/types.h"

/* Data sets of one trace. */
#define SETS 2u

/**
 * struct trace - reads of chunks, in order
 * @n:      reads
 * @chunks: all numbers are below
 * @chunk:  what each reads
 * @first:  the number of each set's first chunk, ascending; @first[SETS] is
 *          @chunks
 * @warm:   what is read before is not counted
 */
struct trace {
	u32 n;
	u32 chunks;
	u32 *chunk;
	u32 first[SETS + 1];
	u32 warm;
};

/** struct score - of one policy: hits of the reads behind trace->warm */
struct score {
	u64 hits[SETS];
	u64 reads[SETS];
	u64 missed; /* all that were not there, with those of the warm-up */
	u64 written; /* chunks, likewise */
};

/** score_rate() - hits of all reads; @set: SETS: of all sets */
double score_rate(const struct score *s, u32 set);

/** set_of() - the data set of a chunk */
u32 set_of(const struct trace *t, u32 chunk);

/* Each gives @room chunks a try. */
typedef void policy_fn(const struct trace *t, u32 room, struct score *score);
policy_fn run_lru, run_fifo, run_sieve, run_s3fifo, run_belady, run_gns;

/** score_note() - read @i of @t was, or was not, a hit */
void score_note(struct score *s, const struct trace *t, u32 i, bool hit);

/* work.c; freed by trace_free() */
void trace_epochs(struct trace *t, u32 chunks, u32 epochs, bool shuffled);
void trace_zipf(struct trace *t, u32 chunks, u32 n, double skew);
void trace_scan(struct trace *t, u32 hot, u32 cold, u32 n);
void trace_shift(struct trace *t, u32 chunks, u32 epochs);
void trace_mix(struct trace *t, u32 chunks, u32 epochs, u32 hot, double skew);
void trace_free(struct trace *t);

#endif
