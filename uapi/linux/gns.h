/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * gns: what the kernel module and gns-helperd say to each other.
 *
 * Generic netlink, family "gns", carries words: sessions, leases, requests,
 * small answers. /dev/gns carries bytes: buffers are registered once, and an
 * answer with bytes is one FILL that names a place in them.
 *
 *	open /dev/gns		the helper's life: its close is the helper's death
 *	GNS_CMD_BIND {FD}	this netlink socket speaks for that file
 *	GNS_CMD_DOORBELL	(kernel) there are words to pull
 *	GNS_CMD_PULL		answered with as many words as fit; none: all
 *				pulled, and the doorbell will ring again
 *	GNS_CMD_REPLY		answer of a call without bytes
 *	GNS_IOC_FILL		answer of a call with bytes
 *
 * The truth is the kernel's request table. A lost doorbell loses nothing, and
 * a new helper pulls every call that was not answered once more.
 *
 * Compatibility: attributes, commands, call types and ioctls are only ever
 * added, each with a feature bit; both sides use what both have. Reserved
 * fields are zero and are checked. netlink/specs/gns.yaml beside this file
 * describes each attribute with unit and range.
 *
 *	version 1	first
 */
#ifndef _UAPI_LINUX_GNS_H
#define _UAPI_LINUX_GNS_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define GNS_GENL_NAME "gns"
#define GNS_GENL_VERSION 1

#define GNS_DEV_NAME "gns" /* /dev/gns */

/*
 * Features of BIND: the kernel answers with those that both have.
 *
 * GNS_F_SEEK:   calls of type GNS_CALL_SEEK may come.
 * GNS_F_CHANGE: calls from GNS_CALL_WRITE to GNS_CALL_FSYNC may come, and UP may
 *               have ORIGIN_FEATURES.
 * GNS_F_HOLD:   a RELEASED may have OPEN, an UNLINK GNS_UU_OPEN, a RENAME
 *               GNS_UR_OPEN, and both VICTIM.
 * GNS_F_LOCK:   calls of type GNS_CALL_LOCK and the word UNLOCK may come, and
 *               UNLOCKED may be said.
 * GNS_F_ACL:    attributes say GNS_UAM_*, CREATE, MKDIR and MKNOD may have
 *               UMASK, and access control lists may be asked for and set.
 * GNS_F_TMPFILE: calls of type GNS_CALL_TMPFILE may come.
 * GNS_F_NAMES:  WANT of READDIR may have GNS_UWANT_NAMES.
 */
#define GNS_F_SEEK (1ULL << 0)
#define GNS_F_CHANGE (1ULL << 1)
#define GNS_F_HOLD (1ULL << 2)
#define GNS_F_LOCK (1ULL << 3)
#define GNS_F_ACL (1ULL << 4)
#define GNS_F_TMPFILE (1ULL << 5)
#define GNS_F_NAMES (1ULL << 6)
#define GNS_F_ALL \
	(GNS_F_SEEK | GNS_F_CHANGE | GNS_F_HOLD | GNS_F_LOCK | GNS_F_ACL | \
	 GNS_F_TMPFILE | GNS_F_NAMES)

/* Limits, in bytes unless said otherwise. */
#define GNS_UFH_MAX 63u
#define GNS_UNAME_MAX 255u
#define GNS_UPATH_MAX 4096u
#define GNS_UID_LEN 16u /* of ids and secrets */
#define GNS_UGROUPS_MAX 64u /* supplementary groups told to the origin */
#define GNS_UTEXT_MAX 255u
#define GNS_UREAD_MAX (2u << 20) /* one READ */
#define GNS_UWRITE_MAX (1u << 20) /* one WRITE */
#define GNS_UCHANGED_MAX 4u /* objects that one change touches */
#define GNS_USLOTS_MAX 64u /* changes under way with one origin */
#define GNS_UDIR_MAX (1u << 20) /* one READDIR answer */
#define GNS_UXATTR_MAX 65536u
#define GNS_UREVAL_MAX 1024u /* objects in one REVALIDATE */
#define GNS_UBUFS_MAX 64u /* registered buffers of a helper */
#define GNS_UBUF_MAX (1u << 30) /* one of them */

