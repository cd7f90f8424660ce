/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One try to mount, by the system calls that have a log: what the kernel has to
 * say about a failure is read back from there.
 */
#ifndef GNS_TOOLS_MOUNT_FS_H
#define GNS_TOOLS_MOUNT_FS_H

#include <stdbool.h>

#include "mount_opts.h"

/** struct mount_job - what is to be mounted where; nothing is owned */
struct mount_job {
	const char *source;
	const char *dir; /* absolute */
	const struct mount_opts *opts;
	bool sloppy; /* options that the filesystem does not know are left out */
	bool verbose;
};

/** enum mount_step - where a try ended */
enum mount_step {
	MOUNT_DONE,
	MOUNT_DIR, /* looking at the directory */
	MOUNT_OPEN, /* asking for the filesystem */
	MOUNT_OPTION, /* telling it an option */
	MOUNT_CREATE, /* its answer: origin, helper */
	MOUNT_ATTACH, /* putting it in place */
};

#define MOUNT_LOG_SIZE 4096

/**
 * struct mount_result - how a try ended
 * @step: where
 * @err:  errno; 0: mounted
 * @what: the option or call that failed
 * @log:  the kernel's messages, a line each, as it said them, without the
 *        letter of their kind; what only informs is there when verbose
 */
struct mount_result {
	enum mount_step step;
	int err;
	char what[128];
	char log[MOUNT_LOG_SIZE];
};

/** mount_fs_new() - try to mount; Return: r->err */
int mount_fs_new(const struct mount_job *job, struct mount_result *r);

/** mount_fs_remount() - change what is mounted at the job's directory */
int mount_fs_remount(const struct mount_job *job, struct mount_result *r);

/**
 * mount_fs_tell() - one option, and nothing else, of what is mounted
 * @dir:   where
 * @key:   the option
 * @value: of it
 * @r:     set
 *
 * Return: r->err
 */
int mount_fs_tell(const char *dir, const char *key, const char *value,
		  struct mount_result *r);

#endif
