// SPDX-License-Identifier: GPL-2.0
/*
 * The framer: however a stream is cut, the same messages come out of it, and
 * the bytes of a large payload are put where they belong at once.
 */
#include "proto/framer.h"
#include "proto_rig.h"

#define BIG 300000u

struct stream {
	u8 *p;
	u32 len;
	u32 n; /* messages */
};

struct reader {
	struct gns_framer f;
	const struct stream *want;
	u32 at; /* bytes of the stream that came as messages */
	u32 n;
	u32 allocs;
	u32 stolen;
	u32 freed;
	void *buffer; /* the last one given out */
	bool steal;
	bool no_memory;
	u32 refuse; /* the message to fail at, from 1 */
};

static void *on_alloc(void *arg, const struct gns_hdr *hdr, u32 len)
{
	struct reader *r = arg;

	assert_int_equal(len, hdr->len - GNS_HDR_LEN - hdr->body);
	r->allocs++;
	r->buffer = r->no_memory ? NULL : malloc(len);
	return r->buffer;
}

/* The message is the next one of the stream, to the last byte. */
static int on_frame(void *arg, const struct gns_msg *msg)
{
	u8 buf[FRAME_MAX];
	struct reader *r = arg;
	int n = gns_msg_encode(msg, buf, sizeof(buf));
	void *p;

	assert_true(n > 0);
	assert_true(r->at + n + msg->payload_len <= r->want->len);
	assert_memory_equal(buf, r->want->p + r->at, n);
	if (msg->payload_len)
		assert_memory_equal(msg->payload, r->want->p + r->at + n,
				    msg->payload_len);
	r->at += n + msg->payload_len;
	r->n++;
	if (r->steal) {
		p = gns_framer_steal(&r->f);
		if (p) {
			assert_ptr_equal(p, msg->payload);
			assert_ptr_equal(p, r->buffer);
			assert_null(gns_framer_steal(&r->f));
			r->stolen++;
		}
		free(p);
	}
	return r->n == r->refuse ? -EPIPE : 0;
}

static void on_free(void *arg, void *p)
{
	struct reader *r = arg;

	r->freed++;
	free(p);
}

static const struct gns_framer_ops ops = { on_alloc, on_frame, on_free };

static void stream_add(struct stream *s, const struct gns_msg *msg)
{
	u8 buf[FRAME_MAX];
	int n = gns_msg_encode(msg, buf, sizeof(buf));

	assert_true(n > 0);
	s->p = realloc(s->p, s->len + n + msg->payload_len);
	assert_non_null(s->p);
	memcpy(s->p + s->len, buf, n);
	s->len += n;
	if (msg->payload_len)
		memcpy(s->p + s->len, msg->payload, msg->payload_len);
	s->len += msg->payload_len;
	s->n++;
}

/* Messages of every type; @big of them with a large payload. */
static struct stream stream_make(u32 big)
{
	struct stream s = { 0 };
	struct gns_msg msg;
	u8 *bytes = malloc(BIG);
	u32 i;

	assert_non_null(bytes);
	fill_bytes(bytes, BIG, 1);
	for (i = 2; i < 2 * GNS_MSG_END; i++) {
		if (!fill_msg(&msg, i / 2, i & 1, i % 3 == 0))
			continue;
		stream_add(&s, &msg);
		if (!big)
			continue;
		fill_msg(&msg, GNS_WRITE, false, false);
		msg.payload = bytes;
		msg.payload_len = 1u << i % 19;
		if (big > 1 && i % 5 == 0)
			msg.payload_len = BIG - i;
		stream_add(&s, &msg);
	}
	free(bytes);
	return s;
}

/* Put up to @n bytes where the framer wants them. */
static int feed(struct reader *r, const u8 *p, u32 n)
{
	u32 room, part;
	int err = 0;
	u8 *to;

	while (n && !err) {
		to = gns_framer_space(&r->f, &room);
		assert_true(room);
		part = n < room ? n : room;
		memcpy(to, p, part);
		p += part;
		n -= part;
		err = gns_framer_filled(&r->f, part);
	}
	return err;
}

static void reader_init(struct reader *r, const struct stream *s)
{
	*r = (struct reader){ .want = s };
	assert_int_equal(gns_framer_init(&r->f, &ops, r), 0);
}

/* All of the stream has come. */
static void reader_end(struct reader *r)
{
	assert_int_equal(r->n, r->want->n);
	assert_int_equal(r->at, r->want->len);
	gns_framer_exit(&r->f);
	gns_framer_exit(&r->f);
	assert_int_equal(r->allocs, r->stolen + r->freed);
}

static void test_whole(void **state)
{
	struct stream s = stream_make(2);
	struct reader r;

	(void)state;
	reader_init(&r, &s);
	assert_int_equal(feed(&r, s.p, s.len), 0);
	assert_true(r.allocs);
	reader_end(&r);
	free(s.p);
}

static void test_cut_anywhere(void **state)
{
	struct stream s = stream_make(0);
	struct reader r;
	u32 cut;

	(void)state;
	for (cut = 1; cut < s.len; cut++) {
		reader_init(&r, &s);
		assert_int_equal(feed(&r, s.p, cut), 0);
		assert_int_equal(feed(&r, s.p + cut, s.len - cut), 0);
		reader_end(&r);
	}
	free(s.p);
}

static void test_byte_by_byte(void **state)
{
	struct stream s = stream_make(1);
	struct reader r;
	u32 i;

	(void)state;
	reader_init(&r, &s);
	r.steal = true;
	for (i = 0; i < s.len; i++)
		assert_int_equal(feed(&r, s.p + i, 1), 0);
	assert_true(r.stolen);
	reader_end(&r);
	free(s.p);
}

