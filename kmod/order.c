// SPDX-License-Identifier: GPL-2.0
/*
 * Names of a directory in the orders in which they may be read; see order.h.
 */
#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "listing.h"
#include "order.h"

/* Small files that are read before their directory is worth being sorted. */
#define SMALLS_MIN 2u

/* Nobody needs it so much that another one should lose his memory. */
#define GFP_ORDER (GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/* A name that is being compared: what is left of it. */
struct left {
	const char *at;
	const char *end;
};

static struct left left_of(const char *name, u32 len)
{
	return (struct left){ name, name + len };
}

/* The digits at the begin of @l, without zeros before them, go. */
static struct left take_digits(struct left *l)
{
	struct left n;

	while (l->at < l->end && *l->at == '0')
		l->at++;
	n.at = l->at;
	while (l->at < l->end && isdigit(*l->at))
		l->at++;
	n.end = l->at;
	return n;
}

static int compare_numbers(struct left *a, struct left *b)
{
	struct left x = take_digits(a), y = take_digits(b);

	if (x.end - x.at != y.end - y.at)
		return x.end - x.at < y.end - y.at ? -1 : 1;
	return memcmp(x.at, y.at, x.end - x.at);
}

/* 2 before 10; 02 and 2 are not the same. */
static int compare_names(const char *a, u32 alen, const char *b, u32 blen)
{
	struct left x = left_of(a, alen), y = left_of(b, blen);
	int ret = 0;

	while (!ret && x.at < x.end && y.at < y.end) {
		if (isdigit(*x.at) && isdigit(*y.at))
			ret = compare_numbers(&x, &y);
		else
			ret = (u8)*x.at++ - (u8)*y.at++;
	}
	if (!ret)
		ret = (x.at < x.end) - (y.at < y.end);
	if (!ret)
		ret = memcmp(a, b, min(alen, blen));
	return ret ?: (int)alen - (int)blen;
}

static int compare(const void *a, const void *b)
{
	const struct gns_entry *x = ((const struct gns_ordered *)a)->entry;
	const struct gns_entry *y = ((const struct gns_ordered *)b)->entry;

	return compare_names(x->name, x->namelen, y->name, y->namelen);
}

static void collect(struct gns_order *o, const struct gns_listing *l)
{
	const struct gns_chunk *c;
	const struct gns_entry *e;
	u32 off, n = 0;

	for (c = l->first; c; c = c->next) {
		for (off = 0; off < c->used && n < o->n; n++) {
			e = (const void *)(c->data + off);
			o->named[n] = (struct gns_ordered){ e, n };
			off += gns_entry_size(e->namelen);
		}
	}
}

static struct gns_order *order_new(const struct gns_listing *l, u32 n)
{
	struct gns_order *o;
	u32 i;

	o = kvmalloc(struct_size(o, named, n), GFP_ORDER);
	if (!o)
		return NULL;
	o->listed = kvmalloc_array(n, sizeof(*o->listed), GFP_ORDER);
	if (!o->listed) {
		kvfree(o);
		return NULL;
	}
	spin_lock_init(&o->lock);
	memset(o->row, 0, sizeof(o->row));
	o->n = n;
	collect(o, l);
	sort(o->named, n, sizeof(*o->named), compare, NULL);
	for (i = 0; i < n; i++)
		o->listed[o->named[i].listed] = i;
	return o;
}

void gns_order_free(struct gns_order *o)
{
	if (o)
		kvfree(o->listed);
	kvfree(o);
}

/* How many names are to be sorted; 0: it is not to be done. */
static u32 names_of(struct gns_inode *gi, struct gns_listing *l)
{
	u32 n = 0;

	if (READ_ONCE(l->ordered))
		return 0;
	WRITE_ONCE(l->smalls, READ_ONCE(l->smalls) + 1);
	if (READ_ONCE(l->smalls) < SMALLS_MIN)
		return 0;
	spin_lock(&gi->lock);
	if (l->tail->eof && l->n <= GNS_ORDER_NAMES &&
	    l->bytes <= GNS_ORDER_BYTES)
		n = l->n;
	spin_unlock(&gi->lock);
	return n;
}

struct gns_order *gns_order_of(struct gns_inode *gi, struct gns_listing *l)
{
	/* Who sees it sees all of it: pairs with the release below. */
	struct gns_order *o = smp_load_acquire(&l->order);
	u32 n = o ? 0 : names_of(gi, l);

	if (!n || xchg(&l->ordered, true))
		return o;
	o = order_new(l, n);
	smp_store_release(&l->order, o); /* pairs with the load above */
	return o;
}

bool gns_order_find(const struct gns_order *o, const struct qstr *name,
		    u32 at[GNS_ORDERS])
{
	u32 from = 0, to = o->n, mid;
	const struct gns_entry *e;
	int ret;

	while (from < to) {
		mid = from + (to - from) / 2;
		e = o->named[mid].entry;
		ret = compare_names(name->name, name->len, e->name, e->namelen);
		if (!ret) {
			at[GNS_ORDER_NAMED] = mid;
			at[GNS_ORDER_LISTED] = o->named[mid].listed;
			return true;
		}
		if (ret < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return false;
}

const struct gns_entry *gns_order_at(const struct gns_order *o,
				     enum gns_order_by by, u32 at)
{
	if (by == GNS_ORDER_LISTED)
		at = o->listed[at];
	return o->named[at].entry;
}
