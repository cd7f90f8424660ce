// SPDX-License-Identifier: GPL-2.0
/*
 * Between the kernel's form of things and the wire's; see translate.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "satellite/translate_int.h"

/* Attributes are copied as they are. */
#define SAME(a, b) \
	_Static_assert(offsetof(struct gns_uattr, a) == \
			       offsetof(struct gns_attr, b), \
		       "attributes differ")

_Static_assert(sizeof(struct gns_uattr) == sizeof(struct gns_attr), "size");
_Static_assert(sizeof(struct gns_ufh) == sizeof(struct gns_fh), "size");
_Static_assert(sizeof(struct gns_udirent) % 8 == 0, "entries are aligned");
SAME(ino, ino);
SAME(btime, btime);
SAME(mode, mode);
SAME(rdev, rdev);
SAME(blksize, blksize);

void attr_to_kernel(struct gns_uattr *to, const struct gns_attr *from)
{
	memcpy(to, from, sizeof(*to));
}

void fh_to_kernel(struct gns_ufh *to, const struct gns_fh *from)
{
	memset(to, 0, sizeof(*to));
	to->len = from->len;
	memcpy(to->b, from->b, from->len);
}

struct gns_fh word_fh(struct nlattr **tb, int type)
{
	struct gns_fh fh = { 0 };
	int len = tb[type] ? nla_len(tb[type]) : 0;

	if (len > 0 && len <= (int)GNS_FH_MAX) {
		fh.len = (u8)len;
		memcpy(fh.b, nla_data(tb[type]), fh.len);
	}
	return fh;
}

const char *word_cred(struct nlattr **tb, struct gns_cred *cred)
{
	u32 len;

	cred->uid = word_u32(tb, GNS_A_UID);
	cred->gid = word_u32(tb, GNS_A_GID);
	if (!tb[GNS_A_GROUPS])
		return NULL;
	len = (u32)nla_len(tb[GNS_A_GROUPS]);
	if (len % sizeof(u32) || len > sizeof(cred->groups))
		return "GROUPS";
	cred->ngroups = len / sizeof(u32);
	memcpy(cred->groups, nla_data(tb[GNS_A_GROUPS]), len);
	return NULL;
}

bool word_name_ok(const struct gns_str *s, u32 max)
{
	return s->len && s->len <= max && !memchr(s->p, 0, s->len);
}

static const char *call_range(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_range *r = &w->msg.range;

	r->fh = word_fh(tb, GNS_A_FH);
	r->off = word_u64(tb, GNS_A_OFF);
	r->len = w->room;
	r->want = (u8)word_u32(tb, GNS_A_WANT);
	r->lease = word_u64(tb, GNS_A_LEASE);
	if (w->msg.type == GNS_READDIR) {
		if (w->room > GNS_UDIR_MAX)
			return "LEN";
		/*
		 * Entries with attributes take 110 bytes and a name here, 176
		 * there; of those without there are not more at a time.
		 */
		r->len = w->room / 8 * 5;
	}
	return w->room > GNS_READ_MAX ? "LEN" : NULL;
}

static const char *call_name(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_name *n = &w->msg.name;

	n->fh = word_fh(tb, GNS_A_FH);
	n->name = word_str(tb, GNS_A_NAME);
	n->want = (u8)word_u32(tb, GNS_A_WANT);
	return word_name_ok(&n->name, GNS_NAME_MAX) ? NULL : "NAME";
}

static const char *call_obj(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_obj *o = &w->msg.obj;

	o->fh = word_fh(tb, GNS_A_FH);
	o->want = (u8)word_u32(tb, GNS_A_WANT);
	return NULL;
}

static const char *call_mount(struct nlattr **tb, struct gns_word *w)
{
	w->msg.mount.export = word_str(tb, GNS_A_NAME);
	return word_name_ok(&w->msg.mount.export, GNS_PATH_MAX) ? NULL : "NAME";
}

static const char *call_seek(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_seek *s = &w->msg.seek;
	u32 whence = word_u32(tb, GNS_A_FLAGS);

	s->fh = word_fh(tb, GNS_A_FH);
	s->off = word_u64(tb, GNS_A_OFF);
	s->whence = whence == SEEK_HOLE ? GNS_SK_HOLE : GNS_SK_DATA;
	return whence == SEEK_HOLE || whence == SEEK_DATA ? NULL : "FLAGS";
}

