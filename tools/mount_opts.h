/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text behind -o, taken apart: what is a flag of the mount, what is ours,
 * what is for the filesystem, and what is none of anybody's business here.
 *
 * Nothing of this touches the system, so that it can be tested anywhere.
 */
#ifndef GNS_TOOLS_MOUNT_OPTS_H
#define GNS_TOOLS_MOUNT_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/types.h"

#define MOUNT_RETRY_BG 10000u /* minutes: a week */
#define MOUNT_RETRY_MAX 525600u /* a year */

/** struct mount_param - one option of the filesystem; value NULL: a flag */
struct mount_param {
	char *key;
	char *value;
};

/**
 * struct mount_opts - all of it
 * @attrs:   MOUNT_ATTR_* of the mount
 * @atime:   one of the options about access times was given
 * @propagation: MS_SHARED and kin, with MS_REC; 0: none asked for
 * @remount: change the mount that is there
 * @bg:      go on trying in the background
 * @retry:   minutes; of no use before mount_opts_parse() has returned
 * @params:  for the filesystem, in order; @nparams of them
 * @nparams: see there
 */
struct mount_opts {
	u64 attrs;
	bool atime;
	unsigned long propagation;
	bool remount;
	bool bg;
	u32 retry;
	size_t nparams;
	struct mount_param *params;
};

/**
 * mount_opts_parse() - take options apart
 * @o:    overwritten; freed by mount_opts_free() in every case
 * @text: as after -o, with commas; a value with commas stands in quotes;
 *        NULL: none
 * @err:  set to what is wrong, for people, when it fails
 * @size: bytes of @err
 *
 * A later option wins over an earlier one. What is not known is taken to be
 * the filesystem's, which knows to refuse it.
 *
 * Return: 0, or -1.
 */
int mount_opts_parse(struct mount_opts *o, const char *text, char *err,
		     size_t size);

void mount_opts_free(struct mount_opts *o);

#endif
