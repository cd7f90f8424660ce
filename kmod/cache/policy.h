/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is kept on the cache devices. Also built for userspace, where
 * selftests/cache runs it against other policies.
 *
 * A data set that is read again and again, as a whole, and is larger than what
 * it may have of the cache is lost on whatever evicts the oldest, in any sense
 * of the word: each chunk goes just before it comes again. Of such a set what is
 * there *holds* its place: new chunks are taken only as long as there is room, or
 * where what is there is not read any more. That gives cache/dataset, which is
 * all that there is to have, and each byte is written once.
 *
 * Where some chunks are read more often than others it is better to *move*: what
 * is missed twice within a moment is taken, the oldest region goes for it, and
 * what was read in that since it was written is written again.
 *
 * Which one is better is seen in a sample: chunks whose hash is below a bound
 * are watched, hits and misses alike. For each of them it is known whether a
 * cache that moves would have had it (SIEVE, on the sample: Zhang et al., NSDI
 * 2024), and one that holds has every chunk with the same likelihood (spatially
 * hashed sampling and small simulations: Waldspurger et al., FAST 2015 and ATC
 * 2017).
 *
 * A chunk is an extent, of whatever length: numbers of chunks are exact for
 * sets of equal ones, and good enough for others.
 *
 * Locks: a struct gns_pset is its caller's; nothing here takes any. No call
 * sleeps or allocates; gns_pset_seen() is O(1) but for once in thousands.
 */
#ifndef GNS_CACHE_POLICY_H
#define GNS_CACHE_POLICY_H

#include "port.h"

/* Chunks that are watched, at most; a power of two. */
#define GNS_PSET_SAMPLE 4096u

/* Of a region that is used anew so much at most is written again. */
#define GNS_P_AGAIN_PERCENT 75u

/** struct gns_psample - one chunk that is watched; of policy.c */
struct gns_psample {
	u64 hash;
	u32 last;
	u16 newer; /* in the queue of the shadow, and of free ones */
	u16 older;
	u16 next; /* of the same bucket */
	bool shadow; /* a cache that moves would have it */
	bool visited;
};

/**
 * struct gns_pset - what is known of a data set
 * @now:    reads of chunks
 * @fits:   all that is in use has room
 * @moves:  it is better to move than to hold, as far as hits go
 * @bound:  chunks with a smaller hash are watched
 * @clock:  reads of watched ones
 * @count:  watched ones
 * @shadow: of them that a cache that moves would have
 * @again:  reads of chunks that were known, in this window; the next two are
 *          fractions of it, in 1/65536
 * @held:   that would be hits if it held
 * @moved:  that would be hits if it moved
 * @window: @clock when it ends
 * @hand:   of the shadow: who is looked at next
 * @head:   newest of the shadow
 * @tail:   oldest of the shadow
 * @free:   entries that are not used
 * @bucket: of the entries by hash
 * @sample: the entries
 */
struct gns_pset {
	u64 now;
	bool fits;
	bool moves;
	u64 bound;
	u32 clock;
	u32 count;
	u32 shadow;
	u64 again;
	u64 held;
	u64 moved;
	u32 window;
	u16 hand;
	u16 head;
	u16 tail;
	u16 free;
	u16 bucket[GNS_PSET_SAMPLE];
	struct gns_psample sample[GNS_PSET_SAMPLE];
};

/**
 * struct gns_pmissed - what was missed a moment ago
 * @slot:   @slots of them, zeroed; the caller's
 * @slots:  a power of two; best not less than chunks in the cache
 * @misses: that were asked about
 */
struct gns_pmissed {
	u32 *slot;
	u32 slots;
	u64 misses;
};

enum gns_pverdict {
	GNS_P_KEEP, /* the region is read, or nobody knows yet */
	GNS_P_RECLAIM, /* hardly anybody reads it: its place is free for all */
};

/** gns_pset_init() - nothing is known */
void gns_pset_init(struct gns_pset *s);

/**
 * gns_pset_seen() - a chunk is read
 * @s:    its data set
 * @hash: of the chunk's name; evenly distributed, always the same
 * @room: chunks that the set may have in the cache
 */
void gns_pset_seen(struct gns_pset *s, u64 hash, u64 room);

/**
 * gns_pset_moves() - may a chunk that comes again push out what is there?
 * @s: the set
 *
 * Where all has room there is little to push out, but what nobody reads.
 */
static inline bool gns_pset_moves(const struct gns_pset *s)
{
	return s->fits || s->moves;
}

/** gns_pset_size() - chunks that are in use, more or less */
u64 gns_pset_size(const struct gns_pset *s);

/**
 * gns_pset_judge() - should a region of the set make place for new chunks?
 * @s:       the set, which has all that it may have
 * @seen:    s->now when the region was written, or judged to be kept
 * @visited: extents of it that were read since
 * @extents: in it
 *
 * If it is kept, and @visited was asked for, the caller forgets who was
 * visited, and notes s->now.
 */
enum gns_pverdict gns_pset_judge(const struct gns_pset *s, u64 seen,
				 u32 visited, u32 extents);

/**
 * gns_pset_ripe() - has it been long enough to judge a region?
 * @s:    the set
 * @seen: as above
 */
bool gns_pset_ripe(const struct gns_pset *s, u64 seen);

/**
 * gns_pmissed_before() - has a chunk been missed a moment ago?
 * @m:    of its data set
 * @hash: as for gns_pset_seen()
 * @room: chunks that the set may have
 *
 * A moment is a quarter of @room misses. Who pushes something out has to come
 * again in that time, or he would be written for nothing: most are not read
 * again before they would go. A few are taken for others.
 */
bool gns_pmissed_before(struct gns_pmissed *m, u64 hash, u64 room);

/**
 * gns_policy_share() - what each set may have
 * @size:  of the sets, by gns_pset_size(); any unit
 * @share: set; in sum not more than @total
 * @n:     sets
 * @total: of the cache
 *
 * Who needs less than an equal share has what he needs, and the others the rest,
 * in equal shares; and so on. What nobody needs is shared out as well.
 */
void gns_policy_share(const u64 *size, u64 *share, u32 n, u64 total);

#endif
