/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulated tree's own view of itself: simfs.c has the disk and the time
 * that things take, simfs_ops.c what each operation does.
 */
#ifndef GNS_SIM_SIMFS_INT_H
#define GNS_SIM_SIMFS_INT_H

#include <sys/queue.h>

#include "sim.h"

#define FS_INODES 4096
#define FS_LOG_BYTES (32 * 4)

struct inode {
	bool used;
	bool dir;
	bool kept; /* has a name where nobody sees it: an orphan, if no other */
	u32 nlink;
	u32 size;
	u8 data[FS_LOG_BYTES]; /* file; of a directory: u32 ids by name */
	s64 ctime;
	u64 applied; /* changes so far */
};

struct name_op {
	u32 dir, name, ino; /* ino 0: the name goes; dir 0: see set_kept() */
	bool more; /* the next one belongs to it: both or none */
	TAILQ_ENTRY(name_op) link;
};

struct simfs {
	struct gns_fs fs;
	struct sim *s;
	struct host *host;
	u64 grain; /* of its timestamps, ns */
	struct inode mem[FS_INODES];
	struct inode disk[FS_INODES];
	struct inode whole[INO_FREE]; /* before a change under way */
	bool torn[INO_FREE];
	struct {
		u32 serial, ino;
	} made[FS_INODES]; /* who created what */
	TAILQ_HEAD(name_ops, name_op) names; /* not on disk yet */
	u32 next;
	u32 view; /* of who asks for what is being done */
};

/* simfs.c */
s64 simfs_time(struct simfs *fs);
struct inode *simfs_inode(struct simfs *fs, const struct gns_fh *fh);
int simfs_name(const struct gns_str *name);
u32 *simfs_slot(struct inode *dir, u32 name);
void simfs_sync_inode(struct simfs *fs, u32 ino);

/* simfs_ops.c */
const struct gns_fh *simfs_op_fh(const struct gns_msg *m);
u32 simfs_op_view(const struct gns_msg *m);
void simfs_keep(struct simfs *fs, struct inode *i, bool kept);
void simfs_lookup(struct simfs *fs, struct gns_fsop *op);
void simfs_reval(struct simfs *fs, struct gns_fsop *op);
void simfs_read_first(struct simfs *fs, struct gns_fsop *op, struct inode *i);
int simfs_write(struct simfs *fs, struct gns_fsop *op, struct inode *i,
		bool second);
int simfs_run(struct simfs *fs, struct gns_fsop *op);

#endif
