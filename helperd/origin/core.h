/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The nouns of the origin's core, private to origin/.
 *
 *	origin --- sessions (by id) --- leases (by object)
 *	   |            `-- instance --- slots
 *	   `---- objects (by handle) -- leases (list), waiting reads
 *
 * An object is in the table while something refers to it (refs) or while its
 * version is worth keeping. Several handles may mean it (view.c). A lease
 * belongs to one session, one object and the view that it was given in; it
 * may go on as a hold, which lets nothing be cached (orphan.c). A
 * session outlives its connections; an instance outlives its sessions, for
 * its slots answer retries.
 *
 * Life of a change, the only writer of change->state being change.c:
 *
 *	WAITING    in line; holds nothing
 *	RESOLVING  owns its objects (obj->owner): no new lease on them;
 *	           asks the backend which other objects the names mean
 *	REVOKING   every holder but the writer's session was told to release
 *	LOGGING    marks and intent on their way to the store
 *	DRAINING   reads that began before are ending; new ones wait
 *	APPLYING   the backend works
 *
 * then versions, the answer, the next one. It goes back to WAITING from
 * RESOLVING when a name turned out to mean an object that another one owns,
 * holding nothing, so no two changes ever wait for each other.
 *
 * Locks: none; one thread.
 */
#ifndef GNS_ORIGIN_CORE_H
#define GNS_ORIGIN_CORE_H

#include <sys/queue.h>
#include <uthash.h>

#include "lib/mutant.h"
#include "origin/origin.h"

#define GNS_SLOTS 64u
/* Versions are reserved ahead of the clock in steps of this many ns. */
#define GNS_CEILING_STEP (3600 * NSEC_PER_SEC)

/* Objects that a request names by handle. */
#define REQUEST_FHS 2u

struct obj;
struct session;
struct change;
struct gns_cursor;
struct recovery;
struct lock_rec;
struct lock_table;
struct settling;

struct lease_key {
	struct obj *obj;
	u64 view;
};

struct lease {
	struct lease_key of;
	struct session *s;
	u64 number; /* newest grant */
	bool waited; /* obj->owner waits for its end */
	bool hold; /* over, but the file is open there: orphan.c */
	u64 revoke_at; /* boottime of the first REVOKE; 0: not revoked */
	u64 resend_at;
	LIST_ENTRY(lease) by_obj;
	TAILQ_ENTRY(lease) revoking; /* in s->revoking, oldest first */
	UT_hash_handle hh; /* in s->leases, by of */
};

struct read;
TAILQ_HEAD(read_list, read);
TAILQ_HEAD(change_list, change);
TAILQ_HEAD(obj_list, obj);

struct obj {
	struct gns_fh fh; /* in the view that stands for all */
	u32 refs; /* leases, reads, changes */
	u32 readers; /* reads in the backend */
	u64 version; /* 0: not known yet */
	s64 ctime; /* that the version was seen with; 0: any */
	u64 changed_gen; /* origin->gen when the last change ended */
	u64 hold_until; /* boottime: no change starts before */
	u64 claim; /* sched.c: pass that reserved it */
	bool applying; /* new reads wait */
	bool marked; /* "may change" is durable */
	bool gone; /* the tree said so, since its last change */
	u64 quiet_at; /* boottime from which it may settle */
	struct change *owner;
	struct loss *loss; /* NULL: the disk took all that was written */
	LIST_HEAD(, lease) leases;
	struct lock_table *locks; /* NULL: nobody holds or waits for one */
	struct read_list waiting;
	TAILQ_ENTRY(obj) lru; /* refs == 0 */
	TAILQ_ENTRY(obj) settle; /* marked, by quiet_at */
	UT_hash_handle hh;
};

enum slot_state {
	SLOT_DONE, /* seq is answered by reply (or never asked again) */
	SLOT_BUSY, /* seq is change */
	SLOT_REDO, /* seq was under way at a crash and may run again */
	SLOT_UNKNOWN, /* seq was, and something else has changed since */
};

struct slot {
	u64 seq;
	enum slot_state state;
	struct change *change;
	struct gns_msg *reply; /* DONE; NULL: forgotten */
	struct gns_fh fh[REQUEST_FHS]; /* REDO: its objects; len 0: none */
	u64 off; /* REDO: where the append went */
	u64 hash; /* of the request: the same number is not the same change */
	struct instance *inst;
	u32 nr;
	TAILQ_ENTRY(slot) redo; /* in origin->redo while REDO */
};

