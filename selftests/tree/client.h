/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A satellite in a process of its own, without a kernel behind it: it leases,
 * releases whatever it is asked for, and caches nothing.
 *
 * Lifetime: client_open() .. client_close(). Locks: none; one thread, the one
 * that runs the loop.
 */
#ifndef GNS_TREE_CLIENT_H
#define GNS_TREE_CLIENT_H

#include <uv.h>

#include "satellite/satellite.h"

struct client;

/** typedef client_fn - an answer: its message lives during the call */
typedef void (*client_fn)(void *arg, const struct gns_msg *rep);

/**
 * client_open() - connect and wait for a session
 * @addr:  host:port
 * @conns: connections; 0: the library's default
 *
 * Return: the client; NULL when there is no session within 10 s.
 */
struct client *client_open(const char *addr, u32 conns);

/** client_close() - end it; unanswered requests are forgotten */
void client_close(struct client *c);

/**
 * client_ask() - send a request
 * @c:   the client
 * @msg: copied
 * @fn:  called once with the answer
 * @arg: handed to @fn
 */
void client_ask(struct client *c, const struct gns_msg *msg, client_fn fn,
		void *arg);

/** client_step() - run the loop once, if something is asked */
void client_step(struct client *c);

/** client_call() - ask and wait; Return: the status, with *rep filled */
u32 client_call(struct client *c, const struct gns_msg *msg,
		struct gns_msg *rep);

/**
 * client_input() - run the loop for a moment
 * @c:  the client
 * @fd: to be looked at meanwhile
 *
 * Return: is there something to read on @fd?
 */
bool client_input(struct client *c, int fd);

/** client_sat() - its satellite */
struct gns_sat *client_sat(struct client *c);

/** client_turn() - run the loop once, whatever is asked */
void client_turn(struct client *c);

/** client_pending() - requests that have no answer yet */
u32 client_pending(const struct client *c);

/** die() - print what is wrong, as TAP wants it, and exit */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
