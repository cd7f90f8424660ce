// SPDX-License-Identifier: GPL-2.0
/*
 * The codec: every message comes back as it went, every limit is kept and its
 * refusal names the field, and the layout is that of these bytes.
 */
#include "proto_rig.h"

typedef void (*each_fn)(const struct gns_msg *msg, const struct gns_layout *l);

/* Every message there is, at its smallest and at its largest. */
static u32 each_message(each_fn fn)
{
	struct gns_msg msg;
	u32 type, i, n = 0;

	for (type = 1; type < GNS_MSG_END; type++) {
		for (i = 0; i < 4; i++) {
			if (!fill_msg(&msg, type, i & 1, i & 2))
				continue;
			fn(&msg, gns_layout(type, i & 1));
			n++;
		}
	}
	return n;
}

static void same_field(const struct gns_field *f, const struct gns_msg *a,
		       const struct gns_msg *b)
{
	static const u8 sizes[] = {
		[GNS_K_U8] = 1,
		[GNS_K_U32] = 4,
		[GNS_K_U64] = 8,
		[GNS_K_ID] = GNS_ID_LEN,
		[GNS_K_ATTR] = sizeof(struct gns_attr),
		[GNS_K_GRANT] = sizeof(struct gns_grant),
	};
	const void *x = (const char *)a + f->off, *y = (const char *)b + f->off;
	const struct gns_str *s = x, *t = y;
	const struct gns_change *c = x, *d = y;
	const struct gns_changed_list *l = x, *m = y;
	u32 i;

	switch (f->kind) {
	case GNS_K_FH:
		assert_true(gns_fh_eq(x, y));
		break;
	case GNS_K_STR:
		assert_int_equal(s->len, t->len);
		assert_memory_equal(s->p, t->p, s->len);
		break;
	case GNS_K_CRED:
		assert_memory_equal(x, y, sizeof(struct gns_cred));
		break;
	case GNS_K_CHANGE:
		assert_int_equal(c->slot, d->slot);
		assert_int_equal(c->seq, d->seq);
		break;
	case GNS_K_CHANGED:
		assert_int_equal(l->n, m->n);
		for (i = 0; i < l->n; i++) {
			assert_true(gns_fh_eq(&l->v[i].fh, &m->v[i].fh));
			assert_int_equal(l->v[i].before, m->v[i].before);
			assert_int_equal(l->v[i].after, m->v[i].after);
			assert_memory_equal(&l->v[i].attr, &m->v[i].attr,
					    sizeof(l->v[i].attr));
		}
		break;
	default:
		assert_memory_equal(x, y, sizes[f->kind]);
	}
}

static void same_message(const struct gns_msg *a, const struct gns_msg *b)
{
	const struct gns_field *f = gns_layout(a->type, a->reply)->fields;

	assert_int_equal(a->type, b->type);
	assert_int_equal(a->reply, b->reply);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->tag, b->tag);
	assert_int_equal(a->sid, b->sid);
	for (; f->kind != GNS_K_END; f++)
		same_field(f, a, b);
	assert_int_equal(a->payload_len, b->payload_len);
	if (a->payload_len)
		assert_memory_equal(a->payload, b->payload, a->payload_len);
}

static void round_trip(const struct gns_msg *msg, const struct gns_layout *l)
{
	u8 buf[FRAME_MAX + 64], *exact;
	struct gns_msg got, *copy;
	u32 n = put_frame(msg, buf), head = n - msg->payload_len;
	const char *why;

	(void)l;
	assert_true(head - GNS_HDR_LEN <= GNS_BODY_MAX);
	exact = malloc(n);
	assert_non_null(exact);
	memcpy(exact, buf, n);
	why = take_frame(exact, &got);
	if (why)
		fail_msg("%s: %s", gns_msg_name(msg->type), why);
	same_message(msg, &got);
	/* A copy owns all that it points to. */
	copy = gns_msg_dup(&got, true);
	assert_non_null(copy);
	free(exact);
	same_message(msg, copy);
	free(copy);
	/* It takes the room it takes. */
	assert_int_equal(gns_msg_encode(msg, buf, head), head);
	assert_int_equal(gns_msg_encode(msg, buf, head - 1), -EMSGSIZE);
	assert_int_equal(gns_msg_encode(msg, buf, GNS_HDR_LEN - 1), -EMSGSIZE);
}

static void test_round_trip(void **state)
{
	(void)state;
	/* All types, all but four of them with a reply, twice. */
	assert_int_equal(each_message(round_trip),
			 (GNS_MSG_END - 1) * 4 - 4 * 2);
}

