/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the TCP transport share.
 *
 * A connection ends in one of two ways, and tcp_conn_end() is in both: its
 * user closes it, or conn_fail() marks it and the next round tells the user.
 * Its memory stays until libuv has let go of the poll handle, which is after
 * every callback that may have it on the stack.
 */
#ifndef GNS_TRANSPORT_TCP_INT_H
#define GNS_TRANSPORT_TCP_INT_H

#include <sys/queue.h>

#include "proto/framer.h"
#include "transport/tcp.h"

/*
 * struct tcp_out - bytes to be sent
 *
 * Either a chunk of encoded messages (@cap bytes at @buf), or somebody's bulk.
 * @p is NULL for a pipe.
 */
struct tcp_out {
	TAILQ_ENTRY(tcp_out) link;
	struct gns_bulk *bulk;
	const u8 *p;
	u32 off; /* sent */
	u32 len;
	u32 cap;
	u8 buf[];
};

TAILQ_HEAD(tcp_outq, tcp_out);

struct tcp_conn {
	struct gns_conn pub;
	struct gns_tcp *t;
	uv_poll_t poll;
	int fd;
	int events; /* asked of the poll handle */
	u64 heard; /* ms of uv_now(), last bytes received */
	const char *why; /* why it failed */
	bool accepted;
	bool spoke; /* a whole message has come */
	bool paused; /* the user wants no messages */
	bool held; /* ... and there may be some in the framer */
	bool blocked; /* the socket takes no more */
	bool owed; /* writable() will be called */
	bool failed; /* closed() will be called */
	bool gone; /* the user is done with it */
	bool in_message;
	bool flushing;
	bool refused; /* by the user, not by the framer */
	bool dirty; /* on the list of the next round */
	TAILQ_ENTRY(tcp_conn) work;
	LIST_ENTRY(tcp_conn) link;
	struct tcp_outq outq;
	struct gns_framer framer;
};

#define GNS_TCP_BLOCKS 4u

struct gns_tcp {
	uv_loop_t *uv;
	struct gns_tcp_config cfg;
	uv_prepare_t prepare; /* rounds end before the loop sleeps ... */
	uv_check_t check; /* ... and right after it handled events */
	uv_idle_t idle; /* keeps it from sleeping */
	uv_timer_t sweep;
	u32 refs; /* the owner's handles, connections, attempts, listeners */
	u32 accepted;
	u32 ndirty;
	int reserve; /* a descriptor to give up when there are no more */
	u32 nspare;
	struct tcp_outq spare; /* empty chunks */
	void *block[GNS_TCP_BLOCKS]; /* for payloads, the last one used last */
	u32 nblocks;
	TAILQ_HEAD(, tcp_conn) dirty;
	LIST_HEAD(, tcp_conn) conns;
};

/* tcp.c */
void tcp_get(struct gns_tcp *t);
void tcp_put(struct gns_tcp *t);
void tcp_mark(struct tcp_conn *c);
void tcp_unmark(struct tcp_conn *c);
void *tcp_block_get(struct gns_tcp *t, u32 len);
void tcp_block_put(struct gns_tcp *t, void *p);

/* tcp_conn.c */
struct tcp_conn *tcp_conn_new(struct gns_tcp *t, int fd,
			      const struct gns_addr *peer);
void tcp_conn_start(struct tcp_conn *c);
void tcp_conn_end(struct tcp_conn *c);
void tcp_conn_fail(struct tcp_conn *c, const char *why);
void tcp_conn_round(struct tcp_conn *c);
void tcp_conn_sweep(struct tcp_conn *c, u64 now);

/* tcp_send.c */
int tcp_send(struct gns_conn *conn, const struct gns_msg *msg,
	     struct gns_bulk *bulk);
void tcp_flush(struct tcp_conn *c);
void tcp_out_drop(struct tcp_conn *c);
void tcp_spare_free(struct gns_tcp *t);

/* tcp_addr.c */
int tcp_addr_split(const char *text, char *host, size_t hsize, char *port,
		   size_t psize);

/*
 * tcp_addr_hints() - what getaddrinfo(3) shall look for
 *
 * Not AI_ADDRCONFIG: it hides loopback addresses on hosts without a network.
 */
struct addrinfo tcp_addr_hints(void);

#endif
