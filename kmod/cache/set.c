// SPDX-License-Identifier: GPL-2.0
/*
 * Data sets: whose the bytes are that are kept, and what each may have. An export
 * is one, as mounted from an origin, and a tree in it can be made another one.
 */
#include <crypto/blake2s.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include "int.h"

/* What is taken for the length of a read until there were some. */
#define MEAN_BEGIN (256u << 10)
/* Chunks that make the mean. */
#define MEAN_OF 64ull
/* Entries of what was missed, at most: 16 MiB. */
#define MISSED_MAX 4194304ull
/* Reads of chunks between two looks at what each may have. */
#define SHARE_EVERY 256u
/* Who was not read for so many times the chunks that there are has gone. */
#define GONE_AFTER 3u
/* Of whatever has no other one: where there are too many. */
#define ID_REST 0ull

static u64 mean_of(const struct gns_cset *s)
{
	return max_t(u64, s->mean, GNS_MEDIA_BLOCK);
}

static u64 largest_region(const struct gns_cache *c)
{
	u64 size = 0;
	u32 i;

	for (i = 0; i < c->ndevs; i++)
		if (c->dev[i])
			size = max(size, c->dev[i]->geo.region_size);
	return size;
}

/*
 * Bytes that a set would like to have, with some more, for they are estimated;
 * c->lock held. Of one that was found on the devices it is not known what is in
 * use until that was read: as much as it has.
 */
static u64 need(const struct gns_cset *s)
{
	u64 size, chunks = s->cache->room / mean_of(s), ahead = 0;

	if (!s->policy)
		return s->pin ? s->held : 0;
	/* Of one that is to stay there is always a region ready for the next. */
	if (s->pin)
		ahead = largest_region(s->cache);
	size = gns_pset_size(s->policy);
	if (!s->pin && s->cache->now - s->last > GONE_AFTER * (chunks + size))
		return 0;
	if (check_mul_overflow(size + size / 8, mean_of(s), &size))
		size = U64_MAX;
	if (s->pin || s->policy->now < 2 * s->held / mean_of(s))
		size = max(size, s->held);
	if (check_add_overflow(size, ahead, &size))
		size = U64_MAX;
	return s->quota ? min(size, s->quota) : size;
}

/* c->lock held. First who is pinned, then the others, see gns_policy_share(). */
void gns_csets_share(struct gns_cache *c)
{
	u64 left = c->room;
	struct gns_cset *s;
	u32 i, n = 0;

	lockdep_assert_held(&c->lock);
	for (i = 0; i < c->nsets; i++) {
		s = c->set[i];
		s->share = need(s);
		if (s->pin) {
			s->share = min(s->share, left);
			left -= s->share;
		} else if (s->share) {
			c->needs[n++] = s->share;
		}
	}
	if (!n)
		return;
	gns_policy_share(c->needs, c->shares, n, left);
	for (i = 0, n = 0; i < c->nsets; i++) {
		s = c->set[i];
		if (s->pin || !s->share)
			continue;
		s->share = c->shares[n++];
		if (s->quota)
			s->share = min(s->share, s->quota);
	}
}

/* The key's bits are as good as random; each place needs others. */
static u64 hash_of(const struct gns_cobj *obj, u64 nr)
{
	u64 hash;

	memcpy(&hash, obj->key, sizeof(hash));
	return hash_64(hash ^ nr * GOLDEN_RATIO_64, 64);
}

/* c->lock held. Who has no place in the table is judged with the others. */
static struct gns_cset *judged_by(const struct gns_cobj *obj)
{
	struct gns_cset *s = gns_cobj_cset(obj);

	return s->policy ? s : obj->cache->set[0];
}

/*
 * A chunk is read, the clock of all that. Of the first ones the mean is as it is:
 * what seems to fit is let in.
 */
static void read_chunk(struct gns_cset *s, u64 hash, s64 chunk, u64 room)
{
	struct gns_cache *c = s->cache;

	s->mean += (chunk - (s64)s->mean) /
		   (s64)min(s->policy->now + 1, MEAN_OF);
	if (!(c->now++ % SHARE_EVERY) || s->policy->now < 2)
		gns_csets_share(c);
	gns_pset_seen(s->policy, hash, room);
}

/*
 * Who reads here and there reads a chunk with as many bytes as it has. By no lock:
 * there may be a million such reads a second, and some are lost between two
 * processors.
 */
