// SPDX-License-Identifier: GPL-2.0
/*
 * One frame: header and message are decoded, and what was accepted has one
 * encoding only, that which came in. A copy of the message has it too.
 */
#include <errno.h>

#include "fuzz.h"

static void same_bytes(const struct gns_msg *msg, const u8 *want, u32 n)
{
	u8 buf[GNS_HDR_LEN + GNS_BODY_MAX];
	int len = gns_msg_encode(msg, buf, sizeof(buf));

	FUZZ_CHECK(len == (int)n, "%s: %d bytes instead of %u",
		   gns_msg_name(msg->type), len, n);
	FUZZ_CHECK(!memcmp(buf, want, n), "%s: other bytes",
		   gns_msg_name(msg->type));
	len = gns_msg_encode(msg, buf, n - 1);
	FUZZ_CHECK(len == -EMSGSIZE, "%s: fits in less than it needs: %d",
		   gns_msg_name(msg->type), len);
}

static void accepted(const struct gns_hdr *hdr, const u8 *frame)
{
	u32 n = hdr->len - GNS_HDR_LEN - hdr->body;
	u8 *body = fuzz_copy(frame + GNS_HDR_LEN, hdr->body);
	u8 *payload = fuzz_copy(frame + GNS_HDR_LEN + hdr->body, n);
	struct gns_msg msg, *copy;
	const char *why = NULL;

	if (gns_msg_decode(hdr, body, payload, &msg, &why)) {
		FUZZ_CHECK(why, "refused without a reason");
	} else {
		same_bytes(&msg, frame, GNS_HDR_LEN + hdr->body);
		copy = gns_msg_dup(&msg, true);
		FUZZ_CHECK(copy, "no memory");
		memset(body, 0xa5, hdr->body);
		memset(payload, 0xa5, n);
		same_bytes(copy, frame, GNS_HDR_LEN + hdr->body);
		FUZZ_CHECK(!n || !memcmp(copy->payload,
					 frame + GNS_HDR_LEN + hdr->body, n),
			   "the copy has another payload");
		free(copy);
	}
	free(body);
	free(payload);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const char *why = NULL;
	struct gns_hdr hdr;
	u8 *p;

	if (size < GNS_HDR_LEN)
		return 0;
	p = fuzz_copy(data, GNS_HDR_LEN);
	if (gns_hdr_decode(p, &hdr, &why)) {
		FUZZ_CHECK(why, "refused without a reason");
	} else {
		FUZZ_CHECK(hdr.body <= GNS_BODY_MAX, "body: %u", hdr.body);
		FUZZ_CHECK(hdr.len >= GNS_HDR_LEN + hdr.body, "len: %u",
			   hdr.len);
		FUZZ_CHECK(hdr.len - GNS_HDR_LEN - hdr.body <= GNS_PAYLOAD_MAX,
			   "len: %u", hdr.len);
		if (size >= hdr.len)
			accepted(&hdr, data);
	}
	free(p);
	return 0;
}
