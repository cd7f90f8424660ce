/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that each make one call on the mount of host a, of every kind that
 * may wait for the origin.
 *
 * Lifetime: waiters_start() .. waiters_end(). Locks: none; one thread.
 */
#ifndef GNS_TEST_WAITER_H
#define GNS_TEST_WAITER_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct waiter - one of them
 * @name:  the call
 * @call:  makes it: 0, or -1 with errno set
 * @fault: a page fault, which has no errno: what fails is SIGBUS
 * @pid:   its process
 * @ended: it was waited for
 * @status: of wait(2)
 */
struct waiter {
	const char *name;
	int (*call)(void);
	bool fault;
	pid_t pid;
	bool ended;
	int status;
};

extern struct waiter waiters[];
extern const unsigned int nwaiters;

/** waiters_prepare() - make what they look at; before the export is mounted */
void waiters_prepare(void);

/** waiters_warm() - cache what some of them take from the cache */
void waiters_warm(void);

/** waiters_start() - all of them begin, each in its process */
void waiters_start(void);

/** waiters_left() - how many have not ended; says by tap_bad() who has */
unsigned int waiters_left(bool complain);

/**
 * waiter_join() - wait until one has ended
 * @w:  it
 * @ms: how long at most
 *
 * Return: has it?
 */
bool waiter_join(struct waiter *w, unsigned int ms);

#endif
