// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes to frames; see framer.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/framer.h"

/* A payload that is not all here and larger than this gets its own buffer. */
#define DIRECT_MIN 4096u

_Static_assert(GNS_FRAMER_BUF >= 2 * (GNS_HDR_LEN + GNS_BODY_MAX + DIRECT_MIN),
	       "a header with its body must fit beside a small payload");

int gns_framer_init(struct gns_framer *f, const struct gns_framer_ops *ops,
		    void *arg)
{
	*f = (struct gns_framer){ .ops = ops, .arg = arg };
	f->buf = malloc(GNS_FRAMER_BUF);
	return f->buf ? 0 : -ENOMEM;
}

static void free_payload(struct gns_framer *f)
{
	if (f->payload && f->ops->free)
		f->ops->free(f->arg, f->payload);
	else
		free(f->payload);
	f->payload = NULL;
}

void gns_framer_exit(struct gns_framer *f)
{
	free(f->buf);
	free(f->body);
	free_payload(f);
	f->buf = NULL;
	f->body = NULL;
}

static u32 payload_len(const struct gns_hdr *hdr)
{
	return hdr->len - GNS_HDR_LEN - hdr->body;
}

void *gns_framer_space(struct gns_framer *f, u32 *len)
{
	if (f->body) {
		*len = payload_len(&f->hdr) - f->have;
		return f->payload + f->have;
	}
	if (f->head == f->tail) {
		f->head = 0;
		f->tail = 0;
	} else if (GNS_FRAMER_BUF - f->head <
		   GNS_HDR_LEN + GNS_BODY_MAX + DIRECT_MIN) {
		memmove(f->buf, f->buf + f->head, f->tail - f->head);
		f->tail -= f->head;
		f->head = 0;
	}
	*len = GNS_FRAMER_BUF - f->tail;
	return f->buf + f->tail;
}

void *gns_framer_steal(struct gns_framer *f)
{
	void *p = f->payload;

	f->payload = NULL;
	return p;
}

static int deliver(struct gns_framer *f, const struct gns_hdr *hdr,
		   const u8 *body, const void *payload)
{
	struct gns_msg msg;
	int err = gns_msg_decode(hdr, body, payload, &msg, &f->why);

	return err ? err : f->ops->frame(f->arg, &msg);
}

/* The payload will not fit the buffer: receive the rest where it belongs. */
static int go_direct(struct gns_framer *f, const struct gns_hdr *hdr, u32 avail)
{
	const u8 *p = f->buf + f->head + GNS_HDR_LEN;

	f->payload = f->ops->alloc(f->arg, hdr, payload_len(hdr));
	f->body = malloc(hdr->body + 1);
	if (!f->payload || !f->body) {
		f->why = "no memory for a payload";
		return -ENOMEM;
	}
	memcpy(f->body, p, hdr->body);
	f->have = avail - GNS_HDR_LEN - hdr->body;
	memcpy(f->payload, p + hdr->body, f->have);
	f->hdr = *hdr;
	f->head = 0;
	f->tail = 0;
	return 0;
}

static int end_direct(struct gns_framer *f)
{
	u8 *body = f->body;
	int err;

	if (f->have < payload_len(&f->hdr))
		return 0;
	f->body = NULL;
	err = deliver(f, &f->hdr, body, f->payload);
	free(body);
	free_payload(f);
	return err;
}

int gns_framer_filled(struct gns_framer *f, u32 n)
{
	struct gns_hdr hdr;
	u32 avail;
	int err;

	if (f->body) {
		f->have += n;
		return end_direct(f);
	}
	f->tail += n;
	while ((avail = f->tail - f->head) >= GNS_HDR_LEN) {
		const u8 *p = f->buf + f->head;

		err = gns_hdr_decode(p, &hdr, &f->why);
		if (err)
			return err;
		if (avail < hdr.len) {
			if (payload_len(&hdr) >= DIRECT_MIN &&
			    avail >= GNS_HDR_LEN + hdr.body)
				return go_direct(f, &hdr, avail);
			return 0;
		}
		f->head += hdr.len;
		p += GNS_HDR_LEN;
		err = deliver(f, &hdr, p, p + hdr.body);
		if (err)
			return err;
	}
	return 0;
}
