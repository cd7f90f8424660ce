// SPDX-License-Identifier: GPL-2.0
/*
 * What each operation does to the simulated tree, in one step or in two.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "origin/core.h"
#include "simfs_int.h"

struct data_bulk {
	struct gns_bulk bulk;
	u8 data[];
};

/* What there is to see of it, as a number. */
static u64 state_of(const struct inode *i)
{
	XXH64_hash_t h = XXH64(i->data, sizeof(i->data), (u64)i->ctime);

	return XXH64(&i->size, sizeof(i->size), h ^ i->nlink);
}

/* Nothing asks for the time of the last write: in its place is the state. */
u64 simfs_attr_state(const struct gns_attr *a)
{
	return (u64)a->mtime;
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
	a->mtime = (s64)state_of(i);
	a->blksize = 4096;
}

static void data_release(struct gns_bulk *b)
{
	free(container_of(b, struct data_bulk, bulk));
}

static void touch(struct simfs *fs, struct inode *i)
{
	i->ctime = simfs_time(fs);
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
	*simfs_slot(dir, name) = ino;
	touch(fs, dir);
}

/* The handle of @ino, for who asks. */
static struct gns_fh name_of(const struct simfs *fs, u32 ino)
{
	return simfs_fh(ino, fs->view);
}

static void changed(struct simfs *fs, struct gns_fsop *op, struct inode *i)
{
	struct gns_changed_list *l = &op->rep.r_change.changed;
	struct gns_changed *c = &l->v[l->n];

	if (!i->nlink && !i->kept)
		return;
	l->n++;
	c->fh = name_of(fs, i - fs->mem);
	attr_of(fs, i, &c->attr);
}

/* The name that nobody sees: it is there, or it goes. */
void simfs_keep(struct simfs *fs, struct inode *i, bool kept)
{
	struct name_op *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->ino = i - fs->mem;
	n->name = kept;
	TAILQ_INSERT_TAIL(&fs->names, n, link);
	i->kept = kept;
}

/* Before it loses a name. */
static void keep(struct simfs *fs, struct gns_fsop *op, struct inode *i)
{
	if (op->keep && i->nlink == 1)
		simfs_keep(fs, i, true);
}

static void drop_link(struct simfs *fs, const struct gns_fsop *op,
		      struct inode *i)
{
	i->nlink--;
	touch(fs, i);
	if (i->nlink || i->kept)
		return;
	i->used = false;
	files_gone(fs->s, (u32)(i - fs->mem));
}

static int fs_create(struct simfs *fs, struct gns_fsop *op)
{
	const struct gns_m_make *m = &op->req->make;
	struct inode *dir = simfs_inode(fs, &m->dir), *i;
	int nr = simfs_name(&m->name);

	if (!dir)
		return -ESTALE;
	if (nr < 0)
		return -EINVAL;
	if (*simfs_slot(dir, nr))
		return -EEXIST;
	if (fs->next == FS_INODES)
		return -ENOSPC;
	i = &fs->mem[fs->next];
	*i = (struct inode){ .used = true, .nlink = 1 };
	touch(fs, i);
	fs->made[fs->next].serial = m->cred.uid;
	fs->made[fs->next].ino = fs->next;
	set_name(fs, dir, nr, fs->next++);
	op->rep.r_change.fh = name_of(fs, i - fs->mem);
	op->rep.r_change.created = 1;
	changed(fs, op, dir);
	changed(fs, op, i);
	return 0;
}

static int fs_link(struct simfs *fs, struct gns_fsop *op)
{
	const struct gns_m_link *m = &op->req->link;
	struct inode *dir = simfs_inode(fs, &m->dir);
	struct inode *i = simfs_inode(fs, &m->fh);
	int nr = simfs_name(&m->name);

	if (!dir || !i)
		return -ESTALE;
	if (nr < 0)
		return -EINVAL;
	if (*simfs_slot(dir, nr))
		return -EEXIST;
	i->nlink++;
	touch(fs, i);
	set_name(fs, dir, nr, i - fs->mem);
	changed(fs, op, dir);
	changed(fs, op, i);
	return 0;
}

