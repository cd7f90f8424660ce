/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gnsctl: its commands, one file each.
 */
#ifndef GNS_TOOLS_GNSCTL_H
#define GNS_TOOLS_GNSCTL_H

#include <stddef.h>

#include "lib/genl.h"

/* What a command returns, and gnsctl ends with. */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
};

/**
 * struct command - one of the table
 * @name: as typed
 * @args: what it takes, for the help
 * @help: one line
 * @run:  does it; argv[0] is the name
 */
struct command {
	const char *name;
	const char *args;
	const char *help;
	int (*run)(int argc, char **argv);
};

int cmd_cache(int argc, char **argv);
int cmd_drop(int argc, char **argv);
int cmd_features(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_version(int argc, char **argv);

/**
 * ctl_open() - a socket to the module
 *
 * Return: the socket; NULL when it said why there is none, and what to type.
 */
struct gns_genl *ctl_open(void);

/** ctl_refused() - say why a request about @what failed; Return: CTL_FAILED */
int ctl_refused(const struct gns_genl *g, const char *what, int err);

/** ctl_fail() - print a line to stderr; Return: CTL_FAILED */
int ctl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** ctl_usage() - how a command is called, to stderr; Return: CTL_USAGE */
int ctl_usage(const char *name);

#endif
