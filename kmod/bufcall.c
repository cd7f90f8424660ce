// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that take bytes into one buffer, and copying from and to the pinned
 * pages of the helper; see call.h.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "call.h"

void gns_bytes_copy(const struct gns_bytes *src, u32 pos, void *dst, u32 len)
{
	u64 at = src->offset + pos;

	while (len) {
		u32 n = min_t(u32, len, PAGE_SIZE - offset_in_page(at));
		void *from = kmap_local_page(src->pages[at >> PAGE_SHIFT]);

		memcpy(dst, from + offset_in_page(at), n);
		kunmap_local(from);
		dst += n;
		at += n;
		len -= n;
	}
}

void gns_bytes_put(const struct gns_bytes *dst, u32 pos, const void *src,
		   u32 len)
{
	u64 at = dst->offset + pos;

	while (len) {
		u32 n = min_t(u32, len, PAGE_SIZE - offset_in_page(at));
		void *to = kmap_local_page(dst->pages[at >> PAGE_SHIFT]);

		memcpy(to + offset_in_page(at), src, n);
		kunmap_local(to);
		src += n;
		at += n;
		len -= n;
	}
}

/* No more than c->req.len bytes come here. */
static int bufcall_deliver(struct gns_call *c, const struct gns_bytes *bytes)
{
	struct gns_bufcall *b = container_of(c, struct gns_bufcall, c);

	gns_bytes_copy(bytes, 0, b->buf, bytes->len);
	return 0;
}

static void bufcall_free(struct gns_call *c)
{
	struct gns_bufcall *b = container_of(c, struct gns_bufcall, c);

	kvfree(b->buf);
	kfree(b);
}

static const struct gns_call_ops without_bytes = {
	.free = bufcall_free,
};

static const struct gns_call_ops with_bytes = {
	.deliver = bufcall_deliver,
	.free = bufcall_free,
};

struct gns_bufcall *gns_bufcall_new(struct gns_session *s, struct gns_sb *gsb,
				    u32 type, const struct cred *cred,
				    u32 len)
{
	struct gns_bufcall *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return NULL;
	if (len) {
		b->buf = kvmalloc(len, GFP_KERNEL);
		if (!b->buf) {
			kfree(b);
			return NULL;
		}
	}
	gns_call_init(&b->c, len ? &with_bytes : &without_bytes, s, gsb, type,
		      cred);
	b->c.req.len = len;
	return b;
}
