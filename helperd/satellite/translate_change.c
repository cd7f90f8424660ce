// SPDX-License-Identifier: GPL-2.0
/*
 * Changes and locks between the kernel's form and the wire's; see translate.h.
 *
 * A change that the origin's codec would refuse ends the connection, and is
 * sent again on the next one: so everything the wire limits is checked here.
 */
#include <errno.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>

#include "satellite/translate_int.h"

/* Bits that have the same value on both sides are passed on as they are. */
#define SAME(a, b) _Static_assert((a) == (b), #a)

SAME(GNS_UW_APPEND, GNS_WR_APPEND);
SAME(GNS_UW_SYNC, GNS_WR_SYNC);
SAME(GNS_UC_EXCL, GNS_CR_EXCL);
SAME(GNS_UT_EXCL, GNS_TF_EXCL);
SAME(RENAME_NOREPLACE, GNS_RN_NOREPLACE);
SAME(RENAME_EXCHANGE, GNS_RN_EXCHANGE);
SAME(GNS_UU_OPEN, GNS_UN_OPEN);
SAME(GNS_UX_CREATE, GNS_XA_CREATE);
SAME(GNS_UX_REPLACE, GNS_XA_REPLACE);
SAME(GNS_UX_REMOVE, GNS_XA_REMOVE);
SAME(GNS_UY_CLONE, GNS_CP_CLONE);
SAME(GNS_UFS_DATA, GNS_FS_DATA);
SAME(GNS_UFS_ALL, GNS_FS_ALL);
SAME(GNS_USA_ALL, GNS_SA_ALL);
SAME(GNS_USA_SIZE, GNS_SA_SIZE);
SAME(GNS_USA_MTIME_NOW, GNS_SA_MTIME_NOW);
SAME(GNS_ULC_WHOLE, GNS_LC_WHOLE);
SAME(GNS_ULC_RANGE, GNS_LC_RANGE);
SAME(GNS_ULK_READ, GNS_LK_READ);
SAME(GNS_ULK_WRITE, GNS_LK_WRITE);
SAME(GNS_ULK_UNLOCK, GNS_LK_UNLOCK);
SAME(GNS_ULK_CANCEL, GNS_LK_CANCEL);
SAME(GNS_ULH_TRY, GNS_LH_TRY);
SAME(GNS_ULH_WAIT, GNS_LH_WAIT);
SAME(GNS_ULH_TEST, GNS_LH_TEST);
SAME(GNS_UWRITE_MAX, GNS_WRITE_MAX);
SAME(GNS_UXATTR_MAX, GNS_XATTR_MAX);
SAME(GNS_UCHANGED_MAX, GNS_CHANGED_MAX);
SAME(GNS_UAM_ACL, GNS_AM_ACL);
SAME(GNS_UAM_DEFACL, GNS_AM_DEFACL);

#define MODES \
	(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | \
	 FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE | \
	 FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)

static bool in_file(u64 off, u64 len)
{
	return off <= INT64_MAX && len <= INT64_MAX - off;
}

static const char *read_write(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_write *m = &w->msg.write;

	m->off = word_u64(tb, GNS_A_OFF);
	m->flags = (u8)word_u32(tb, GNS_A_FLAGS);
	if (!w->payload || w->payload > GNS_WRITE_MAX)
		return "PAYLOAD";
	return in_file(m->off, w->payload) ? NULL : "OFF";
}

static const char *read_make(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_make *m = &w->msg.make;

	m->mode = word_u32(tb, GNS_A_MODE);
	m->umask = word_u32(tb, GNS_A_UMASK);
	m->flags = (u8)word_u32(tb, GNS_A_FLAGS);
	if (m->umask > GNS_UMASK_ALL)
		return "UMASK";
	return m->mode <= 07777 ? NULL : "MODE";
}

static const char *read_victim(struct nlattr **tb, struct gns_fh *fh)
{
	*fh = word_fh(tb, GNS_A_VICTIM);
	return tb[GNS_A_VICTIM] && !fh->len ? "VICTIM" : NULL;
}

static const char *read_unlink(struct nlattr **tb, struct gns_word *w)
{
	w->msg.make.flags = (u8)word_u32(tb, GNS_A_FLAGS);
	return read_victim(tb, &w->msg.make.victim);
}

