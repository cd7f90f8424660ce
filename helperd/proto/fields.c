// SPDX-License-Identifier: GPL-2.0
/*
 * The walkers that pack and unpack a struct by its table of fields.
 */
#include <errno.h>

#include "proto/fields.h"

/* struct gns_attr is u64 fields first, then u32 ones; both ends keep it so. */
#define ATTR_U64 7
#define ATTR_U32 6

_Static_assert(offsetof(struct gns_attr, mode) == ATTR_U64 * 8, "attr order");
_Static_assert(sizeof(struct gns_attr) == ATTR_U64 * 8 + ATTR_U32 * 4,
	       "attr size");

static void put_attr(struct gns_cursor *c, const struct gns_attr *a)
{
	const u64 *q = &a->ino;
	const u32 *w = &a->mode;
	int i;

	for (i = 0; i < ATTR_U64; i++)
		gns_put(c, q[i], 8);
	for (i = 0; i < ATTR_U32; i++)
		gns_put(c, w[i], 4);
}

static void take_attr(struct gns_cursor *c, struct gns_attr *a)
{
	u64 *q = &a->ino;
	u32 *w = &a->mode;
	int i;

	for (i = 0; i < ATTR_U64; i++)
		q[i] = gns_take(c, 8);
	for (i = 0; i < ATTR_U32; i++)
		w[i] = gns_take(c, 4);
}

static bool put_fh(struct gns_cursor *c, const struct gns_fh *fh,
		   bool may_be_empty)
{
	if (fh->len > GNS_FH_MAX || (!fh->len && !may_be_empty))
		return false;
	gns_put(c, fh->len, 1);
	gns_put_bytes(c, fh->b, fh->len);
	return true;
}

static bool take_fh(struct gns_cursor *c, struct gns_fh *fh, bool may_be_empty)
{
	memset(fh, 0, sizeof(*fh));
	fh->len = gns_take(c, 1);
	if (fh->len > GNS_FH_MAX || (!fh->len && !may_be_empty && !c->bad)) {
		fh->len = 0;
		return false;
	}
	gns_take_bytes(c, fh->b, fh->len);
	return true;
}

static bool put_cred(struct gns_cursor *c, const struct gns_cred *cr)
{
	u32 i;

	if (cr->ngroups > GNS_GROUPS_MAX)
		return false;
	gns_put(c, cr->uid, 4);
	gns_put(c, cr->gid, 4);
	gns_put(c, cr->ngroups, 4);
	for (i = 0; i < cr->ngroups; i++)
		gns_put(c, cr->groups[i], 4);
	return true;
}

static bool take_cred(struct gns_cursor *c, struct gns_cred *cr)
{
	u32 i;

	cr->uid = gns_take(c, 4);
	cr->gid = gns_take(c, 4);
	cr->ngroups = gns_take(c, 4);
	if (cr->ngroups > GNS_GROUPS_MAX) {
		cr->ngroups = 0;
		return false;
	}
	for (i = 0; i < cr->ngroups; i++)
		cr->groups[i] = gns_take(c, 4);
	return true;
}

static bool put_changed(struct gns_cursor *c, const struct gns_changed_list *l)
{
	u32 i;

	if (l->n > GNS_CHANGED_MAX)
		return false;
	gns_put(c, l->n, 4);
	for (i = 0; i < l->n; i++) {
		if (!put_fh(c, &l->v[i].fh, false))
			return false;
		gns_put(c, l->v[i].before, 8);
		gns_put(c, l->v[i].after, 8);
		put_attr(c, &l->v[i].attr);
	}
	return true;
}

static bool take_changed(struct gns_cursor *c, struct gns_changed_list *l)
{
	u32 i;

	l->n = gns_take(c, 4);
	if (l->n > GNS_CHANGED_MAX) {
		l->n = 0;
		return false;
	}
	for (i = 0; i < l->n; i++) {
		if (!take_fh(c, &l->v[i].fh, false))
			return false;
		l->v[i].before = gns_take(c, 8);
		l->v[i].after = gns_take(c, 8);
		take_attr(c, &l->v[i].attr);
	}
	return true;
}

