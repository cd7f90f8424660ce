// SPDX-License-Identifier: GPL-2.0
/*
 * Which fields each message has on the wire, in their order.
 *
 * This file is the protocol: a line here is a field there. Adding a field to
 * an existing message is a new feature bit, never a silent change.
 */
#include "proto/fields.h"

#define F(k, st, member, limit) \
	{ \
		.name = #member, \
		.kind = GNS_K_##k, \
		.off = offsetof(struct st, member), \
		.max = (limit), \
	}
#define M(k, member, limit) F(k, gns_msg, member, limit)
#define END \
	{ \
		.kind = GNS_K_END \
	}

static const struct gns_field f_none[] = { END };

static const struct gns_field f_hello[] = {
	M(U32, hello.proto_min, 0),
	M(U32, hello.proto_max, 0),
	M(U64, hello.features, 0),
	M(ID, hello.host, 0),
	M(ID, hello.instance, 0),
	M(ID, hello.secret, 0),
	M(U64, hello.stamp, 0),
	M(U64, hello.old_sid, 0),
	M(ID, hello.old_secret, 0),
	M(U8, hello.fenced, 1),
	M(U8, hello.had_slots, 1),
	END,
};

static const struct gns_field f_hello_r[] = {
	M(U32, r_hello.proto, 0),
	M(U64, r_hello.features, 0),
	M(U64, r_hello.sid, 0),
	M(U64, r_hello.stamp, 0),
	M(U64, r_hello.ttl, 0),
	M(U32, r_hello.slots, GNS_SLOTS_MAX),
	M(U8, r_hello.slots_known, 1),
	M(U64, r_hello.incarnation, 0),
	END,
};

static const struct gns_field f_join[] = { M(ID, join.secret, 0), END };
static const struct gns_field f_renew[] = { M(U64, renew.stamp, 0), END };

static const struct gns_field f_renew_r[] = {
	M(U64, r_renew.stamp, 0),
	M(U64, r_renew.ttl, 0),
	END,
};

static const struct gns_field f_revoke[] = {
	M(FH, revoke.fh, 0),
	M(U64, revoke.upto, 0),
	END,
};

static const struct gns_field f_mount[] = {
	M(CRED, mount.cred, 0),
	M(STR, mount.export, GNS_PATH_MAX),
	END,
};

static const struct gns_field f_obj[] = {
	M(CRED, obj.cred, 0),
	M(FH, obj.fh, 0),
	M(U8, obj.want, GNS_WANT_ALL),
	M(U8, obj.datasync, 1),
	M(U64, obj.incarnation, 0),
	END,
};

static const struct gns_field f_fsync[] = {
	M(CRED, obj.cred, 0),
	M(FH, obj.fh, 0),
	M(U8, obj.want, GNS_WANT_ALL),
	M(U8, obj.datasync, GNS_FS_ALL),
	M(U64, obj.incarnation, 0),
	END,
};

static const struct gns_field f_name[] = {
	M(CRED, name.cred, 0),
	M(FH, name.fh, 0),
	M(STR, name.name, GNS_NAME_MAX),
	M(U8, name.want, GNS_WANT_ALL),
	END,
};

static const struct gns_field f_read[] = {
	M(CRED, range.cred, 0),
	M(FH, range.fh, 0),
	M(U64, range.off, 0),
	M(U32, range.len, GNS_READ_MAX),
	M(U8, range.want, GNS_WANT_ALL),
	M(U64, range.lease, 0),
	END,
};

static const struct gns_field f_list[] = {
	M(CRED, range.cred, 0),
	M(FH, range.fh, 0),
	M(U64, range.off, 0),
	M(U32, range.len, GNS_READ_MAX),
	M(U8, range.want, GNS_WANT_ALL | GNS_WANT_NAMES),
	M(U64, range.lease, 0),
	END,
};

static const struct gns_field f_seek[] = {
	M(CRED, seek.cred, 0),
	M(FH, seek.fh, 0),
	M(U64, seek.off, 0),
	M(U8, seek.whence, GNS_SK_HOLE),
	END,
};

static const struct gns_field f_seek_r[] = { M(U64, r_seek.off, 0), END };

static const struct gns_field f_obj_r[] = {
	M(FH, r_obj.fh, 1),
	M(GRANT, r_obj.grant, 0),
	M(ATTR, r_obj.attr, 0),
	M(U8, r_obj.eof, 1),
	END,
};

