/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The field tables behind the codec. Private to proto/, and to its fuzzer.
 */
#ifndef GNS_PROTO_FIELDS_H
#define GNS_PROTO_FIELDS_H

#include "proto/cursor.h"
#include "proto/msg.h"

enum gns_kind {
	GNS_K_END,
	GNS_K_U8, /* max: largest value accepted */
	GNS_K_U32, /* max: largest value accepted, 0: any */
	GNS_K_U64,
	GNS_K_ID, /* 16 bytes */
	GNS_K_FH, /* u8 length, bytes; max 1: may be empty */
	GNS_K_STR, /* u16 length, bytes; max: longest; never empty */
	GNS_K_CRED, /* u32 uid, gid, ngroups, groups */
	GNS_K_ATTR,
	GNS_K_GRANT, /* u64 version, number */
	GNS_K_CHANGE, /* u32 slot, u64 seq */
	GNS_K_CHANGED, /* u32 count, then {fh, u64 before, after, attr} */
};

/**
 * struct gns_field - one field
 * @name: for messages about it
 * @kind: enum gns_kind
 * @off:  where it stands in the struct in memory
 * @max:  see the kind
 */
struct gns_field {
	const char *name;
	u16 kind;
	u16 off;
	u32 max;
};

/**
 * struct gns_layout - a message on the wire
 * @fields:      its body; NULL: there is no such message
 * @payload_min: bytes of payload it must have
 * @payload_max: bytes of payload it may have
 */
struct gns_layout {
	const struct gns_field *fields;
	u32 payload_min;
	u32 payload_max;
};

extern const struct gns_field gns_dirent_fields[];
extern const struct gns_field gns_dirent_ino_fields[];
extern const struct gns_field gns_dirent_attr_fields[];
extern const struct gns_field gns_reval_fields[];
extern const struct gns_field gns_reval_reply_fields[];

/** gns_layout() - table of a message; NULL for a type out of range */
const struct gns_layout *gns_layout(u16 type, bool reply);

/**
 * gns_fields_put() - pack a struct
 * @c:   where to; c->bad when it does not fit
 * @f:   its table
 * @obj: the struct
 *
 * Return: 0; -EINVAL when a field is over its own limit.
 */
int gns_fields_put(struct gns_cursor *c, const struct gns_field *f,
		   const void *obj);

/**
 * gns_fields_take() - unpack and check a struct
 * @c:   where from; c->bad when it ends early
 * @f:   its table
 * @obj: the struct
 *
 * Return: NULL; the name of the field that is out of its limits.
 */
const char *gns_fields_take(struct gns_cursor *c, const struct gns_field *f,
			    void *obj);

static inline const struct gns_str *gns_field_str(const void *obj,
						  const struct gns_field *f)
{
	return (const struct gns_str *)((const char *)obj + f->off);
}

#endif
