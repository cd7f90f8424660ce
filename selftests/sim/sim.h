/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A world in one process: virtual time, an origin, satellites with their
 * kernels, a network, disks, and faults, all from one seed.
 *
 * The origin and the satellite library are the real code; the rest is made
 * here. Everything that happens is an event in one heap, so a seed replays
 * exactly.
 *
 * Lifetime: an event belongs to a life (of a process or a host). When that
 * ends, its events do not run any more. Locks: none.
 */
#ifndef GNS_SIM_H
#define GNS_SIM_H

#include <stdio.h>

#include "lib/env.h"
#include "lib/mutant.h"
#include "origin/origin.h"
#include "satellite/satellite.h"

#define SIM_SATS 3
#define US 1000ull
#define MS NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

struct sim;

/** struct life - a process or host that may die; ended by counting up */
struct life {
	u64 count;
	struct host *host;
};

/** struct host - a machine: its clocks, and whether it stands still */
struct host {
	struct sim *sim;
	const char *name;
	u64 base; /* global time at which boot was base_boot */
	u64 base_boot;
	u64 ppm; /* speed: 1,000,000 is right, 0 stands still */
	u64 ppm_running;
	s64 real_offset; /* CLOCK_REALTIME - global time */
};

/** struct penv - the environment of one process on a host */
struct penv {
	struct gns_env env;
	struct host *host;
	struct life *life;
};

struct event {
	u64 at;
	u64 seq;
	void (*fn)(void *arg);
	void *arg;
	bool own; /* arg is freed when the event does not run */
	struct life *life;
	u64 born; /* life->count */
	struct gns_timer *timer;
	struct penv *penv;
	u32 pos;
};

/** struct sim_opts - what a run is */
struct sim_opts {
	u64 seed;
	u64 duration; /* ns of virtual time */
	u32 intensity; /* faults per second of each kind, roughly */
	bool story;
	bool still; /* clocks may stand still */
};

enum fault {
	F_DELAY,
	F_DROP,
	F_DUP,
	F_RESET,
	F_CUT,
	F_HELPER,
	F_SATHOST,
	F_ORIGIN,
	F_POWER,
	F_DRIFT,
	F_STEP,
	F_STILL,
	F_TTL,
	F_CLONE,
	F_MAX,
};

struct sim {
	struct sim_opts opts;
	u64 now;
	u64 seq;
	u64 rng;
	struct event **heap;
	u32 nheap, heap_cap;
	struct net *net;
	struct simfs *fs;
	struct simdb *db;
	struct orig *orig;
	struct kmodel *kern[SIM_SATS];
	struct history *hist;
	struct seen *seen;
	u64 faults[F_MAX];
	u64 nfaults;
	u64 quiet_from; /* no faults from here on */
	u64 long_delays; /* per million of the delays */
	u32 weight[16]; /* of each kind of act, from the seed */
	struct life era; /* of a planned beginning of the record */
	const char *failed; /* the first violation */
	char why[512];
	FILE *story; /* NULL: not told */
	FILE *proof; /* what the checker has to say; told last */
	char *proof_text;
	size_t proof_len;
};

extern const char *const fault_names[F_MAX];

/* world.c */
u64 sim_rand(struct sim *s);
u64 sim_below(struct sim *s, u64 n);
bool sim_chance(struct sim *s, u64 per_million);
struct event *sim_at(struct sim *s, u64 at, struct life *life,
		     void (*fn)(void *arg), void *arg, bool own);
struct event *sim_in(struct sim *s, u64 delay, struct life *life,
		     void (*fn)(void *arg), void *arg, bool own);
