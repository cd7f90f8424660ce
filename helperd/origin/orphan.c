// SPDX-License-Identifier: GPL-2.0
/*
 * Files without a name that somebody has open.
 *
 * A satellite whose programs have a file open says so when its lease is
 * revoked, or with the change that takes the last name away. The lease is then
 * a hold. A file that loses its last name while it is held becomes an orphan:
 * the backend keeps it, and it is as any other object to who has its handle.
 * It goes when no lease and no hold of it is left.
 *
 * Orphans outlive the origin, leases and holds do not. After a start they wait
 * until everybody who had one open has had time to come back and ask for it: a
 * lease on an orphan keeps it as a hold does.
 *
 * A file that is made without a name is an orphan from the beginning, kept by
 * the lease of who made it; it may get a name, and is none any more.
 *
 * That somebody has closed an orphan may have been lost on its way. So leases
 * and holds of orphans are revoked now and then: the answer is the truth.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/log.h"
#include "origin/core.h"

#define ASK_AGAIN_NS (600 * NSEC_PER_SEC)

static struct orphan *orphan_find(struct gns_origin *o, const struct gns_fh *fh)
{
	struct orphan *orphan;
	struct gns_fh id;

	view_split(o, fh, &id);
	HASH_FIND(hh, o->orphans, id.b, id.len, orphan);
	return orphan;
}

/*
 * What loses its name by a change; NULL: nothing, or it is no file. Its
 * satellite may have meant something else by the name (not @meant), and has not
 * said whether this is @open.
 */
static struct obj *loser(struct change *c, bool *open, bool *meant)
{
	const struct gns_msg *req = c->req;
	const struct gns_fh *fh = &c->child[0];
	u32 i;

	switch (req->type) {
	case GNS_UNLINK:
		*open = req->make.flags & GNS_UN_OPEN;
		*meant = gns_fh_eq(fh, &req->make.victim);
		break;
	case GNS_RENAME:
		if (req->rename.flags & GNS_RN_EXCHANGE)
			return NULL;
		fh = &c->child[1];
		*open = req->rename.flags & GNS_RN_OPEN;
		*meant = gns_fh_eq(fh, &req->rename.victim);
		break;
	default:
		return NULL;
	}
	*open &= *meant;
	for (i = 0; i < c->nobj && fh->len; i++)
		if (view_means(c->o, fh, c->obj[i]))
			return c->obj[i];
	return NULL;
}

/* What loses its name by @c without being meant: who made it may have it open. */
struct obj *orphan_unmeant(struct change *c)
{
	bool open, meant = true;
	struct obj *obj = c->o->fs->ops->orphans ? loser(c, &open, &meant) :
						   NULL;

	return meant || GNS_MUTANT(ORPHAN_UNMEANT) ? NULL : obj;
}

/* Is what loses its name by @c, about to be applied, open somewhere? */
bool orphan_keeps(struct change *c)
{
	bool open, meant;
	struct obj *obj = c->o->fs->ops->orphans ? loser(c, &open, &meant) :
						   NULL;
	struct lease *l;

	if (!obj)
		return false;
	if (open && !c->s->dead && !GNS_MUTANT(ORPHAN_OWN_OPEN) &&
	    lease_hold(c->s, obj, c->view))
		return true;
	LIST_FOREACH(l, &obj->leases, by_obj)
		if (l->hold)
			return true;
	return false;
}

static void orphan_arm(struct gns_origin *o)
{
	u64 at = gns_boottime(o->env) + ASK_AGAIN_NS;

	if (!o->orphan_timer.at && !GNS_MUTANT(ORPHAN_NOT_ASKED))
		gns_timer_arm(&o->orphan_timer, at);
}

