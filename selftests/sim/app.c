// SPDX-License-Identifier: GPL-2.0
/*
 * Applications on a satellite, and the paths their calls take through the
 * kernel's model: from the cache under a lease, else to the origin.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"
#include "lin.h"

static void op_try(struct kop *op);
static void app_next(void *arg);

struct app {
	struct kmodel *k;
	u32 nr;
};

static void op_end(struct kop *op)
{
	struct kmodel *k = op->k;
	struct app *a;
	u64 pause;

	k->ops[op->app] = NULL;
	a = malloc(sizeof(*a));
	if (!a)
		abort();
	*a = (struct app){ k, op->app };
	pause = sim_below(k->s, sim_chance(k->s, 50000) ? SEC : 20 * MS);
	if (!op->app)
		pause = sim_below(k->s, 4 * MS);
	sim_in(k->s, pause, &k->life, app_next, a, true);
	free(op);
}

static void op_return(struct kop *op, s32 err, const u32 *list, u32 n)
{
	struct kmodel *k = op->k;

	story(k->s, W_SAT, k->nr, "app%u call %d returns %d", op->app,
	      op->kind, err);
	/* Outside of I1 while the host's clock has stood still. */
	if (k->stood_still && op->kind < OP_CHANGES)
		history_drop(k->s->hist, op);
	else
		history_ret(k->s->hist, op, err, list, n);
	if (op->slot >= 0)
		k->slot_busy[op->slot] = false;
	op_end(op);
}

/* The host died under it. */
void app_killed(struct kop *op)
{
	op->k->ops[op->app] = NULL;
	history_orphan(op->k->s->hist, op);
	free(op);
}

/* Nobody can tell what became of it: the application gets EIO. */
void app_unknown(struct kop *op)
{
	history_orphan(op->k->s->hist, op);
	if (op->slot >= 0)
		op->k->slot_busy[op->slot] = false;
	op_end(op);
}

static void finish_bytes(struct kop *op, const u8 *data, u32 len, u32 size)
{
	u32 list[K_DATA / 4], i, n = len / 4;

	memcpy(list, data, len);
	if (len != size)
		sim_fail(op->k->s, "torn", "length %u with %u bytes", size,
			 len);
	if (op->ino < INO_LOG(0)) {
		for (i = 1; i < n; i++)
			if (list[i] != list[0])
				sim_fail(op->k->s, "torn",
					 "one read shows writes %u and %u",
					 list[0], list[i]);
		n = 1;
	}
	op_return(op, 0, list, n);
}

struct copying {
	struct kmodel *k;
	u32 app;
	u32 serial;
};

/* A buffered read copies for a while; if the lease moved, it starts over. */
static void copied(void *arg)
{
	struct copying c = *(struct copying *)arg;
	struct kop *op = c.k->ops[c.app];
	struct kobj *o;

	free(arg);
	if (!op || op->serial != c.serial)
		return;
	o = kobj_get(c.k, op->ino);
	if (o->epoch != op->epoch && op->retries++ < 3 &&
	    !GNS_MUTANT(NO_EPOCH)) {
		op_try(op);
		return;
	}
	finish_bytes(op, op->data, op->len, op->len);
}

static void serve_copy(struct kop *op, const struct kobj *o)
{
	struct sim *s = op->k->s;
	struct copying *c = malloc(sizeof(*c));

	if (!c)
		abort();
	*c = (struct copying){ op->k, op->app, op->serial };
	op->epoch = o->epoch;
	op->len = o->size;
	memcpy(op->data, o->data, o->size);
	sim_in(s, US + sim_below(s, 500 * US), &op->k->life, copied, c, true);
}

static void serve_map(struct kop *op, const struct kobj *o)
{
	finish_bytes(op, o->map, o->map_size, o->map_size);
}

static void return_names(struct kop *op, const u32 *names)
{
	u32 list[LIN_TREE_NAMES] = { 0 };

	memcpy(list, names, FS_NAMES * sizeof(*names));
	op_return(op, 0, list, LIN_TREE_NAMES);
}

static void serve_names(struct kop *op, const struct kobj *o)
{
	u32 ino;

	if (op->kind == OP_READDIR) {
		return_names(op, o->names);
		return;
	}
	ino = o->names[op->name[0]];
	op_return(op, ino ? 0 : -ENOENT, &ino, 1);
}

