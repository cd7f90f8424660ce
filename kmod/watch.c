// SPDX-License-Identifier: GPL-2.0
/*
 * What others change is told to who watches it here; see watch.h.
 */
#include <linux/fsnotify.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>
#include "lease.h"
#include "listing.h"
#include "watch.h"

/* How often a lease is asked for that is revoked again, and how soon. */
#define TRIES 20u
#define PAUSE_MS 100

/** struct seen - an object, as known at one time */
struct seen {
	u64 version;
	s64 size;
	struct timespec64 mtime;
	struct timespec64 ctime;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	u32 nlink;
};

/**
 * struct gns_watch - an inode with a reference, and what was known of it
 * @work:  finds out what is known now
 * @gi:    its
 * @seen:  before the change
 * @names: before the change, complete; NULL: not known, or no directory
 * @tries: so far
 */
struct gns_watch {
	struct delayed_work work;
	struct gns_inode *gi;
	struct seen seen;
	struct gns_listing *names;
	u32 tries;
};

static struct workqueue_struct *wq;

static bool has_marks(const struct inode *inode)
{
#ifdef CONFIG_FSNOTIFY
	return READ_ONCE(inode->i_fsnotify_mask);
#else
	return false;
#endif
}

static bool is_watched(struct inode *inode)
{
	struct dentry *dentry;
	bool ret;

	if (!gns_sb_watched(inode->i_sb))
		return false;
	if (has_marks(inode))
		return true;
	dentry = d_find_any_alias(inode);
	ret = dentry && dentry->d_flags & DCACHE_FSNOTIFY_PARENT_WATCHED;
	dput(dentry);
	return ret;
}

/* False: not known. */
static bool see(struct gns_inode *gi, struct seen *seen)
{
	struct inode *inode = &gi->vfs_inode;
	bool ok;

	spin_lock(&gi->lock);
	ok = gi->attr_ok && gi->version;
	*seen = (struct seen){
		.version = gi->version,
		.size = gi->size,
		.mtime = inode_get_mtime(inode),
		.ctime = inode_get_ctime(inode),
		.uid = inode->i_uid,
		.gid = inode->i_gid,
		.mode = inode->i_mode,
		.nlink = inode->i_nlink,
	};
	spin_unlock(&gi->lock);
	return ok;
}

static void watch_free(struct gns_watch *w)
{
	struct gns_sb *gsb = gns_isb(&w->gi->vfs_inode);

	gns_listing_free(w->names);
	iput(&w->gi->vfs_inode);
	kfree(w);
	if (atomic_dec_and_test(&gsb->watches))
		wake_up_var(&gsb->watches);
}

static void tell(struct inode *inode, u32 mask)
{
	struct dentry *dentry = d_find_any_alias(inode);

	if (dentry)
		fsnotify_dentry(dentry, mask);
	else
		fsnotify_inode(inode, mask);
	dput(dentry);
}

static void tell_name(struct inode *dir, const struct gns_entry *e, u32 mask,
		      u32 cookie)
{
	char text[GNS_UNAME_MAX + 1];
	struct qstr name = QSTR_INIT(text, e->namelen);

	/* An entry has no end mark, and inotify wants one. */
	memcpy(text, e->name, e->namelen);
	text[e->namelen] = '\0';
	/* Of what it meant, or means, there need be nothing here. */
	fsnotify_name(mask | (e->type == DT_DIR ? FS_ISDIR : 0), dir,
		      FSNOTIFY_EVENT_INODE, dir, &name, cookie);
}

/* A name by another, of the same object, is a move. */
static bool tell_moved(struct inode *dir, const struct gns_entry *from,
		       struct gns_names *made)
{
	const struct gns_entry *to;
	u32 i, cookie;

	for (i = 0; i < made->n; i++) {
		to = made->entry[i];
		if (!to || to->ino != from->ino || to->type != from->type)
			continue;
		cookie = fsnotify_get_cookie();
		tell_name(dir, from, FS_MOVED_FROM, cookie);
		tell_name(dir, to, FS_MOVED_TO, cookie);
		made->entry[i] = NULL;
		return true;
	}
	return false;
}

static void tell_names(struct inode *dir, struct gns_listing *old,
		       struct gns_listing *new)
{
	struct gns_names gone, made;
	bool few;
	u32 i;

	if (gns_names_differ(old, new, GNS_WATCH_NAMES, &gone, &made)) {
		tell(dir, FS_ATTRIB);
		return;
	}
	/* Each of the one is compared with each of the other. */
	few = (u64)gone.n * made.n <= GNS_WATCH_NAMES;
	for (i = 0; i < gone.n; i++)
		if (!few || !tell_moved(dir, gone.entry[i], &made))
			tell_name(dir, gone.entry[i], FS_DELETE, 0);
	for (i = 0; i < made.n; i++)
		if (made.entry[i])
			tell_name(dir, made.entry[i], FS_CREATE, 0);
	gns_names_free(&gone);
	gns_names_free(&made);
}

static bool same_time(const struct timespec64 *a, const struct timespec64 *b)
{
	return timespec64_equal(a, b);
}

static void tell_self(struct inode *inode, const struct seen *old,
		      const struct seen *new)
{
	bool bytes = old->size != new->size ||
		     !same_time(&old->mtime, &new->mtime);
	u32 mask = 0;

	if (bytes && S_ISREG(inode->i_mode))
		mask |= FS_MODIFY;
	/* A directory's bytes are its names. */
	if (!uid_eq(old->uid, new->uid) || !gid_eq(old->gid, new->gid) ||
	    old->mode != new->mode ||
	    (old->nlink != new->nlink && !S_ISDIR(inode->i_mode)) ||
	    (!bytes && !same_time(&old->ctime, &new->ctime)))
		mask |= FS_ATTRIB;
	if (mask)
		tell(inode, mask);
}

