/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users with groups, and what they may do: for tests of access control lists.
 *
 * Locks: none; credentials are those of the thread.
 */
#ifndef GNS_TEST_LISTS_H
#define GNS_TEST_LISTS_H

#include <sys/types.h>

#include "lib/types.h"

#define WHO_GROUPS 2

struct who {
	uid_t uid;
	gid_t gid;
	gid_t groups[WHO_GROUPS];
	unsigned int ngroups;
};

/** who_be() - this thread acts as @w from here on; NULL: as root */
void who_be(const struct who *w);

/** may() - can @path be opened with @flags now? 0, or an errno */
int may(const char *path, int flags);

/** may_cached() - the same of a name in a directory, looked up without waiting */
int may_cached(int dir, const char *name);

#endif
