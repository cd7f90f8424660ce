// SPDX-License-Identifier: GPL-2.0
/*
 * What was made by a change whose answer did not say it: each is made with a
 * mode of its own, and who saw that mode later saw what was made.
 */
#include <stdlib.h>
#include <string.h>

#include "hist.h"
#include "lib/tap.h"
#include "lin.h"

#define UNSEEN 0x3ff00000u /* ids of what nobody saw */

struct seen {
	u64 call;
	u64 ret;
	u32 id;
	u16 tag;
};

/* Everything of the tree, by what it is. */
struct names {
	struct rec **made; /* may have made something */
	struct seen *seen;
	u32 nmade;
	u32 nseen;
	u32 unseen;
};

static bool makes(const struct rec *r)
{
	return (r->kind == LIN_TREE_CREATE || r->kind == LIN_TREE_MKDIR) &&
	       !r->dropped && (!r->ret || !r->err || r->err == LIN_UNKNOWN);
}

static void sort_out(struct names *n, struct rec *r)
{
	if (r->model != HIST_TREE)
		return;
	if (makes(r))
		n->made[n->nmade++] = r;
	else if (r->kind == LIN_TREE_LOOKUP && r->ret && !r->err && r->res)
		n->seen[n->nseen++] =
			(struct seen){ r->call, r->ret, r->res, r->tag };
	else if (r->kind == LIN_TREE_LINK)
		n->seen[n->nseen++] =
			(struct seen){ r->call, ~0ull, r->arg[2], r->tag };
}

static int cmp_seen(const void *pa, const void *pb)
{
	const struct seen *a = pa, *b = pb;

	return a->call < b->call ? -1 : a->call > b->call;
}

/* Does another change with this mode say that it made it? */
static bool others(const struct names *n, const struct rec *r, u32 id)
{
	u32 i;

	for (i = 0; i < n->nmade; i++)
		if (n->made[i] != r && n->made[i]->tag == r->tag &&
		    n->made[i]->arg[2] == id)
			return true;
	return false;
}

static void find(struct names *n, struct rec *r)
{
	bool is_dir = r->kind == LIN_TREE_MKDIR, known = r->arg[2];
	const struct seen *s;

	r->list[0] = 0;
	for (s = n->seen; s < n->seen + n->nseen; s++) {
		if (s->tag != r->tag || s->ret <= r->call ||
		    !(s->id & LIN_TREE_ISDIR) == is_dir || s->id == r->arg[2] ||
		    others(n, r, s->id))
			continue;
		if (known) {
			if (!r->list[0])
				r->list[0] = s->id;
			continue;
		}
		/* The newest is that of the last time that it ran. */
		if (!r->list[0])
			r->list[0] = r->arg[2];
		r->arg[2] = s->id;
	}
	if (!r->arg[2])
		r->arg[2] = UNSEEN + n->unseen++ + (is_dir ? LIN_TREE_ISDIR : 0);
}

static bool made_by_any(const struct names *n, u32 id)
{
	u32 i;

	for (i = 0; i < n->nmade; i++)
		if (n->made[i]->arg[2] == id || n->made[i]->list[0] == id)
			return true;
	return !id;
}

/* A list may show what nobody ever looked at by its name. */
static void drop_lists(struct hist *h, const struct names *n)
{
	u32 p, i, k, dropped = 0;

	for (p = 0; p < PROCS; p++)
		for (i = 0; i < h->procs[p].n; i++) {
			struct rec *r = &h->procs[p].v[i];

			if (r->model != HIST_TREE || r->dropped ||
			    r->kind != LIN_TREE_READDIR)
				continue;
			for (k = 0; k < r->nlist && !r->dropped; k++)
				r->dropped = !made_by_any(n, r->list[k]);
			dropped += r->dropped;
		}
	tap_note("%u things that were made were never seen by name, %u lists show them",
		 n->unseen, dropped);
}

void hist_names(struct hist *h)
{
	struct names n = { 0 };
	u32 p, i;

	n.made = calloc(PROCS * RECS, sizeof(*n.made));
	n.seen = calloc(PROCS * RECS, sizeof(*n.seen));
	if (!n.made || !n.seen)
		abort();
	for (p = 0; p < PROCS; p++)
		for (i = 0; i < h->procs[p].n; i++)
			sort_out(&n, &h->procs[p].v[i]);
	if (n.nseen)
		qsort(n.seen, n.nseen, sizeof(*n.seen), cmp_seen);
	for (i = 0; i < n.nmade; i++)
		find(&n, n.made[i]);
	if (n.unseen)
		drop_lists(h, &n);
	free(n.made);
	free(n.seen);
}
