/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections over TCP.
 *
 * Messages sent during one round of the loop leave together at its end, in as
 * few system calls as there are kernels' buffers to fill. Payload bytes are
 * received where the user wants them and sent from where they lie: from memory
 * by sendmsg(2), from a pipe by splice(2).
 *
 * What a peer can make us hold is bounded: connections, bytes queued on each,
 * the size of a frame, the time for half a frame. At a limit the connection
 * ends, with a line in the log. Back-pressure comes first: a user pauses what
 * it can not keep up with, and nothing is delivered until it resumes.
 *
 * writable() is called after sends, once at most GNS_TCP_LOW_MARK bytes are
 * queued. It, message() and closed() are called from the loop only, never out
 * of a call to a function declared here or in transport.h. Any connection may
 * be closed in any callback.
 *
 * The process must ignore SIGPIPE: splice(2) has no flag for it.
 *
 * Lifetime: gns_tcp_create() .. gns_tcp_destroy(); the loop has to run once
 * more after the destroy before it may be closed itself.
 * Locks: none; all on the loop's thread.
 */
#ifndef GNS_TRANSPORT_TCP_H
#define GNS_TRANSPORT_TCP_H

#include <sys/socket.h>
#include <uv.h>

#include "lib/mem.h"
#include "transport/transport.h"

#define GNS_TCP_PORT "7117" /* where an address names none */

#define GNS_TCP_LOW_MARK (1u << 20) /* bytes */
#define GNS_TCP_QUEUED_MAX (256u << 20) /* bytes */
#define GNS_TCP_ACCEPTED_MAX 4096u
#define GNS_TCP_ADDRS_MAX 8u /* of one name */

/* A peer that is gone is noticed after about 20 s, sending or not. */
#define GNS_TCP_CONNECT_MS 4000u /* for each address of a name */
#define GNS_TCP_USER_TIMEOUT_MS 20000u
#define GNS_TCP_KEEPALIVE_IDLE_S 10
#define GNS_TCP_KEEPALIVE_STEP_S 3
#define GNS_TCP_KEEPALIVE_TRIES 3
#define GNS_TCP_SILENT_MS 20000u /* the first message, or half a message */

/**
 * struct gns_tcp_config - limits, 0: the constants above
 * @queued_max: bytes queued on one connection
 * @accepted_max: connections that others made
 * @silent_ms: time for the first message, and for half a message
 * @mem: where large payloads go, unless a connection's user has a place of its
 *       own for them, by malloc(3); NULL: malloc(3). Done with when the last
 *       connection is freed, which is after gns_tcp_destroy()
 */
struct gns_tcp_config {
	u64 queued_max;
	u32 accepted_max;
	u32 silent_ms;
	struct gns_mem *mem;
};

/** struct gns_addr - where to listen */
struct gns_addr {
	struct sockaddr_storage ss;
	socklen_t len;
};

struct gns_tcp;
struct gns_tcp_listener;
struct gns_tcp_connect;

/**
 * gns_tcp_create() - TCP on a loop
 * @uv:  the loop
 * @cfg: copied; NULL: all zeros
 *
 * Return: it; NULL with errno set.
 */
struct gns_tcp *gns_tcp_create(uv_loop_t *uv, const struct gns_tcp_config *cfg);

/**
 * gns_tcp_destroy() - end it
 * @t: gone after the call; NULL is harmless. Listeners and connects must be
 *     closed before; connections still there end without a callback
 */
void gns_tcp_destroy(struct gns_tcp *t);

/**
 * gns_addr_resolve() - the addresses of "host:port", "host", "[v6]:port", "v6"
 * @text: as said by a person
 * @v:    filled
 * @max:  their number
 * @err:  set to what is wrong, when it fails
 * @size: bytes of @err
 *
 * Blocks. Return: how many, at least 1; a negative errno.
 */
int gns_addr_resolve(const char *text, struct gns_addr *v, u32 max, char *err,
		     size_t size);

/** gns_addr_is_loopback() - can only this host reach it? */
bool gns_addr_is_loopback(const struct gns_addr *addr);

/** gns_addr_str() - "1.2.3.4:5" or "[::1]:5" into @buf */
void gns_addr_str(const struct gns_addr *addr, char *buf, size_t size);

/**
 * gns_tcp_listen() - accept connections
 * @t:      the transport
 * @addr:   where; port 0: any that is free
 * @accept: takes a connection by setting its user and returning 0. With
 *          anything else it is closed, without a callback
 * @arg:    handed to @accept
 *
 * Return: the listener; NULL with errno set.
 */
struct gns_tcp_listener *
gns_tcp_listen(struct gns_tcp *t, const struct gns_addr *addr,
	       int (*accept)(void *arg, struct gns_conn *conn), void *arg);

/** gns_tcp_listener_addr() - where it listens, with the port chosen */
void gns_tcp_listener_addr(const struct gns_tcp_listener *l,
			   struct gns_addr *addr);

/** gns_tcp_listener_close() - accept no more; NULL is harmless */
void gns_tcp_listener_close(struct gns_tcp_listener *l);

/**
 * gns_tcp_connect() - connect to the first address of a name that answers
 * @t:    the transport
 * @text: as for gns_addr_resolve(); resolved without blocking
 * @done: called once, later: with the connection, whose user it sets, or with
 *        NULL and the reason, which errno has too. A connection without a user is closed
 * @arg:  handed to @done
 *
 * Return: the attempt, valid until @done; NULL with errno set, and no done().
 */
struct gns_tcp_connect *gns_tcp_connect(struct gns_tcp *t, const char *text,
					void (*done)(void *arg,
						     struct gns_conn *conn,
						     const char *why),
					void *arg);

/** gns_tcp_connect_cancel() - no done() follows; NULL is harmless */
void gns_tcp_connect_cancel(struct gns_tcp_connect *a);

#endif
