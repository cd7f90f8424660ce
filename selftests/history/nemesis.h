/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who breaks things: links, processes, hosts, clocks, power. Every fault has a
 * beginning and an end, and some come in the middle of another.
 *
 * Locks: none; one thread.
 */
#ifndef GNS_HISTORY_NEMESIS_H
#define GNS_HISTORY_NEMESIS_H

#include "hist.h"

/**
 * struct nemesis - what may break
 * @me:     records what was lost; its own process's
 * @rnd:    state of the random numbers, the seed at first
 * @hosts:  satellites
 * @nhosts: how many
 * @link:   of host i as it is when all is well, words for tc
 * @ttl_ms: time to live of a session
 * @kinds:  bits 1 << enum fault
 * @beside: the origin is in the machine beside (lib/beside.sh)
 */
struct nemesis {
	struct me me;
	u64 rnd;
	const char *const *hosts;
	u32 nhosts;
	const char *const *link;
	u32 ttl_ms;
	u32 kinds;
	bool beside;
	/* private: its own */
	u32 deck[16];
	u32 ndeck;
	s64 clock;
	u64 changes_at; /* ns of BOOTTIME: the origin's grace time is over */
};

enum fault {
	F_CUT, /* one satellite, or the origin; one direction, or both */
	F_DELAY,
	F_LOSSY,
	F_RESET, /* connections */
	F_HELPER_KILLED,
	F_HELPER_HANGS,
	F_CACHES,
	F_DROP,
	F_CLOCK,
	F_ORIGIN_KILLED,
	F_ORIGIN_HANGS,
	F_POWER,
	F_MEMORY, /* allocations and copies fail in gns.ko */
	F_MAX,
};

#define FAULTS_SATELLITE ((1u << F_ORIGIN_KILLED) - 1)
#define FAULTS_ORIGIN (1u << F_ORIGIN_KILLED | 1u << F_ORIGIN_HANGS)
#define FAULTS_POWER (1u << F_POWER)
#define FAULTS_MEMORY (1u << F_MEMORY)

/** nemesis_rnd() - a random number below @n */
u32 nemesis_rnd(struct nemesis *m, u32 n);

/** nemesis_begin() - the cluster is there */
void nemesis_begin(struct nemesis *m);

/** nemesis_fault() - something breaks, and is mended */
void nemesis_fault(struct nemesis *m);

/** nemesis_end() - what outlives the test is as before */
void nemesis_end(struct nemesis *m);

#endif
