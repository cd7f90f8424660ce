/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire between helpers: layout, versions and limits.
 *
 * A connection carries frames in both directions. A frame is a header of
 * GNS_HDR_LEN bytes, a body (the message's fields, packed in the order that
 * codec.c's tables give) and a payload (bulk bytes, never parsed by the codec
 * except where the message says so). Everything is little-endian.
 *
 *	offset  size  field
 *	     0     4  len      bytes of the frame, header included
 *	     4     2  type     enum gns_msg_type
 *	     6     2  flags    GNS_HF_*; unknown bits are refused
 *	     8     8  tag      chosen by who asks, echoed in the reply; never
 *	                       used twice in a helper's life
 *	    16     8  sid      the session; 0 where there is none yet
 *	    24     4  status   replies: enum gns_status or an errno; else 0
 *	    28     4  body     bytes of the body; the rest is the payload
 *
 * A reader checks len and body against the limits of the type before it
 * reserves a byte. PROTOCOL.md beside this file says what the messages mean.
 */
#ifndef GNS_PROTO_WIRE_H
#define GNS_PROTO_WIRE_H

#include "lib/types.h"

#define GNS_PROTO_MIN 1
#define GNS_PROTO_MAX 1

#define GNS_HDR_LEN 32u

/* Limits, in bytes unless said otherwise. */
#define GNS_BODY_MAX 16384u
#define GNS_FH_MAX 63u
#define GNS_NAME_MAX 255u
#define GNS_PATH_MAX 4096u
#define GNS_READ_MAX (2u << 20) /* one version up to here */
#define GNS_WRITE_MAX (1u << 20)
#define GNS_COPY_MAX (1u << 30) /* one COPY that is no clone */
#define GNS_TARGET_MAX 4095u /* of a symbolic link that is made */
#define GNS_DIR_MAX (1u << 20)
#define GNS_XATTR_MAX 65536u
#define GNS_GROUPS_MAX 64u /* supplementary groups of a caller */
#define GNS_REVAL_MAX 2048u /* objects in one REVALIDATE */
#define GNS_CHANGED_MAX 4u /* objects one change can touch */
#define GNS_PAYLOAD_MAX GNS_READ_MAX
#define GNS_SLOTS_MAX 256u /* changes in flight of one satellite */
#define GNS_ID_LEN 16u
#define GNS_UMASK_ALL 0777u

/* Header flags. */
#define GNS_HF_REPLY 1u
#define GNS_HF_ALL GNS_HF_REPLY

/*
 * Feature bits of HELLO; unknown ones are ignored.
 *
 * GNS_FEAT_SEEK: SEEK. GNS_FEAT_MORE: LINK to COPY, and FSYNC of all.
 * GNS_FEAT_HOLD: RELEASED_OPEN, GNS_UN_OPEN, GNS_RN_OPEN.
 * GNS_FEAT_LOCK: LOCK and UNLOCKED.
 * GNS_FEAT_ACL: access control lists: GNS_AM_* in attributes, umask in changes,
 * and the attributes' names in GETXATTR and SETXATTR.
 * GNS_FEAT_TMPFILE: TMPFILE. GNS_FEAT_NAMES: GNS_WANT_NAMES in READDIR.
 */
#define GNS_FEAT_SEEK 1ull
#define GNS_FEAT_MORE 2ull
#define GNS_FEAT_HOLD 4ull
#define GNS_FEAT_LOCK 8ull
#define GNS_FEAT_ACL 16ull
#define GNS_FEAT_TMPFILE 32ull
#define GNS_FEAT_NAMES 64ull
#define GNS_FEATURES \
	(GNS_FEAT_SEEK | GNS_FEAT_MORE | GNS_FEAT_HOLD | GNS_FEAT_LOCK | \
	 GNS_FEAT_ACL | GNS_FEAT_TMPFILE | GNS_FEAT_NAMES)

enum gns_msg_type {
	GNS_HELLO = 1,
	GNS_JOIN,
	GNS_RENEW,
	GNS_BYE,
	GNS_REVOKE,
	GNS_RELEASED,
	GNS_MOUNT,
	GNS_LOOKUP,
	GNS_GETATTR,
	GNS_READDIR,
	GNS_READLINK,
	GNS_READ,
	GNS_GETXATTR,
	GNS_LISTXATTR,
	GNS_STATFS,
	GNS_REVALIDATE,
	GNS_FSYNC,
	GNS_WRITE,
	GNS_CREATE,
	GNS_MKDIR,
	GNS_UNLINK,
	GNS_RMDIR,
	GNS_RENAME,
	GNS_SETATTR,
	GNS_SEEK, /* a read */
	GNS_LINK, /* changes, from here on */
	GNS_SYMLINK,
	GNS_MKNOD,
	GNS_SETXATTR,
	GNS_FALLOCATE,
	GNS_COPY,
	GNS_LOCK, /* neither a read nor a change */
	GNS_UNLOCKED,
	GNS_RELEASED_OPEN, /* no change, no answer */
	GNS_TMPFILE, /* a change */
	GNS_MSG_END,
};

/*
 * Status of a reply: 0, an errno with its Linux number on x86 and arm64
 * (below 1000), or one of these.
 */
