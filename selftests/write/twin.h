/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same calls on two trees: a local one, and one on a mount of gns. Each
 * call has to give the same result on both, and the trees have to look alike
 * after it, whatever was cached of them before. What differs is said by
 * tap_bad().
 *
 * Locks: none; one thread.
 */
#ifndef GNS_TEST_TWIN_H
#define GNS_TEST_TWIN_H

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

/* For SAME(): whatever the local one gives. */
#define ANY (-1)

/* Somebody without rights, and a group that he is not in. */
#define USER 1000
#define OTHER 1001
#define GROUP 2000

enum twin_side {
	TWIN_LOCAL,
	TWIN_GNS,
	TWIN_SIDES,
};

/** twin_side - on which tree at() is now */
extern enum twin_side twin_side;

/** at() - path of @name on the tree that is in turn; "": the tree itself */
const char *at(const char *name);

/** twin_begin() - make both trees, empty; until twin_mount() gns's is that of
 * the origin itself. Host a is there, but nothing runs.
 */
void twin_begin(void);

/** twin_mount() - from here on gns's tree is that on the mount of host a */
void twin_mount(void);

/**
 * twin_become() - go on as another user
 * @uid: as whom; its group has the same number, and there are no others
 *
 * Only the effective ids: 0 goes back to be root.
 */
void twin_become(uid_t uid);

/**
 * twin_took() - what a call gave on one tree
 * @err:  0 or an errno
 * @want: what it should have been, or ANY
 * @call: for people
 */
void twin_took(int err, int want, const char *call);

/** twin_tree() - compare the trees; @call: what was done before */
void twin_tree(const char *call);

/**
 * twin_stat() - compare one name of both trees
 * @name:  of it
 * @times: atime and mtime as well
 */
void twin_stat(const char *name, bool times);

/* A call on both trees, as @uid; QUIET: without a look at all of them. */
#define QUIET_AS(uid, want, call) \
	do { \
		for (twin_side = 0; twin_side < TWIN_SIDES; twin_side++) { \
			twin_become(uid); \
			errno = 0; \
			long ret_ = (call); \
			int err_ = ret_ < 0 ? errno : 0; \
\
			twin_become(0); \
			twin_took(err_, want, #call); \
		} \
	} while (0)

#define QUIET(want, call) QUIET_AS(0, want, call)

#define SAME_AS(uid, want, call) \
	do { \
		QUIET_AS(uid, want, call); \
		twin_tree(#call); \
	} while (0)

#define SAME(want, call) SAME_AS(0, want, call)

/** put() - open with @flags, write @text if it is not NULL, close; 0 or -1 */
int put(const char *path, int flags, mode_t mode, const char *text);

#endif