/* Ask behind the change. Return: 0; -EAGAIN: it is not leased; -ESTALE: gone. */
static int look_again(struct gns_watch *w, struct seen *now,
		      struct gns_listing **names)
{
	struct gns_inode *gi = w->gi;
	int err;

	err = gns_lease_get(gi, GNS_UWANT_LEASE | GNS_UWANT_TURN,
			    current_cred(), NULL);
	if (err)
		return err;
	/* Of a directory also for the next time. */
	if (S_ISDIR(gi->vfs_inode.i_mode))
		*names = gns_listing_fetch(&gi->vfs_inode, GNS_WATCH_NAMES,
					   true);
	return gns_lease_ok(gi) && see(gi, now) ? 0 : -EAGAIN;
}

static void tell_all(struct gns_watch *w, const struct seen *now,
		     struct gns_listing *names)
{
	struct inode *inode = &w->gi->vfs_inode;

	if (now->version == w->seen.version)
		return;
	if (!now->nlink) {
		fsnotify_inoderemove(inode);
		return;
	}
	tell_self(inode, &w->seen, now);
	if (!S_ISDIR(inode->i_mode))
		return;
	if (w->names && names)
		tell_names(inode, w->names, names);
	else if (!same_time(&w->seen.mtime, &now->mtime))
		tell(inode, FS_ATTRIB);
}

static void again(struct gns_watch *w)
{
	queue_delayed_work(wq, &w->work, msecs_to_jiffies(PAUSE_MS));
}

/*
 * A REVOKE that came while this looked was left to it: then what is known by
 * now is what the next look compares with.
 */
static bool missed(struct gns_watch *w, const struct seen *now,
		   struct gns_listing *names)
{
	struct gns_inode *gi = w->gi;

	/* A REVOKE takes the lease off before it looks at this. */
	smp_store_mb(gi->watched, 0);
	if (gns_lease_ok(gi) && READ_ONCE(gi->version) == now->version)
		return false;
	if (cmpxchg(&gi->watched, 0, 1))
		return false;
	gns_listing_free(w->names);
	w->names = names;
	w->seen = *now;
	w->tries = 0;
	return true;
}

static void watch_work(struct work_struct *work)
{
	struct gns_watch *w = container_of(to_delayed_work(work),
					   struct gns_watch, work);
	struct inode *inode = &w->gi->vfs_inode;
	struct gns_listing *names = NULL;
	struct seen now;
	int err;

	err = look_again(w, &now, &names);
	if (err == -EAGAIN && ++w->tries < TRIES &&
	    !READ_ONCE(gns_isb(inode)->dead)) {
		gns_listing_free(names);
		again(w);
		return;
	}
	if (!err) {
		tell_all(w, &now, names);
		if (missed(w, &now, names)) {
			again(w);
			return;
		}
	} else {
		WRITE_ONCE(w->gi->watched, 0);
		if (err == -ESTALE)
			fsnotify_inoderemove(inode);
	}
	gns_listing_free(names);
	watch_free(w);
}

static void ready_work(struct work_struct *work)
{
	struct gns_watch *w = container_of(to_delayed_work(work),
					   struct gns_watch, work);

	gns_watch_ready(&w->gi->vfs_inode);
	watch_free(w);
}

static struct gns_watch *watch_new(struct gns_inode *gi)
{
	struct inode *inode = &gi->vfs_inode;
	struct gns_watch *w = kzalloc(sizeof(*w), GFP_NOFS);

	if (!w || !igrab(inode)) {
		kfree(w);
		return NULL;
	}
	w->gi = gi;
	atomic_inc(&gns_isb(inode)->watches);
	return w;
}

struct gns_watch *gns_watch_note(struct gns_inode *gi)
{
	struct inode *inode = &gi->vfs_inode;
	struct gns_watch *w;
	struct seen seen;

	if (!is_watched(inode) || !see(gi, &seen) ||
	    cmpxchg(&gi->watched, 0, 1))
		return NULL;
	w = watch_new(gi);
	if (!w) {
		WRITE_ONCE(gi->watched, 0);
		return NULL;
	}
	w->seen = seen;
	if (S_ISDIR(inode->i_mode))
		w->names = gns_listing_whole(gi, NULL);
	return w;
}

void gns_watch_renew(struct gns_inode *gi)
{
	struct gns_watch *w;

	if (!has_marks(&gi->vfs_inode))
		return;
	w = watch_new(gi);
	if (!w)
		return;
	INIT_DELAYED_WORK(&w->work, ready_work);
	again(w);
}

void gns_watch_look(struct gns_watch *w)
{
	if (!w)
		return;
	INIT_DELAYED_WORK(&w->work, watch_work);
	queue_delayed_work(wq, &w->work, 0);
}

void gns_watch_ready(struct inode *dir)
{
	gns_listing_free(gns_listing_fetch(dir, GNS_WATCH_NAMES, false));
}

void gns_watch_drain(struct gns_sb *gsb)
{
	wait_var_event(&gsb->watches, !atomic_read(&gsb->watches));
}

int gns_watch_init(void)
{
	wq = alloc_workqueue("gns-watch", WQ_UNBOUND, 0);
	return wq ? 0 : -ENOMEM;
}

void gns_watch_exit(void)
{
	destroy_workqueue(wq);
}
