/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The satellite role's own view of itself: kernel.c has /dev/gns, the line of
 * words and when to begin again, kern_origin.c one origin: what the library
 * tells the kernel of it, and its calls.
 *
 * Locks: none; one thread.
 */
#ifndef GNS_SATELLITE_KERNEL_INT_H
#define GNS_SATELLITE_KERNEL_INT_H

#include <sys/queue.h>
#include <uthash.h>

#include "lib/genl.h"
#include "satellite/bulk.h"
#include "satellite/kernel.h"
#include "satellite/satellite.h"
#include "satellite/translate.h"
#include "transport/tcp.h"

struct kern_origin;

struct gns_kernel {
	uv_loop_t *uv;
	struct gns_env *env;
	struct gns_kernel_config cfg;
	struct gns_bulk_region *bulk;
	struct gns_tcp *tcp;
	int fd; /* /dev/gns; -1: not open */
	struct gns_genl *nl; /* bound to @fd */
	uv_poll_t *poll; /* of @nl; freed by libuv. NULL: nothing is served */
	struct gns_timer retry; /* opens, or begins again */
	struct gns_timer again; /* goes on with words */
	struct gns_id host;
	struct gns_id instance;
	u64 features; /* GNS_F_*: of both, since BIND */
	bool drained; /* all that a helper before had pulled was pulled again */
	bool hardened;
	bool broken; /* nothing is said any more; @retry is on its way */
	bool rung; /* there may be words to pull */
	bool pulling; /* who runs now pulls before it returns */
	u8 *words; /* attributes of the last PULL */
	u32 cap;
	u32 len; /* bytes of @words */
	u32 at; /* the next word in them */
	int said; /* the last failure to open that was logged */
	u32 norigins;
	LIST_HEAD(, kern_origin) origins;
};

/* What the kernel's form of an answer needs, and the library does not keep. */
struct kern_asked {
	u64 id;
	u32 room; /* bytes that the answer may have */
	u32 n; /* REVALIDATE: objects */
	struct gns_ureval *items;
	UT_hash_handle hh;
};

struct kern_attempt;

/* An origin, and the session with it. */
struct kern_origin {
	struct gns_kernel *k;
	struct gns_kern kern;
	struct gns_connector connector;
	u32 nr; /* the kernel's number */
	char *name; /* host[:port] */
	struct gns_sat *sat;
	struct kern_asked *asked; /* by id */
	LIST_HEAD(, kern_attempt) attempts; /* connections being made */
	bool gone; /* the kernel has forgotten it; @end is on its way */
	struct gns_timer end;
	LIST_ENTRY(kern_origin) link;
};

/* kernel.c */
void kernel_broke(struct gns_kernel *k, const char *what, const char *why);
void kernel_go_on(struct gns_kernel *k);

/* kern_origin.c */
int origin_begin(struct gns_kernel *k, const struct gns_word *w);
void origin_leave(struct kern_origin *o);
void origin_destroy(struct kern_origin *o);
struct kern_origin *origin_find(struct gns_kernel *k, u32 nr);
int origin_call(struct kern_origin *o, const struct gns_word *w);
void origin_cancel(struct kern_origin *o, u64 id);

/* kern_answer.c */
int answer_status(struct gns_kernel *k, u64 id, u64 sid, u32 status);
int answer_failed(struct gns_kernel *k, u64 id, u16 type);
int answer_give(struct gns_kernel *k, u64 id, const struct gns_msg *rep,
		struct kern_asked *a);

/* kern_connect.c */
extern const struct gns_connector_ops kern_connector_ops;
void attempts_cancel(struct kern_origin *o);

#endif