static const char *read_rename(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_rename *m = &w->msg.rename;

	m->ndir = word_fh(tb, GNS_A_FH2);
	m->nname = word_str(tb, GNS_A_NAME2);
	m->flags = word_u32(tb, GNS_A_FLAGS) &
		   (RENAME_NOREPLACE | RENAME_EXCHANGE);
	if (word_u32(tb, GNS_A_FLAGS) & GNS_UR_OPEN)
		m->flags |= GNS_RN_OPEN;
	if (!m->ndir.len)
		return "FH2";
	if (!word_name_ok(&m->nname, GNS_NAME_MAX))
		return "NAME2";
	return read_victim(tb, &m->victim);
}

static const char *read_setattr(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_setattr *m = &w->msg.setattr;
	struct gns_usetattr u;

	if (!tb[GNS_A_SETATTR] || nla_len(tb[GNS_A_SETATTR]) != sizeof(u))
		return "SETATTR";
	memcpy(&u, nla_data(tb[GNS_A_SETATTR]), sizeof(u));
	if (u.valid & ~GNS_USA_ALL || u.mode > 07777 || u.size > INT64_MAX)
		return "SETATTR";
	m->valid = u.valid;
	m->mode = u.mode;
	m->uid = u.uid;
	m->gid = u.gid;
	m->size = u.size;
	m->atime = u.atime;
	m->mtime = u.mtime;
	return NULL;
}

static const char *read_link(struct nlattr **tb, struct gns_word *w)
{
	w->msg.link.fh = word_fh(tb, GNS_A_FH2);
	return w->msg.link.fh.len ? NULL : "FH2";
}

static const char *read_symlink(struct nlattr **tb, struct gns_word *w)
{
	struct gns_str *target = &w->msg.symlink.target;

	*target = word_str(tb, GNS_A_NAME2);
	return word_name_ok(target, GNS_TARGET_MAX) ? NULL : "NAME2";
}

static const char *read_mknod(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_mknod *m = &w->msg.mknod;

	m->mode = word_u32(tb, GNS_A_MODE);
	m->umask = word_u32(tb, GNS_A_UMASK);
	m->rdev = word_u32(tb, GNS_A_RDEV);
	if (m->umask > GNS_UMASK_ALL)
		return "UMASK";
	switch (m->mode & ~07777u) {
	case S_IFIFO:
	case S_IFSOCK:
		return m->rdev ? "RDEV" : NULL;
	case S_IFCHR:
	case S_IFBLK:
		return NULL;
	}
	return "MODE";
}

static const char *read_setxattr(struct nlattr **tb, struct gns_word *w)
{
	u32 most = GNS_XATTR_MAX;

	w->msg.setxattr.flags = (u8)word_u32(tb, GNS_A_FLAGS);
	if (w->msg.setxattr.flags == GNS_XA_REMOVE)
		most = 0;
	return w->payload <= most ? NULL : "PAYLOAD";
}

static const char *read_fallocate(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_fallocate *m = &w->msg.fallocate;

	m->off = word_u64(tb, GNS_A_OFF);
	m->len = word_u64(tb, GNS_A_COUNT);
	m->mode = word_u32(tb, GNS_A_FLAGS);
	if (!m->len)
		return "COUNT";
	return in_file(m->off, m->len) ? NULL : "OFF";
}

static const char *read_copy(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_copy *m = &w->msg.copy;

	m->from_off = word_u64(tb, GNS_A_OFF);
	m->fh = word_fh(tb, GNS_A_FH2);
	m->off = word_u64(tb, GNS_A_OFF2);
	m->len = word_u64(tb, GNS_A_COUNT);
	m->flags = (u8)word_u32(tb, GNS_A_FLAGS);
	if (!m->fh.len)
		return "FH2";
	if (!(m->flags & GNS_CP_CLONE) && (!m->len || m->len > GNS_COPY_MAX))
		return "COUNT";
	if (!in_file(m->from_off, m->len))
		return "OFF";
	return in_file(m->off, m->len) ? NULL : "OFF2";
}

