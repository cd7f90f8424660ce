// SPDX-License-Identifier: GPL-2.0
/*
 * Small files ahead of their readers; see ahead.h.
 *
 * Several readers may go through a directory at a time, each taking the next
 * file: what is read is in the order of the listing only roughly. So a file
 * counts as one in a row that is found near to where the others were; and after
 * some that were not, the row is looked for at the start of the listing again.
 *
 * A file that was fetched so is marked. Its first read finds its pages, and
 * asks for more all the same.
 */
#include <linux/backing-dev.h>
#include <linux/dcache.h>
#include "ahead.h"
#include "lease.h"
#include "listing.h"
#include "sets.h"
#include "size.h"

/* In a row before the next one is asked for. */
#define ROW_MIN 3u
/* Files ahead of the readers; two for each that was read in a row. */
#define FILES_MAX 64u
/* Asked for at a time, so that nobody's read waits for all of them. */
#define BATCH 8u
/* How far behind the first of the readers the last one may be. */
#define LAG 32u
/* Elsewhere in the directory, until the row is taken for ended. */
#define STRAYS_MAX 8u

/* run->lock held. */
static void row_ends(struct gns_run *run)
{
	run->from = (struct gns_place){};
	run->to = (struct gns_place){};
	run->head = 0;
	run->length = 0;
	run->strays = 0;
}

/*
 * run->lock held. Moves @at behind @name if that is near. In a row who does not
 * read as others do may come by all that is there already.
 */
static bool find_near(const struct gns_listing *l, const struct qstr *name,
		      struct gns_place *at)
{
	u64 end = max(l->run.head, l->run.to.index) + LAG;
	const struct gns_entry *e;

	while (at->index < end) {
		e = gns_listing_next(l, at);
		if (!e)
			return false;
		if (e->namelen == name->len &&
		    !memcmp(e->name, name->name, name->len))
			return true;
	}
	return false;
}

/*
 * @name is read. Returns up to which index files are worth being fetched if
 * each has @size bytes; 0: none.
 */
static u64 row_goes_on(struct gns_listing *l, const struct qstr *name,
		       u64 size, u64 most)
{
	struct gns_run *run = &l->run;
	struct gns_place at;
	u64 files, end = 0;

	spin_lock(&run->lock);
	at = run->from;
	if (!find_near(l, name, &at)) {
		if (++run->strays == STRAYS_MAX)
			row_ends(run);
		goto out;
	}
	run->strays = 0;
	run->length = min(run->length + 1, FILES_MAX);
	run->head = max(run->head, at.index);
	if (run->to.index < at.index)
		run->to = at;
	while (run->from.index + LAG < run->head &&
	       gns_listing_next(l, &run->from))
		;
	files = min_t(u64, 2 * run->length, most / max_t(u64, size, 1));
	if (run->length >= ROW_MIN)
		end = run->head + min_t(u64, files, FILES_MAX);
out:
	spin_unlock(&run->lock);
	return end;
}

/* The next one to look at, behind @at and before @end. NULL: there is none. */
static const struct gns_entry *row_next(struct gns_listing *l, u64 end,
					struct gns_place *at)
{
	const struct gns_entry *e = NULL;

	spin_lock(&l->run.lock);
	*at = l->run.to;
	if (at->index < end)
		e = gns_listing_next(l, &l->run.to);
	spin_unlock(&l->run.lock);
	return e;
}

/* What is behind @at is to be looked at later. */
static void row_back(struct gns_listing *l, const struct gns_place *at)
{
	spin_lock(&l->run.lock);
	if (l->run.to.index == at->index + 1)
		l->run.to = *at;
	spin_unlock(&l->run.lock);
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
		      struct gns_listing *l, u64 end)
{
	const struct gns_entry *e;
	struct gns_place at;
	u32 n;

	/* The one that is waited for comes first. */
	fetch(file, file_inode(file));
	for (n = 0; n < BATCH; n++) {
		e = row_next(l, end, &at);
		if (!e)
			return;
		if ((e->type == DT_REG || e->type == DT_UNKNOWN) &&
		    !fetch_entry(file, parent, e)) {
			row_back(l, &at);
			return;
		}
		cond_resched();
	}
}

void gns_ahead_read(struct file *file)
{
	struct dentry *dentry = file_dentry(file), *parent;
	struct gns_inode *gi = gns_i(file_inode(file));
	u64 most = (u64)gi->vfs_inode.i_sb->s_bdi->ra_pages << PAGE_SHIFT, end;
	struct name_snapshot name;
	struct gns_listing *l;

	if (READ_ONCE(gi->ahead))
		WRITE_ONCE(gi->ahead, false);
	if (file->f_mode & FMODE_RANDOM || IS_ROOT(dentry))
		return;
	parent = dget_parent(dentry);
	l = gns_listing_live(gns_i(d_inode(parent)));
	if (l) {
		take_dentry_name_snapshot(&name, dentry);
		end = row_goes_on(l, &name.name, READ_ONCE(gi->size), most);
		release_dentry_name_snapshot(&name);
		if (end)
			fetch_row(file, parent, l, end);
		gns_listing_free(l);
	}
	dput(parent);
}