static void test_dup_without_payload(void **state)
{
	struct gns_msg msg, *copy;

	(void)state;
	fill_msg(&msg, GNS_WRITE, false, true);
	copy = gns_msg_dup(&msg, false);
	assert_non_null(copy);
	assert_int_equal(copy->payload_len, 0);
	assert_null(copy->payload);
	copy->payload = msg.payload;
	copy->payload_len = msg.payload_len;
	same_message(&msg, copy);
	free(copy);
}

static void cut_body(const struct gns_msg *msg, const struct gns_layout *l)
{
	u8 buf[FRAME_MAX + 64];
	struct gns_msg got;
	u32 n, body;

	(void)l;
	put_frame(msg, buf);
	body = get_le32(buf + 28);
	for (n = 0; n < body; n++) {
		set_body(buf, n);
		assert_string_equal(take_frame(buf, &got),
				    "body: shorter than its fields");
	}
	put_frame(msg, buf);
	set_body(buf, body + 1);
	assert_string_equal(take_frame(buf, &got),
			    "body: longer than its fields");
}

static void test_body_length(void **state)
{
	(void)state;
	each_message(cut_body);
}

/* Where the field stands in the frame: behind those before it. */
static u32 place_of(const struct gns_msg *msg, const struct gns_field *all,
		    const struct gns_field *f)
{
	struct gns_field some[32] = { 0 };
	u8 buf[FRAME_MAX];
	struct gns_cursor c = { buf, buf + sizeof(buf), false };

	memcpy(some, all, (f - all) * sizeof(*f));
	assert_int_equal(gns_fields_put(&c, some, msg), 0);
	return GNS_HDR_LEN + (c.p - buf);
}

static void expect_refused(const u8 *buf, const struct gns_field *f)
{
	struct gns_msg got;
	const char *why = take_frame(buf, &got);

	if (!why)
		fail_msg("%s was not refused", f->name);
	assert_string_equal(why, f->name);
}

/* Bytes that say more than the field may, one after the other. */
static void bad_bytes(u8 *buf, u8 *p, const struct gns_field *f)
{
	switch (f->kind) {
	case GNS_K_U8:
		*p = f->max + 1;
		expect_refused(buf, f);
		*p = 255;
		expect_refused(buf, f);
		break;
	case GNS_K_U32:
		if (!f->max)
			return;
		put_le32(p, f->max + 1);
		expect_refused(buf, f);
		put_le32(p, ~0u);
		expect_refused(buf, f);
		break;
	case GNS_K_FH:
		*p = GNS_FH_MAX + 1;
		expect_refused(buf, f);
		*p = 0;
		if (!f->max)
			expect_refused(buf, f);
		break;
	case GNS_K_STR:
		p[2 + f->max / 2] = 0;
		expect_refused(buf, f);
		p[0] = 0;
		p[1] = 0;
		expect_refused(buf, f);
		break;
	case GNS_K_CRED:
		put_le32(p + 8, GNS_GROUPS_MAX + 1);
		expect_refused(buf, f);
		put_le32(p + 8, 0x40000000); /* times 4 is nothing */
		expect_refused(buf, f);
		break;
	case GNS_K_GRANT:
		memset(p, 0, 8);
		expect_refused(buf, f);
		break;
	case GNS_K_CHANGE:
		put_le32(p, GNS_SLOTS_MAX);
		expect_refused(buf, f);
		put_le32(p, 0);
		memset(p + 4, 0, 8);
		expect_refused(buf, f);
		break;
	case GNS_K_CHANGED:
		p[4] = 0; /* the first handle's length */
		expect_refused(buf, f);
		p[4] = GNS_FH_MAX + 1;
		expect_refused(buf, f);
		put_le32(p, GNS_CHANGED_MAX + 1);
		expect_refused(buf, f);
	}
}

/* A name of one byte more than it may have, with all the bytes there. */
static void long_string(const struct gns_msg *msg, const struct gns_field *f,
			u32 at)
{
	u8 buf[FRAME_MAX + 64];
	u32 n;

	put_frame(msg, buf);
	n = GNS_HDR_LEN + get_le32(buf + 28);
	memmove(buf + at + 3, buf + at + 2, n - at - 2);
	buf[at + 2] = 'n';
	buf[at] = (f->max + 1) & 255;
	buf[at + 1] = (f->max + 1) >> 8;
	set_body(buf, n - GNS_HDR_LEN + 1);
	expect_refused(buf, f);
}