static const char *read_fsync(struct nlattr **tb, struct gns_word *w)
{
	w->msg.obj.datasync = (u8)word_u32(tb, GNS_A_FLAGS);
	w->msg.obj.incarnation = word_u64(tb, GNS_A_INCARNATION);
	return NULL;
}

const char *word_lock(struct nlattr **tb, struct gns_word *w)
{
	struct gns_m_lock *m = &w->msg.lock;
	struct gns_ulock u;

	if (!tb[GNS_A_LOCK] || nla_len(tb[GNS_A_LOCK]) != sizeof(u))
		return "LOCK";
	memcpy(&u, nla_data(tb[GNS_A_LOCK]), sizeof(u));
	if (u.kind > GNS_LC_MAX || u.op > GNS_LK_MAX || u.how > GNS_LH_MAX ||
	    u.own)
		return "LOCK";
	m->seq = u.seq;
	m->owner = u.owner;
	m->kind = u.kind;
	m->op = u.op;
	m->how = u.how;
	m->start = u.start;
	m->end = u.end;
	m->pid = u.pid;
	return NULL;
}

/*
 * By type: what it is on the wire; which flags it may have, and of those in
 * @one no two; whether it may have a payload; where handle and, if it has them,
 * credentials and name are; and how the rest of it is read.
 */
static const struct kind {
	u16 type;
	u32 flags;
	u32 one;
	bool payload;
	size_t cred;
	size_t fh;
	size_t name;
	const char *(*read)(struct nlattr **tb, struct gns_word *w);
} kinds[GNS_CALL_MAX + 1] = {
#define AT(member) offsetof(struct gns_word, msg.member)
#define OBJ(what, m) .type = GNS_##what, .cred = AT(m.cred), .fh = AT(m.fh)
#define NAMED(what, m, d, n) \
	.type = GNS_##what, .cred = AT(m.cred), .fh = AT(m.d), .name = AT(m.n)
	[GNS_CALL_WRITE] = { OBJ(WRITE, write),
			     .flags = GNS_UW_APPEND | GNS_UW_SYNC,
			     .payload = true,
			     .read = read_write },
	[GNS_CALL_CREATE] = { NAMED(CREATE, make, dir, name),
			      .flags = GNS_UC_EXCL,
			      .read = read_make },
	[GNS_CALL_MKDIR] = { NAMED(MKDIR, make, dir, name), .read = read_make },
	[GNS_CALL_UNLINK] = { NAMED(UNLINK, make, dir, name),
			      .flags = GNS_UU_OPEN,
			      .read = read_unlink },
	[GNS_CALL_RMDIR] = { NAMED(RMDIR, make, dir, name) },
	[GNS_CALL_RENAME] = { NAMED(RENAME, rename, odir, oname),
			      .flags = RENAME_NOREPLACE | RENAME_EXCHANGE |
				       GNS_UR_OPEN,
			      .one = RENAME_NOREPLACE | RENAME_EXCHANGE,
			      .read = read_rename },
	[GNS_CALL_SETATTR] = { OBJ(SETATTR, setattr), .read = read_setattr },
	[GNS_CALL_LINK] = { NAMED(LINK, link, dir, name), .read = read_link },
	[GNS_CALL_SYMLINK] = { NAMED(SYMLINK, symlink, dir, name),
			       .read = read_symlink },
	[GNS_CALL_MKNOD] = { NAMED(MKNOD, mknod, dir, name),
			     .read = read_mknod },
	[GNS_CALL_SETXATTR] = { NAMED(SETXATTR, setxattr, fh, name),
				.flags = GNS_XA_ALL,
				.one = GNS_XA_ALL,
				.payload = true,
				.read = read_setxattr },
	[GNS_CALL_FALLOCATE] = { OBJ(FALLOCATE, fallocate),
				 .flags = MODES,
				 .read = read_fallocate },
	[GNS_CALL_COPY] = { .type = GNS_COPY,
			    .flags = GNS_UY_CLONE,
			    .cred = AT(copy.cred),
			    .fh = AT(copy.from),
			    .read = read_copy },
	[GNS_CALL_FSYNC] = { OBJ(FSYNC, obj),
			     .flags = GNS_UFS_DATA | GNS_UFS_ALL,
			     .one = GNS_UFS_DATA | GNS_UFS_ALL,
			     .read = read_fsync },
	[GNS_CALL_LOCK] = { .type = GNS_LOCK,
			    .fh = AT(lock.fh),
			    .read = word_lock },
	[GNS_CALL_TMPFILE] = { .type = GNS_TMPFILE,
			       .flags = GNS_UT_EXCL,
			       .cred = AT(make.cred),
			       .fh = AT(make.dir),
			       .read = read_make },
#undef AT
#undef OBJ
#undef NAMED
};

