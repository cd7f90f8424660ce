/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages in memory, and the codec between them and the wire.
 *
 * Lifetime: strings and payload of a decoded message point into the frame it
 * was decoded from and die with it. gns_msg_dup() makes one that lives on.
 * Locks: none; everything here is a pure function of its arguments.
 */
#ifndef GNS_PROTO_MSG_H
#define GNS_PROTO_MSG_H

#include "proto/wire.h"

/** struct gns_fh - opaque name of an object, given out by its origin only */
struct gns_fh {
	u8 len; /* bytes of b in use; 0: none */
	u8 b[GNS_FH_MAX];
};

struct gns_id {
	u8 b[GNS_ID_LEN];
};

/** struct gns_str - bytes without an end mark; not owned */
struct gns_str {
	const char *p;
	u32 len;
};

/** struct gns_attr - attributes; times in ns since 1970, sizes in bytes */
struct gns_attr {
	u64 ino;
	u64 size;
	u64 blocks; /* of 512 bytes */
	s64 atime;
	s64 mtime;
	s64 ctime;
	s64 btime;
	u32 mode; /* as stat(2) has it, and GNS_AM_* */
	u32 nlink;
	u32 uid;
	u32 gid;
	u32 rdev;
	u32 blksize;
};

/**
 * struct gns_grant - the version an answer shows, and the lease with it
 * @version: 0: not cacheable, the object changed around the read
 * @number:  grant number of the session; 0: no lease
 */
struct gns_grant {
	u64 version;
	u64 number;
};

struct gns_cred {
	u32 uid;
	u32 gid;
	u32 ngroups;
	u32 groups[GNS_GROUPS_MAX];
};

/**
 * struct gns_change - what makes a change happen at most once
 * @slot:  0 .. slots - 1
 * @seq:   the slot's count, from 1; the same for every copy of one change
 */
struct gns_change {
	u32 slot;
	u64 seq;
};

/** struct gns_changed - an object that a change touched */
struct gns_changed {
	struct gns_fh fh;
	u64 before; /* version before; 0: it did not exist */
	u64 after; /* version after; 0: unknown, ask again */
	struct gns_attr attr;
};

struct gns_changed_list {
	u32 n;
	struct gns_changed v[GNS_CHANGED_MAX];
};

struct gns_m_hello {
	u32 proto_min;
	u32 proto_max;
	u64 features;
	struct gns_id host; /* stable id of the host; proves nothing */
	struct gns_id instance; /* random, of this life of the kernel module */
	struct gns_id secret; /* random, of the session asked for */
	u64 stamp; /* ns, the satellite kernel's BOOTTIME before the send */
	u64 old_sid; /* session to replace; 0: none */
	struct gns_id old_secret;
	u8 fenced; /* 1: the kernel's fence of old_sid has finished */
	u8 had_slots; /* 1: this instance has sent changes before */
};

struct gns_r_hello {
	u32 proto;
	u64 features;
	u64 sid;
	u64 stamp; /* echo */
	u64 ttl; /* ns from the stamp */
	u32 slots; /* changes that may be in flight */
	u8 slots_known; /* 1: the instance's slots are remembered */
	u64 incarnation; /* of what is durable; a power loss begins another */
};

struct gns_m_join {
	struct gns_id secret;
};

struct gns_m_renew {
	u64 stamp; /* ns, BOOTTIME before this very transmission */
};

struct gns_r_renew {
	u64 stamp; /* echo of the transmission answered */
	u64 ttl; /* ns from the stamp */
};

struct gns_m_revoke { /* REVOKE, RELEASED and RELEASED_OPEN */
	struct gns_fh fh;
	u64 upto; /* every grant of the session up to this number */
};

struct gns_m_mount {
	struct gns_cred cred;
	struct gns_str export;
};

/** struct gns_m_obj - GETATTR, READLINK, STATFS, LISTXATTR, FSYNC, MOUNT */
struct gns_m_obj {
	struct gns_cred cred;
	struct gns_fh fh;
	u8 want;
	u8 datasync; /* FSYNC only: 0 or one of GNS_FS_* */
	u64 incarnation; /* FSYNC: when the data was written; 0: any */
};

struct gns_m_name { /* LOOKUP, GETXATTR */
	struct gns_cred cred;
	struct gns_fh fh;
	struct gns_str name;
	u8 want;
};

struct gns_m_range { /* READ: bytes; READDIR: cookie and payload bytes */
	struct gns_cred cred;
	struct gns_fh fh;
	u64 off;
	u32 len;
	u8 want;
	u64 lease; /* number of the grant the reader holds; 0: none */
};

struct gns_m_seek {
	struct gns_cred cred;
	struct gns_fh fh;
	u64 off;
	u8 whence; /* GNS_SK_* */
};

struct gns_r_seek {
	u64 off;
};

/** struct gns_r_obj - answer of most reads */
struct gns_r_obj {
	struct gns_fh fh;
	struct gns_grant grant;
	struct gns_attr attr;
	u8 eof; /* READ, READDIR: nothing behind this answer */
};

