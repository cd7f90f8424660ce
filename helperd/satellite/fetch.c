// SPDX-License-Identifier: GPL-2.0
/*
 * Large ranges in parallel pieces; see fetch.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "satellite/fetch.h"
#include "satellite/sat.h"

struct piece {
	struct gns_fetch *f;
	u64 off;
	struct request *r; /* NULL: not on its way */
};

struct gns_fetch {
	struct gns_sat *s;
	struct gns_fetch_want want;
	const struct gns_fetch_ops *ops;
	void *arg;
	u64 next; /* first byte nobody has asked for */
	u64 end;
	u64 version;
	u32 busy;
	struct piece piece[GNS_FETCH_DEPTH];
};

static void piece_done(void *arg, const struct gns_msg *rep);

/* Ask for the next piece. Returns 0; a negative errno: it was not taken. */
static int piece_ask(struct piece *p)
{
	struct gns_fetch *f = p->f;
	u64 off = f->next;
	struct gns_msg m = { .type = GNS_READ };

	m.range.cred = f->want.cred;
	m.range.fh = f->want.fh;
	m.range.off = off;
	m.range.len = min_u64(GNS_FETCH_UNIT, f->end - off);
	m.range.lease = f->want.lease;
	p->off = off;
	p->r = request_new(f->s, f->want.epoch, &m, piece_done, p);
	if (!p->r)
		return -EAGAIN;
	f->next = off + m.range.len;
	f->busy++;
	return 0;
}

static void fetch_end(struct gns_fetch *f, u32 status)
{
	const struct gns_fetch_ops *ops = f->ops;
	void *arg = f->arg;

	gns_fetch_cancel(f);
	ops->done(arg, status);
}

/* The end of the file is nearer than was asked for. */
static void fetch_shorten(struct gns_fetch *f, const struct gns_msg *rep)
{
	f->end = min_u64(f->end, max_u64(rep->r_obj.attr.size, f->want.off));
	f->next = min_u64(f->next, f->end);
}

static void piece_done(void *arg, const struct gns_msg *rep)
{
	struct piece *p = arg;
	struct gns_fetch *f = p->f;

	p->r = NULL;
	f->busy--;
	if (rep->status) {
		fetch_end(f, rep->status);
		return;
	}
	if (!f->version)
		f->version = rep->r_obj.grant.version;
	if (!f->version || rep->r_obj.grant.version != f->version) {
		fetch_end(f, ESTALE);
		return;
	}
	if (rep->payload_len)
		f->ops->piece(f->arg, p->off, rep->payload, rep->payload_len);
	fetch_shorten(f, rep);
	if (f->next < f->end && piece_ask(p) && !f->busy)
		fetch_end(f, EAGAIN);
	else if (!f->busy)
		fetch_end(f, 0);
}

struct gns_fetch *gns_fetch_start(struct gns_sat *s,
				  const struct gns_fetch_want *want,
				  const struct gns_fetch_ops *ops, void *arg)
{
	struct gns_fetch *f;
	u32 i;

	errno = EINVAL;
	if (!want->lease || !want->epoch || !want->len ||
	    want->off + want->len < want->off)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->s = s;
	f->want = *want;
	f->ops = ops;
	f->arg = arg;
	f->next = want->off;
	f->end = want->off + want->len;
	for (i = 0; i < GNS_FETCH_DEPTH; i++)
		f->piece[i].f = f;
	for (i = 0; i < GNS_FETCH_DEPTH && f->next < f->end; i++)
		if (piece_ask(&f->piece[i]))
			break;
	if (f->busy)
		return f;
	free(f);
	errno = EAGAIN;
	return NULL;
}

void gns_fetch_cancel(struct gns_fetch *f)
{
	u32 i;

	for (i = 0; i < GNS_FETCH_DEPTH; i++)
		if (f->piece[i].r)
			request_drop(f->s, f->piece[i].r);
	free(f);
}
