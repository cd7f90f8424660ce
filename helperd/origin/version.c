// SPDX-License-Identifier: GPL-2.0
/*
 * Versions: equal means identical, across crashes and restarts.
 *
 * An object that gns never changed is versioned by its ctime. One that it did
 * has a record. Before the first change of a burst the record is marked
 * durably ("may change"); the versions of the burst live in memory; when the
 * object has been quiet, it is made durable and the record says its version
 * and the ctime that goes with it. What is still marked after a crash gets a
 * version above the ceiling, and the ceiling is above all that were handed
 * out, whatever the clock did in between.
 *
 * A host that went down uncleanly may also have lost the newest state of what
 * others wrote to the tree: what changed since the last sync of the tree is
 * lifted to a floor.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "origin/core.h"
#include "proto/cursor.h"

#define VREC_LEN 17u
/* Objects that one record may be about: filesystems that were one. */
#define MEANT_MAX 16u
/* Objects made durable at once. */
#define SETTLE_BATCH 64u

/* @id stands for all handles of its object. */
static struct vrec *vrec_by_id(struct gns_origin *o, const struct gns_fh *id)
{
	struct vrec *r;

	HASH_FIND(hh, o->vrecs, id->b, id->len, r);
	return r;
}

static struct vrec *vrec_find(struct gns_origin *o, const struct gns_fh *fh)
{
	struct gns_fh id;

	view_split(o, fh, &id);
	return vrec_by_id(o, &id);
}

static struct vrec *vrec_add(struct gns_origin *o, const struct gns_fh *id)
{
	struct vrec *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fh = *id;
	HASH_ADD_KEYPTR(hh, o->vrecs, r->fh.b, r->fh.len, r);
	return r;
}

static struct vrec *vrec_make(struct gns_origin *o, const struct gns_fh *fh)
{
	struct gns_fh id;

	view_split(o, fh, &id);
	return vrec_by_id(o, &id) ?: vrec_add(o, &id);
}

static u32 vrec_key(const struct gns_fh *fh, u8 *key)
{
	key[0] = 'V';
	memcpy(key + 1, fh->b, fh->len);
	return fh->len + 1;
}

static void vrec_put(struct gns_origin *o, const struct vrec *r)
{
	u8 key[GNS_DB_KEY_MAX], val[VREC_LEN];
	struct gns_cursor c = { val, val + sizeof(val), false };

	gns_put(&c, r->version, 8);
	gns_put(&c, r->ctime, 8);
	gns_put(&c, r->marked, 1);
	o->db->ops->put(o->db, key, vrec_key(&r->fh, key), val, sizeof(val));
}

static void vrec_delete(struct gns_origin *o, struct vrec *r)
{
	u8 key[GNS_DB_KEY_MAX];

	o->db->ops->put(o->db, key, vrec_key(&r->fh, key), NULL, 0);
	HASH_DELETE(hh, o->vrecs, r);
	free(r);
}

int version_load(struct gns_origin *o, const u8 *key, u32 klen, const u8 *val,
		 u32 vlen)
{
	struct gns_cursor c = { (u8 *)val, (u8 *)val + vlen, false };
	struct gns_fh fh = { .len = klen - 1 };
	struct vrec *r;

	if (klen < 2 || klen - 1 > GNS_FH_MAX || vlen != VREC_LEN)
		return -EINVAL;
	memcpy(fh.b, key + 1, fh.len);
	/* As it stands there, see share_out(). */
	r = vrec_add(o, &fh);
	if (!r)
		return -ENOMEM;
	r->version = gns_take(&c, 8);
	r->ctime = gns_take(&c, 8);
	r->marked = gns_take(&c, 1);
	return 0;
}

/* The version of an object that has no record: another one for each ctime. */
static u64 version_derive(const struct gns_origin *o, s64 ctime)
{
	u64 v = ctime > 0 ? ctime : 1;
	u32 i;

	for (i = 0; i < o->nvfloors; i++)
		if (ctime >= (s64)o->vfloors[i].synced_at)
			v = max_u64(v, o->vfloors[i].floor +
					       (ctime - o->vfloors[i].synced_at));
	return v;
}

u64 version_next(struct gns_origin *o, u64 old)
{
	u64 now = gns_realtime(o->env);

	if (GNS_MUTANT(VERSION_REUSED))
		return max_u64(old + 1, now);
	return max_u64(old + 1, max_u64(o->floor + 1,
					min_u64(now, o->ceiling)));
}

/*
 * Make sure that versions to come are below a durable ceiling, those after
 * @newest, which may be of a file from the future, too. Returns true
 * when it was put into the open batch, which then has to be synced.
 */
bool version_reserve(struct gns_origin *o, u64 newest)
{
	u64 next = max_u64(gns_realtime(o->env),
			   max_u64(o->floor, newest) + 1);
	u8 val[8];
	struct gns_cursor c = { val, val + 8, false };

	if (next + GNS_CEILING_STEP / 2 <= o->ceiling)
		return false;
	o->ceiling = next + GNS_CEILING_STEP;
	gns_put(&c, o->ceiling, 8);
	o->db->ops->put(o->db, "Cceiling", 8, val, 8);
	return true;
}