enum gns_cmd {
	GNS_CMD_BIND = 1,
	GNS_CMD_DOORBELL,
	GNS_CMD_PULL,
	GNS_CMD_SESSION, /* what the kernel holds of its session */
	GNS_CMD_SECRET, /* a new random secret, for a session to ask for */
	GNS_CMD_UP, /* a session is there; acknowledged when it counts */
	GNS_CMD_RENEWED,
	GNS_CMD_LOST, /* fence everything; answered by the word FENCED */
	GNS_CMD_REVOKE, /* answered by the word RELEASED */
	GNS_CMD_REPLY,
	GNS_CMD_TROUBLE, /* why an origin can not be reached, for people */
	GNS_CMD_STATUS, /* dump: origins, then mounts; for tools */
	GNS_CMD_DROP, /* drop the cached data of a mount; for tools */
	GNS_CMD_UNLOCKED, /* ORIGIN, FH: a lock waited for may be free */
	__GNS_CMD_MAX,
};

#define GNS_CMD_MAX (__GNS_CMD_MAX - 1)

/* GNS_A_WORD_KIND */
enum gns_word_kind {
	GNS_WORD_ORIGIN = 1, /* keep a session with ORIGIN, named NAME */
	GNS_WORD_ORIGIN_GONE, /* no more: BYE */
	GNS_WORD_CALL, /* carry it out, answer by REPLY or FILL */
	GNS_WORD_CANCEL, /* nobody waits for ID any more */
	GNS_WORD_RELEASED, /* SID, FH, UPTO, OPEN */
	GNS_WORD_FENCED, /* SID */
	GNS_WORD_UNLOCK, /* SID, FH, LOCK: nobody waits for it */
};

/* GNS_A_CALL: what is asked; struct gns_ucall_* below says with what. */
enum gns_call_type {
	GNS_CALL_MOUNT = 1, /* NAME: the export */
	GNS_CALL_LOOKUP, /* FH, NAME; "..": the parent, absent at the root */
	GNS_CALL_GETATTR, /* FH */
	GNS_CALL_READDIR, /* FH, OFF: cookie, LEN; FILL: struct gns_udirent */
	GNS_CALL_READLINK, /* FH; FILL: the target, no end mark */
	GNS_CALL_READ, /* FH, OFF, LEN, LEASE; FILL: bytes */
	GNS_CALL_GETXATTR, /* FH, NAME; FILL: the value */
	GNS_CALL_LISTXATTR, /* FH; FILL: names with end marks */
	GNS_CALL_STATFS, /* FH */
	GNS_CALL_REVALIDATE, /* payload: struct gns_ureval[]; FILL: the same */
	GNS_CALL_SEEK, /* FH, OFF, FLAGS: SEEK_DATA or SEEK_HOLE */
	/* Changes: all with SLOT and SEQ, all answered with CHANGED. */
	GNS_CALL_WRITE, /* FH, OFF, FLAGS: GNS_UW_*; payload: the bytes */
	GNS_CALL_CREATE, /* FH: directory, NAME, MODE, UMASK, FLAGS: GNS_UC_* */
	GNS_CALL_MKDIR, /* FH: directory, NAME, MODE, UMASK */
	GNS_CALL_UNLINK, /* FH: directory, NAME, FLAGS: GNS_UU_* */
	GNS_CALL_RMDIR, /* FH: directory, NAME */
	GNS_CALL_RENAME, /* FH, NAME, FH2, NAME2, FLAGS: RENAME_*, GNS_UR_* */
	GNS_CALL_SETATTR, /* FH, SETATTR */
	GNS_CALL_LINK, /* FH: directory, NAME, FH2: the object */
	GNS_CALL_SYMLINK, /* FH: directory, NAME, NAME2: the target */
	GNS_CALL_MKNOD, /* FH: directory, NAME, MODE with type, UMASK, RDEV */
	GNS_CALL_SETXATTR, /* FH, NAME, FLAGS: GNS_UX_*; payload: the value */
	GNS_CALL_FALLOCATE, /* FH, OFF, COUNT, FLAGS: FALLOC_FL_* */
	GNS_CALL_COPY, /* FH, OFF: from; FH2, OFF2: to; COUNT, FLAGS: GNS_UY_* */
	/* No change: what is written becomes durable. */
	GNS_CALL_FSYNC, /* FH, FLAGS: GNS_UFS_*, INCARNATION */
	GNS_CALL_LOCK, /* FH, LOCK; answered with LOCK when a test finds one */
	/* A change, as those above. */
	GNS_CALL_TMPFILE, /* FH: directory, MODE, UMASK, FLAGS: GNS_UT_* */
	__GNS_CALL_MAX,
};

