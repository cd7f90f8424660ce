// SPDX-License-Identifier: GPL-2.0
/*
 * An origin that the kernel has named: its session, its calls.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "satellite/kernel_int.h"

/* The kernel's table has no more calls than this. */
#define PENDING_MAX 65536u
/* For BYE to leave before its connection is closed. */
#define LEAVE_NS NSEC_PER_SEC

#define ORIGIN(kern) container_of(kern, struct kern_origin, kern)

static bool deaf(const struct kern_origin *o)
{
	return o->gone || o->k->broken;
}

static struct nl_msg *message(const struct kern_origin *o, u8 cmd)
{
	struct nl_msg *m = gns_genl_msg(o->k->nl, cmd, 0);

	if (m && nla_put_u32(m, GNS_A_ORIGIN, o->nr)) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

/* With a u64 more; NULL stays NULL. */
static struct nl_msg *with_u64(struct nl_msg *m, int type, u64 v)
{
	if (m && nla_put_u64(m, type, v)) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

static int call(struct kern_origin *o, struct nl_msg *m, gns_genl_fn fn,
		void *arg, const char *what)
{
	int err = gns_genl_call(o->k->nl, m, fn, arg);

	if (err)
		gns_err("%s: %s: the kernel says: %s", o->name, what,
			gns_genl_why(o->k->nl));
	return err;
}

static bool take_id(struct nlattr *a, struct gns_id *id)
{
	if (a)
		memcpy(id, nla_data(a), GNS_ID_LEN);
	return a;
}

static int on_session(void *arg, u8 cmd, struct nlattr **attrs)
{
	struct gns_kern_session *ks = arg;

	if (attrs[GNS_A_SID])
		ks->sid = nla_get_u64(attrs[GNS_A_SID]);
	if (ks->sid && !take_id(attrs[GNS_A_SECRET], &ks->secret))
		return -EBADMSG;
	/* That of BIND, of a kernel that has no other. */
	take_id(attrs[GNS_A_INSTANCE], &ks->instance);
	if (attrs[GNS_A_ORIGIN_FEATURES])
		ks->features = nla_get_u64(attrs[GNS_A_ORIGIN_FEATURES]);
	ks->had_slots = attrs[GNS_A_HAD_SLOTS];
	return 0;
}

static void k_get(struct gns_kern *kern, struct gns_kern_session *ks)
{
	struct kern_origin *o = ORIGIN(kern);

	memset(ks, 0, sizeof(*ks));
	ks->host = o->k->host;
	ks->instance = o->k->instance;
	if (deaf(o))
		return;
	if (call(o, message(o, GNS_CMD_SESSION), on_session, ks, "session"))
		kernel_broke(o->k, "session", gns_genl_why(o->k->nl));
}

static u64 k_stamp(struct gns_kern *kern)
{
	struct kern_origin *o = ORIGIN(kern);
	u64 stamp;

	if (deaf(o))
		return gns_boottime(o->k->env);
	if (!ioctl(o->k->fd, GNS_IOC_STAMP, &stamp))
		return stamp;
	kernel_broke(o->k, "stamp", strerror(errno));
	/* Older than any that could be believed. */
	return 1;
}

static int on_secret(void *arg, u8 cmd, struct nlattr **attrs)
{
	return take_id(attrs[GNS_A_SECRET], arg) ? 0 : -EBADMSG;
}

static void k_secret(struct gns_kern *kern, struct gns_id *secret)
{
	struct kern_origin *o = ORIGIN(kern);

	/* One that the kernel does not have is of no use, nor can be guessed. */
	gns_random_bytes(secret, sizeof(*secret));
	if (deaf(o))
		return;
	if (call(o, message(o, GNS_CMD_SECRET), on_secret, secret, "secret"))
		kernel_broke(o->k, "secret", gns_genl_why(o->k->nl));
}

static int k_up(struct gns_kern *kern, const struct gns_r_hello *h)
{
	struct kern_origin *o = ORIGIN(kern);
	struct nl_msg *m;

	if (deaf(o))
		return -ENOTCONN;
	/* A change in line may be one that was sent: it must not be again. */
	if (!h->slots_known && !o->k->drained)
		return -EAGAIN;
	m = with_u64(message(o, GNS_CMD_UP), GNS_A_SID, h->sid);
	m = with_u64(m, GNS_A_STAMP, h->stamp);
	m = with_u64(m, GNS_A_TTL, h->ttl);
	m = with_u64(m, GNS_A_INCARNATION, h->incarnation);
	if (o->k->features & GNS_F_CHANGE)
		m = with_u64(m, GNS_A_ORIGIN_FEATURES, h->features);
	if (m && (nla_put_u32(m, GNS_A_SLOTS, h->slots) ||
		  (h->slots_known && nla_put_flag(m, GNS_A_SLOTS_KNOWN)))) {
		nlmsg_free(m);
		m = NULL;
	}
	return call(o, m, NULL, NULL, "session not taken");
}

static void k_renewed(struct gns_kern *kern, u64 sid, u64 stamp, u64 ttl)
{
	struct kern_origin *o = ORIGIN(kern);
	struct nl_msg *m;

	if (deaf(o))
		return;
	m = with_u64(message(o, GNS_CMD_RENEWED), GNS_A_SID, sid);
	m = with_u64(m, GNS_A_STAMP, stamp);
	/* One that is not sent is one renewal less. */
	gns_genl_send(o->k->nl, with_u64(m, GNS_A_TTL, ttl));
}

static void k_lost(struct gns_kern *kern, u64 sid)
{
	struct kern_origin *o = ORIGIN(kern);
	struct nl_msg *m;

	if (deaf(o))
		return;
	m = with_u64(message(o, GNS_CMD_LOST), GNS_A_SID, sid);
	/* Nothing goes on before the word FENCED comes. */
	if (call(o, m, NULL, NULL, "session lost"))
		kernel_broke(o->k, "lost", gns_genl_why(o->k->nl));
}

static void k_revoke(struct gns_kern *kern, u64 sid, const struct gns_fh *fh,
		     u64 upto)
{
	struct kern_origin *o = ORIGIN(kern);
	struct nl_msg *m;

	if (deaf(o))
		return;
	m = with_u64(message(o, GNS_CMD_REVOKE), GNS_A_SID, sid);
	m = with_u64(m, GNS_A_UPTO, upto);
	if (m && nla_put(m, GNS_A_FH, fh->len, fh->b)) {
		nlmsg_free(m);
		m = NULL;
	}
	/* One that is not sent: the origin says it again. */
	gns_genl_send(o->k->nl, m);
}

static void k_unlocked(struct gns_kern *kern, const struct gns_fh *fh)
{
	struct kern_origin *o = ORIGIN(kern);
	struct nl_msg *m;

	/* A kernel that does not know of locks has asked for none. */
	if (deaf(o) || !(o->k->features & GNS_F_LOCK))
		return;
	m = message(o, GNS_CMD_UNLOCKED);
	if (m && nla_put(m, GNS_A_FH, fh->len, fh->b)) {
		nlmsg_free(m);
		m = NULL;
	}
	/* One that is not sent: the kernel asks again by itself. */
	gns_genl_send(o->k->nl, m);
}

static void asked_free(struct kern_origin *o, struct kern_asked *a)
{
	if (!a)
		return;
	HASH_DEL(o->asked, a);
	free(a->items);
	free(a);
}

static struct kern_asked *asked_find(struct kern_origin *o, u64 id)
{
	struct kern_asked *a;