struct instance {
	struct gns_id id;
	u32 sessions;
	u64 used_at; /* realtime, ns */
	struct slot *slots[GNS_SLOTS]; /* NULL: never used */
	struct session *newest; /* living; NULL: none */
	bool untold; /* its slots are lost, and it may not know yet */
	UT_hash_handle hh;
};

struct oconn {
	struct gns_origin *o;
	struct gns_conn *conn; /* NULL: closed */
	struct session *s;
	u32 refs; /* the connection, and every request that may answer on it */
	u32 busy; /* requests in progress */
	bool paused;
	LIST_ENTRY(oconn) by_session;
	LIST_ENTRY(oconn) by_origin;
};

struct session {
	struct gns_origin *o;
	u64 sid;
	struct gns_id secret;
	struct instance *inst;
	u64 ttl;
	u64 deadline; /* boottime: dead from here on */
	bool dead;
	u32 refs; /* the table, connections, requests */
	bool slots_known; /* as its HELLO was answered */
	u64 features; /* GNS_FEAT_*: that both have */
	u64 last_grant;
	u32 nleases;
	struct lease *leases;
	struct lock_rec *lock_recs; /* by handle */
	TAILQ_HEAD(, lock_rec) lock_idle; /* those without a lock, oldest first */
	u32 nlock_idle;
	u32 nlocks; /* held and waited for */
	u64 losses_told; /* origin->losses as its last sync of all knew them */
	u64 lock_floor; /* newest of the requests whose records are gone */
	TAILQ_HEAD(, lease) revoking;
	LIST_HEAD(, oconn) conns;
	struct gns_timer timer;
	LIST_ENTRY(session) all; /* the dead with references too */
	UT_hash_handle hh;
};

struct read {
	struct gns_fsop op;
	struct gns_origin *o;
	struct oconn *oc;
	struct session *s; /* NULL for MOUNT before a session */
	struct obj *obj;
	struct gns_msg *req; /* owned */
	u64 gen; /* origin->gen when it began */
	bool turn; /* the answer's lease is held for a while */
	bool running;
	TAILQ_ENTRY(read) link; /* obj->waiting, or origin->reads */
};

enum change_state {
	CH_WAITING,
	CH_RESOLVING,
	CH_REVOKING,
	CH_LOGGING,
	CH_DRAINING,
	CH_APPLYING,
};

struct change {
	struct gns_origin *o;
	struct oconn *oc;
	struct session *s;
	struct slot *slot;
	struct gns_msg *req; /* owned; NULL: it is a read's turn */
	struct read *turn;
	enum change_state state;
	u64 order; /* place in line */
	struct obj *obj[GNS_CHANGED_MAX];
	u64 before[GNS_CHANGED_MAX];
	u32 nobj;
	u32 bytes; /* of origin->queued that it takes */
	u32 nbase; /* the first ones, named by handle in the request */
	u64 view; /* of the request's handles */
	struct obj *from; /* the one of them that COPY only reads; NULL: none */
	bool redo; /* it was under way at a crash: offset is settled */
	bool overtaken; /* and something else has changed its object since */
	u32 step; /* RESOLVING: next question */
	u32 pending; /* REVOKING: leases not released yet */
	struct gns_msg ask; /* RESOLVING: the question */
	struct gns_fh child[2]; /* what the names mean; len 0: nothing;
				 * SETXATTR: len 1: the attribute is there
				 */
	u32 nchild;
	struct gns_fsop op;
	TAILQ_ENTRY(change) link;
};

/** struct vrec - the durable version of an object, as kept in memory */
struct vrec {
	struct gns_fh fh;
	u64 version;
	s64 ctime;
	bool marked;
	bool absent; /* its export is not there */
	UT_hash_handle hh;
};

/** struct orphan - a file without a name that somebody has open */
struct orphan {
	struct gns_fh id; /* of the object, as it is in the table */
	struct gns_fh fh; /* by which the backend has it */
	UT_hash_handle hh;
};

struct vfloor {
	u64 synced_at; /* realtime, ns */
	u64 floor;
};

#define VFLOORS 16

