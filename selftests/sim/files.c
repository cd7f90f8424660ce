// SPDX-License-Identifier: GPL-2.0
/*
 * Open files in the kernel's model, in some seeds: what loses its last name
 * while it is open goes on at the origin.
 *
 * An open counts first, then makes sure that the origin has given a lease
 * since, or that one is live; from then on the session has a claim. A REVOKE is
 * answered with whether it is open, a change that takes the name away says it,
 * too, and a new session asks for all that is open. A claim holds as long as
 * the session does by its kernel's own clock; over the origin's restart as long
 * as the origin has promised to wait for those who come back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"

enum {
	FL_LOOK, /* OPEN: what the name means; or a change, of what it takes */
	FL_LEASE, /* OPEN: for a lease */
	FL_TURN, /* once more, in line */
};

bool files_seed(const struct sim *s)
{
	return s->opts.seed % 4 == 2;
}

/* --- the promise --- */

/* The origin's boot clock until which it waits for who comes back. */
static u64 waits_until(const struct sim *s, const struct kobj *o)
{
	return s->orig->started + 2 * gns_origin_wait(o->promised);
}

static bool has_claim(const struct kmodel *k, const struct kobj *o)
{
	return o->opens && o->claim && o->claim == k->sid &&
	       kmodel_now(k) < k->expires && !k->stood_still && k->host.ppm;
}

/* An object is no more: was that right? */
void files_gone(struct sim *s, u32 ino)
{
	struct kmodel *k;
	struct kobj *o;
	u32 i;

	for (i = 0; i < SIM_SATS; i++) {
		k = s->kern[i];
		o = k ? k->obj[ino] : NULL;
		if (!o || !o->opens || o->lost)
			continue;
		if (has_claim(k, o))
			sim_fail(s, "orphan",
				 "%u goes, but sat%u has it open in its session",
				 ino, k->nr);
		else if (o->promised && s->orig->up &&
			 host_boottime(&s->orig->host) < waits_until(s, o))
			sim_fail(s, "orphan",
				 "%u goes before sat%u, which had it open, had time to come back",
				 ino, k->nr);
	}
}

/* What is on its disk now is there for who has it open. */
static void carry_over(struct kmodel *k, struct kobj *o)
{
	struct sim *s = k->s;

	if (!simfs_exists(s->fs, o->ino))
		o->lost = true; /* by a loss of power */
	if (!simfs_is_orphan(s->fs, o->ino))
		o->promised = 0;
	else if (has_claim(k, o))
		o->promised = k->ttl;
	else if (host_boottime(&s->orig->host) >= waits_until(s, o))
		o->promised = 0;
}

/* Of the next life is asked what this one has promised. */
void files_origin_died(struct sim *s)
{
	struct kobj *o;
	u32 i, ino;

	for (i = 0; i < SIM_SATS; i++) {
		for (ino = INO_FREE; s->kern[i] && ino < K_INODES; ino++) {
			o = s->kern[i]->obj[ino];
			if (o && o->opens)
				carry_over(s->kern[i], o);
		}
	}
}

/* --- open and close --- */

static void put(struct kmodel *k, struct kobj *o)
{
	if (--o->opens)
		return;
	o->promised = 0;
	o->lost = false;
	/* A lease that it has says more than what was said before. */
	if (o->nameless || (o->said_open == k->sid && !o->held))
		kmodel_revoke(k, k->sid, o, k->newest);
	o->claim = 0;
}

static void close_one(struct kmodel *k, u32 nr)
{
	u32 ino = k->file[nr];

	story(k->s, W_SAT, k->nr, "close of %u", ino);
	k->file[nr] = k->file[--k->nfiles];
	put(k, kobj_get(k, ino));
}

static void over(struct kop *op, bool open)
{
	struct kmodel *k = op->k;

	story(k->s, W_SAT, k->nr, "%u is %s", op->ino,
	      open ? "open" : "not opened");
	if (open && k->nfiles < K_FILES && k->s->now < k->s->opts.duration)
		k->file[k->nfiles++] = op->ino;
	else
		put(k, kobj_get(k, op->ino));
	kop_drop(op);
}

