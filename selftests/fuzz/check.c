// SPDX-License-Identifier: GPL-2.0
/*
 * What an origin owes its satellites; see sat.h.
 */
#include <linux/falloc.h>

#include "sat.h"

struct sat_session *sat_session(struct sats *s, u64 sid)
{
	u32 i;

	for (i = 0; i < s->nsessions; i++)
		if (s->sessions[i].sid == sid)
			return &s->sessions[i];
	return NULL;
}

struct sat_lease *sat_lease(struct sat_session *ss, const struct gns_fh *fh)
{
	u32 i;

	for (i = 0; i < SAT_LEASES; i++)
		if (ss->leases[i].fh.len && gns_fh_eq(&ss->leases[i].fh, fh))
			return &ss->leases[i];
	return NULL;
}

bool sat_lives(const struct sats *s, const struct sat_session *ss)
{
	return !ss->over && s->t.boot < ss->until;
}

/* Nobody changes what a copy under way reads. */
static void check_read_only(struct sats *s, const struct gns_fh *fh)
{
	struct change *c;

	if (!s->o)
		return;
	TAILQ_FOREACH(c, &s->o->running, link) {
		if (c->state != CH_APPLYING || !c->from)
			continue;
		FUZZ_CHECK(!gns_fh_eq(&c->from->fh, fh),
			   "node %u is changed while it is copied from",
			   fh->b[1]);
	}
}

/* A change is about to be seen in @fh. */
void check_touch(struct toy *t, const struct gns_msg *req,
		 const struct gns_fh *fh)
{
	struct sats *s = (struct sats *)t;
	const struct sat_session *writer = sat_session(s, req->sid);
	const struct sat_lease *l;
	u32 i;

	check_read_only(s, fh);
	for (i = 0; i < s->nsessions; i++) {
		struct sat_session *ss = &s->sessions[i];

		/* The writer's kernel looks after its own leases. */
		if (!sat_lives(s, ss) || (writer && ss->inst == writer->inst))
			continue;
		l = sat_lease(ss, fh);
		FUZZ_CHECK(!l || !l->number,
			   "%s runs while session %u holds a lease",
			   gns_msg_name(req->type), i);
	}
}

/* Whoever is to release something and can be told so has been told. */
void check_revoked(struct sats *s)
{
	u32 i;

	for (i = 0; i < SAT_CONNS && !s->broke; i++) {
		struct sat_session *ss = s->conns[i].session;
		struct session *os = ss ? session_live(s->o, ss->sid) : NULL;
		struct lease *l, *tmp;

		if (!os)
			continue;
		HASH_ITER(hh, os->leases, l, tmp) {
			struct sat_lease *sl = sat_lease(ss, &l->of.obj->fh);

			FUZZ_CHECK(!l->revoke_at || (sl && sl->revoked),
				   "a REVOKE was not sent");
		}
	}
}

/* It can not be done twice without somebody seeing it. */
static bool happens_once(const struct gns_msg *req, u32 status)
{
	const struct gns_m_rename *r = &req->rename;

	if (status)
		return false;
	switch (req->type) {
	case GNS_MKDIR:
	case GNS_UNLINK:
	case GNS_RMDIR:
	case GNS_LINK:
	case GNS_SYMLINK:
	case GNS_MKNOD:
		return true;
	case GNS_SETXATTR:
		return req->setxattr.flags & (GNS_XA_CREATE | GNS_XA_REMOVE);
	case GNS_FALLOCATE:
		return req->fallocate.mode & FALLOC_FL_COLLAPSE_RANGE;
	case GNS_CREATE:
		return req->make.flags & GNS_CR_EXCL;
	case GNS_RENAME:
		return !gns_fh_eq(&r->odir, &r->ndir) ||
		       r->oname.len != r->nname.len ||
		       memcmp(r->oname.p, r->nname.p, r->oname.len);
	}
	return false;
}

/* Did somebody ask for this change, and as an append? */
static bool asked_to_append(struct sats *s, const struct sat_session *ss,
			    const struct gns_change *ch)
{
	u32 i;

	for (i = 1; i <= s->tag; i++)
		if (s->asked[i].append && s->asked[i].inst == ss->inst &&
		    s->asked[i].slot == ch->slot && s->asked[i].seq == ch->seq)
			return true;
	return false;
}

static void check_append(struct sats *s, const struct sat_session *ss,
			 const struct gns_msg *req, const struct sat_change *old)
{
	if (req->type != GNS_WRITE || s->hostile ||
	    !asked_to_append(s, ss, &req->write.change))
		return;
	FUZZ_CHECK(req->write.off == (old ? old->off : s->t.size_before),
		   "an append to %llu of a file of %llu",
		   (unsigned long long)req->write.off,
		   (unsigned long long)s->t.size_before);
}