#define GNS_CALL_MAX (__GNS_CALL_MAX - 1)

/* GNS_A_WANT */
#define GNS_UWANT_LEASE 1u
#define GNS_UWANT_TURN 2u /* wait for the lease between changes (a fault) */
#define GNS_UWANT_NAMES 4u /* READDIR: names will do, without GNS_UD_ATTR */

/* GNS_A_FLAGS of WRITE */
#define GNS_UW_APPEND 1u /* to the end of the file; OFF does not count */
#define GNS_UW_SYNC 2u /* durable when answered */

/* GNS_A_FLAGS of CREATE */
#define GNS_UC_EXCL 1u /* it may not exist */

/* GNS_A_FLAGS of TMPFILE */
#define GNS_UT_EXCL 1u /* it never gets a name */

/* GNS_A_FLAGS of UNLINK */
#define GNS_UU_OPEN 1u /* VICTIM is open here */

/* GNS_A_FLAGS of RENAME, beside those of renameat2(2) */
#define GNS_UR_OPEN 8u /* VICTIM is open here */

/* GNS_A_FLAGS of SETXATTR */
#define GNS_UX_CREATE 1u /* it may not exist */
#define GNS_UX_REPLACE 2u /* it must exist */
#define GNS_UX_REMOVE 4u /* take it away; it must exist */

/* GNS_A_FLAGS of COPY */
#define GNS_UY_CLONE 1u /* share the blocks, or fail; COUNT 0: to the end */

/* GNS_A_FLAGS of FSYNC */
#define GNS_UFS_DATA 1u /* as fdatasync(2) */
#define GNS_UFS_ALL 2u /* the whole export that FH is in */

/* GNS_A_FLAGS of REPLY, flags of FILL */
#define GNS_UF_EOF 1u /* READ, READDIR: nothing behind this answer */
#define GNS_UF_ABSENT 2u /* LOOKUP: the origin looked; there is no such name */
#define GNS_UF_CREATED 4u /* CREATE: it was not there before */
#define GNS_UF_ALL 7u

/*
 * GNS_A_STATUS: 0, an errno of Linux (below 1000), or one of the wire's:
 */
#define GNS_US_NOEXPORT 1002u /* MOUNT: unknown export */
#define GNS_US_REFUSED 1003u /* MOUNT: not allowed */
#define GNS_US_UNKNOWN 1006u /* a change: it can not be told whether it ran */
#define GNS_US_LOST 1007u /* FSYNC: the origin lost power since the write */
#define GNS_US_AGAIN 1008u /* LOCK: ask again with another seq */

/* In struct gns_uattr.mode, above the bits of st_mode; with GNS_F_ACL only. */
#define GNS_UAM_ACL 0x10000u /* an access control list beyond the mode */
#define GNS_UAM_DEFACL 0x20000u /* a default one, of a directory */

