/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The orders in which the files of a directory may be read: that of its
 * listing, in which tar(1) and cp(1) come by them; and that of their names,
 * with numbers as numbers, in which shells and training scripts do.
 *
 * A row is a run of reads in one of the two, roughly: several readers may take
 * the next file each. It begins anywhere.
 *
 * Lifetime: of a whole listing, which does not change; made when somebody has
 * read some small files, by one of them, once, and freed with it. Memory: 20
 * bytes for a name. Directories of more than GNS_ORDER_NAMES, or of
 * GNS_ORDER_BYTES in the listing, have none: to sort them takes too long.
 * Locks: @lock guards the rows; taken inside of none, and none inside of it.
 */
#ifndef GNS_ORDER_H
#define GNS_ORDER_H

#include <linux/sizes.h>
#include "gns.h"

struct gns_entry;
struct gns_listing;

#define GNS_ORDER_NAMES 16384u
#define GNS_ORDER_BYTES SZ_1M

enum gns_order_by { GNS_ORDER_LISTED,
		    GNS_ORDER_NAMED,
		    GNS_ORDERS };

/**
 * struct gns_row - reads in one order; places count from 0
 * @head:   behind the one farthest on that was read
 * @to:     those before it were looked at, whether to fetch them
 * @bytes:  of the files that were fetched and are not behind @head, roughly
 * @length: reads that went on in it, as far as that is of interest
 * @strays: others since the last of those
 */
struct gns_row {
	u32 head;
	u32 to;
	u64 bytes;
	u32 length;
	u32 strays;
};

/**
 * struct gns_ordered - a name and its place in the listing
 * @entry: of the listing
 * @listed: place
 */
struct gns_ordered {
	const struct gns_entry *entry;
	u32 listed;
};

/**
 * struct gns_order - see above
 * @lock:  of @row
 * @row:   by order
 * @n:     I names
 * @listed: I places in @named, in the order of the listing
 * @named: I in the order of names
 */
struct gns_order {
	spinlock_t lock; /* of row */
	struct gns_row row[GNS_ORDERS];
	u32 n;
	u32 *listed;
	struct gns_ordered named[];
};

/**
 * gns_order_of() - of a listing
 * @gi: the directory
 * @l:  with a reference, which has to live as long as what is returned
 *
 * Context: process, may sleep. Return: NULL: it is not whole, too large or not
 * read yet, somebody is making it, or there is no memory.
 */
struct gns_order *gns_order_of(struct gns_inode *gi, struct gns_listing *l);
void gns_order_free(struct gns_order *o);

/**
 * gns_order_find() - where a name is
 * @o:    the order
 * @name: needs no hash
 * @at:   set to its place in each order
 *
 * Return: false: it is not there.
 */
bool gns_order_find(const struct gns_order *o, const struct qstr *name,
		    u32 at[GNS_ORDERS]);

/** gns_order_at() - the entry at a place, below @o->n, in one of the orders */
const struct gns_entry *gns_order_at(const struct gns_order *o,
				     enum gns_order_by by, u32 at);

#endif
