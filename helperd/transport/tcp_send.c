// SPDX-License-Identifier: GPL-2.0
/*
 * A connection's way out: a queue of chunks with many small messages each,
 * and of bulks that are sent from where they lie.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "lib/log.h"
#include "transport/tcp_int.h"

#define CHUNK (32u << 10)
#define SPARE_MAX 64u /* empty chunks kept */
#define IOV_MAX_ 64u
/* This much leaves at once: the network can work while the round goes on. */
#define FLUSH_NOW (512u << 10)
/* Bytes sent on one connection before the others get their turn. */
#define SEND_BUDGET (8u << 20)

_Static_assert(CHUNK >= GNS_HDR_LEN + GNS_BODY_MAX,
	       "an empty chunk must take any header and body");

static struct tcp_out *chunk_new(struct gns_tcp *t, u32 cap)
{
	struct tcp_out *o = TAILQ_FIRST(&t->spare);

	if (cap == CHUNK && o) {
		TAILQ_REMOVE(&t->spare, o, link);
		t->nspare--;
	} else {
		o = malloc(sizeof(*o) + cap);
		if (!o)
			return NULL;
	}
	o->bulk = NULL;
	o->p = o->buf;
	o->off = 0;
	o->len = 0;
	o->cap = cap;
	return o;
}

static void out_free(struct gns_tcp *t, struct tcp_out *o)
{
	struct gns_bulk *bulk = o->bulk;

	if (o->cap == CHUNK && t->nspare < SPARE_MAX) {
		TAILQ_INSERT_HEAD(&t->spare, o, link);
		t->nspare++;
		return;
	}
	free(o);
	if (bulk)
		bulk->release(bulk);
}

void tcp_spare_free(struct gns_tcp *t)
{
	struct tcp_out *o;

	while ((o = TAILQ_FIRST(&t->spare))) {
		TAILQ_REMOVE(&t->spare, o, link);
		free(o);
	}
}

void tcp_out_drop(struct tcp_conn *c)
{
	struct tcp_out *o;

	while ((o = TAILQ_FIRST(&c->outq))) {
		TAILQ_REMOVE(&c->outq, o, link);
		out_free(c->t, o);
	}
}

static struct tcp_out *outq_last(struct tcp_conn *c)
{
	return TAILQ_LAST(&c->outq, tcp_outq);
}

/* Header and body; nothing is queued when it fails. */
static int put_message(struct tcp_conn *c, const struct gns_msg *msg)
{
	struct tcp_out *o = outq_last(c);
	int n = -EMSGSIZE;

	if (o && o->cap && o->cap - o->len >= GNS_HDR_LEN)
		n = gns_msg_encode(msg, o->buf + o->len, o->cap - o->len);
	if (n == -EMSGSIZE) {
		o = chunk_new(c->t, CHUNK);
		if (!o)
			return -ENOMEM;
		n = gns_msg_encode(msg, o->buf, CHUNK);
		if (n < 0) {
			out_free(c->t, o);
			return n;
		}
		TAILQ_INSERT_TAIL(&c->outq, o, link);
	}
	if (n < 0)
		return n;
	o->len += (u32)n;
	c->pub.queued += (u32)n;
	return 0;
}

/* A payload without a bulk is ours to keep. */
static int put_copy(struct tcp_conn *c, const void *p, u32 len)
{
	struct tcp_out *o = outq_last(c);

	if (o->cap - o->len < len) {
		/* Not CHUNK itself: such ones are kept for messages. */
		o = chunk_new(c->t, len == CHUNK ? len + 1 : len);
		if (!o)
			return -ENOMEM;
		TAILQ_INSERT_TAIL(&c->outq, o, link);
	}
	memcpy(o->buf + o->len, p, len);
	o->len += len;
	c->pub.queued += len;
	return 0;
}

static int put_bulk(struct tcp_conn *c, struct gns_bulk *bulk, u32 len)
{
	struct tcp_out *o = malloc(sizeof(*o));

	if (!o)
		return -ENOMEM;
	*o = (struct tcp_out){ .bulk = bulk, .p = bulk->data, .len = len };
	TAILQ_INSERT_TAIL(&c->outq, o, link);
	c->pub.queued += len;
	return 0;
}

/*
 * A message that is half queued when memory ends goes nowhere: the connection
 * has failed then, and is never flushed again.
 */
