// SPDX-License-Identifier: GPL-2.0
/*
 * The cache of an instance: made by the first mount that names its devices,
 * gone with the last one.
 */
#include <linux/err.h>
#include <linux/fs_context.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "../instance.h"
#include "int.h"

struct bio_set gns_cbios;

static DEFINE_MUTEX(caches_mutex); /* inst->cache, and cache->ref */

/* What is taken for the length of a read until there were some. */
#define MEAN_BEGIN (256u << 10)
/* Chunks that make the mean. */
#define MEAN_OF 64ull
/* Entries of what was missed, at most: 16 MiB. */
#define MISSED_MAX 4194304ull

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

/* The key's bits are as good as random; each place needs others. */
static u64 hash_of(const struct gns_cobj *obj, u64 nr)
{
	u64 hash;

	memcpy(&hash, obj->key, sizeof(hash));
	return hash_64(hash ^ nr * GOLDEN_RATIO_64, 64);
}

/*
 * Somebody reads these bytes, of a file of @size, whether they are kept or not.
 * A chunk is what one extent may have; who goes on in it reads it once. Whether
 * it was @missed a moment ago is asked of where he began.
 */
void gns_cache_note(struct gns_cobj *obj, u64 pos, u32 len, u64 size,
		    bool missed)
{
	u64 nr = pos / GNS_MEDIA_EXTENT_MAX, room;
	bool goes_on = pos % GNS_MEDIA_EXTENT_MAX &&
		       pos == READ_ONCE(obj->next);
	struct gns_cache *c = obj->cache;
	s64 chunk;

	WRITE_ONCE(obj->next, pos + len);
	if (goes_on)
		return;
	chunk = min_t(u64, GNS_MEDIA_EXTENT_MAX,
		      size - nr * GNS_MEDIA_EXTENT_MAX);
	spin_lock(&c->lock);
	/* Of the first ones as it is: what seems to fit is let in. */
	c->mean += (chunk - (s64)c->mean) /
		   (s64)min(c->policy->now + 1, MEAN_OF);
	room = c->room / max(c->mean, 4096ull);
	gns_pset_seen(c->policy, hash_of(obj, nr), room);
	if (missed)
		WRITE_ONCE(obj->again,
			   gns_pmissed_before(&c->missed,
					      hash_of(obj, ~pos), room));
	spin_unlock(&c->lock);
}

static void destroy(struct gns_cache *c)
{
	u32 i;

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
		gns_cdev_close(c->dev[i]);
	gns_cindex_exit(c);
	kvfree(c->policy);
	kvfree(c->missed.slot);
	kfree(c->spec);
	kfree(c);
}

/* As many as there are chunks in the cache, more or less. */
static int make_missed(struct gns_cache *c)
{
	u64 chunks = clamp(c->room / MEAN_BEGIN, 1024ull, MISSED_MAX);

	c->missed.slots = rounddown_pow_of_two(chunks);
	c->missed.slot = kvcalloc(c->missed.slots, sizeof(*c->missed.slot),
				  GFP_KERNEL);
	return c->missed.slot ? 0 : -ENOMEM;
}

static int open_all(struct gns_cache *c, struct fs_context *fc)
{
	char *copy = kstrdup(c->spec, GFP_KERNEL), *rest = copy, *path;
	struct gns_cdev *d;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (path = strsep(&rest, ":"))) {
		if (c->ndevs == GNS_CDEVS_MAX) {
			err = invalfc(fc, "cache=: more than %u devices",
				      GNS_CDEVS_MAX);
			break;
		}
		d = gns_cdev_open(c, path, fc);
		if (IS_ERR(d)) {
			err = PTR_ERR(d);
			break;
		}
		c->dev[c->ndevs++] = d;
		c->room += d->geo.regions * d->geo.region_size;
		c->align = max(c->align, bdev_logical_block_size(d->bdev));
		err = gns_cdev_recover(d);
	}
	kfree(copy);
	return err;
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
	c->mean = MEAN_BEGIN;
	c->verify = verify;
	spin_lock_init(&c->lock);
	init_waitqueue_head(&c->idle);
	INIT_WORK(&c->prepare, gns_cregion_prepare);
	c->wq = alloc_workqueue("gns_cache", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	c->regions_wq = alloc_workqueue("gns_cache_regions", WQ_UNBOUND, 0);
	c->spec = kstrdup(spec, GFP_KERNEL);
	c->policy = kvmalloc(sizeof(*c->policy), GFP_KERNEL);
	err = c->wq && c->regions_wq && c->spec && c->policy ? 0 : -ENOMEM;
	if (!err) {
		gns_pset_init(c->policy);
		err = open_all(c, fc);
	}
	if (!err)
		err = make_missed(c);
	if (err) {
		destroy(c);
		return ERR_PTR(err);
	}
	queue_work(c->regions_wq, &c->prepare);
	return c;
}

struct gns_cache *gns_cache_get(struct gns_instance *inst, const char *spec,
				bool verify, struct fs_context *fc)
{
	struct gns_cache *c;

	if (mutex_lock_killable(&caches_mutex))
		return ERR_PTR(-EINTR);
	c = inst->cache;
	if (c && strcmp(c->spec, spec)) {
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
	mutex_unlock(&caches_mutex);
	return c;
}

void gns_cache_put(struct gns_cache *c)
{
	if (!c)
		return;
	mutex_lock(&caches_mutex);
	if (!--c->ref) {
		c->inst->cache = NULL;
		destroy(c);
	}
	mutex_unlock(&caches_mutex);
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