static bool from_cache(struct kop *op, struct kobj *o)
{
	struct kmodel *k = op->k;
	u32 i;

	if (op->kind == OP_MMAP && o->pte) {
		serve_map(op, o);
		return true;
	}
	if (!kobj_lease_ok(k, o))
		return false;
	switch (op->kind) {
	case OP_READ:
		if (!o->data_ok || op->retries > 3)
			return false;
		serve_copy(op, o);
		return true;
	case OP_MMAP:
		if (!o->data_ok || !kobj_may_fault(k, o))
			return false;
		o->pte = true;
		o->map_size = o->size;
		memcpy(o->map, o->data, o->size);
		serve_map(op, o);
		return true;
	case OP_STAT:
		if (!o->attr_ok)
			return false;
		op_return(op, 0, &o->size, 1);
		return true;
	case OP_LOOKUP:
		if (!o->known[op->name[0]])
			return false;
		serve_names(op, o);
		return true;
	case OP_READDIR:
		for (i = 0; i < FS_NAMES; i++)
			if (!o->known[i])
				return false;
		serve_names(op, o);
		return true;
	default:
		return false;
	}
}

static struct gns_str *req_name(struct kreq *q, int i, u32 nr)
{
	static struct gns_str s;

	snprintf(q->name[i], sizeof(q->name[i]), "n%u", nr % 10);
	s = (struct gns_str){ q->name[i], 2 };
	return &s;
}

/* Ask the origin. Under a live lease the answer may be shared and cached. */
static void ask(struct kop *op, struct kobj *o)
{
	static const u16 types[] = { GNS_READ, GNS_READ, GNS_GETATTR,
				     GNS_LOOKUP, GNS_READDIR, GNS_FSYNC };
	struct kmodel *k = op->k;
	struct kreq *q = kreq_new(k, op, op->ino, types[op->kind]);
	struct gns_fh fh = simfs_fh(k->s->fs, op->ino);
	u8 want = GNS_WANT_LEASE;

	if (op->kind == OP_MMAP && sim_chance(k->s, 500000))
		want |= GNS_WANT_TURN;
	switch (op->kind) {
	case OP_READ:
	case OP_MMAP:
	case OP_READDIR:
		q->msg.range.fh = fh;
		q->msg.range.len = op->kind == OP_READDIR ? 4096 : K_DATA;
		q->msg.range.want = want;
		if (op->kind != OP_READDIR && kobj_lease_ok(k, o)) {
			/* A fill under the lease that it has. */
			q->epoch = o->epoch;
			q->msg.range.lease = o->number;
			q->msg.range.want = 0;
		}
		break;
	case OP_LOOKUP:
		q->msg.name.fh = fh;
		q->msg.name.want = want;
		q->msg.name.name = *req_name(q, 0, op->name[0]);
		break;
	case OP_STAT:
		if (op->by_name) {
			q->msg.type = GNS_LOOKUP;
			q->msg.name.fh = simfs_fh(k->s->fs, INO_ROOT);
			q->msg.name.want = want;
			q->msg.name.name =
				*req_name(q, 0, op->ino - INO_LOG(0));
			break;
		}
		/* fallthrough */
	default:
		q->msg.obj.fh = fh;
		q->msg.obj.want = op->kind == OP_STAT ? want : 0;
	}
	if (op->kind == OP_FSYNC)
		q->msg.obj.incarnation = k->incarnation;
	if (op->kind == OP_FSYNC)
		op->need_durable = k->incarnation ?
					   simfs_applied(k->s->fs, op->ino) :
					   0;
	kreq_submit(k, q);
}

static int free_slot(struct kmodel *k)
{
	int i;

	for (i = 0; i < K_SLOTS; i++)
		if (!k->slot_busy[i])
			return i;
	return -1;
}

static void change(struct kop *op)
{
	static const u16 types[] = { GNS_WRITE, GNS_WRITE, GNS_SETATTR,
				     GNS_CREATE, GNS_UNLINK, GNS_RENAME };
	struct kmodel *k = op->k;
	struct kreq *q = kreq_new(k, op, op->ino,
				  types[op->kind - OP_CHANGES]);
	struct gns_fh fh = simfs_fh(k->s->fs, op->ino);
	u32 i;

	op->slot = free_slot(k);
	k->slot_busy[op->slot] = true;
	gns_msg_change(&q->msg)->slot = op->slot;
	gns_msg_change(&q->msg)->seq = ++k->slot_seq[op->slot];
	kobj_own_begin(k, kobj_get(k, op->ino));
	switch (op->kind) {
	case OP_WRITE:
		for (i = 0; i < FS_BLOCK / 4; i++)
			memcpy(q->payload + 4 * i, &op->serial, 4);
		q->msg.payload_len = FS_BLOCK;
		q->msg.write.fh = fh;
		break;
	case OP_APPEND:
		memcpy(q->payload, &op->serial, 4);
		q->msg.payload_len = 4;
		q->msg.write.fh = fh;
		q->msg.write.flags = GNS_WR_APPEND;
		break;
	case OP_TRUNC:
		q->msg.setattr.fh = fh;
		q->msg.setattr.valid = GNS_SA_SIZE;
		break;
	case OP_RENAME:
		q->msg.rename.odir = fh;
		q->msg.rename.oname = *req_name(q, 0, op->name[0]);
		q->msg.rename.ndir = simfs_fh(k->s->fs, INO_DIR(op->dir[1]));
		q->msg.rename.nname = *req_name(q, 1, op->name[1]);
		if (op->dir[1] != op->dir[0])
			kobj_own_begin(k, kobj_get(k, INO_DIR(op->dir[1])));
		break;
	default:
		q->msg.make.dir = fh;
		q->msg.make.name = *req_name(q, 0, op->name[0]);
		if (op->kind == OP_CREATE) {
			q->msg.make.flags = GNS_CR_EXCL;
			q->msg.make.cred.uid = op->serial;
		}
	}
	kreq_submit(k, q);
}