/** struct gns_uattr - attributes; times in ns since 1970, sizes in bytes */
struct gns_uattr {
	__u64 ino;
	__u64 size;
	__u64 blocks; /* of 512 bytes */
	__s64 atime;
	__s64 mtime;
	__s64 ctime;
	__s64 btime;
	__u32 mode; /* as st_mode, and GNS_UAM_* */
	__u32 nlink;
	__u32 uid;
	__u32 gid;
	__u32 rdev;
	__u32 blksize;
};

/** struct gns_ufh - opaque name of an object, its origin's */
struct gns_ufh {
	__u8 len;
	__u8 b[GNS_UFH_MAX];
};

/** struct gns_ustatfs - as statfs(2), in blocks of bsize bytes */
struct gns_ustatfs {
	__u64 bsize;
	__u64 blocks;
	__u64 bfree;
	__u64 bavail;
	__u64 files;
	__u64 ffree;
	__u32 namelen;
	__u32 reserved;
};

/* struct gns_udirent.flags */
#define GNS_UD_ATTR 1u /* fh, version, number and all of attr are there */

/**
 * struct gns_udirent - one entry of a listing
 * @cookie:  where a listing goes on behind this entry; never 0
 * @version: of the child; 0: not cacheable
 * @number:  grant number of a lease on the child; 0: none
 * @attr:    of the child; without GNS_UD_ATTR only its ino, 0: not known
 * @fh:      of the child
 * @reclen:  bytes to the next entry: header, name, padding to 8
 * @namelen: bytes of the name
 * @type:    DT_*
 * @flags:   GNS_UD_*
 * @reserved: zeros
 *
 * The name follows, @namelen bytes, without an end mark.
 */
struct gns_udirent {
	__u64 cookie;
	__u64 version;
	__u64 number;
	struct gns_uattr attr;
	struct gns_ufh fh;
	__u16 reclen;
	__u16 namelen;
	__u8 type;
	__u8 flags;
	__u8 reserved[2];
};

/**
 * struct gns_ureval - one object of REVALIDATE
 * @fh:      the object
 * @version: asked: what the kernel holds; answered: what the object has
 * @number:  asked: 0; answered: grant number, 0: none
 * @attr:    asked: zeros; answered: of that version
 * @status:  asked: 0; answered: 0 or an errno
 * @reserved: 0
 *
 * The answer has the same objects in the same order.
 */
struct gns_ureval {
	struct gns_ufh fh;
	__u64 version;
	__u64 number;
	struct gns_uattr attr;
	__u32 status;
	__u32 reserved;
};

/* struct gns_usetattr.valid: which fields count */
#define GNS_USA_MODE 1u
#define GNS_USA_UID 2u
#define GNS_USA_GID 4u
#define GNS_USA_SIZE 8u
#define GNS_USA_ATIME 16u
#define GNS_USA_MTIME 32u
#define GNS_USA_ATIME_NOW 64u /* the origin's clock */
#define GNS_USA_MTIME_NOW 128u
#define GNS_USA_ALL 255u

/** struct gns_usetattr - SETATTR; as struct gns_uattr */
struct gns_usetattr {
	__u64 size;
	__s64 atime;
	__s64 mtime;
	__u32 valid; /* GNS_USA_* */
	__u32 mode; /* at most 07777 */
	__u32 uid;
	__u32 gid;
};

/* struct gns_ulock.kind */
#define GNS_ULC_WHOLE 0u /* flock(2) */
#define GNS_ULC_RANGE 1u /* fcntl(2), of processes and of open files */

/* struct gns_ulock.op */
#define GNS_ULK_READ 0u
#define GNS_ULK_WRITE 1u
#define GNS_ULK_UNLOCK 2u
#define GNS_ULK_CANCEL 3u /* nobody waits for it any more */

/* struct gns_ulock.how */
#define GNS_ULH_TRY 0u
#define GNS_ULH_WAIT 1u /* EAGAIN, and UNLOCKED when it may be free */
#define GNS_ULH_TEST 2u /* only look */

