/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Resets the TCP connections of another process, as if a box in between had
 * forgotten them.
 */
#ifndef GNS_HISTORY_RESET_H
#define GNS_HISTORY_RESET_H

#include <sys/types.h>

/**
 * reset_connections() - every connection that is established
 * @pid: the process
 *
 * Context: root. Return: how many; a negative errno.
 */
int reset_connections(pid_t pid);

#endif