static const struct gns_field f_lookup_r[] = {
	M(GRANT, r_lookup.dir, 0),
	M(U8, r_lookup.absent, 1),
	M(FH, r_lookup.child.fh, 1),
	M(GRANT, r_lookup.child.grant, 0),
	M(ATTR, r_lookup.child.attr, 0),
	END,
};

static const struct gns_field f_statfs_r[] = {
	M(U64, r_statfs.bsize, 0),
	M(U64, r_statfs.blocks, 0),
	M(U64, r_statfs.bfree, 0),
	M(U64, r_statfs.bavail, 0),
	M(U64, r_statfs.files, 0),
	M(U64, r_statfs.ffree, 0),
	M(U32, r_statfs.namelen, 0),
	END,
};

static const struct gns_field f_count[] = {
	M(U32, count.count, GNS_REVAL_MAX),
	END,
};

static const struct gns_field f_write[] = {
	M(CHANGE, write.change, 0),
	M(CRED, write.cred, 0),
	M(FH, write.fh, 0),
	M(U64, write.off, 0),
	M(U8, write.flags, GNS_WR_ALL),
	END,
};

static const struct gns_field f_make[] = {
	M(CHANGE, make.change, 0),
	M(CRED, make.cred, 0),
	M(FH, make.dir, 0),
	M(STR, make.name, GNS_NAME_MAX),
	M(U32, make.mode, 07777),
	M(U32, make.umask, GNS_UMASK_ALL),
	M(U8, make.flags, GNS_CR_ALL),
	END,
};

static const struct gns_field f_tmpfile[] = {
	M(CHANGE, make.change, 0),
	M(CRED, make.cred, 0),
	M(FH, make.dir, 0),
	M(U32, make.mode, 07777),
	M(U32, make.umask, GNS_UMASK_ALL),
	M(U8, make.flags, GNS_TF_ALL),
	END,
};

static const struct gns_field f_unlink[] = {
	M(CHANGE, make.change, 0),
	M(CRED, make.cred, 0),
	M(FH, make.dir, 0),
	M(STR, make.name, GNS_NAME_MAX),
	M(U32, make.mode, 07777),
	M(U32, make.umask, GNS_UMASK_ALL),
	M(U8, make.flags, GNS_UN_ALL),
	M(FH, make.victim, 1),
	END,
};

static const struct gns_field f_rename[] = {
	M(CHANGE, rename.change, 0),
	M(CRED, rename.cred, 0),
	M(FH, rename.odir, 0),
	M(STR, rename.oname, GNS_NAME_MAX),
	M(FH, rename.ndir, 0),
	M(STR, rename.nname, GNS_NAME_MAX),
	M(U8, rename.flags, GNS_RN_ALL),
	M(FH, rename.victim, 1),
	END,
};

static const struct gns_field f_setattr[] = {
	M(CHANGE, setattr.change, 0),
	M(CRED, setattr.cred, 0),
	M(FH, setattr.fh, 0),
	M(U32, setattr.valid, GNS_SA_ALL),
	M(U32, setattr.mode, 07777),
	M(U32, setattr.uid, 0),
	M(U32, setattr.gid, 0),
	M(U64, setattr.size, 0),
	M(U64, setattr.atime, 0),
	M(U64, setattr.mtime, 0),
	END,
};

static const struct gns_field f_link[] = {
	M(CHANGE, link.change, 0),
	M(CRED, link.cred, 0),
	M(FH, link.dir, 0),
	M(STR, link.name, GNS_NAME_MAX),
	M(FH, link.fh, 0),
	END,
};

static const struct gns_field f_symlink[] = {
	M(CHANGE, symlink.change, 0),
	M(CRED, symlink.cred, 0),
	M(FH, symlink.dir, 0),
	M(STR, symlink.name, GNS_NAME_MAX),
	M(STR, symlink.target, GNS_TARGET_MAX),
	END,
};

static const struct gns_field f_mknod[] = {
	M(CHANGE, mknod.change, 0),
	M(CRED, mknod.cred, 0),
	M(FH, mknod.dir, 0),
	M(STR, mknod.name, GNS_NAME_MAX),
	M(U32, mknod.mode, GNS_MK_ALL),
	M(U32, mknod.umask, GNS_UMASK_ALL),
	M(U32, mknod.rdev, 0),
	END,
};

static const struct gns_field f_setxattr[] = {
	M(CHANGE, setxattr.change, 0),
	M(CRED, setxattr.cred, 0),
	M(FH, setxattr.fh, 0),
	M(STR, setxattr.name, GNS_NAME_MAX),
	M(U8, setxattr.flags, GNS_XA_ALL),
	END,
};

