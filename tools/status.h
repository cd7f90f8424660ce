/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel says of its origins and mounts, and how to show it.
 *
 * Lifetime: status_read() .. status_free(); strings are owned.
 */
#ifndef GNS_TOOLS_STATUS_H
#define GNS_TOOLS_STATUS_H

#include <stdio.h>
#include <linux/gns.h>

#include "lib/genl.h"

/**
 * struct status_origin - an origin, and this host's session with it
 * @nr:      the kernel's number
 * @name:    host[:port]
 * @trouble: why it can not be reached; NULL: nothing is known
 * @sid:     session; 0: none
 * @left:    ns until the leases expire
 * @ttl:     ns
 * @leases:  objects held
 * @cached:  objects of which something is kept
 * @pending: calls that were not answered
 * @helper:  process id; 0: there is none
 */
struct status_origin {
	u32 nr;
	char *name;
	char *trouble;
	u64 sid;
	u64 left;
	u64 ttl;
	u64 leases;
	u64 cached;
	u64 pending;
	u32 helper;
};

/**
 * struct status_mount - a mount
 * @nr:     the kernel's number
 * @origin: its origin's
 * @dev:    st_dev
 * @name:   as it was mounted: origin:/export
 * @dirs:   where, in this mount namespace; @ndirs of them
 * @ndirs:  see there
 * @known:  counters that the kernel has; the others are 0
 * @v:      by enum gns_counter
 */
struct status_mount {
	u32 nr;
	u32 origin;
	u32 dev;
	char *name;
	char **dirs;
	size_t ndirs;
	u32 known;
	u64 v[GNS_C_MAX];
};

struct status {
	struct status_origin *origins;
	size_t norigins;
	struct status_mount *mounts;
	size_t nmounts;
};

/**
 * status_read() - ask the kernel, and /proc/self/mountinfo for directories
 * @g: the socket
 * @s: filled; freed by status_free() in every case
 *
 * Return: 0; a negative errno, gns_genl_why() knows more.
 */
int status_read(struct gns_genl *g, struct status *s);

void status_free(struct status *s);

/**
 * status_pick() - keep only what somebody asked for
 * @s:    the status
 * @what: a directory, a source, a mount's number, or an origin
 *
 * A mount is kept with its origin, an origin with its mounts.
 * Return: false: there is no such thing, and all is as it was.
 */
bool status_pick(struct status *s, const char *what);

/** status_is() - is @what this mount: a directory, its source, its number? */
bool status_is(const struct status_mount *m, const char *what);

/** status_miss() - bytes that came from the origin; status_hit(): the others */
u64 status_miss(const struct status_mount *m);
u64 status_hit(const struct status_mount *m);

/** status_session() - "live", "expired" or "none" */
const char *status_session(const struct status_origin *o);

/** status_counter() - name of a counter, in lower case */
const char *status_counter(u32 counter);

/** status_text() - for people */
void status_text(const struct status *s, FILE *to);

/** status_json() - for programs, a line; Return: 0; -1 without memory */
int status_json(const struct status *s, FILE *to);

#endif