	HASH_FIND(hh, o->asked, &id, sizeof(id), a);
	return a;
}

static void k_reply(struct gns_kern *kern, u64 id, const struct gns_msg *rep)
{
	struct kern_origin *o = ORIGIN(kern);
	struct gns_kernel *k = o->k;
	struct kern_asked *a = asked_find(o, id);

	if (!deaf(o) && answer_give(k, id, rep, a))
		kernel_broke(k, "answer", gns_genl_why(k->nl));
	asked_free(o, a);
	kernel_go_on(k);
}

static void k_trouble(struct gns_kern *kern, int err, const char *why)
{
	struct kern_origin *o = ORIGIN(kern);
	char text[GNS_UTEXT_MAX + 1] = "";
	struct nl_msg *m;

	if (deaf(o))
		return;
	if (err)
		snprintf(text, sizeof(text), "%s: %s", o->name, why);
	if (err)
		gns_warn("%s", text);
	else
		gns_log(GNS_LOG_INFO, NULL, "%s: reached", o->name);
	m = message(o, GNS_CMD_TROUBLE);
	if (m && (nla_put_u32(m, GNS_A_STATUS, (u32)err) ||
		  nla_put_string(m, GNS_A_TEXT, text))) {
		nlmsg_free(m);
		m = NULL;
	}
	gns_genl_send(o->k->nl, m);
}

static const struct gns_kern_ops kern_ops = {
	.get = k_get,
	.stamp = k_stamp,
	.secret = k_secret,
	.up = k_up,
	.renewed = k_renewed,
	.lost = k_lost,
	.revoke = k_revoke,
	.unlocked = k_unlocked,
	.reply = k_reply,
	.trouble = k_trouble,
};

struct kern_origin *origin_find(struct gns_kernel *k, u32 nr)
{
	struct kern_origin *o;

