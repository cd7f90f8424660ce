/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state directory: who may use it, and the key of the file handles.
 *
 * Lifetime: the directory is held until the process ends.
 */
#ifndef GNS_STATE_H
#define GNS_STATE_H

#include "origin/posix.h"

/**
 * gns_state_open() - make the directory if it is not there, and claim it
 * @path: where
 * @err:  set to what is wrong, when it fails
 * @size: bytes of @err
 *
 * Return: a descriptor of it, mode 0700, which no other daemon has; a negative
 * errno.
 */
int gns_state_open(const char *path, char *err, size_t size);

/**
 * gns_state_key() - the key, made at the first start
 * @dir:  descriptor of the directory
 * @key:  filled
 * @err:  set to what is wrong, when it fails
 * @size: bytes of @err
 *
 * Return: 0; a negative errno.
 */
int gns_state_key(int dir, u8 key[GNS_POSIX_KEY_LEN], char *err, size_t size);

/** gns_boot_id() - of this boot of the host; 0 or a negative errno */
int gns_boot_id(struct gns_id *id, char *err, size_t size);

#endif
