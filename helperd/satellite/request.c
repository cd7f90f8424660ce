// SPDX-License-Identifier: GPL-2.0
/*
 * Requests: sent when there is a way, sent again when it breaks, answered
 * once.
 *
 * A request keeps its tag over all its transmissions, so the first answer
 * ends it and later ones find nothing. Reading twice is harmless, and a
 * change carries the slot that keeps it from running twice, as long as the
 * origin remembers the slot: request_sweep().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "satellite/sat.h"

static struct request *by_tag(struct gns_sat *s, u64 tag)
{
	struct request *r;

	HASH_FIND(hh, s->by_tag, &tag, sizeof(tag), r);
	return r;
}

static struct request *by_id(struct gns_sat *s, u64 id)
{
	struct request *r;

	HASH_FIND(hh_id, s->by_id, &id, sizeof(id), r);
	return r;
}

static void request_unbind(struct request *r, struct gns_sat *s)
{
	if (!r->link)
		return;
	TAILQ_REMOVE(&r->link->sent, r, link_entry);
	r->link = NULL;
	s->stats.inflight -= r->bytes;
	TAILQ_INSERT_TAIL(&s->waiting, r, link_entry);
}

/* The link is gone or belongs to another session now. */
void request_unbind_all(struct link *l)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&l->sent)))
		request_unbind(r, l->s);
}

/* Of the memory for payloads of changes. Others are few, and small. */
static u32 owned(const struct gns_msg *msg)
{
	return gns_msg_is_change(msg->type) ? msg->payload_len : 0;
}

static void request_free(struct gns_sat *s, struct request *r)
{
	if (r->leader) {
		LIST_REMOVE(r, follow);
	} else if (r->link) {
		TAILQ_REMOVE(&r->link->sent, r, link_entry);
		s->stats.inflight -= r->bytes;
	} else {
		TAILQ_REMOVE(&s->waiting, r, link_entry);
	}
	HASH_DELETE(hh, s->by_tag, r);
	if (!r->done)
		HASH_DELETE(hh_id, s->by_id, r);
	s->stats.pending--;
	s->stats.payload -= owned(r->msg);
	free(r->msg);
	free(r);
}

void request_free_all(struct gns_sat *s)
{
	struct request *r, *tmp;

	HASH_CLEAR(hh_id, s->by_id);
	HASH_ITER(hh, s->by_tag, r, tmp) {
		HASH_DELETE(hh, s->by_tag, r);
		free(r->msg);
		free(r);
	}
}

/* What the origin of this session does not know is not said. */
static void suit(const struct gns_sat *s, struct gns_msg *msg)
{
	if (msg->type == GNS_READDIR && !(s->features & GNS_FEAT_NAMES))
		msg->range.want &= (u8)~GNS_WANT_NAMES;
	if (s->features & GNS_FEAT_HOLD)
		return;
	if (msg->type == GNS_UNLINK)
		msg->make.flags &= ~GNS_UN_OPEN;
	else if (msg->type == GNS_RENAME)
		msg->rename.flags &= ~GNS_RN_OPEN;
}

static bool request_send(struct gns_sat *s, struct request *r)
{
	struct link *l;
	struct gns_msg msg = *r->msg;

	if (r->bytes && s->stats.inflight &&
	    s->stats.inflight + r->bytes > s->cfg.window)
		return false;
	l = link_pick(s);
	if (!l)
		return false;
	msg.tag = r->tag;
	msg.sid = s->sid;
	if (!(s->features & GNS_FEAT_ACL))
		gns_msg_strip(&msg);
	suit(s, &msg);
	TAILQ_REMOVE(&s->waiting, r, link_entry);
	TAILQ_INSERT_TAIL(&l->sent, r, link_entry);
	r->link = l;
	r->tried = true;
	r->sent_at = gns_boottime(s->env);
	s->stats.inflight += r->bytes;
	/* A failure to send shows as the end of the link, later. */
	gns_conn_send(l->conn, &msg, NULL);
	return true;
}

/* Send what can be sent, in order. */
void request_pump(struct gns_sat *s)
{
	struct request *r;

	if (s->state != SAT_LIVE)
		return;
	while ((r = TAILQ_FIRST(&s->waiting)) && request_send(s, r))
		;
}

