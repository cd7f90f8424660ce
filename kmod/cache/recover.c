// SPDX-License-Identifier: GPL-2.0
/*
 * What a device has, from its feet and tables: all that is in memory of it.
 */
#include <linux/list_sort.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "int.h"

/* One extent of a table; all of its numbers have been judged. */
static int recover_extent(struct gns_cregion *r, struct gns_cobj *obj,
			  const struct gns_media_extent *e)
{
	u32 len = le32_to_cpu(e->len);
	struct gns_cext *x;

	x = gns_cext_new(obj, le64_to_cpu(e->off) / GNS_MEDIA_BLOCK,
			 len / GNS_MEDIA_BLOCK);
	if (!x)
		return -ENOMEM;
	gns_cext_place(x, r, le32_to_cpu(e->at), le32_to_cpu(e->sum));
	x->unsure = true;
	if (le64_to_cpu(e->off) / GNS_MEDIA_BLOCK > U32_MAX - x->len)
		return 0;
	/* The newest is the likeliest to be granted. */
	gns_cobj_turn(obj, le64_to_cpu(e->version), true);
	gns_cext_add(x, le64_to_cpu(e->version));
	return 0;
}

static int keep_sums(struct gns_cregion *r, const struct gns_media_life *life,
		     const void *sums)
{
	r->sums = kvmalloc_array(life->sums, sizeof(*r->sums), GFP_KERNEL);
	if (!r->sums)
		return -ENOMEM;
	memcpy(r->sums, sums, life->sums * sizeof(*r->sums));
	return 0;
}

/* All extents of a table; those of one object mostly lie side by side. */
static int recover_extents(struct gns_cregion *r,
			   const struct gns_media_extent *e, u32 n)
{
	struct gns_cobj *obj = NULL;
	int err = 0;

	for (; n && !err; n--, e++) {
		if (!obj || memcmp(obj->key, e->obj, sizeof(e->obj))) {
			gns_cobj_put(obj);
			obj = gns_cobj_by_key(r->dev->cache, e->obj);
			if (!obj)
				return -ENOMEM;
		}
		err = recover_extent(r, obj, e);
	}
	gns_cobj_put(obj);
	return err;
}

static int recover_table(struct gns_cregion *r,
			 const struct gns_media_life *life)
{
	u64 len = gns_media_table_len(life->extents, life->sums);
	u32 all = ALIGN(len, GNS_MEDIA_BLOCK);
	struct gns_media_extent *e = kvmalloc(all, GFP_KERNEL);
	const char *why = "it can not be read";
	struct gns_cset *set;
	int err = -ENOMEM;

	if (!e)
		return err;
	err = gns_cdev_rw(r->dev, REQ_OP_READ,
			  gns_media_region_at(&r->dev->geo, r->nr) +
				  life->table,
			  e, all);
	if (!err)
		err = gns_media_table_check(e, life, &why);
	if (err) {
		pr_warn_ratelimited("gns: cache %s: region %u is given up: %s\n",
				    r->dev->path, r->nr, why);
		err = 0;
		goto out;
	}
	if (r->dev->cache->verify) {
		err = keep_sums(r, life, e + life->extents);
		if (err)
			goto out;
	}
	set = gns_cset_found(r->dev->cache, le64_to_cpu(e->set));
	if (!set) {
		err = -ENOMEM;
		goto out;
	}
	r->count = life->extents;
	r->nsums = life->sums;
	r->end = life->table;
	r->table_at = life->table;
	err = recover_extents(r, e, life->extents);
	spin_lock(&r->dev->cache->lock);
	r->state = GNS_CR_SEALED;
	gns_cregion_assign(r, set);
	list_move_tail(&r->link, &set->sealed[r->dev->index]);
	spin_unlock(&r->dev->cache->lock);
out:
	kvfree(e);
	return err;
}

static int by_age(void *priv, const struct list_head *a,
		  const struct list_head *b)
{
	return list_entry(a, struct gns_cregion, link)->seq >
	       list_entry(b, struct gns_cregion, link)->seq;
}

/* As they were written; nobody else has one of this device yet. */
static void sort_sealed(struct gns_cdev *d)
{
	struct gns_cache *c = d->cache;
	u32 i, n;

	spin_lock(&c->lock);
	n = c->nsets;
	spin_unlock(&c->lock);
	for (i = 0; i < n; i++)
		list_sort(NULL, &c->set[i]->sealed[d->index], by_age);
}

/*
 * What the feet and tables say; others may read from other devices meanwhile, and
 * from what has been found here. A region that can not be used is free; only the
 * lack of memory is an error.
 */
int gns_cdev_recover(struct gns_cdev *d)
{
	void *block = (void *)__get_free_page(GFP_KERNEL);
	struct gns_media_life life;
	struct gns_cregion *r;
	const char *why;
	int err = 0;
	u32 i;

	if (!block)
		return -ENOMEM;
	for (i = 0; i < d->geo.regions && !err; i++) {
		/* Who waits for it was killed. */
		if (READ_ONCE(d->out)) {
			err = -EINTR;
			break;
		}
		cond_resched();
		r = &d->region[i];
		if (gns_cdev_rw(d, REQ_OP_READ,
				gns_media_foot_at(&d->geo, i), block,
				GNS_MEDIA_BLOCK) ||
		    gns_media_foot_check(block, &d->geo, i, &life, &why))
			continue;
		d->seq = max(d->seq, life.seq);
		r->seq = life.seq;
		/* Beyond that it is as if it had not been sealed. */
		if (life.sealed && gns_cregion_memory(d->cache))
			err = recover_table(r, &life);
	}
	sort_sealed(d);
	free_page((unsigned long)block);
	return err;
}