struct gns_origin {
	struct gns_env *env;
	struct gns_fs *fs;
	struct gns_db *db;
	struct gns_origin_config cfg;
	struct gns_origin_stats stats;
	struct obj *objs;
	struct obj_list lru;
	struct obj_list settle;
	struct session *sessions; /* the living, by sid */
	LIST_HEAD(, session) all_sessions;
	struct instance *insts;
	struct vrec *vrecs;
	struct vfloor vfloors[VFLOORS];
	u32 nvfloors;
	LIST_HEAD(, settling) settling; /* being synced */
	u64 want_ttl; /* what the operator said last */
	u64 new_ttl; /* being made durable; 0: none */
	u64 quiesce_gen; /* gen when the last sync began */
	u64 queued; /* bytes of changes in line */
	LIST_HEAD(, oconn) conns;
	struct change_list waiting;
	struct change_list running;
	struct read_list reads;
	TAILQ_HEAD(, slot) redo;
	u64 gen;
	u64 order;
	u64 redo_order;
	u64 claim;
	u64 lock_pass; /* of those who are told that a lock is free */
	u64 incarnation; /* of what is durable: a power loss begins another */
	u64 losses; /* syncs that failed, in this life */
	u32 nlosses; /* objects with one */
	bool loss_of_all; /* more than are known one by one */
	u64 floor; /* versions handed out from now on are above */
	u64 ceiling; /* durable: and not above this */
	u64 max_ttl; /* durable: longest TTL promised */
	u64 grace_until;
	LIST_HEAD(, recovery) recovering; /* intents being looked into */
	bool must_sync; /* marks are in the store, and not durable yet */
	bool sched_busy;
	bool sched_again;
	bool ready; /* the first commit is durable */
	bool quiescing;
	struct orphan *orphans;
	u64 orphans_until; /* boottime: nobody may have come back before */
	struct gns_timer orphan_timer;
	struct gns_timer sched_timer;
	struct gns_timer settle_timer;
	struct gns_timer resend_timer;
	void (*quiesced)(void *arg, int err);
	void *quiesced_arg;
};

/* object.c */
struct obj *obj_get(struct gns_origin *o, const struct gns_fh *fh);
struct obj *obj_find(struct gns_origin *o, const struct gns_fh *fh);
void obj_hold(struct gns_origin *o, struct obj *obj);
void obj_put(struct gns_origin *o, struct obj *obj);
void obj_drop_all(struct gns_origin *o);
bool obj_changed_since(struct gns_origin *o, const struct gns_fh *fh, u64 gen);

/* view.c */
u64 view_split(struct gns_origin *o, const struct gns_fh *fh,
	       struct gns_fh *id);
u64 view_of(struct gns_origin *o, const struct gns_fh *fh);
void view_join(struct gns_origin *o, const struct obj *obj, u64 view,
	       struct gns_fh *fh);
bool view_means(struct gns_origin *o, const struct gns_fh *fh,
		const struct obj *obj);
u32 view_meant(struct gns_origin *o, const struct gns_fh *fh, struct gns_fh *id,
	       u32 max);
int view_load(struct gns_origin *o, struct gns_cursor *c);
void view_put(struct gns_origin *o);

/* version.c */
u64 version_see(struct gns_origin *o, const struct gns_fh *fh, struct obj *obj,
		const struct gns_attr *attr);
u64 version_next(struct gns_origin *o, u64 old);
int version_log(struct gns_origin *o, struct obj *obj, bool *sync);
bool version_reserve(struct gns_origin *o, u64 newest);
void version_gone(struct gns_origin *o, struct obj *obj);
bool version_is_seen(const struct obj *obj);
void version_settle_later(struct gns_origin *o, struct obj *obj);
void version_settle_timer(void *arg);
void version_settle_now(struct gns_origin *o, struct obj *obj);
int version_load(struct gns_origin *o, const u8 *key, u32 klen, const u8 *val,
		 u32 vlen);
int version_recover(struct gns_origin *o);
void version_drop_all(struct gns_origin *o);

/* loss.c */
bool loss_is(int err);
void loss_note(struct gns_origin *o, const struct gns_fh *fh,
	       struct session *s);
bool loss_untold(struct gns_origin *o, const struct gns_fh *fh,
		 struct session *s);
void loss_forget(struct gns_origin *o, struct obj *obj);

/* origin.c */
void origin_put_incarnation(struct gns_origin *o, u64 incarnation);

/* lease.c */
u64 lease_grant(struct session *s, struct obj *obj, u64 view, bool urgent);
struct lease *lease_find(struct session *s, struct obj *obj, u64 view);
void lease_revoke(struct lease *l);
void lease_end(struct lease *l);
void lease_released(struct session *s, const struct gns_fh *fh, u64 upto,
		    bool open);
