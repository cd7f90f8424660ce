/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mount options: what may stand behind -o, and how /proc/mounts shows it.
 */
#ifndef GNS_OPTIONS_H
#define GNS_OPTIONS_H

#include <linux/types.h>

struct fs_context;
struct fs_parameter;
struct fs_parameter_spec;
struct gns_options;
struct seq_file;

#define GNS_TIMEO_MIN_MS 100u
#define GNS_TIMEO_MAX_MS (3600u * 1000)

extern const struct fs_parameter_spec gns_options_spec[];

/** gns_options_default() - as if nothing had been said */
void gns_options_default(struct gns_options *opt);

/**
 * gns_options_parse() - one option
 * @fc:    gets a message about what is wrong
 * @opt:   changed by it
 * @param: the option
 *
 * Return: 0; -ENOPARAM: not one of gns, the VFS knows or refuses it; -EINVAL.
 */
int gns_options_parse(struct fs_context *fc, struct gns_options *opt,
		      struct fs_parameter *param);

/**
 * gns_options_check() - those that the VFS has taken, and that are not kept
 * @fc: all options are parsed; gets a message about what is wrong
 *
 * Return: 0; -EINVAL.
 */
int gns_options_check(struct fs_context *fc);

/** gns_options_show() - all of them, each with a comma in front */
void gns_options_show(struct seq_file *m, const struct gns_options *opt);

/** gns_options_eq() - would they make the same mount? */
bool gns_options_eq(const struct gns_options *a, const struct gns_options *b);

#endif
