// SPDX-License-Identifier: GPL-2.0
/*
 * Devices come and go while the cache is used.
 */
#include <linux/fs_context.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "../instance.h"
#include "int.h"

/* How often it is looked whether the last one has let go of a device. */
#define LOOK_MS 20

/* A bio has failed; any context. */
void gns_cdev_error(struct gns_cdev *d)
{
	if (atomic_inc_return(&d->errors) == gns_cdev_errors_max(d))
		gns_cprepare_soon(d->cache);
}

/*
 * c->lock held. What all devices that can be used have, and who has how much of
 * that: what is elsewhere is nobody's gain. The alignment is that of all devices.
 */
static void sum_up(struct gns_cache *c)
{
	struct gns_cset *s;
	struct gns_cdev *d;
	u32 i, k;

	c->room = 0;
	c->align = SECTOR_SIZE;
	for (i = 0; i < c->nsets; i++)
		c->set[i]->held = 0;
	for (i = 0; i < c->ndevs; i++) {
		d = c->dev[i];
		if (d)
			c->align = max(c->align,
				       bdev_logical_block_size(d->bdev));
		if (!gns_cdev_usable(d))
			continue;
		c->room += d->geo.regions * d->geo.region_size;
		for (k = 0; k < d->geo.regions; k++) {
			s = d->region[k].set;
			if (s)
				s->held += d->geo.region_size;
		}
	}
	gns_csets_share(c);
}

/*
 * Nothing is written to it, and nobody asks what it has: each time would be for
 * nothing. Its regions stay as they are.
 */
void gns_cdev_out(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;

	spin_lock(&c->lock);
	d->out = true;
	gns_cdev_close_open(d);
	sum_up(c);
	spin_unlock(&c->lock);
	/* Whoever waits for it to have time. */
	wake_up_all(&c->idle);
}

/* What it has is not found any more. Sleeps. */
void gns_cdev_forget(struct gns_cdev *d)
{
	struct gns_cext *x;
	u32 i;

	for (i = 0; i < d->geo.regions; i++) {
		for (x = READ_ONCE(d->region[i].ext); x; x = x->next)
			gns_cext_drop(x);
		cond_resched();
	}
	d->emptied = true;
}

/* Nobody writes to it, prepares it, or seals one of its regions. */
static bool is_quiet(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;
	bool quiet;

	spin_lock(&c->lock);
	quiet = c->preparing != d && !atomic_long_read(&d->writes) &&
		!d->nwritten;
	spin_unlock(&c->lock);
	return quiet;
}

/* Nobody reads from it; who comes now finds nothing there. */
static bool is_unread(struct gns_cdev *d)
{
	u32 i;

	for (i = 0; i < d->geo.regions; i++)
		if (atomic_read(&d->region[i].pins))
			return false;
	return true;
}

