/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a test program asks of the cluster that it runs in (cluster.sh), and of
 * the mounts there.
 *
 * Locks: its own; any thread may call it.
 */
#ifndef GNS_TEST_LAB_H
#define GNS_TEST_LAB_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/types.h"

/** typedef lab_fn - what a thread of a test runs */
typedef void *(*lab_fn)(void *arg);

/**
 * lab() - have cluster.sh do something; the test ends when it fails
 * @fmt: a command of bash, as printf
 */
void lab(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** lab_try() - the same; Return: its exit status */
int lab_try(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * lab_leave() - this process never asks; after fork()
 *
 * The lab waits until nobody can: else a child that hangs would be in the way
 * when the test gives up.
 */
void lab_leave(void);

/** lab_env() - a variable that cluster.sh sets; the test ends without it */
const char *lab_env(const char *name);

/** lab_pid() - process of a host's helper, as of now */
pid_t lab_pid(const char *host);

/** lab_forget() - nothing stays in this guest's caches that is not in use */
void lab_forget(void);

/** lab_now() - ns of BOOTTIME */
u64 lab_now(void);

/** lab_ms() - milliseconds of BOOTTIME since @begin, which is in ns */
u64 lab_ms(u64 begin);

/** lab_sleep() - milliseconds */
void lab_sleep(unsigned int ms);

/**
 * lab_slow() - a duration on this kernel
 * @n: on a quick one
 *
 * Return: @n, or several times that with all of the kernel's debugging.
 */
unsigned int lab_slow(unsigned int n);

/** lab_is_slow() - has this kernel all of its debugging? */
bool lab_is_slow(void);

/** lab_thread() - start a thread; the test ends when it does not start */
pthread_t lab_thread(lab_fn fn, void *arg);

/**
 * lab_join() - wait for a thread
 * @t:  it
 * @ms: how long
 *
 * Return: did it end?
 */
bool lab_join(pthread_t t, unsigned int ms);

/**
 * lab_path() - a path in a static buffer, one of many in turn
 * @dir:  above
 * @name: below
 */
const char *lab_path(const char *dir, const char *name);

/** lab_open() - open(2) for reading; the test ends when it fails */
int lab_open(const char *path);

#endif
