/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One directory as two hosts and the origin see it, by every call that looks:
 * stat, access, readdir, open and read, readlink, getxattr, for names that are
 * there and for names that are not.
 *
 * Locks: none; one thread.
 */
#ifndef GNS_TEST_VIEW_H
#define GNS_TEST_VIEW_H

#include <stddef.h>

enum place {
	PLACE_A,
	PLACE_B,
	PLACE_ORIGIN,
	PLACES,
};

/** struct view - what one place shows: a line for each thing looked at */
struct view {
	char text[32768];
	size_t len;
};

#define VIEW_NAMES 21

/** view_names - what is looked at; most of it is not there most of the time */
extern const char *const view_names[VIEW_NAMES];

/**
 * view_only() - from here on look at these names alone
 * @names: they, owned by the caller; NULL: all of view_names again
 * @n:     how many
 */
void view_only(const char *const *names, size_t n);

/** view_top - the directory, by place */
extern char view_top[PLACES][256];

/** actor - where changes are made */
extern enum place actor;

/** at() - path of a name where changes are made */
const char *at(const char *name);

/** at_place() - path of a name on a host, or at the origin; as at() */
const char *at_place(enum place p, const char *name);

/** view_begin() - the cluster, mounts on a and b, an empty directory */
void view_begin(void);

/** view() - as of now; in a static buffer, one for each place */
struct view *view(enum place p);

/**
 * view_compare() - do both hosts see what the origin has?
 * @call: what was done before, for tap_bad()
 */
void view_compare(const char *call);

#endif