static const char *call_reval(struct nlattr **tb, struct gns_word *w)
{
	u32 n = w->payload / sizeof(struct gns_ureval);

	w->msg.count.count = n;
	if (!n || n > GNS_UREVAL_MAX ||
	    w->payload % sizeof(struct gns_ureval))
		return "PAYLOAD";
	return NULL;
}

/*
 * By type: what it is on the wire, how its fields are read, where its
 * credentials are, and whether it is about an object.
 */
static const struct call {
	u16 type;
	const char *(*read)(struct nlattr **tb, struct gns_word *w);
	size_t cred;
	size_t fh;
} calls[GNS_CALL_WRITE] = {
#define C(what, fn, member) \
	{ \
		GNS_##what, fn, offsetof(struct gns_msg, member.cred), \
			offsetof(struct gns_msg, member.fh) \
	}
	[GNS_CALL_MOUNT] = { GNS_MOUNT, call_mount,
			     offsetof(struct gns_msg, mount.cred), 0 },
	[GNS_CALL_LOOKUP] = C(LOOKUP, call_name, name),
	[GNS_CALL_GETATTR] = C(GETATTR, call_obj, obj),
	[GNS_CALL_READDIR] = C(READDIR, call_range, range),
	[GNS_CALL_READLINK] = C(READLINK, call_obj, obj),
	[GNS_CALL_READ] = C(READ, call_range, range),
	[GNS_CALL_GETXATTR] = C(GETXATTR, call_name, name),
	[GNS_CALL_LISTXATTR] = C(LISTXATTR, call_obj, obj),
	[GNS_CALL_STATFS] = C(STATFS, call_obj, obj),
	[GNS_CALL_REVALIDATE] = { GNS_REVALIDATE, call_reval, 0, 0 },
	[GNS_CALL_SEEK] = C(SEEK, call_seek, seek),
#undef C
};

static const char *word_call(struct nlattr **tb, struct gns_word *w)
{
	u32 type = word_u32(tb, GNS_A_CALL);
	const struct call *c;
	const struct gns_fh *fh;
	const char *why;

	w->epoch = word_u64(tb, GNS_A_EPOCH);
	w->room = word_u32(tb, GNS_A_LEN);
	w->payload = word_u32(tb, GNS_A_PAYLOAD);
	if (!w->id)
		return "ID";
	if (type >= GNS_CALL_WRITE)
		return word_change(tb, type, w);
	if (!calls[type].read)
		return "CALL";
	c = &calls[type];
	w->msg.type = c->type;
	if (word_u32(tb, GNS_A_WANT) &
	    ~(GNS_WANT_ALL | (type == GNS_CALL_READDIR ? GNS_WANT_NAMES : 0)))
		return "WANT";
	why = c->read(tb, w);
	if (!why && c->cred)
		why = word_cred(tb, (void *)((char *)&w->msg + c->cred));
	fh = (const void *)((char *)&w->msg + c->fh);
	if (!why && c->fh && !fh->len)
		why = "FH";
	return why;
}

