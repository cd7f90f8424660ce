// SPDX-License-Identifier: GPL-2.0
/*
 * A tree in memory, and the disk below it.
 *
 * Files change in two steps with time between them, so a read beside an apply
 * is torn. A process's death stops what is under way between its steps. Power
 * loss keeps, of each file not synced, any mix of old and new data and old
 * and new ctime, and of the names a prefix of their history. An orphan has a
 * name that nobody sees, which it gets before it loses its last one.
 */
#include <stdlib.h>
#include <string.h>

#include "simfs_int.h"

struct work {
	struct simfs *fs;
	struct gns_fsop *op;
	u32 ino;
	u32 done;
	void (*synced)(void *arg, int err);
	void *arg;
};

s64 simfs_time(struct simfs *fs)
{
	/* As coarse as a kernel's, or as an old filesystem's. */
	return host_realtime(fs->host) / fs->grain * fs->grain;
}

/* What @ino is called in one of the two views of the tree. */
struct gns_fh simfs_fh(u32 ino, u32 view)
{
	struct gns_fh fh = { .len = 8 };

	memcpy(fh.b, &ino, 4);
	memcpy(fh.b + 4, view ? "simv" : "simf", 4);
	return fh;
}

u32 simfs_view(const struct gns_fh *fh)
{
	return fh->len == 8 && fh->b[7] == 'v';
}

u32 simfs_fh_ino(const struct gns_fh *fh)
{
	u32 ino;

	memcpy(&ino, fh->b, 4);
	return ino;
}

struct inode *simfs_inode(struct simfs *fs, const struct gns_fh *fh)
{
	u32 ino = fh->len == 8 ? simfs_fh_ino(fh) : 0;

	if (!ino || ino >= FS_INODES || !fs->mem[ino].used)
		return NULL;
	return &fs->mem[ino];
}

int simfs_name(const struct gns_str *name)
{
	if (name->len != 2 || name->p[0] != 'n' || name->p[1] < '0' ||
	    name->p[1] >= '0' + FS_NAMES)
		return -1;
	return name->p[1] - '0';
}

u32 *simfs_slot(struct inode *dir, u32 name)
{
	return (u32 *)dir->data + name;
}

static void sync_name(struct simfs *fs, const struct name_op *n)
{
	struct inode *d = &fs->disk[n->dir];

	if (!n->dir) {
		fs->disk[n->ino].kept = n->name;
		return;
	}
	*simfs_slot(d, n->name) = n->ino;
	d->ctime = fs->mem[n->dir].ctime;
	d->applied = fs->mem[n->dir].applied;
	if (n->ino && !fs->disk[n->ino].used) {
		fs->disk[n->ino] = fs->mem[n->ino];
		fs->disk[n->ino].used = true;
		fs->disk[n->ino].kept = false;
		fs->disk[n->ino].nlink = 1;
	}
}

static void sync_names(struct simfs *fs, u32 limit)
{
	struct name_op *n;

	while (limit-- && (n = TAILQ_FIRST(&fs->names))) {
		sync_name(fs, n);
		/* A rename is one step of the disk's journal. */
		limit += n->more;
		TAILQ_REMOVE(&fs->names, n, link);
		free(n);
	}
}

void simfs_sync_inode(struct simfs *fs, u32 ino)
{
	sync_names(fs, -1);
	if (!fs->mem[ino].dir)
		fs->disk[ino] = ino < INO_FREE && fs->torn[ino] ?
					fs->whole[ino] :
					fs->mem[ino];
}

static void work_end(void *arg)
{
	struct work *w = arg;
	struct gns_fsop *op = w->op;
	struct simfs *fs = w->fs;

	free(w);
	fs->view = simfs_op_view(op->req);
	op->rep.status = -simfs_run(fs, op);
	if (gns_msg_is_change(op->req->type))
		story(fs->s, W_ORIGIN, 0, "applied %s: %u",
		      gns_msg_name(op->req->type), op->rep.status);
	op->done(op);
}

static void check_apply(struct simfs *fs, const struct gns_msg *req)
{
	const struct gns_fh *dir = &req->make.dir;
	const struct gns_str *name = &req->make.name;
	struct gns_fh child;
	struct inode *d;
	int nr;

	if (req->type == GNS_LINK) {
		oracle_apply(fs->s, req, &req->link.fh);
		return;
	}
	if (req->type == GNS_RENAME) {
		dir = &req->rename.odir;
		name = &req->rename.oname;
	} else if (req->type != GNS_UNLINK) {
		oracle_apply(fs->s, req, NULL);
		return;
	}
	d = simfs_inode(fs, dir);
	nr = simfs_name(name);
	if (!d || nr < 0 || !*simfs_slot(d, nr))
		return;
	child = simfs_fh(*simfs_slot(d, nr), 0);
	oracle_apply(fs->s, req, &child);
}

