// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: why a change never runs twice.
 *
 * A satellite's kernel instance numbers its changes per slot. The newest one
 * of each slot is remembered with its answer, over sessions, connections and
 * restarts: its intent is in the store before it runs, its answer after.
 * Answers of one object are put there before the next change of that object
 * says its intent, so an intent without an answer is always the last thing
 * that was done to its objects, and recover.c can find out whether it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "origin/core.h"
#include "proto/cursor.h"

#define INSTANCES_MAX 4096u
#define REC_DONE 0u
#define REC_INTENT 1u
#define REC_UNKNOWN 2u

static void slot_free(struct gns_origin *o, struct slot *sl)
{
	slot_set_state(o, sl, SLOT_DONE);
	free(sl->reply);
	free(sl);
}

static u32 slot_key(const struct slot *sl, u8 *key)
{
	key[0] = 'S';
	memcpy(key + 1, sl->inst->id.b, GNS_ID_LEN);
	key[1 + GNS_ID_LEN] = sl->nr;
	return 2 + GNS_ID_LEN;
}

static void instance_free(struct gns_origin *o, struct instance *inst,
			  bool for_good)
{
	u8 key[GNS_DB_KEY_MAX];
	u32 i;

	for (i = 0; i < GNS_SLOTS; i++) {
		if (!inst->slots[i])
			continue;
		if (for_good)
			o->db->ops->put(o->db, key,
					slot_key(inst->slots[i], key), NULL, 0);
		slot_free(o, inst->slots[i]);
	}
	HASH_DELETE(hh, o->insts, inst);
	free(inst);
}

struct instance *instance_find(struct gns_origin *o, const struct gns_id *id)
{
	struct instance *inst;

	HASH_FIND(hh, o->insts, id->b, GNS_ID_LEN, inst);
	return inst;
}

static struct instance *instance_new(struct gns_origin *o,
				     const struct gns_id *id)
{
	struct instance *inst = calloc(1, sizeof(*inst));

	if (!inst)
		return NULL;
	inst->id = *id;
	HASH_ADD(hh, o->insts, id, sizeof(inst->id), inst);
	return inst;
}

/* Make room by forgetting the instance that has been away for longest. */
static void instance_shrink(struct gns_origin *o)
{
	struct instance *i, *tmp, *old = NULL;

	if (HASH_COUNT(o->insts) < INSTANCES_MAX)
		return;
	HASH_ITER(hh, o->insts, i, tmp)
		if (!i->sessions && (!old || i->used_at < old->used_at))
			old = i;
	if (old)
		instance_free(o, old, true);
}

/* The instance, with one more session; *known: its slots are remembered. */
struct instance *instance_get(struct gns_origin *o, const struct gns_id *id,
			      bool *known)
{
	struct instance *inst = instance_find(o, id);

	*known = inst;
	if (!inst) {
		instance_shrink(o);
		inst = instance_new(o, id);
	}
	if (inst)
		inst->sessions++;
	return inst;
}

/* The last reference of a session to it is gone; slots stay for retries. */
void instance_put(struct gns_origin *o, struct instance *inst)
{
	if (!--inst->sessions)
		inst->used_at = gns_realtime(o->env);
}

struct slot *slot_get(struct instance *inst, u32 nr)
{
	struct slot *sl = inst->slots[nr];

	if (sl)
		return sl;
	sl = calloc(1, sizeof(*sl));
	if (!sl)
		return NULL;
	sl->inst = inst;
	sl->nr = nr;
	inst->slots[nr] = sl;
	return sl;
}

void slot_set_state(struct gns_origin *o, struct slot *sl,
		    enum slot_state state)
{
	if (sl->state == SLOT_REDO)
		TAILQ_REMOVE(&o->redo, sl, redo);
	sl->state = state;
	if (state == SLOT_REDO)
		TAILQ_INSERT_TAIL(&o->redo, sl, redo);
}

static void slot_put(struct gns_origin *o, const struct slot *sl, u8 rec,
		     const struct change *c, const struct gns_msg *msg)
{
	static const struct gns_fh none;
	u8 key[GNS_DB_KEY_MAX], val[GNS_DB_VAL_MAX];
	struct gns_cursor cur = { val, val + sizeof(val), false };
	u32 i;
	int n;

	gns_put(&cur, sl->seq, 8);
	gns_put(&cur, rec, 1);
	gns_put(&cur, sl->hash, 8);
	for (i = 0; i < 2; i++) {
		const struct gns_fh *fh = &none;

		if (c && i < c->nchild)
			fh = &c->child[i];
		else if (c && c->redo && !c->nchild)
			fh = &sl->fh[i]; /* not looked up again yet */
		gns_put(&cur, fh->len, 1);
		gns_put_bytes(&cur, fh->b, fh->len);
	}
	if (msg) {
		struct gns_msg m = *msg;

		m.payload = NULL;
		m.payload_len = 0;
		n = gns_msg_encode(&m, cur.p, cur.end - cur.p);
		if (n < 0) {
			gns_err("a change is too large for the log: %s",
				strerror(-n));
			return;
		}
		cur.p += n;
	}
	o->db->ops->put(o->db, key, slot_key(sl, key), val, cur.p - val);
}

void slot_log_intent(struct change *c)
{
	slot_put(c->o, c->slot, REC_INTENT, c, c->req);
}

void slot_log_done(struct gns_origin *o, struct slot *sl)
{
	if (!GNS_MUTANT(NO_INTENT))
		slot_put(o, sl, REC_DONE, NULL, sl->reply);
}

/* Nobody can tell whether the newest change of @sl ran. */
void slot_unknown(struct gns_origin *o, struct slot *sl)
{
	slot_set_state(o, sl, SLOT_UNKNOWN);
	slot_put(o, sl, REC_UNKNOWN, NULL, NULL);
}

