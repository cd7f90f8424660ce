/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Satellites as an origin sees them: connections, sessions, leases, and what
 * an origin owes them.
 *
 * What is checked with every message:
 *  - no change reaches the tree while another's live lease covers the object;
 *  - a change is carried out once, and one that makes or removes a name once
 *    over all restarts; an append goes to the end of its file, once;
 *  - whoever is to release a lease and can be reached has been told;
 *  - one version of an object never shows two states of it;
 *  - an answer answers a question, once; at the end none is left.
 */
#ifndef GNS_FUZZ_SAT_H
#define GNS_FUZZ_SAT_H

#include "origin/core.h"
#include "toy.h"

#define SAT_CONNS 3
#define SAT_SESSIONS 64
#define SAT_INSTANCES 3
#define SAT_LEASES 48 /* of one session */
#define SAT_ASKED 2048
#define SAT_CHANGES 1024
#define SAT_SEEN 2048

struct sat_lease {
	struct gns_fh fh; /* len 0: free */
	u64 number; /* 0: none, its answer was lost */
	u64 revoked; /* up to this grant; 0: no REVOKE to answer */
};

struct sat_session {
	u64 sid;
	struct gns_id secret;
	u8 inst;
	bool over; /* fenced, or told that it is dead */
	u64 until; /* boottime */
	struct sat_lease leases[SAT_LEASES];
};

struct sat_conn {
	struct gns_conn conn;
	struct sats *s;
	bool open;
	bool paused;
	bool broken; /* to be reported closed */
	u32 life; /* counts connections in this place */
	struct sat_session *session; /* attached to it; NULL: none */
};

struct sat_asked {
	u64 tag;
	u64 sid;
	u64 stamp;
	struct gns_id secret; /* HELLO */
	u32 life;
	bool open; /* no answer yet */
	u16 type;
	u8 conn;
	u8 inst;
	u32 slot; /* changes */
	u64 seq;
	struct gns_fh dir; /* LOOKUP */
	bool append;
	bool early; /* said while an older one of the slot was under way */
};

struct sat_change {
	u64 seq;
	u64 off; /* of an append */
	u32 slot;
	u32 life;
	u8 inst;
	bool ran; /* a write that went through */
	bool made; /* a name, once */
};

struct sat_seen {
	struct gns_fh fh;
	u64 version;
	s64 ctime;
};

struct sats {
	struct toy t; /* first: container_of() is not needed */
	struct gns_origin *o;
	struct gns_origin_config cfg;
	u32 life; /* of the origin */
	bool broke; /* what was sent may not have arrived */
	bool hostile; /* copies of a change were not copies */
	u8 hellos;
	u64 tag;
	struct sat_conn conns[SAT_CONNS];
	struct sat_session sessions[SAT_SESSIONS];
	u32 nsessions;
	struct sat_asked asked[SAT_ASKED];
	struct sat_change changes[SAT_CHANGES];
	u32 nchanges;
	struct sat_seen seen[SAT_SEEN];
	u32 nseen;
};

void sats_init(struct sats *s);
void sats_exit(struct sats *s);
bool sats_start(struct sats *s);
void sats_open(struct sats *s, u32 i);
void sats_close(struct sats *s, u32 i);
void sats_send(struct sats *s, u32 i, struct gns_msg *msg);
void sats_release(struct sats *s, u32 i, const struct gns_fh *fh, u64 upto);
void sats_restart(struct sats *s, bool host, u64 keep, u32 ran);
void sats_drain(struct sats *s);
void sats_end(struct sats *s);

/* check.c: what an origin owes */
void check_touch(struct toy *t, const struct gns_msg *req,
		 const struct gns_fh *fh);
void check_tried(struct toy *t, const struct gns_msg *req, u32 status);
void check_seen(struct sats *s, const struct gns_fh *fh, u64 version,
		const struct gns_attr *attr);
void check_revoked(struct sats *s);
void check_idle(struct sats *s);
void check_all_answered(struct sats *s);
struct sat_lease *sat_lease(struct sat_session *ss, const struct gns_fh *fh);
struct sat_session *sat_session(struct sats *s, u64 sid);
bool sat_lives(const struct sats *s, const struct sat_session *ss);

#endif
