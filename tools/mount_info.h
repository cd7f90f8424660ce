/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gns mounts of this mount namespace, as /proc/self/mountinfo has them.
 */
#ifndef GNS_TOOLS_MOUNT_INFO_H
#define GNS_TOOLS_MOUNT_INFO_H

#include <stdbool.h>

#include "lib/types.h"

/** struct mount_entry - one of them; strings are the reader's */
struct mount_entry {
	const char *dir;
	const char *source;
	const char *options; /* of the filesystem, with commas */
	unsigned int major; /* st_dev */
	unsigned int minor;
};

/**
 * mount_info_line() - read one line
 * @line: of mountinfo; taken apart in place, and @e points into it
 * @e:    filled
 *
 * Return: true if it is a line of a gns mount.
 */
bool mount_info_line(char *line, struct mount_entry *e);

/**
 * mount_info_each() - call a function for each gns mount, oldest first
 * @see: returns true to go on
 * @ctx: passed through
 *
 * Return: 0; -1 with errno when the list can not be read.
 */
int mount_info_each(bool (*see)(const struct mount_entry *e, void *ctx),
		    void *ctx);

/**
 * mount_info_has() - is it mounted there?
 * @source: NULL: any
 * @dir:    absolute
 */
bool mount_info_has(const char *source, const char *dir);

#endif
