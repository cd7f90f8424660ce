/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A toy world for an origin: virtual time, a store and a tree in memory.
 *
 * Completions come when the target says so, in any order for the tree and in
 * their own for the store, so that the origin's every state can be held open
 * while other things happen to it.
 */
#ifndef GNS_FUZZ_TOY_H
#define GNS_FUZZ_TOY_H

#include "fuzz.h"
#include "lib/env.h"
#include "origin/db.h"
#include "origin/fs.h"

#define TOY_TIMERS 256
#define TOY_COMMITS 2048
#define TOY_OPS 1024
#define TOY_NODES 24
#define TOY_ENTRIES 40
#define TOY_FH_LEN 6
#define TOY_STORM 2000 /* timers that may fire at one point in time */

struct toy_rec {
	u64 batch;
	u32 klen;
	u32 vlen; /* 0: the key is deleted */
	u8 *kv;
};

struct toy_commit {
	void (*done)(void *arg, int err);
	void *arg;
	u64 batch;
	bool sync;
};

/* An operation under way: op, or a sync. */
struct toy_op {
	struct gns_fsop *op;
	void (*synced)(void *arg, int err);
	void *arg;
};

struct toy_node {
	bool used;
	u32 gen;
	u32 mode;
	u32 uid;
	u32 nlink;
	u32 rdev;
	bool xattr; /* it has the one that there is */
	u64 size;
	s64 ctime; /* no two states of a node share one */
};

struct toy_entry {
	u8 dir;
	u8 node;
	u8 len; /* 0: free */
	char name[GNS_NAME_MAX];
};

/* The world. */
struct toy {
	struct gns_env env;
	struct gns_fs fs;
	struct gns_db db;
	u64 boot;
	u64 real;
	u64 seed;
	struct gns_timer *timers[TOY_TIMERS];
	u32 ntimers;
	struct toy_rec *log;
	u32 nlog;
	u32 log_cap;
	u64 batch; /* the open one */
	u64 on_disk; /* batches before it survive the host */
	struct toy_commit commits[TOY_COMMITS];
	u32 ncommits;
	struct toy_op ops[TOY_OPS];
	u32 nops;
	s64 ctime;
	u64 size_before; /* of the file that is written to */
	bool idle; /* the change that was carried out last changed nothing */
	struct toy_node nodes[TOY_NODES];
	struct toy_entry entries[TOY_ENTRIES];
	bool late; /* operations and commits end when told so, not at once */
	bool db_fails; /* the next commit does */
	u8 fs_fails; /* that many operations do */
	/* A change is about to be seen in @fh. */
	void (*touch)(struct toy *t, const struct gns_msg *req,
		      const struct gns_fh *fh);
	/* @req was carried out, or not: @status. */
	void (*tried)(struct toy *t, const struct gns_msg *req, u32 status);
};

/* toy.c */
void toy_init(struct toy *t);
void toy_exit(struct toy *t);
void toy_advance(struct toy *t, u64 ns);
void toy_put(struct toy *t, const void *key, u32 klen, const void *val,
	     u32 vlen);
bool toy_commit_one(struct toy *t);
void toy_crash(struct toy *t, bool host, u64 keep);

/* toyfs.c */
void toyfs_init(struct toy *t);
bool toyfs_end_one(struct toy *t, u32 which);
void toyfs_run_one(struct toy *t, u32 which);
void toyfs_beside(struct toy *t, u32 node);
struct gns_fh toyfs_fh(const struct toy *t, u32 node);
int toyfs_node(const struct toy *t, const struct gns_fh *fh);
struct gns_attr toyfs_attr(const struct toy *t, u32 node);
struct toy_entry *toyfs_entry(struct toy *t, u32 dir,
			      const struct gns_str *name);
bool toyfs_is_dir(const struct toy *t, u32 node);
void toyfs_stamp(struct toy *t, u32 node);

/* toyfs_change.c */
int toyfs_change(struct toy *t, struct gns_fsop *op);

#endif