static bool put_str(struct gns_cursor *c, const struct gns_str *s, u32 max)
{
	if (!s->len || s->len > max || memchr(s->p, 0, s->len))
		return false;
	gns_put(c, s->len, 2);
	gns_put_bytes(c, s->p, s->len);
	return true;
}

static bool take_str(struct gns_cursor *c, struct gns_str *s, u32 max)
{
	u32 len = gns_take(c, 2);

	s->p = (const char *)gns_cur_skip(c, len);
	s->len = s->p ? len : 0;
	if (c->bad)
		return true;
	/* A name with a NUL in it would be another name for the origin. */
	return len && len <= max && !memchr(s->p, 0, len);
}

static bool put_one(struct gns_cursor *c, const struct gns_field *f,
		    const void *p)
{
	const struct gns_grant *g = p;
	const struct gns_change *ch = p;

	switch (f->kind) {
	case GNS_K_U8:
		gns_put(c, *(const u8 *)p, 1);
		return *(const u8 *)p <= f->max;
	case GNS_K_U32:
		gns_put(c, *(const u32 *)p, 4);
		return !f->max || *(const u32 *)p <= f->max;
	case GNS_K_U64:
		gns_put(c, *(const u64 *)p, 8);
		return true;
	case GNS_K_ID:
		gns_put_bytes(c, p, GNS_ID_LEN);
		return true;
	case GNS_K_FH:
		return put_fh(c, p, f->max);
	case GNS_K_STR:
		return put_str(c, p, f->max);
	case GNS_K_CRED:
		return put_cred(c, p);
	case GNS_K_ATTR:
		put_attr(c, p);
		return true;
	case GNS_K_GRANT:
		gns_put(c, g->version, 8);
		gns_put(c, g->number, 8);
		return g->version || !g->number;
	case GNS_K_CHANGE:
		gns_put(c, ch->slot, 4);
		gns_put(c, ch->seq, 8);
		return ch->slot < GNS_SLOTS_MAX && ch->seq;
	case GNS_K_CHANGED:
		return put_changed(c, p);
	}
	return false;
}

static bool take_one(struct gns_cursor *c, const struct gns_field *f, void *p)
{
	struct gns_grant *g = p;
	struct gns_change *ch = p;

	switch (f->kind) {
	case GNS_K_U8:
		*(u8 *)p = gns_take(c, 1);
		return *(u8 *)p <= f->max;
	case GNS_K_U32:
		*(u32 *)p = gns_take(c, 4);
		return !f->max || *(u32 *)p <= f->max;
	case GNS_K_U64:
		*(u64 *)p = gns_take(c, 8);
		return true;
	case GNS_K_ID:
		gns_take_bytes(c, p, GNS_ID_LEN);
		return true;
	case GNS_K_FH:
		return take_fh(c, p, f->max);
	case GNS_K_STR:
		return take_str(c, p, f->max);
	case GNS_K_CRED:
		return take_cred(c, p);
	case GNS_K_ATTR:
		take_attr(c, p);
		return true;
	case GNS_K_GRANT:
		g->version = gns_take(c, 8);
		g->number = gns_take(c, 8);
		/* A lease on content without a name could never be checked. */
		return g->version || !g->number;
	case GNS_K_CHANGE:
		ch->slot = gns_take(c, 4);
		ch->seq = gns_take(c, 8);
		return c->bad || (ch->slot < GNS_SLOTS_MAX && ch->seq);
	case GNS_K_CHANGED:
		return take_changed(c, p);
	}
	return false;
}

int gns_fields_put(struct gns_cursor *c, const struct gns_field *f,
		   const void *obj)
{
	for (; f->kind != GNS_K_END; f++)
		if (!put_one(c, f, (const char *)obj + f->off))
			return -EINVAL;
	return 0;
}

const char *gns_fields_take(struct gns_cursor *c, const struct gns_field *f,
			    void *obj)
{
	for (; f->kind != GNS_K_END; f++)
		if (!take_one(c, f, (char *)obj + f->off))
			return f->name;
	return NULL;
}