/* A change of ours is under way that did not say that it is open. */
static bool is_leaving(const struct kmodel *k, u32 ino)
{
	u32 i;

	for (i = 0; i < K_APPS; i++)
		if (k->ops[i] && k->ops[i]->kind >= OP_CHANGES &&
		    k->ops[i]->slot >= 0 && k->ops[i]->victim == ino &&
		    !k->ops[i]->victim_open)
			return true;
	return false;
}

static void ask_lease(struct kop *op)
{
	struct kmodel *k = op->k;
	struct kreq *q = kreq_new(k, op, op->ino, GNS_GETATTR);

	q->msg.obj.fh = kmodel_fh(k, op->ino);
	q->msg.obj.want = GNS_WANT_LEASE;
	if (op->step == FL_TURN)
		q->msg.obj.want |= GNS_WANT_TURN;
	kreq_submit(k, q);
}

static void try_again(void *arg)
{
	struct kop *op = kop_deref(arg);

	if (op)
		kop_try(op);
}

static void get_lease(struct kop *op)
{
	struct kobj *o = kobj_get(op->k, op->ino);

	if (is_leaving(op->k, op->ino)) {
		kop_later(op, MS + sim_below(op->k->s, 5 * MS), try_again);
	} else if (kobj_lease_ok(op->k, o)) {
		o->claim = op->k->sid;
		over(op, true);
	} else {
		ask_lease(op);
	}
}

/* The name means @ino: it counts from here on. */
static void found(struct kop *op, u32 ino)
{
	struct kobj *o;

	if (!ino) {
		kop_drop(op);
		return;
	}
	o = kobj_get(op->k, ino);
	op->ino = ino;
	op->step = FL_LEASE;
	if (!o->opens++) {
		o->claim = 0;
		o->promised = 0;
		o->lost = false;
	}
	get_lease(op);
}

/* Which directory and name: of an open, or of what a change takes away. */
static u32 look_at(const struct kop *op)
{
	return op->kind == OP_RENAME ? 1 : 0;
}

static void ask_name(struct kop *op, u32 dir, u32 name)
{
	struct kmodel *k = op->k;
	struct kreq *q = kreq_new(k, op, dir, GNS_LOOKUP);

	snprintf(q->name[0], sizeof(q->name[0]), "n%u", name);
	q->msg.name.fh = kmodel_fh(k, dir);
	q->msg.name.want = GNS_WANT_LEASE;
	q->msg.name.name = (struct gns_str){ q->name[0], 2 };
	kreq_submit(k, q);
}

/* What it is about to do needs to know what a name means. */
static void looked(struct kop *op, u32 ino)
{
	if (op->kind == OP_OPEN) {
		found(op, ino);
		return;
	}
	op->looked = true;
	op->victim = ino;
	kop_try(op);
}

static void look(struct kop *op)
{
	u32 at = look_at(op), ino = INO_DIR(op->dir[at]);
	struct kobj *dir = kobj_get(op->k, ino);

	if (kobj_lease_ok(op->k, dir) && dir->known[op->name[at]])
		looked(op, dir->names[op->name[at]]);
	else
		ask_name(op, ino, op->name[at]);
}

static void fstat_it(struct kop *op)
{
	struct kobj *o = kobj_get(op->k, op->ino);

	if (kobj_lease_ok(op->k, o) && o->attr_ok) {
		put(op->k, o);
		kop_drop(op);
		return;
	}
	ask_lease(op);
}

static bool changes_names(const struct kop *op)
{
	return op->kind == OP_CREATE || op->kind == OP_UNLINK ||
	       op->kind == OP_RENAME;
}

/* Nobody else on this host changes names of its directories meanwhile. */
static bool lock_dirs(struct kop *op)
{
	bool *busy = op->k->dir_busy;
	u32 other = op->kind == OP_RENAME ? op->dir[1] : op->dir[0];

	if (op->dirs)
		return true;
	if (busy[op->dir[0]] || busy[other]) {
		kop_later(op, MS + sim_below(op->k->s, 5 * MS), try_again);
		return false;
	}
	busy[op->dir[0]] = true;
	busy[other] = true;
	op->dirs = true;
	return true;
}

/* A call is over. */
void files_end(struct kop *op)
{
	if (!op->dirs)
		return;
	op->k->dir_busy[op->dir[0]] = false;
	if (op->kind == OP_RENAME)
		op->k->dir_busy[op->dir[1]] = false;
}

