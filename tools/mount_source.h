/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is mounted: host[:port]:/export, as people write it.
 */
#ifndef GNS_TOOLS_MOUNT_SOURCE_H
#define GNS_TOOLS_MOUNT_SOURCE_H

#include <stddef.h>

#define MOUNT_SOURCE_FORM "host[:port]:/export"

/**
 * mount_source_check() - is it a source that the filesystem can be given?
 * @source: as given; it is passed on as it is
 *
 * An IPv6 address stands in brackets, so that no colon has two meanings.
 *
 * Return: NULL, or what is wrong with it, for people; static text.
 */
const char *mount_source_check(const char *source);

#endif