/* @fh has no name, and lives on. */
static void orphan_add(struct gns_origin *o, const struct gns_fh *fh)
{
	struct orphan *orphan = orphan_find(o, fh);

	if (orphan)
		return;
	orphan = calloc(1, sizeof(*orphan));
	if (!orphan) {
		gns_err("no memory: a deleted file keeps its space until the next start");
		return;
	}
	orphan->fh = *fh;
	view_split(o, fh, &orphan->id);
	HASH_ADD_KEYPTR(hh, o->orphans, orphan->id.b, orphan->id.len, orphan);
	o->stats.orphans++;
	orphan_arm(o);
}

/*
 * @c has taken the last name of @obj, which the backend has as @fh from now on,
 * or changed it later. The writer's lease
 * was not revoked; if he has not got it open, nobody would give that back.
 */
void orphan_made(struct change *c, struct obj *obj, const struct gns_fh *fh)
{
	struct lease *l = lease_find(c->s, obj, c->view);
	bool open, meant;

	orphan_add(c->o, fh);
	if (l && !l->hold && loser(c, &open, &meant) == obj && !open)
		lease_revoke(l);
}

static void orphan_free(struct gns_origin *o, struct orphan *orphan)
{
	HASH_DEL(o->orphans, orphan);
	o->stats.orphans--;
	free(orphan);
}

/* @c ran: what it made has no name, or what it is about has got one. */
void orphan_applied(struct change *c)
{
	struct orphan *orphan;

	if (c->req->type == GNS_TMPFILE)
		orphan_add(c->o, &c->op.rep.r_change.fh);
	if (c->req->type != GNS_LINK)
		return;
	orphan = orphan_find(c->o, &c->req->link.fh);
	if (orphan)
		orphan_free(c->o, orphan);
}

/* Nobody leases, reads or changes @fh. If it is an orphan, it goes. */
void orphan_unused(struct gns_origin *o, const struct gns_fh *fh)
{
	struct orphan *orphan = o->orphans ? orphan_find(o, fh) : NULL;
	struct obj *obj;

	if (!orphan || gns_boottime(o->env) < o->orphans_until ||
	    GNS_MUTANT(ORPHAN_STAYS))
		return;
	obj = obj_find(o, fh);
	if (obj)
		version_gone(o, obj);
	o->fs->ops->forget(o->fs, &orphan->fh);
	orphan_free(o, orphan);
}

static void revoke_all(struct obj *obj)
{
	struct lease *l, *next;

	for (l = LIST_FIRST(&obj->leases); l; l = next) {
		next = LIST_NEXT(l, by_obj);
		lease_revoke(l);
	}
}

/* The start is long enough ago, or it is time to ask who has what open. */
void orphan_timer(void *arg)
{
	struct gns_origin *o = arg;
	struct orphan *orphan, *tmp;
	struct obj *obj;

	HASH_ITER(hh, o->orphans, orphan, tmp) {
		obj = obj_find(o, &orphan->fh);
		if (!obj || !obj->refs)
			orphan_unused(o, &orphan->fh);
		else if (!obj->owner)
			revoke_all(obj);
	}
	if (o->orphans)
		orphan_arm(o);
}

static void found(void *arg, const struct gns_fh *fh)
{
	orphan_add(arg, fh);
}

/* Those of the life before; grace is known. */
void orphan_start(struct gns_origin *o)
{
	u64 now = gns_boottime(o->env);

	if (!o->fs->ops->orphans || GNS_MUTANT(ORPHAN_FORGOTTEN))
		return;
	o->fs->ops->orphans(o->fs, found, o);
	if (!o->orphans)
		return;
	if (o->grace_until > now && !GNS_MUTANT(ORPHAN_NO_WAIT))
		o->orphans_until = o->grace_until + gns_origin_wait(o->max_ttl);
	gns_timer_cancel(&o->orphan_timer);
	gns_timer_arm(&o->orphan_timer, max_u64(o->orphans_until, now + 1));
	gns_info("%u deleted files may be open somewhere",
		 HASH_COUNT(o->orphans));
}

void orphan_drop_all(struct gns_origin *o)
{
	struct orphan *orphan, *tmp;

	HASH_ITER(hh, o->orphans, orphan, tmp)
		orphan_free(o, orphan);
}
