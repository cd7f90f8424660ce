// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to bytes and back, driven by one table of fields per message.
 *
 * A table lists the fields in their order on the wire; one walker packs and
 * one unpacks all of them, so a field is bounded in one place only.
 */
#include <errno.h>
#include <stdlib.h>

#include "proto/cursor.h"
#include "proto/fields.h"
#include "proto/msg.h"

int gns_hdr_decode(const u8 *p, struct gns_hdr *hdr, const char **why)
{
	struct gns_cursor c = { (u8 *)p, (u8 *)p + GNS_HDR_LEN, false };
	const struct gns_layout *l;

	hdr->len = gns_take(&c, 4);
	hdr->type = gns_take(&c, 2);
	hdr->flags = gns_take(&c, 2);
	hdr->tag = gns_take(&c, 8);
	hdr->sid = gns_take(&c, 8);
	hdr->status = gns_take(&c, 4);
	hdr->body = gns_take(&c, 4);

	*why = NULL;
	if (hdr->type == 0 || hdr->type >= GNS_MSG_END)
		*why = "type: unknown message";
	else if (hdr->flags & ~GNS_HF_ALL)
		*why = "flags: unknown bits";
	if (*why)
		return -EBADMSG;

	l = gns_layout(hdr->type, hdr->flags & GNS_HF_REPLY);
	if (!l->fields)
		*why = "type: has no reply";
	else if (hdr->body > GNS_BODY_MAX)
		*why = "body: over its limit";
	else if (hdr->len < GNS_HDR_LEN + hdr->body)
		*why = "len: smaller than header and body";
	else if (hdr->len - GNS_HDR_LEN - hdr->body > l->payload_max)
		*why = "len: payload over its limit";
	else if (hdr->status >= GNS_ST_END)
		*why = "status: unknown";
	else if (hdr->status && !(hdr->flags & GNS_HF_REPLY))
		*why = "status: set in a request";
	else if (hdr->status && hdr->len != GNS_HDR_LEN)
		*why = "status: an error with a body";
	return *why ? -EBADMSG : 0;
}

static void put_header(const struct gns_msg *msg, u32 body, u8 *buf)
{
	const u32 w[2] = {
		htole32(GNS_HDR_LEN + body + msg->payload_len),
		htole32(msg->type | (msg->reply ? GNS_HF_REPLY << 16 : 0)),
	};
	const u64 q[2] = { htole64(msg->tag), htole64(msg->sid) };
	const u32 e[2] = { htole32(msg->reply ? msg->status : 0),
			   htole32(body) };

	memcpy(buf, w, 8);
	memcpy(buf + 8, q, 16);
	memcpy(buf + 24, e, 8);
}

int gns_msg_encode(const struct gns_msg *msg, u8 *buf, u32 cap)
{
	const struct gns_layout *l = gns_layout(msg->type, msg->reply);
	struct gns_cursor c;
	int err;

	if (cap < GNS_HDR_LEN)
		return -EMSGSIZE;
	if (!l || !l->fields || msg->payload_len > l->payload_max ||
	    (msg->reply && msg->status >= GNS_ST_END))
		return -EINVAL;
	c = (struct gns_cursor){ buf + GNS_HDR_LEN, buf + cap, false };
	if (!msg->reply || !msg->status) {
		if (msg->payload_len < l->payload_min)
			return -EINVAL;
		err = gns_fields_put(&c, l->fields, msg);
		if (err)
			return err;
		if (c.bad)
			return -EMSGSIZE;
	} else if (msg->payload_len) {
		return -EINVAL;
	}
	put_header(msg, c.p - buf - GNS_HDR_LEN, buf);
	return c.p - buf;
}

