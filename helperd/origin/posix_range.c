// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of a range of a file that bring no bytes along: FALLOCATE and COPY.
 *
 * Both run as the caller, so that quotas and reserves count and the setuid bit
 * goes. What was done of them before an error stays done: the attributes are
 * looked at all the same.
 */
#include <errno.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "origin/posix_int.h"

#define MODES \
	(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | \
	 FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE | \
	 FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)

/* A descriptor to change the file by, which the caller may. */
static int open_to_change(struct job *j)
{
	int err, fd = pobj_data(j->po, FD_WRITE);
	struct gns_attr attr;

	if (fd < 0)
		return fd;
	err = fd_stat(fd, &attr);
	if (!err)
		err = cred_may_write(&j->id, fd, &attr);
	return err ? err : fd;
}

int do_fallocate(struct job *j)
{
	const struct gns_m_fallocate *req = &j->op->req->fallocate;
	int rc, err, fd;

	j->untouched = true;
	if (req->mode & ~(u32)MODES)
		return -EOPNOTSUPP;
	if (!req->len)
		return -EINVAL;
	if (req->off > INT64_MAX || req->len > INT64_MAX - req->off)
		return -EFBIG;
	fd = open_to_change(j);
	err = fd < 0 ? fd : cred_enter(&j->id);
	if (err)
		return err;
	do {
		rc = fallocate(fd, (int)req->mode, (off_t)req->off,
			       (off_t)req->len);
	} while (rc && errno == EINTR);
	err = rc ? -errno : 0;
	cred_leave(&j->id);
	j->changed = !err;
	/* Some look at the rest after they have set the times. */
	j->untouched = err == -EPERM || err == -ETXTBSY;
	changed_self(j);
	return err;
}

/* Then a thread is free for somebody else: bytes of one COPY. */
#define COPY_AT_ONCE (64u << 20)

/* Returns the bytes copied; an error when there are none. */
static s64 copy_bytes(const struct gns_m_copy *req, int from, int to)
{
	off_t in = (off_t)req->from_off, out = (off_t)req->off;
	u64 len = min_u64(req->len, COPY_AT_ONCE), put = 0;
	ssize_t n;

	while (put < len) {
		n = copy_file_range(from, &in, to, &out, len - put, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && !put)
			return -errno;
		if (n <= 0)
			break;
		put += (u64)n;
	}
	return (s64)put;
}

static s64 clone_range(const struct gns_m_copy *req, int from, int to)
{
	struct file_clone_range r = {
		.src_fd = from,
		.src_offset = req->from_off,
		.src_length = req->len,
		.dest_offset = req->off,
	};
	int rc;

	do {
		rc = ioctl(to, FICLONERANGE, &r);
	} while (rc && errno == EINTR);
	if (!rc)
		return 0;
	/* The filesystem has no such thing: it does not know the ioctl. */
	return errno == ENOTTY ? -EOPNOTSUPP : -errno;
}

int do_copy(struct job *j)
{
	const struct gns_m_copy *req = &j->op->req->copy;
	bool clone = req->flags & GNS_CP_CLONE;
	int err, to, from = pobj_data(j->po2, FD_READ);
	struct gns_attr attr;
	s64 n;

	j->untouched = true;
	if (from < 0)
		return from;
	if (req->from_off > INT64_MAX || req->off > INT64_MAX ||
	    req->len > INT64_MAX - req->from_off ||
	    req->len > INT64_MAX - req->off)
		return -EFBIG;
	err = fd_stat(from, &attr);
	if (!err)
		err = cred_may_read(&j->id, from, &attr);
	if (err)
		return err;
	to = open_to_change(j);
	err = to < 0 ? to : cred_enter(&j->id);
	if (err)
		return err;
	n = clone ? clone_range(req, from, to) : copy_bytes(req, from, to);
	cred_leave(&j->id);
	j->changed = n >= 0;
	/* Bytes are copied by one way after the other; a clone is one call. */
	j->untouched = clone && is_refusal((int)n);
	changed_self(j);
	if (n < 0)
		return (int)n;
	j->op->rep.r_change.off = req->off;
	j->op->rep.r_change.count = (u32)n;
	return 0;
}
