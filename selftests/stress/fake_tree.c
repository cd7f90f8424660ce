// SPDX-License-Identifier: GPL-2.0
/*
 * What the untrusted origin says when it says the truth: a root with files, a
 * directory of files, a link and a pipe.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fake.h"

enum {
	ROOT = 1,
	SUB,
	LINK,
	FIFO,
	FILES, /* of the root; those of SUB follow */
	NODES = FILES + 2 * FAKE_FILES,
};

static struct gns_fh fh_of(u64 id)
{
	struct gns_fh fh = { .len = sizeof(id) };

	memcpy(fh.b, &id, sizeof(id));
	return fh;
}

static u64 id_of(const struct gns_fh *fh)
{
	u64 id = 0;

	if (fh->len == sizeof(id))
		memcpy(&id, fh->b, sizeof(id));
	return id < NODES ? id : 0;
}

static u64 size_of(u64 id)
{
	static const u32 sizes[] = { 0, 1, 4095, 4096, 4097, 100000, 3000000 };

	return id < FILES ? 4096 : sizes[id % ARRAY_SIZE(sizes)];
}

static struct gns_attr attr_of(u64 id)
{
	static const u32 modes[] = { 0, S_IFDIR | 0755, S_IFDIR | 0755,
				     S_IFLNK | 0777, S_IFIFO | 0644 };
	struct gns_attr a = { .ino = id, .size = size_of(id), .nlink = 1 };

	a.mode = id < FILES ? modes[id] : S_IFREG | 0644;
	a.blocks = (a.size + 511) / 512;
	a.mtime = 1000000000;
	a.ctime = a.mtime;
	a.atime = a.mtime;
	a.btime = a.mtime;
	a.blksize = 4096;
	if (S_ISDIR(a.mode))
		a.nlink = 2;
	if (S_ISLNK(a.mode))
		a.size = 5;
	return a;
}

static struct gns_grant grant_of(u8 want)
{
	struct gns_grant g = { .version = fake.version };

	if (want & GNS_WANT_LEASE)
		g.number = __atomic_add_fetch(&fake.number, 1, __ATOMIC_RELAXED);
	return g;
}

static void obj(struct gns_r_obj *o, u64 id, u8 want)
{
	*o = (struct gns_r_obj){ fh_of(id), grant_of(want), attr_of(id), 0 };
}

static u64 child(u64 dir, const struct gns_str *name)
{
	u32 i;

	if (dir == ROOT && name->len == 3 && !memcmp(name->p, "sub", 3))
		return SUB;
	if (dir == ROOT && name->len == 4 && !memcmp(name->p, "link", 4))
		return LINK;
	if (dir == ROOT && name->len == 4 && !memcmp(name->p, "fifo", 4))
		return FIFO;
	if (name->len != 2 || name->p[0] != 'f')
		return 0;
	i = name->p[1] - 'a';
	return i >= FAKE_FILES ? 0 : FILES + i + (dir == SUB ? FAKE_FILES : 0);
}

static const char *const bad_names[] = { ".", "..", "a/b", "/", "fa", "sub" };

static void entry(struct peer *p, struct gns_dirent *d, char *name, u64 id,
		  bool bad)
{
	static const char *const others[] = { "", "", "sub", "link", "fifo" };

	if (id < FILES)
		strcpy(name, others[id]);
	else
		sprintf(name, "f%c", 'a' + (char)((id - FILES) % FAKE_FILES));
	*d = (struct gns_dirent){ .cookie = id, .has = GNS_DE_ATTR };
	d->fh = fh_of(id);
	d->attr = attr_of(id);
	d->grant = grant_of(GNS_WANT_LEASE);
	d->type = d->attr.mode >> 12;
	if (bad && !peer_rnd(p, 3)) {
		strcpy(name, bad_names[peer_rnd(p, ARRAY_SIZE(bad_names))]);
		d->cookie = peer_rnd(p, 3) ? peer_rnd(p, 4) : ~0ull;
		d->type = peer_rnd(p, 16);
		d->attr.mode = peer_rnd(p, 2) ? d->attr.mode :
						peer_rnd(p, 0x20000);
		d->fh = peer_rnd(p, 2) ? d->fh : fh_of(peer_rnd(p, NODES));
		d->has = peer_rnd(p, GNS_DE_MAX + 1);
	}
	d->name = (struct gns_str){ name, strlen(name) };
}

u32 fake_listing(struct peer *p, u8 *to, u32 cap, u64 dir, u64 cookie, bool bad)
{
	u64 id = dir == SUB ? FILES + FAKE_FILES : SUB;
	u64 end = dir == SUB ? NODES : FILES + FAKE_FILES;
	struct gns_dirent d;
	char name[32];
	u32 len = 0;
	int n;

	if (cookie >= id)
		id = cookie + 1;
	for (; id < end; id++) {
		entry(p, &d, name, id, bad);
		n = gns_dirent_put(to + len, cap - len, &d);
		if (n < 0)
			break;
		len += n;
	}
	return len;
}

