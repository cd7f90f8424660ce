/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of the kernel's side of one satellite, and its applications.
 *
 * It follows the lease protocol as gns.ko has to: it takes stamps, checks
 * every cached access against its own clock, fences, remembers revokes,
 * suspends at expiry, holds its requests over the death of the helper.
 * Messages to and from the helper take time, and overtake each other.
 */
#ifndef GNS_SIM_KMODEL_H
#define GNS_SIM_KMODEL_H

#include <sys/queue.h>

#include "sim.h"

#define K_INODES 4096
#define K_SLOTS 8
#define K_DATA 128
#define K_APPS 4 /* the first one only looks into the cache */
#define K_FILES 4 /* open at a time, for longer than a call */

struct kop;
struct kmodel;

/** struct kobj - an inode as the kernel caches it */
struct kobj {
	u32 ino;
	bool held; /* a lease of the present session */
	u64 number; /* its newest grant */
	u64 epoch; /* this life of the lease; never comes again */
	u64 version; /* of what is cached; 0: nothing is */
	u64 revoked; /* every grant of the session up to it is void */
	u32 own; /* changes of ours under way */
	u64 own_gen; /* k->gen when the last began or ended */
	bool attr_ok; /* size is known, whatever of the data */
	bool data_ok;
	u32 size;
	u8 data[K_DATA];
	bool known[FS_NAMES]; /* directories */
	u32 names[FS_NAMES];
	u32 opens; /* see files.c for what follows */
	u64 claim; /* the session that the origin knows has it open */
	u64 said_open; /* the session that said so to a REVOKE */
	u64 promised; /* ns: half of what it waits for us after its restart */
	bool nameless; /* has no name any more, as far as it is known */
	bool lost; /* power loss took it */
	bool pte; /* mapped: reads ask nobody */
	u32 map_size;
	u8 map[K_DATA];
};

struct kreq {
	u64 id;
	struct gns_msg msg;
	u8 payload[K_DATA];
	char name[2][4];
	struct kop *op; /* NULL: nobody waits any more */
	u64 gen; /* k->gen at submit */
	u64 epoch; /* of the object; 0: no lease then */
	u32 ino;
	bool sent; /* some helper had it */
	u64 helper; /* which: k->helper.count */
	LIST_ENTRY(kreq) all;
};

enum op_kind {
	OP_READ,
	OP_MMAP,
	OP_STAT,
	OP_LOOKUP,
	OP_READDIR,
	OP_FSYNC,
	OP_OPEN, /* not recorded, see files.c */
	OP_FSTAT,
	OP_LOCK, /* nor this, see ranges.c */
	OP_CHANGES, /* from here on */
	OP_WRITE = OP_CHANGES,
	OP_APPEND,
	OP_TRUNC,
	OP_CREATE,
	OP_UNLINK,
	OP_RENAME,
	OP_LINK,
};

enum lock_phase {
	LK_NONE,
	LK_LINE, /* for its turn, or its answer */
	LK_WAITS, /* somebody else has it */
	LK_HAS,
	LK_OVER,
};

/** struct klock - what the kernel knows of a register's lock */
struct klock {
	bool held;
	u64 sid; /* in this session */
	u64 asked; /* request under way; 0: none */
	u32 app; /* who has it, or asks; 0: nobody */
};

#define RANGE_PARTS 6
#define RANGE_KINDS (GNS_LC_MAX + 1)

/** struct krange - what applications believe to have locked of a list */
struct krange {
	u64 asked; /* request under way; 0: none */
	u8 before[RANGE_PARTS]; /* that: of who asks, when it asked */
	u8 mode[RANGE_KINDS][K_APPS][RANGE_PARTS];
};

/* In the serial of a write that is made under a lock. */
#define SERIAL_LOCKED (1u << 23)

/** struct kop - one system call of an application */
struct kop {
	struct kmodel *k;
	u32 app;
	enum op_kind kind;
	u32 ino;
	u32 dir[2], name[2]; /* tree: which */
	u32 target; /* LINK: the file that gets the name */
	u32 serial; /* names the change in its data */
	s64 rec; /* history: its record; -1: none */
	bool carried; /* from before the record began: may have run before */
	bool by_name; /* STAT: by a lookup in the root */
	bool nowait; /* from the cache, or not at all */
	u32 retries;
	int slot; /* changes: -1 none */
	u64 epoch; /* of the copy under way */
	u32 len;
	u8 data[K_DATA];
	bool locked; /* WRITE: under a lock */
	enum lock_phase phase;
	struct gns_m_lock want; /* LOCK */
	u64 need_durable; /* FSYNC: what has to be on disk */
	u32 step; /* OPEN: see files.c */
	bool dirs; /* it has its directories locked */
	bool looked; /* UNLINK, RENAME: the victim is known */
	u32 victim; /* the file that loses this name; 0: none */
	bool victim_open; /* and that was said */
};

