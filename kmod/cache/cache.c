// SPDX-License-Identifier: GPL-2.0
/*
 * The cache of an instance: made by the first mount that names its devices,
 * gone with the last one.
 */
#include <linux/err.h>
#include <linux/fs_context.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "../instance.h"
#include "int.h"

struct bio_set gns_cbios;

void gns_cache_busy(struct gns_cache *c)
{
	atomic_inc(&c->busy);
}

/* Any context. Who waits for the last one frees the cache behind this lock. */
void gns_cache_done(struct gns_cache *c)
{
	unsigned long flags;

	if (atomic_add_unless(&c->busy, -1, 1))
		return;
	spin_lock_irqsave(&c->idle.lock, flags);
	if (atomic_dec_and_test(&c->busy))
		wake_up_all_locked(&c->idle);
	spin_unlock_irqrestore(&c->idle.lock, flags);
}

static void destroy(struct gns_cache *c)
{
	u32 i;

	/* Nobody looks, or says what is to be, from here on. */
	for (i = 0; i < c->nsets; i++)
		gns_csysfs_del_set(c->set[i]);
	for (i = 0; i < c->ndevs; i++)
		if (c->dev[i])
			gns_csysfs_del_dev(c->dev[i]);
	gns_cregion_close_all(c);
	/* Reads and writes under way, and what they seal. */
	wait_event(c->idle, !atomic_read(&c->busy));
	spin_lock_irq(&c->idle.lock);
	spin_unlock_irq(&c->idle.lock);
	if (c->regions_wq)
		destroy_workqueue(c->regions_wq);
	if (c->wq)
		destroy_workqueue(c->wq);
	for (i = 0; i < c->ndevs; i++)
		if (c->dev[i])
			gns_cdev_close(c->dev[i]);
	gns_csets_exit(c);
	gns_csysfs_del(c);
	gns_cindex_exit(c);
	kfree(c->spec);
	kfree(c);
}

static struct gns_cache *make(struct gns_instance *inst, const char *spec,
			      bool verify, struct fs_context *fc)
{
	struct gns_cache *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int err;

	if (!c)
		return ERR_PTR(-ENOMEM);
	err = gns_cindex_init(c);
	if (err) {
		kfree(c);
		return ERR_PTR(err);
	}
	c->inst = inst;
	c->ref = 1;
	c->align = SECTOR_SIZE;
	c->nr = gns_new_nr();
	c->verify = verify;
	spin_lock_init(&c->lock);
	init_waitqueue_head(&c->idle);
	INIT_WORK(&c->prepare, gns_cprepare);
	c->wq = alloc_workqueue("gns_cache", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	c->regions_wq = alloc_workqueue("gns_cache_regions", WQ_UNBOUND, 0);
	c->spec = kstrdup(spec, GFP_KERNEL);
	err = c->wq && c->regions_wq && c->spec ? gns_csysfs_add(c) : -ENOMEM;
	if (!err)
		err = gns_csets_init(c);
	if (!err)
		err = gns_cdevs_join(c, spec, true, fc);
	if (!err)
		err = gns_csets_start(c);
	if (err) {
		destroy(c);
		return ERR_PTR(err);
	}
	gns_cprepare_soon(c);
	return c;
}

struct gns_cache *gns_cache_get(struct gns_instance *inst, const char *spec,
				bool verify, struct fs_context *fc)
{
	struct gns_cache *c;

	if (mutex_lock_killable(&inst->cache_mutex))
		return ERR_PTR(-EINTR);
	c = inst->cache;
	if (c && strcmp(c->spec, spec) && !gns_cache_has(c, spec)) {
		errorfc(fc, "cache=%s: other mounts use cache=%s: give the same",
			spec, c->spec);
		c = ERR_PTR(-EBUSY);
	} else if (c && c->verify != verify) {
		errorfc(fc, "verify=%s: other mounts of this cache have verify=%s: give the same",
			verify ? "all" : "first", c->verify ? "all" : "first");
		c = ERR_PTR(-EBUSY);
	} else if (c) {
		c->ref++;
	} else {
		c = make(inst, spec, verify, fc);
		if (!IS_ERR(c))
			inst->cache = c;
	}
	mutex_unlock(&inst->cache_mutex);
	return c;
}

void gns_cache_put(struct gns_cache *c)
{
	struct gns_instance *inst;

	if (!c)
		return;
	inst = c->inst;
	mutex_lock(&inst->cache_mutex);
	if (!--c->ref) {
		inst->cache = NULL;
		destroy(c);
	}
	mutex_unlock(&inst->cache_mutex);
}

int gns_cache_init(void)
{
	int err;

	gns_cext_cache = kmem_cache_create("gns_cext", sizeof(struct gns_cext),
					   0, 0, NULL);
	if (!gns_cext_cache)
		return -ENOMEM;
	gns_crc_init();
	err = bioset_init(&gns_cbios, BIO_POOL_SIZE,
			  offsetof(struct gns_cbio, bio), BIOSET_NEED_BVECS);
	if (err) {
		gns_crc_exit();
		kmem_cache_destroy(gns_cext_cache);
	}
	return err;
}

void gns_cache_exit(void)
{
	bioset_exit(&gns_cbios);
	gns_crc_exit();
	kmem_cache_destroy(gns_cext_cache);
}
