// SPDX-License-Identifier: GPL-2.0
/*
 * A tree in memory without file contents: what a file holds is told by its
 * ctime, which no two states share.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "toy.h"

#define LIST_MAX 5u /* entries in one listing */
#define BULK_MAX 6000u

struct bulk {
	struct gns_bulk bulk;
	u8 data[BULK_MAX];
};

static void bulk_release(struct gns_bulk *b)
{
	free(container_of(b, struct bulk, bulk));
}

static void answer_bytes(struct gns_fsop *op, u64 len, int byte)
{
	struct bulk *b = malloc(sizeof(*b));

	FUZZ_CHECK(b, "no memory");
	len = min_u64(len, BULK_MAX);
	memset(b->data, byte, len);
	b->bulk = (struct gns_bulk){ b->data, -1, bulk_release };
	op->bulk = &b->bulk;
	op->rep.payload_len = len;
}

struct gns_fh toyfs_fh(const struct toy *t, u32 node)
{
	struct gns_fh fh = { .len = TOY_FH_LEN };

	fh.b[0] = 'n';
	fh.b[1] = node;
	memcpy(fh.b + 2, &t->nodes[node].gen, 4);
	return fh;
}

/* The node of a handle; -1: there is none. */
int toyfs_node(const struct toy *t, const struct gns_fh *fh)
{
	u32 n = fh->b[1];

	if (fh->len != TOY_FH_LEN || fh->b[0] != 'n' || n >= TOY_NODES)
		return -1;
	if (!t->nodes[n].used || memcmp(fh->b + 2, &t->nodes[n].gen, 4))
		return -1;
	return n;
}

static struct gns_attr attr_of(const struct toy *t, u32 node)
{
	const struct toy_node *n = &t->nodes[node];

	return (struct gns_attr){
		.ino = node + 1,
		.size = n->size,
		.mode = n->mode,
		.uid = n->uid,
		.nlink = 1,
		.ctime = n->ctime,
		.mtime = n->ctime,
		.blksize = 4096,
	};
}

static void stamp(struct toy *t, u32 node)
{
	t->ctime = t->ctime + 1 > (s64)t->real ? t->ctime + 1 : (s64)t->real;
	t->nodes[node].ctime = t->ctime;
}

/* Somebody changes a node without gns. */
void toyfs_beside(struct toy *t, u32 node)
{
	if (t->nodes[node].used)
		stamp(t, node);
}

static struct toy_entry *entry_find(struct toy *t, u32 dir,
				    const struct gns_str *name)
{
	u32 i;

	for (i = 0; i < TOY_ENTRIES; i++) {
		struct toy_entry *e = &t->entries[i];

		if (e->len == name->len && e->dir == dir && e->len &&
		    !memcmp(e->name, name->p, e->len))
			return e;
	}
	return NULL;
}

static bool is_dir(const struct toy *t, u32 node)
{
	return S_ISDIR(t->nodes[node].mode);
}

static int do_lookup(struct toy *t, struct gns_fsop *op, u32 dir)
{
	struct gns_r_lookup *r = &op->rep.r_lookup;
	struct toy_entry *e;

	if (!is_dir(t, dir))
		return -ENOTDIR;
	e = entry_find(t, dir, &op->req->name.name);
	r->absent = !e;
	if (e) {
		r->child.fh = toyfs_fh(t, e->node);
		r->child.attr = attr_of(t, e->node);
	}
	return 0;
}

static int do_readdir(struct toy *t, struct gns_fsop *op, u32 dir)
{
	struct gns_dirent *d;
	u64 i;

	if (!is_dir(t, dir))
		return -ENOTDIR;
	op->entries = calloc(LIST_MAX, sizeof(*d) + GNS_NAME_MAX);
	FUZZ_CHECK(op->entries, "no memory");
	op->rep.r_obj.eof = 1;
	for (i = op->req->range.off; i < TOY_ENTRIES; i++) {
		struct toy_entry *e = &t->entries[i];
		char *name = (char *)(op->entries + LIST_MAX) +
			     op->nentries * GNS_NAME_MAX;

		if (!e->len || e->dir != dir)
			continue;
		if (op->nentries == LIST_MAX) {
			op->rep.r_obj.eof = 0;
			break;
		}
		memcpy(name, e->name, e->len);
		d = &op->entries[op->nentries++];
		d->cookie = i + 1;
		d->type = is_dir(t, e->node) ? DT_DIR : DT_REG;
		d->has_attr = 1;
		d->name = (struct gns_str){ name, e->len };
		d->fh = toyfs_fh(t, e->node);
		d->attr = attr_of(t, e->node);
	}
	return 0;
}