static int wait_until(struct gns_cdev *d, bool (*is)(struct gns_cdev *d))
{
	while (!is(d)) {
		schedule_timeout_killable(msecs_to_jiffies(LOOK_MS));
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* False: prepare is just about to see that it has nothing to do here. */
static bool take_off(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;
	bool off;
	u32 i;

	spin_lock(&c->lock);
	off = c->preparing != d;
	if (off)
		c->dev[d->index] = NULL;
	/* Nothing of it is anybody's any more. */
	for (i = 0; i < d->geo.regions && off; i++) {
		gns_cregion_assign(&d->region[i], NULL);
		list_del_init(&d->region[i].link);
	}
	sum_up(c);
	spin_unlock(&c->lock);
	return off;
}

/* -EINTR: it is out, but somebody still reads from it or writes to it. */
static int leave(struct gns_cdev *d)
{
	int err;

	gns_cdev_out(d);
	err = wait_until(d, is_quiet);
	if (err)
		return err;
	gns_cdev_forget(d);
	err = wait_until(d, is_unread);
	if (err)
		return err;
	gns_csysfs_del_dev(d);
	while (!take_off(d))
		schedule_timeout_uninterruptible(1);
	gns_cdev_close(d);
	return 0;
}

/* The index of a place for one more; -ENOSPC. */
static int find_place(struct gns_cache *c, struct fs_context *fc)
{
	u32 i;

	for (i = 0; i < GNS_CDEVS_MAX; i++)
		if (!c->dev[i])
			return i;
	errorfc(fc, "cache: more than %u devices", GNS_CDEVS_MAX);
	return -ENOSPC;
}

/** struct join - a device that comes */
struct join {
	struct work_struct work;
	struct completion done;
	struct gns_cdev *d;
	int err;
};

static void join_work(struct work_struct *work)
{
	struct join *j = container_of(work, struct join, work);

	j->err = gns_cdev_recover(j->d);
	complete(&j->done);
}

/* It is opened, and in its place; nothing is known of it yet. */
static int begin_join(struct gns_cache *c, struct join *j, const char *path,
		      struct fs_context *fc)
{
	int err, at = find_place(c, fc);
	struct gns_cdev *d;

	if (at < 0)
		return at;
	d = gns_cdev_open(c, at, path, fc);
	if (IS_ERR(d))
		return PTR_ERR(d);
	err = gns_csysfs_add_dev(d);
	if (err) {
		gns_cdev_close(d);
		return err;
	}
	spin_lock(&c->lock);
	/* Before anything of it can be found. */
	c->align = max(c->align, bdev_logical_block_size(d->bdev));
	c->dev[at] = d;
	c->ndevs = max_t(u32, c->ndevs, at + 1);
	spin_unlock(&c->lock);
	j->d = d;
	init_completion(&j->done);
	INIT_WORK(&j->work, join_work);
	queue_work(c->regions_wq, &j->work);
	return 0;
}

/* @err: of those before it, which are not to stay then. */
static int end_join(struct join *j, int err)
{
	if (!err && wait_for_completion_killable(&j->done))
		err = -EINTR;
	if (err) {
		WRITE_ONCE(j->d->out, true);
		wait_for_completion(&j->done);
	}
	return err ?: j->err;
}

static void stay_joined(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;

	spin_lock(&c->lock);
	d->joining = false;
	sum_up(c);
	spin_unlock(&c->lock);
	/* Whoever waits for a device that has time. */
	wake_up_all(&c->idle);
}

/*
 * "/dev/a[:/dev/b...]" if it is a @list, all of them at once: each drive says by
 * itself what it has. All or none. inst->cache_mutex held, or nobody else knows
 * the cache; sleeps, killable.
 */
int gns_cdevs_join(struct gns_cache *c, const char *spec, bool list,
		   struct fs_context *fc)
{
	char *copy = kstrdup(spec, GFP_KERNEL), *rest = copy, *path;
	struct join *j;
	u32 n = 0, i;
	int err = 0;

	j = kcalloc(GNS_CDEVS_MAX, sizeof(*j), GFP_KERNEL);
	if (!j || !copy)
		err = -ENOMEM;
	while (!err && (path = strsep(&rest, list ? ":" : ""))) {
		err = begin_join(c, &j[n], path, fc);
		n += !err;
	}
	for (i = 0; i < n; i++)
		err = end_join(&j[i], err);
	for (i = 0; i < n; i++) {
		/* If somebody kills that, too, there is one that is not used. */
		if (err)
			leave(j[i].d);
		else
			stay_joined(j[i].d);
	}
	kfree(j);
	kfree(copy);
	return err;
}

/* By any of its names, or, if it is not there any more, by the one it was given. */
static struct gns_cdev *find(struct gns_cache *c, const char *path)
{
	struct gns_cdev *d;
	dev_t dev = 0;
	u32 i;

	if (lookup_bdev(path, &dev))
		dev = 0;
	for (i = 0; i < c->ndevs; i++) {
		d = c->dev[i];
		if (d && dev && d->bdev->bd_dev == dev)
			return d;
	}
	for (i = 0; i < c->ndevs; i++)
		if (c->dev[i] && !strcmp(c->dev[i]->path, path))
			return c->dev[i];
	return NULL;
}

bool gns_cache_has(struct gns_cache *c, const char *spec)
{
	char *copy = kstrdup(spec, GFP_KERNEL), *rest = copy, *path;
	bool has = copy;

	while (has && (path = strsep(&rest, ":")))
		has = find(c, path);
	kfree(copy);
	return has;
}

/* One that was to go stays. */
static int stay(struct gns_cdev *d, struct fs_context *fc)
{
	struct gns_cache *c = d->cache;
	u32 i;

	if (d->out || !d->drain) {
		errorfc(fc, "cache_add=%s: it is in use%s", d->path,
			d->out ? ", and has failed: remove it first" : "");
		return -EBUSY;
	}
	spin_lock(&c->lock);
	d->drain = false;
	for (i = 0; i < d->geo.regions; i++) {
		d->region[i].found = U32_MAX;
		d->region[i].tries = 0;
	}
	sum_up(c);
	spin_unlock(&c->lock);
	/* Whoever waits for a device that has time. */
	wake_up_all(&c->idle);
	return 0;
}

static int drain(struct gns_cdev *d, struct fs_context *fc)
{
	struct gns_cache *c = d->cache;
	bool others = false;
	u32 i;

	if (d->out) {
		errorfc(fc, "cache_drain=%s: it has failed: remove it", d->path);
		return -EIO;
	}
	spin_lock(&c->lock);
	for (i = 0; i < c->ndevs; i++)
		others |= c->dev[i] != d && gns_cdev_usable(c->dev[i]);
	if (others) {
		d->drain = true;
		gns_cdev_close_open(d);
		sum_up(c);
	}
	spin_unlock(&c->lock);
	if (others)
		return 0;
	errorfc(fc, "cache_drain=%s: there is no other device: add one, or remove it",
		d->path);
	return -ENOSPC;
}

int gns_cache_change(struct gns_cache *c, enum gns_cache_change what,
		     const char *path, struct fs_context *fc)
{
	struct gns_cdev *d;
	int err;

	if (mutex_lock_killable(&c->inst->cache_mutex))
		return -EINTR;
	d = find(c, path);
	if (what == GNS_CACHE_ADD) {
		err = d ? stay(d, fc) : gns_cdevs_join(c, path, false, fc);
	} else if (!d) {
		errorfc(fc, "%s: not a device of this cache", path);
		err = -ENODEV;
	} else {
		err = what == GNS_CACHE_DRAIN ? drain(d, fc) : leave(d);
	}
	gns_cprepare_soon(c);
	mutex_unlock(&c->inst->cache_mutex);
	return err;
}
