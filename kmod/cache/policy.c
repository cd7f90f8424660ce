// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a data set holds what it has of the cache, or moves. See policy.h.
 */
#include "policy.h"

#define NONE 0xffffu
#define FULL_BOUND U64_MAX
/* Who has not been read for so many times the reads that there are chunks has
 * gone; shuffled epochs have twice at most between two reads.
 */
#define STALE_AFTER 3u
/* A region with a smaller part of its extents visited is not worth its place. */
#define WORTH_DIV 8u
/* A moment is so many steps, and so many make what the set may have. */
#define MOMENT 4u
#define STEPS 16u
#define ONE 65536u

static struct gns_psample *at(struct gns_pset *s, u16 i)
{
	return &s->sample[i];
}

static u16 *bucket_of(struct gns_pset *s, u64 hash)
{
	/* The upper bits are small for all that is watched. */
	return &s->bucket[hash % GNS_PSET_SAMPLE];
}

void gns_pset_init(struct gns_pset *s)
{
	u32 i;

	memset(s, 0, sizeof(*s));
	s->bound = FULL_BOUND;
	s->hand = NONE;
	s->head = NONE;
	s->tail = NONE;
	for (i = 0; i < GNS_PSET_SAMPLE; i++) {
		s->bucket[i] = NONE;
		s->sample[i].next = i + 1 < GNS_PSET_SAMPLE ? i + 1 : NONE;
	}
}

static u16 find(struct gns_pset *s, u64 hash)
{
	u16 i = *bucket_of(s, hash);

	while (i != NONE && at(s, i)->hash != hash)
		i = at(s, i)->next;
	return i;
}

/* The shadow: newest at the head; the hand goes from the tail to it. */
static void shadow_add(struct gns_pset *s, u16 i)
{
	struct gns_psample *p = at(s, i);

	p->shadow = true;
	p->visited = false;
	p->newer = NONE;
	p->older = s->head;
	if (s->head != NONE)
		at(s, s->head)->newer = i;
	else
		s->tail = i;
	s->head = i;
	s->shadow++;
}

static void shadow_del(struct gns_pset *s, u16 i)
{
	struct gns_psample *p = at(s, i);

	if (s->hand == i)
		s->hand = p->newer;
	if (p->newer != NONE)
		at(s, p->newer)->older = p->older;
	else
		s->head = p->older;
	if (p->older != NONE)
		at(s, p->older)->newer = p->newer;
	else
		s->tail = p->newer;
	p->shadow = false;
	s->shadow--;
}

static void shadow_evict(struct gns_pset *s)
{
	u16 i = s->hand != NONE ? s->hand : s->tail;

	while (at(s, i)->visited) {
		at(s, i)->visited = false;
		i = at(s, i)->newer != NONE ? at(s, i)->newer : s->tail;
	}
	s->hand = i;
	shadow_del(s, i);
}

static void forget(struct gns_pset *s, u16 i)
{
	u16 *link = bucket_of(s, at(s, i)->hash);

	if (at(s, i)->shadow)
		shadow_del(s, i);
	while (*link != i)
		link = &at(s, *link)->next;
	*link = at(s, i)->next;
	at(s, i)->next = s->free;
	s->free = i;
	s->count--;
}

/* Everybody with a hash of @bound or more, or who has gone, is not watched. */
static void sweep(struct gns_pset *s, u64 bound)
{
	u32 b, old = STALE_AFTER * (s->count ?: 1);
	u16 i, next;

	s->bound = bound;
	for (b = 0; b < GNS_PSET_SAMPLE; b++) {
		for (i = s->bucket[b]; i != NONE; i = next) {
			next = at(s, i)->next;
			if (at(s, i)->hash >= bound ||
			    s->clock - at(s, i)->last > old)
				forget(s, i);
		}
	}
}

static u16 watch(struct gns_pset *s, u64 hash)
{
	u16 i;

	while (s->free == NONE) {
		sweep(s, s->bound);
		if (s->count > GNS_PSET_SAMPLE / 2)
			sweep(s, s->bound / 2);
	}
	i = s->free;
	s->free = at(s, i)->next;
	*at(s, i) = (struct gns_psample){ .hash = hash,
					  .next = *bucket_of(s, hash) };
	*bucket_of(s, hash) = i;
	s->count++;
	return i;
}

