// SPDX-License-Identifier: GPL-2.0
/*
 * A tree in memory, and the disk below it.
 *
 * Files change in two steps with time between them, so a read beside an apply
 * is torn. A process's death stops what is under way between its steps. Power
 * loss keeps, of each file not synced, any mix of old and new data and old
 * and new ctime, and of the names a prefix of their history.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "sim.h"

#define FS_INODES 4096
#define FS_LOG_BYTES (32 * 4)

struct inode {
	bool used;
	bool dir;
	u32 nlink;
	u32 size;
	u8 data[FS_LOG_BYTES]; /* file; of a directory: u32 ids by name */
	s64 ctime;
	u64 applied; /* changes so far */
};

struct name_op {
	u32 dir, name, ino; /* ino 0: the name goes */
	TAILQ_ENTRY(name_op) link;
};

struct work {
	struct simfs *fs;
	struct gns_fsop *op;
	u32 ino;
	u32 done;
	void (*synced)(void *arg, int err);
	void *arg;
};

struct data_bulk {
	struct gns_bulk bulk;
	u8 data[];
};

struct simfs {
	struct gns_fs fs;
	struct sim *s;
	struct host *host;
	struct inode mem[FS_INODES];
	struct inode disk[FS_INODES];
	struct inode whole[INO_FREE]; /* before a change under way */
	bool torn[INO_FREE];
	struct {
		u32 serial, ino;
	} made[FS_INODES]; /* who created what */
	TAILQ_HEAD(, name_op) names; /* not on disk yet */
	u32 next;
};

static s64 fs_time(struct simfs *fs)
{
	/* As coarse as a kernel's. */
	return host_realtime(fs->host) / (4 * MS) * (4 * MS);
}

struct gns_fh simfs_fh(struct simfs *fs, u32 ino)
{
	struct gns_fh fh = { .len = 8 };

	(void)fs;
	memcpy(fh.b, &ino, 4);
	memcpy(fh.b + 4, "simf", 4);
	return fh;
}

u32 simfs_fh_ino(const struct gns_fh *fh)
{
	u32 ino;

	memcpy(&ino, fh->b, 4);
	return ino;
}

static struct inode *fh_inode(struct simfs *fs, const struct gns_fh *fh)
{
	u32 ino = fh->len == 8 ? simfs_fh_ino(fh) : 0;

	if (!ino || ino >= FS_INODES || !fs->mem[ino].used)
		return NULL;
	return &fs->mem[ino];
}

static void attr_of(struct simfs *fs, const struct inode *i,
		    struct gns_attr *a)
{
	memset(a, 0, sizeof(*a));
	a->ino = i - fs->mem;
	a->size = i->size;
	a->mode = i->dir ? S_IFDIR | 0755 : S_IFREG | 0644;
	a->nlink = i->nlink;
	a->ctime = i->ctime;
	a->mtime = i->ctime;
	a->blksize = 4096;
}

static void data_release(struct gns_bulk *b)
{
	free(container_of(b, struct data_bulk, bulk));
}

static int name_nr(const struct gns_str *name)
{
	if (name->len != 2 || name->p[0] != 'n' || name->p[1] < '0' ||
	    name->p[1] >= '0' + FS_NAMES)
		return -1;
	return name->p[1] - '0';
}

static u32 *dir_slot(struct inode *dir, u32 name)
{
	return (u32 *)dir->data + name;
}

static void touch(struct simfs *fs, struct inode *i)
{
	i->ctime = fs_time(fs);
	i->applied++;
}

static void set_name(struct simfs *fs, struct inode *dir, u32 name, u32 ino)
{
	struct name_op *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->dir = dir - fs->mem;
	n->name = name;
	n->ino = ino;
	TAILQ_INSERT_TAIL(&fs->names, n, link);
	*dir_slot(dir, name) = ino;
	touch(fs, dir);
}

static void changed(struct simfs *fs, struct gns_fsop *op, struct inode *i)
{
	struct gns_changed_list *l = &op->rep.r_change.changed;
	struct gns_changed *c = &l->v[l->n];

	if (!i->nlink)
		return;
	l->n++;
	c->fh = simfs_fh(fs, i - fs->mem);
	attr_of(fs, i, &c->attr);
}

static void drop_link(struct simfs *fs, struct inode *i)
{
	i->nlink--;
	touch(fs, i);
	if (!i->nlink)
		i->used = false;
}

