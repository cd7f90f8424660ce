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

/* c->lock held. What all devices that can be used have. */
static void sum_up(struct gns_cache *c)
{
	struct gns_cdev *d;
	u32 i;

	c->room = 0;
	for (i = 0; i < c->ndevs; i++) {
		d = c->dev[i];
		if (gns_cdev_usable(d))
			c->room += d->geo.regions * d->geo.region_size;
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
	u32 i;

	spin_lock(&c->lock);
	quiet = c->preparing != d && !atomic_long_read(&d->writes);
	for (i = 0; i < d->geo.regions && quiet; i++)
		quiet = d->region[i].state != GNS_CR_OPEN &&
			d->region[i].state != GNS_CR_FULL;
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

/*
 * One more device, and what it has. inst->cache_mutex held, or nobody else knows
 * the cache; sleeps, killable.
 */
int gns_cdev_join(struct gns_cache *c, const char *path, struct fs_context *fc)
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
	c->dev[at] = d;
	c->ndevs = max_t(u32, c->ndevs, at + 1);
	spin_unlock(&c->lock);
	err = gns_cdev_recover(d);
	spin_lock(&c->lock);
	d->joining = false;
	c->align = max(c->align, bdev_logical_block_size(d->bdev));
	sum_up(c);
	spin_unlock(&c->lock);
	/* If somebody kills that, too, there is one that is not used. */
	if (err)
		leave(d);
	return err;
}

/* By any of its names, or by the one that it was given when it is not there. */
static struct gns_cdev *find(struct gns_cache *c, const char *path)
{
	struct gns_cdev *d;
	dev_t dev = 0;
	u32 i;

	if (lookup_bdev(path, &dev))
		dev = 0;
	for (i = 0; i < c->ndevs; i++) {
		d = c->dev[i];
		if (d && (dev ? d->bdev->bd_dev == dev :
				!strcmp(d->path, path)))
			return d;
	}
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

	if (d->out || !d->drain) {
		errorfc(fc, "cache_add=%s: it is in use%s", d->path,
			d->out ? ", and has failed: remove it first" : "");
		return -EBUSY;
	}
	spin_lock(&c->lock);
	d->drain = false;
	sum_up(c);
	spin_unlock(&c->lock);
	return 0;
}

static int drain(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;

	spin_lock(&c->lock);
	d->drain = true;
	gns_cdev_close_open(d);
	sum_up(c);
	spin_unlock(&c->lock);
	return 0;
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
		err = d ? stay(d, fc) : gns_cdev_join(c, path, fc);
	} else if (!d) {
		errorfc(fc, "%s: not a device of this cache", path);
		err = -ENODEV;
	} else {
		err = what == GNS_CACHE_DRAIN ? drain(d) : leave(d);
	}
	gns_cprepare_soon(c);
	mutex_unlock(&c->inst->cache_mutex);
	return err;
}
