// SPDX-License-Identifier: GPL-2.0
/*
 * What the origin answers, and what of it the kernel's model keeps: filled
 * under a lease, patched by one's own changes, or dropped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"

static void fill_bytes(struct kobj *o, const struct gns_msg *rep)
{
	o->data_ok = true;
	o->attr_ok = true;
	o->size = rep->payload_len;
	memcpy(o->data, rep->payload, rep->payload_len);
}

/* May what the answer shows be cached under the lease that is live now? */
static bool may_fill(struct kmodel *k, struct kobj *o, const struct kreq *q,
		     const struct gns_msg *rep, const struct gns_grant *g)
{
	if (kobj_grant(k, o, q, rep, g))
		return true;
	if (GNS_MUTANT(NO_EPOCH))
		return o->held && q->epoch;
	return q->epoch && q->epoch == o->epoch && kobj_lease_ok(k, o) &&
	       o->version == g->version;
}

static void reply_bytes(struct kop *op, struct kreq *q,
			const struct gns_msg *rep)
{
	struct kobj *o = kobj_get(op->k, op->ino);

	if (rep->payload_len > K_DATA)
		abort();
	if (may_fill(op->k, o, q, rep, &rep->r_obj.grant))
		fill_bytes(o, rep);
	if (op->kind == OP_MMAP && kobj_may_fault(op->k, o) && o->data_ok) {
		o->pte = true;
		o->map_size = o->size;
		memcpy(o->map, o->data, o->size);
	}
	kop_bytes(op, rep->payload, rep->payload_len, rep->r_obj.attr.size);
}

/* A lease and attributes, but no data with it. */
void kobj_grant_attr(struct kmodel *k, struct kobj *o, const struct kreq *q,
		     const struct gns_msg *rep, const struct gns_grant *g,
		     u32 size)
{
	if (!kobj_grant(k, o, q, rep, g))
		return;
	o->attr_ok = true;
	if (o->data_ok && o->size != size)
		sim_fail(k->s, "torn", "one version, lengths %u and %u",
			 o->size, size);
	o->size = size;
}

static void reply_stat(struct kop *op, struct kreq *q,
		       const struct gns_msg *rep)
{
	struct kobj *o = kobj_get(op->k, op->ino);
	u32 size = rep->r_obj.attr.size;

	kobj_grant_attr(op->k, o, q, rep, &rep->r_obj.grant, size);
	kop_return(op, 0, &size, 1);
}

static void reply_lookup(struct kop *op, struct kreq *q,
			 const struct gns_msg *rep)
{
	const struct gns_r_lookup *l = &rep->r_lookup;
	struct kobj *dir = kobj_get(op->k, op->ino);
	u32 ino = l->absent ? 0 : simfs_fh_ino(&l->child.fh);
	u32 size = l->child.attr.size;

	if (op->kind == OP_STAT) {
		if (ino != op->ino)
			sim_fail(op->k->s, "names", "the root lost a name");
		kobj_grant_attr(op->k, kobj_get(op->k, op->ino), q, rep,
				&l->child.grant, size);
		kop_return(op, 0, &size, 1);
		return;
	}
	if (may_fill(op->k, dir, q, rep, &l->dir)) {
		dir->known[op->name[0]] = true;
		dir->names[op->name[0]] = ino;
	}
	if (ino)
		kobj_grant_attr(op->k, kobj_get(op->k, ino), q, rep,
				&l->child.grant, size);
	kop_return(op, ino ? 0 : -ENOENT, &ino, 1);
}

static void reply_readdir(struct kop *op, struct kreq *q,
			  const struct gns_msg *rep)
{
	struct kobj *dir = kobj_get(op->k, op->ino);
	u32 names[FS_NAMES] = { 0 }, left = rep->payload_len;
	const u8 *p = rep->payload;
	struct gns_dirent d;
	int n;

	while (left) {
		n = gns_dirent_get(p, left, &d);
		if (n < 0) {
			sim_fail(op->k->s, "protocol", "bad listing");
			return;
		}
		p += n;
		left -= n;
		names[(d.name.p[1] - '0') % FS_NAMES] =
			d.has == GNS_DE_ATTR ? simfs_fh_ino(&d.fh) :
			d.has == GNS_DE_INO  ? (u32)d.attr.ino :
					       ~0u;
	}
	for (n = 0; n < FS_NAMES; n++) {
		if (names[n] == ~0u) {
			/* The child moved meanwhile: list again. */
			kop_try(op);
			return;
		}
	}
	if (may_fill(op->k, dir, q, rep, &rep->r_obj.grant)) {
		memset(dir->known, 1, sizeof(dir->known));
		memcpy(dir->names, names, sizeof(names));
	}
	kop_names(op, names);
}

static void reply_fsync(struct kop *op)
{
	struct sim *s = op->k->s;

	if (simfs_durable(s->fs, op->ino) < op->need_durable)
		sim_fail(s, "lost", "fsync acknowledged, %llu of %llu durable",
			 (unsigned long long)simfs_durable(s->fs, op->ino),
			 (unsigned long long)op->need_durable);
	kop_return(op, 0, NULL, 0);
}