/**
 * struct gns_ulock - LOCK, and what a test has found
 * @seq:   asked: grows with every call but tests, in the life of the session's
 *         instance; answered: 0
 * @owner: asked: whose, among those of this host; answered: 0
 * @start: first byte
 * @end:   last byte; U64_MAX: to the end
 * @pid:   process, on the host of the one who has it
 * @kind:  asked: GNS_ULC_*; answered: 0
 * @op:    GNS_ULK_*
 * @how:   asked: GNS_ULH_*; answered: 0
 * @own:   asked: 0; answered: 1: it is of this host
 */
struct gns_ulock {
	__u64 seq;
	__u64 owner;
	__u64 start;
	__u64 end;
	__u32 pid;
	__u8 kind;
	__u8 op;
	__u8 how;
	__u8 own;
};

/**
 * struct gns_uchanged - an object that a change touched
 * @fh:     which
 * @before: its version before; 0: it did not exist, or that is not known
 * @after:  its version after; 0: not known
 * @attr:   its attributes after; ino 0: it is gone, or they are not known
 */
struct gns_uchanged {
	struct gns_ufh fh;
	__u64 before;
	__u64 after;
	struct gns_uattr attr;
};

enum gns_attr_type {
	GNS_A_FD = 1, /* u32: BIND: an open /dev/gns */
	GNS_A_FEATURES, /* u64: GNS_F_* */
	GNS_A_INSTANCE, /* 16 bytes: random; SESSION: of the slots' life */
	GNS_A_WORD, /* nest, several: a word */
	GNS_A_WORD_KIND, /* u32: enum gns_word_kind */
	GNS_A_ORIGIN, /* u32: the kernel's number of an origin */
	GNS_A_NAME, /* bytes: origin, export, file or attribute name */
	GNS_A_SID, /* u64: session */
	GNS_A_SECRET, /* 16 bytes */
	GNS_A_HAD_SLOTS, /* flag: changes were sent in that instance's life */
	GNS_A_STAMP, /* u64: ns of BOOTTIME, echoed by the origin */
	GNS_A_TTL, /* u64: ns */
	GNS_A_SLOTS, /* u32: changes that may be in flight */
	GNS_A_SLOTS_KNOWN, /* flag */
	GNS_A_INCARNATION, /* u64 */
	GNS_A_FH, /* 1..63 bytes */
	GNS_A_UPTO, /* u64: grant number */
	GNS_A_ID, /* u64: call */
	GNS_A_CALL, /* u32: enum gns_call_type */
	GNS_A_EPOCH, /* u64: life of the lease it is sent under; 0: none */
	GNS_A_LEASE, /* u64: grant that the reader holds; 0: none */
	GNS_A_WANT, /* u32: GNS_UWANT_* */
	GNS_A_OFF, /* u64: bytes; READDIR: cookie */
	GNS_A_LEN, /* u32: bytes */
	GNS_A_UID, /* u32: caller, of the initial user namespace */
	GNS_A_GID, /* u32 */
	GNS_A_GROUPS, /* u32[]: supplementary groups, at most 64 */
	GNS_A_PAYLOAD, /* u32: bytes of the call to be had by TAKE */
	GNS_A_STATUS, /* u32: 0, an errno, or GNS_US_* */
	GNS_A_FLAGS, /* u32: of the call, see enum gns_call_type; REPLY: GNS_UF_* */
	GNS_A_ATTR, /* struct gns_uattr */
	GNS_A_VERSION, /* u64: of the object; 0: not cacheable */
	GNS_A_NUMBER, /* u64: grant number of the object's lease; 0: none */
	GNS_A_DIR_VERSION, /* u64: LOOKUP: the same of the directory */
	GNS_A_DIR_NUMBER, /* u64 */
	GNS_A_STATFS, /* struct gns_ustatfs */
	GNS_A_TEXT, /* string: for people */
	GNS_A_MOUNT, /* u32: the kernel's number of a mount */
	GNS_A_STATUS_ORIGIN, /* nest: STATUS: one origin, GNS_S_* */
	GNS_A_STATUS_MOUNT, /* nest: STATUS: one mount, GNS_S_* */
	GNS_A_SLOT, /* u32: changes: below SLOTS */
	GNS_A_SEQ, /* u64: changes: the slot's count, the same for each copy */
	GNS_A_MODE, /* u32: of what is made */
	GNS_A_RDEV, /* u32: MKNOD: device, as in gns_uattr */
	GNS_A_FH2, /* 1..63 bytes: a second object */
	GNS_A_NAME2, /* bytes: a second name; SYMLINK: the target */
	GNS_A_OFF2, /* u64: bytes */
	GNS_A_COUNT, /* u64: bytes asked for, and in the answer done */
	GNS_A_SETATTR, /* struct gns_usetattr */
	GNS_A_CHANGED, /* struct gns_uchanged[], at most GNS_UCHANGED_MAX */
	GNS_A_ORIGIN_FEATURES, /* u64: UP, SESSION: the helper's, of the session */
	GNS_A_LOCK, /* struct gns_ulock */
	GNS_A_UMASK, /* u32: the caller's; 0 if it was taken off MODE already */
	GNS_A_OPEN, /* flag: RELEASED: FH is open here, see README.md */
	GNS_A_VICTIM, /* 1..63 bytes: UNLINK, RENAME: what the name is taken for */
	__GNS_A_MAX,
};