/* What a change takes away has to be known first. */
static bool change_waits(struct kop *op)
{
	if (!lock_dirs(op))
		return true;
	if (op->kind == OP_CREATE || op->looked)
		return false;
	look(op);
	return true;
}

/*
 * Is this for here? Opens and what is done with open files; changes of names,
 * as long as they may not begin.
 */
bool files_try(struct kop *op)
{
	if (files_seed(op->k->s) && changes_names(op))
		return change_waits(op);
	if (op->kind == OP_FSTAT)
		fstat_it(op);
	else if (op->kind == OP_OPEN && op->step != FL_LOOK)
		get_lease(op);
	else if (op->kind == OP_OPEN)
		look(op);
	else
		return false;
	return true;
}

/* --- answers --- */

static void claim(struct kmodel *k, struct kobj *o, const struct gns_msg *rep,
		  const struct gns_grant *g)
{
	/* Else no open has ended well: each waits for that change. */
	if (o->opens && g->number && k->sid && rep->sid == k->sid &&
	    !is_leaving(k, o->ino))
		o->claim = k->sid;
}

static void stale(struct kmodel *k, const struct kobj *o)
{
	if (has_claim(k, o) && !o->lost)
		sim_fail(k->s, "orphan", "sat%u has %u open, and it is gone",
			 k->nr, o->ino);
}

static void reply_lease(struct kop *op, struct kreq *q,
			const struct gns_msg *rep)
{
	struct kobj *o = kobj_get(op->k, op->ino);

	if (rep->status == ESTALE) {
		stale(op->k, o);
		if (op->kind == OP_OPEN) {
			over(op, false);
			return;
		}
		put(op->k, o);
		kop_drop(op);
		return;
	}
	if (rep->status) {
		kop_later(op, 10 * MS, try_again);
		return;
	}
	o->nameless = !rep->r_obj.attr.nlink;
	kobj_grant_attr(op->k, o, q, rep, &rep->r_obj.grant,
			(u32)rep->r_obj.attr.size);
	claim(op->k, o, rep, &rep->r_obj.grant);
	if (op->kind == OP_FSTAT) {
		put(op->k, o);
		kop_drop(op);
	} else if (o->claim != op->k->sid && op->step == FL_LEASE) {
		op->step = FL_TURN;
		kop_try(op);
	} else {
		/* Without one: as long as it has a name. */
		over(op, true);
	}
}

static void reply_look(struct kop *op, struct kreq *q,
		       const struct gns_msg *rep)
{
	const struct gns_r_lookup *l = &rep->r_lookup;
	u32 ino = l->absent ? 0 : simfs_fh_ino(&l->child.fh);
	struct kobj *dir = kobj_get(op->k, q->ino);
	u32 name = op->name[look_at(op)];

	if (rep->status) {
		kop_later(op, 10 * MS, try_again);
		return;
	}
	if (kobj_grant(op->k, dir, q, rep, &l->dir)) {
		dir->known[name] = true;
		dir->names[name] = ino;
	}
	if (ino)
		kobj_grant_attr(op->k, kobj_get(op->k, ino), q, rep,
				&l->child.grant, (u32)l->child.attr.size);
	looked(op, ino);
}

/* Is this answer for here? */
bool files_reply(struct kop *op, struct kreq *q, const struct gns_msg *rep)
{
	if (q->msg.type == GNS_LOOKUP &&
	    (op->kind == OP_OPEN || op->kind >= OP_CHANGES))
		reply_look(op, q, rep);
	else if (op->kind == OP_OPEN || op->kind == OP_FSTAT)
		reply_lease(op, q, rep);
	else
		return false;
	return true;
}

/* --- the session --- */

/* A new one: all that is open is asked for, in one go or one by one. */
void files_again(struct kmodel *k)
{
	struct kreq *q;
	u32 i, used = 0, n = 0;

	if (!files_seed(k->s))
		return;
	q = kreq_new(k, NULL, 0, GNS_REVALIDATE);
	for (i = INO_FREE; i < K_INODES; i++) {
		struct gns_reval v = { .fh = kmodel_fh(k, i) };

		if (!k->obj[i] || !k->obj[i]->opens)
			continue;
		used += gns_reval_put(q->payload + used,
				      sizeof(q->payload) - used, &v, false);
		n++;
	}
	if (!n) {
		kreq_free(q);
		return;
	}
	q->msg.payload_len = used;
	q->msg.count.count = n;
	kreq_submit(k, q);
}

