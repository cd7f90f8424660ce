// SPDX-License-Identifier: GPL-2.0
/*
 * Small files ahead of their readers; see ahead.h.
 *
 * A file that was fetched so is marked. Its first read finds its pages, and
 * asks for more all the same.
 */
#include <linux/backing-dev.h>
#include <linux/dcache.h>
#include "ahead.h"
#include "lease.h"
#include "listing.h"
#include "order.h"
#include "sets.h"
#include "size.h"

/* In a row before the next one is asked for. */
#define ROW_MIN 3u
/* Files ahead of the readers; two for each that was read in a row. */
#define FILES_MAX 64u
/* Asked for at a time, so that nobody's read waits for all of them. */
#define BATCH 8u
/* How far from where the others were a read may be, and be in a row with them. */
#define NEAR 32u
/* Elsewhere in the directory, until a row begins there. */
#define STRAYS_MAX 8u

/* order->lock held. @at was read. */
static void row_read(struct gns_row *row, u32 at)
{
	u32 head = at + 1;

	if (max(head, row->head) - min(head, row->head) > NEAR) {
		if (++row->strays < STRAYS_MAX && row->length)
			return;
		*row = (struct gns_row){ .head = head };
	}
	row->strays = 0;
	/* Who comes later than others says nothing of where this goes. */
	if (head <= row->head && row->length)
		return;
	row->length = min(row->length + 1, FILES_MAX);
	row->head = head;
	row->to = max(row->to, row->head);
}

/*
 * @name was read. Returns up to which place, in the order *@by, files are worth
 * being fetched if @most of them are enough; 0: none.
 */
static u32 rows_read(struct gns_order *o, const struct qstr *name, u32 most,
		     enum gns_order_by *by)
{
	const struct gns_row *row;
	u32 at[GNS_ORDERS], end = 0;

	if (!gns_order_find(o, name, at))
		return 0;
	spin_lock(&o->lock);
	for (*by = 0; *by < GNS_ORDERS; (*by)++)
		row_read(&o->row[*by], at[*by]);
	*by = o->row[GNS_ORDER_NAMED].length >= o->row[GNS_ORDER_LISTED].length ?
		      GNS_ORDER_NAMED :
		      GNS_ORDER_LISTED;
	row = &o->row[*by];
	if (row->length >= ROW_MIN)
		end = min(row->head + min3(2 * row->length, most, FILES_MAX),
			  o->n);
	spin_unlock(&o->lock);
	return end;
}

/* The next one to look at, before @end. NULL: there is none. */
static const struct gns_entry *row_next(struct gns_order *o,
					enum gns_order_by by, u32 end, u32 *at)
{
	const struct gns_entry *e = NULL;

	spin_lock(&o->lock);
	*at = o->row[by].to;
	if (*at < end) {
		o->row[by].to++;
		e = gns_order_at(o, by, *at);
	}
	spin_unlock(&o->lock);
	return e;
}

/* What is at @at is to be looked at later. */
static void row_back(struct gns_order *o, enum gns_order_by by, u32 at)
{
	spin_lock(&o->lock);
	if (o->row[by].to == at + 1)
		o->row[by].to = at;
	spin_unlock(&o->lock);
}

/* Nothing happens if there is no live lease: that would be asked for. */
static bool fetch(struct file *file, struct inode *inode)
{
	struct file_ra_state ra = { .ra_pages = inode->i_sb->s_bdi->ra_pages };
	struct gns_inode *gi = gns_i(inode);
	DEFINE_READAHEAD(rac, file, &ra, inode->i_mapping, 0);
	u64 size = READ_ONCE(gi->size);

	if (!size || size > GNS_AHEAD_SIZE_MAX || inode->i_mapping->nrpages ||
	    !gns_lease_ok(gi))
		return false;
	gns_size_show(gi);
	page_cache_sync_ra(&rac, DIV_ROUND_UP(size, PAGE_SIZE));
	return true;
}

/*
 * What the VFS knows behind the name will do: nobody is shown it who does not
 * look the name up himself. False: it knows nothing, by now; who looks up the
 * names before it will be told of many.
 */
static bool fetch_entry(struct file *file, struct dentry *parent,
			const struct gns_entry *e)
{
	struct qstr name = QSTR_INIT(e->name, e->namelen);
	struct dentry *dentry;
	struct inode *inode;

	name.hash = full_name_hash(parent, name.name, name.len);
	dentry = d_lookup(parent, &name);
	if (!dentry)
		return false;
	inode = d_inode(dentry);
	if (inode && S_ISREG(inode->i_mode) && !inode->i_mapping->nrpages) {
		gns_set_use(dentry);
		if (fetch(file, inode)) {
			WRITE_ONCE(gns_i(inode)->ahead, true);
			gns_count(gns_isb(inode), GNS_C_FILES_AHEAD, 1);
		}
	}
	dput(dentry);
	return true;
}

static void fetch_row(struct file *file, struct dentry *parent,
		      struct gns_order *o, enum gns_order_by by, u32 end)
{
	const struct gns_entry *e;
	u32 n, at;

	/* The one that is waited for comes first. */
	fetch(file, file_inode(file));
	for (n = 0; n < BATCH; n++) {
		e = row_next(o, by, end, &at);
		if (!e)
			return;
		if ((e->type == DT_REG || e->type == DT_UNKNOWN) &&
		    !fetch_entry(file, parent, e)) {
			row_back(o, by, at);
			return;
		}
		cond_resched();
	}
}

static void read_in(struct file *file, struct dentry *parent,
		    struct gns_listing *l)
{
	struct gns_inode *gi = gns_i(file_inode(file));
	u64 most = (u64)gi->vfs_inode.i_sb->s_bdi->ra_pages << PAGE_SHIFT;
	struct gns_order *o = gns_order_of(gns_i(d_inode(parent)), l);
	struct name_snapshot name;
	enum gns_order_by by;
	u32 end;

	if (!o)
		return;
	most /= max_t(u64, READ_ONCE(gi->size), PAGE_SIZE);
	take_dentry_name_snapshot(&name, file_dentry(file));
	end = rows_read(o, &name.name, min_t(u64, most, FILES_MAX), &by);
	release_dentry_name_snapshot(&name);
	if (end)
		fetch_row(file, parent, o, by, end);
}

void gns_ahead_read(struct file *file)
{
	struct dentry *dentry = file_dentry(file), *parent;
	struct gns_inode *gi = gns_i(file_inode(file));
	struct gns_listing *l;

	if (READ_ONCE(gi->ahead))
		WRITE_ONCE(gi->ahead, false);
	if (file->f_mode & FMODE_RANDOM || IS_ROOT(dentry))
		return;
	parent = dget_parent(dentry);
	l = gns_listing_live(gns_i(d_inode(parent)));
	if (l)
		read_in(file, parent, l);
	gns_listing_free(l);
	dput(parent);
}