int gns_word_parse(struct nlattr *nest, struct gns_word *w, const char **why)
{
	static const struct nla_policy policy[GNS_A_MAX + 1] = {
		[GNS_A_WORD_KIND] = { .type = NLA_U32 },
		[GNS_A_ORIGIN] = { .type = NLA_U32 },
		[GNS_A_SID] = { .type = NLA_U64 },
		[GNS_A_UPTO] = { .type = NLA_U64 },
		[GNS_A_ID] = { .type = NLA_U64 },
		[GNS_A_CALL] = { .type = NLA_U32 },
		[GNS_A_EPOCH] = { .type = NLA_U64 },
		[GNS_A_LEASE] = { .type = NLA_U64 },
		[GNS_A_WANT] = { .type = NLA_U32 },
		[GNS_A_OFF] = { .type = NLA_U64 },
		[GNS_A_LEN] = { .type = NLA_U32 },
		[GNS_A_UID] = { .type = NLA_U32 },
		[GNS_A_GID] = { .type = NLA_U32 },
		[GNS_A_PAYLOAD] = { .type = NLA_U32 },
		[GNS_A_FLAGS] = { .type = NLA_U32 },
		[GNS_A_SLOT] = { .type = NLA_U32 },
		[GNS_A_SEQ] = { .type = NLA_U64 },
		[GNS_A_MODE] = { .type = NLA_U32 },
		[GNS_A_RDEV] = { .type = NLA_U32 },
		[GNS_A_UMASK] = { .type = NLA_U32 },
		[GNS_A_OFF2] = { .type = NLA_U64 },
		[GNS_A_COUNT] = { .type = NLA_U64 },
		[GNS_A_INCARNATION] = { .type = NLA_U64 },
	};
	struct nlattr *tb[GNS_A_MAX + 1];

	memset(w, 0, sizeof(*w));
	*why = NULL;
	if (nla_parse_nested(tb, GNS_A_MAX, nest, policy)) {
		*why = "WORD";
		return -EINVAL;
	}
	w->kind = word_u32(tb, GNS_A_WORD_KIND);
	w->origin = word_u32(tb, GNS_A_ORIGIN);
	w->id = word_u64(tb, GNS_A_ID);
	w->sid = word_u64(tb, GNS_A_SID);
	switch (w->kind) {
	case GNS_WORD_ORIGIN:
		w->name = word_str(tb, GNS_A_NAME);
		if (!word_name_ok(&w->name, GNS_PATH_MAX))
			*why = "NAME";
		break;
	case GNS_WORD_CALL:
		*why = word_call(tb, w);
		break;
	case GNS_WORD_RELEASED:
		w->fh = word_fh(tb, GNS_A_FH);
		w->upto = word_u64(tb, GNS_A_UPTO);
		w->open = tb[GNS_A_OPEN];
		if (!w->fh.len)
			*why = "FH";
		break;
	case GNS_WORD_UNLOCK:
		w->msg.type = GNS_LOCK;
		w->msg.lock.fh = word_fh(tb, GNS_A_FH);
		*why = w->msg.lock.fh.len ? word_lock(tb, w) : "FH";
		break;
	case GNS_WORD_ORIGIN_GONE:
	case GNS_WORD_CANCEL:
	case GNS_WORD_FENCED:
		break;
	default:
		*why = "WORD_KIND";
	}
	return *why ? -EINVAL : 0;
}

/* Bytes used; 0: no room for it. */
static u32 put_dirent(u8 *out, u32 room, const struct gns_dirent *d)
{
	u32 len = (u32)(sizeof(struct gns_udirent) + d->name.len + 7) / 8 * 8;
	struct gns_udirent u = {
		.cookie = d->cookie,
		.reclen = (u16)len,
		.namelen = (u16)d->name.len,
		.type = d->type,
		.attr.ino = d->attr.ino,
	};

	if (len > room)
		return 0;
	if (d->has == GNS_DE_ATTR) {
		u.flags = GNS_UD_ATTR;
		u.version = d->grant.version;
		u.number = d->grant.number;
		attr_to_kernel(&u.attr, &d->attr);
		fh_to_kernel(&u.fh, &d->fh);
	}
	memcpy(out, &u, sizeof(u));
	memcpy(out + sizeof(u), d->name.p, d->name.len);
	memset(out + sizeof(u) + d->name.len, 0,
	       len - sizeof(u) - d->name.len);
	return len;
}

int gns_dirents_to_kernel(const void *wire, u32 len, void *out, u32 room,
			  bool *all)
{
	const u8 *p = wire;
	struct gns_dirent d;
	u32 used = 0, k;
	int n;

	*all = true;
	while (len) {
		n = gns_dirent_get(p, len, &d);
		if (n < 0 || !d.cookie)
			return -EBADMSG;
		k = put_dirent((u8 *)out + used, room - used, &d);
		if (!k) {
			*all = false;
			return used ? (int)used : -EOVERFLOW;
		}
		used += k;
		p += n;
		len -= (u32)n;
	}
	return (int)used;
}

int gns_revals_to_wire(const struct gns_ureval *v, u32 n, void *out, u32 cap)
{
	struct gns_reval r;
	u32 used = 0;
	int len;

	for (; n--; v++) {
		if (!v->fh.len || v->fh.len > GNS_FH_MAX)
			return -EINVAL;
		r = (struct gns_reval){ .version = v->version };
		r.fh.len = v->fh.len;
		memcpy(r.fh.b, v->fh.b, v->fh.len);
		len = gns_reval_put((u8 *)out + used, cap - used, &r, false);
		if (len < 0)
			return len;
		used += (u32)len;
	}
	return (int)used;
}

