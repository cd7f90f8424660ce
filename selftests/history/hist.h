/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recorded history: who reads by two mounts, who changes by them and by the
 * protocol, and the memory that all of them record into.
 *
 * Lifetime: the memory is the parent's, from before the first fork on.
 * Locks: none; each process writes its own records, and takes stamps from one
 * counter, so that no two events have the same.
 */
#ifndef GNS_HISTORY_HIST_H
#define GNS_HISTORY_HIST_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/types.h"

#define REGS 4
#define LOGS 2
#define DIRS 3
#define NAMES 6
#define BLOCK 4096u /* each write of a register covers the first */
#define LOG_LEN 32u /* entries of u32 */
#define LOG_FULL 20u /* then it is emptied */

#define PROCS 24
#define RECS 8192
#define RECS_LAST 64 /* of these, for what has to be said at the end */
#define LOSSES 32

#define TAG_MASK 01777u /* mode bits that say which create made a file */

#define LOCKS 4 /* files that are locked: even ones as a whole */
#define LOCKS_TRIED 2 /* nobody waits for the first of them */
#define LOCK_DOUBT 0x8000u /* in the tag, see there */

enum hist_model {
	HIST_REG,
	HIST_LOG,
	HIST_TREE,
	HIST_LOCK,
	HIST_MODELS,
};

/*
 * struct rec - one operation; the fields of struct lin_op
 * @tag:     CREATE, MKDIR: the mode it is made with; LOOKUP, LINK: the mode that
 *           was seen. So it can be told later what was made by a change whose
 *           answer did not say it: arg[2] is 0 until then, and list[0] is what
 *           it may have made a first time, before a loss of power. Locks: the
 *           host, and LOCK_DOUBT: the session may not be the same all the while
 * @res:     UNLOCK that was not answered: when the file was closed
 * @dropped: it tells nothing
 */
struct rec {
	u64 call;
	u64 ret; /* 0: not answered yet */
	u64 arg[4];
	u64 res;
	u32 list[LOG_LEN];
	u32 nlist;
	s32 err;
	u16 kind;
	u16 tag;
	u8 model;
	u8 obj;
	bool dropped;
};

/**
 * struct loss - the origin's host lost power
 * @call: before its process was killed
 * @ret:  what is left was read; it has not started again yet
 * @end:  no satellite has a lease of before any more. Until here some serve
 *        what was cached before, and others read what was left: nobody
 *        promises an order, so what was only looked at tells nothing
 */
struct loss {
	u64 call;
	u64 ret;
	u64 end;
};

struct left;

struct proc {
	u32 n;
	u32 rnd;
	char name[24];
	struct rec v[RECS];
};

/** struct hist - shared by all */
struct hist {
	u64 stamp;
	u64 value; /* last value or id that was written */
	bool stop;
	u32 broken; /* things that no model is needed for to be wrong */
	u32 tag;
	bool blocks; /* a register is one block, which a disk writes at once */
	bool memory; /* there may be none, which is no reason to complain */
	u32 nlosses;
	struct loss losses[LOSSES];
	struct proc procs[PROCS];
};

/** struct me - a process */
struct me {
	struct hist *h;
	struct proc *p;
	u32 client;
	const char *mnt; /* readers and users */
	const char *sys; /* what the kernel says of the mount; NULL: lock nothing */
	u32 host;
	const char *netns; /* writers */
};

/** me_rnd() - a random number below @n */
u32 me_rnd(struct me *me, u32 n);

/** hist_stamp() - the moment, later than every one before */
u64 hist_stamp(struct hist *h);

/** hist_tag() - for the next name that is made; a mode */
u32 hist_tag(struct hist *h);

/** hist_id() - of a file or directory, from what stat(2) or a listing says */
u32 hist_id(u64 ino, bool is_dir);

/** rec_call() - an operation begins; NULL: no room, or told to stop */
struct rec *rec_call(struct me *me, enum hist_model m, u16 kind, u8 obj);

/** rec_last() - the same, after the end as well */
struct rec *rec_last(struct me *me, enum hist_model m, u16 kind, u8 obj);

/** rec_ret() - it was answered; @err as lin_op has it */
void rec_ret(struct me *me, struct rec *r, s32 err);

/**
 * excused() - may a call fail like this?
 * @me:  who made it
 * @err: errno; 0 is none
 *
 * What it says is dropped then, or nobody knows whether it was done.
 */
bool excused(const struct me *me, int err);

/** broken() - something is wrong whatever the order was */
void broken(struct me *me, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** reader() - a process that reads @me->mnt until it is told to stop */
void reader(struct me *me);

/** writer() - one that changes the export of $ORIGIN from @me->netns */
void writer(struct me *me);

/** user() - a process that changes what is in @me->mnt */
void user(struct me *me);

/** lock_step() - a user gets a lock, uses it, or lets go of it */
void lock_step(struct me *me);

/** lock_end() - he has none any more */
void lock_end(struct me *me);

/**
 * rec_losses() - what is left after a loss of power
 * @me:   who records it
 * @left: of the export, on the disk
 * @loss: call and ret are set
 */
void rec_losses(struct me *me, const struct left *left, struct loss *loss);

/** hist_names() - find out what creates made that did not say it */
void hist_names(struct hist *h);

/** hist_check() - is it linearizable? Return: violations, as TAP comments */
int hist_check(struct hist *h, const char *save);

#endif
