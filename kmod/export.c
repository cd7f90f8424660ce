// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: for name_to_handle_at(2), and for who serves a mount to others.
 *
 * A handle here is the origin's, in struct fid: a byte that says how long it
 * is, then it; the parent's behind it in the same form, if it is wanted and
 * fits; zeros to a multiple of four bytes. So it means the same on each host
 * that mounts the export, after each mount, and as long as the origin's does.
 *
 * That an object is gone is told by the origin only. Whoever decodes handles
 * takes each error but -ENOMEM for that, so every other failure is -ENOMEM:
 * knfsd has its client try again later.
 */
#include <linux/dcache.h>
#include <linux/exportfs.h>
#include "dir.h"
#include "lease.h"

/* fileid_type; none of those in exportfs.h. */
#define FID_OBJECT 0xe5
#define FID_WITH_PARENT 0xe6

static struct dentry *not_decoded(int err)
{
	return ERR_PTR(err == -ESTALE ? -ESTALE : -ENOMEM);
}

static u32 bytes_of(const struct gns_fh *fh)
{
	return 1 + fh->len;
}

static u32 words_of(u32 bytes)
{
	return DIV_ROUND_UP(bytes, sizeof(u32));
}

static u8 *put_fh(u8 *to, const struct gns_fh *fh)
{
	*to++ = fh->len;
	memcpy(to, fh->b, fh->len);
	return to + fh->len;
}

static int gns_encode_fh(struct inode *inode, u32 *raw, int *max_len,
			 struct inode *parent)
{
	const struct gns_fh *fh = &gns_i(inode)->fh;
	const struct gns_fh *dir = parent ? &gns_i(parent)->fh : NULL;
	u32 room = max(*max_len, 0), words = words_of(bytes_of(fh));
	u8 *to = (u8 *)raw;

	if (room < words) {
		*max_len = words;
		return FILEID_INVALID;
	}
	if (dir && room < words_of(bytes_of(fh) + bytes_of(dir)))
		dir = NULL;
	if (dir)
		words = words_of(bytes_of(fh) + bytes_of(dir));
	memset(raw, 0, words * sizeof(u32));
	to = put_fh(to, fh);
	if (dir)
		put_fh(to, dir);
	*max_len = words;
	return dir ? FID_WITH_PARENT : FID_OBJECT;
}

/* The handle at @from; 0: there is none. Else where it ends. */
static u32 get_fh(const struct fid *fid, u32 len, u32 from, struct gns_fh *fh)
{
	const u8 *raw = (const u8 *)fid->raw;

	if (from >= len || !raw[from] || raw[from] > GNS_UFH_MAX ||
	    raw[from] > len - from - 1)
		return 0;
	memset(fh, 0, sizeof(*fh));
	fh->len = raw[from];
	memcpy(fh->b, raw + from + 1, fh->len);
	return from + 1 + fh->len;
}

/* An object of which nothing is known here. */
static struct inode *ask_inode(struct super_block *sb, const struct gns_fh *fh)
{
	struct gns_sb *gsb = gns_sb(sb);
	struct gns_bufcall *c;
	struct inode *inode;
	int err;

	c = gns_bufcall_new(gsb->s, gsb, GNS_CALL_GETATTR, current_cred(), 0);
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->c.req.fh = *fh;
	c->c.req.want = GNS_UWANT_LEASE;
	gns_count(gsb, GNS_C_GETATTRS, 1);
	err = gns_call_sync(&c->c);
	inode = err ? ERR_PTR(err) : gns_inode_get(sb, fh, &c->c.ans.attr);
	if (!IS_ERR(inode))
		gns_lease_grant(gns_i(inode), c->c.ans.sid, &c->c.ans.grant,
				&c->c.ans.attr);
	gns_call_put(&c->c);
	return inode;
}

/* That it is in memory here does not say that it is there. */
static struct inode *find_inode(struct super_block *sb, const struct gns_fh *fh)
{
	struct inode *inode = gns_inode_find(sb, fh);
	int err;

	if (!inode)
		return ask_inode(sb, fh);
	err = gns_lease_get(gns_i(inode), GNS_UWANT_LEASE, current_cred(),
			    NULL);
	if (!err)
		return inode;
	iput(inode);
	return ERR_PTR(err);
}

static struct dentry *decode(struct super_block *sb, const struct gns_fh *fh)
{
	struct inode *inode = find_inode(sb, fh);
	struct dentry *dentry;

	if (IS_ERR(inode))
		return not_decoded(PTR_ERR(inode));
	dentry = d_obtain_alias(inode);
	return IS_ERR(dentry) ? not_decoded(PTR_ERR(dentry)) : dentry;
}

static struct dentry *gns_fh_to_dentry(struct super_block *sb, struct fid *fid,
				       int len, int type)
{
	struct gns_fh fh;

	if ((type != FID_OBJECT && type != FID_WITH_PARENT) || len < 0 ||
	    !get_fh(fid, len * sizeof(u32), 0, &fh))
		return ERR_PTR(-ESTALE);
	return decode(sb, &fh);
}

static struct dentry *gns_fh_to_parent(struct super_block *sb, struct fid *fid,
				       int len, int type)
{
	u32 bytes = len * sizeof(u32), end;
	struct gns_fh fh;

	if (type != FID_WITH_PARENT || len < 0)
		return ERR_PTR(-ESTALE);
	end = get_fh(fid, bytes, 0, &fh);
	if (!end || !get_fh(fid, bytes, end, &fh))
		return ERR_PTR(-ESTALE);
	return decode(sb, &fh);
}

/* A directory that was found by its handle: where is it? */
static struct dentry *gns_get_parent(struct dentry *child)
{
	static const struct qstr dotdot = QSTR_INIT("..", 2);
	struct inode *dir = d_inode(child), *inode;
	struct gns_answer ans;
	struct dentry *parent;
	u64 stamp;
	int err;

	err = gns_name_ask(dir, &dotdot, &ans, &stamp);
	/* It is the export's root, or has been moved out of the export. */
	if (!err && ans.flags & GNS_UF_ABSENT)
		err = -ESTALE;
	if (err)
		return not_decoded(err);
	inode = gns_inode_get(dir->i_sb, &ans.fh, &ans.attr);
	if (IS_ERR(inode))
		return not_decoded(PTR_ERR(inode));
	gns_lease_grant(gns_i(inode), ans.sid, &ans.grant, &ans.attr);
	parent = d_obtain_alias(inode);
	return IS_ERR(parent) ? not_decoded(PTR_ERR(parent)) : parent;
}

/*
 * Others change what is served, so no attributes are those just before or
 * just after a call.
 */
const struct export_operations gns_export_ops = {
	.encode_fh = gns_encode_fh,
	.fh_to_dentry = gns_fh_to_dentry,
	.fh_to_parent = gns_fh_to_parent,
	.get_parent = gns_get_parent,
	.flags = EXPORT_OP_NOWCC | EXPORT_OP_CLOSE_BEFORE_UNLINK |
		 EXPORT_OP_REMOTE_FS | EXPORT_OP_NOATOMIC_ATTR,
};
