// SPDX-License-Identifier: GPL-2.0
/*
 * The ways to be wrong: what the codec lets through, and what it does not.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fake.h"

static u64 odd_number(struct peer *p)
{
	static const u64 odd[] = {
		0,
		1,
		4095,
		1ull << 31,
		1ull << 32,
		(1ull << 63) - 1,
		1ull << 63,
		~0ull,
		~0ull - 4095,
		(1ull << 44) + 1,
	};

	return odd[peer_rnd(p, ARRAY_SIZE(odd))];
}

static void twist_attr(struct peer *p, struct gns_attr *a)
{
	switch (peer_rnd(p, 8)) {
	case 0:
		a->mode = 0;
		break;
	case 1: /* another type */
		a->mode = S_IFMT & (peer_rnd(p, 16) << 12);
		break;
	case 2:
		a->mode = ~0u;
		break;
	case 3:
		a->size = odd_number(p);
		break;
	case 4:
		a->mtime = odd_number(p);
		a->ctime = a->mtime;
		a->atime = a->mtime;
		a->btime = a->mtime;
		break;
	case 5:
		a->blksize = odd_number(p);
		a->blocks = odd_number(p);
		break;
	case 6:
		a->nlink = peer_rnd(p, 2) ? 0 : ~0u;
		a->ino = odd_number(p);
		break;
	case 7:
		a->uid = ~0u;
		a->gid = ~0u;
		a->rdev = ~0u;
		break;
	}
}

static void twist_grant(struct peer *p, struct gns_grant *g)
{
	if (peer_rnd(p, 2))
		g->version = odd_number(p);
	else
		g->number = g->version ? odd_number(p) : 0;
}

static void twist_fh(struct peer *p, struct gns_fh *fh)
{
	switch (peer_rnd(p, 3)) {
	case 0:
		fh->len = 0;
		break;
	case 1:
		fh->len = GNS_FH_MAX;
		memset(fh->b, peer_rnd(p, 256), sizeof(fh->b));
		break;
	case 2: /* of another object */
		fh->b[0] = peer_rnd(p, 30);
		break;
	}
}

static void twist_payload(struct peer *p, const struct gns_msg *req,
			  struct gns_msg *rep)
{
	static const u32 lens[] = { 0, 1, 4095, 4097, 131072, GNS_DIR_MAX };

	rep->payload = p->payload;
	if (req->type == GNS_READDIR && peer_rnd(p, 2))
		rep->payload_len = fake_listing(p, p->payload, 8192,
						1 + peer_rnd(p, 2),
						peer_rnd(p, 8), true);
	else if (req->type == GNS_READ)
		rep->payload_len = peer_rnd(p, 2) ? lens[peer_rnd(p, 6)] :
						    GNS_READ_MAX;
	else if (req->type == GNS_READLINK)
		rep->payload_len = 1 + peer_rnd(p, GNS_PATH_MAX);
	else if (rep->payload_len)
		rep->payload_len -= 1 + peer_rnd(p, rep->payload_len);
	rep->r_obj.eof = peer_rnd(p, 2);
}

static void twist_hello(struct peer *p, struct gns_msg *rep)
{
	if (rep->type == GNS_RENEW) {
		if (peer_rnd(p, 2))
			rep->r_renew.stamp = odd_number(p);
		else
			rep->r_renew.ttl = odd_number(p);
		return;
	}
	switch (peer_rnd(p, 4)) {
	case 0:
		rep->r_hello.sid = odd_number(p);
		break;
	case 1:
		rep->r_hello.stamp = odd_number(p);
		break;
	case 2:
		rep->r_hello.ttl = odd_number(p);
		break;
	case 3:
		rep->r_hello.slots = odd_number(p);
		break;
	}
}

void fake_twist(struct peer *p, const struct gns_msg *req, struct gns_msg *rep)
{
	struct gns_r_obj *o = req->type == GNS_LOOKUP ? &rep->r_lookup.child :
							&rep->r_obj;

	if (!peer_rnd(p, 5)) {
		static const u32 st[] = { EIO, ENOENT, ESTALE, EPERM, 999, EAGAIN,
					  EINTR, 512, GNS_ST_DEAD, GNS_ST_REFUSED };

		rep->status = st[peer_rnd(p, ARRAY_SIZE(st))];
		rep->payload_len = 0;
		return;
	}
	if (req->type == GNS_HELLO || req->type == GNS_RENEW)
		return twist_hello(p, rep);
	if (req->type == GNS_REVALIDATE) {
		if (rep->payload_len)
			p->payload[peer_rnd(p, rep->payload_len)] ^= 0x55;
		rep->count.count = peer_rnd(p, 3);
		return;
	}
	if (req->type < GNS_MOUNT || req->type == GNS_STATFS || rep->status)
		return;
	switch (peer_rnd(p, 5)) {
	case 0:
		twist_grant(p, &o->grant);
		break;
	case 1:
		twist_attr(p, &o->attr);
		break;
	case 2:
		twist_fh(p, &o->fh);
		break;
	case 3:
		twist_payload(p, req, rep);
		break;
	case 4:
		if (req->type == GNS_LOOKUP) {
			rep->r_lookup.absent ^= 1;
			twist_grant(p, &rep->r_lookup.dir);
		}
		twist_attr(p, &o->attr);
		twist_payload(p, req, rep);
		break;
	}
	if (req->type == GNS_LOOKUP || req->type == GNS_GETATTR ||
	    req->type == GNS_MOUNT)
		rep->payload_len = 0;
}

bool fake_break(struct peer *p, u8 *frame, u32 *len)
{
	u32 at;

	switch (peer_rnd(p, 8)) {
	case 0: /* a length that is none */
		at = odd_number(p);
		memcpy(frame, &at, 4);
		break;
	case 1: /* another message */
		frame[4] = peer_rnd(p, GNS_MSG_END + 2);
		break;
	case 2:
		frame[6] = peer_rnd(p, 4);
		break;
	case 3: /* nobody's tag */
		frame[8 + peer_rnd(p, 8)] ^= 1;
		break;
	case 4: /* another session */
		frame[16 + peer_rnd(p, 8)] ^= 1;
		break;
	case 5:
		at = odd_number(p);
		memcpy(frame + 28, &at, 4);
		break;
	case 6:
		for (at = 0; at < 4; at++)
			frame[peer_rnd(p, *len)] = peer_rnd(p, 256);
		break;
	case 7:
		*len = peer_rnd(p, *len);
		return false;
	}
	return true;
}