/* Our own change, applied to what we hold of the version before it. */
static void patch(struct kop *op, struct kobj *o, const struct kreq *q,
		  const struct gns_msg *rep)
{
	const struct gns_r_change *r = &rep->r_change;

	switch (op->kind) {
	case OP_WRITE:
	case OP_APPEND:
		if (r->off + q->msg.payload_len > K_DATA)
			break;
		memcpy(o->data + r->off, q->payload, q->msg.payload_len);
		o->size = max_u64(o->size, r->off + q->msg.payload_len);
		break;
	case OP_TRUNC:
		memset(o->data, 0, sizeof(o->data));
		o->size = 0;
		break;
	case OP_CREATE:
		o->known[op->name[0]] = true;
		o->names[op->name[0]] = simfs_fh_ino(&r->fh);
		break;
	case OP_LINK:
		/* Of the file nothing is cached that a name changes. */
		if (o->ino == op->target)
			break;
		o->known[op->name[0]] = true;
		o->names[op->name[0]] = op->target;
		break;
	case OP_UNLINK:
		o->known[op->name[0]] = true;
		o->names[op->name[0]] = 0;
		break;
	default:
		/* A rename: the names are asked for again. */
		memset(o->known, 0, sizeof(o->known));
	}
}

static void own_result(struct kop *op, u32 ino, struct kreq *q,
		       const struct gns_msg *rep)
{
	const struct gns_changed_list *l = &rep->r_change.changed;
	struct kobj *o = kobj_get(op->k, ino);
	u32 i;

	kobj_own_end(op->k, o);
	for (i = 0; i < l->n; i++) {
		if (simfs_fh_ino(&l->v[i].fh) != ino)
			continue;
		if ((o->version && o->version == l->v[i].before) ||
		    GNS_MUTANT(BEFORE_IGNORED)) {
			patch(op, o, q, rep);
			o->version = l->v[i].after;
			return;
		}
		break;
	}
	if (i == l->n && rep->status && rep->status < GNS_ST_DEAD)
		return; /* refused: nothing was changed */
	kobj_drop(o);
	o->held = false;
	o->pte = false;
}

/* What was made may come with a lease, in the version that it was made in. */
static void take_made(struct kop *op, const struct kreq *q,
		      const struct gns_msg *rep)
{
	const struct gns_r_change *r = &rep->r_change;
	struct gns_grant g = { .number = r->number };
	u32 i;

	for (i = 0; i < r->changed.n; i++) {
		if (!gns_fh_eq(&r->changed.v[i].fh, &r->fh))
			continue;
		g.version = r->changed.v[i].after;
		kobj_grant_attr(op->k, kobj_get(op->k, simfs_fh_ino(&r->fh)), q,
				rep, &g, (u32)r->changed.v[i].attr.size);
	}
}

static void reply_change(struct kop *op, struct kreq *q,
			 const struct gns_msg *rep)
{
	const struct gns_changed_list *l = &rep->r_change.changed;
	u32 i, ino = simfs_fh_ino(&rep->r_change.fh);
	u32 second = 0;

	if (op->kind == OP_RENAME && op->dir[1] != op->dir[0])
		second = INO_DIR(op->dir[1]);
	else if (op->kind == OP_LINK)
		second = op->target;
	own_result(op, op->ino, q, rep);
	if (second)
		own_result(op, second, q, rep);
	files_changed(op, rep);
	/* Other objects that it touched: what is held of them is old. */
	for (i = 0; i < l->n; i++) {
		u32 n = simfs_fh_ino(&l->v[i].fh);

		if (n == op->ino || n == second)
			continue;
		kobj_drop(kobj_get(op->k, n));
		kobj_get(op->k, n)->held = false;
	}
	if (!rep->status && rep->r_change.number)
		take_made(op, q, rep);
	if (rep->status == GNS_ST_STALESLOT)
		sim_fail(op->k->s, "slot", "a change of ours is stale");
	if (rep->status == GNS_ST_UNKNOWN || rep->status == EIO) {
		app_unknown(op);
		return;
	}
	kop_return(op, -(s32)rep->status, &ino, 1);
}

static void reply_reval(struct kmodel *k, struct kreq *q,
			const struct gns_msg *rep)
{
	const u8 *p = rep->payload;
	u32 left = rep->payload_len;
	struct gns_reval v;
	int n;

	while (left && (n = gns_reval_get(p, left, &v, true)) > 0) {
		struct kobj *o = kobj_get(k, simfs_fh_ino(&v.fh));

		p += n;
		left -= n;
		if (!v.status)
			kobj_grant(k, o, q, rep, &v.grant);
		files_regained(k, q, rep, &v);
	}
}

/* Reads that failed are tried again, as a hard mount does. */
static void again(void *arg)
{
	struct kop *op = kop_deref(arg);

	if (op)
		kop_try(op);
}

void app_reply(struct kmodel *k, struct kreq *q, const struct gns_msg *rep)
{
	struct kop *op = q->op;

	seen_answer(k->s, rep);
	if (q->msg.type == GNS_LOCK) {
		locks_reply(k, q, rep);
		kreq_free(q);
		return;
	}
	if (!op) {
		if (q->msg.type == GNS_GETATTR)
			files_regained_one(k, q, rep);
		else if (!rep->status)
			reply_reval(k, q, rep);
		kreq_free(q);
		return;
	}
	if (files_reply(op, q, rep)) {
		kreq_free(q);
		return;
	}
	if (op->kind >= OP_CHANGES)
		reply_change(op, q, rep);
	else if (rep->status == GNS_ST_LOST)
		kop_return(op, -EIO, NULL, 0);
	else if (rep->status)
		kop_later(op, 10 * MS, again);
	else if (rep->type == GNS_READ)
		reply_bytes(op, q, rep);
	else if (rep->type == GNS_GETATTR)
		reply_stat(op, q, rep);
	else if (rep->type == GNS_LOOKUP)
		reply_lookup(op, q, rep);
	else if (rep->type == GNS_READDIR)
		reply_readdir(op, q, rep);
	else
		reply_fsync(op);
	kreq_free(q);
}