/* The change of @sl has not run and will not: as if it had never come. */
void slot_not_run(struct gns_origin *o, struct slot *sl)
{
	if (sl->change && sl->change->overtaken) {
		slot_set_state(o, sl, SLOT_UNKNOWN);
	} else if (sl->change && sl->change->redo) {
		slot_set_state(o, sl, SLOT_REDO);
		slot_put(o, sl, REC_INTENT, sl->change, sl->change->req);
	} else {
		sl->seq--;
		slot_set_state(o, sl, SLOT_DONE);
		slot_put(o, sl, REC_DONE, NULL, NULL);
	}
	sl->change = NULL;
	o->db->ops->commit(o->db, false, NULL, NULL);
}

/* Does the change that @sl remembers run on @obj when it runs again? */
static bool redoes(struct gns_origin *o, const struct slot *sl,
		   const struct obj *obj)
{
	return view_means(o, &sl->fh[0], obj) || view_means(o, &sl->fh[1], obj);
}

static bool shares(const struct change *c, const struct change *w)
{
	u32 i, k;

	for (i = 0; i < c->nobj; i++) {
		if (c->obj[i] == c->from)
			continue;
		/* A name may not have been looked up again yet. */
		if (redoes(c->o, w->slot, c->obj[i]))
			return true;
		for (k = 0; k < w->nobj; k++)
			if (c->obj[i] == w->obj[k])
				return true;
	}
	return false;
}

static void overtake(struct gns_origin *o, const struct change *c,
		     struct change_list *list)
{
	struct change *w;

	TAILQ_FOREACH(w, list, link) {
		if (w == c || !w->redo || !shares(c, w))
			continue;
		w->overtaken = true;
		slot_put(o, w->slot, REC_UNKNOWN, NULL, NULL);
	}
}

/*
 * @c is about to be logged, and then seen in its objects. An older change of
 * them whose fate at a crash is open can not be run again after this one; the
 * same batch says so, or another crash would forget it.
 */
void slot_touch(struct gns_origin *o, const struct change *c)
{
	struct slot *sl, *next;
	u32 i;

	overtake(o, c, &o->waiting);
	overtake(o, c, &o->running);

	for (sl = TAILQ_FIRST(&o->redo); sl; sl = next) {
		next = TAILQ_NEXT(sl, redo);
		for (i = 0; i < c->nobj; i++) {
			if (sl == c->slot || c->obj[i] == c->from ||
			    !redoes(o, sl, c->obj[i]))
				continue;
			slot_set_state(o, sl, SLOT_UNKNOWN);
			slot_put(o, sl, REC_UNKNOWN, NULL, NULL);
			break;
		}
	}
}

static struct gns_msg *load_msg(struct gns_cursor *c)
{
	struct gns_hdr hdr;
	struct gns_msg msg;
	const char *why;
	const u8 *p = c->p;

	if (c->bad || c->end - c->p < GNS_HDR_LEN ||
	    gns_hdr_decode(p, &hdr, &why) || hdr.len != (u32)(c->end - c->p) ||
	    gns_msg_decode(&hdr, p + GNS_HDR_LEN, NULL, &msg, &why))
		return NULL;
	return gns_msg_dup(&msg, false);
}

/* Is it what slot_put() writes? An answer may be missing. */
static bool slot_fits(const struct slot *sl, u8 rec, struct gns_msg *msg)
{
	if (rec > REC_UNKNOWN)
		return false;
	if (!msg)
		return rec != REC_INTENT;
	if (!gns_msg_is_change(msg->type))
		return false;
	if (rec == REC_DONE ? !msg->reply : msg->reply)
		return false;
	return msg->reply || (gns_msg_change(msg)->slot == sl->nr &&
			      gns_msg_change(msg)->seq == sl->seq);
}

int slot_load(struct gns_origin *o, const u8 *key, u32 klen, const u8 *val,
	      u32 vlen)
{
	struct gns_cursor c = { (u8 *)val, (u8 *)val + vlen, false };
	struct gns_fh child[2] = { 0 };
	struct gns_msg *msg = NULL;
	struct instance *inst;
	struct gns_id id;
	struct slot *sl;
	int i, err;
	u8 rec;

	if (klen != 2 + GNS_ID_LEN || key[1 + GNS_ID_LEN] >= GNS_SLOTS)
		return -EINVAL;
	memcpy(id.b, key + 1, GNS_ID_LEN);
	inst = instance_find(o, &id);
	if (!inst)
		inst = instance_new(o, &id);
	sl = inst ? slot_get(inst, key[1 + GNS_ID_LEN]) : NULL;
	if (!sl)
		return -ENOMEM;
	sl->seq = gns_take(&c, 8);
	rec = gns_take(&c, 1);
	sl->hash = gns_take(&c, 8);
	for (i = 0; i < 2; i++) {
		child[i].len = gns_take(&c, 1);
		if (child[i].len > GNS_FH_MAX)
			return -EINVAL;
		gns_take_bytes(&c, child[i].b, child[i].len);
	}
	if (c.p < c.end)
		msg = load_msg(&c);
	err = c.bad || !slot_fits(sl, rec, msg) ? -EINVAL : 0;
	if (!err && rec == REC_INTENT)
		err = recover_add(o, sl, msg, child);
	else if (!err)
		sl->reply = msg;
	if (!err && rec == REC_UNKNOWN)
		sl->state = SLOT_UNKNOWN;
	if (err)
		free(msg);
	return err;
}

void slot_drop_all(struct gns_origin *o)
{
	struct instance *inst, *tmp;

	HASH_ITER(hh, o->insts, inst, tmp)
		instance_free(o, inst, false);
}