/* What makes it happen once. */
static const char *read_identity(struct nlattr **tb, struct gns_msg *msg)
{
	struct gns_change *c;

	if (!gns_msg_is_change(msg->type))
		return tb[GNS_A_SEQ] ? "SEQ" : NULL;
	c = gns_msg_change(msg);
	c->slot = word_u32(tb, GNS_A_SLOT);
	c->seq = word_u64(tb, GNS_A_SEQ);
	if (c->slot >= GNS_USLOTS_MAX)
		return "SLOT";
	return c->seq ? NULL : "SEQ";
}

static void *field(struct gns_word *w, size_t off)
{
	return (char *)w + off;
}

const char *word_change(struct nlattr **tb, u32 type, struct gns_word *w)
{
	u32 flags = word_u32(tb, GNS_A_FLAGS);
	const struct kind *k;
	struct gns_str *name;
	struct gns_fh *fh;
	const char *why;

	if (type > GNS_CALL_MAX)
		return "CALL";
	k = &kinds[type];
	w->msg.type = k->type;
	if (flags & ~k->flags || (flags & k->one & ((flags & k->one) - 1)))
		return "FLAGS";
	if (w->payload && !k->payload)
		return "PAYLOAD";
	why = read_identity(tb, &w->msg);
	if (!why && k->cred)
		why = word_cred(tb, field(w, k->cred));
	if (why)
		return why;
	fh = field(w, k->fh);
	*fh = word_fh(tb, GNS_A_FH);
	if (!fh->len)
		return "FH";
	if (k->name) {
		name = field(w, k->name);
		*name = word_str(tb, GNS_A_NAME);
		if (!word_name_ok(name, GNS_NAME_MAX))
			return "NAME";
	}
	return k->read ? k->read(tb, w) : NULL;
}

static int put_changed(struct nl_msg *m, const struct gns_changed_list *list)
{
	struct gns_uchanged u[GNS_CHANGED_MAX];
	u32 i;

	if (list->n > GNS_CHANGED_MAX)
		return -EBADMSG;
	for (i = 0; i < list->n; i++) {
		const struct gns_changed *c = &list->v[i];

		if (!c->fh.len)
			return -EBADMSG;
		fh_to_kernel(&u[i].fh, &c->fh);
		u[i].before = c->before;
		u[i].after = c->after;
		attr_to_kernel(&u[i].attr, &c->attr);
	}
	if (!i)
		return 0;
	return nla_put(m, GNS_A_CHANGED, (int)(i * sizeof(u[0])), u) ? -ENOMEM :
								       0;
}

int answer_put_lock(struct nl_msg *m, const struct gns_r_lock *r)
{
	struct gns_ulock u = {
		.start = r->start,
		.end = r->end,
		.pid = r->pid,
		.op = r->op,
		.own = r->own,
	};

	if (!r->found)
		return 0;
	return nla_put(m, GNS_A_LOCK, sizeof(u), &u) ? -ENOMEM : 0;
}

int answer_put_change(struct nl_msg *m, const struct gns_r_change *r)
{
	if ((r->fh.len && nla_put(m, GNS_A_FH, r->fh.len, r->fh.b)) ||
	    nla_put_u64(m, GNS_A_OFF, r->off) ||
	    nla_put_u64(m, GNS_A_COUNT, r->count) ||
	    (r->created && nla_put_u32(m, GNS_A_FLAGS, GNS_UF_CREATED)) ||
	    (r->number && nla_put_u64(m, GNS_A_NUMBER, r->number)))
		return -ENOMEM;
	return put_changed(m, &r->changed);
}
