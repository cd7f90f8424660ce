// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of one object: WRITE, SETATTR and SETXATTR.
 *
 * Once something has changed, an error that only concerns the answer (the
 * attributes after it can not be read) is not reported: the change has
 * happened. The object is left out of the list then, which says "ask again".
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "origin/posix_int.h"

/* Note how an object is now; @fd may be O_PATH. */
void changed_fd(struct job *j, const struct gns_fh *fh, int fd)
{
	struct gns_changed_list *l = &j->op->rep.r_change.changed;
	struct gns_attr attr;
	u32 i;

	for (i = 0; i < l->n; i++)
		if (gns_fh_eq(&l->v[i].fh, fh))
			return;
	if (fd < 0 || l->n == GNS_CHANGED_MAX || acl_stat(j->ex, fd, &attr))
		return;
	l->v[l->n++] = (struct gns_changed){ .fh = *fh, .attr = attr };
}

/* The same for the object that the request is about. */
void changed_self(struct job *j)
{
	int fd = pobj_path(j->po);

	if (fd < 0 || acl_stat(j->ex, fd, &j->op->self))
		return;
	changed_fd(j, &j->po->fh, fd);
}

/* Returns the bytes written; an error when there are none. */
static s64 write_bytes(int fd, const u8 *p, u32 len, u64 off, int flags)
{
	u32 put = 0;
	ssize_t n;

	while (put < len) {
		struct iovec iov = { (void *)(p + put), len - put };

		n = pwritev2(fd, &iov, 1, (off_t)(off + put), flags);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && !put)
			return -errno;
		if (n <= 0)
			break;
		put += (u32)n;
	}
	return put;
}

int do_write(struct job *j)
{
	const struct gns_msg *req = j->op->req;
	struct gns_r_change *rep = &j->op->rep.r_change;
	int flags = req->write.flags & GNS_WR_SYNC ? RWF_DSYNC : 0;
	int fd = pobj_data(j->po, FD_WRITE);
	struct gns_attr attr;
	int err;
	s64 n;

	j->untouched = true;
	if (fd < 0)
		return fd;
	if (req->write.off > INT64_MAX - GNS_WRITE_MAX)
		return -EFBIG;
	err = fd_stat(fd, &attr);
	if (!err)
		err = cred_may_write(&j->id, fd, &attr);
	if (!err)
		err = cred_enter(&j->id);
	if (err)
		return err;
	j->untouched = false;
	/* As the caller: the setuid bit goes, quotas and reserves count. */
	n = write_bytes(fd, req->payload, req->payload_len, req->write.off,
			flags);
	cred_leave(&j->id);
	if (n < 0) {
		changed_self(j);
		return (int)n;
	}
	j->changed = true;
	rep->off = req->write.off;
	rep->count = (u32)n;
	changed_self(j);
	return 0;
}

static struct timespec to_timespec(s64 ns)
{
	s64 sec = ns / (s64)NSEC_PER_SEC, rest = ns % (s64)NSEC_PER_SEC;

	if (rest < 0) {
		rest += NSEC_PER_SEC;
		sec--;
	}
	return (struct timespec){ .tv_sec = sec, .tv_nsec = rest };
}

static int set_size(const struct gns_m_setattr *sa, int wr)
{
	int rc;

	do {
		rc = ftruncate(wr, (off_t)sa->size);
	} while (rc && errno == EINTR);
	return rc ? -errno : 0;
}

static int set_owner(const struct gns_m_setattr *sa, int fd)
{
	uid_t uid = sa->valid & GNS_SA_UID ? sa->uid : (uid_t)-1;
	gid_t gid = sa->valid & GNS_SA_GID ? sa->gid : (gid_t)-1;

	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) ? -errno : 0;
}

/* fchmod(2) takes no O_PATH descriptor; its name under /proc does. */
static int set_mode(const struct gns_m_setattr *sa, int fd)
{
	char path[FD_NAME_MAX];

	fd_name(fd, path);
	return chmod(path, sa->mode & 07777) ? -errno : 0;
}

static int set_times(const struct gns_m_setattr *sa, int fd)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT },
				  { .tv_nsec = UTIME_OMIT } };

	if (sa->valid & GNS_SA_ATIME_NOW)
		ts[0].tv_nsec = UTIME_NOW;
	else if (sa->valid & GNS_SA_ATIME)
		ts[0] = to_timespec(sa->atime);
	if (sa->valid & GNS_SA_MTIME_NOW)
		ts[1].tv_nsec = UTIME_NOW;
	else if (sa->valid & GNS_SA_MTIME)
		ts[1] = to_timespec(sa->mtime);
	return utimensat(fd, "", ts, AT_EMPTY_PATH) ? -errno : 0;
}

