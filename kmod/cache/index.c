// SPDX-License-Identifier: GPL-2.0
/*
 * Which bytes of which object are kept where.
 */
#include <crypto/blake2s.h>
#include <linux/slab.h>
#include "int.h"

/* Extents that are forgotten under one lock. */
#define TURN_BATCH 512u

struct kmem_cache *gns_cext_cache;

static const struct rhashtable_params params = {
	.head_offset = offsetof(struct gns_cobj, by_key),
	.key_offset = offsetof(struct gns_cobj, key),
	.key_len = GNS_MEDIA_OBJ_LEN,
	.automatic_shrinking = true,
};

int gns_cindex_init(struct gns_cache *c)
{
	return rhashtable_init(&c->objs, &params);
}

void gns_cindex_exit(struct gns_cache *c)
{
	rhashtable_destroy(&c->objs);
}

/* The one in the table is going if its last reference is: another one then. */
struct gns_cobj *gns_cobj_by_key(struct gns_cache *c, const u8 *key)
{
	struct gns_cobj *obj, *old;

	rcu_read_lock();
	obj = rhashtable_lookup(&c->objs, key, params);
	if (obj && refcount_inc_not_zero(&obj->ref)) {
		rcu_read_unlock();
		return obj;
	}
	rcu_read_unlock();
	obj = kzalloc(sizeof(*obj), GFP_NOFS);
	if (!obj)
		return NULL;
	memcpy(obj->key, key, sizeof(obj->key));
	refcount_set(&obj->ref, 1);
	obj->cache = c;
	spin_lock_init(&obj->lock);
	obj->extents = RB_ROOT;
	for (;;) {
		rcu_read_lock();
		old = rhashtable_lookup_get_insert_fast(&c->objs, &obj->by_key,
							params);
		if (!old || IS_ERR(old) || refcount_inc_not_zero(&old->ref)) {
			rcu_read_unlock();
			break;
		}
		rcu_read_unlock();
		cond_resched(); /* until it has left the table */
	}
	if (!old)
		return obj;
	kfree(obj);
	return IS_ERR(old) ? NULL : old;
}

/* Two origins can not have one name for two objects, whatever they try. */
void gns_cobj_name(const char *origin, const struct gns_fh *fh, u8 *key)
{
	struct blake2s_state hash;

	blake2s_init(&hash, GNS_MEDIA_OBJ_LEN);
	blake2s_update(&hash, origin, strlen(origin) + 1);
	blake2s_update(&hash, fh->b, fh->len);
	blake2s_final(&hash, key);
}

struct gns_cobj *gns_cobj_get(struct gns_cache *cache, const char *origin,
			      const struct gns_fh *fh)
{
	u8 key[GNS_MEDIA_OBJ_LEN];

	gns_cobj_name(origin, fh, key);
	return gns_cobj_by_key(cache, key);
}

void gns_cobj_put(struct gns_cobj *obj)
{
	if (!obj || !refcount_dec_and_test(&obj->ref))
		return;
	rhashtable_remove_fast(&obj->cache->objs, &obj->by_key, params);
	kfree_rcu(obj, rcu);
}

struct gns_cext *gns_cext_new(struct gns_cobj *obj, u32 off, u16 len)
{
	struct gns_cext *x = kmem_cache_alloc(gns_cext_cache, GFP_NOFS);

	if (!x)
		return NULL;
	memset(x, 0, sizeof(*x));
	RB_CLEAR_NODE(&x->node);
	refcount_inc(&obj->ref);
	atomic_long_inc(&obj->cache->extents);
	x->obj = obj;
	x->off = off;
	x->len = len;
	return x;
}

void gns_cext_free(struct gns_cext *x)
{
	struct gns_cobj *obj = x->obj;

	atomic_long_dec(&obj->cache->extents);
	kmem_cache_free(gns_cext_cache, x);
	gns_cobj_put(obj);
}

static struct gns_cext *of_node(struct rb_node *node)
{
	return rb_entry_safe(node, struct gns_cext, node);
}

static void forget(struct gns_cext *x)
{
	if (RB_EMPTY_NODE(&x->node))
		return;
	rb_erase(&x->node, &x->obj->extents);
	RB_CLEAR_NODE(&x->node);
	atomic_sub(x->len, &gns_cext_region(x)->live);
}

void gns_cext_drop(struct gns_cext *x)
{
	spin_lock(&x->obj->lock);
	forget(x);
	spin_unlock(&x->obj->lock);
}

/* The one that has block @off, or the first one behind it; obj->lock held. */
static struct gns_cext *first_from(struct gns_cobj *obj, u32 off)
{
	struct rb_node *node = obj->extents.rb_node;
	struct gns_cext *x, *best = NULL;