void sim_cancel(struct sim *s, struct event *ev);
bool sim_step(struct sim *s);
void sim_drop_events(struct sim *s);
void sim_fail(struct sim *s, const char *kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sim_fault(struct sim *s, enum fault f);
u64 host_boottime(const struct host *h);
u64 host_realtime(const struct host *h);
void host_speed(struct host *h, u64 ppm);
void host_reboot(struct host *h);
void penv_init(struct penv *p, struct host *host, struct life *life);

/* Who tells: a column of the story. */
enum column {
	W_SAT,
	W_ORIGIN,
	W_WORLD,
};

void story(struct sim *s, enum column col, int nr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* net.c */
struct net *net_new(struct sim *s);
void net_free(struct net *n);
struct gns_connector *net_connector(struct net *n, u32 sat, struct life *life);
void net_cut(struct net *n, u32 sat, bool to_origin, bool to_sat);
void net_heal(struct net *n, u32 sat, bool reset);
void net_reset_one(struct net *n, u32 sat);
void net_stranger(struct net *n, u32 sat, const struct gns_msg *msg);

/* simfs.c: see there for the tree that it starts with. */
#define FS_REGS 3
#define FS_LOGS 2
#define FS_DIRS 2
#define FS_NAMES 4
#define FS_BLOCK 64

struct simfs *simfs_new(struct sim *s, struct host *host);
void simfs_free(struct simfs *fs);
struct gns_fs *simfs_gns(struct simfs *fs);
void simfs_crash(struct simfs *fs, bool power);
struct gns_fh simfs_fh(u32 ino, u32 view);
u32 simfs_view(const struct gns_fh *fh);
u64 simfs_applied(struct simfs *fs, u32 ino);
u64 simfs_durable(struct simfs *fs, u32 ino);
u32 simfs_data(struct simfs *fs, u32 ino, const u8 **data);
void simfs_dir(struct simfs *fs, u32 ino, u32 *ids);
u32 simfs_made(struct simfs *fs, u32 serial);
u32 simfs_fh_ino(const struct gns_fh *fh);
bool simfs_exists(const struct simfs *fs, u32 ino);
bool simfs_is_orphan(const struct simfs *fs, u32 ino);
u32 simfs_orphans(const struct simfs *fs);
u64 simfs_attr_state(const struct gns_attr *a);

/* Inode numbers of what is there from the start. */
#define INO_ROOT 1
#define INO_REG(i) (2 + (i))
#define INO_LOG(i) (2 + FS_REGS + (i))
#define INO_DIR(i) (2 + FS_REGS + FS_LOGS + (i))
#define INO_FREE (2 + FS_REGS + FS_LOGS + FS_DIRS)

/* simdb.c */
struct simdb *simdb_new(struct sim *s);
void simdb_free(struct simdb *db);
struct gns_db *simdb_gns(struct simdb *db);
void simdb_crash(struct simdb *db, bool power);

/* orig.c: the origin's process */
struct orig {
	struct sim *sim;
	struct host host;
	struct life life;
	struct penv env;
	struct gns_origin *o;
	struct gns_origin_config cfg;
	u64 started; /* by the host's boot clock */
	bool up;
};

struct orig *orig_new(struct sim *s);
void orig_free(struct orig *o);
void orig_start(void *arg);
void orig_crash(struct orig *o, bool power);

/* history.c */
struct history *history_new(struct sim *s);
void history_free(struct history *h);
unsigned long long history_now(const struct history *h);
void history_era_end(struct history *h);
void history_era_begin(void *arg);
u64 history_ops(const struct history *h);
bool history_check(struct history *h);

/* nemesis.c */
void nemesis_start(struct sim *s);

/* oracle.c */
void oracle_apply(struct sim *s, const struct gns_msg *req,
		  const struct gns_fh *child);

/* seen.c */
void seen_answer(struct sim *s, const struct gns_msg *rep);
void seen_free(struct sim *s);

/* locks.c */
void locks_applied(struct sim *s, u32 ino, u32 serial);

void oracle_locks(struct sim *s, u32 ino);

/* ranges.c */
bool ranges_seed(const struct sim *s);
void oracle_ranges(struct sim *s, u32 ino);

/* files.c: open files */
bool files_seed(const struct sim *s);
void files_gone(struct sim *s, u32 ino);
void files_origin_died(struct sim *s);
void files_start(struct sim *s);

/* verdict.c */
void verdict_tell(struct sim *s);

/**
 * struct sim_result - what runs came to
 * @faults: of all runs so far, by kind
 * @nfaults: their sum
 * @ops:    calls recorded, of all runs so far
 * @why:    the violation of the last run
 * @unsure: it is none that was proven: the checker gave up, or the record is
 *          no record
 */
struct sim_result {
	u64 faults[F_MAX];
	u64 nfaults;
	u64 ops;
	char why[600];
	bool unsure;
};

/* run.c: returns false after a violation. */
bool sim_run(const struct sim_opts *opts, struct sim_result *r);

#endif