struct gns_r_lookup {
	struct gns_grant dir;
	u8 absent; /* 1: the origin looked, and there is no such name */
	struct gns_r_obj child;
};

struct gns_r_statfs {
	u64 bsize;
	u64 blocks;
	u64 bfree;
	u64 bavail;
	u64 files;
	u64 ffree;
	u32 namelen;
};

struct gns_m_count { /* REVALIDATE and its answer: items in the payload */
	u32 count;
};

struct gns_m_write {
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh fh;
	u64 off;
	u8 flags;
};

struct gns_m_make { /* CREATE, MKDIR, UNLINK, RMDIR, TMPFILE */
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh dir;
	struct gns_str name; /* not TMPFILE */
	u32 mode;
	u32 umask; /* of what is made: the caller's, not taken off @mode */
	u8 flags;
	struct gns_fh victim; /* UNLINK: what it means to take the name of */
};

struct gns_m_rename {
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh odir;
	struct gns_str oname;
	struct gns_fh ndir;
	struct gns_str nname;
	u8 flags;
	struct gns_fh victim; /* what it means to replace */
};

struct gns_m_setattr {
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh fh;
	u32 valid;
	u32 mode;
	u32 uid;
	u32 gid;
	u64 size;
	s64 atime;
	s64 mtime;
};

struct gns_m_link {
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh dir;
	struct gns_str name;
	struct gns_fh fh; /* the object that gets the name */
};

struct gns_m_symlink {
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh dir;
	struct gns_str name;
	struct gns_str target;
};

struct gns_m_mknod {
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh dir;
	struct gns_str name;
	u32 mode; /* with the type: S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK */
	u32 umask; /* as in gns_m_make */
	u32 rdev; /* as in gns_attr */
};

struct gns_m_setxattr { /* the value is the payload */
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh fh;
	struct gns_str name;
	u8 flags; /* GNS_XA_* */
};

struct gns_m_fallocate {
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh fh;
	u64 off;
	u64 len;
	u32 mode; /* FALLOC_FL_* */
};

struct gns_m_copy {
	struct gns_change change;
	struct gns_cred cred;
	struct gns_fh from;
	u64 from_off;
	struct gns_fh fh; /* what is changed */
	u64 off;
	u64 len; /* GNS_CP_CLONE: 0 is to the end */
	u8 flags; /* GNS_CP_* */
};

/** struct gns_m_lock - LOCK; see PROTOCOL.md */
struct gns_m_lock {
	struct gns_fh fh;
	u64 seq; /* grows in a satellite's life; TEST: does not count */
	u64 owner; /* whose lock it is, among those of the session */
	u8 kind; /* GNS_LC_* */
	u8 op; /* GNS_LK_* */
	u8 how; /* GNS_LH_*, of READ and WRITE */
	u64 start; /* bytes */
	u64 end; /* inclusive; U64_MAX: to the end */
	u32 pid; /* for people, on that host */
};

struct gns_r_lock { /* TEST: the first one in the way; else zeros */
	u8 found;
	u8 op; /* GNS_LK_READ, GNS_LK_WRITE */
	u64 start;
	u64 end;
	u32 pid;
	u8 own; /* 1: of the session that asks */
};

struct gns_m_unlocked {
	struct gns_fh fh;
};

/** struct gns_r_change - answer of every change */
struct gns_r_change {
	struct gns_fh fh; /* of what was made, or found by CREATE */
	u64 off; /* WRITE: where it went */
	u32 count; /* WRITE, COPY: bytes written; 0 of a clone */
	u8 created;
	u64 number; /* lease on what was made, of the version it was made in */
	struct gns_changed_list changed;
};

/** struct gns_dirent - one entry in the payload of a READDIR answer */
struct gns_dirent {
	u64 cookie;
	u8 type; /* DT_* */
	u8 has; /* GNS_DE_*: only with GNS_DE_ATTR all of what follows is there */
	struct gns_str name;
	struct gns_fh fh;
	struct gns_grant grant;
	struct gns_attr attr;
};

/** struct gns_reval - one object of REVALIDATE: asked {fh, version} */
struct gns_reval {
	struct gns_fh fh;
	u64 version;
	u32 status; /* answer: 0 or an errno */
	struct gns_grant grant; /* answer */
	struct gns_attr attr; /* answer */
};

/*
 * One message. Of a reply (reply set) the r_* members count; one with a status
 * has no body and no payload. The payload is bulk bytes, not owned.
 */