static void fs_submit(struct gns_fs *gfs, struct gns_fsop *op)
{
	struct simfs *fs = container_of(gfs, struct simfs, fs);
	struct inode *i = simfs_inode(fs, simfs_op_fh(op->req));
	struct work *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->fs = fs;
	w->op = op;
	op->rep.status = 0;
	op->nentries = 0;
	free(op->entries);
	op->entries = NULL;
	if (op->bulk)
		op->bulk->release(op->bulk);
	op->bulk = NULL;
	if (gns_msg_is_change(op->req->type))
		check_apply(fs, op->req);
	if (op->req->type == GNS_READ && i)
		simfs_read_first(fs, op, i);
	fs->view = simfs_op_view(op->req);
	/* Children's attributes may be old by the time of the answer. */
	if (op->req->type == GNS_LOOKUP && i)
		simfs_lookup(fs, op);
	if (op->req->type == GNS_REVALIDATE)
		simfs_reval(fs, op);
	if (op->req->type == GNS_WRITE && i)
		simfs_write(fs, op, i, false);
	sim_in(fs->s, 5 * US + sim_below(fs->s, 2 * MS), &fs->s->orig->life,
	       work_end, w, true);
}

static void sync_end(void *arg)
{
	struct work *w = arg;
	struct work copy = *w;
	u32 i;

	free(w);
	for (i = 1; !copy.ino && i < FS_INODES; i++)
		if (copy.fs->mem[i].used)
			simfs_sync_inode(copy.fs, i);
	if (copy.ino && copy.fs->mem[copy.ino].used)
		simfs_sync_inode(copy.fs, copy.ino);
	copy.synced(copy.arg, 0);
}

static void fs_sync(struct gns_fs *gfs, const struct gns_fh *fh,
		    void (*done)(void *arg, int err), void *arg)
{
	struct simfs *fs = container_of(gfs, struct simfs, fs);
	struct work *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->fs = fs;
	w->ino = fh ? simfs_fh_ino(fh) : 0;
	w->synced = done;
	w->arg = arg;
	sim_in(fs->s, MS + sim_below(fs->s, 20 * MS), &fs->s->orig->life,
	       sync_end, w, true);
}

/* Of a file not synced, anything between what was and what is. */
static void lose_some(struct simfs *fs, u32 ino)
{
	struct inode *m = &fs->mem[ino], *d = &fs->disk[ino];
	struct inode mix = *d;

	if (sim_chance(fs->s, 500000)) {
		memcpy(mix.data, m->data, sizeof(mix.data));
		mix.size = m->size;
		mix.applied = m->applied;
	}
	if (sim_chance(fs->s, 500000))
		mix.ctime = m->ctime;
	*d = mix;
}

void simfs_crash(struct simfs *fs, bool power)
{
	u32 i, k = 0, names = 0;
	struct name_op *n;

	/* A write that was under way is not torn by the writer's death. */
	for (i = 1; i < INO_FREE; i++) {
		if (fs->torn[i])
			fs->mem[i] = fs->whole[i];
		fs->torn[i] = false;
	}
	if (!power)
		return;
	TAILQ_FOREACH(n, &fs->names, link)
		names++;
	sync_names(fs, sim_below(fs->s, names + 1));
	while ((n = TAILQ_FIRST(&fs->names))) {
		TAILQ_REMOVE(&fs->names, n, link);
		free(n);
	}
	for (i = 1; i < INO_DIR(0); i++)
		lose_some(fs, i);
	/* What no name leads to is gone, but for what is there for good. */
	for (i = 1; i < FS_INODES; i++)
		fs->disk[i].nlink = i < INO_FREE;
	for (i = 0; i < FS_DIRS; i++) {
		for (k = 0; k < FS_NAMES; k++) {
			u32 ino = *simfs_slot(&fs->disk[INO_DIR(i)], k);

			fs->disk[ino].nlink++;
		}
	}
	/* What still has a name of its own was not lost after all. */
	for (i = INO_FREE; i < FS_INODES; i++) {
		fs->disk[i].used = fs->disk[i].nlink || fs->disk[i].kept;
		fs->disk[i].kept &= !fs->disk[i].nlink;
	}
	memcpy(fs->mem, fs->disk, sizeof(fs->mem));
}

