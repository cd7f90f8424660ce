/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: leases, fences, sessions, calls, fills. What a log would have
 * to say too often stands here.
 *
 * Handles are shown by a hash; times are in ns, of BOOTTIME where they are
 * points in time.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM gns

#if !defined(GNS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define GNS_TRACE_H

#include <linux/stringhash.h>
#include <linux/tracepoint.h>
#include "fill.h"
#include "session.h"

/* TRACE_EVENT() is a language of its own. */
/* clang-format off */

#ifndef GNS_TRACE_ONCE
#define GNS_TRACE_ONCE

static inline u32 gns_trace_fh(const struct gns_fh *fh)
{
	return full_name_hash(NULL, (const char *)fh->b, fh->len);
}

/* Why a fill ended, for trace_gns_fill(). */
enum gns_fill_end {
	GNS_FILL_SENT,
	GNS_FILL_DONE,
	GNS_FILL_STALE,
	GNS_FILL_FAILED,
};

#endif

#define GNS_CALL_NAMES                                          \
	{ GNS_CALL_MOUNT, "MOUNT" },                            \
		{ GNS_CALL_LOOKUP, "LOOKUP" },                  \
		{ GNS_CALL_GETATTR, "GETATTR" },                \
		{ GNS_CALL_READDIR, "READDIR" },                \
		{ GNS_CALL_READLINK, "READLINK" },              \
		{ GNS_CALL_READ, "READ" },                      \
		{ GNS_CALL_GETXATTR, "GETXATTR" },              \
		{ GNS_CALL_LISTXATTR, "LISTXATTR" },            \
		{ GNS_CALL_STATFS, "STATFS" },                  \
		{ GNS_CALL_REVALIDATE, "REVALIDATE" },          \
		{ GNS_CALL_SEEK, "SEEK" },                      \
		{ GNS_CALL_WRITE, "WRITE" },                    \
		{ GNS_CALL_CREATE, "CREATE" },                  \
		{ GNS_CALL_MKDIR, "MKDIR" },                    \
		{ GNS_CALL_UNLINK, "UNLINK" },                  \
		{ GNS_CALL_RMDIR, "RMDIR" },                    \
		{ GNS_CALL_RENAME, "RENAME" },                  \
		{ GNS_CALL_SETATTR, "SETATTR" },                \
		{ GNS_CALL_LINK, "LINK" },                      \
		{ GNS_CALL_SYMLINK, "SYMLINK" },                \
		{ GNS_CALL_MKNOD, "MKNOD" },                    \
		{ GNS_CALL_SETXATTR, "SETXATTR" },              \
		{ GNS_CALL_FALLOCATE, "FALLOCATE" },            \
		{ GNS_CALL_COPY, "COPY" },                      \
		{ GNS_CALL_FSYNC, "FSYNC" },                    \
		{ GNS_CALL_LOCK, "LOCK" },                      \
		{ GNS_CALL_TMPFILE, "TMPFILE" }

/* A session began, was renewed, or is lost. */
TRACE_EVENT(gns_session,
	TP_PROTO(u32 nr, u64 sid, u64 stamp, u64 ttl, const char *what),
	TP_ARGS(nr, sid, stamp, ttl, what),
	TP_STRUCT__entry(
		__field(u32, nr)
		__field(u64, sid)
		__field(u64, stamp)
		__field(u64, ttl)
		__string(what, what)
	),
	TP_fast_assign(
		__entry->nr = nr;
		__entry->sid = sid;
		__entry->stamp = stamp;
		__entry->ttl = ttl;
		gns_assign_str(what, what);
	),
	TP_printk("origin=%u %s sid=%llx stamp=%llu ttl=%llu", __entry->nr,
		  __get_str(what), __entry->sid, __entry->stamp, __entry->ttl)
);

/* Everything of an origin was unmapped; sid: because that one was lost. */
TRACE_EVENT(gns_zap,
	TP_PROTO(u32 nr, u64 sid, u64 ns),
	TP_ARGS(nr, sid, ns),
	TP_STRUCT__entry(
		__field(u32, nr)
		__field(u64, sid)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->nr = nr;
		__entry->sid = sid;
		__entry->ns = ns;
	),
	TP_printk("origin=%u lost=%llx ns=%llu", __entry->nr, __entry->sid,
		  __entry->ns)
);