/* @chunks of all, as so many of the watched ones. */
static u64 sampled(const struct gns_pset *s, u64 chunks)
{
	u64 part = s->bound >> 32;

	return s->bound == FULL_BOUND ? chunks :
	       chunks >> 32	      ? U64_MAX :
					chunks * part >> 32;
}

u64 gns_pset_size(const struct gns_pset *s)
{
	u64 part = s->bound >> 32;

	return s->bound == FULL_BOUND ? s->count :
					((u64)s->count << 32) / (part ?: 1);
}

/* What counts as a hit by holding: every chunk is there as likely as another. */
static u32 likelihood(const struct gns_pset *s, u64 room)
{
	return room >= s->count ? ONE : (u32)(room * ONE / s->count);
}

static void end_window(struct gns_pset *s)
{
	/* To change costs what is there: not for little. */
	u64 held = s->held + (s->moves ? 0 : s->held / 16);
	u64 moved = s->moved + (s->moves ? s->moved / 16 : 0);

	s->moves = s->again * 2 >= s->count && moved > held;
	s->again /= 2;
	s->held /= 2;
	s->moved /= 2;
	sweep(s, s->bound);
	s->window = s->clock + (s->count > 128 ? 2 * s->count : 256);
}

void gns_pset_seen(struct gns_pset *s, u64 hash, u64 room)
{
	struct gns_psample *p;
	u16 i;

	s->now++;
	if (hash >= s->bound)
		return;
	s->clock++;
	room = sampled(s, room);
	i = find(s, hash);
	if (i == NONE) {
		i = watch(s, hash);
		if (hash >= s->bound) {
			forget(s, i);
			return;
		}
	} else {
		s->again++;
		s->held += likelihood(s, room);
		s->moved += at(s, i)->shadow ? ONE : 0;
	}
	p = at(s, i);
	p->last = s->clock;
	if (p->shadow) {
		p->visited = true;
	} else if (room) {
		while (s->shadow >= room)
			shadow_evict(s);
		shadow_add(s, i);
	}
	s->fits = room >= s->count + s->count / 8;
	if ((s32)(s->clock - s->window) >= 0)
		end_window(s);
}

/* What is read as a whole was read once, whatever the order, in twice that. */
bool gns_pset_ripe(const struct gns_pset *s, u64 seen)
{
	return s->now - seen >= 2 * gns_pset_size(s);
}

enum gns_pverdict gns_pset_judge(const struct gns_pset *s, u64 seen,
				 u32 visited, u32 extents)
{
	if (!gns_pset_ripe(s, seen))
		return GNS_P_KEEP;
	return visited < DIV_ROUND_UP(extents, WORTH_DIV) ?
		       GNS_P_RECLAIM :
		       GNS_P_KEEP;
}

bool gns_pmissed_before(struct gns_pmissed *m, u64 hash, u64 room)
{
	u64 step = m->misses++ / (room / STEPS ?: 1);
	u32 *slot = &m->slot[hash & (m->slots - 1)], was = *slot;

	/* The low bits chose the slot; 0 in the age is for an empty one. */
	*slot = (u32)(hash >> 40) << 8 | (u32)(step % 255 + 1);
	return was && was >> 8 == *slot >> 8 &&
	       (step % 255 + 255 + 1 - (was & 255)) % 255 <= MOMENT;
}

void gns_policy_share(const u64 *size, u64 *share, u32 n, u64 total)
{
	u32 i, left = 0;
	bool more = true;

	for (i = 0; i < n; i++) {
		share[i] = 0;
		left += !!size[i];
	}
	while (more) {
		more = false;
		for (i = 0; i < n; i++) {
			if (!size[i] || share[i] || size[i] > total / left)
				continue;
			share[i] = size[i];
			total -= size[i];
			left--;
			more = true;
		}
	}
	for (i = 0; i < n; i++) {
		if (!left)
			share[i] += total / n;
		else if (size[i] && !share[i])
			share[i] = total / left;
	}
}
