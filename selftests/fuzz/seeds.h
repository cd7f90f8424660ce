/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What writes the corpus; see seeds.c.
 */
#ifndef GNS_FUZZ_SEEDS_H
#define GNS_FUZZ_SEEDS_H

#include "fuzz.h"

/* seeds.c: a file of the corpus of @target, unless there is one. */
void seed_save(const char *target, const char *name, const void *p, size_t n);

/* seeds_media.c: those of fuzz_media.c. */
void seed_media(void);

/* seeds_runs.c: those of fuzz_origin.c. */
void seed_runs(void);

#endif