static int fs_unlink(struct simfs *fs, struct gns_fsop *op)
{
	const struct gns_m_make *m = &op->req->make;
	struct inode *dir = simfs_inode(fs, &m->dir), *i;
	int nr = simfs_name(&m->name);

	if (!dir)
		return -ESTALE;
	if (nr < 0 || !*simfs_slot(dir, nr))
		return -ENOENT;
	i = &fs->mem[*simfs_slot(dir, nr)];
	keep(fs, op, i);
	set_name(fs, dir, nr, 0);
	drop_link(fs, op, i);
	changed(fs, op, dir);
	changed(fs, op, i);
	return 0;
}

static int fs_rename(struct simfs *fs, struct gns_fsop *op)
{
	const struct gns_m_rename *m = &op->req->rename;
	struct inode *od = simfs_inode(fs, &m->odir), *nd = simfs_inode(fs, &m->ndir);
	int on = simfs_name(&m->oname), nn = simfs_name(&m->nname);
	struct inode *i, *old;

	if (!od || !nd)
		return -ESTALE;
	if (on < 0 || nn < 0 || !*simfs_slot(od, on))
		return -ENOENT;
	i = &fs->mem[*simfs_slot(od, on)];
	old = *simfs_slot(nd, nn) ? &fs->mem[*simfs_slot(nd, nn)] : NULL;
	/* Two names of one file both stay, as with rename(2). */
	if (i != old) {
		if (old)
			keep(fs, op, old);
		set_name(fs, nd, nn, i - fs->mem);
		TAILQ_LAST(&fs->names, name_ops)->more = true;
		set_name(fs, od, on, 0);
		touch(fs, i);
		if (old)
			drop_link(fs, op, old);
	}
	changed(fs, op, od);
	if (nd != od)
		changed(fs, op, nd);
	changed(fs, op, i);
	if (old && old != i)
		changed(fs, op, old);
	return 0;
}

void simfs_lookup(struct simfs *fs, struct gns_fsop *op)
{
	struct inode *dir = simfs_inode(fs, &op->req->name.fh);
	int nr = simfs_name(&op->req->name.name);
	struct gns_r_lookup *l = &op->rep.r_lookup;
	u32 ino;

	attr_of(fs, dir, &op->self);
	ino = nr < 0 ? 0 : *simfs_slot(dir, nr);
	l->absent = !ino;
	if (ino) {
		l->child.fh = name_of(fs, ino);
		attr_of(fs, &fs->mem[ino], &l->child.attr);
	}
}

static void fs_readdir(struct simfs *fs, struct gns_fsop *op)
{
	static const char names[] = "n0n1n2n3n4n5";
	struct inode *dir = simfs_inode(fs, &op->req->range.fh);
	u32 i, from = op->req->range.off;

	attr_of(fs, dir, &op->self);
	op->entries = calloc(FS_NAMES, sizeof(*op->entries));
	if (!op->entries)
		abort();
	for (i = from; i < FS_NAMES; i++) {
		u32 ino = *simfs_slot(dir, i);
		struct gns_dirent *d = &op->entries[op->nentries];

		if (!ino)
			continue;
		op->nentries++;
		d->cookie = i + 1;
		d->has = op->req->range.want & GNS_WANT_NAMES ? GNS_DE_INO :
								GNS_DE_ATTR;
		d->name = (struct gns_str){ names + 2 * i, 2 };
		d->fh = name_of(fs, ino);
		attr_of(fs, &fs->mem[ino], &d->attr);
	}
	op->rep.r_obj.eof = 1;
}

void simfs_reval(struct simfs *fs, struct gns_fsop *op)
{
	struct inode *i;
	u32 n;

	for (n = 0; n < op->nreval; n++) {
		i = simfs_inode(fs, &op->reval[n].fh);
		op->reval[n].status = i ? 0 : ESTALE;
		if (i)
			attr_of(fs, i, &op->reval[n].attr);
	}
}

