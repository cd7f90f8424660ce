/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes to frames.
 *
 * A transport asks where the next bytes should go, puts them there and says
 * how many came. Small frames are parsed where they lie, many per read; the
 * rest of a large payload is received straight into a buffer of its own, so
 * bulk bytes are copied once, by the kernel.
 *
 * Lifetime: one framer per connection. What @frame gets is valid during the
 * call only, except a payload it takes with gns_framer_steal().
 * Limits: a frame is at most GNS_HDR_LEN + GNS_BODY_MAX + GNS_PAYLOAD_MAX.
 */
#ifndef GNS_PROTO_FRAMER_H
#define GNS_PROTO_FRAMER_H

#include "proto/msg.h"

#define GNS_FRAMER_BUF 65536u

struct gns_framer;

/**
 * struct gns_framer_ops - who reads the frames
 * @alloc: buffer for a large payload of @len bytes, by malloc(3) or from a
 *         better place that the owner knows; NULL ends the connection
 * @frame: a whole, checked message. Returns 0, or a negative errno to end the
 *         connection. The framer may not be destroyed inside of it.
 * @free:  takes back what @alloc gave; NULL: free(3)
 */
struct gns_framer_ops {
	void *(*alloc)(void *arg, const struct gns_hdr *hdr, u32 len);
	int (*frame)(void *arg, const struct gns_msg *msg);
	void (*free)(void *arg, void *p);
};

struct gns_framer {
	const struct gns_framer_ops *ops;
	void *arg;
	const char *why; /* after an error: what was wrong */
	u32 head; /* first unparsed byte of buf */
	u32 tail; /* first free byte of buf */
	struct gns_hdr hdr; /* of the frame whose payload is on its way */
	u8 *body; /* its body; NULL: none on its way */
	u8 *payload; /* its payload, owned */
	u32 have; /* bytes of payload present */
	u8 *buf; /* GNS_FRAMER_BUF bytes */
};

/** gns_framer_init() - Return: 0 or -ENOMEM */
int gns_framer_init(struct gns_framer *f, const struct gns_framer_ops *ops,
		    void *arg);

/** gns_framer_exit() - free what it holds; harmless twice */
void gns_framer_exit(struct gns_framer *f);

/**
 * gns_framer_space() - where the next bytes should go
 * @f:   the framer
 * @len: set to how many fit there, never 0
 */
void *gns_framer_space(struct gns_framer *f, u32 *len);

/**
 * gns_framer_filled() - bytes arrived there
 * @f: the framer
 * @n: how many; at most what gns_framer_space() said
 *
 * Calls ops->frame for each whole message. One that returns an error stops the
 * framer behind that message: a transport that pauses so goes on by
 * gns_framer_filled(f, 0), and nothing is lost.
 *
 * Return: 0; -EBADMSG (see f->why), -ENOMEM, or what ops->frame returned:
 * the connection must be closed.
 */
int gns_framer_filled(struct gns_framer *f, u32 n);

/**
 * gns_framer_steal() - keep the payload of the frame being handled
 * @f: the framer, inside of ops->frame
 *
 * Return: the payload, now the caller's to free as ops->free does; NULL when it
 * lies in the framer's own buffer and has to be copied.
 */
void *gns_framer_steal(struct gns_framer *f);

#endif
