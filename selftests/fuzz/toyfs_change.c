// SPDX-License-Identifier: GPL-2.0
/*
 * What changes do to the tree of toyfs.c.
 */
#include <errno.h>
#include <sys/stat.h>

#include "toy.h"

/* The change is seen in @node from now on. */
static void touch(struct toy *t, struct gns_fsop *op, u32 node, bool gone)
{
	struct gns_changed_list *l = &op->rep.r_change.changed;
	struct gns_fh fh = toyfs_fh(t, node);
	u32 i;

	if (t->touch)
		t->touch(t, op->req, &fh);
	if (gone) {
		t->nodes[node].used = false;
		t->nodes[node].gen++;
		return;
	}
	toyfs_stamp(t, node);
	for (i = 0; i < l->n && !gns_fh_eq(&l->v[i].fh, &fh); i++)
		;
	if (i == l->n)
		l->v[l->n++].fh = fh;
	l->v[i].attr = toyfs_attr(t, node);
}

static void drop_name(struct toy *t, struct gns_fsop *op, u32 node)
{
	touch(t, op, node, !--t->nodes[node].nlink);
}

static int do_write(struct toy *t, struct gns_fsop *op)
{
	const struct gns_msg *req = op->req;
	int node = toyfs_node(t, &req->write.fh);
	u64 end = req->write.off + req->payload_len;

	if (node < 0)
		return -ESTALE;
	if (toyfs_is_dir(t, node))
		return -EISDIR;
	if (req->write.off > 1 << 20)
		return -EFBIG;
	/* All of the payload must still be there. */
	if (req->payload_len)
		t->seed ^= fuzz_hash(1, req->payload, req->payload_len);
	t->size_before = t->nodes[node].size;
	t->nodes[node].size = max_u64(t->nodes[node].size, end);
	touch(t, op, node, false);
	op->rep.r_change.off = req->write.off;
	op->rep.r_change.count = req->payload_len;
	return 0;
}

static int do_setattr(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_setattr *a = &op->req->setattr;
	int node = toyfs_node(t, &a->fh);

	if (node < 0)
		return -ESTALE;
	if (a->valid & GNS_SA_SIZE && (toyfs_is_dir(t, node) || a->size > 1 << 20))
		return -EINVAL;
	if (a->valid & GNS_SA_SIZE)
		t->nodes[node].size = a->size;
	if (a->valid & GNS_SA_UID)
		t->nodes[node].uid = a->uid;
	touch(t, op, node, false);
	return 0;
}

/* A new node under a name that is free. */
static int make_node(struct toy *t, struct gns_fsop *op, u32 dir,
		     const struct gns_str *name, u32 mode)
{
	struct toy_entry *e;
	u32 n, i;

	for (n = 0; n < TOY_NODES && t->nodes[n].used; n++)
		;
	for (i = 0; i < TOY_ENTRIES && t->entries[i].len; i++)
		;
	if (n == TOY_NODES || i == TOY_ENTRIES)
		return -ENOSPC;
	e = &t->entries[i];
	*e = (struct toy_entry){ .dir = dir, .node = n, .len = name->len };
	memcpy(e->name, name->p, e->len);
	t->nodes[n] = (struct toy_node){ .used = true,
					 .gen = t->nodes[n].gen,
					 .uid = t->nodes[n].uid,
					 .mode = mode,
					 .nlink = 1 };
	touch(t, op, n, false);
	touch(t, op, dir, false);
	op->rep.r_change.fh = toyfs_fh(t, n);
	op->rep.r_change.created = 1;
	return 0;
}

static int do_make(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_make *m = &op->req->make;
	bool mkdir = op->req->type == GNS_MKDIR;
	int dir = toyfs_node(t, &m->dir);
	struct toy_entry *e;

	if (dir < 0)
		return -ESTALE;
	if (!toyfs_is_dir(t, dir))
		return -ENOTDIR;
	e = toyfs_entry(t, dir, &m->name);
	if (!e)
		return make_node(t, op, dir, &m->name,
				 mkdir ? S_IFDIR | 0755 : S_IFREG | 0644);
	if (mkdir || m->flags & GNS_CR_EXCL)
		return -EEXIST;
	if (toyfs_is_dir(t, e->node))
		return -EISDIR;
	op->rep.r_change.fh = toyfs_fh(t, e->node);
	if (m->flags & GNS_CR_TRUNC) {
		t->nodes[e->node].size = 0;
		touch(t, op, e->node, false);
	}
	return 0;
}