struct gns_msg {
	u16 type; /* enum gns_msg_type */
	bool reply;
	u32 status; /* replies: 0, an errno or enum gns_status */
	u64 tag;
	u64 sid;
	const void *payload;
	u32 payload_len;
	union {
		struct gns_m_hello hello;
		struct gns_r_hello r_hello;
		struct gns_m_join join;
		struct gns_m_renew renew;
		struct gns_r_renew r_renew;
		struct gns_m_revoke revoke;
		struct gns_m_mount mount;
		struct gns_m_obj obj;
		struct gns_m_name name;
		struct gns_m_range range;
		struct gns_m_seek seek;
		struct gns_r_seek r_seek;
		struct gns_r_obj r_obj;
		struct gns_r_lookup r_lookup;
		struct gns_r_statfs r_statfs;
		struct gns_m_count count;
		struct gns_m_write write;
		struct gns_m_make make;
		struct gns_m_rename rename;
		struct gns_m_setattr setattr;
		struct gns_m_link link;
		struct gns_m_symlink symlink;
		struct gns_m_mknod mknod;
		struct gns_m_setxattr setxattr;
		struct gns_m_fallocate fallocate;
		struct gns_m_copy copy;
		struct gns_m_lock lock;
		struct gns_r_lock r_lock;
		struct gns_m_unlocked unlocked;
		struct gns_r_change r_change;
	};
};

/** struct gns_hdr - a decoded frame header */
struct gns_hdr {
	u32 len;
	u16 type;
	u16 flags;
	u64 tag;
	u64 sid;
	u32 status;
	u32 body;
};

/**
 * gns_hdr_decode() - read and check a header
 * @p:   GNS_HDR_LEN bytes
 * @hdr: filled
 * @why: set to what is wrong with which field
 *
 * Return: 0; -EBADMSG when a length, type or flag is out of its limits.
 */
int gns_hdr_decode(const u8 *p, struct gns_hdr *hdr, const char **why);

/**
 * gns_msg_encode() - write header and body; the payload is not copied
 * @msg: what to say; payload_len counts into the frame's length
 * @buf: where to
 * @cap: its bytes; GNS_HDR_LEN + GNS_BODY_MAX is always enough
 *
 * Return: bytes written; -EMSGSIZE when @cap is too small; -EINVAL when a
 * field is over its limit (a bug of the caller).
 */
int gns_msg_encode(const struct gns_msg *msg, u8 *buf, u32 cap);

/**
 * gns_msg_decode() - check and read one whole frame
 * @hdr:     its decoded header
 * @body:    hdr->body bytes
 * @payload: the rest
 * @msg:     filled; points into @body and @payload
 * @why:     set to what is wrong with which field
 *
 * Return: 0; -EBADMSG.
 */
int gns_msg_decode(const struct gns_hdr *hdr, const u8 *body,
		   const void *payload, struct gns_msg *msg, const char **why);

/**
 * gns_msg_dup() - a copy that owns its strings and, if told so, its payload
 * @msg:          what to copy
 * @with_payload: copy the payload too, else it is left out
 *
 * Return: the copy, freed by free(3) in one piece; NULL without memory.
 */
struct gns_msg *gns_msg_dup(const struct gns_msg *msg, bool with_payload);

/**
 * gns_msg_is_change() - is it a request that changes something
 * @type: enum gns_msg_type
 */
static inline bool gns_msg_is_change(u16 type)
{
	return (type >= GNS_WRITE && type <= GNS_SETATTR) ||
	       (type >= GNS_LINK && type <= GNS_COPY) || type == GNS_TMPFILE;
}

/**
 * gns_msg_change() - the change identity of a change request
 * @msg: a request for which gns_msg_is_change() holds
 *
 * Return: pointer into @msg.
 */
struct gns_change *gns_msg_change(struct gns_msg *msg);

/** gns_msg_is_acl() - is it about an access control list, by its name? */
bool gns_msg_is_acl(const struct gns_msg *msg);

/**
 * gns_msg_strip() - for a peer without access control lists
 * @msg: a request: the umask is taken off the mode. An answer: attributes say
 *       nothing of lists; those in a payload are the caller's
 */
void gns_msg_strip(struct gns_msg *msg);

/** gns_msg_name() - name of a message type for people, never NULL */
const char *gns_msg_name(u16 type);

/** gns_status_str() - a status for people, never NULL */
const char *gns_status_str(u32 status);

/*
 * Lists inside a payload. The put side returns the bytes written or -ENOSPC
 * when @cap is too small for one more; the get side returns the bytes read or
 * -EBADMSG.
 */
int gns_dirent_put(u8 *p, u32 cap, const struct gns_dirent *d);
int gns_dirent_get(const u8 *p, u32 len, struct gns_dirent *d);
int gns_reval_put(u8 *p, u32 cap, const struct gns_reval *r, bool reply);
int gns_reval_get(const u8 *p, u32 len, struct gns_reval *r, bool reply);

static inline bool gns_fh_eq(const struct gns_fh *a, const struct gns_fh *b)
{
	return a->len == b->len && !__builtin_memcmp(a->b, b->b, a->len);
}

static inline bool gns_id_eq(const struct gns_id *a, const struct gns_id *b)
{
	return !__builtin_memcmp(a->b, b->b, GNS_ID_LEN);
}

#endif
