/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the operator decides: a file in INI form, and flags, which win.
 *
 * The file is read again on SIGHUP, with the same flags on top. A key, section
 * or flag that is not known is an error, never ignored.
 */
#ifndef GNS_LIB_CONF_H
#define GNS_LIB_CONF_H

#include "origin/posix.h"

#define GNS_CONF_FILE "/etc/gns/gns-helperd.conf"
#define GNS_CONF_STATE "/var/lib/gns"
#define GNS_CONF_LISTEN "127.0.0.1"
#define GNS_CONF_LISTEN_MAX 8u
#define GNS_CONF_EXPORTS_MAX 256u
#define GNS_CONF_ANON 65534u /* nobody, nogroup */

/* What the flags ask for. */
enum gns_conf_todo {
	GNS_CONF_RUN,
	GNS_CONF_CHECK,
	GNS_CONF_HELP,
	GNS_CONF_VERSION,
};

/* Does this helper serve the mounts of its network namespace? */
enum gns_conf_satellite {
	GNS_CONF_AUTO, /* as soon as the kernel module is there */
	GNS_CONF_YES, /* or it does not start */
	GNS_CONF_NO,
};

/** struct gns_conf - all of it; strings are owned */
struct gns_conf {
	enum gns_conf_todo todo;
	char *file; /* NULL: none was read */
	char *state; /* directory */
	bool insecure; /* addresses other hosts can reach are fine */
	int log_level;
	u64 ttl; /* ns */
	u32 max_connections;
	u32 nlisten;
	char *listen[GNS_CONF_LISTEN_MAX];
	enum gns_conf_satellite satellite;
	u32 buffer; /* bytes of answers received at once; 0: the default */
	u32 nexports; /* 0: the origin role is not started */
	struct gns_posix_export exports[GNS_CONF_EXPORTS_MAX];
};

/**
 * gns_conf_load() - defaults, then the file, then the flags
 * @argc: of main(); read again at each call
 * @argv: of main()
 * @err:  set to what is wrong, and where, when it fails
 * @size: bytes of @err
 *
 * Return: the configuration, checked as far as it can be without touching
 * network or trees; NULL.
 */
struct gns_conf *gns_conf_load(int argc, char **argv, char *err, size_t size);

/** gns_conf_free() - NULL is harmless */
void gns_conf_free(struct gns_conf *conf);

/** gns_conf_usage() - the text of --help */
extern const char gns_conf_usage[];

#endif
