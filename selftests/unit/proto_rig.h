/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages for the tests of the protocol, filled by its own tables of fields.
 */
#ifndef GNS_UNIT_PROTO_RIG_H
#define GNS_UNIT_PROTO_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/fields.h"

#define FRAME_MAX (GNS_HDR_LEN + GNS_BODY_MAX)

/* Longer than every name and path; no NUL in it. */
static char long_name[GNS_PATH_MAX + 2];

static inline void fill_bytes(void *p, size_t n, u8 first)
{
	u8 *b = p;

	while (n--)
		*b++ = first++;
}

/* A field at its smallest or, @full, at its largest. */
static inline void fill_field(const struct gns_field *f, void *obj, bool full)
{
	void *p = (char *)obj + f->off;
	struct gns_changed_list *l = p;
	struct gns_cred *cred = p;
	struct gns_fh *fh = p;
	u32 i;

	switch (f->kind) {
	case GNS_K_U8:
		*(u8 *)p = full ? f->max : 0;
		break;
	case GNS_K_U32:
		*(u32 *)p = !full ? 0 : f->max ? f->max :
						 0xfedcba98;
		break;
	case GNS_K_U64:
		*(u64 *)p = full ? 0xfedcba9876543210 : 0;
		break;
	case GNS_K_ID:
		fill_bytes(p, GNS_ID_LEN, f->off);
		break;
	case GNS_K_FH:
		fh->len = full ? GNS_FH_MAX : f->max ? 0 :
						       1;
		fill_bytes(fh->b, fh->len, 7);
		break;
	case GNS_K_STR:
		*(struct gns_str *)p = (struct gns_str){ long_name,
							 full ? f->max : 1 };
		break;
	case GNS_K_CRED:
		cred->ngroups = full ? GNS_GROUPS_MAX : 0;
		cred->uid = 1000;
		fill_bytes(cred->groups, cred->ngroups * 4, 9);
		break;
	case GNS_K_ATTR:
		fill_bytes(p, sizeof(struct gns_attr), full ? 0x80 : 0);
		break;
	case GNS_K_GRANT:
		*(struct gns_grant *)p = (struct gns_grant){ full, full };
		break;
	case GNS_K_CHANGE:
		*(struct gns_change *)p = (struct gns_change){
			full ? GNS_SLOTS_MAX - 1 : 0, full ? ~0ull : 1
		};
		break;
	case GNS_K_CHANGED:
		l->n = full ? GNS_CHANGED_MAX : 0;
		for (i = 0; i < l->n; i++) {
			l->v[i].fh.len = i + 1;
			fill_bytes(l->v[i].fh.b, i + 1, i);
			l->v[i].before = i;
			fill_bytes(&l->v[i].attr, sizeof(l->v[i].attr), i);
		}
		break;
	default:
		fail();
	}
}

/* Returns whether there is such a message. */
static inline bool fill_msg(struct gns_msg *msg, u16 type, bool reply,
			    bool full)
{
	const struct gns_layout *l = gns_layout(type, reply);
	static const char payload[64] = "payload";
	const struct gns_field *f;

	memset(long_name, 'n', sizeof(long_name));
	*msg = (struct gns_msg){ .type = type, .reply = reply };
	if (!l || !l->fields)
		return false;
	msg->tag = 0x1122334455667788;
	msg->sid = 0x99aabbccddeeff00;
	for (f = l->fields; f->kind != GNS_K_END; f++)
		fill_field(f, msg, full);
	msg->payload = payload;
	msg->payload_len = full && l->payload_max ? sizeof(payload) :
						    l->payload_min;
	return true;
}

/* A whole frame at @buf, FRAME_MAX + 64 bytes; returns its length. */
static inline u32 put_frame(const struct gns_msg *msg, u8 *buf)
{
	int n = gns_msg_encode(msg, buf, FRAME_MAX);

	assert_true(n > 0);
	if (msg->payload_len)
		memcpy(buf + n, msg->payload, msg->payload_len);
	return n + msg->payload_len;
}

/* The frame's decoded message, or why there is none. */
static inline const char *take_frame(const u8 *buf, struct gns_msg *msg)
{
	struct gns_hdr hdr;
	const char *why;

	if (gns_hdr_decode(buf, &hdr, &why) ||
	    gns_msg_decode(&hdr, buf + GNS_HDR_LEN,
			   buf + GNS_HDR_LEN + hdr.body, msg, &why)) {
		assert_non_null(why);
		return why;
	}
	return NULL;
}

static inline void put_le32(u8 *p, u32 v)
{
	v = htole32(v);
	memcpy(p, &v, 4);
}

static inline u32 get_le32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return le32toh(v);
}

/* The frame gets another body length; its payload goes along. */
static inline void set_body(u8 *buf, u32 body)
{
	put_le32(buf, get_le32(buf) - get_le32(buf + 28) + body);
	put_le32(buf + 28, body);
}

#endif