static int do_symlink(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_symlink *m = &op->req->symlink;
	int dir = toyfs_node(t, &m->dir);

	if (dir < 0)
		return -ESTALE;
	if (!toyfs_is_dir(t, dir))
		return -ENOTDIR;
	if (toyfs_entry(t, dir, &m->name))
		return -EEXIST;
	return make_node(t, op, dir, &m->name, S_IFLNK | 0777);
}

static int do_mknod(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_mknod *m = &op->req->mknod;
	int dir = toyfs_node(t, &m->dir);
	int err;

	if (dir < 0)
		return -ESTALE;
	if (!toyfs_is_dir(t, dir))
		return -ENOTDIR;
	if (!S_ISFIFO(m->mode) && !S_ISCHR(m->mode))
		return -EINVAL;
	if (toyfs_entry(t, dir, &m->name))
		return -EEXIST;
	err = make_node(t, op, dir, &m->name, m->mode);
	if (!err && S_ISCHR(m->mode))
		t->nodes[toyfs_node(t, &op->rep.r_change.fh)].rdev = m->rdev;
	return err;
}

static int do_link(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_link *m = &op->req->link;
	int dir = toyfs_node(t, &m->dir), node = toyfs_node(t, &m->fh);
	struct toy_entry *e;
	u32 i;

	if (dir < 0 || node < 0)
		return -ESTALE;
	if (!toyfs_is_dir(t, dir))
		return -ENOTDIR;
	if (toyfs_is_dir(t, node))
		return -EPERM;
	if (toyfs_entry(t, dir, &m->name))
		return -EEXIST;
	for (i = 0; i < TOY_ENTRIES && t->entries[i].len; i++)
		;
	if (i == TOY_ENTRIES)
		return -ENOSPC;
	e = &t->entries[i];
	*e = (struct toy_entry){ .dir = dir, .node = node, .len = m->name.len };
	memcpy(e->name, m->name.p, e->len);
	t->nodes[node].nlink++;
	touch(t, op, node, false);
	touch(t, op, dir, false);
	return 0;
}

/* There is one attribute, "x". */
static int do_setxattr(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_setxattr *m = &op->req->setxattr;
	int node = toyfs_node(t, &m->fh);
	bool *has;

	if (node < 0)
		return -ESTALE;
	if (m->name.len != 1 || m->name.p[0] != 'x')
		return -EOPNOTSUPP;
	has = &t->nodes[node].xattr;
	if (*has && m->flags & GNS_XA_CREATE)
		return -EEXIST;
	if (!*has && m->flags & (GNS_XA_REPLACE | GNS_XA_REMOVE))
		return -ENODATA;
	*has = !(m->flags & GNS_XA_REMOVE);
	if (op->req->payload_len)
		t->seed ^= fuzz_hash(1, op->req->payload,
				     op->req->payload_len);
	touch(t, op, node, false);
	return 0;
}

static int do_fallocate(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_fallocate *m = &op->req->fallocate;
	int node = toyfs_node(t, &m->fh);

	if (node < 0)
		return -ESTALE;
	if (toyfs_is_dir(t, node))
		return -EISDIR;
	if (m->off > 1 << 20 || m->len > 1 << 20)
		return -EFBIG;
	t->nodes[node].size = max_u64(t->nodes[node].size, m->off + m->len);
	touch(t, op, node, false);
	return 0;
}

static int do_copy(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_copy *m = &op->req->copy;
	int from = toyfs_node(t, &m->from), node = toyfs_node(t, &m->fh);
	u64 len;

	if (from < 0 || node < 0)
		return -ESTALE;
	if (toyfs_is_dir(t, from) || toyfs_is_dir(t, node))
		return -EISDIR;
	if (m->off > 1 << 20 || m->from_off > 1 << 20)
		return -EFBIG;
	len = t->nodes[from].size > m->from_off ?
		      t->nodes[from].size - m->from_off :
		      0;
	len = min_u64(len, m->len);
	t->nodes[node].size = max_u64(t->nodes[node].size, m->off + len);
	touch(t, op, node, false);
	op->rep.r_change.count = min_u64(len, GNS_COPY_MAX);
	return 0;
}