struct lease *lease_hold(struct session *s, struct obj *obj, u64 view);
void lease_resend(struct session *s);
void lease_resend_timer(void *arg);

/* lock.c */
int lock_request(struct oconn *oc, struct session *s,
		 const struct gns_msg *msg);
void lock_forget(struct session *s, bool quietly);

/* orphan.c */
struct obj *orphan_unmeant(struct change *c);
bool orphan_keeps(struct change *c);
void orphan_made(struct change *c, struct obj *obj, const struct gns_fh *fh);
void orphan_applied(struct change *c);
void orphan_unused(struct gns_origin *o, const struct gns_fh *fh);
void orphan_start(struct gns_origin *o);
void orphan_timer(void *arg);
void orphan_drop_all(struct gns_origin *o);

/* session.c */
int session_message(struct oconn *oc, const struct gns_msg *msg);
bool session_has_acl(const struct session *s);
struct session *session_live(struct gns_origin *o, u64 sid);
void session_get(struct session *s);
void session_put(struct session *s);
void session_kill(struct session *s, const char *why);

/* conn.c */
void oconn_last(struct session *s, struct oconn *oc);
void oconn_get(struct oconn *oc);
void oconn_put(struct oconn *oc);
void oconn_begin(struct oconn *oc);
void oconn_end(struct oconn *oc);
void oconn_reply(struct oconn *oc, const struct gns_msg *req,
		 struct gns_msg *rep, struct gns_bulk *bulk);
void oconn_error(struct oconn *oc, const struct gns_msg *req, u32 status);
void oconn_close(struct oconn *oc);

/* read.c */
int read_request(struct oconn *oc, struct session *s,
		 const struct gns_msg *msg);
void read_run(struct read *r);
void read_wake(struct gns_origin *o, struct obj *obj);
void read_free(struct read *r);

/* change.c */
int change_request(struct oconn *oc, struct session *s,
		   const struct gns_msg *msg);
struct change *change_turn(struct read *r);
void change_start(struct change *c);
void change_resolved(struct change *c);
void change_lease_gone(struct change *c);
void change_reader_gone(struct change *c);
void change_cancel(struct change *c);
void change_cancel_session(struct session *s);
void change_finish(struct change *c, struct gns_msg *rep);
void change_fail(struct change *c, u32 status);
void change_free(struct change *c);
void change_release(struct change *c);

/* apply.c */
void apply_begin(struct change *c);

/* resolve.c */
void resolve_next(struct change *c);

/* request.c */
const struct gns_cred *request_cred(const struct gns_msg *req);
u32 request_fhs(const struct gns_msg *req, const struct gns_fh **fh);
u32 request_names(const struct gns_msg *req);
void request_lookup(const struct gns_msg *req, u32 i, struct gns_msg *ask);
bool request_moves_xattr(const struct gns_msg *req);
void request_listxattr(const struct gns_msg *req, struct gns_msg *ask);
bool request_has_xattr(const struct gns_msg *req, const struct gns_fsop *op);
bool request_shifts(const struct gns_msg *req);
bool request_all_or_nothing(const struct gns_msg *req);
bool request_wants_sync(const struct gns_msg *req);

/* sched.c */
void sched_add(struct change *c);
void sched_run(struct gns_origin *o);
void sched_timer(void *arg);

/* slot.c */
struct instance *instance_find(struct gns_origin *o, const struct gns_id *id);
struct instance *instance_get(struct gns_origin *o, const struct gns_id *id,
			      bool *known);
void instance_put(struct gns_origin *o, struct instance *inst);
struct slot *slot_get(struct instance *inst, u32 nr);
void slot_set_state(struct gns_origin *o, struct slot *sl,
		    enum slot_state state);
void slot_log_intent(struct change *c);
void slot_log_done(struct gns_origin *o, struct slot *sl);
void slot_unknown(struct gns_origin *o, struct slot *sl);
void slot_not_run(struct gns_origin *o, struct slot *sl);
void slot_touch(struct gns_origin *o, const struct change *c);
int slot_load(struct gns_origin *o, const u8 *key, u32 klen, const u8 *val,
	      u32 vlen);
void slot_drop_all(struct gns_origin *o);

/* recover.c */
int recover_add(struct gns_origin *o, struct slot *sl, struct gns_msg *req,
		const struct gns_fh *child);
void recover_start(struct gns_origin *o);
void recover_drop_all(struct gns_origin *o);

#endif
