/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Local trees as the origin's backend.
 *
 * Objects are named by the kernel's file handles, so a name that moves takes
 * nothing along: what a satellite holds is the object. A handle carries the
 * number of its export and a keyed checksum, so no satellite can make up one
 * for a file that it was never shown.
 *
 * What is asked runs with the caller's uid, gid and groups after squashing;
 * two things differ from a local open file, for there is none: the owner of a
 * file may read and write it whatever its mode says, and who may execute may
 * read. Filesystems mounted inside of an export are not part of it: their
 * names answer EXDEV.
 *
 * A file that is moved out of the export, on the same filesystem, by somebody
 * on the host stays reachable for those who hold its handle.
 *
 * Lifetime: gns_posix_create() .. gns_posix_destroy(); the loop has to run
 * once more after the destroy before it may be closed itself. Bulks given out
 * may be released later.
 * Locks: all calls and callbacks on the loop's thread; what can block is done
 * by the loop's worker threads.
 */
#ifndef GNS_ORIGIN_POSIX_H
#define GNS_ORIGIN_POSIX_H

#include <uv.h>

#include "origin/fs.h"

#define GNS_POSIX_KEY_LEN 16u

enum gns_squash {
	GNS_SQUASH_NONE, /* everybody is who they say they are */
	GNS_SQUASH_ROOT, /* uid 0 and gid 0 become the anonymous ones */
	GNS_SQUASH_ALL, /* everybody is anonymous */
};

/**
 * struct gns_posix_config - what the daemon decides
 * @key:         random and kept: with another one all handles are stale
 * @max_objects: objects with open descriptors, each has up to 3; 0: 1024.
 *               Lowered when RLIMIT_NOFILE has no room for them
 * @per_object:  operations of one object in worker threads; 0: 8
 * @max_pipes:   pipes for large reads; 0: 64
 * @max_mapped:  bytes of files mapped to send from; 0: an eighth of the memory
 *               there is, and at most 4 GiB. It is page cache, counted as
 *               the process's own (RssFile)
 */
struct gns_posix_config {
	u8 key[GNS_POSIX_KEY_LEN];
	u32 max_objects;
	u32 per_object;
	u32 max_pipes;
	u64 max_mapped;
};

/**
 * struct gns_posix_export - one exported tree
 * @name:      what satellites ask for
 * @path:      absolute, of a directory
 * @read_only: changes answer EROFS
 * @squash:    enum gns_squash
 * @anon_uid:  of who is squashed
 * @anon_gid:  same
 */
struct gns_posix_export {
	const char *name;
	const char *path;
	bool read_only;
	enum gns_squash squash;
	u32 anon_uid;
	u32 anon_gid;
};

/** struct gns_posix_stats - counters since the start, and a level */
struct gns_posix_stats {
	u64 inline_ops; /* answered without a worker thread */
	u64 worker_ops;
	u64 splice_bytes;
	u64 copy_bytes;
	u64 mapped_bytes;
	u64 objects; /* level: in the cache of descriptors */
};

/**
 * gns_posix_create() - a backend without exports
 * @loop: where callbacks run; its thread pool does the slow work
 * @cfg:  copied
 *
 * Sets the process's umask to 0: modes of new files come from satellites,
 * whose own umask has been applied.
 *
 * Return: the backend; NULL with errno set.
 */
struct gns_fs *gns_posix_create(uv_loop_t *loop,
				const struct gns_posix_config *cfg);

/**
 * gns_posix_export() - add a tree
 * @fs:   the backend
 * @ex:   copied
 * @err:  set to what is wrong, and what to do, when it fails
 * @size: bytes of @err
 *
 * Blocks. Needs CAP_DAC_READ_SEARCH and a filesystem with file handles. Exports
 * of one filesystem may show the same files: they are the same objects then, see
 * split() in fs.h.
 *
 * Return: 0; a negative errno.
 */
int gns_posix_export(struct gns_fs *fs, const struct gns_posix_export *ex,
		     char *err, size_t size);

/**
 * gns_posix_destroy() - stop
 * @fs: gone after the call; NULL is harmless
 *
 * Waits for what runs in worker threads. No done() is called from here on,
 * and no operation is looked at any more.
 */
void gns_posix_destroy(struct gns_fs *fs);

/** gns_posix_stats() - copy the counters */
void gns_posix_stats(struct gns_fs *fs, struct gns_posix_stats *stats);

#endif
