/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two commands of gns-sim share: running seeds, and hunting mutants.
 */
#ifndef GNS_SIM_CLI_H
#define GNS_SIM_CLI_H

#include "sim.h"

/* main.c */
bool run_one(u64 seed, struct sim_result *r);
void tell_replay(u64 seed);

/* mutants.c */
int mutant_choose(const char *name);
const char *mutant_name(void);
int mutants_run(const char *only, u64 from, u64 seeds);

#endif