static const struct gns_field f_fallocate[] = {
	M(CHANGE, fallocate.change, 0),
	M(CRED, fallocate.cred, 0),
	M(FH, fallocate.fh, 0),
	M(U64, fallocate.off, 0),
	M(U64, fallocate.len, 0),
	M(U32, fallocate.mode, 0),
	END,
};

static const struct gns_field f_copy[] = {
	M(CHANGE, copy.change, 0),
	M(CRED, copy.cred, 0),
	M(FH, copy.from, 0),
	M(U64, copy.from_off, 0),
	M(FH, copy.fh, 0),
	M(U64, copy.off, 0),
	M(U64, copy.len, 0),
	M(U8, copy.flags, GNS_CP_ALL),
	END,
};

static const struct gns_field f_lock[] = {
	M(FH, lock.fh, 0),
	M(U64, lock.seq, 0),
	M(U64, lock.owner, 0),
	M(U8, lock.kind, GNS_LC_MAX),
	M(U8, lock.op, GNS_LK_MAX),
	M(U8, lock.how, GNS_LH_MAX),
	M(U64, lock.start, 0),
	M(U64, lock.end, 0),
	M(U32, lock.pid, 0),
	END,
};

static const struct gns_field f_lock_r[] = {
	M(U8, r_lock.found, 1),
	M(U8, r_lock.op, GNS_LK_WRITE),
	M(U64, r_lock.start, 0),
	M(U64, r_lock.end, 0),
	M(U32, r_lock.pid, 0),
	M(U8, r_lock.own, 1),
	END,
};

static const struct gns_field f_unlocked[] = {
	M(FH, unlocked.fh, 0),
	END,
};

static const struct gns_field f_change_r[] = {
	M(FH, r_change.fh, 1),
	M(U64, r_change.off, 0),
	M(U32, r_change.count, GNS_WRITE_MAX),
	M(U8, r_change.created, 1),
	M(U64, r_change.number, 0),
	M(CHANGED, r_change.changed, 0),
	END,
};

static const struct gns_field f_copy_r[] = {
	M(FH, r_change.fh, 1),
	M(U64, r_change.off, 0),
	M(U32, r_change.count, GNS_COPY_MAX),
	M(U8, r_change.created, 1),
	M(U64, r_change.number, 0),
	M(CHANGED, r_change.changed, 0),
	END,
};

static const struct gns_layout requests[GNS_MSG_END] = {
	[GNS_HELLO] = { .fields = f_hello },
	[GNS_JOIN] = { .fields = f_join },
	[GNS_RENEW] = { .fields = f_renew },
	[GNS_BYE] = { .fields = f_join },
	[GNS_REVOKE] = { .fields = f_revoke },
	[GNS_RELEASED] = { .fields = f_revoke },
	[GNS_MOUNT] = { .fields = f_mount },
	[GNS_LOOKUP] = { .fields = f_name },
	[GNS_GETATTR] = { .fields = f_obj },
	[GNS_READDIR] = { .fields = f_list },
	[GNS_READLINK] = { .fields = f_obj },
	[GNS_READ] = { .fields = f_read },
	[GNS_GETXATTR] = { .fields = f_name },
	[GNS_LISTXATTR] = { .fields = f_obj },
	[GNS_STATFS] = { .fields = f_obj },
	[GNS_REVALIDATE] = { f_count, 1, GNS_PAYLOAD_MAX },
	[GNS_FSYNC] = { .fields = f_fsync },
	[GNS_WRITE] = { f_write, 0, GNS_WRITE_MAX },
	[GNS_CREATE] = { .fields = f_make },
	[GNS_MKDIR] = { .fields = f_make },
	[GNS_UNLINK] = { .fields = f_unlink },
	[GNS_RMDIR] = { .fields = f_make },
	[GNS_RENAME] = { .fields = f_rename },
	[GNS_SETATTR] = { .fields = f_setattr },
	[GNS_SEEK] = { .fields = f_seek },
	[GNS_LINK] = { .fields = f_link },
	[GNS_SYMLINK] = { .fields = f_symlink },
	[GNS_MKNOD] = { .fields = f_mknod },
	[GNS_SETXATTR] = { f_setxattr, 0, GNS_XATTR_MAX },
	[GNS_FALLOCATE] = { .fields = f_fallocate },
	[GNS_COPY] = { .fields = f_copy },
	[GNS_LOCK] = { .fields = f_lock },
	[GNS_UNLOCKED] = { .fields = f_unlocked },
	[GNS_RELEASED_OPEN] = { .fields = f_revoke },
	[GNS_TMPFILE] = { .fields = f_tmpfile },
};

