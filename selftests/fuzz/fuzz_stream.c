// SPDX-License-Identifier: GPL-2.0
/*
 * The framer: however a stream is cut into pieces, it gives the same messages
 * and the same end.
 *
 * The input's first byte says how many bytes of it are sizes of pieces, the
 * rest is the stream.
 */
#include <errno.h>

#include "fuzz.h"
#include "proto/framer.h"

struct reader {
	struct gns_framer f;
	u64 digest;
	u32 messages;
	bool steals;
};

static void *buffer(void *arg, const struct gns_hdr *hdr, u32 len)
{
	FUZZ_CHECK(len && len <= GNS_PAYLOAD_MAX, "%u bytes are wanted", len);
	return malloc(len);
}

static int frame(void *arg, const struct gns_msg *msg)
{
	u8 buf[GNS_HDR_LEN + GNS_BODY_MAX];
	struct reader *r = arg;
	int n = gns_msg_encode(msg, buf, sizeof(buf));

	FUZZ_CHECK(n > 0, "a message that can not be said: %d", n);
	r->messages++;
	r->digest = fuzz_hash(r->digest, buf, n);
	r->digest = fuzz_hash(r->digest, msg->payload, msg->payload_len);
	if (r->steals) {
		void *p = gns_framer_steal(&r->f);

		FUZZ_CHECK(!p || p == msg->payload, "stole something else");
		free(p);
	}
	/* Its owner ends the connection. */
	return msg->type == GNS_BYE && msg->tag == 0xdead ? -EPIPE : 0;
}

static const struct gns_framer_ops ops = { buffer, frame, NULL };

/* Returns 0, or the error that ended the stream. */
static int feed(struct reader *r, const u8 *p, size_t left, const u8 *cuts,
		u32 ncuts)
{
	u32 i = 0, room, n;
	int err = 0;
	u8 *to;

	while (left && !err) {
		to = gns_framer_space(&r->f, &room);
		FUZZ_CHECK(room, "no room for more");
		n = left < room ? left : room;
		if (ncuts) {
			u32 cut = cuts[i++ % ncuts] + 1u;

			if (cut > 128)
				cut = (cut - 128) * 64;
			n = cut < n ? cut : n;
		}
		memcpy(to, p, n);
		p += n;
		left -= n;
		err = gns_framer_filled(&r->f, n);
	}
	return err;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct reader a = { .digest = 1 }, b = { .digest = 1 };
	u32 ncuts;
	int x, y;

	if (!size)
		return 0;
	ncuts = data[0] & 15;
	b.steals = data[0] & 16;
	if (size < 1 + ncuts)
		return 0;
	FUZZ_CHECK(!gns_framer_init(&a.f, &ops, &a), "no memory");
	FUZZ_CHECK(!gns_framer_init(&b.f, &ops, &b), "no memory");
	x = feed(&a, data + 1 + ncuts, size - 1 - ncuts, NULL, 0);
	y = feed(&b, data + 1 + ncuts, size - 1 - ncuts, data + 1, ncuts);
	FUZZ_CHECK(x == y, "whole: %d, in pieces: %d", x, y);
	FUZZ_CHECK(a.messages == b.messages && a.digest == b.digest,
		   "whole: %u messages, in pieces: %u or others", a.messages,
		   b.messages);
	FUZZ_CHECK(x != -EBADMSG || (a.f.why && b.f.why),
		   "ended without a reason");
	gns_framer_exit(&a.f);
	gns_framer_exit(&b.f);
	gns_framer_exit(&b.f);
	return 0;
}