static void test_random_pieces(void **state)
{
	struct stream s = stream_make(2);
	struct reader r;
	u32 round, at, n;

	(void)state;
	srandom(1);
	for (round = 0; round < 60; round++) {
		reader_init(&r, &s);
		r.steal = round & 1;
		for (at = 0; at < s.len; at += n) {
			n = random() % (1u << (1 + round % 19)) + 1;
			n = n < s.len - at ? n : s.len - at;
			assert_int_equal(feed(&r, s.p + at, n), 0);
		}
		reader_end(&r);
	}
	free(s.p);
}

/* A message with a payload of @n bytes, and a short one behind it. */
static struct stream one_write(u32 n)
{
	struct stream s = { 0 };
	struct gns_msg msg;
	void *bytes = calloc(1, n + 1);

	assert_non_null(bytes);
	fill_msg(&msg, GNS_WRITE, false, true);
	msg.payload = bytes;
	msg.payload_len = n;
	stream_add(&s, &msg);
	free(bytes);
	fill_msg(&msg, GNS_RENEW, false, true);
	stream_add(&s, &msg);
	return s;
}

static void test_big_payload(void **state)
{
	struct stream s = one_write(BIG);
	u32 head = GNS_HDR_LEN + get_le32(s.p + 28), room;
	struct reader r;

	(void)state;
	reader_init(&r, &s);
	r.steal = true;
	assert_int_equal(feed(&r, s.p, head + 100), 0);
	assert_int_equal(r.allocs, 1);
	/* From here on the bytes go where they belong, and no further. */
	assert_ptr_equal(gns_framer_space(&r.f, &room),
			 (u8 *)r.buffer + 100);
	assert_int_equal(room, BIG - 100);
	assert_int_equal(r.n, 0);
	assert_int_equal(feed(&r, s.p + head + 100, s.len - head - 100), 0);
	assert_int_equal(r.stolen, 1);
	reader_end(&r);
	free(s.p);
}

static void test_small_payload(void **state)
{
	struct stream s = one_write(100);
	struct reader r;

	(void)state;
	reader_init(&r, &s);
	r.steal = true;
	assert_int_equal(feed(&r, s.p, 200), 0);
	assert_int_equal(feed(&r, s.p + 200, s.len - 200), 0);
	/* It lay in the framer's own buffer. */
	assert_int_equal(r.allocs, 0);
	assert_int_equal(r.stolen, 0);
	reader_end(&r);
	free(s.p);
}

static void test_largest(void **state)
{
	struct stream s = one_write(GNS_WRITE_MAX);
	struct reader r;

	(void)state;
	reader_init(&r, &s);
	assert_int_equal(feed(&r, s.p, s.len), 0);
	reader_end(&r);
	free(s.p);
}

static void test_death_half_way(void **state)
{
	struct stream s = one_write(BIG);
	struct reader r;

	(void)state;
	reader_init(&r, &s);
	assert_int_equal(feed(&r, s.p, BIG / 2), 0);
	gns_framer_exit(&r.f);
	free(s.p);
}

static void test_no_memory(void **state)
{
	struct stream s = one_write(BIG);
	struct reader r;

	(void)state;
	reader_init(&r, &s);
	r.no_memory = true;
	assert_int_equal(feed(&r, s.p, s.len), -ENOMEM);
	assert_string_equal(r.f.why, "no memory for a payload");
	assert_int_equal(r.n, 0);
	gns_framer_exit(&r.f);
	free(s.p);
}

static void test_refused_by_reader(void **state)
{
	struct stream s = stream_make(0);
	struct reader r;

	(void)state;
	reader_init(&r, &s);
	r.refuse = 3;
	assert_int_equal(feed(&r, s.p, s.len), -EPIPE);
	assert_int_equal(r.n, 3);
	gns_framer_exit(&r.f);
	free(s.p);
}

static void test_garbage(void **state)
{
	static const struct {
		u32 at; /* in the second message */
		u8 byte;
		const char *why;
	} bad[] = {
		{ 4, 99, "type: unknown message" },
		{ 6, 2, "flags: unknown bits" },
		{ 3, 255, "len: payload over its limit" },
		{ 28, 7, "len: payload over its limit" },
		{ 29, 255, "body: over its limit" },
	};
	u32 i, second;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct stream s = one_write(10);
		struct reader r;

		second = get_le32(s.p);
		s.p[second + bad[i].at] = bad[i].byte;
		reader_init(&r, &s);
		assert_int_equal(feed(&r, s.p, s.len), -EBADMSG);
		assert_string_equal(r.f.why, bad[i].why);
		/* What came before was heard. */
		assert_int_equal(r.n, 1);
		gns_framer_exit(&r.f);
		free(s.p);
	}
}

/* The body is looked at once all is there, also with a buffer of its own. */
static void test_bad_body(void **state)
{
	static const u32 sizes[] = { 10, BIG };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct stream s = one_write(sizes[i]);
		struct reader r;

		put_le32(s.p + GNS_HDR_LEN, GNS_SLOTS_MAX);
		reader_init(&r, &s);
		assert_int_equal(feed(&r, s.p, s.len), -EBADMSG);
		assert_string_equal(r.f.why, "write.change");
		assert_int_equal(r.n, 0);
		gns_framer_exit(&r.f);
		free(s.p);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_random_pieces),
		cmocka_unit_test(test_big_payload),
		cmocka_unit_test(test_small_payload),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_death_half_way),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_refused_by_reader),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_bad_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