bool simfs_is_orphan(const struct simfs *fs, u32 ino)
{
	return fs->mem[ino].used && fs->mem[ino].kept;
}

bool simfs_exists(const struct simfs *fs, u32 ino)
{
	return fs->mem[ino].used;
}

u32 simfs_orphans(const struct simfs *fs)
{
	u32 i, n = 0;

	for (i = INO_FREE; i < fs->next; i++)
		n += simfs_is_orphan(fs, i);
	return n;
}

static void fs_orphans(struct gns_fs *gfs,
		       void (*each)(void *arg, const struct gns_fh *fh),
		       void *arg)
{
	struct simfs *fs = container_of(gfs, struct simfs, fs);
	struct gns_fh fh;
	u32 i;

	for (i = INO_FREE; i < fs->next; i++) {
		fh = simfs_fh(i, i % 2);
		if (simfs_is_orphan(fs, i))
			each(arg, &fh);
	}
}

static void fs_forget(struct gns_fs *gfs, const struct gns_fh *fh)
{
	struct simfs *fs = container_of(gfs, struct simfs, fs);
	u32 ino = simfs_fh_ino(fh);

	story(fs->s, W_ORIGIN, 0, "%u goes for good", ino);
	simfs_keep(fs, &fs->mem[ino], false);
	fs->mem[ino].used = false;
	files_gone(fs->s, ino);
}

static u32 fs_split(struct gns_fs *gfs, const struct gns_fh *fh,
		    struct gns_fh *id)
{
	(void)gfs;
	if (id)
		*id = simfs_view(fh) ? simfs_fh(simfs_fh_ino(fh), 0) : *fh;
	return simfs_view(fh);
}

static void fs_join(struct gns_fs *gfs, const struct gns_fh *id, u32 view,
		    struct gns_fh *fh)
{
	(void)gfs;
	*fh = simfs_fh(simfs_fh_ino(id), view);
}

static const struct gns_fs_ops fs_ops = {
	.submit = fs_submit,
	.sync = fs_sync,
	.orphans = fs_orphans,
	.forget = fs_forget,
	.split = fs_split,
	.join = fs_join,
};

struct simfs *simfs_new(struct sim *s, struct host *host)
{
	struct simfs *fs = calloc(1, sizeof(*fs));
	u32 i;

	if (!fs)
		abort();
	fs->fs.ops = &fs_ops;
	fs->s = s;
	fs->host = host;
	fs->grain = sim_chance(s, 500000) ? 4 * MS : SEC;
	TAILQ_INIT(&fs->names);
	for (i = 1; i < INO_FREE; i++) {
		struct inode *n = &fs->mem[i];

		n->used = true;
		n->nlink = 1;
		n->dir = i == INO_ROOT || i >= INO_DIR(0);
		n->size = n->dir || i >= INO_LOG(0) ? 0 : FS_BLOCK;
		n->ctime = simfs_time(fs);
	}
	/* The root names the lists, so that lookups show their length. */
	for (i = 0; i < FS_LOGS; i++)
		*simfs_slot(&fs->mem[INO_ROOT], i) = INO_LOG(i);
	fs->next = INO_FREE;
	memcpy(fs->disk, fs->mem, sizeof(fs->disk));
	return fs;
}

void simfs_free(struct simfs *fs)
{
	struct name_op *n;

	while ((n = TAILQ_FIRST(&fs->names))) {
		TAILQ_REMOVE(&fs->names, n, link);
		free(n);
	}
	free(fs);
}

struct gns_fs *simfs_gns(struct simfs *fs)
{
	return &fs->fs;
}

u64 simfs_applied(struct simfs *fs, u32 ino)
{
	return fs->mem[ino].applied;
}

u64 simfs_durable(struct simfs *fs, u32 ino)
{
	return fs->disk[ino].applied;
}

u32 simfs_data(struct simfs *fs, u32 ino, const u8 **data)
{
	*data = fs->mem[ino].data;
	return fs->mem[ino].size;
}

/* The inode that the create with this serial number made; 0: none. */
u32 simfs_made(struct simfs *fs, u32 serial)
{
	u32 i;

	/* The newest: what a power loss undid may have been made again. */
	for (i = fs->next; i-- > INO_FREE;)
		if (fs->made[i].serial == serial)
			return fs->made[i].ino;
	return 0;
}

void simfs_dir(struct simfs *fs, u32 ino, u32 *ids)
{
	memcpy(ids, fs->mem[ino].data, FS_NAMES * sizeof(u32));
}