int gns_revals_to_kernel(const struct gns_msg *rep, struct gns_ureval *v, u32 n)
{
	const u8 *p = rep->payload;
	u32 left = rep->payload_len;
	struct gns_reval r;
	int len;

	for (; n--; v++) {
		v->version = 0;
		v->number = 0;
		v->status = EAGAIN;
		v->reserved = 0;
		memset(&v->attr, 0, sizeof(v->attr));
		if (!left)
			continue;
		len = gns_reval_get(p, left, &r, true);
		if (len < 0 || r.fh.len != v->fh.len ||
		    memcmp(r.fh.b, v->fh.b, r.fh.len))
			return -EBADMSG;
		p += len;
		left -= (u32)len;
		v->status = r.status;
		if (r.status)
			continue;
		v->version = r.grant.version;
		v->number = r.grant.number;
		attr_to_kernel(&v->attr, &r.attr);
	}
	return left ? -EBADMSG : 0;
}

bool gns_answer_has_bytes(u16 type)
{
	switch (type) {
	case GNS_READDIR:
	case GNS_READLINK:
	case GNS_READ:
	case GNS_GETXATTR:
	case GNS_LISTXATTR:
	case GNS_REVALIDATE:
		return true;
	}
	return false;
}

void gns_answer_to_fill(const struct gns_msg *rep, struct gns_ufill *fill)
{
	memset(fill, 0, sizeof(*fill));
	fill->sid = rep->sid;
	fill->status = rep->status;
	if (rep->status || rep->type == GNS_REVALIDATE)
		return;
	fill->version = rep->r_obj.grant.version;
	fill->number = rep->r_obj.grant.number;
	attr_to_kernel(&fill->attr, &rep->r_obj.attr);
	fill->flags = rep->r_obj.eof ? GNS_UF_EOF : 0;
}

static int put_u64(struct nl_msg *m, int type, u64 v)
{
	return nla_put_u64(m, type, v);
}

static int put_obj(struct nl_msg *m, const struct gns_r_obj *o)
{
	struct gns_uattr attr;

	if (!o->fh.len)
		return -EBADMSG;
	attr_to_kernel(&attr, &o->attr);
	if (nla_put(m, GNS_A_FH, o->fh.len, o->fh.b) ||
	    nla_put(m, GNS_A_ATTR, sizeof(attr), &attr) ||
	    put_u64(m, GNS_A_VERSION, o->grant.version) ||
	    put_u64(m, GNS_A_NUMBER, o->grant.number))
		return -ENOMEM;
	return 0;
}

static int put_lookup(struct nl_msg *m, const struct gns_r_lookup *l)
{
	if (put_u64(m, GNS_A_DIR_VERSION, l->dir.version) ||
	    put_u64(m, GNS_A_DIR_NUMBER, l->dir.number))
		return -ENOMEM;
	if (l->absent)
		return nla_put_u32(m, GNS_A_FLAGS, GNS_UF_ABSENT) ? -ENOMEM : 0;
	return put_obj(m, &l->child);
}

static int put_statfs(struct nl_msg *m, const struct gns_r_statfs *r)
{
	struct gns_ustatfs u = {
		.bsize = r->bsize,
		.blocks = r->blocks,
		.bfree = r->bfree,
		.bavail = r->bavail,
		.files = r->files,
		.ffree = r->ffree,
		.namelen = r->namelen,
	};

	return nla_put(m, GNS_A_STATFS, sizeof(u), &u) ? -ENOMEM : 0;
}

int gns_answer_put(struct nl_msg *m, const struct gns_msg *rep)
{
	if (put_u64(m, GNS_A_SID, rep->sid) ||
	    nla_put_u32(m, GNS_A_STATUS, rep->status))
		return -ENOMEM;
	if (rep->status)
		return 0;
	if (gns_msg_is_change(rep->type))
		return answer_put_change(m, &rep->r_change);
	switch (rep->type) {
	case GNS_FSYNC:
		return 0;
	case GNS_LOCK:
		return answer_put_lock(m, &rep->r_lock);
	case GNS_LOOKUP:
		return put_lookup(m, &rep->r_lookup);
	case GNS_STATFS:
		return put_statfs(m, &rep->r_statfs);
	case GNS_SEEK:
		return put_u64(m, GNS_A_OFF, rep->r_seek.off) ? -ENOMEM : 0;
	}
	return put_obj(m, &rep->r_obj);
}