/* The backend has carried @req out, or tried to. */
void check_tried(struct toy *t, const struct gns_msg *req, u32 status)
{
	const struct gns_change *ch = gns_msg_change((struct gns_msg *)req);
	struct sats *s = (struct sats *)t;
	struct sat_session *ss = sat_session(s, req->sid);
	bool made = !t->idle && happens_once(req, status);
	struct sat_change *c;
	u32 i;

	if (!ss || !s->o)
		return;
	for (i = 0; i < s->nchanges; i++) {
		c = &s->changes[i];
		if (c->inst != ss->inst || c->slot != ch->slot ||
		    c->seq != ch->seq)
			continue;
		FUZZ_CHECK(c->life != s->life, "%s of slot %u, %llu ran twice",
			   gns_msg_name(req->type), ch->slot,
			   (unsigned long long)ch->seq);
		if (!status)
			check_append(s, ss, req, c->ran ? c : NULL);
		FUZZ_CHECK(!c->made || !made,
			   "%s of slot %u, %llu ran again after a restart",
			   gns_msg_name(req->type), ch->slot,
			   (unsigned long long)ch->seq);
		c->made |= made;
		if (!status && req->type == GNS_WRITE) {
			c->ran = true;
			c->off = req->write.off;
		}
		c->life = s->life;
		return;
	}
	if (s->nchanges == SAT_CHANGES)
		return;
	if (!status)
		check_append(s, ss, req, NULL);
	s->changes[s->nchanges++] = (struct sat_change){
		.off = req->type == GNS_WRITE ? req->write.off : 0,
		.ran = !status,
		.seq = ch->seq,
		.slot = ch->slot,
		.life = s->life,
		.inst = ss->inst,
		.made = made,
	};
}

/* An answer shows @fh in @version. */
void check_seen(struct sats *s, const struct gns_fh *fh, u64 version,
		const struct gns_attr *attr)
{
	u32 i;

	if (!version || !attr->ino)
		return;
	for (i = 0; i < s->nseen; i++) {
		if (s->seen[i].version != version ||
		    !gns_fh_eq(&s->seen[i].fh, fh))
			continue;
		FUZZ_CHECK(s->seen[i].ctime == attr->ctime,
			   "two states of node %u in version %llu", fh->b[1],
			   (unsigned long long)version);
		return;
	}
	if (s->nseen < SAT_SEEN)
		s->seen[s->nseen++] =
			(struct sat_seen){ *fh, version, attr->ctime };
}

/* What the disk did not take, or has no ctime to be written down with. */
static bool stays_marked(const struct obj *obj)
{
	return obj->loss || (!obj->ctime && obj->version);
}

/* Nothing is under way any more, and nobody is there. */
void check_idle(struct sats *s)
{
	struct gns_origin *o = s->o;
	struct obj *obj, *tmp;

	FUZZ_CHECK(!o->stats.sessions && !o->sessions, "sessions are left");
	FUZZ_CHECK(LIST_EMPTY(&o->all_sessions), "dead sessions are left");
	FUZZ_CHECK(!o->stats.leases, "leases are left");
	FUZZ_CHECK(LIST_EMPTY(&o->conns), "connections are left");
	FUZZ_CHECK(TAILQ_EMPTY(&o->waiting) && TAILQ_EMPTY(&o->running),
		   "changes are left");
	FUZZ_CHECK(TAILQ_EMPTY(&o->reads), "reads are left");
	HASH_ITER(hh, o->objs, obj, tmp) {
		FUZZ_CHECK(!obj->refs && LIST_EMPTY(&obj->leases),
			   "an object is referred to");
		FUZZ_CHECK(!obj->owner && !obj->applying,
			   "an object is being changed");
		FUZZ_CHECK(!obj->readers && TAILQ_EMPTY(&obj->waiting),
			   "an object is being read");
		FUZZ_CHECK(!obj->marked || stays_marked(obj),
			   "an object never settles");
	}
}

/* May the question stay without an answer? */
static bool excused(struct sats *s, const struct sat_asked *a)
{
	struct sat_session *ss = sat_session(s, a->sid);
	u32 i;

	if (s->conns[a->conn].life != a->life || !s->conns[a->conn].open)
		return true;
	if (!gns_msg_is_change(a->type))
		return false;
	/*
	 * Changes of the dead are dropped; a later copy or a later change of
	 * the slot takes the place of one; one that comes while an older one
	 * is past its revokes has to be said again.
	 */
	if (a->early || !ss || !session_live(s->o, a->sid))
		return true;
	for (i = 0; i < SAT_ASKED; i++) {
		const struct sat_asked *b = &s->asked[i];

		if (b->tag > a->tag && gns_msg_is_change(b->type) &&
		    b->inst == a->inst && b->slot == a->slot &&
		    b->seq >= a->seq)
			return true;
	}
	return false;
}

void check_all_answered(struct sats *s)
{
	u32 i;

	for (i = 0; i < SAT_ASKED; i++) {
		const struct sat_asked *a = &s->asked[i];

		if (a->open)
			FUZZ_CHECK(excused(s, a), "%s (tag %llu) has no answer",
				   gns_msg_name(a->type),
				   (unsigned long long)a->tag);
	}
}