static u32 fs_create(struct simfs *fs, struct gns_fsop *op)
{
	const struct gns_m_make *m = &op->req->make;
	struct inode *dir = fh_inode(fs, &m->dir), *i;
	int nr = name_nr(&m->name);

	if (!dir)
		return ESTALE;
	if (nr < 0)
		return EINVAL;
	if (*dir_slot(dir, nr))
		return EEXIST;
	if (fs->next == FS_INODES)
		return ENOSPC;
	i = &fs->mem[fs->next];
	*i = (struct inode){ .used = true, .nlink = 1 };
	touch(fs, i);
	fs->made[fs->next].serial = m->cred.uid;
	fs->made[fs->next].ino = fs->next;
	set_name(fs, dir, nr, fs->next++);
	op->rep.r_change.fh = simfs_fh(fs, i - fs->mem);
	op->rep.r_change.created = 1;
	changed(fs, op, dir);
	changed(fs, op, i);
	return 0;
}

static u32 fs_unlink(struct simfs *fs, struct gns_fsop *op)
{
	const struct gns_m_make *m = &op->req->make;
	struct inode *dir = fh_inode(fs, &m->dir), *i;
	int nr = name_nr(&m->name);

	if (!dir)
		return ESTALE;
	if (nr < 0 || !*dir_slot(dir, nr))
		return ENOENT;
	i = &fs->mem[*dir_slot(dir, nr)];
	set_name(fs, dir, nr, 0);
	drop_link(fs, i);
	changed(fs, op, dir);
	changed(fs, op, i);
	return 0;
}

static u32 fs_rename(struct simfs *fs, struct gns_fsop *op)
{
	const struct gns_m_rename *m = &op->req->rename;
	struct inode *od = fh_inode(fs, &m->odir), *nd = fh_inode(fs, &m->ndir);
	int on = name_nr(&m->oname), nn = name_nr(&m->nname);
	struct inode *i, *old;

	if (!od || !nd)
		return ESTALE;
	if (on < 0 || nn < 0 || !*dir_slot(od, on))
		return ENOENT;
	i = &fs->mem[*dir_slot(od, on)];
	old = *dir_slot(nd, nn) ? &fs->mem[*dir_slot(nd, nn)] : NULL;
	if (i != old) {
		set_name(fs, nd, nn, i - fs->mem);
		set_name(fs, od, on, 0);
		touch(fs, i);
		if (old)
			drop_link(fs, old);
	}
	changed(fs, op, od);
	if (nd != od)
		changed(fs, op, nd);
	changed(fs, op, i);
	if (old && old != i)
		changed(fs, op, old);
	return 0;
}

static void fs_lookup(struct simfs *fs, struct gns_fsop *op)
{
	struct inode *dir = fh_inode(fs, &op->req->name.fh);
	int nr = name_nr(&op->req->name.name);
	struct gns_r_lookup *l = &op->rep.r_lookup;
	u32 ino;

	attr_of(fs, dir, &op->self);
	ino = nr < 0 ? 0 : *dir_slot(dir, nr);
	l->absent = !ino;
	if (ino) {
		l->child.fh = simfs_fh(fs, ino);
		attr_of(fs, &fs->mem[ino], &l->child.attr);
	}
}

static void fs_readdir(struct simfs *fs, struct gns_fsop *op)
{
	static const char names[] = "n0n1n2n3n4n5";
	struct inode *dir = fh_inode(fs, &op->req->range.fh);
	u32 i, from = op->req->range.off;

	attr_of(fs, dir, &op->self);
	op->entries = calloc(FS_NAMES, sizeof(*op->entries));
	if (!op->entries)
		abort();
	for (i = from; i < FS_NAMES; i++) {
		u32 ino = *dir_slot(dir, i);
		struct gns_dirent *d = &op->entries[op->nentries];

		if (!ino)
			continue;
		op->nentries++;
		d->cookie = i + 1;
		d->has_attr = 1;
		d->name = (struct gns_str){ names + 2 * i, 2 };
		d->fh = simfs_fh(fs, ino);
		attr_of(fs, &fs->mem[ino], &d->attr);
	}
	op->rep.r_obj.eof = 1;
}

static void fs_reval(struct simfs *fs, struct gns_fsop *op)
{
	struct inode *i;
	u32 n;

	for (n = 0; n < op->nreval; n++) {
		i = fh_inode(fs, &op->reval[n].fh);
		op->reval[n].status = i ? 0 : ESTALE;
		if (i)
			attr_of(fs, i, &op->reval[n].attr);
	}
}

