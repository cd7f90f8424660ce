// SPDX-License-Identifier: GPL-2.0
/*
 * Small files ahead of their readers; see ahead.h.
 *
 * A file whose pages come is marked, whoever they come for, until it is read to
 * its end: that is when a row goes on. So files in memory cost nothing here.
 */
#include <linux/backing-dev.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/pagemap.h>
#include "ahead.h"
#include "file.h"
#include "fill.h"
#include "lease.h"
#include "listing.h"
#include "order.h"
#include "sets.h"
#include "size.h"

/* In a row before the next one is asked for, behind those that it took to sort. */
#define ROW_MIN 2u
/* Files ahead of the readers, and how many for each that was read in a row. */
#define FILES_MAX 64u
#define FILES_EACH 4u
/* Asked for at a time, so that nobody's read waits for all of them. */
#define BATCH 16u
/* How far from where the others were a read may be, and be in a row with them. */
#define NEAR 32u
/* That do not go on with a row, until it begins anew where they are. */
#define STRAYS_MAX 8u

/* A row as somebody sees it who makes it go on. */
struct going {
	struct gns_order *o;
	enum gns_order_by by;
	u32 end; /* place up to which files are worth being fetched */
	u64 most; /* bytes ahead */
};

/* order->lock held. @at was read, @size bytes. */
static void row_read(struct gns_row *row, u32 at, u64 size)
{
	u32 head = at + 1;

	/* Who comes later than others says nothing of where this goes. */
	if (head <= row->head || head - row->head > NEAR) {
		if (++row->strays < STRAYS_MAX && row->length)
			return;
		*row = (struct gns_row){ .head = at, .to = head };
	}
	row->strays = 0;
	row->length = min(row->length + 1, FILES_MAX);
	row->head = head;
	row->to = max(row->to, head);
	row->bytes = row->to == head ? 0 : row->bytes - min(row->bytes, size);
}

/* @name was read. False: nothing is to be fetched. */
static bool rows_read(struct going *g, const struct qstr *name, u64 size)
{
	struct gns_order *o = g->o;
	const struct gns_row *row;
	u32 at[GNS_ORDERS], by;

	if (!gns_order_find(o, name, at))
		return false;
	spin_lock(&o->lock);
	for (by = 0; by < GNS_ORDERS; by++)
		row_read(&o->row[by], at[by], size);
	g->by = o->row[GNS_ORDER_NAMED].length >=
				o->row[GNS_ORDER_LISTED].length ?
			GNS_ORDER_NAMED :
			GNS_ORDER_LISTED;
	row = &o->row[g->by];
	g->end = 0;
	if (row->length >= ROW_MIN)
		g->end = min(row->head + min(FILES_EACH * row->length, FILES_MAX), o->n);
	spin_unlock(&o->lock);
	return g->end;
}

/* The next one to look at. NULL: there is none, or enough is on its way. */
static const struct gns_entry *row_next(const struct going *g, u32 *at)
{
	struct gns_row *row = &g->o->row[g->by];
	const struct gns_entry *e = NULL;

	spin_lock(&g->o->lock);
	*at = row->to;
	if (*at < g->end && row->bytes < g->most) {
		row->to++;
		e = gns_order_at(g->o, g->by, *at);
	}
	spin_unlock(&g->o->lock);
	return e;
}

/* What is at @at is to be looked at later. */
static void row_back(const struct going *g, u32 at)
{
	struct gns_row *row = &g->o->row[g->by];

	spin_lock(&g->o->lock);
	if (row->to == at + 1)
		row->to = at;
	spin_unlock(&g->o->lock);
}

static void row_fetched(const struct going *g, u64 size)
{
	spin_lock(&g->o->lock);
	g->o->row[g->by].bytes += size;
	spin_unlock(&g->o->lock);
}

/* By what is known here: the origin would refuse it, and be asked in vain. */
static bool may_read(struct file *file, struct inode *inode)
{
	const struct cred *old = override_creds(file->f_cred);
	int err;

	rcu_read_lock();
	err = gns_permission(gns_file_idmap(file), inode,
			     MAY_READ | MAY_NOT_BLOCK);
	rcu_read_unlock();
	revert_creds(old);
	return !err;
}

