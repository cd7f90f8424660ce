/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes of an export through the protocol, made by a satellite of its own
 * that has no kernel behind it and caches nothing.
 *
 * Lifetime: changer_open() .. changer_close().
 * Locks: its own; any thread may call it, one change is made at a time. The
 * satellite has a thread of its own, which keeps its session.
 */
#ifndef GNS_TEST_CHANGE_H
#define GNS_TEST_CHANGE_H

#include "lib/types.h"

struct changer;

/**
 * changer_open() - a session with an origin
 * @netns:  path of the network namespace to connect from; NULL: the caller's
 * @addr:   host:port
 * @export: its name
 *
 * The test ends when there is no session.
 */
struct changer *changer_open(const char *netns, const char *addr,
			     const char *export);

void changer_close(struct changer *c);

/*
 * Each returns when the origin has acknowledged the change: 0, or its status
 * (an errno, positive, or one of the wire's). Paths are below the export.
 */

/** change_write() - bytes into a file, at most 1 MiB */
u32 change_write(struct changer *c, const char *path, u64 off,
		 const void *data, u32 len);

/** change_size() - truncate or extend a file */
u32 change_size(struct changer *c, const char *path, u64 size);

/** change_mode() - permissions */
u32 change_mode(struct changer *c, const char *path, u32 mode);

/** change_create() - an empty file; one that exists is emptied */
u32 change_create(struct changer *c, const char *path, u32 mode);

u32 change_mkdir(struct changer *c, const char *path, u32 mode);
u32 change_unlink(struct changer *c, const char *path);
u32 change_rmdir(struct changer *c, const char *path);

/** change_rename() - what has the name @to is replaced */
u32 change_rename(struct changer *c, const char *path, const char *to);

/** change_when() - ns of BOOTTIME at which the last one was acknowledged */
u64 change_when(const struct changer *c);

#endif
