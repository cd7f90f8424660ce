/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations and copies from and to user memory that fail, in gns.ko and in
 * what it calls, nowhere else. For kernels with fault injection and its filter
 * by stack: debug.
 *
 * Lifetime: inject_begin() .. inject_end().
 * Locks: none; one thread.
 */
#ifndef GNS_TEST_INJECT_H
#define GNS_TEST_INJECT_H

#include <stdbool.h>

#include "lib/types.h"

/**
 * inject_begin() - get ready; nothing fails yet
 *
 * gns.ko is loaded, and stays so. The test ends where the kernel can not do it.
 */
void inject_begin(void);

/** inject_begin_load() - the same, in the function by which a module begins */
void inject_begin_load(void);

/** inject_end() - nothing fails any more, and what was set is as before */
void inject_end(void);

/**
 * inject_random() - from here on some fail, whoever it is that asks
 * @one_in: one of so many, about; 0: none
 */
void inject_random(u32 one_in);

/** inject_count() - how many have failed by inject_random() so far */
u64 inject_count(void);

/**
 * inject_nth() - one fails of those in the calling thread
 * @n: which, counted from now on, from 1
 */
void inject_nth(u32 n);

/** inject_over() - none any more; Return: did it come to the one that failed? */
bool inject_over(void);

/**
 * inject_errno() - may a call fail like this for want of memory?
 * @err: errno; 0 is none
 */
bool inject_errno(int err);

#endif