	while (node) {
		x = of_node(node);
		if (x->off + x->len > off) {
			best = x;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

struct gns_cext *gns_cext_find(struct gns_cobj *obj, u32 off)
{
	struct gns_cext *x = first_from(obj, off);

	lockdep_assert_held(&obj->lock);
	return x && x->off <= off ? x : NULL;
}

static void insert(struct gns_cext *x)
{
	struct rb_node **link = &x->obj->extents.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = x->off < of_node(parent)->off ? &parent->rb_left :
						       &parent->rb_right;
	}
	rb_link_node(&x->node, parent, link);
	rb_insert_color(&x->node, &x->obj->extents);
	atomic_add(x->len, &gns_cext_region(x)->live);
}

/*
 * What is kept from now on is of @version: what there is of another one goes.
 * There may be a great many; until they are gone nothing is found, or added. With
 * @newer: only if it is newer than what is kept.
 */
void gns_cobj_turn(struct gns_cobj *obj, u64 version, bool newer)
{
	struct gns_cext *x;
	u32 n = 0;

	spin_lock(&obj->lock);
	if (obj->version == version || (newer && obj->version > version)) {
		spin_unlock(&obj->lock);
		return;
	}
	obj->version = 0;
	while ((x = of_node(rb_first(&obj->extents)))) {
		forget(x);
		if (++n % TURN_BATCH)
			continue;
		spin_unlock(&obj->lock);
		cond_resched();
		spin_lock(&obj->lock);
	}
	obj->version = version;
	spin_unlock(&obj->lock);
}

/*
 * @x is on its device, as of @version, which may not be wanted any more. Bytes
 * of one version are the same wherever they lie: what overlaps goes.
 */
void gns_cext_add(struct gns_cext *x, u64 version)
{
	struct gns_cobj *obj = x->obj;
	struct gns_cext *old;

	spin_lock(&obj->lock);
	if (version == obj->version) {
		while ((old = first_from(obj, x->off)) &&
		       old->off < x->off + x->len)
			forget(old);
		insert(x);
	}
	spin_unlock(&obj->lock);
}

void gns_cpieces_unpin(const struct gns_cpiece *piece, u32 n)
{
	while (n)
		gns_cregion_unpin(gns_cext_region(piece[--n].x));
}

/* What they have on a device that can not be read is not asked for again. */
void gns_cpieces_drop(const struct gns_cpiece *piece, u32 n,
		      const struct gns_cdev *d)
{
	struct gns_cext *x = NULL;

	while (n--) {
		if (gns_cext_region(piece[n].x)->dev != d)
			continue;
		x = piece[n].x;
		gns_cext_drop(x);
	}
	if (x)
		pr_err_ratelimited("gns: cache %s: can not be read in region %u; what it had is fetched again\n",
				   d->path, gns_cext_region(x)->nr);
}

/*
 * More pieces, for the bytes from @pos to @end, behind the @n that there are;
 * obj->lock held. Returns where they end: what follows is not kept, or @max of
 * them are not enough.
 */
u64 gns_cext_map(struct gns_cobj *obj, struct gns_cpiece *piece, u32 *n,
		 u32 max, u64 pos, u64 end)
{
	struct gns_cpiece *p;
	struct gns_cext *x;

	while (pos < end) {
		p = *n ? &piece[*n - 1] : NULL;
		x = gns_cext_find(obj, pos / GNS_MEDIA_BLOCK);
		if (!x || (*n == max && p->x != x))
			break;
		if (!p || p->x != x) {
			p = &piece[(*n)++];
			*p = (struct gns_cpiece){ .x = x, .pos = pos };
			atomic_inc(&gns_cext_region(x)->pins);
			WRITE_ONCE(x->visited, true);
		}
		pos = min(end, (u64)(x->off + (u64)x->len) * GNS_MEDIA_BLOCK);
		p->len = pos - p->pos;
	}
	return pos;
}

/* How far from @pos on all is kept of @version; @end at most. */
u64 gns_cext_present(struct gns_cobj *obj, u64 version, u64 pos, u64 end)
{
	struct gns_cext *x;

	spin_lock(&obj->lock);
	while (obj->version == version && pos < end) {
		x = gns_cext_find(obj, pos / GNS_MEDIA_BLOCK);
		if (!x)
			break;
		pos = ((u64)x->off + x->len) * GNS_MEDIA_BLOCK;
	}
	spin_unlock(&obj->lock);
	return min(pos, end);
}

/* How far from @pos on nothing is kept of @version; @end at most. */
u64 gns_cext_absent(struct gns_cobj *obj, u64 version, u64 pos, u64 end)
{
	struct gns_cext *x = NULL;

	spin_lock(&obj->lock);
	if (obj->version == version)
		x = first_from(obj, min_t(u64, pos / GNS_MEDIA_BLOCK, U32_MAX));
	if (x)
		end = clamp_t(u64, (u64)x->off * GNS_MEDIA_BLOCK, pos, end);
	spin_unlock(&obj->lock);
	return end;
}