/* An answer's lease is in use. */
TRACE_EVENT(gns_grant,
	TP_PROTO(const struct gns_inode *gi, u64 version, u64 number),
	TP_ARGS(gi, version, number),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, fh)
		__field(u64, version)
		__field(u64, number)
		__field(u64, epoch)
	),
	TP_fast_assign(
		__entry->dev = gi->vfs_inode.i_sb->s_dev;
		__entry->fh = gns_trace_fh(&gi->fh);
		__entry->version = version;
		__entry->number = number;
		__entry->epoch = READ_ONCE(gi->epoch);
	),
	TP_printk("dev=%u:%u fh=%08x version=%llx number=%llu epoch=%llu",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->fh,
		  __entry->version, __entry->number, __entry->epoch)
);

/* REVOKE came; inodes: how many have that handle. */
TRACE_EVENT(gns_revoke,
	TP_PROTO(u32 nr, const struct gns_fh *fh, u64 upto, u32 inodes),
	TP_ARGS(nr, fh, upto, inodes),
	TP_STRUCT__entry(
		__field(u32, nr)
		__field(u32, fh)
		__field(u64, upto)
		__field(u32, inodes)
	),
	TP_fast_assign(
		__entry->nr = nr;
		__entry->fh = gns_trace_fh(fh);
		__entry->upto = upto;
		__entry->inodes = inodes;
	),
	TP_printk("origin=%u fh=%08x upto=%llu inodes=%u", __entry->nr,
		  __entry->fh, __entry->upto, __entry->inodes)
);

/* The fence of one inode is through. */
TRACE_EVENT(gns_fence,
	TP_PROTO(const struct gns_inode *gi, u64 upto, u64 ns),
	TP_ARGS(gi, upto, ns),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, fh)
		__field(u64, upto)
		__field(u64, epoch)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->dev = gi->vfs_inode.i_sb->s_dev;
		__entry->fh = gns_trace_fh(&gi->fh);
		__entry->upto = upto;
		__entry->epoch = READ_ONCE(gi->epoch);
		__entry->ns = ns;
	),
	TP_printk("dev=%u:%u fh=%08x upto=%llu epoch=%llu ns=%llu",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->fh,
		  __entry->upto, __entry->epoch, __entry->ns)
);

DECLARE_EVENT_CLASS(gns_call_class,
	TP_PROTO(const struct gns_call *c, int err),
	TP_ARGS(c, err),
	TP_STRUCT__entry(
		__field(u32, nr)
		__field(u32, type)
		__field(u64, id)
		__field(u32, fh)
		__field(u64, off)
		__field(u32, len)
		__field(int, err)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->nr = c->s->nr;
		__entry->type = c->req.type;
		__entry->id = c->id;
		__entry->fh = gns_trace_fh(&c->req.fh);
		__entry->off = c->req.off;
		__entry->len = c->req.len;
		__entry->err = err;
		__entry->ns = ktime_get_boottime_ns() - c->begun;
	),
	TP_printk("origin=%u id=%llu %s fh=%08x off=%llu len=%u err=%d ns=%llu",
		  __entry->nr, __entry->id,
		  __print_symbolic(__entry->type, GNS_CALL_NAMES), __entry->fh,
		  __entry->off, __entry->len, __entry->err, __entry->ns)
);

/* In line for the helper; ns since then in the next two. */
DEFINE_EVENT(gns_call_class, gns_call_submit,
	TP_PROTO(const struct gns_call *c, int err),
	TP_ARGS(c, err));

/* The helper has it. */
DEFINE_EVENT(gns_call_class, gns_call_sent,
	TP_PROTO(const struct gns_call *c, int err),
	TP_ARGS(c, err));

DEFINE_EVENT(gns_call_class, gns_call_end,
	TP_PROTO(const struct gns_call *c, int err),
	TP_ARGS(c, err));

/* A range on its way into the page cache. */
TRACE_EVENT(gns_fill,
	TP_PROTO(const struct gns_fill *f, enum gns_fill_end what, int err),
	TP_ARGS(f, what, err),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, epoch)
		__field(u64, off)
		__field(u32, len)
		__field(u32, folios)
		__field(int, what)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->id = f->c.id;
		__entry->epoch = f->epoch;
		__entry->off = f->c.req.off;
		__entry->len = f->c.req.len;
		__entry->folios = f->nr;
		__entry->what = what;
		__entry->err = err;
	),
	TP_printk("id=%llu %s epoch=%llu off=%llu len=%u folios=%u err=%d",
		  __entry->id,
		  __print_symbolic(__entry->what,
				   { GNS_FILL_SENT, "sent" },
				   { GNS_FILL_DONE, "done" },
				   { GNS_FILL_STALE, "stale" },
				   { GNS_FILL_FAILED, "failed" }),
		  __entry->epoch, __entry->off, __entry->len, __entry->folios,
		  __entry->err)
);

#endif /* GNS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
