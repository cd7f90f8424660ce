// SPDX-License-Identifier: GPL-2.0
/*
 * Answers of the origin on their way into the kernel.
 *
 * A call whose answer the kernel does not take waits on. So whatever an origin
 * answers ends its call: with the answer, or with an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "satellite/kernel_int.h"

static int reply(struct gns_kernel *k, u64 id, const struct gns_msg *rep)
{
	struct nl_msg *m = gns_genl_msg(k->nl, GNS_CMD_REPLY, 0);
	int err = -ENOMEM;

	if (m && !nla_put_u64(m, GNS_A_ID, id))
		err = gns_answer_put(m, rep);
	if (!err)
		return gns_genl_call(k->nl, m, NULL, NULL);
	nlmsg_free(m);
	return err;
}

int answer_status(struct gns_kernel *k, u64 id, u64 sid, u32 status)
{
	struct gns_msg rep = {
		.type = GNS_GETATTR,
		.reply = true,
		.status = status,
		.sid = sid,
	};

	return reply(k, id, &rep);
}

/*
 * A call that can not be carried out, or an answer that can not be given: of a
 * change the kernel must not think that it did not run, or that it ended.
 */
int answer_failed(struct gns_kernel *k, u64 id, u16 type)
{
	return answer_status(k, id, 0,
			     gns_msg_is_change(type) ? GNS_ST_UNKNOWN : EIO);
}

/* A listing in the kernel's form, in the scratch block. */
static int fill_dir(struct gns_kernel *k, struct gns_ufill *fill,
		    const struct gns_msg *rep, const struct kern_asked *a)
{
	void *out = gns_bulk_scratch(k->bulk);
	bool all;
	int n = gns_dirents_to_kernel(rep->payload, rep->payload_len, out,
				      a->room, &all);

	if (n < 0)
		return n;
	if (!all)
		fill->flags &= ~GNS_UF_EOF;
	return gns_bulk_fill(k->bulk, fill, out, (u32)n);
}

static int fill_revals(struct gns_kernel *k, struct gns_ufill *fill,
		       const struct gns_msg *rep, struct kern_asked *a)
{
	int err = gns_revals_to_kernel(rep, a->items, a->n);

	if (err)
		return err;
	return gns_bulk_fill(k->bulk, fill, a->items,
			     a->n * (u32)sizeof(a->items[0]));
}

static int fill(struct gns_kernel *k, u64 id, const struct gns_msg *rep,
		struct kern_asked *a)
{
	struct gns_ufill f;

	gns_answer_to_fill(rep, &f);
	f.id = id;
	if (rep->status)
		return gns_bulk_fill(k->bulk, &f, NULL, 0);
	if (rep->type != GNS_READ && !a)
		return -EINVAL;
	switch (rep->type) {
	case GNS_READDIR:
		return fill_dir(k, &f, rep, a);
	case GNS_REVALIDATE:
		return fill_revals(k, &f, rep, a);
	case GNS_READ:
		break;
	default:
		/* The caller's buffer is smaller than what is there. */
		if (rep->payload_len > a->room)
			return answer_status(k, id, rep->sid, ERANGE);
	}
	return gns_bulk_fill(k->bulk, &f, rep->payload, rep->payload_len);
}

/* Returns 0, or the errno of a kernel that takes not even an error. */
int answer_give(struct gns_kernel *k, u64 id, const struct gns_msg *rep,
		struct kern_asked *a)
{
	int err;

	if (gns_answer_has_bytes(rep->type))
		err = fill(k, id, rep, a);
	else
		err = reply(k, id, rep);
	if (!err)
		return 0;
	gns_warn("%s: answer not usable: %s; the caller gets EIO",
		 gns_msg_name(rep->type), strerror(-err));
	return answer_failed(k, id, rep->type);
}