/* EAGAIN: nothing was seen, nothing is recorded. */
static void op_again_later(struct kop *op)
{
	history_drop(op->k->s->hist, op);
	op_end(op);
}

static void op_try(struct kop *op)
{
	struct kobj *o = kobj_get(op->k, op->ino);

	if (op->kind >= OP_CHANGES)
		change(op);
	else if (from_cache(op, o))
		return;
	else if (op->nowait)
		op_again_later(op);
	else
		ask(op, o);
}

/* --- answers --- */

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
	finish_bytes(op, rep->payload, rep->payload_len, rep->r_obj.attr.size);
}

/* A lease and attributes, but no data with it. */
static void grant_attr(struct kmodel *k, struct kobj *o, const struct kreq *q,
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

	grant_attr(op->k, o, q, rep, &rep->r_obj.grant, size);
	op_return(op, 0, &size, 1);
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
		grant_attr(op->k, kobj_get(op->k, op->ino), q, rep,
			   &l->child.grant, size);
		op_return(op, 0, &size, 1);
		return;
	}
	if (may_fill(op->k, dir, q, rep, &l->dir)) {
		dir->known[op->name[0]] = true;
		dir->names[op->name[0]] = ino;
	}
	if (ino)
		grant_attr(op->k, kobj_get(op->k, ino), q, rep,
			   &l->child.grant, size);
	op_return(op, ino ? 0 : -ENOENT, &ino, 1);
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
			d.has_attr ? simfs_fh_ino(&d.fh) : ~0u;
	}
	for (n = 0; n < FS_NAMES; n++) {
		if (names[n] == ~0u) {
			/* The child moved meanwhile: list again. */
			op_try(op);
			return;
		}
	}
	if (may_fill(op->k, dir, q, rep, &rep->r_obj.grant)) {
		memset(dir->known, 1, sizeof(dir->known));
		memcpy(dir->names, names, sizeof(names));
	}
	return_names(op, names);
}

static void reply_fsync(struct kop *op)
{
	struct sim *s = op->k->s;

	if (simfs_durable(s->fs, op->ino) < op->need_durable)
		sim_fail(s, "lost", "fsync acknowledged, %llu of %llu durable",
			 (unsigned long long)simfs_durable(s->fs, op->ino),
			 (unsigned long long)op->need_durable);
	op_return(op, 0, NULL, 0);
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

static void reply_change(struct kop *op, struct kreq *q,
			 const struct gns_msg *rep)
{
	const struct gns_changed_list *l = &rep->r_change.changed;
	u32 i, ino = simfs_fh_ino(&rep->r_change.fh);
	u32 dir2 = op->kind == OP_RENAME && op->dir[1] != op->dir[0] ?
			   INO_DIR(op->dir[1]) :
			   0;

	own_result(op, op->ino, q, rep);
	if (dir2)
		own_result(op, dir2, q, rep);
	/* Other objects that it touched: what is held of them is old. */
	for (i = 0; i < l->n; i++) {
		u32 n = simfs_fh_ino(&l->v[i].fh);

		if (n == op->ino || n == dir2)
			continue;
		kobj_drop(kobj_get(op->k, n));
		kobj_get(op->k, n)->held = false;
	}
	if (rep->status == GNS_ST_STALESLOT)
		sim_fail(op->k->s, "slot", "a change of ours is stale");
	if (rep->status == GNS_ST_UNKNOWN || rep->status == EIO) {
		app_unknown(op);
		return;
	}
	op_return(op, -(s32)rep->status, &ino, 1);
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
	}
}

/* Reads that failed are tried again, as a hard mount does. */
static void again(void *arg)
{
	struct copying c = *(struct copying *)arg;
	struct kop *op = c.k->ops[c.app];

	free(arg);
	if (op && op->serial == c.serial)
		op_try(op);
}

