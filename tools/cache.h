/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gnsctl cache: its parts, one file each. Each is called as a command is.
 */
#ifndef GNS_TOOLS_CACHE_H
#define GNS_TOOLS_CACHE_H

int cache_format(int argc, char **argv);
int cache_check(int argc, char **argv);
int cache_dump(int argc, char **argv);
int cache_add(int argc, char **argv);
int cache_drain(int argc, char **argv);
int cache_remove(int argc, char **argv);
int cache_status(int argc, char **argv);
int cache_set(int argc, char **argv);
int cache_fill(int argc, char **argv);

#endif
