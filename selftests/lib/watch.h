/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thing that changes from state to state, one after the other, and those who
 * look at it: what they see is never older than the newest state that was
 * acknowledged when they began, and never newer than the newest one that was
 * asked for when they ended.
 *
 * Locks: none; one thread changes, any thread looks.
 */
#ifndef GNS_TEST_WATCH_H
#define GNS_TEST_WATCH_H

#include <stdatomic.h>

#include "change.h"
#include "lib/types.h"

/**
 * struct watch - such a thing
 * @name:    file or directory, below the export
 * @asked:   newest state that was asked for
 * @acked:   newest state that was acknowledged
 * @looks:   how often somebody looked
 */
struct watch {
	const char *name;
	_Atomic u32 asked;
	_Atomic u32 acked;
	_Atomic u64 looks;
};

/** watch_begin() - a state is about to be asked for; Return: its number */
static inline u32 watch_begin(struct watch *w)
{
	return atomic_fetch_add(&w->asked, 1) + 1;
}

/** watch_end() - it is acknowledged; the test ends when @status is not 0 */
void watch_end(struct watch *w, u32 state, u32 status);

/** watch_look() - somebody begins to look; Return: the oldest state allowed */
static inline u32 watch_look(struct watch *w)
{
	return atomic_load(&w->acked);
}

/**
 * watch_seen() - what it was
 * @w:      the thing
 * @oldest: from watch_look()
 * @state:  as seen
 * @how:    by what, and where, for people
 */
void watch_seen(struct watch *w, u32 oldest, s64 state, const char *how);

#endif
