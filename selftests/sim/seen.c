// SPDX-License-Identifier: GPL-2.0
/*
 * One version of an object is one state of it, whoever is told of it, in
 * whatever session, before and after whatever loss of power. It is what all
 * caches live by: who comes back with a version is told "the same".
 */
#include <stdlib.h>
#include <uthash.h>

#include "kmodel.h"

struct seen_key {
	u64 version;
	u64 ino;
};

struct seen {
	struct seen_key key;
	u64 state;
	UT_hash_handle hh;
};

static void shows(struct sim *s, const struct gns_fh *fh, u64 version,
		  const struct gns_attr *attr)
{
	struct seen_key key = { version, simfs_fh_ino(fh) };
	u64 state = simfs_attr_state(attr);
	struct seen *seen;

	if (!version || !attr->ino)
		return;
	HASH_FIND(hh, s->seen, &key, sizeof(key), seen);
	if (seen) {
		if (seen->state != state)
			sim_fail(s, "versions", "two states of %u in version %llu",
				 (u32)key.ino, (unsigned long long)version);
		return;
	}
	seen = calloc(1, sizeof(*seen));
	if (!seen)
		abort();
	seen->key = key;
	seen->state = state;
	HASH_ADD(hh, s->seen, key, sizeof(key), seen);
}

static void entries_show(struct sim *s, const struct gns_msg *rep)
{
	u32 left = rep->payload_len;
	const u8 *p = rep->payload;
	struct gns_dirent d;
	int n;

	while (left && (n = gns_dirent_get(p, left, &d)) > 0) {
		p += n;
		left -= n;
		if (d.has == GNS_DE_ATTR)
			shows(s, &d.fh, d.grant.version, &d.attr);
	}
}

static void items_show(struct sim *s, const struct gns_msg *rep)
{
	u32 left = rep->payload_len;
	const u8 *p = rep->payload;
	struct gns_reval v;
	int n;

	while (left && (n = gns_reval_get(p, left, &v, true)) > 0) {
		p += n;
		left -= n;
		if (!v.status)
			shows(s, &v.fh, v.grant.version, &v.attr);
	}
}

/* An answer has arrived, for whoever still waits for it. */
void seen_answer(struct sim *s, const struct gns_msg *rep)
{
	const struct gns_r_lookup *l = &rep->r_lookup;
	const struct gns_changed_list *c = &rep->r_change.changed;
	u32 i;

	if (rep->status)
		return;
	switch (rep->type) {
	case GNS_LOOKUP:
		if (!l->absent)
			shows(s, &l->child.fh, l->child.grant.version,
			      &l->child.attr);
		return;
	case GNS_REVALIDATE:
		items_show(s, rep);
		return;
	case GNS_READDIR:
		entries_show(s, rep);
		break;
	case GNS_READ:
	case GNS_GETATTR:
		break;
	default:
		if (!gns_msg_is_change(rep->type))
			return;
		for (i = 0; i < c->n; i++)
			shows(s, &c->v[i].fh, c->v[i].after, &c->v[i].attr);
		return;
	}
	shows(s, &rep->r_obj.fh, rep->r_obj.grant.version, &rep->r_obj.attr);
}

void seen_free(struct sim *s)
{
	struct seen *seen, *next;

	HASH_ITER(hh, s->seen, seen, next) {
		HASH_DEL(s->seen, seen);
		free(seen);
	}
}