static int do_read(struct toy *t, struct gns_fsop *op, u32 node)
{
	const struct gns_m_range *r = &op->req->range;
	const struct toy_node *n = &t->nodes[node];

	if (is_dir(t, node))
		return -EISDIR;
	op->rep.r_obj.eof = r->off + r->len >= n->size;
	if (r->off < n->size)
		answer_bytes(op, min_u64(r->len, n->size - r->off), n->ctime);
	return 0;
}

static void do_reval(struct toy *t, struct gns_fsop *op)
{
	u32 i;

	for (i = 0; i < op->nreval; i++) {
		struct gns_reval *v = &op->reval[i];
		int node = toyfs_node(t, &v->fh);

		v->status = node < 0 ? ESTALE : 0;
		if (node >= 0)
			v->attr = attr_of(t, node);
	}
}

/* What a request is about, among the kinds that name one object. */
static const struct gns_fh *subject(const struct gns_msg *req)
{
	switch (req->type) {
	case GNS_LOOKUP:
	case GNS_GETXATTR:
		return &req->name.fh;
	case GNS_READ:
	case GNS_READDIR:
		return &req->range.fh;
	case GNS_SEEK:
		return &req->seek.fh;
	}
	return &req->obj.fh;
}

static int do_ask(struct toy *t, struct gns_fsop *op)
{
	int node = toyfs_node(t, subject(op->req));

	if (node < 0)
		return -ESTALE;
	op->self = attr_of(t, node);
	switch (op->req->type) {
	case GNS_LOOKUP:
		return do_lookup(t, op, node);
	case GNS_READDIR:
		return do_readdir(t, op, node);
	case GNS_READ:
		return do_read(t, op, node);
	case GNS_SEEK:
		op->rep.r_seek.off = op->req->seek.off;
		return op->req->seek.off > 100 ? -ENXIO : 0;
	case GNS_READLINK:
		answer_bytes(op, 7, 'l');
		break;
	case GNS_GETXATTR:
	case GNS_LISTXATTR:
		answer_bytes(op, 3, 'x');
	}
	return 0;
}

static int do_mount(struct toy *t, struct gns_fsop *op)
{
	if (op->req->mount.export.p[0] == 'x')
		return -GNS_ST_NOEXPORT;
	op->rep.r_obj.fh = toyfs_fh(t, 0);
	op->self = attr_of(t, 0);
	return 0;
}

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
	stamp(t, node);
	for (i = 0; i < l->n && !gns_fh_eq(&l->v[i].fh, &fh); i++)
		;
	if (i == l->n)
		l->v[l->n++].fh = fh;
	l->v[i].attr = attr_of(t, node);
}

static int do_write(struct toy *t, struct gns_fsop *op)
{
	const struct gns_msg *req = op->req;
	int node = toyfs_node(t, &req->write.fh);
	u64 end = req->write.off + req->payload_len;

	if (node < 0)
		return -ESTALE;
	if (is_dir(t, node))
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
	if (a->valid & GNS_SA_SIZE && (is_dir(t, node) || a->size > 1 << 20))
		return -EINVAL;
	if (a->valid & GNS_SA_SIZE)
		t->nodes[node].size = a->size;
	if (a->valid & GNS_SA_UID)
		t->nodes[node].uid = a->uid;
	touch(t, op, node, false);
	return 0;
}

static int do_make(struct toy *t, struct gns_fsop *op)
{
	const struct gns_m_make *m = &op->req->make;
	bool mkdir = op->req->type == GNS_MKDIR;
	int dir = toyfs_node(t, &m->dir);
	struct toy_entry *e;
	u32 n, i;

	if (dir < 0)
		return -ESTALE;
	if (!is_dir(t, dir))
		return -ENOTDIR;
	e = entry_find(t, dir, &m->name);
	if (e) {
		if (mkdir || m->flags & GNS_CR_EXCL)
			return -EEXIST;
		if (is_dir(t, e->node))
			return -EISDIR;
		op->rep.r_change.fh = toyfs_fh(t, e->node);
		if (m->flags & GNS_CR_TRUNC) {
			t->nodes[e->node].size = 0;
			touch(t, op, e->node, false);
		}
		return 0;
	}
	for (n = 0; n < TOY_NODES && t->nodes[n].used; n++)
		;
	for (i = 0; i < TOY_ENTRIES && t->entries[i].len; i++)
		;
	if (n == TOY_NODES || i == TOY_ENTRIES)
		return -ENOSPC;
	e = &t->entries[i];
	*e = (struct toy_entry){ .dir = dir, .node = n, .len = m->name.len };
	memcpy(e->name, m->name.p, e->len);
	t->nodes[n].used = true;
	t->nodes[n].size = 0;
	t->nodes[n].mode = mkdir ? S_IFDIR | 0755 : S_IFREG | 0644;
	touch(t, op, n, false);
	touch(t, op, dir, false);
	op->rep.r_change.fh = toyfs_fh(t, n);
	op->rep.r_change.created = 1;
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
	e = entry_find(t, dir, &m->name);
	if (!e)
		return -ENOENT;
	if (is_dir(t, e->node) != rmdir)
		return is_dir(t, e->node) ? -EISDIR : -ENOTDIR;
	if (is_dir(t, e->node) && !is_empty(t, e->node))
		return -ENOTEMPTY;
	touch(t, op, e->node, true);
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
	if (is_dir(t, node) != is_dir(t, a->node))
		return is_dir(t, node) ? -EISDIR : -ENOTDIR;
	if (is_dir(t, node) && !is_empty(t, node))
		return -ENOTEMPTY;
	touch(t, op, node, true);
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
	a = entry_find(t, odir, &r->oname);
	b = entry_find(t, ndir, &r->nname);
	if (!a || (!b && r->flags & GNS_RN_EXCHANGE))
		return -ENOENT;
	if (!is_dir(t, ndir))
		return -ENOTDIR;
	if (a == b)
		return 0;
	if (is_below(t, ndir, a->node))
		return -EINVAL;
	node = a->node;
	if (b) {
		err = rename_over(t, op, a, b);
		if (err)
			return err;
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

static int do_change(struct toy *t, struct gns_fsop *op)
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
	}
	return do_remove(t, op);
}