static bool is_whole(struct gns_cobj *obj, u32 len, u32 chunk)
{
	u32 credit = READ_ONCE(obj->credit) + len;
	bool whole = credit >= chunk;

	WRITE_ONCE(obj->credit, whole ? credit - chunk : credit);
	return whole;
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
	bool whole = !(pos % GNS_MEDIA_EXTENT_MAX);
	bool goes_on = !whole && pos == READ_ONCE(obj->next);
	struct gns_cache *c = obj->cache;
	struct gns_cset *s;
	s64 chunk;

	WRITE_ONCE(obj->next, pos + len);
	if (goes_on)
		return;
	chunk = min_t(u64, GNS_MEDIA_EXTENT_MAX,
		      size - nr * GNS_MEDIA_EXTENT_MAX);
	if (!whole)
		whole = is_whole(obj, len, chunk);
	if (!whole && !missed)
		return;
	spin_lock(&c->lock);
	s = judged_by(obj);
	s->last = c->now;
	room = s->share / mean_of(s);
	if (missed)
		WRITE_ONCE(obj->again,
			   gns_pmissed_before(&s->missed, hash_of(obj, ~pos),
					      room));
	if (whole)
		read_chunk(s, hash_of(obj, nr), chunk, room);
	spin_unlock(&c->lock);
}

static void free_set(struct gns_cset *s)
{
	kvfree(s->policy);
	kfree(s->name);
	kfree(s);
}

static struct gns_cset *new_set(struct gns_cache *c, u64 id)
{
	struct gns_cset *s = kzalloc(sizeof(*s), GFP_KERNEL);
	u32 i;

	if (!s)
		return NULL;
	s->cache = c;
	s->id = id;
	s->mean = MEAN_BEGIN;
	for (i = 0; i < GNS_CDEVS_MAX; i++)
		INIT_LIST_HEAD(&s->sealed[i]);
	return s;
}

static struct gns_cset *find(struct gns_cache *c, u64 id)
{
	u32 i;

	for (i = 0; i < c->nsets; i++)
		if (c->set[i]->id == id)
			return c->set[i];
	return NULL;
}

static struct gns_cset *add(struct gns_cache *c, u64 id)
{
	struct gns_cset *s = new_set(c, id);

	if (!s)
		return NULL;
	s->index = c->nsets;
	if (gns_csysfs_add_set(s)) {
		free_set(s);
		return NULL;
	}
	spin_lock(&c->lock);
	c->set[c->nsets++] = s;
	spin_unlock(&c->lock);
	return s;
}

/*
 * The set of that id, made if it is not there; the first one when there are too
 * many. Sleeps. NULL: no memory.
 */
struct gns_cset *gns_cset_found(struct gns_cache *c, u64 id)
{
	struct gns_cset *s;

	mutex_lock(&c->sets_mutex);
	s = find(c, id);
	if (!s)
		s = c->nsets < GNS_CSETS_MAX ? add(c, id) : c->set[0];
	mutex_unlock(&c->sets_mutex);
	return s;
}

/* Somebody reads it from now on. inst->cache_mutex held. */
static int come(struct gns_cset *s, const char *name)
{
	struct gns_pset *policy = NULL;
	char *copy = NULL;

	if (!s->name) {
		copy = kstrdup(name, GFP_KERNEL);
		if (!copy)
			return -ENOMEM;
	}
	if (!s->policy) {
		policy = kvmalloc(sizeof(*policy), GFP_KERNEL);
		if (!policy) {
			kfree(copy);
			return -ENOMEM;
		}
		gns_pset_init(policy);
	}
	spin_lock(&s->cache->lock);
	if (copy)
		s->name = copy;
	if (policy)
		s->policy = policy;
	s->missed.slot = s->cache->missed;
	s->missed.slots = s->cache->nmissed;
	s->last = s->cache->now;
	spin_unlock(&s->cache->lock);
	return 0;
}

/* Before the first device. */
int gns_csets_init(struct gns_cache *c)
{
	mutex_init(&c->sets_mutex);
	return gns_cset_found(c, ID_REST) ? 0 : -ENOMEM;
}

/*
 * Behind the first devices: what was missed has as many slots as there are chunks
 * in the cache, more or less.
 */
int gns_csets_start(struct gns_cache *c)
{
	u64 chunks = clamp(c->room / MEAN_BEGIN, 1024ull, MISSED_MAX);

	c->nmissed = rounddown_pow_of_two(chunks);
	c->missed = kvcalloc(c->nmissed, sizeof(*c->missed), GFP_KERNEL);
	return c->missed ? come(c->set[0], "-") : -ENOMEM;
}