/* First step of a read of bytes: attributes, and the first half. */
static void read_first(struct simfs *fs, struct gns_fsop *op, struct inode *i)
{
	u64 off = min_u64(op->req->range.off, i->size);
	u32 len = min_u64(op->req->range.len, i->size - off);
	struct data_bulk *b = malloc(sizeof(*b) + FS_LOG_BYTES);

	if (!b)
		abort();
	b->bulk = (struct gns_bulk){ b->data, -1, data_release };
	attr_of(fs, i, &op->self);
	memcpy(b->data, i->data + off, len);
	op->bulk = &b->bulk;
	op->rep.payload_len = len;
	op->rep.r_obj.eof = off + len >= i->size;
}

static void read_second(struct gns_fsop *op, const struct inode *i)
{
	struct data_bulk *b = container_of(op->bulk, struct data_bulk, bulk);
	u32 len = op->rep.payload_len, off = op->req->range.off;

	if (len)
		memcpy(b->data + len / 2, i->data + off + len / 2,
		       len - len / 2);
}

static u32 write_step(struct simfs *fs, struct gns_fsop *op, struct inode *i,
		      bool second)
{
	const struct gns_m_write *m = &op->req->write;
	u32 len = op->req->payload_len, half = len / 2;
	const u8 *p = op->req->payload;

	if (m->off + len > FS_LOG_BYTES || (u32)(i - fs->mem) >= INO_FREE)
		return EFBIG;
	if (!second) {
		fs->whole[i - fs->mem] = *i;
		fs->torn[i - fs->mem] = true;
		memcpy(i->data + m->off, p, half);
		return 0;
	}
	fs->torn[i - fs->mem] = false;
	memcpy(i->data + m->off + half, p + half, len - half);
	if (i->size < m->off + len)
		i->size = m->off + len;
	touch(fs, i);
	op->rep.r_change.off = m->off;
	op->rep.r_change.count = len;
	changed(fs, op, i);
	return 0;
}

static u32 fs_setattr(struct simfs *fs, struct gns_fsop *op, struct inode *i)
{
	const struct gns_m_setattr *m = &op->req->setattr;

	if (m->valid & GNS_SA_SIZE) {
		if (m->size > FS_LOG_BYTES)
			return EFBIG;
		if (m->size < i->size)
			memset(i->data + m->size, 0, i->size - m->size);
		i->size = m->size;
	}
	touch(fs, i);
	changed(fs, op, i);
	return 0;
}

static void sync_names(struct simfs *fs, u32 limit)
{
	struct name_op *n;

	while (limit-- && (n = TAILQ_FIRST(&fs->names))) {
		struct inode *d = &fs->disk[n->dir];
		struct inode *m = &fs->mem[n->ino];

		*dir_slot(d, n->name) = n->ino;
		d->ctime = fs->mem[n->dir].ctime;
		d->applied = fs->mem[n->dir].applied;
		if (n->ino && !fs->disk[n->ino].used) {
			fs->disk[n->ino] = *m;
			fs->disk[n->ino].used = true;
			fs->disk[n->ino].nlink = 1;
		}
		TAILQ_REMOVE(&fs->names, n, link);
		free(n);
	}
}

static void sync_inode(struct simfs *fs, u32 ino)
{
	sync_names(fs, -1);
	if (!fs->mem[ino].dir)
		fs->disk[ino] = ino < INO_FREE && fs->torn[ino] ?
					fs->whole[ino] :
					fs->mem[ino];
}

static const struct gns_fh *op_fh(const struct gns_msg *m)
{
	switch (m->type) {
	case GNS_LOOKUP:
		return &m->name.fh;
	case GNS_READ:
	case GNS_READDIR:
		return &m->range.fh;
	case GNS_WRITE:
		return &m->write.fh;
	case GNS_SETATTR:
		return &m->setattr.fh;
	}
	return &m->obj.fh;
}