int gns_msg_decode(const struct gns_hdr *hdr, const u8 *body,
		   const void *payload, struct gns_msg *msg, const char **why)
{
	const struct gns_layout *l =
		gns_layout(hdr->type, hdr->flags & GNS_HF_REPLY);
	struct gns_cursor c = { (u8 *)body, (u8 *)body + hdr->body, false };

	memset(msg, 0, sizeof(*msg));
	msg->type = hdr->type;
	msg->reply = hdr->flags & GNS_HF_REPLY;
	msg->status = hdr->status;
	msg->tag = hdr->tag;
	msg->sid = hdr->sid;
	msg->payload = payload;
	msg->payload_len = hdr->len - GNS_HDR_LEN - hdr->body;
	*why = NULL;
	if (hdr->status)
		return 0;
	*why = gns_fields_take(&c, l->fields, msg);
	if (!*why && c.bad)
		*why = "body: shorter than its fields";
	if (!*why && c.p != c.end)
		*why = "body: longer than its fields";
	if (!*why && l->payload_min > msg->payload_len)
		*why = "payload: missing";
	return *why ? -EBADMSG : 0;
}

struct gns_change *gns_msg_change(struct gns_msg *msg)
{
	/* Every change request starts with it. */
	return &msg->write.change;
}

struct gns_msg *gns_msg_dup(const struct gns_msg *msg, bool with_payload)
{
	const struct gns_layout *l = gns_layout(msg->type, msg->reply);
	const struct gns_field *f;
	size_t extra = with_payload ? msg->payload_len : 0;
	struct gns_msg *copy;
	char *to;

	for (f = l->fields; f->kind != GNS_K_END; f++)
		if (f->kind == GNS_K_STR)
			extra += gns_field_str(msg, f)->len;
	copy = malloc(sizeof(*copy) + extra);
	if (!copy)
		return NULL;
	*copy = *msg;
	to = (char *)(copy + 1);
	for (f = l->fields; f->kind != GNS_K_END; f++) {
		struct gns_str *s;

		if (f->kind != GNS_K_STR)
			continue;
		s = (struct gns_str *)gns_field_str(copy, f);
		if (s->len)
			memcpy(to, s->p, s->len);
		s->p = to;
		to += s->len;
	}
	copy->payload = NULL;
	copy->payload_len = 0;
	if (with_payload && msg->payload_len) {
		memcpy(to, msg->payload, msg->payload_len);
		copy->payload = to;
		copy->payload_len = msg->payload_len;
	}
	return copy;
}

/* What is behind the name; NULL: nothing. */
static const struct gns_field *dirent_rest(const struct gns_dirent *d)
{
	switch (d->has) {
	case GNS_DE_ATTR:
		return gns_dirent_attr_fields;
	case GNS_DE_INO:
		return gns_dirent_ino_fields;
	}
	return NULL;
}

int gns_dirent_put(u8 *p, u32 cap, const struct gns_dirent *d)
{
	struct gns_cursor c = { p, p + cap, false };
	const struct gns_field *rest = dirent_rest(d);
	int err = gns_fields_put(&c, gns_dirent_fields, d);

	if (!err && rest)
		err = gns_fields_put(&c, rest, d);
	if (err)
		return err;
	return c.bad ? -ENOSPC : (int)(c.p - p);
}

int gns_dirent_get(const u8 *p, u32 len, struct gns_dirent *d)
{
	struct gns_cursor c = { (u8 *)p, (u8 *)p + len, false };
	const struct gns_field *rest;

	memset(d, 0, sizeof(*d));
	if (gns_fields_take(&c, gns_dirent_fields, d))
		return -EBADMSG;
	rest = dirent_rest(d);
	if (rest && gns_fields_take(&c, rest, d))
		return -EBADMSG;
	return c.bad || !d->name.len ? -EBADMSG : (int)(c.p - p);
}

int gns_reval_put(u8 *p, u32 cap, const struct gns_reval *r, bool reply)
{
	struct gns_cursor c = { p, p + cap, false };
	int err = gns_fields_put(&c, gns_reval_fields, r);

	if (!err && reply)
		err = gns_fields_put(&c, gns_reval_reply_fields, r);
	if (err)
		return err;
	return c.bad ? -ENOSPC : (int)(c.p - p);
}

int gns_reval_get(const u8 *p, u32 len, struct gns_reval *r, bool reply)
{
	struct gns_cursor c = { (u8 *)p, (u8 *)p + len, false };

	memset(r, 0, sizeof(*r));
	if (gns_fields_take(&c, gns_reval_fields, r))
		return -EBADMSG;
	if (reply && gns_fields_take(&c, gns_reval_reply_fields, r))
		return -EBADMSG;
	return c.bad || !r->fh.len ? -EBADMSG : (int)(c.p - p);
}
