/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One tree seen twice: as the origin has it, and through the mount. What
 * differs is said by tap_bad().
 *
 * Names are relative to both. Locks: none.
 */
#ifndef GNS_TEST_BOTH_H
#define GNS_TEST_BOTH_H

#include "lib/types.h"

/** here() - path of @name at the origin; there() - on the mount of host a */
const char *here(const char *name);
const char *there(const char *name);

/** both_stat() - every field of statx(2), but atime; links not followed */
void both_stat(const char *name);

/** both_link() - the targets of a symbolic link */
void both_link(const char *name);

/** both_bytes() - the whole content */
void both_bytes(const char *name);

/** both_tree() - all of that for a directory and everything below it */
unsigned int both_tree(const char *name);

/** make_file() - a file of @len bytes, each 8 of them different */
void make_file(const char *name, u64 len);

/** must() - the test ends when @ret, of a system call, is negative */
long must(long ret, const char *what);

/**
 * refused() - has a call failed as it should have?
 * @ret:  of the call
 * @err:  errno that it should have
 * @what: the call
 */
void refused(long ret, int err, const char *what);

#endif