enum gns_status {
	GNS_OK = 0,
	GNS_ST_DEAD = 1000, /* no such session, or it is dead: say HELLO */
	GNS_ST_VERSION, /* no protocol version in common */
	GNS_ST_NOEXPORT, /* unknown export */
	GNS_ST_REFUSED, /* not allowed to use it */
	GNS_ST_NOTEXT, /* the session was not extended: answer the REVOKE */
	GNS_ST_STALESLOT, /* older than the slot's newest: dropped */
	GNS_ST_UNKNOWN, /* it can not be told whether the change ran */
	GNS_ST_LOST, /* FSYNC: the origin lost power since the write */
	GNS_ST_AGAIN, /* LOCK: not now; ask again with another number */
	GNS_ST_END,
};

/* In the mode of attributes, above what stat(2) has there. */
#define GNS_AM_ACL 0x10000u /* an access control list beyond the mode */
#define GNS_AM_DEFACL 0x20000u /* a default one, of a directory */
#define GNS_AM_ALL (GNS_AM_ACL | GNS_AM_DEFACL)

/* What a reader asks beside the answer. */
#define GNS_WANT_LEASE 1u
#define GNS_WANT_TURN 2u /* wait for the lease between changes (a fault) */
#define GNS_WANT_ALL 3u
#define GNS_WANT_NAMES 4u /* READDIR: names and inode numbers will do */

/* What an entry of READDIR's answer has besides */
#define GNS_DE_NAME 0u /* nothing */
#define GNS_DE_ATTR 1u
#define GNS_DE_INO 2u /* only with GNS_WANT_NAMES */
#define GNS_DE_MAX 2u

/* WRITE */
#define GNS_WR_APPEND 1u
#define GNS_WR_SYNC 2u
#define GNS_WR_ALL 3u

/* CREATE */
#define GNS_CR_EXCL 1u
#define GNS_CR_TRUNC 2u
#define GNS_CR_ALL 3u

/* TMPFILE */
#define GNS_TF_EXCL 1u /* it never gets a name */
#define GNS_TF_ALL 1u

/* RENAME */
#define GNS_RN_NOREPLACE 1u
#define GNS_RN_EXCHANGE 2u
#define GNS_RN_OPEN 4u /* what loses its name is open at the satellite */
#define GNS_RN_ALL 7u

/* UNLINK */
#define GNS_UN_OPEN 1u /* as GNS_RN_OPEN */
#define GNS_UN_ALL 1u

/* SETXATTR */
#define GNS_XA_CREATE 1u
#define GNS_XA_REPLACE 2u
#define GNS_XA_REMOVE 4u
#define GNS_XA_ALL 7u

/* MKNOD: the type of the object, and 07777 */
#define GNS_MK_ALL 0177777u

/* COPY */
#define GNS_CP_CLONE 1u /* share the blocks, or fail */
#define GNS_CP_ALL 1u

/* FSYNC: datasync */
#define GNS_FS_DATA 1u
#define GNS_FS_ALL 2u /* the whole export */

/* SEEK: what is looked for. */
#define GNS_SK_DATA 0u
#define GNS_SK_HOLE 1u

/* LOCK: what is asked for. */
#define GNS_LK_READ 0u /* shared */
#define GNS_LK_WRITE 1u /* exclusive */
#define GNS_LK_UNLOCK 2u
#define GNS_LK_CANCEL 3u /* nobody waits for it any more */
#define GNS_LK_MAX 3u

/* LOCK: of which kind. The kinds have nothing to do with each other. */
#define GNS_LC_WHOLE 0u /* flock(2) */
#define GNS_LC_RANGE 1u /* fcntl(2), of processes and of open files */
#define GNS_LC_MAX 1u

/* LOCK: what if somebody else has it. */
#define GNS_LH_TRY 0u /* EAGAIN */
#define GNS_LH_WAIT 1u /* EAGAIN, and UNLOCKED when it may be free */
#define GNS_LH_TEST 2u /* who it is; nothing is locked */
#define GNS_LH_MAX 2u

/* SETATTR: which fields count. */
#define GNS_SA_MODE 1u
#define GNS_SA_UID 2u
#define GNS_SA_GID 4u
#define GNS_SA_SIZE 8u
#define GNS_SA_ATIME 16u
#define GNS_SA_MTIME 32u
#define GNS_SA_ATIME_NOW 64u
#define GNS_SA_MTIME_NOW 128u
#define GNS_SA_ALL 255u

/*
 * Durations. The satellite lives until its own stamp + TTL; the origin waits
 * TTL x 5/4 + GNS_DRIFT_NS from the moment it processed the renewal. A clock
 * may therefore run up to 11 % fast at one end and slow at the other.
 */
#define GNS_TTL_DEFAULT_NS (10 * NSEC_PER_SEC)
#define GNS_TTL_MIN_NS (500 * NSEC_PER_MSEC)
#define GNS_TTL_MAX_NS (300 * NSEC_PER_SEC)
#define GNS_DRIFT_NS (250 * NSEC_PER_MSEC)

static inline u64 gns_origin_wait(u64 ttl_ns)
{
	return ttl_ns + ttl_ns / 4 + GNS_DRIFT_NS;
}

#endif