/*
 * Note durably that @obj may change. *sync is set when the open batch has to
 * be synced before the change. Returns 0 or -ENOMEM: it must not change.
 */
int version_log(struct gns_origin *o, struct obj *obj, bool *sync)
{
	struct vrec *r;

	if (obj->marked || GNS_MUTANT(NO_MARK))
		return 0;
	r = vrec_make(o, &obj->fh);
	if (!r)
		return -ENOMEM;
	r->version = obj->version;
	r->ctime = 0;
	r->marked = true;
	vrec_put(o, r);
	obj->marked = true;
	TAILQ_INSERT_TAIL(&o->settle, obj, settle);
	/* The change may fail, and nobody else would take the mark back. */
	version_settle_later(o, obj);
	*sync = true;
	return 0;
}

/* Somebody changed the object beside gns: late, but better than never. */
static u64 version_behind(struct gns_origin *o, const struct gns_fh *fh,
			  struct obj *obj, u64 old, s64 ctime)
{
	struct vrec *r = vrec_make(o, fh);
	struct lease *l;
	u64 v = version_next(o, old);

	if (!o->fs->ops->own || !o->fs->ops->own(o->fs, fh))
		gns_warn("an exported object was changed beside gns: what satellites have read of it before may be old");
	if (r && !r->marked) {
		r->version = v;
		r->ctime = ctime;
		vrec_put(o, r);
		o->db->ops->commit(o->db, false, NULL, NULL);
	}
	if (obj)
		LIST_FOREACH(l, &obj->leases, by_obj)
			lease_revoke(l);
	return v;
}

/*
 * The version of what @attr shows. @obj, if the table has it, remembers. The
 * caller has made sure that no change ran beside the read of @attr.
 */
u64 version_see(struct gns_origin *o, const struct gns_fh *fh, struct obj *obj,
		const struct gns_attr *attr)
{
	struct vrec *r;
	u64 v;

	if (obj) /* the handle that stands for it: nothing to work out */
		fh = &obj->fh;
	if (obj && obj->version) {
		if (!obj->ctime)
			obj->ctime = attr->ctime;
		if (obj->ctime != attr->ctime) {
			obj->version = version_behind(o, fh, obj, obj->version,
						      attr->ctime);
			obj->ctime = attr->ctime;
		}
		return obj->version;
	}
	r = vrec_find(o, fh);
	if (!r)
		v = version_derive(o, attr->ctime);
	else if (r->marked || r->ctime == attr->ctime)
		v = r->version;
	else
		v = version_behind(o, fh, obj, r->version, attr->ctime);
	if (obj) {
		obj->version = v;
		obj->ctime = attr->ctime;
	}
	return v;
}

/*
 * The last name of @obj seems to be gone, and its version with it. Should its
 * handle work all the same, it must not be seen in an older one: the record
 * stays until the tree has been asked.
 */
void version_gone(struct gns_origin *o, struct obj *obj)
{
	struct vrec *r = vrec_find(o, &obj->fh);

	if (r)
		r->version = max_u64(r->version, obj->version);
	obj->version = 0;
	obj->ctime = 0;
}

/* Is it known how the last change has left @obj? */
bool version_is_seen(const struct obj *obj)
{
	return obj->ctime || obj->gone;
}

/* A change of @obj has ended; its mark can go once it has been quiet. */
void version_settle_later(struct gns_origin *o, struct obj *obj)
{
	if (!obj->marked)
		return;
	obj->quiet_at = gns_boottime(o->env) + o->cfg.settle;
	TAILQ_REMOVE(&o->settle, obj, settle);
	TAILQ_INSERT_TAIL(&o->settle, obj, settle);
	if (!o->settle_timer.at)
		gns_timer_arm(&o->settle_timer, obj->quiet_at);
}

struct settling {
	struct gns_origin *o;
	struct obj *obj;
	u64 gen;
	struct gns_msg ask; /* for a ctime that is not known */
	struct gns_fsop op;
	LIST_ENTRY(settling) link;
};

/*
 * @obj is durable as it is, and gone or of a known ctime: its mark goes, and
 * its record says what it is.
 */
void version_settle_now(struct gns_origin *o, struct obj *obj)
{
	struct vrec *r = vrec_find(o, &obj->fh);

	TAILQ_REMOVE(&o->settle, obj, settle);
	obj->marked = false;
	if (!r)
		return;
	if (obj->gone || obj->version == version_derive(o, obj->ctime) ||
	    GNS_MUTANT(VERSION_FORGOTTEN)) {
		/* Gone, or its ctime says it all. */
		vrec_delete(o, r);
	} else {
		r->version = obj->version;
		r->ctime = obj->ctime;
		r->marked = false;
		vrec_put(o, r);
	}
	o->db->ops->commit(o->db, true, NULL, NULL);
}