/* The second step, or the only one. */
static u32 fs_run(struct simfs *fs, struct gns_fsop *op)
{
	struct inode *i;

	switch (op->req->type) {
	case GNS_CREATE:
		return fs_create(fs, op);
	case GNS_UNLINK:
		return fs_unlink(fs, op);
	case GNS_RENAME:
		return fs_rename(fs, op);
	case GNS_REVALIDATE:
		return 0; /* seen at the first step */
	case GNS_MOUNT:
		op->rep.r_obj.fh = simfs_fh(fs, INO_ROOT);
		attr_of(fs, &fs->mem[INO_ROOT], &op->self);
		return 0;
	}
	i = fh_inode(fs, op_fh(op->req));
	if (!i)
		return ESTALE;
	switch (op->req->type) {
	case GNS_LOOKUP:
		return 0; /* seen at the first step */
	case GNS_READDIR:
		fs_readdir(fs, op);
		return 0;
	case GNS_GETATTR:
		attr_of(fs, i, &op->self);
		return 0;
	case GNS_READ:
		read_second(op, i);
		return 0;
	case GNS_WRITE:
		return write_step(fs, op, i, true);
	case GNS_SETATTR:
		return fs_setattr(fs, op, i);
	case GNS_FSYNC:
		sync_inode(fs, i - fs->mem);
		return 0;
	}
	return EOPNOTSUPP;
}

static void op_end(void *arg)
{
	struct work *w = arg;
	struct gns_fsop *op = w->op;
	struct simfs *fs = w->fs;

	free(w);
	op->rep.status = fs_run(fs, op);
	if (op->req->type >= GNS_WRITE)
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

	if (req->type == GNS_RENAME) {
		dir = &req->rename.odir;
		name = &req->rename.oname;
	} else if (req->type != GNS_UNLINK) {
		oracle_apply(fs->s, req, NULL);
		return;
	}
	d = fh_inode(fs, dir);
	nr = name_nr(name);
	if (!d || nr < 0 || !*dir_slot(d, nr))
		return;
	child = simfs_fh(fs, *dir_slot(d, nr));
	oracle_apply(fs->s, req, &child);
}

static void fs_submit(struct gns_fs *gfs, struct gns_fsop *op)
{
	struct simfs *fs = container_of(gfs, struct simfs, fs);
	struct inode *i = fh_inode(fs, op_fh(op->req));
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
		read_first(fs, op, i);
	/* Children's attributes may be old by the time of the answer. */
	if (op->req->type == GNS_LOOKUP && i)
		fs_lookup(fs, op);
	if (op->req->type == GNS_REVALIDATE)
		fs_reval(fs, op);
	if (op->req->type == GNS_WRITE && i)
		write_step(fs, op, i, false);
	sim_in(fs->s, 5 * US + sim_below(fs->s, 2 * MS), &fs->s->orig->life,
	       op_end, w, true);
}

static void sync_end(void *arg)
{
	struct work *w = arg;
	struct work copy = *w;
	u32 i;

	free(w);
	for (i = 1; !copy.ino && i < FS_INODES; i++)
		if (copy.fs->mem[i].used)
			sync_inode(copy.fs, i);
	if (copy.ino && copy.fs->mem[copy.ino].used)
		sync_inode(copy.fs, copy.ino);
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
	/* What no name leads to is gone. */
	for (i = INO_FREE; i < FS_INODES; i++)
		fs->disk[i].nlink = 0;
	for (i = 0; i < FS_DIRS; i++) {
		for (k = 0; k < FS_NAMES; k++) {
			u32 ino = *dir_slot(&fs->disk[INO_DIR(i)], k);

			fs->disk[ino].nlink++;
		}
	}
	for (i = INO_FREE; i < FS_INODES; i++)
		fs->disk[i].used = fs->disk[i].nlink;
	memcpy(fs->mem, fs->disk, sizeof(fs->mem));
}

static const struct gns_fs_ops fs_ops = { fs_submit, fs_sync };

struct simfs *simfs_new(struct sim *s, struct host *host)
{
	struct simfs *fs = calloc(1, sizeof(*fs));
	u32 i;

	if (!fs)
		abort();
	fs->fs.ops = &fs_ops;
	fs->s = s;
	fs->host = host;
	TAILQ_INIT(&fs->names);
	for (i = 1; i < INO_FREE; i++) {
		struct inode *n = &fs->mem[i];

		n->used = true;
		n->nlink = 1;
		n->dir = i == INO_ROOT || i >= INO_DIR(0);
		n->size = n->dir || i >= INO_LOG(0) ? 0 : FS_BLOCK;
		n->ctime = fs_time(fs);
	}
	/* The root names the lists, so that lookups show their length. */
	for (i = 0; i < FS_LOGS; i++)
		*dir_slot(&fs->mem[INO_ROOT], i) = INO_LOG(i);
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
