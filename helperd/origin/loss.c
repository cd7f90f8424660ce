// SPDX-License-Identifier: GPL-2.0
/*
 * What the disk did not take.
 *
 * A kernel tells of a write that it could not write back once, to whoever syncs
 * next: here that is this daemon, which syncs for all, and by itself. So it
 * keeps what it was told. Each session hears of it at its next sync of the
 * object, if it has changed something that it has not synced, and at its next
 * sync of everything. After a restart all of that is another incarnation, as
 * after a loss of power.
 *
 * What the object's bytes are now depends on which of them are still in memory:
 * its mark stays, and its version is not kept over the end of this daemon.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/log.h"
#include "origin/core.h"

/* Objects whose sessions are known one by one; more, and all hear of all. */
#define LOSSES_MAX 4096u

struct loss {
	u32 ntold, room;
	u64 told[]; /* sessions, by sid */
};

/* Others say nothing of the disk: no memory, too many files, gone. */
bool loss_is(int err)
{
	return err == EIO || err == ENOSPC || err == EDQUOT;
}

/* The next life's incarnation; it is put where that looks for it. */
static void next_incarnation(struct gns_origin *o)
{
	origin_put_incarnation(o, o->incarnation + 1);
	o->db->ops->commit(o->db, true, NULL, NULL);
}

static bool was_told(const struct loss *l, u64 sid)
{
	u32 i;

	for (i = 0; i < l->ntold; i++)
		if (l->told[i] == sid)
			return true;
	return false;
}

static bool tell(struct obj *obj, u64 sid)
{
	struct loss *l = obj->loss;

	if (was_told(l, sid))
		return false;
	if (l->ntold == l->room) {
		u32 room = 2 * l->room;

		l = realloc(l, sizeof(*l) + room * sizeof(l->told[0]));
		/* It hears of it once more. */
		if (!l)
			return true;
		l->room = room;
		obj->loss = l;
	}
	l->told[l->ntold++] = sid;
	return true;
}

static void note_object(struct gns_origin *o, struct obj *obj,
			const struct session *s)
{
	gns_warn("the disk did not take what was written to a file; who syncs it is told. Look at the kernel's log");
	if (!obj->loss && o->nlosses < LOSSES_MAX) {
		obj->loss = calloc(1, sizeof(*obj->loss) + sizeof(u64));
		if (obj->loss) {
			obj->loss->room = 1;
			o->nlosses++;
		}
	} else if (obj->loss) {
		/* Once more: nobody knows of this one. */
		obj->loss->ntold = 0;
	}
	if (!obj->loss)
		o->loss_of_all = true;
	else if (s)
		tell(obj, s->sid);
}

/*
 * A sync of the object @fh (NULL: of everything) failed; @s (or NULL) is told of
 * it now.
 */
void loss_note(struct gns_origin *o, const struct gns_fh *fh,
	       struct session *s)
{
	struct obj *obj = fh ? obj_get(o, fh) : NULL;

	if (!o->losses++)
		next_incarnation(o);
	if (obj)
		note_object(o, obj, s);
	else if (fh)
		o->loss_of_all = true;
	else if (s)
		s->losses_told = o->losses;
	obj_put(o, obj);
}

/* Has @s still to hear of one of @fh (NULL: of any)? Then it is said now. */
bool loss_untold(struct gns_origin *o, const struct gns_fh *fh,
		 struct session *s)
{
	bool untold = s->losses_told != o->losses;
	struct obj *obj;

	if (o->loss_of_all)
		return true;
	if (fh) {
		obj = obj_find(o, fh);
		return obj && obj->loss && tell(obj, s->sid);
	}
	s->losses_told = o->losses;
	return untold;
}

void loss_forget(struct gns_origin *o, struct obj *obj)
{
	if (!obj->loss)
		return;
	free(obj->loss);
	obj->loss = NULL;
	o->nlosses--;
}
