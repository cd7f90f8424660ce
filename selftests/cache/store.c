// SPDX-License-Identifier: GPL-2.0
/*
 * Regions under gns's policy, as the kernel keeps them: written front to back,
 * by one data set each, and used anew as a whole.
 */
#include <stdlib.h>
#include <string.h>

#include "kmod/cache/policy.h"
#include "sim.h"

#define REGION 16u /* chunks */
#define NONE UINT32_MAX

struct region {
	u32 next; /* of the set's, oldest first; or of the free ones */
	u64 seen;
	u32 n;
	u32 chunk[REGION];
	bool visited[REGION];
};

struct set {
	struct gns_pset p;
	u32 oldest;
	u32 newest; /* being written */
	u32 regions;
	u64 share; /* regions */
	bool picky; /* newest: only what was missed before */
	struct gns_pmissed missed;
};

struct store {
	const struct trace *t;
	struct score *score;
	struct region *region;
	u32 regions;
	u32 free;
	u32 nfree;
	u32 *where; /* by chunk: its place; NONE: not there */
	struct set set[SETS];
};

/* splitmix64's last step, Steele et al. 2014 */
static u64 hash(u64 x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static void share_out(struct store *st)
{
	u64 size[SETS], share[SETS];
	u32 i;

	for (i = 0; i < SETS; i++)
		size[i] = DIV_ROUND_UP(gns_pset_size(&st->set[i].p),
				       (u64)REGION);
	gns_policy_share(size, share, SETS, st->regions);
	for (i = 0; i < SETS; i++)
		st->set[i].share = share[i];
}

static void append(struct store *st, struct set *s, u32 c)
{
	struct region *r = &st->region[s->newest];

	st->where[c] = s->newest * REGION + r->n;
	r->visited[r->n] = false;
	r->chunk[r->n++] = c;
	st->score->written++;
}

static void begin_region(struct store *st, struct set *s)
{
	u32 i = st->free;

	st->free = st->region[i].next;
	st->nfree--;
	st->region[i] = (struct region){ .next = NONE, .seen = s->p.now };
	if (s->newest != NONE)
		st->region[s->newest].next = i;
	else
		s->oldest = i;
	s->newest = i;
	s->regions++;
}

/* The oldest region of @s goes; returns how many are to be written again. */
static u32 take_oldest(struct store *st, struct set *s, u32 *again)
{
	u32 i = s->oldest, k, n = 0;
	struct region *r = &st->region[i];

	s->oldest = r->next;
	if (s->oldest == NONE)
		s->newest = NONE;
	s->regions--;
	for (k = 0; k < r->n; k++) {
		st->where[r->chunk[k]] = NONE;
		if (r->visited[k] && n < REGION * GNS_P_AGAIN_PERCENT / 100)
			again[n++] = r->chunk[k];
	}
	r->next = st->free;
	st->free = i;
	st->nfree++;
	return n;
}

static void keep_oldest(struct store *st, struct set *s)
{
	u32 i = s->oldest;
	struct region *r = &st->region[i];

	memset(r->visited, 0, sizeof(r->visited));
	r->seen = s->p.now;
	if (i == s->newest)
		return;
	/* Behind the newest but one: that goes on being written. */
	s->oldest = r->next;
	r->next = NONE;
	st->region[s->newest].next = i;
	s->newest = i;
}

static u32 visited(const struct region *r)
{
	u32 i, n = 0;

	for (i = 0; i < r->n; i++)
		n += r->visited[i];
	return n;
}

/* Who has most above his share gives; it may be @s itself. */
static struct set *giver(struct store *st, struct set *s)
{
	struct set *g = s;
	u32 i;

	for (i = 0; i < SETS; i++)
		if ((s64)(st->set[i].regions - st->set[i].share) >
		    (s64)(g->regions - g->share))
			g = &st->set[i];
	return g->regions ? g : NULL;
}

/* Whether the oldest region of @s goes for a chunk that was missed @again. */
static bool is_to_go(struct store *st, struct set *s, bool again)
{
	struct region *r = &st->region[s->oldest];

	if (gns_pset_ripe(&s->p, r->seen)) {
		if (gns_pset_judge(&s->p, r->seen, visited(r), r->n) ==
		    GNS_P_RECLAIM) {
			s->picky = false;
			return true;
		}
		if (!gns_pset_moves(&s->p) || !again)
			keep_oldest(st, s);
	}
	s->picky = gns_pset_moves(&s->p);
	return s->picky && again;
}

/* A region to go on with; false: nothing is taken now. */
static bool make_room(struct store *st, struct set *s, bool missed)
{
	u32 again[REGION], n = 0, i;
	struct set *g;

	s->picky = false;
	if (st->nfree) {
		begin_region(st, s);
		return true;
	}
	share_out(st);
	g = giver(st, s);
	if (!g || (g == s && !is_to_go(st, s, missed)))
		return false;
	n = take_oldest(st, g, again);
	begin_region(st, s);
	for (i = 0; i < n && g == s; i++)
		append(st, s, again[i]);
	return true;
}

static void admit(struct store *st, struct set *s, u32 c)
{
	bool missed = gns_pmissed_before(&s->missed, hash(c),
					 s->share * REGION);

	if (s->newest != NONE && st->region[s->newest].n < REGION) {
		if (!s->picky || missed)
			append(st, s, c);
	} else if (make_room(st, s, missed)) {
		append(st, s, c);
	}
}

static void read_chunk(struct store *st, u32 i)
{
	u32 c = st->t->chunk[i], at = st->where[c];
	struct set *s = &st->set[set_of(st->t, c)];

	gns_pset_seen(&s->p, hash(c), s->share * REGION);
	score_note(st->score, st->t, i, at != NONE);
	if (at != NONE)
		st->region[at / REGION].visited[at % REGION] = true;
	else
		admit(st, s, c);
	if (i % 1024 == 0)
		share_out(st);
}

void run_gns(const struct trace *t, u32 room, struct score *score)
{
	struct store *st = calloc(1, sizeof(*st));
	u32 i, slots = 1;

	if (!st)
		abort();
	while (slots < room)
		slots *= 2;
	st->t = t;
	st->score = score;
	st->regions = room / REGION;
	st->region = calloc(st->regions, sizeof(*st->region));
	st->where = malloc(t->chunks * sizeof(u32));
	if (!st->region || !st->where)
		abort();
	for (i = 0; i < st->regions; i++)
		st->region[i].next = i + 1 < st->regions ? i + 1 : NONE;
	st->nfree = st->regions;
	for (i = 0; i < t->chunks; i++)
		st->where[i] = NONE;
	for (i = 0; i < SETS; i++) {
		gns_pset_init(&st->set[i].p);
		st->set[i].oldest = NONE;
		st->set[i].newest = NONE;
		st->set[i].missed.slots = slots;
		st->set[i].missed.slot = calloc(slots, sizeof(u32));
		if (!st->set[i].missed.slot)
			abort();
	}
	share_out(st);
	for (i = 0; i < t->n; i++)
		read_chunk(st, i);
	for (i = 0; i < SETS; i++)
		free(st->set[i].missed.slot);
	free(st->where);
	free(st->region);
	free(st);
}
