// SPDX-License-Identifier: GPL-2.0
/*
 * Users and groups of the origin and of this host; see idmap.h.
 */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/user_namespace.h>
#include "gns.h"
#include "idmap.h"

/* The last id of all stands for none. */
#define NO_ID U32_MAX

static bool overlap(u32 a, u32 na, u32 b, u32 nb)
{
	return a < b ? b - a < na : a - b < nb;
}

int gns_idmap_parse(struct fs_context *fc, const char *name,
		    struct gns_id_map *map, const char *text)
{
	u64 here, origin, count;
	struct gns_id_range r, *e;
	char end;
	u32 i;

	if (sscanf(text, "%llu:%llu:%llu%c", &here, &origin, &count, &end) !=
		    3 ||
	    !count || count > NO_ID || here > NO_ID - count ||
	    origin > NO_ID - count)
		return invalfc(fc, "%s=%s: give HERE:ORIGIN:COUNT, e.g. %s=1000:5000:100",
			       name, text, name);
	r = (struct gns_id_range){ here, origin, count };
	for (i = 0; i < map->n; i++) {
		e = &map->range[i];
		/* A remount says again what there is. */
		if (!memcmp(e, &r, sizeof(r)))
			return 0;
		if (overlap(e->here, e->count, r.here, r.count) ||
		    overlap(e->origin, e->count, r.origin, r.count))
			return invalfc(fc, "%s=%s: overlaps with %u:%u:%u",
				       name, text, e->here, e->origin,
				       e->count);
	}
	if (map->n == GNS_IDMAP_MAX)
		return invalfc(fc, "%s: give at most %u ranges", name,
			       GNS_IDMAP_MAX);
	map->range[map->n++] = r;
	return 0;
}

void gns_idmap_show(struct seq_file *m, const char *name,
		    const struct gns_id_map *map)
{
	u32 i;

	for (i = 0; i < map->n; i++)
		seq_printf(m, ",%s=%u:%u:%u", name, map->range[i].here,
			   map->range[i].origin, map->range[i].count);
}

bool gns_idmap_eq(const struct gns_id_map *a, const struct gns_id_map *b)
{
	return a->n == b->n &&
	       !memcmp(a->range, b->range, a->n * sizeof(a->range[0]));
}

/* The origin's id of one of this host's, or the other way round. */
static u32 translate(const struct gns_id_map *map, u32 id, bool here)
{
	const struct gns_id_range *r;
	u32 i, from, to;

	for (i = 0; i < map->n; i++) {
		r = &map->range[i];
		from = here ? r->origin : r->here;
		to = here ? r->here : r->origin;
		if (id >= from && id - from < r->count)
			return to + (id - from);
	}
	return map->n ? NO_ID : id;
}

kuid_t gns_uid_here(const struct gns_sb *gsb, u32 uid)
{
	return make_kuid(&init_user_ns, translate(&gsb->opt.uidmap, uid, true));
}

kgid_t gns_gid_here(const struct gns_sb *gsb, u32 gid)
{
	return make_kgid(&init_user_ns, translate(&gsb->opt.gidmap, gid, true));
}

u32 gns_uid_origin(const struct gns_sb *gsb, kuid_t uid)
{
	u32 id = from_kuid(&init_user_ns, uid);

	return gsb ? translate(&gsb->opt.uidmap, id, false) : id;
}

u32 gns_gid_origin(const struct gns_sb *gsb, kgid_t gid)
{
	u32 id = from_kgid(&init_user_ns, gid);

	return gsb ? translate(&gsb->opt.gidmap, id, false) : id;
}
