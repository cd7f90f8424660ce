/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The daemon's life: up, reload, down.
 */
#ifndef GNS_DAEMON_H
#define GNS_DAEMON_H

#include "lib/conf.h"

/**
 * gns_daemon_check() - what of a configuration depends on the host
 * @conf: the configuration
 * @err:  set to what is wrong, when it fails
 * @size: bytes of @err
 *
 * Blocks while names are resolved. Return: 0; a negative errno.
 */
int gns_daemon_check(const struct gns_conf *conf, char *err, size_t size);

/**
 * gns_daemon_run() - serve until told to stop
 * @conf: taken over
 * @argc: of main(), read again at SIGHUP
 * @argv: same
 *
 * Return: 0 after a clean shutdown, 1 when it could not start or not end
 * cleanly; the log has said why.
 */
int gns_daemon_run(struct gns_conf *conf, int argc, char **argv);

#endif