static const struct gns_layout replies[GNS_MSG_END] = {
	[GNS_HELLO] = { .fields = f_hello_r },
	[GNS_JOIN] = { .fields = f_none },
	[GNS_RENEW] = { .fields = f_renew_r },
	[GNS_BYE] = { .fields = f_none },
	[GNS_MOUNT] = { .fields = f_obj_r },
	[GNS_LOOKUP] = { .fields = f_lookup_r },
	[GNS_GETATTR] = { .fields = f_obj_r },
	[GNS_READDIR] = { f_obj_r, 0, GNS_DIR_MAX },
	[GNS_READLINK] = { f_obj_r, 1, GNS_PATH_MAX },
	[GNS_READ] = { f_obj_r, 0, GNS_READ_MAX },
	[GNS_GETXATTR] = { f_obj_r, 0, GNS_XATTR_MAX },
	[GNS_LISTXATTR] = { f_obj_r, 0, GNS_XATTR_MAX },
	[GNS_STATFS] = { .fields = f_statfs_r },
	[GNS_REVALIDATE] = { f_count, 1, GNS_PAYLOAD_MAX },
	[GNS_FSYNC] = { .fields = f_none },
	[GNS_WRITE] = { .fields = f_change_r },
	[GNS_CREATE] = { .fields = f_change_r },
	[GNS_MKDIR] = { .fields = f_change_r },
	[GNS_UNLINK] = { .fields = f_change_r },
	[GNS_RMDIR] = { .fields = f_change_r },
	[GNS_RENAME] = { .fields = f_change_r },
	[GNS_SETATTR] = { .fields = f_change_r },
	[GNS_SEEK] = { .fields = f_seek_r },
	[GNS_LINK] = { .fields = f_change_r },
	[GNS_SYMLINK] = { .fields = f_change_r },
	[GNS_MKNOD] = { .fields = f_change_r },
	[GNS_SETXATTR] = { .fields = f_change_r },
	[GNS_FALLOCATE] = { .fields = f_change_r },
	[GNS_COPY] = { .fields = f_copy_r },
	[GNS_LOCK] = { .fields = f_lock_r },
	[GNS_TMPFILE] = { .fields = f_change_r },
};

const struct gns_field gns_dirent_fields[] = {
	F(U64, gns_dirent, cookie, 0),
	F(U8, gns_dirent, type, 15),
	F(U8, gns_dirent, has, GNS_DE_MAX),
	F(STR, gns_dirent, name, GNS_NAME_MAX),
	END,
};

const struct gns_field gns_dirent_ino_fields[] = {
	F(U64, gns_dirent, attr.ino, 0),
	END,
};

const struct gns_field gns_dirent_attr_fields[] = {
	F(FH, gns_dirent, fh, 0),
	F(GRANT, gns_dirent, grant, 0),
	F(ATTR, gns_dirent, attr, 0),
	END,
};

const struct gns_field gns_reval_fields[] = {
	F(FH, gns_reval, fh, 0),
	F(U64, gns_reval, version, 0),
	END,
};

const struct gns_field gns_reval_reply_fields[] = {
	F(U32, gns_reval, status, GNS_ST_END - 1),
	F(GRANT, gns_reval, grant, 0),
	F(ATTR, gns_reval, attr, 0),
	END,
};

const struct gns_layout *gns_layout(u16 type, bool reply)
{
	if (!type || type >= GNS_MSG_END)
		return NULL;
	return reply ? &replies[type] : &requests[type];
}

const char *gns_msg_name(u16 type)
{
	static const char *const names[GNS_MSG_END] = {
		"-",
		"HELLO",
		"JOIN",
		"RENEW",
		"BYE",
		"REVOKE",
		"RELEASED",
		"MOUNT",
		"LOOKUP",
		"GETATTR",
		"READDIR",
		"READLINK",
		"READ",
		"GETXATTR",
		"LISTXATTR",
		"STATFS",
		"REVALIDATE",
		"FSYNC",
		"WRITE",
		"CREATE",
		"MKDIR",
		"UNLINK",
		"RMDIR",
		"RENAME",
		"SETATTR",
		"SEEK",
		"LINK",
		"SYMLINK",
		"MKNOD",
		"SETXATTR",
		"FALLOCATE",
		"COPY",
		"LOCK",
		"UNLOCKED",
		"RELEASED_OPEN",
		"TMPFILE",
	};

	return type < GNS_MSG_END ? names[type] : "?";
}