void app_reply(struct kmodel *k, struct kreq *q, const struct gns_msg *rep)
{
	struct kop *op = q->op;
	struct copying *c;

	if (!op) {
		if (!rep->status)
			reply_reval(k, q, rep);
		kreq_free(q);
		return;
	}
	if (op->kind >= OP_CHANGES) {
		reply_change(op, q, rep);
	} else if (rep->status == GNS_ST_LOST) {
		op_return(op, -EIO, NULL, 0);
	} else if (rep->status) {
		c = malloc(sizeof(*c));
		if (!c)
			abort();
		*c = (struct copying){ k, op->app, op->serial };
		sim_in(k->s, 10 * MS, &k->life, again, c, true);
	} else if (rep->type == GNS_READ) {
		reply_bytes(op, q, rep);
	} else if (rep->type == GNS_GETATTR) {
		reply_stat(op, q, rep);
	} else if (rep->type == GNS_LOOKUP) {
		reply_lookup(op, q, rep);
	} else if (rep->type == GNS_READDIR) {
		reply_readdir(op, q, rep);
	} else {
		reply_fsync(op);
	}
	kreq_free(q);
}

/* --- what they do --- */

static void pick_file(struct kop *op, u64 dice)
{
	struct sim *s = op->k->s;

	if (dice < 45) {
		static const enum op_kind kinds[] = { OP_READ, OP_MMAP,
						      OP_READ, OP_WRITE,
						      OP_FSYNC };

		op->ino = INO_REG(sim_below(s, FS_REGS));
		op->kind = kinds[dice < 16 ? 0 : dice < 30 ? 1 :
					   dice < 43	   ? 3 :
							     4];
		return;
	}
	op->ino = INO_LOG(sim_below(s, FS_LOGS));
	op->by_name = sim_chance(s, 500000);
	op->kind = dice < 52 ? OP_READ :
		   dice < 58 ? OP_STAT :
		   dice < 61 ? OP_MMAP :
			       OP_APPEND;
	/* Lists stay short enough to be read in one go. */
	if (op->kind == OP_APPEND && sim_chance(s, 80000))
		op->kind = OP_TRUNC;
}

static void pick(struct kop *op)
{
	struct sim *s = op->k->s;
	u64 dice = sim_below(s, 100);

	op->dir[0] = sim_below(s, FS_DIRS);
	op->dir[1] = sim_below(s, FS_DIRS);
	op->name[0] = sim_below(s, FS_NAMES);
	op->name[1] = sim_below(s, FS_NAMES);
	if (dice < 67) {
		pick_file(op, dice);
		return;
	}
	op->ino = INO_DIR(op->dir[0]);
	op->kind = dice < 78 ? OP_LOOKUP :
		   dice < 85 ? OP_READDIR :
		   dice < 92 ? OP_CREATE :
		   dice < 97 ? OP_UNLINK :
			       OP_RENAME;
}

/* Anything, as long as it is in the cache. */
static void pick_cached(struct kop *op)
{
	struct sim *s = op->k->s;

	op->nowait = true;
	switch (sim_below(s, 5)) {
	case 0:
		op->kind = OP_READ;
		op->ino = INO_REG(sim_below(s, FS_REGS + FS_LOGS));
		break;
	case 1:
		op->kind = OP_MMAP;
		op->ino = INO_REG(sim_below(s, FS_REGS + FS_LOGS));
		break;
	case 2:
		op->kind = OP_STAT;
		op->ino = INO_LOG(sim_below(s, FS_LOGS));
		break;
	default:
		op->kind = sim_chance(s, 500000) ? OP_LOOKUP : OP_READDIR;
		op->dir[0] = sim_below(s, FS_DIRS);
		op->name[0] = sim_below(s, FS_NAMES);
		op->ino = INO_DIR(op->dir[0]);
	}
}

static void app_next(void *arg)
{
	struct app a = *(struct app *)arg;
	struct kmodel *k = a.k;
	struct kop *op;

	free(arg);
	if (k->s->now >= k->s->opts.duration)
		return;
	op = calloc(1, sizeof(*op));
	if (!op)
		abort();
	op->k = k;
	op->app = a.nr;
	op->slot = -1;
	op->serial = (k->nr + 1) << 24 | ++k->serials;
	if (a.nr)
		pick(op);
	else
		pick_cached(op);
	k->ops[a.nr] = op;
	history_call(k->s->hist, op);
	story(k->s, W_SAT, k->nr, "app%u call %d on %u name %u serial %x",
	      a.nr, op->kind, op->ino, op->name[0], op->serial);
	op_try(op);
}

void app_start(struct kmodel *k, u32 nr)
{
	struct app *a = malloc(sizeof(*a));

	if (!a)
		abort();
	*a = (struct app){ k, nr };
	sim_in(k->s, sim_below(k->s, 10 * MS), &k->life, app_next, a, true);
}