struct kmodel {
	struct sim *s;
	u32 nr;
	struct host host;
	struct life life; /* of the host */
	struct life helper; /* of the helper */
	struct penv env, henv;
	struct gns_kern kern;
	struct gns_sat *sat;
	struct gns_id instance;
	bool had_slots;
	u64 features;
	u64 sid;
	struct gns_id secret, new_secret;
	u64 expires, ttl;
	u64 stamp; /* that expires was counted from */
	u64 incarnation;
	u64 gen;
	struct gns_timer zap;
	struct kobj *obj[K_INODES];
	LIST_HEAD(, kreq) reqs;
	u64 next_id;
	bool slot_busy[K_SLOTS];
	u64 slot_seq[K_SLOTS];
	struct klock lock[FS_REGS];
	struct krange range[FS_LOGS];
	u64 lock_seq;
	u64 newest; /* grant of the session */
	bool dir_busy[FS_DIRS]; /* locked by a change of names */
	u32 file[K_FILES]; /* inodes, open */
	u32 nfiles;
	struct kop *ops[K_APPS];
	u32 serials;
	bool deaf; /* its fence hangs: no RELEASED is ever said */
	u64 stood_at; /* boottime */
	bool stood_still; /* outside of I1 until a keepalive is answered */
};

struct kmodel *kmodel_new(struct sim *s, u32 nr);
void kmodel_free(struct kmodel *k);
void kmodel_helper_start(void *arg);
void kmodel_helper_crash(struct kmodel *k);
void kmodel_host_crash(struct kmodel *k);

/* kmodel.c for app.c, answer.c and word.c */
u64 kmodel_now(const struct kmodel *k);
u64 kmodel_hop(struct kmodel *k);
void kmodel_random(struct sim *s, struct gns_id *id);
struct gns_fh kmodel_fh(const struct kmodel *k, u32 ino);
void kmodel_expiry(struct kmodel *k, u64 stamp, u64 ttl);
struct kobj *kobj_get(struct kmodel *k, u32 ino);
bool kobj_lease_ok(const struct kmodel *k, const struct kobj *o);
bool kobj_may_fault(const struct kmodel *k, const struct kobj *o);
void kobj_drop(struct kobj *o);
bool kobj_grant(struct kmodel *k, struct kobj *o, const struct kreq *q,
		const struct gns_msg *rep, const struct gns_grant *g);
void kobj_own_begin(struct kmodel *k, struct kobj *o);
void kobj_own_end(struct kmodel *k, struct kobj *o);
struct kreq *kreq_new(struct kmodel *k, struct kop *op, u32 ino, u16 type);
void kreq_submit(struct kmodel *k, struct kreq *q);
void kreq_free(struct kreq *q);

/* word.c: what the satellite library calls */
extern const struct gns_kern_ops kmodel_kern_ops;
void kmodel_revoke(struct kmodel *k, u64 sid, struct kobj *o, u64 upto);

/* locks.c */
void locks_begin(struct kop *op);
void locks_reply(struct kmodel *k, struct kreq *q, const struct gns_msg *rep);
void locks_unlocked(struct kmodel *k, const struct gns_fh *fh);
void locks_end(struct kop *op);
void locks_lost(struct kmodel *k);

/* ranges.c */
bool ranges_pick(struct kop *op);
void ranges_try(struct kop *op);
bool ranges_reply(struct kmodel *k, struct kreq *q, const struct gns_msg *rep);
bool ranges_unlocked(struct kmodel *k, u32 ino);
void ranges_lost(struct kmodel *k);

/* files.c */
bool files_pick(struct kop *op);
bool files_try(struct kop *op);
void files_end(struct kop *op);
bool files_reply(struct kop *op, struct kreq *q, const struct gns_msg *rep);
void files_again(struct kmodel *k);
void files_regained(struct kmodel *k, struct kreq *q, const struct gns_msg *rep,
		    const struct gns_reval *v);
void files_regained_one(struct kmodel *k, struct kreq *q,
			const struct gns_msg *rep);
void files_change(struct kop *op, struct kreq *q);
void files_changed(struct kop *op, const struct gns_msg *rep);

/* answer.c */
void kobj_grant_attr(struct kmodel *k, struct kobj *o, const struct kreq *q,
		     const struct gns_msg *rep, const struct gns_grant *g,
		     u32 size);
void app_reply(struct kmodel *k, struct kreq *q, const struct gns_msg *rep);

/* app.c */
void app_start(struct kmodel *k, u32 app);
void app_killed(struct kop *op);
void app_unknown(struct kop *op);
void kop_drop(struct kop *op);
const char *kop_name(enum op_kind kind);
void kop_try(struct kop *op);
void kop_return(struct kop *op, s32 err, const u32 *list, u32 n);
void kop_bytes(struct kop *op, const u8 *data, u32 len, u32 size);
void kop_names(struct kop *op, const u32 *names);
void kop_later(struct kop *op, u64 delay, void (*fn)(void *arg));
struct kop *kop_deref(void *arg);

/* history.c for app.c */
void history_call(struct history *h, struct kop *op);
void history_ret(struct history *h, struct kop *op, s32 err, const u32 *list,
		 u32 n);
void history_orphan(struct history *h, const struct kop *op);
void history_drop(struct history *h, struct kop *op);

#endif