/* What has had no answer for long goes out again, maybe another way. */
void request_tick(struct gns_sat *s, u64 now)
{
	struct request *r, *next;
	u32 i;

	for (i = 0; i < s->cfg.conns; i++) {
		for (r = TAILQ_FIRST(&s->links[i].sent); r; r = next) {
			next = TAILQ_NEXT(r, link_entry);
			if (now - r->sent_at < r->resend)
				continue;
			r->resend = min_u64(r->resend * 2, 60 * NSEC_PER_SEC);
			s->stats.resent++;
			request_unbind(r, s);
		}
	}
	request_pump(s);
}

static u32 request_bytes(const struct gns_msg *msg)
{
	return msg->type == GNS_READ || msg->type == GNS_READDIR ?
		       msg->range.len :
		       0;
}

/* The features that the origin needs for a request. */
static u64 feature_for(const struct gns_msg *msg)
{
	if (gns_msg_is_acl(msg))
		return GNS_FEAT_MORE | GNS_FEAT_ACL;
	switch (msg->type) {
	case GNS_SEEK:
		return GNS_FEAT_SEEK;
	case GNS_LINK:
	case GNS_SYMLINK:
	case GNS_MKNOD:
	case GNS_SETXATTR:
	case GNS_FALLOCATE:
	case GNS_COPY:
		return GNS_FEAT_MORE;
	case GNS_LOCK:
		return GNS_FEAT_LOCK;
	case GNS_TMPFILE:
		return GNS_FEAT_HOLD | GNS_FEAT_TMPFILE;
	case GNS_FSYNC:
		return msg->obj.datasync == GNS_FS_ALL ? GNS_FEAT_MORE : 0;
	}
	return 0;
}

/*
 * Two reads of one range in one life of a lease are one read: the lease has been
 * live since the first was sent, or the kernel drops both answers. Without a
 * lease they are two, for the second must see what changed in between.
 */
static struct request *request_twin(struct gns_sat *s, u64 epoch,
				    const struct gns_msg *msg)
{
	struct request *r, *tmp;
	u32 left = 64; /* looks no further, to stay cheap */

	if (msg->type != GNS_READ ||
	    (!epoch && !GNS_MUTANT(PASSTHROUGH_JOINED)))
		return NULL;
	HASH_ITER(hh, s->by_tag, r, tmp) {
		const struct gns_m_range *a = &r->msg->range, *b = &msg->range;

		if (!left--)
			return NULL;
		if (r->msg->type == GNS_READ && !r->leader &&
		    r->epoch == epoch && a->off == b->off &&
		    a->len == b->len && a->want == b->want &&
		    gns_fh_eq(&a->fh, &b->fh) &&
		    !memcmp(&a->cred, &b->cred, sizeof(a->cred)))
			return r;
	}
	return NULL;
}

static struct request *request_alloc(struct gns_sat *s, u64 epoch,
				     const struct gns_msg *msg)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->msg = gns_msg_dup(msg, true);
	if (!r->msg) {
		free(r);
		return NULL;
	}
	r->epoch = epoch;
	r->tag = ++s->next_tag;
	r->resend = s->cfg.resend;
	r->bytes = request_bytes(msg);
	r->tried = s->heir;
	LIST_INIT(&r->followers);
	return r;
}

/* Into the table, and on its way: behind its twin, or in line. */
static void request_add(struct gns_sat *s, struct request *r)
{
	struct request *twin = request_twin(s, r->epoch, r->msg);

	HASH_ADD(hh, s->by_tag, tag, sizeof(r->tag), r);
	s->stats.pending++;
	s->stats.requests++;
	s->stats.payload += owned(r->msg);
	if (twin) {
		r->leader = twin;
		LIST_INSERT_HEAD(&twin->followers, r, follow);
		s->stats.joined++;
		return;
	}
	TAILQ_INSERT_TAIL(&s->waiting, r, link_entry);
	request_pump(s);
}

/*
 * A request of the library's own: @done is called with the answer, and the
 * request is gone. NULL: without memory, or when too many are pending.
 */
struct request *request_new(struct gns_sat *s, u64 epoch,
			    const struct gns_msg *msg,
			    void (*done)(void *arg, const struct gns_msg *rep),
			    void *arg)
{
	struct request *r;

	if (s->stats.pending >= s->cfg.max_pending)
		return NULL;
	r = request_alloc(s, epoch, msg);
	if (!r)
		return NULL;
	r->done = done;
	r->arg = arg;
	request_add(s, r);
	return r;
}

