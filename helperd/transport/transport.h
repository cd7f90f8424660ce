/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections that carry messages, whatever carries their bytes.
 *
 * The roles know this interface only. A transport (TCP, the simulator's
 * in-memory pair) delivers whole, checked messages in order, or closes.
 *
 * Lifetime: a transport creates connections and hands them to their user.
 * gns_conn_close() ends the user's interest: no callback follows it, and the
 * transport frees the connection. After user->closed() the connection is gone
 * too; exactly one of the two happens.
 * Locks: none; all calls and callbacks on the environment's thread.
 */
#ifndef GNS_TRANSPORT_TRANSPORT_H
#define GNS_TRANSPORT_TRANSPORT_H

#include "proto/msg.h"

struct gns_conn;

/**
 * struct gns_bulk - payload bytes of a message being sent
 * @data:    the bytes; or NULL. What is mapped from a file may fail to be
 *           read: that ends the connection
 * @fd:      with @data NULL: a pipe that holds exactly payload_len bytes
 * @release: called once by the connection when it needs them no more
 */
struct gns_bulk {
	const void *data;
	int fd;
	void (*release)(struct gns_bulk *bulk);
};

/**
 * struct gns_conn_ops - what a transport implements
 * @send:  queue a message. Takes @bulk over in every case; without bulk,
 *         msg->payload is copied before it returns. 0; -ENOMEM, -EPIPE,
 *         -EINVAL: not sent, and the connection will be reported closed.
 * @close: see gns_conn_close()
 */
struct gns_conn_ops {
	int (*send)(struct gns_conn *c, const struct gns_msg *msg,
		    struct gns_bulk *bulk);
	void (*close)(struct gns_conn *c);
};

/**
 * struct gns_conn_user - who uses a connection
 * @message:  a whole message came; negative errno: close it, closed() follows
 * @closed:   the connection has ended and is about to be freed
 * @writable: optional: the queue has drained below its mark
 * @alloc:    optional: where a large payload shall go (see framer.h)
 */
struct gns_conn_user {
	int (*message)(struct gns_conn *c, const struct gns_msg *msg);
	void (*closed)(struct gns_conn *c, const char *why);
	void (*writable)(struct gns_conn *c);
	void *(*alloc)(struct gns_conn *c, const struct gns_hdr *hdr, u32 len);
};

/**
 * struct gns_conn - one connection
 * @ops:    the transport's
 * @user:   set by who takes the connection
 * @arg:    the user's
 * @queued: bytes accepted and not yet handed to the network
 * @pause:  stop or resume delivery (back-pressure); optional
 * @steal:  during user->message(): take over the payload (see framer.h), to be
 *          freed by who gave it: the transport's memory, or free(3)
 * @local:  the peer is on this host
 * @peer:   address for the log
 */
struct gns_conn {
	const struct gns_conn_ops *ops;
	const struct gns_conn_user *user;
	void *arg;
	u64 queued;
	void (*pause)(struct gns_conn *c, bool on);
	void *(*steal)(struct gns_conn *c);
	bool local;
	char peer[64];
};

static inline int gns_conn_send(struct gns_conn *c, const struct gns_msg *msg,
				struct gns_bulk *bulk)
{
	return c->ops->send(c, msg, bulk);
}

/**
 * gns_conn_close() - end a connection
 * @c: gone after the call; what was queued may be lost
 */
static inline void gns_conn_close(struct gns_conn *c)
{
	c->ops->close(c);
}

#endif