static bool is_empty(const struct toy *t, u32 dir)
{
	u32 i;

	for (i = 0; i < TOY_ENTRIES; i++)
		if (t->entries[i].len && t->entries[i].dir == dir)
			return false;
	return true;
}

static int do_remove(struct toy *t, struct gns_fsop *op)
{
	bool rmdir = op->req->type == GNS_RMDIR;
	const struct gns_m_make *m = &op->req->make;
	int dir = toyfs_node(t, &m->dir);
	struct toy_entry *e;

	if (dir < 0)
		return -ESTALE;
	e = toyfs_entry(t, dir, &m->name);
	if (!e)
		return -ENOENT;
	if (toyfs_is_dir(t, e->node) != rmdir)
		return toyfs_is_dir(t, e->node) ? -EISDIR : -ENOTDIR;
	if (toyfs_is_dir(t, e->node) && !is_empty(t, e->node))
		return -ENOTEMPTY;
	drop_name(t, op, e->node);
	e->len = 0;
	touch(t, op, dir, false);
	return 0;
}

/* Is @node @top, or below it? */
static bool is_below(const struct toy *t, u32 node, u32 top)
{
	u32 i;

	while (node != top && node) {
		for (i = 0; i < TOY_ENTRIES; i++)
			if (t->entries[i].len && t->entries[i].node == node)
				break;
		if (i == TOY_ENTRIES)
			return false;
		node = t->entries[i].dir;
	}
	return node == top;
}

static int rename_over(struct toy *t, struct gns_fsop *op, struct toy_entry *a,
		       struct toy_entry *b)
{
	u8 node = b->node;

	if (op->req->rename.flags & GNS_RN_NOREPLACE)
		return -EEXIST;
	if (op->req->rename.flags & GNS_RN_EXCHANGE) {
		if (is_below(t, a->dir, node))
			return -EINVAL;
		b->node = a->node;
		a->node = node;
		touch(t, op, node, false);
		return 0;
	}
	if (toyfs_is_dir(t, node) != toyfs_is_dir(t, a->node))
		return toyfs_is_dir(t, node) ? -EISDIR : -ENOTDIR;
	if (toyfs_is_dir(t, node) && !is_empty(t, node))
		return -ENOTEMPTY;
	if (node == a->node)
		return 1;
	drop_name(t, op, node);
	b->node = a->node;
	a->len = 0;
	return 0;
}

static int do_rename(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_rename *r = &op->req->rename;
	int odir = toyfs_node(t, &r->odir), ndir = toyfs_node(t, &r->ndir);
	struct toy_entry *a, *b;
	u32 node;
	int err;

	if (odir < 0 || ndir < 0)
		return -ESTALE;
	a = toyfs_entry(t, odir, &r->oname);
	b = toyfs_entry(t, ndir, &r->nname);
	if (!a || (!b && r->flags & GNS_RN_EXCHANGE))
		return -ENOENT;
	if (!toyfs_is_dir(t, ndir))
		return -ENOTDIR;
	if (a == b)
		return 0;
	if (is_below(t, ndir, a->node))
		return -EINVAL;
	node = a->node;
	if (b) {
		err = rename_over(t, op, a, b);
		/* Two names of one file: both stay. */
		if (err)
			return err > 0 ? 0 : err;
	} else {
		a->dir = ndir;
		a->len = r->nname.len;
		memcpy(a->name, r->nname.p, a->len);
	}
	touch(t, op, node, false);
	touch(t, op, odir, false);
	touch(t, op, ndir, false);
	return 0;
}

int toyfs_change(struct toy *t, struct gns_fsop *op)
{
	switch (op->req->type) {
	case GNS_WRITE:
		return do_write(t, op);
	case GNS_SETATTR:
		return do_setattr(t, op);
	case GNS_CREATE:
	case GNS_MKDIR:
		return do_make(t, op);
	case GNS_RENAME:
		return do_rename(t, op);
	case GNS_LINK:
		return do_link(t, op);
	case GNS_SYMLINK:
		return do_symlink(t, op);
	case GNS_MKNOD:
		return do_mknod(t, op);
	case GNS_SETXATTR:
		return do_setxattr(t, op);
	case GNS_FALLOCATE:
		return do_fallocate(t, op);
	case GNS_COPY:
		return do_copy(t, op);
	case GNS_TMPFILE:
		return -EOPNOTSUPP;
	}
	return do_remove(t, op);
}