static int put_all(struct tcp_conn *c, const struct gns_msg *msg,
		   struct gns_bulk **bulk)
{
	u32 len = msg->payload_len;
	int err;

	if (c->pub.queued + len > c->t->cfg.queued_max) {
		gns_warn("%s: more than %llu bytes queued; connection closed",
			 c->pub.peer,
			 (unsigned long long)c->t->cfg.queued_max);
		return -ENOMEM;
	}
	err = put_message(c, msg);
	if (err || !len)
		return err;
	if (!*bulk)
		return put_copy(c, msg->payload, len);
	err = put_bulk(c, *bulk, len);
	if (!err)
		*bulk = NULL;
	return err;
}

int tcp_send(struct gns_conn *conn, const struct gns_msg *msg,
	     struct gns_bulk *bulk)
{
	struct tcp_conn *c = container_of(conn, struct tcp_conn, pub);
	int err = -EPIPE;

	if (!c->failed && !c->gone) {
		err = put_all(c, msg, &bulk);
		if (err)
			tcp_conn_fail(c, err == -EINVAL ?
						 "a message can not be encoded" :
						 "no room for a message");
	}
	if (!err) {
		c->owed = true;
		tcp_mark(c);
		if (!c->blocked && conn->queued >= FLUSH_NOW)
			tcp_flush(c);
	}
	/* Last, for its owner may do anything then. */
	if (bulk)
		bulk->release(bulk);
	return err;
}

/* Bytes have left; whole items go, and their owners may do anything then. */
static void sent(struct tcp_conn *c, size_t n)
{
	struct tcp_out *o;
	u32 part;

	c->pub.queued -= n;
	while (n && (o = TAILQ_FIRST(&c->outq))) {
		part = (u32)min_u64(n, o->len - o->off);
		o->off += part;
		n -= part;
		if (o->off < o->len)
			return;
		TAILQ_REMOVE(&c->outq, o, link);
		out_free(c->t, o);
	}
}

/* From memory, up to the next pipe. */
static ssize_t send_memory(struct tcp_conn *c)
{
	struct iovec iov[IOV_MAX_];
	struct msghdr mh = { .msg_iov = iov };
	struct tcp_out *o;
	int flags = MSG_NOSIGNAL;

	TAILQ_FOREACH(o, &c->outq, link) {
		if (!o->p || mh.msg_iovlen == IOV_MAX_) {
			flags |= MSG_MORE;
			break;
		}
		iov[mh.msg_iovlen++] = (struct iovec){ (void *)(o->p + o->off),
						       o->len - o->off };
	}
	return sendmsg(c->fd, &mh, flags);
}

/* -1 with EAGAIN means the socket, never a pipe that has too little. */
static ssize_t send_pipe(struct tcp_conn *c, struct tcp_out *o)
{
	u32 flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
	int left = 0;
	ssize_t n;

	if (TAILQ_NEXT(o, link))
		flags |= SPLICE_F_MORE;
	n = splice(o->bulk->fd, NULL, c->fd, NULL, o->len - o->off, flags);
	if (n > 0 || (n < 0 && errno != EAGAIN))
		return n;
	if (n < 0 && !ioctl(o->bulk->fd, FIONREAD, &left) && left) {
		errno = EAGAIN;
		return -1;
	}
	gns_err("%s: a pipe has %u bytes too few; connection closed",
		c->pub.peer, o->len - o->off);
	errno = EIO;
	return -1;
}

static const char *send_error(int err)
{
	return err == EFAULT ? "a file shrank while it was sent" :
			       strerrordesc_np(err);
}

void tcp_flush(struct tcp_conn *c)
{
	u64 budget = SEND_BUDGET;
	struct tcp_out *o;
	ssize_t n;

	/* A bulk's owner sends more while its bytes are being counted. */
	if (c->flushing)
		return;
	c->flushing = true;
	while (!c->gone && !c->failed && (o = TAILQ_FIRST(&c->outq))) {
		n = o->p ? send_memory(c) : send_pipe(c, o);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			c->blocked = true;
			break;
		}
		if (n < 0) {
			tcp_conn_fail(c, send_error(errno));
			break;
		}
		sent(c, (size_t)n);
		if ((u64)n >= budget) {
			/* The poll handle says at once that there is room. */
			c->blocked = !TAILQ_EMPTY(&c->outq);
			break;
		}
		budget -= (u64)n;
	}
	c->flushing = false;
}
