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

struct gns_attr toyfs_attr(const struct toy *t, u32 node)
{
	const struct toy_node *n = &t->nodes[node];

	return (struct gns_attr){
		.ino = node + 1,
		.size = n->size,
		.mode = n->mode,
		.uid = n->uid,
		.rdev = n->rdev,
		.nlink = n->nlink,
		.ctime = n->ctime,
		.mtime = n->ctime,
		.blksize = 4096,
	};
}

/* Another state of a node, that no other one looks like. */
void toyfs_stamp(struct toy *t, u32 node)
{
	t->ctime = t->ctime + 1 > (s64)t->real ? t->ctime + 1 : (s64)t->real;
	t->nodes[node].ctime = t->ctime;
}

/* Somebody changes a node without gns. */
void toyfs_beside(struct toy *t, u32 node)
{
	if (t->nodes[node].used)
		toyfs_stamp(t, node);
}

struct toy_entry *toyfs_entry(struct toy *t, u32 dir,
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

bool toyfs_is_dir(const struct toy *t, u32 node)
{
	return S_ISDIR(t->nodes[node].mode);
}

static int do_lookup(struct toy *t, struct gns_fsop *op, u32 dir)
{
	struct gns_r_lookup *r = &op->rep.r_lookup;
	struct toy_entry *e;

	if (!toyfs_is_dir(t, dir))
		return -ENOTDIR;
	e = toyfs_entry(t, dir, &op->req->name.name);
	r->absent = !e;
	if (e) {
		r->child.fh = toyfs_fh(t, e->node);
		r->child.attr = toyfs_attr(t, e->node);
	}
	return 0;
}

static int do_readdir(struct toy *t, struct gns_fsop *op, u32 dir)
{
	struct gns_dirent *d;
	u64 i;

	if (!toyfs_is_dir(t, dir))
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
		d->type = IFTODT(t->nodes[e->node].mode);
		d->has = op->req->range.want & GNS_WANT_NAMES ? GNS_DE_INO :
								GNS_DE_ATTR;
		d->name = (struct gns_str){ name, e->len };
		d->fh = toyfs_fh(t, e->node);
		d->attr = toyfs_attr(t, e->node);
	}
	return 0;
}

static int do_read(struct toy *t, struct gns_fsop *op, u32 node)
{
	const struct gns_m_range *r = &op->req->range;
	const struct toy_node *n = &t->nodes[node];

	if (toyfs_is_dir(t, node))
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
			v->attr = toyfs_attr(t, node);
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
	op->self = toyfs_attr(t, node);
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
		if (!S_ISLNK(t->nodes[node].mode))
			return -EINVAL;
		answer_bytes(op, 7, 'l');
		break;
	case GNS_GETXATTR:
		answer_bytes(op, 3, 'x');
		break;
	case GNS_LISTXATTR:
		answer_bytes(op, 2 * t->nodes[node].xattr, 'x');
		if (t->nodes[node].xattr)
			container_of(op->bulk, struct bulk, bulk)->data[1] = 0;
	}
	return 0;
}

static int do_mount(struct toy *t, struct gns_fsop *op)
{
	if (op->req->mount.export.p[0] == 'x')
		return -GNS_ST_NOEXPORT;
	op->rep.r_obj.fh = toyfs_fh(t, 0);
	op->self = toyfs_attr(t, 0);
	return 0;
}

static void run(struct toy *t, struct gns_fsop *op)
{
	struct gns_msg *rep = &op->rep;

	if (gns_msg_is_change(op->req->type)) {
		rep->status = t->fs_fails ? EIO : -toyfs_change(t, op);
		t->idle = !rep->r_change.changed.n;
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

	t->nodes[node] = (struct toy_node){ .used = true,
					    .mode = mode,
					    .nlink = 1 };
	toyfs_stamp(t, node);
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
