/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cache of this network namespace, as the kernel shows it under /sys.
 */
#ifndef GNS_TOOLS_CACHE_SYS_H
#define GNS_TOOLS_CACHE_SYS_H

#include <stdbool.h>

#include "lib/types.h"

/**
 * cache_sys_mount() - a directory on which a mount with a cache is
 *
 * Return: freed by the caller; NULL when it said why there is none.
 */
char *cache_sys_mount(void);

/**
 * cache_sys_dir() - the directory under /sys of the cache of this namespace
 *
 * Return: freed by the caller; NULL when it said why there is none.
 */
char *cache_sys_dir(void);

/**
 * cache_sys_each() - go through devices or sets
 * @dir:  of cache_sys_dir()
 * @kind: "dev" or "set"
 * @see:  called with the path of each, by number
 * @ctx:  handed on to it
 *
 * Return: how many there are.
 */
u32 cache_sys_each(const char *dir, const char *kind,
		   void (*see)(const char *path, void *ctx), void *ctx);

/**
 * cache_sys_text() - a file's line, without its end
 * @path: directory
 * @file: in it
 * @buf:  "" when it can not be read
 * @size: bytes of @buf
 */
void cache_sys_text(const char *path, const char *file, char *buf, size_t size);

/** cache_sys_number() - the same as a number; 0 when it is none */
u64 cache_sys_number(const char *path, const char *file);

#endif
