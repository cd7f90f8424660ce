/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment of a real process: the host's clocks, and timers on a libuv
 * loop.
 *
 * Why libuv: it is in Debian and Ubuntu, and carries the network of Node.js
 * and BIND on every kind of machine. It gives what a daemon needs around its
 * sockets (signals, a thread pool, wake-ups from threads, name resolution),
 * and polls plain descriptors, so that sendmsg(2), splice(2) and the buffers
 * stay in our own hands.
 *
 * Why not its timers: they count CLOCK_MONOTONIC, which stands still while the
 * host is suspended. Deadlines of gns count CLOCK_BOOTTIME. One timerfd on
 * that clock sits behind a heap of all timers, and a deadline that passed
 * during a suspend fires as soon as the host is awake.
 *
 * Lifetime: gns_loop_create() .. gns_loop_destroy(); the libuv loop has to run
 * once more after the destroy before it may be closed itself.
 * Locks: none; all on the loop's thread.
 */
#ifndef GNS_LIB_LOOP_H
#define GNS_LIB_LOOP_H

#include <uv.h>

#include "lib/env.h"

/**
 * gns_loop_create() - an environment on a libuv loop
 * @uv: the loop, kept longer than the environment
 *
 * Its timers alone do not keep uv_run() going.
 *
 * Return: the environment; NULL with errno set.
 */
struct gns_env *gns_loop_create(uv_loop_t *uv);

/**
 * gns_loop_destroy() - end it; timers still armed never fire
 * @env: gone after the call; NULL is harmless
 */
void gns_loop_destroy(struct gns_env *env);

/**
 * gns_random_bytes() - fill with cryptographic randomness, or abort
 * @p:   where to
 * @len: how many
 */
void gns_random_bytes(void *p, size_t len);

#endif