static void bad_fields(const struct gns_msg *msg, const struct gns_layout *l)
{
	u8 buf[FRAME_MAX + 64];
	const struct gns_field *f;
	struct gns_grant g;

	for (f = l->fields; f->kind != GNS_K_END; f++) {
		u32 at = place_of(msg, l->fields, f);

		memcpy(&g, (const char *)msg + f->off, sizeof(g));
		if (f->kind == GNS_K_GRANT && !g.number)
			continue; /* the smallest one */
		put_frame(msg, buf);
		if (f->kind == GNS_K_STR && gns_field_str(msg, f)->len < f->max)
			continue;
		if (f->kind == GNS_K_STR)
			long_string(msg, f, at);
		if (f->kind == GNS_K_CHANGED && !buf[at])
			continue;
		bad_bytes(buf, buf + at, f);
	}
}

static void test_limits_decoded(void **state)
{
	(void)state;
	each_message(bad_fields);
}

/* What a peer would refuse can not be said. */
static void bad_values(const struct gns_msg *msg, const struct gns_layout *l)
{
	u8 buf[FRAME_MAX];
	const struct gns_field *f;

	for (f = l->fields; f->kind != GNS_K_END; f++) {
		struct gns_msg bad = *msg;
		void *p = (char *)&bad + f->off;
		struct gns_str *s = p;

		if (f->kind == GNS_K_U8)
			*(u8 *)p = f->max + 1;
		else if (f->kind == GNS_K_U32 && f->max)
			*(u32 *)p = f->max + 1;
		else if (f->kind == GNS_K_FH)
			((struct gns_fh *)p)->len = GNS_FH_MAX + 1;
		else if (f->kind == GNS_K_STR)
			s->len = f->max + 1;
		else if (f->kind == GNS_K_CRED)
			((struct gns_cred *)p)->ngroups = GNS_GROUPS_MAX + 1;
		else if (f->kind == GNS_K_GRANT)
			*(struct gns_grant *)p = (struct gns_grant){ 0, 1 };
		else if (f->kind == GNS_K_CHANGE)
			((struct gns_change *)p)->slot = GNS_SLOTS_MAX;
		else if (f->kind == GNS_K_CHANGED)
			((struct gns_changed_list *)p)->n = GNS_CHANGED_MAX + 1;
		else
			continue;
		assert_int_equal(gns_msg_encode(&bad, buf, sizeof(buf)),
				 -EINVAL);
		if (f->kind != GNS_K_STR)
			continue;
		s->len = 0;
		assert_int_equal(gns_msg_encode(&bad, buf, sizeof(buf)),
				 -EINVAL);
		*s = (struct gns_str){ "a\0b", 3 };
		assert_int_equal(gns_msg_encode(&bad, buf, sizeof(buf)),
				 -EINVAL);
	}
}

static void test_limits_encoded(void **state)
{
	struct gns_msg msg;
	u8 buf[FRAME_MAX];

	(void)state;
	each_message(bad_values);
	fill_msg(&msg, GNS_WRITE, true, true);
	msg.r_change.changed.v[1].fh.len = 0;
	assert_int_equal(gns_msg_encode(&msg, buf, sizeof(buf)), -EINVAL);
	fill_msg(&msg, GNS_WRITE, false, true);
	msg.write.change.seq = 0;
	assert_int_equal(gns_msg_encode(&msg, buf, sizeof(buf)), -EINVAL);
	fill_msg(&msg, GNS_REVOKE, true, true);
	assert_int_equal(gns_msg_encode(&msg, buf, sizeof(buf)), -EINVAL);
	fill_msg(&msg, GNS_READ, true, true);
	msg.status = EIO; /* with a payload */
	assert_int_equal(gns_msg_encode(&msg, buf, sizeof(buf)), -EINVAL);
	msg.payload_len = 0;
	msg.status = GNS_ST_END;
	assert_int_equal(gns_msg_encode(&msg, buf, sizeof(buf)), -EINVAL);
	msg.type = GNS_MSG_END;
	assert_int_equal(gns_msg_encode(&msg, buf, sizeof(buf)), -EINVAL);
}