void gns_csets_exit(struct gns_cache *c)
{
	u32 i;

	for (i = 0; i < c->nsets; i++)
		free_set(c->set[i]);
	kvfree(c->missed);
}

/* What a set may have. 0; -EINVAL: less than a region of each device. */
int gns_cset_limit(struct gns_cset *s, const struct gns_climit *limit)
{
	struct gns_cache *c = s->cache;

	spin_lock(&c->lock);
	if (limit->has_quota && limit->quota &&
	    limit->quota < largest_region(c)) {
		spin_unlock(&c->lock);
		return -EINVAL;
	}
	if (limit->has_quota)
		s->quota = limit->quota;
	if (limit->has_pin) {
		s->pin = limit->pin;
		s->wants |= s->pin;
	}
	gns_csets_share(c);
	spin_unlock(&c->lock);
	gns_cprepare_soon(c);
	return 0;
}

/* inst->cache_mutex held. */
static struct gns_cset *use(struct gns_cache *c, u64 id, const char *name)
{
	struct gns_cset *s = gns_cset_found(c, id);
	int err = s ? come(s, name) : -ENOMEM;

	return err ? ERR_PTR(err) : s;
}

int gns_cset_of_export(struct gns_cache *c, const char *name,
		       const struct gns_climit *limit)
{
	struct blake2s_state hash;
	struct gns_cset *s;
	u64 id;
	int err;

	blake2s_init(&hash, sizeof(id));
	blake2s_update(&hash, name, strlen(name));
	blake2s_final(&hash, (u8 *)&id);
	if (mutex_lock_killable(&c->inst->cache_mutex))
		return -EINTR;
	s = use(c, id, name);
	mutex_unlock(&c->inst->cache_mutex);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (!limit->has_quota && !limit->has_pin)
		return s->index;
	if (!s->index)
		return -ENOSPC;
	err = gns_cset_limit(s, limit);
	return err ?: s->index;
}

void gns_cset_limits(struct gns_cache *c, int set, struct gns_climit *limit)
{
	struct gns_cset *s = c->set[set];

	spin_lock(&c->lock);
	*limit = (struct gns_climit){ .has_quota = s->quota,
				      .quota = s->quota,
				      .has_pin = s->pin,
				      .pin = s->pin };
	spin_unlock(&c->lock);
}

static u64 tree_id(const u8 *key)
{
	u64 id;

	memcpy(&id, key, sizeof(id));
	return id;
}

int gns_cset_of_tree(struct gns_cache *c, const char *origin,
		     const struct gns_fh *fh, const char *name,
		     const struct gns_climit *limit)
{
	u8 key[GNS_MEDIA_OBJ_LEN];
	struct gns_cset *s;
	int err;

	gns_cobj_name(origin, fh, key);
	if (mutex_lock_killable(&c->inst->cache_mutex))
		return -EINTR;
	if (c->nsets == GNS_CSETS_MAX && !find(c, tree_id(key)))
		s = ERR_PTR(-ENOSPC);
	else
		s = use(c, tree_id(key), name);
	if (!IS_ERR(s) && !s->tree) {
		s->tree = true;
		/* Behind it: who sees that finds the set. */
		smp_store_release(&c->ntrees, c->ntrees + 1);
	}
	mutex_unlock(&c->inst->cache_mutex);
	if (IS_ERR(s))
		return PTR_ERR(s);
	err = gns_cset_limit(s, limit);
	return err ?: s->index;
}

int gns_cset_find_tree(struct gns_cache *c, const char *origin,
		       const struct gns_fh *fh)
{
	u8 key[GNS_MEDIA_OBJ_LEN];
	struct gns_cset *s;
	int ret = 0;

	if (!READ_ONCE(c->ntrees))
		return 0;
	gns_cobj_name(origin, fh, key);
	spin_lock(&c->lock);
	s = find(c, tree_id(key));
	if (s && s->tree)
		ret = s->index;
	spin_unlock(&c->lock);
	return ret;
}

u32 gns_cache_trees(const struct gns_cache *c)
{
	/* Who sees one more finds its set. */
	return smp_load_acquire(&c->ntrees);
}

void gns_cobj_use_set(struct gns_cobj *obj, int set)
{
	if (READ_ONCE(obj->set) != set)
		WRITE_ONCE(obj->set, set);
}