static bool is_wanted(struct file *file, struct inode *inode)
{
	struct gns_inode *gi = gns_i(inode);
	u64 size = READ_ONCE(gi->size);

	return S_ISREG(inode->i_mode) && !inode->i_mapping->nrpages && size &&
	       size <= GNS_AHEAD_SIZE_MAX && gns_attr_ok(gi) &&
	       may_read(file, inode);
}

/* Bytes that are on their way now. */
static u64 fetch(struct file *file, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	struct file_ra_state ra = { .ra_pages = inode->i_sb->s_bdi->ra_pages };
	struct gns_inode *gi = gns_i(inode);
	DEFINE_READAHEAD(rac, file, &ra, inode->i_mapping, 0);
	u64 size = READ_ONCE(gi->size);

	gns_size_show(gi);
	if (i_size_read(inode) == GNS_SIZE_HIDDEN)
		return 0;
	/* Who has it open has said which name counts. */
	if (!READ_ONCE(gi->opens))
		gns_set_use(dentry);
	page_cache_sync_ra(&rac, DIV_ROUND_UP(size, PAGE_SIZE));
	if (!READ_ONCE(gi->ahead))
		return 0;
	gns_count(gns_isb(inode), GNS_C_FILES_AHEAD, 1);
	return size;
}

/*
 * What the VFS knows behind the name will do: nobody is shown it who does not
 * look the name up himself. False: it knows nothing, by now; who looks up the
 * names before it will be told of many.
 */
static bool fetch_entry(struct file *file, struct dentry *parent,
			const struct gns_entry *e, u64 *bytes)
{
	struct qstr name = QSTR_INIT(e->name, e->namelen);
	struct dentry *dentry;

	*bytes = 0;
	if (e->type != DT_REG && e->type != DT_UNKNOWN)
		return true;
	name.hash = full_name_hash(parent, name.name, name.len);
	dentry = d_lookup(parent, &name);
	if (!dentry)
		return false;
	if (d_really_is_positive(dentry) && is_wanted(file, d_inode(dentry)))
		*bytes = fetch(file, dentry);
	dput(dentry);
	return true;
}

static void fetch_row(struct file *file, struct dentry *parent,
		      const struct going *g)
{
	struct gns_sb *gsb = gns_isb(file_inode(file));
	const struct gns_entry *e;
	u64 bytes;
	u32 n, at;

	for (n = 0; n < BATCH; n++) {
		if (fatal_signal_pending(current) || gns_fill_full(gsb))
			return;
		e = row_next(g, &at);
		if (!e)
			return;
		if (!fetch_entry(file, parent, e, &bytes)) {
			row_back(g, at);
			return;
		}
		row_fetched(g, bytes);
		cond_resched();
	}
}

static void read_in(struct file *file, struct dentry *parent,
		    struct gns_listing *l)
{
	struct gns_inode *gi = gns_i(file_inode(file));
	struct going g = {
		.o = gns_order_of(gns_i(d_inode(parent)), l),
		.most = (u64)gi->vfs_inode.i_sb->s_bdi->ra_pages << PAGE_SHIFT,
	};
	struct name_snapshot name;
	bool goes_on;

	if (!g.o)
		return;
	take_dentry_name_snapshot(&name, file_dentry(file));
	goes_on = rows_read(&g, &name.name, READ_ONCE(gi->size));
	release_dentry_name_snapshot(&name);
	if (goes_on)
		fetch_row(file, parent, &g);
}

void gns_ahead_goes_on(struct file *file)
{
	struct dentry *dentry = file_dentry(file), *parent;
	struct gns_listing *l;

	WRITE_ONCE(gns_i(file_inode(file))->ahead, false);
	if (file->f_mode & FMODE_RANDOM || IS_ROOT(dentry))
		return;
	parent = dget_parent(dentry);
	l = gns_listing_live(gns_i(d_inode(parent)));
	if (l)
		read_in(file, parent, l);
	gns_listing_free(l);
	dput(parent);
}