static void payload_limits(const struct gns_msg *msg, const struct gns_layout *l)
{
	struct gns_msg m = *msg, got;
	u8 buf[FRAME_MAX + 64];
	struct gns_hdr hdr;
	const char *why;

	m.payload_len = l->payload_max;
	assert_true(gns_msg_encode(&m, buf, FRAME_MAX) > 0);
	assert_int_equal(gns_hdr_decode(buf, &hdr, &why), 0);
	put_le32(buf, hdr.len + 1);
	assert_int_equal(gns_hdr_decode(buf, &hdr, &why), -EBADMSG);
	assert_string_equal(why, "len: payload over its limit");
	m.payload_len++;
	assert_int_equal(gns_msg_encode(&m, buf, FRAME_MAX), -EINVAL);
	if (!l->payload_min)
		return;
	put_frame(msg, buf);
	put_le32(buf, GNS_HDR_LEN + get_le32(buf + 28));
	assert_string_equal(take_frame(buf, &got), "payload: missing");
	m.payload_len = 0;
	assert_int_equal(gns_msg_encode(&m, buf, FRAME_MAX), -EINVAL);
}

static void test_payload(void **state)
{
	(void)state;
	each_message(payload_limits);
}

static void bad_header(u32 at, u32 v, const char *want)
{
	struct gns_msg msg;
	struct gns_hdr hdr;
	const char *why = NULL;
	u8 buf[FRAME_MAX + 64];

	fill_msg(&msg, GNS_READ, true, false);
	put_frame(&msg, buf);
	put_le32(buf + at, v);
	assert_int_equal(gns_hdr_decode(buf, &hdr, &why), -EBADMSG);
	assert_string_equal(why, want);
}

static void test_header(void **state)
{
	(void)state;
	bad_header(4, 0x10000, "type: unknown message");
	bad_header(4, 0x10000 | GNS_MSG_END, "type: unknown message");
	bad_header(4, 0x1ffff, "type: unknown message");
	bad_header(4, 0x30000 | GNS_READ, "flags: unknown bits");
	bad_header(4, 0x80000000 | GNS_READ, "flags: unknown bits");
	bad_header(4, 0x10000 | GNS_REVOKE, "type: has no reply");
	bad_header(4, 0x10000 | GNS_RELEASED, "type: has no reply");
	bad_header(28, GNS_BODY_MAX + 1, "body: over its limit");
	bad_header(28, ~0u, "body: over its limit");
	bad_header(28, GNS_BODY_MAX, "len: smaller than header and body");
	bad_header(0, GNS_HDR_LEN - 1, "len: smaller than header and body");
	bad_header(0, 0, "len: smaller than header and body");
	bad_header(0, ~0u, "len: payload over its limit");
	bad_header(24, GNS_ST_END, "status: unknown");
	bad_header(24, ~0u, "status: unknown");
	bad_header(24, EIO, "status: an error with a body");
}

static void test_status(void **state)
{
	struct gns_msg msg = { .type = GNS_READ, .reply = true, .tag = 5 }, got;
	u8 buf[FRAME_MAX + 64];
	struct gns_hdr hdr;
	const char *why;
	u32 i;

	(void)state;
	msg.status = GNS_ST_DEAD;
	assert_int_equal(put_frame(&msg, buf), GNS_HDR_LEN);
	assert_null(take_frame(buf, &got));
	assert_int_equal(got.status, GNS_ST_DEAD);
	assert_int_equal(got.tag, 5);
	/* An error with bulk bytes, and one of a request. */
	put_le32(buf, GNS_HDR_LEN + 1);
	assert_string_equal(take_frame(buf, &got),
			    "status: an error with a body");
	put_le32(buf, GNS_HDR_LEN);
	buf[6] = 0;
	assert_int_equal(gns_hdr_decode(buf, &hdr, &why), -EBADMSG);
	assert_string_equal(why, "status: set in a request");
	for (i = GNS_ST_DEAD; i < GNS_ST_END; i++)
		assert_null(strstr(gns_status_str(i), "Unknown error"));
	assert_string_equal(gns_status_str(GNS_OK), "ok");
	assert_string_equal(gns_status_str(ENOENT), strerror(ENOENT));
}

static void test_names(void **state)
{
	u32 i, k;

	(void)state;
	for (i = 1; i < GNS_MSG_END; i++)
		for (k = 1; k < i; k++)
			assert_string_not_equal(gns_msg_name(i),
						gns_msg_name(k));
	assert_string_equal(gns_msg_name(GNS_HELLO), "HELLO");
	assert_string_equal(gns_msg_name(GNS_SETATTR), "SETATTR");
	assert_string_equal(gns_msg_name(GNS_MSG_END), "?");
	assert_string_equal(gns_msg_name(65535), "?");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_dup_without_payload),
		cmocka_unit_test(test_body_length),
		cmocka_unit_test(test_limits_decoded),
		cmocka_unit_test(test_limits_encoded),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
