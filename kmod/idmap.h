/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users and groups: whom the origin means, and who that is on this host.
 *
 * Without a map they are the same. With one, only what is mapped exists on the
 * other side: an origin's id that no range covers is nobody here (the VFS then
 * lets no one write to the object), and who is mapped nowhere asks the origin
 * as its nobody.
 *
 * Lifetime: part of the mount's options, which do not change in it. Locks:
 * none.
 */
#ifndef GNS_IDMAP_H
#define GNS_IDMAP_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct fs_context;
struct gns_sb;
struct seq_file;

#define GNS_IDMAP_MAX 8u /* ranges of a map */

/** struct gns_id_range - @count ids from @here on are those from @origin on */
struct gns_id_range {
	u32 here;
	u32 origin;
	u32 count;
};

/** struct gns_id_map - ranges that do not overlap; @n 0: ids are the same */
struct gns_id_map {
	u32 n;
	struct gns_id_range range[GNS_IDMAP_MAX];
};

/**
 * gns_idmap_parse() - one more range, "HERE:ORIGIN:COUNT"
 * @fc:   gets a message that names the option
 * @name: of the option
 * @map:  changed by it
 * @text: the value
 *
 * Return: 0, also for a range that the map has already; -EINVAL.
 */
int gns_idmap_parse(struct fs_context *fc, const char *name,
		    struct gns_id_map *map, const char *text);

/** gns_idmap_show() - its ranges as options, each with a comma in front */
void gns_idmap_show(struct seq_file *m, const char *name,
		    const struct gns_id_map *map);

bool gns_idmap_eq(const struct gns_id_map *a, const struct gns_id_map *b);

/**
 * gns_uid_here() - who an id of the origin's is on this host
 * @gsb: the mount
 * @uid: the origin's
 *
 * Return: the id; INVALID_UID: nobody.
 */
kuid_t gns_uid_here(const struct gns_sb *gsb, u32 uid);
kgid_t gns_gid_here(const struct gns_sb *gsb, u32 gid);

/**
 * gns_uid_origin() - what the origin calls somebody of this host
 * @gsb: the mount; NULL: one that is being made
 * @uid: of the initial user namespace or below
 *
 * Return: the origin's id; (u32)-1: he is nobody there.
 */
u32 gns_uid_origin(const struct gns_sb *gsb, kuid_t uid);
u32 gns_gid_origin(const struct gns_sb *gsb, kgid_t gid);

#endif