#define GNS_A_MAX (__GNS_A_MAX - 1)

/* Inside of GNS_A_STATUS_ORIGIN and GNS_A_STATUS_MOUNT. */
enum gns_status_type {
	GNS_S_NR = 1, /* u32: number of the origin or mount */
	GNS_S_NAME, /* string: origin; mount: origin:/export */
	GNS_S_ORIGIN, /* u32: mount: its origin */
	GNS_S_SID, /* u64: origin; 0: no session */
	GNS_S_LEFT, /* u64: ns until the leases expire; 0: they have */
	GNS_S_TTL, /* u64: ns */
	GNS_S_LEASES, /* u64: objects held, as of now */
	GNS_S_CACHED, /* u64: objects with a known version */
	GNS_S_PENDING, /* u64: calls not answered */
	GNS_S_TROUBLE, /* string: why the origin can not be reached */
	GNS_S_HELPER, /* u32: pid of the helper, in the reader's namespace */
	GNS_S_COUNTERS, /* u64[]: mount: enum gns_counter */
	GNS_S_PAD,
	GNS_S_DEV, /* u32: mount: its st_dev */
	__GNS_S_MAX,
};

#define GNS_S_MAX (__GNS_S_MAX - 1)

/* Counters of a mount, in this order; new ones go to the end. */
enum gns_counter {
	GNS_C_READ_BYTES, /* given to applications by read(2) and kin */
	GNS_C_FILL_BYTES, /* put into the page cache, from the origin */
	GNS_C_PASS_BYTES, /* read past the cache: no lease, or O_DIRECT */
	GNS_C_READS, /* read calls */
	GNS_C_FILLS, /* fills asked for */
	GNS_C_FILLS_STALE, /* of those, ended by a revoke or an old epoch */
	GNS_C_RESTARTS, /* reads begun again because a lease ended meanwhile */
	GNS_C_CALLS, /* calls to the origin, fills included */
	GNS_C_LOOKUPS, /* names looked up at the origin */
	GNS_C_GETATTRS,
	GNS_C_READDIRS,
	GNS_C_REVALIDATED, /* objects asked for again by version */
	GNS_C_KEPT, /* of those, unchanged */
	GNS_C_GRANTS, /* leases gained */
	GNS_C_REVOKES, /* leases lost to a change */
	GNS_C_FAULTS, /* page faults */
	GNS_C_DENTRY_HITS, /* names found in the cache, absence included */
	GNS_C_WRITES, /* write calls */
	GNS_C_WRITE_BYTES, /* of them, that the origin has */
	GNS_C_CHANGES, /* changes sent to the origin, writes included */
	GNS_C_CACHE_BYTES, /* put into the page cache out of the cache's devices */
	GNS_C_CACHE_BAD, /* extents there that were found to be damaged */
	GNS_C_DIRECT_BYTES, /* O_DIRECT, from those devices to the reader's memory */
	GNS_C_DIRECT_COPIED, /* O_DIRECT with a cache, copied from the origin's answer */
	GNS_C_DIRECT_BUFFERED, /* O_DIRECT with a cache, through the page cache */
	GNS_C_FILES_AHEAD, /* files asked for before they were opened */
	__GNS_C_MAX,
};

