/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The nouns of the satellite library, private to satellite/.
 *
 * Session states, written by session.c only:
 *
 *	NONE     HELLO goes out on the first connection that is there
 *	ASKED    HELLO is out, repeated until answered
 *	LIVE     connections JOIN, requests flow, RENEW every quarter TTL
 *	FENCING  the origin knows the session no more; the kernel fences
 *
 * A request is in the table (by tag) until it is answered; it is bound to a
 * link while it is on the way there, and unbound when the link goes or the
 * session ends. Unbound ones wait in order in s->waiting.
 *
 * Locks: none; one thread.
 */
#ifndef GNS_SATELLITE_SAT_H
#define GNS_SATELLITE_SAT_H

#include <sys/queue.h>
#include <uthash.h>

#include "lib/mutant.h"
#include "satellite/satellite.h"

#define SAT_CONNS_MAX 16u
#define SAT_CONNS 4u
#define SAT_PENDING_MAX 4096u
#define SAT_WINDOW (64u << 20)
#define SAT_PAYLOAD (64u << 20)
#define SAT_RESEND_NS (10 * NSEC_PER_SEC)
#define SAT_BACKOFF_MIN_NS (20 * NSEC_PER_MSEC)
#define SAT_BACKOFF_MAX_NS (5 * NSEC_PER_SEC)
#define SAT_TICK_MAX_NS NSEC_PER_SEC
/* An origin that starts is ready sooner than this; later it is trouble. */
#define SAT_STARTING_NS (5 * NSEC_PER_SEC)
/* Bytes queued on one link before requests wait for another. */
#define SAT_LINK_QUEUED_MAX (4u << 20)

struct request;
TAILQ_HEAD(request_list, request);

enum link_state {
	LINK_DOWN, /* until retry_at */
	LINK_CONNECTING,
	LINK_OPEN, /* connected, belongs to no session yet */
	LINK_JOINING,
	LINK_UP,
};

struct link {
	struct gns_sat *s;
	u32 nr;
	enum link_state state;
	struct gns_conn *conn;
	u64 join_tag;
	u64 join_at; /* boottime of the JOIN */
	u64 backoff;
	u64 retry_at;
	struct request_list sent;
};

struct request {
	u64 tag;
	u64 id; /* the kernel's; without done only */
	u64 epoch;
	void (*done)(void *arg, const struct gns_msg *rep); /* a fetch's */
	void *arg;
	struct gns_msg *msg; /* owned */
	struct link *link; /* NULL: in s->waiting */
	u64 sent_at;
	u64 resend; /* ns until it is sent again */
	u32 bytes; /* of the window that it takes */
	bool tried; /* an origin may have it, from here or a helper before */
	struct request *leader; /* joined: whose answer it shares */
	LIST_HEAD(, request) followers;
	LIST_ENTRY(request) follow;
	TAILQ_ENTRY(request) link_entry;
	UT_hash_handle hh; /* by tag */
	UT_hash_handle hh_id; /* by id */
};

enum sat_state {
	SAT_NONE,
	SAT_ASKED,
	SAT_LIVE,
	SAT_FENCING,
};

struct gns_sat {
	struct gns_env *env;
	struct gns_kern *kern;
	struct gns_connector *connector;
	struct gns_sat_config cfg;
	struct gns_sat_stats stats;
	enum sat_state state;
	u64 sid; /* LIVE, FENCING; else the last one */
	struct gns_id secret; /* of sid */
	struct gns_id new_secret; /* ASKED: of the session asked for */
	bool fenced; /* sid may be replaced */
	bool troubled; /* the kernel was told so */
	u64 hello_tag;
	u64 hello_at;
	u64 asked_at; /* ASKED: since when */
	u64 hello_gen; /* the first tag of this asking */
	u64 ttl;
	u64 features; /* of sid */
	bool heir; /* until a HELLO: what is pulled may have been sent before */
	u64 renew_tag; /* 0: none out */
	u64 renew_at;
	u64 last_stamp; /* of the newest transmission */
	u64 next_tag;
	struct gns_timer tick;
	struct link links[SAT_CONNS_MAX];
	u32 next_link;
	u32 control_try;
	struct request *by_tag;
	struct request *by_id;
	struct request_list waiting;
};

/* session.c */
void sat_tick(void *arg);
void sat_trouble(struct gns_sat *s, int err, const char *why);
void sat_fine(struct gns_sat *s);
void sat_tick_soon(struct gns_sat *s);
void sat_hello(struct gns_sat *s);
void sat_lost(struct gns_sat *s, u64 sid);
int sat_session_reply(struct link *l, const struct gns_msg *msg);
int sat_revoke(struct link *l, const struct gns_msg *msg);
int sat_unlocked(struct link *l, const struct gns_msg *msg);

/* link.c */
void link_connect(struct link *l);
void link_down(struct link *l);
void link_join(struct link *l);
void link_tick(struct link *l, u64 now);
struct link *link_control(struct gns_sat *s, bool again);
struct link *link_pick(struct gns_sat *s);

/* request.c */
struct request *request_new(struct gns_sat *s, u64 epoch,
			    const struct gns_msg *msg,
			    void (*done)(void *arg, const struct gns_msg *rep),
			    void *arg);
void request_drop(struct gns_sat *s, struct request *r);
void request_pump(struct gns_sat *s);
void request_unbind_all(struct link *l);
void request_tick(struct gns_sat *s, u64 now);
void request_sweep(struct gns_sat *s, bool slots_known);
int request_reply(struct link *l, const struct gns_msg *msg);
void request_free_all(struct gns_sat *s);

#endif
