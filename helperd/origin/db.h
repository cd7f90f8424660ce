/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The origin's small durable state: a table of keys and values.
 *
 * Puts collect in a batch; a commit closes it. Batches become durable in
 * their order, each as a whole: after any crash a prefix of them is there.
 * A commit without @sync survives the death of the process only, one with it
 * (and all before it) survives the host's.
 *
 * Locks: none; calls and callbacks on the environment's thread.
 */
#ifndef GNS_ORIGIN_DB_H
#define GNS_ORIGIN_DB_H

#include "lib/types.h"

#define GNS_DB_KEY_MAX 96u /* bytes */
#define GNS_DB_VAL_MAX 8192u /* bytes */

struct gns_db;

/**
 * struct gns_db_ops - a store
 * @put:    add to the open batch; @vlen 0 deletes the key
 * @commit: close the batch; done(arg, err) when it is safe, in order
 * @load:   call @each for every pair; before the first put only; may block
 */
struct gns_db_ops {
	void (*put)(struct gns_db *db, const void *key, u32 klen,
		    const void *val, u32 vlen);
	void (*commit)(struct gns_db *db, bool sync,
		       void (*done)(void *arg, int err), void *arg);
	int (*load)(struct gns_db *db,
		    int (*each)(void *arg, const u8 *key, u32 klen,
				const u8 *val, u32 vlen),
		    void *arg);
};

struct gns_db {
	const struct gns_db_ops *ops;
};

#endif