#define GNS_C_MAX __GNS_C_MAX

/*
 * /dev/gns: one open at a time in a network namespace. Closing it is the
 * helper's death: calls wait for the next one.
 */

/** struct gns_ubuf - REGISTER: pin memory that answers are taken from */
struct gns_ubuf {
	__u64 addr; /* page-aligned */
	__u64 len; /* page-aligned, at most GNS_UBUF_MAX */
	__u32 index; /* out: its number */
	__u32 reserved;
};

/**
 * struct gns_ufill - FILL: answer call @id with bytes
 * @id:      the call; one that has ended is 0 bytes and no error
 * @sid:     session that the answer was given in
 * @version: of the object; 0: not cacheable
 * @number:  grant number; 0: no lease
 * @attr:    of the object
 * @status:  0, an errno, or GNS_US_*; then there are no bytes
 * @flags:   GNS_UF_*
 * @buf:     registered buffer
 * @offset:  of the bytes in it
 * @len:     bytes
 *
 * When it returns, the kernel has taken the bytes; the buffer is free again.
 */
struct gns_ufill {
	__u64 id;
	__u64 sid;
	__u64 version;
	__u64 number;
	struct gns_uattr attr;
	__u32 status;
	__u32 flags;
	__u32 buf;
	__u32 len;
	__u64 offset;
};

/** struct gns_utake - TAKE: copy bytes of a call into a registered buffer */
struct gns_utake {
	__u64 id;
	__u64 offset; /* in the buffer */
	__u32 buf;
	__u32 pos; /* in the call's payload */
	__u32 len;
	__u32 reserved;
};

/* GNS_UCS_*: what is said of a data set */
#define GNS_UCS_QUOTA (1u << 0)
#define GNS_UCS_PIN (1u << 1)
#define GNS_UCS_UNPIN (1u << 2)

/**
 * struct gns_ucache_set - CACHE_SET, of a directory: it, and what is below by the
 * names by which files are opened, is a data set of its own in the cache
 * @flags:    GNS_UCS_*; what is not said stays as it is
 * @reserved: 0
 * @quota:    bytes that it has of the cache at most; 0: as much as there is
 *
 * For administrators, as long as the cache is open. Answered by its number, the
 * <M> of /sys/fs/gns/cache<N>/set<M>.
 */
struct gns_ucache_set {
	__u32 flags;
	__u32 reserved;
	__u64 quota;
};

#define GNS_IOC_MAGIC 0xE5
#define GNS_IOC_REGISTER _IOWR(GNS_IOC_MAGIC, 1, struct gns_ubuf)
#define GNS_IOC_FILL _IOW(GNS_IOC_MAGIC, 2, struct gns_ufill)
#define GNS_IOC_TAKE _IOW(GNS_IOC_MAGIC, 3, struct gns_utake)
#define GNS_IOC_STAMP _IOR(GNS_IOC_MAGIC, 4, __u64) /* ns of BOOTTIME */
#define GNS_IOC_CACHE_SET _IOW(GNS_IOC_MAGIC, 5, struct gns_ucache_set)

#endif /* _UAPI_LINUX_GNS_H */