/*
 * Errors of a call that has looked at who asks for what, and done nothing. Others
 * may come when the half of it is done.
 */
bool is_refusal(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
	case EINVAL:
	case EOPNOTSUPP:
	case ETXTBSY:
	case EXDEV:
	case EEXIST:
	case ENODATA:
	case ERANGE:
	case E2BIG:
		return true;
	}
	return false;
}

/* One of the calls of a change has returned @err. */
static int stepped(struct job *j, int err)
{
	j->changed |= !err;
	j->untouched &= is_refusal(err);
	return err;
}

/* The size first, it moves the times; the mode after the owner clears bits. */
static int set_all(struct job *j, int fd, int wr)
{
	const struct gns_m_setattr *sa = &j->op->req->setattr;
	int err = 0;

	if (sa->valid & GNS_SA_SIZE)
		err = stepped(j, set_size(sa, wr));
	if (!err && sa->valid & (GNS_SA_UID | GNS_SA_GID))
		err = stepped(j, set_owner(sa, fd));
	if (!err && sa->valid & GNS_SA_MODE)
		err = stepped(j, set_mode(sa, fd));
	if (!err && sa->valid & (GNS_SA_ATIME | GNS_SA_ATIME_NOW |
				 GNS_SA_MTIME | GNS_SA_MTIME_NOW))
		err = stepped(j, set_times(sa, fd));
	return err;
}

int do_setattr(struct job *j)
{
	const struct gns_m_setattr *sa = &j->op->req->setattr;
	int fd = pobj_path(j->po), wr = -1;
	struct gns_attr attr;
	int err;

	j->untouched = true;
	if (fd < 0)
		return fd;
	err = fd_stat(fd, &attr);
	/* -1 would mean "as it is" to the kernel. */
	if (!err && ((sa->valid & GNS_SA_UID && sa->uid == UINT32_MAX) ||
		     (sa->valid & GNS_SA_GID && sa->gid == UINT32_MAX)))
		err = -EINVAL;
	if (!err && sa->valid & GNS_SA_SIZE) {
		if (sa->size > INT64_MAX)
			return -EFBIG;
		err = cred_may_write(&j->id, fd, &attr);
		if (err)
			return err;
		wr = pobj_data(j->po, FD_WRITE);
		err = wr < 0 ? wr : 0;
	}
	if (!err)
		err = cred_enter(&j->id);
	if (err)
		return err;
	err = set_all(j, fd, wr);
	cred_leave(&j->id);
	if (j->changed || !err)
		changed_self(j);
	return err;
}

static int set_xattr(const char *path, const char *name, const struct gns_msg *m)
{
	u8 f = m->setxattr.flags;
	int flags = (f & GNS_XA_CREATE ? XATTR_CREATE : 0) |
		    (f & GNS_XA_REPLACE ? XATTR_REPLACE : 0);
	int rc;

	if (f & GNS_XA_REMOVE)
		rc = removexattr(path, name);
	else
		rc = setxattr(path, name, m->payload, m->payload_len, flags);
	return rc ? -errno : 0;
}

/* The kernel knows who may do what with which kind of attribute. */
int do_setxattr(struct job *j)
{
	const struct gns_msg *m = j->op->req;
	const struct gns_str *s = &m->setxattr.name;
	char path[FD_NAME_MAX], name[GNS_NAME_MAX + 1];
	int fd = pobj_path(j->po);
	struct gns_attr attr;
	int err;

	j->untouched = true;
	if (fd < 0)
		return fd;
	if (m->setxattr.flags & GNS_XA_REMOVE &&
	    m->setxattr.flags != GNS_XA_REMOVE)
		return -EINVAL;
	if (!s->len || s->len > GNS_NAME_MAX || memchr(s->p, 0, s->len))
		return -ERANGE;
	memcpy(name, s->p, s->len);
	name[s->len] = 0;
	fd_name(fd, path);
	err = fd_stat(fd, &attr);
	if (!err)
		err = cred_enter(&j->id);
	if (err)
		return err;
	err = stepped(j, set_xattr(path, name, m));
	cred_leave(&j->id);
	if (!err || !j->untouched)
		changed_self(j);
	return err;
}
