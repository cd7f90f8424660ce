// SPDX-License-Identifier: GPL-2.0
/*
 * In what two listings of a directory differ; see listing.h.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "listing.h"

static int by_name(const struct gns_entry *a, const struct gns_entry *b)
{
	int ret = memcmp(a->name, b->name, min(a->namelen, b->namelen));

	return ret ? ret : a->namelen - b->namelen;
}

static int compare(const void *a, const void *b)
{
	return by_name(*(const struct gns_entry *const *)a,
		       *(const struct gns_entry *const *)b);
}

static int names_of(const struct gns_listing *l, u64 most, struct gns_names *out)
{
	const struct gns_chunk *c;
	u32 off;

	*out = (struct gns_names){};
	if (l->n > most)
		return -E2BIG;
	/* One more: nothing is no memory. */
	out->entry = kvmalloc_array(l->n + 1, sizeof(*out->entry), GFP_KERNEL);
	if (!out->entry)
		return -ENOMEM;
	for (c = l->first; c; c = c->next) {
		for (off = 0; off < c->used && out->n < l->n;) {
			out->entry[out->n] = (const void *)(c->data + off);
			off += gns_entry_size(out->entry[out->n++]->namelen);
		}
	}
	sort(out->entry, out->n, sizeof(*out->entry), compare, NULL);
	return 0;
}

/* What both have goes from both; the rest stays, in order. */
static void subtract(struct gns_names *a, struct gns_names *b)
{
	const struct gns_entry *x, *y;
	u32 i = 0, j = 0, na = 0, nb = 0;
	int order;

	while (i < a->n || j < b->n) {
		x = i < a->n ? a->entry[i] : NULL;
		y = j < b->n ? b->entry[j] : NULL;
		order = !x ? 1 : !y ? -1 :
				      by_name(x, y);
		i += order <= 0;
		j += order >= 0;
		if (!order && x->ino == y->ino && x->type == y->type)
			continue;
		if (order <= 0)
			a->entry[na++] = x;
		if (order >= 0)
			b->entry[nb++] = y;
	}
	a->n = na;
	b->n = nb;
}

int gns_names_differ(const struct gns_listing *old,
		     const struct gns_listing *new, u64 most,
		     struct gns_names *gone, struct gns_names *made)
{
	int err = names_of(old, most, gone);

	if (!err)
		err = names_of(new, most, made);
	if (err) {
		gns_names_free(gone);
		return err;
	}
	subtract(gone, made);
	return 0;
}

void gns_names_free(struct gns_names *names)
{
	kvfree(names->entry);
	names->entry = NULL;
}
