/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An origin that can not be trusted: it serves a small tree and now and then
 * answers what no origin would.
 *
 * Locks: a connection is a thread with a struct peer of its own.
 */
#ifndef GNS_STRESS_FAKE_H
#define GNS_STRESS_FAKE_H

#include "proto/msg.h"

#define FAKE_FILES 12u /* of the root, and of its one directory */
#define FAKE_BUF (4u << 20)

/** struct peer - a connection */
struct peer {
	int fd;
	u64 rnd;
	u8 *payload; /* FAKE_BUF, of the answer */
	u8 out[GNS_HDR_LEN + GNS_BODY_MAX];
};

/** struct fake - what it does */
struct fake {
	u32 seed;
	u32 percent; /* of answers that are garbage */
	bool quiet; /* an honest answer from now on */
	u64 version; /* of everything */
	u64 number; /* of the newest grant */
};

extern struct fake fake;

u32 peer_rnd(struct peer *p, u32 n);

/** fake_answer() - the right answer; its payload is in @p->payload */
void fake_answer(struct peer *p, const struct gns_msg *req,
		 struct gns_msg *rep);

/** fake_listing() - entries of a directory; @bad: which are none */
u32 fake_listing(struct peer *p, u8 *to, u32 cap, u64 dir, u64 cookie, bool bad);

/** fake_twist() - make an answer absurd that the codec would let through */
void fake_twist(struct peer *p, const struct gns_msg *req, struct gns_msg *rep);

/**
 * fake_break() - make a frame break the rules of the wire
 * @p:     whose luck decides how
 * @frame: header and body
 * @len:   of header and body; may become another
 *
 * Return: false when the connection is to end in the middle of it.
 */
bool fake_break(struct peer *p, u8 *frame, u32 *len);

#endif