int gns_sat_submit(struct gns_sat *s, u64 id, u64 epoch,
		   const struct gns_msg *msg)
{
	struct request *r;

	if (msg->reply || msg->type < GNS_MOUNT || msg->type >= GNS_MSG_END ||
	    msg->type == GNS_UNLOCKED || msg->type == GNS_RELEASED_OPEN ||
	    by_id(s, id))
		return -EINVAL;
	if (s->state == SAT_LIVE && feature_for(msg) & ~s->features)
		return -EOPNOTSUPP;
	if (s->stats.pending >= s->cfg.max_pending ||
	    (s->stats.payload &&
	     s->stats.payload + owned(msg) > s->cfg.payload))
		return -EAGAIN;
	r = request_alloc(s, epoch, msg);
	if (!r)
		return -ENOMEM;
	r->id = id;
	HASH_ADD(hh_id, s->by_id, id, sizeof(r->id), r);
	request_add(s, r);
	return 0;
}

/* Followers of a request that ends without an answer stand for themselves. */
static void request_disband(struct gns_sat *s, struct request *r)
{
	struct request *f;

	while ((f = LIST_FIRST(&r->followers))) {
		LIST_REMOVE(f, follow);
		f->leader = NULL;
		TAILQ_INSERT_TAIL(&s->waiting, f, link_entry);
	}
}

void request_drop(struct gns_sat *s, struct request *r)
{
	request_disband(s, r);
	request_free(s, r);
	request_pump(s);
}

void gns_sat_cancel(struct gns_sat *s, u64 id)
{
	struct request *r = by_id(s, id);

	if (r)
		request_drop(s, r);
}

static void request_end(struct gns_sat *s, struct request *r,
			const struct gns_msg *rep)
{
	void (*done)(void *arg, const struct gns_msg *rep) = r->done;
	void *arg = r->arg;
	u64 id = r->id;

	request_free(s, r);
	s->stats.replies++;
	if (done)
		done(arg, rep);
	else
		s->kern->ops->reply(s->kern, id, rep);
}

/* Why it can not be sent in the session that begins; 0: it can. */
static u32 request_bar(const struct gns_sat *s, const struct request *r,
		       bool slots_known)
{
	bool missing = feature_for(r->msg) & ~s->features;

	if (gns_msg_is_change(r->msg->type) && r->tried &&
	    (missing || !slots_known))
		return GNS_ST_UNKNOWN;
	return missing ? EOPNOTSUPP : 0;
}

/*
 * A session begins: end what can not be sent in it. All requests wait, and none
 * is sent meanwhile, for the session is not there yet.
 */
void request_sweep(struct gns_sat *s, bool slots_known)
{
	struct gns_msg rep = { .reply = true };
	struct request *r;

again:
	TAILQ_FOREACH(r, &s->waiting, link_entry) {
		rep.status = request_bar(s, r, slots_known);
		if (!rep.status)
			continue;
		rep.type = r->msg->type;
		rep.tag = r->tag;
		request_end(s, r, &rep);
		/* Who was told may have cancelled any other one. */
		goto again;
	}
}

/* An answer came in on @l. A negative errno closes it. */
int request_reply(struct link *l, const struct gns_msg *msg)
{
	struct gns_sat *s = l->s;
	struct request *r = by_tag(s, msg->tag);

	if (!r || r->leader)
		return 0;
	if (r->msg->type != msg->type)
		return -EBADMSG;
	if (msg->status == GNS_ST_DEAD) {
		/* Unbinds it; it goes out again in the next session. An
		 * answer of an older session says nothing about this one.
		 */
		sat_lost(s, msg->sid);
		return 0;
	}
	if (msg->type == GNS_READ && msg->payload_len > r->msg->range.len)
		return -EBADMSG;
	s->stats.read_bytes += msg->payload_len;
	r->epoch = 0; /* nobody joins what is being answered */
	do {
		struct request *f = LIST_FIRST(&r->followers);

		request_end(s, f ? f : r, msg);
		/* Whoever was told may have cancelled the others. */
	} while ((r = by_tag(s, msg->tag)));
	request_pump(s);
	return 0;
}