static void run(struct toy *t, struct gns_fsop *op)
{
	struct gns_msg *rep = &op->rep;

	if (gns_msg_is_change(op->req->type)) {
		rep->status = t->fs_fails ? EIO : -do_change(t, op);
		if (t->tried)
			t->tried(t, op->req, rep->status);
	} else if (t->fs_fails) {
		rep->status = EIO;
	} else if (op->req->type == GNS_REVALIDATE) {
		do_reval(t, op);
	} else if (op->req->type == GNS_MOUNT) {
		rep->status = -do_mount(t, op);
	} else {
		rep->status = -do_ask(t, op);
	}
	if (t->fs_fails)
		t->fs_fails--;
}

static void fs_submit(struct gns_fs *fs, struct gns_fsop *op)
{
	struct toy *t = container_of(fs, struct toy, fs);

	FUZZ_CHECK(!op->bulk && !op->rep.payload_len,
		   "an operation that still has its last answer");
	if (!t->late) {
		run(t, op);
		op->done(op);
		return;
	}
	FUZZ_CHECK(t->nops < TOY_OPS, "operations without an end");
	t->ops[t->nops++] = (struct toy_op){ .op = op };
}

static void fs_sync(struct gns_fs *fs, const struct gns_fh *fh,
		    void (*done)(void *arg, int err), void *arg)
{
	struct toy *t = container_of(fs, struct toy, fs);

	if (!t->late) {
		done(arg, 0);
		return;
	}
	FUZZ_CHECK(t->nops < TOY_OPS, "operations without an end");
	t->ops[t->nops++] = (struct toy_op){ .synced = done, .arg = arg };
}

static const struct gns_fs_ops fs_ops = {
	.submit = fs_submit,
	.sync = fs_sync,
};

/* End one of the operations under way. Returns false when there is none. */
bool toyfs_end_one(struct toy *t, u32 which)
{
	struct toy_op o;
	int err = 0;

	if (!t->nops)
		return false;
	which %= t->nops;
	o = t->ops[which];
	memmove(t->ops + which, t->ops + which + 1,
		(--t->nops - which) * sizeof(o));
	if (o.op) {
		run(t, o.op);
		o.op->done(o.op);
		return true;
	}
	if (t->fs_fails) {
		t->fs_fails--;
		err = -EIO;
	}
	o.synced(o.arg, err);
	return true;
}

/* Run one of them, whose end the origin will not live to see. */
void toyfs_run_one(struct toy *t, u32 which)
{
	struct gns_fsop *op = which < t->nops ? t->ops[which].op : NULL;

	if (op && gns_msg_is_change(op->req->type))
		run(t, op);
}

static void preset(struct toy *t, u32 node, u32 dir, const char *name, u32 mode)
{
	struct toy_entry *e = &t->entries[node];

	t->nodes[node] = (struct toy_node){ .used = true, .mode = mode };
	stamp(t, node);
	if (!node)
		return;
	e->dir = dir;
	e->node = node;
	e->len = strlen(name);
	memcpy(e->name, name, e->len);
}

void toyfs_init(struct toy *t)
{
	t->fs.ops = &fs_ops;
	preset(t, 0, 0, "", S_IFDIR | 0755);
	preset(t, 1, 0, "a", S_IFREG | 0644);
	preset(t, 2, 0, "d", S_IFDIR | 0755);
	preset(t, 3, 2, "b", S_IFREG | 0644);
	t->nodes[1].size = 5000;
}