static void read_file(struct peer *p, const struct gns_m_range *m, u64 id,
		      struct gns_msg *rep)
{
	u64 size = size_of(id), left = m->off < size ? size - m->off : 0;

	rep->payload_len = left < m->len ? left : m->len;
	rep->payload = p->payload;
	memset(p->payload, 'x', rep->payload_len);
	rep->r_obj.eof = m->off + rep->payload_len >= size;
}

static void list(struct peer *p, const struct gns_m_range *m, u64 id,
		 struct gns_msg *rep)
{
	rep->payload = p->payload;
	rep->payload_len = fake_listing(p, p->payload, 4096, id, m->off, false);
	rep->r_obj.eof = !rep->payload_len;
}

static void revalidate(struct peer *p, const struct gns_msg *req,
		       struct gns_msg *rep)
{
	const u8 *in = req->payload;
	u32 left = req->payload_len, out = 0;
	struct gns_reval r;
	int n;

	while (left && (n = gns_reval_get(in, left, &r, false)) > 0) {
		in += n;
		left -= n;
		r.version = 0;
		r.status = id_of(&r.fh) ? 0 : ESTALE;
		r.grant = grant_of(GNS_WANT_LEASE);
		r.attr = attr_of(id_of(&r.fh));
		n = gns_reval_put(p->payload + out, FAKE_BUF - out, &r, true);
		if (n < 0)
			break;
		out += n;
	}
	rep->count.count = req->count.count;
	rep->payload = p->payload;
	rep->payload_len = out;
}

static void about_session(const struct gns_msg *req, struct gns_msg *rep)
{
	if (req->type == GNS_HELLO) {
		rep->r_hello = (struct gns_r_hello){
			.proto = 1,
			.sid = 1 + __atomic_fetch_add(&fake.number, 1,
						      __ATOMIC_RELAXED),
			.stamp = req->hello.stamp,
			.ttl = 3 * NSEC_PER_SEC,
			.slots = 64,
			.slots_known = 1,
			.incarnation = 1,
		};
	} else if (req->type == GNS_RENEW) {
		rep->r_renew.stamp = req->renew.stamp;
		rep->r_renew.ttl = 3 * NSEC_PER_SEC;
	}
}

static void by_name(const struct gns_msg *req, struct gns_msg *rep)
{
	u64 dir = id_of(&req->name.fh), id = child(dir, &req->name.name);

	rep->r_lookup.dir = grant_of(req->name.want);
	rep->r_lookup.absent = !id;
	if (id)
		obj(&rep->r_lookup.child, id, req->name.want);
}

void fake_answer(struct peer *p, const struct gns_msg *req, struct gns_msg *rep)
{
	u64 id = 0;
	u8 want;

	*rep = (struct gns_msg){ .type = req->type, .reply = true };
	rep->tag = req->tag;
	rep->sid = req->sid;
	if (req->type <= GNS_RELEASED)
		return about_session(req, rep);
	if (req->type == GNS_LOOKUP)
		return by_name(req, rep);
	if (req->type == GNS_REVALIDATE)
		return revalidate(p, req, rep);
	if (req->type == GNS_STATFS) {
		rep->r_statfs = (struct gns_r_statfs){ 4096, 9, 5, 5, 9, 5, 255 };
		return;
	}
	if (req->type == GNS_MOUNT)
		id = ROOT;
	else if (req->type == GNS_READ || req->type == GNS_READDIR)
		id = id_of(&req->range.fh);
	else if (req->type == GNS_GETATTR || req->type == GNS_READLINK ||
		 req->type == GNS_LISTXATTR)
		id = id_of(&req->obj.fh);
	if (!id) {
		rep->status = req->type == GNS_GETXATTR ? ENODATA :
			      req->type == GNS_SEEK	? ENXIO :
							  ESTALE;
		return;
	}
	if (req->type == GNS_MOUNT)
		want = GNS_WANT_LEASE;
	else if (req->type == GNS_READ || req->type == GNS_READDIR)
		want = req->range.want;
	else
		want = req->obj.want;
	obj(&rep->r_obj, id, want);
	if (req->type == GNS_READ) {
		read_file(p, &req->range, id, rep);
	} else if (req->type == GNS_READDIR) {
		list(p, &req->range, id, rep);
	} else if (req->type == GNS_READLINK) {
		rep->payload = "sub/f";
		rep->payload_len = 5;
	}
}