static void settle_synced(void *arg, int err)
{
	struct settling *w = arg;
	struct gns_origin *o = w->o;
	struct obj *obj = w->obj;

	if (loss_is(-err))
		loss_note(o, &obj->fh, NULL);
	if (!err && obj->marked && !obj->loss && !obj->owner &&
	    obj->changed_gen == w->gen && version_is_seen(obj))
		version_settle_now(o, obj);
	else if (obj->marked)
		version_settle_later(o, obj);
	obj_put(o, obj);
	LIST_REMOVE(w, link);
	free(w);
}

/* After a crash, or a change whose end nobody saw: how does it look now? */
static void settle_seen(struct gns_fsop *op)
{
	struct settling *w = container_of(op, struct settling, op);
	struct gns_origin *o = w->o;
	struct obj *obj = w->obj;

	if (!obj->owner && obj->changed_gen == w->gen) {
		if (!op->rep.status)
			version_see(o, &obj->fh, obj, &op->self);
		else if (op->rep.status == ESTALE)
			version_gone(o, obj);
		obj->gone = op->rep.status == ESTALE;
	}
	obj_put(o, obj);
	LIST_REMOVE(w, link);
	free(w);
}

static void settle_begin(struct gns_origin *o, struct obj *obj)
{
	struct settling *w = calloc(1, sizeof(*w));

	if (!w)
		return;
	w->o = o;
	w->obj = obj;
	obj_hold(o, obj);
	w->gen = obj->changed_gen;
	LIST_INSERT_HEAD(&o->settling, w, link);
	if (version_is_seen(obj)) {
		o->fs->ops->sync(o->fs, &obj->fh, settle_synced, w);
		return;
	}
	w->ask.type = GNS_GETATTR;
	w->ask.obj.fh = obj->fh;
	w->op.req = &w->ask;
	w->op.done = settle_seen;
	o->fs->ops->submit(o->fs, &w->op);
}

void version_settle_timer(void *arg)
{
	struct gns_origin *o = arg;
	u64 now = gns_boottime(o->env);
	struct obj *obj;
	u32 n = 0;

	while ((obj = TAILQ_FIRST(&o->settle)) && obj->quiet_at <= now &&
	       n++ < SETTLE_BATCH) {
		version_settle_later(o, obj);
		if (!obj->owner && !obj->loss)
			settle_begin(o, obj);
	}
	if (obj)
		gns_timer_arm(&o->settle_timer, max_u64(obj->quiet_at, now + 1));
}

/* @old says something of the object @id, too. */
static int unite(struct gns_origin *o, const struct vrec *old,
		 const struct gns_fh *id)
{
	struct vrec *r = vrec_by_id(o, id) ?: vrec_add(o, id);

	if (!r)
		return -ENOMEM;
	/* Two that were of two objects: the newer one says it all. */
	if (old->version > r->version) {
		r->version = old->version;
		r->ctime = old->ctime;
	}
	r->marked |= old->marked;
	vrec_put(o, r);
	return 0;
}

/* Give @r to all objects that it may be about; @r goes, if it is of none. */
static int share_out(struct gns_origin *o, struct vrec *r)
{
	struct gns_fh id[MEANT_MAX];
	u32 i, n = view_meant(o, &r->fh, id, MEANT_MAX);
	bool stays = !n;
	int err = 0;

	r->absent = !n;
	for (i = 0; i < n && !err; i++) {
		if (gns_fh_eq(&id[i], &r->fh))
			stays = true;
		else
			err = unite(o, r, &id[i]);
	}
	if (!stays && !err)
		vrec_delete(o, r);
	return err;
}

/* All records are loaded, and all views are known. */
static int share_out_all(struct gns_origin *o)
{
	struct vrec *r, *tmp;
	int err = 0;

	HASH_ITER(hh, o->vrecs, r, tmp)
		if (!err)
			err = share_out(o, r);
	return err;
}

/* After loading: what was marked may be anything now. 0 or -ENOMEM. */
int version_recover(struct gns_origin *o)
{
	int err = share_out_all(o);
	struct vrec *r, *tmp;
	struct obj *obj;

	o->floor = o->ceiling;
	HASH_ITER(hh, o->vrecs, r, tmp) {
		if (!r->marked)
			continue;
		r->version = version_next(o, r->version);
		if (!GNS_MUTANT(VERSION_REUSED))
			o->floor = max_u64(o->floor, r->version);
		r->ctime = 0;
		/* Nobody can say how it looks, nor that it is gone. */
		if (r->absent)
			continue;
		obj = obj_get(o, &r->fh);
		if (!obj)
			continue;
		obj->version = r->version;
		obj->marked = true;
		TAILQ_INSERT_TAIL(&o->settle, obj, settle);
		version_settle_later(o, obj);
		obj_put(o, obj);
	}
	return err;
}

void version_drop_all(struct gns_origin *o)
{
	struct vrec *r, *tmp;
	struct settling *w;

	while ((w = LIST_FIRST(&o->settling))) {
		LIST_REMOVE(w, link);
		free(w);
	}
	HASH_ITER(hh, o->vrecs, r, tmp) {
		HASH_DELETE(hh, o->vrecs, r);
		free(r);
	}
}
