/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The origin's durable state in a SQLite file: the daemon's struct gns_db.
 *
 * Lifetime: gns_store_open() .. gns_store_close(); the loop has to run once
 * more after the close before it may be closed itself.
 * Locks: calls and callbacks on the loop's thread. The file is written by a
 * thread of its own, which takes all batches that are closed by then into one
 * transaction.
 */
#ifndef GNS_ORIGIN_STORE_H
#define GNS_ORIGIN_STORE_H

#include <uv.h>

#include "origin/db.h"

/**
 * gns_store_open() - open the file, make it if it is not there
 * @loop:   where callbacks run
 * @path:   the file; -wal and -shm beside it belong to it. Mode 0600
 * @err:    set to what is wrong and with what, when NULL is returned
 * @errlen: bytes of @err
 *
 * Blocks. One process at a time can have the file open.
 *
 * Return: the store; NULL.
 */
struct gns_db *gns_store_open(uv_loop_t *loop, const char *path, char *err,
			      size_t errlen);

/**
 * gns_store_close() - write what was committed, then close
 * @db: gone after the call; NULL is harmless
 *
 * Blocks. The open batch is dropped. No done() is called from here on, not
 * even for what was committed before.
 */
void gns_store_close(struct gns_db *db);

#endif