	LIST_FOREACH(o, &k->origins, link)
		if (o->nr == nr && !o->gone)
			return o;
	return NULL;
}

static void on_end(void *arg)
{
	origin_destroy(arg);
}

int origin_begin(struct gns_kernel *k, const struct gns_word *w)
{
	struct gns_sat_config cfg = {
		.max_pending = PENDING_MAX,
		.lacks = k->features & GNS_F_ACL ? 0 : GNS_FEAT_ACL,
	};
	struct kern_origin *o;

	if (origin_find(k, w->origin))
		return 0;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->k = k;
	o->nr = w->origin;
	o->name = strndup(w->name.p, w->name.len);
	o->kern.ops = &kern_ops;
	o->connector.ops = &kern_connector_ops;
	LIST_INIT(&o->attempts);
	gns_timer_init(&o->end, k->env, on_end, o);
	LIST_INSERT_HEAD(&k->origins, o, link);
	if (o->name)
		o->sat = gns_sat_create(k->env, &o->kern, &o->connector, &cfg);
	if (!o->sat) {
		origin_destroy(o);
		return -ENOMEM;
	}
	k->norigins++;
	gns_info("%s: mounted from here", o->name);
	return 0;
}

/* The kernel wants nothing of it any more; the origin is told. */
void origin_leave(struct kern_origin *o)
{
	gns_info("%s: nothing mounted any more", o->name);
	gns_sat_bye(o->sat);
	o->gone = true;
	o->k->norigins--;
	gns_timer_arm(&o->end, gns_boottime(o->k->env) + LEAVE_NS);
}

void origin_destroy(struct kern_origin *o)
{
	struct kern_asked *a, *tmp;

	if (o->sat)
		gns_sat_destroy(o->sat);
	if (o->sat && !o->gone)
		o->k->norigins--;
	attempts_cancel(o);
	gns_timer_cancel(&o->end);
	HASH_ITER(hh, o->asked, a, tmp)
		asked_free(o, a);
	LIST_REMOVE(o, link);
	free(o->name);
	free(o);
}

static bool needs_asked(u16 type)
{
	return type != GNS_READ && gns_answer_has_bytes(type);
}

/* The objects of a REVALIDATE, which lie in the kernel. */
static int take_items(struct gns_kernel *k, const struct gns_word *w,
		      struct kern_asked *a, struct gns_msg *msg)
{
	u8 *scratch = gns_bulk_scratch(k->bulk);
	u32 half = GNS_BULK_SCRATCH / 2;
	int n = gns_bulk_take(k->bulk, w->id, w->payload);

	if (n)
		return n;
	a->n = w->payload / sizeof(a->items[0]);
	a->items = malloc(w->payload);
	if (!a->items)
		return -ENOMEM;
	memcpy(a->items, scratch, w->payload);
	n = gns_revals_to_wire(a->items, a->n, scratch + half, half);
	if (n < 0)
		return n;
	msg->payload = scratch + half;
	msg->payload_len = (u32)n;
	return 0;
}

/* The bytes of a change; the library makes a copy of its own. */
static int take_bytes(struct gns_kernel *k, const struct gns_word *w,
		      struct gns_msg *msg)
{
	int err = gns_bulk_take(k->bulk, w->id, w->payload);

	if (err)
		return err;
	msg->payload = gns_bulk_scratch(k->bulk);
	msg->payload_len = w->payload;
	return 0;
}

/*
 * Returns 0: it is on its way or has ended; -EAGAIN: later. There is room for
 * a payload in each slot, so a change does not hold up the line for long.
 */
int origin_call(struct kern_origin *o, const struct gns_word *w)
{
	struct gns_kernel *k = o->k;
	struct kern_asked *a = NULL;
	struct gns_msg msg = w->msg;
	int err = 0;

	if (needs_asked(msg.type)) {
		a = calloc(1, sizeof(*a));
		if (!a)
			return -EAGAIN;
		a->id = w->id;
		a->room = w->room;
		if (msg.type == GNS_REVALIDATE)
			err = take_items(k, w, a, &msg);
		HASH_ADD(hh, o->asked, id, sizeof(a->id), a);
	} else if (w->payload) {
		err = take_bytes(k, w, &msg);
	}
	if (!err)
		err = gns_sat_submit(o->sat, w->id, w->epoch, &msg);
	if (!err)
		return 0;
	asked_free(o, a);
	if (err == -EAGAIN || err == -ENOMEM)
		return -EAGAIN;
	if (err == -ENOENT) /* it has ended meanwhile */
		return 0;
	if (err == -EOPNOTSUPP) {
		err = answer_status(k, w->id, 0, EOPNOTSUPP);
	} else {
		gns_err("%s: %s: a call that can not be carried out: %s",
			o->name, gns_msg_name(msg.type), strerror(-err));
		err = answer_failed(k, w->id, msg.type);
	}
	if (err)
		kernel_broke(k, "call", gns_genl_why(k->nl));
	return 0;
}

void origin_cancel(struct kern_origin *o, u64 id)
{
	gns_sat_cancel(o->sat, id);
	asked_free(o, asked_find(o, id));
}