static void ask_one(struct kmodel *k, u32 ino)
{
	struct kreq *q = kreq_new(k, NULL, ino, GNS_GETATTR);

	q->msg.obj.fh = kmodel_fh(k, ino);
	q->msg.obj.want = GNS_WANT_LEASE | GNS_WANT_TURN;
	kreq_submit(k, q);
}

/* One of them. */
void files_regained(struct kmodel *k, struct kreq *q, const struct gns_msg *rep,
		    const struct gns_reval *v)
{
	struct kobj *o = kobj_get(k, simfs_fh_ino(&v->fh));

	if (!o->opens)
		return;
	if (v->status == ESTALE) {
		stale(k, o);
		return;
	}
	if (!v->status) {
		o->nameless = !v->attr.nlink;
		claim(k, o, rep, &v->grant);
	}
	if (o->claim != k->sid && q->msg.type == GNS_REVALIDATE)
		ask_one(k, o->ino);
}

/* The same, by ask_one(). */
void files_regained_one(struct kmodel *k, struct kreq *q,
			const struct gns_msg *rep)
{
	struct gns_reval v = { .fh = q->msg.obj.fh, .status = rep->status };

	if (!rep->status) {
		v.attr = rep->r_obj.attr;
		v.grant = rep->r_obj.grant;
		kobj_grant_attr(k, kobj_get(k, q->ino), q, rep, &v.grant,
				(u32)v.attr.size);
	}
	files_regained(k, q, rep, &v);
}

/* --- changes that take names away --- */

/* It is about to be sent. */
void files_change(struct kop *op, struct kreq *q)
{
	struct kobj *o;

	if (!op->victim)
		return;
	o = kobj_get(op->k, op->victim);
	kobj_own_begin(op->k, o);
	op->victim_open = o->opens;
	if (op->kind == OP_UNLINK) {
		q->msg.make.victim = kmodel_fh(op->k, op->victim);
		q->msg.make.flags |= o->opens ? GNS_UN_OPEN : 0;
	} else {
		q->msg.rename.victim = kmodel_fh(op->k, op->victim);
		q->msg.rename.flags |= o->opens ? GNS_RN_OPEN : 0;
	}
}

/* It was answered. */
void files_changed(struct kop *op, const struct gns_msg *rep)
{
	const struct gns_changed_list *l = &rep->r_change.changed;
	struct kmodel *k = op->k;
	struct kobj *o;
	u32 i;

	if (!op->victim)
		return;
	o = kobj_get(k, op->victim);
	kobj_own_end(k, o);
	kobj_drop(o);
	o->held = false;
	o->pte = false;
	for (i = 0; !rep->status && i < l->n; i++)
		if (simfs_fh_ino(&l->v[i].fh) == op->victim)
			o->nameless = !l->v[i].attr.nlink;
}

/* --- what applications do --- */

static void close_all(void *arg)
{
	struct kmodel *k = arg;

	while (k->nfiles)
		close_one(k, 0);
}

/* At the end nobody has anything open: then no orphan may stay. */
void files_start(struct sim *s)
{
	u32 i;

	for (i = 0; i < SIM_SATS && files_seed(s); i++)
		sim_at(s, s->opts.duration, NULL, close_all, s->kern[i], false);
}

/* Return: false: something else is to be done. */
bool files_pick(struct kop *op)
{
	struct kmodel *k = op->k;
	struct sim *s = k->s;

	if (!files_seed(s) || !sim_chance(s, 200000))
		return false;
	if (k->nfiles && sim_chance(s, 200000)) {
		close_one(k, sim_below(s, k->nfiles));
		return false;
	}
	if (k->nfiles && sim_chance(s, 500000)) {
		op->kind = OP_FSTAT;
		op->ino = k->file[sim_below(s, k->nfiles)];
		kobj_get(k, op->ino)->opens++;
		return true;
	}
	op->kind = OP_OPEN;
	op->ino = INO_DIR(op->dir[0]);
	return true;
}
