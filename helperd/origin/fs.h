/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exported tree as the origin's core sees it.
 *
 * The core decides who may see and change what, when, and under which
 * version; a backend only does it. The daemon's backend is a local tree
 * (posix.c), the simulator's one is in memory and forgets on demand.
 *
 * Lifetime: an operation belongs to who submits it, who keeps it and its
 * request alive until done(). The backend may call done() before submit()
 * returns. Each submitted operation is done exactly once.
 * Locks: none; submit and done on the environment's thread.
 */
#ifndef GNS_ORIGIN_FS_H
#define GNS_ORIGIN_FS_H

#include "proto/msg.h"
#include "transport/transport.h"

/**
 * struct gns_fsop - one operation on the tree
 * @req:      what to do: any request from GNS_MOUNT on
 * @leased:   READ: the bytes may still change after done() (see below)
 * @local:    READ: the reader is on this host
 * @untouched: a change that failed: the backend is sure that everything is as
 *            it was before
 * @keep:     UNLINK, RENAME: what loses its last name lives on, see below
 * @rep:      answer. The backend fills status and the r_* member without
 *            versions; of r_change.changed it fills fh and attr of every
 *            object the change touched that still exists
 * @bulk:     answer's payload, owned by the operation; rep.payload_len bytes
 * @self:     reads: attributes of the object (for names: the directory)
 * @reval:    REVALIDATE: items; status and attr are filled
 * @nreval:   their number
 * @done:     called once
 * @priv:     the submitter's
 *
 * @entries:  READDIR: malloc(3)ed array in cookie order, freed by the core,
 *            which packs it into the payload with the versions it knows; names
 *            point into the same allocation
 * @nentries: their number; rep.r_obj.eof says whether more follow
 *
 * @leased lets a backend answer with references to the page cache instead of
 * a copy: no change can be applied before the reader's kernel has dropped
 * the answer. A file that shrinks then, or beside gns, may take the bytes of
 * the answer along; who sends it can not go on, and the reader asks again.
 *
 * @keep: the object goes on as an orphan, by its handle alone, over crashes
 * and restarts; its attributes say nlink 0, and r_change.changed has it. It is
 * no error if the backend can not do that: then the object is gone. What TMPFILE
 * makes is an orphan, too; who keeps none answers EOPNOTSUPP.
 */
struct gns_fsop {
	const struct gns_msg *req;
	bool leased;
	bool local;
	bool keep;
	bool untouched;
	struct gns_msg rep;
	struct gns_bulk *bulk;
	struct gns_attr self;
	struct gns_reval *reval;
	u32 nreval;
	struct gns_dirent *entries; /* READDIR: owned, @nentries of them */
	u32 nentries;
	void (*done)(struct gns_fsop *op);
	void *priv;
};

struct gns_fs;

/** struct gns_fs_view - objects seen in @view stand in @as */
struct gns_fs_view {
	u32 view;
	u32 as;
};

/**
 * struct gns_fs_ops - a backend
 * @submit: run an operation
 * @sync:   make everything done so far on one object (NULL: on the whole
 *          tree) durable, then call done with 0 or a negative errno
 * @orphans: optional: call @each for every orphan that there is; at the start.
 *          Without it none are kept
 * @forget: an orphan goes for good, soon; nothing is under way with it
 * @refuses: optional: the status that the change @req fails with for sure, as
 *          long as nobody else changes what it names; 0: not known yet. Does not
 *          block. What is refused by it takes nothing out of anybody's cache
 * @own:    optional: is the change of @fh that nobody asked for the backend's own,
 *          and nothing that a client sees? True once for each
 * @split:  optional: one object may have several handles, by the *view* (the
 *          export of a tree) that a client looks at it through. Makes of @fh the
 *          one that stands for the object, the same for all of them, which is
 *          a handle, too; returns the view of @fh. What is no handle stays as it
 *          is. NULL for it: only the view is asked for, which costs less.
 *          Without it every handle is an object of its own
 * @join:   with @split: the handle of the object @id in @view
 * @views_were: with @split: what @views said in the life before, which may be
 *          of views that are gone. Returns 0 or -ENOMEM
 * @views:  with @split: fill up to @max pairs, those that are gone too; returns
 *          their number
 * @meant:  with @split: the objects, up to @max, that @fh, out of the store, may
 *          have stood for: several where one filesystem has become two. Returns
 *          their number; 0: nothing of its view is there at present
 */
struct gns_fs_ops {
	void (*submit)(struct gns_fs *fs, struct gns_fsop *op);
	void (*sync)(struct gns_fs *fs, const struct gns_fh *fh,
		     void (*done)(void *arg, int err), void *arg);
	void (*orphans)(struct gns_fs *fs,
			void (*each)(void *arg, const struct gns_fh *fh),
			void *arg);
	void (*forget)(struct gns_fs *fs, const struct gns_fh *fh);
	u32 (*refuses)(struct gns_fs *fs, const struct gns_msg *req);
	bool (*own)(struct gns_fs *fs, const struct gns_fh *fh);
	u32 (*split)(struct gns_fs *fs, const struct gns_fh *fh,
		     struct gns_fh *id);
	void (*join)(struct gns_fs *fs, const struct gns_fh *id, u32 view,
		     struct gns_fh *fh);
	int (*views_were)(struct gns_fs *fs, const struct gns_fs_view *v,
			  u32 n);
	u32 (*views)(struct gns_fs *fs, struct gns_fs_view *v, u32 max);
	u32 (*meant)(struct gns_fs *fs, const struct gns_fh *fh,
		     struct gns_fh *id, u32 max);
};

struct gns_fs {
	const struct gns_fs_ops *ops;
};

#endif