/* First step of a read of bytes: attributes, and the first half. */
void simfs_read_first(struct simfs *fs, struct gns_fsop *op, struct inode *i)
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

int simfs_write(struct simfs *fs, struct gns_fsop *op, struct inode *i,
		bool second)
{
	const struct gns_m_write *m = &op->req->write;
	u32 len = op->req->payload_len, half = len / 2, serial;
	const u8 *p = op->req->payload;

	if (m->off + len > FS_LOG_BYTES || (u32)(i - fs->mem) >= INO_FREE)
		return -EFBIG;
	if (!second) {
		fs->whole[i - fs->mem] = *i;
		fs->torn[i - fs->mem] = true;
		memcpy(i->data + m->off, p, half);
		return 0;
	}
	memcpy(&serial, p, sizeof(serial));
	if (i - fs->mem < INO_LOG(0))
		locks_applied(fs->s, (u32)(i - fs->mem), serial);
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

static int fs_setattr(struct simfs *fs, struct gns_fsop *op, struct inode *i)
{
	const struct gns_m_setattr *m = &op->req->setattr;

	if (m->valid & GNS_SA_SIZE) {
		if (m->size > FS_LOG_BYTES)
			return -EFBIG;
		if (m->size < i->size)
			memset(i->data + m->size, 0, i->size - m->size);
		i->size = m->size;
	}
	touch(fs, i);
	changed(fs, op, i);
	return 0;
}

/* All of a file is data. */
static int fs_seek(struct gns_fsop *op, const struct inode *i)
{
	const struct gns_m_seek *m = &op->req->seek;

	if (m->off >= i->size)
		return -ENXIO;
	op->rep.r_seek.off = m->whence == GNS_SK_HOLE ? i->size : m->off;
	return 0;
}

const struct gns_fh *simfs_op_fh(const struct gns_msg *m)
{
	switch (m->type) {
	case GNS_LOOKUP:
		return &m->name.fh;
	case GNS_READ:
	case GNS_READDIR:
		return &m->range.fh;
	case GNS_SEEK:
		return &m->seek.fh;
	case GNS_WRITE:
		return &m->write.fh;
	case GNS_SETATTR:
		return &m->setattr.fh;
	}
	return &m->obj.fh;
}

/* The view that somebody asks in. */
u32 simfs_op_view(const struct gns_msg *m)
{
	const struct gns_fh *fh[REQUEST_FHS];

	if (gns_msg_is_change(m->type) && request_fhs(m, fh))
		return simfs_view(fh[0]);
	return m->type == GNS_REVALIDATE || m->type == GNS_MOUNT ?
		       0 :
		       simfs_view(simfs_op_fh(m));
}

/* The second step, or the only one. */
int simfs_run(struct simfs *fs, struct gns_fsop *op)
{
	struct inode *i;

	switch (op->req->type) {
	case GNS_CREATE:
		return fs_create(fs, op);
	case GNS_LINK:
		return fs_link(fs, op);
	case GNS_UNLINK:
		return fs_unlink(fs, op);
	case GNS_RENAME:
		return fs_rename(fs, op);
	case GNS_REVALIDATE:
		return 0; /* seen at the first step */
	case GNS_MOUNT:
		op->rep.r_obj.fh = name_of(fs, INO_ROOT);
		attr_of(fs, &fs->mem[INO_ROOT], &op->self);
		return 0;
	}
	i = simfs_inode(fs, simfs_op_fh(op->req));
	if (!i)
		return -ESTALE;
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
	case GNS_SEEK:
		return fs_seek(op, i);
	case GNS_WRITE:
		return simfs_write(fs, op, i, true);
	case GNS_SETATTR:
		return fs_setattr(fs, op, i);
	case GNS_FSYNC:
		simfs_sync_inode(fs, i - fs->mem);
		return 0;
	}
	return -EOPNOTSUPP;
}
