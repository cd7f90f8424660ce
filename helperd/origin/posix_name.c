// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of names: CREATE, MKDIR, SYMLINK, MKNOD, LINK, UNLINK, RMDIR, RENAME;
 * and TMPFILE, which makes something without one.
 *
 * What names mean is opened before they change, so that the object can be
 * looked at afterwards, whatever it is called by then.
 */
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "origin/posix_int.h"

/* As the caller: needs search permission on the directory. */
static int open_as(struct job *j, int dir, const char *name, u64 flags,
		   u32 mode)
{
	int fd, err = cred_enter(&j->id);

	if (err)
		return err;
	fd = name_open(dir, name, flags, mode);
	cred_leave(&j->id);
	return fd;
}

/* And under the umask of the caller. */
static int create_as(struct job *j, int dir, const char *name, u64 how)
{
	const struct gns_m_make *req = &j->op->req->make;
	int fd = acl_umask(req->umask);

	if (fd)
		return fd;
	fd = open_as(j, dir, name, how | O_RDWR, req->mode & 07777);
	acl_umask(0);
	return fd;
}

/* "No such name" is news from a living directory only. */
static int no_name(int err, int dir, int dir2)
{
	struct gns_attr attr;
	int e;

	if (err != -ENOENT)
		return err;
	e = fd_stat(dir, &attr);
	if (!e && dir2 >= 0)
		e = fd_stat(dir2, &attr);
	return e ? e : err;
}

static int dir_of(struct pobj *po, int *fd)
{
	struct gns_attr attr;
	int err;

	*fd = pobj_path(po);
	if (*fd < 0)
		return *fd;
	err = fd_stat(*fd, &attr);
	return !err && !S_ISDIR(attr.mode) ? -ENOTDIR : err;
}

/* It has a handle, or the change shall not begin. */
static int child_fh(struct job *j, int fd, struct gns_fh *fh)
{
	return fh_make(j->p, j->ex, fd, "", fh);
}

static void gone(struct job *j, const struct gns_fh *fh)
{
	j->gone[j->ngone++] = *fh;
}

/* An object that may have lost its last name. */
static void changed_or_gone(struct job *j, const struct gns_fh *fh, int fd)
{
	struct gns_attr attr;

	if (fd_attr(fd, &attr) || attr.nlink)
		changed_fd(j, fh, fd);
	else
		gone(j, fh);
}

/* CREATE of a name that is there, without O_EXCL, with or without O_TRUNC. */
static int create_found(struct job *j, int dir, const char *name)
{
	struct gns_r_change *rep = &j->op->rep.r_change;
	bool trunc = j->op->req->make.flags & GNS_CR_TRUNC;
	int fd = open_as(j, dir, name, O_PATH, 0);
	struct gns_attr attr;
	struct gns_fh fh;
	int wr = -1, err;

	if (fd < 0)
		return fd;
	err = fd_stat(fd, &attr);
	if (!err)
		err = child_fh(j, fd, &fh);
	if (!err && trunc && S_ISDIR(attr.mode))
		err = -EISDIR;
	if (!err && trunc && S_ISLNK(attr.mode))
		err = -ELOOP;
	if (!err && trunc && S_ISREG(attr.mode)) {
		err = j->id.uid ? cred_access(&j->id, fd, W_OK) : 0;
		if (!err) {
			wr = fh_open(j->ex, &fh, O_RDWR);
			err = wr < 0 ? wr : cred_enter(&j->id);
		}
		if (!err) {
			err = ftruncate(wr, 0) ? -errno : 0;
			cred_leave(&j->id);
		}
		if (wr >= 0)
			close(wr);
	}
	if (!err) {
		rep->fh = fh;
		changed_self(j);
		changed_fd(j, &fh, fd);
	}
	close(fd);
	return err;
}

/* The answer has its handle. */
static void made_file(struct job *j, int fd)
{
	struct gns_r_change *rep = &j->op->rep.r_change;

	j->changed = true;
	rep->created = 1;
	changed_fd(j, &rep->fh, fd);
	j->child = rep->fh;
	j->child_fd = fd;
	j->child_kind = FD_WRITE;
}

static void created(struct job *j, int fd)
{
	struct gns_r_change *rep = &j->op->rep.r_change;

	j->changed = true;
	rep->created = 1;
	changed_self(j);
	if (child_fh(j, fd, &rep->fh)) {
		rep->fh = (struct gns_fh){ 0 };
		close(fd);
		return;
	}
	made_file(j, fd);
}

int do_create(struct job *j)
{
	const struct gns_m_make *req = &j->op->req->make;
	char name[GNS_NAME_MAX + 1];
	int tries = 0, dir, fd;
	int err = name_copy(&req->name, name);

	if (!err)
		err = dir_of(j->po, &dir);
	if (err)
		return err;
	do {
		fd = create_as(j, dir, name, O_CREAT | O_EXCL);
		if (fd >= 0) {
			created(j, fd);
			return 0;
		}
		if (fd != -EEXIST || req->flags & GNS_CR_EXCL)
			return no_name(fd, dir, -1);
		err = create_found(j, dir, name);
		/* Gone again, beside gns: one of the two will hold. */
	} while ((err == -ENOENT || err == -ESTALE) && ++tries < 100);
	return no_name(err, dir, -1);
}

/*
 * Its hidden name is there before anybody hears of the file; one that dies
 * before that is nobody's, and goes with its descriptor.
 */
int do_tmpfile(struct job *j)
{
	struct gns_r_change *rep = &j->op->rep.r_change;
	bool excl = j->op->req->make.flags & GNS_TF_EXCL;
	int dir, fd, err = dir_of(j->po, &dir);

	if (err)
		return err;
	fd = create_as(j, dir, ".", O_TMPFILE);
	if (fd < 0)
		return no_name(fd, dir, -1);
	err = child_fh(j, fd, &rep->fh);
	if (!err)
		err = orphan_begin(j, &rep->fh, fd, !excl);
	if (err) {
		rep->fh = (struct gns_fh){ 0 };
		close(fd);
		return err;
	}
	made_file(j, fd);
	return 0;
}

/* Make @name in @dir what the request says; as the caller. */
static int make_at(const struct gns_msg *req, int dir, const char *name)
{
	char target[GNS_TARGET_MAX + 1];
	const struct gns_str *to;
	u32 dev, mode;
	int rc;

	switch (req->type) {
	case GNS_SYMLINK:
		to = &req->symlink.target;
		memcpy(target, to->p, to->len);
		target[to->len] = 0;
		rc = symlinkat(target, dir, name);
		break;
	case GNS_MKNOD:
		mode = req->mknod.mode;
		dev = S_ISCHR(mode) || S_ISBLK(mode) ? req->mknod.rdev : 0;
		/* As stat_at() has put it together. */
		rc = mknodat(dir, name, mode,
			     makedev(dev >> 8 & 0xfff,
				     (dev & 0xff) | (dev >> 12 & 0xfff00)));
		break;
	default:
		rc = mkdirat(dir, name, req->make.mode & 07777);
	}
	return rc ? -errno : 0;
}

static u32 umask_of(const struct gns_msg *req)
{
	switch (req->type) {
	case GNS_MKDIR:
		return req->make.umask;
	case GNS_MKNOD:
		return req->mknod.umask;
	}
	return 0;
}

static int make_as(struct job *j, int dir, const char *name)
{
	int err = acl_umask(umask_of(j->op->req));

	if (err)
		return err;
	err = cred_enter(&j->id);
	if (!err) {
		err = make_at(j->op->req, dir, name);
		cred_leave(&j->id);
	}
	acl_umask(0);
	return err;
}

static int make_name(struct job *j, const struct gns_str *s)
{
	struct gns_r_change *rep = &j->op->rep.r_change;
	char name[GNS_NAME_MAX + 1];
	struct gns_attr attr;
	int dir, err = name_copy(s, name);

	if (!err)
		err = dir_of(j->po, &dir);
	if (err)
		return err;
	err = make_as(j, dir, name);
	if (err)
		return no_name(err, dir, -1);
	j->changed = true;
	rep->created = 1;
	changed_self(j);
	/* By name, which takes no descriptor that there may not be. */
	if (fh_make(j->p, j->ex, dir, name, &rep->fh) ||
	    acl_name_stat(j->ex, dir, name, &attr))
		rep->fh = (struct gns_fh){ 0 };
	else
		rep->changed.v[rep->changed.n++] =
			(struct gns_changed){ .fh = rep->fh, .attr = attr };
	return 0;
}

int do_mkdir(struct job *j)
{
	return make_name(j, &j->op->req->make.name);
}

int do_symlink(struct job *j)
{
	const struct gns_m_symlink *req = &j->op->req->symlink;

	if (!req->target.len || memchr(req->target.p, 0, req->target.len))
		return -EINVAL;
	if (req->target.len > GNS_TARGET_MAX)
		return -ENAMETOOLONG;
	return make_name(j, &req->name);
}

int do_mknod(struct job *j)
{
	const struct gns_m_mknod *req = &j->op->req->mknod;

	switch (req->mode & ~07777u) {
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		return make_name(j, &req->name);
	}
	return -EINVAL;
}

int do_link(struct job *j)
{
	char name[GNS_NAME_MAX + 1], path[FD_NAME_MAX];
	int fd = pobj_path(j->po2);
	struct gns_attr attr;
	int dir, err = fd < 0 ? fd : fd_stat(fd, &attr);

	if (!err && !attr.nlink && !orphan_may_be_named(&j->po2->fh))
		err = -ENOENT;
	if (!err)
		err = name_copy(&j->op->req->link.name, name);
	if (!err)
		err = dir_of(j->po, &dir);
	if (!err)
		err = cred_enter(&j->id);
	if (err)
		return err;
	/* AT_EMPTY_PATH would take a right that the caller has not. */
	fd_name(fd, path);
	if (linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW))
		err = -errno;
	cred_leave(&j->id);
	if (err)
		return no_name(err, dir, fd);
	j->changed = true;
	if (!attr.nlink)
		orphan_named(j, &j->po2->fh);
	changed_self(j);
	changed_fd(j, &j->po2->fh, fd);
	return 0;
}

int do_unlink(struct job *j)
{
	const struct gns_m_make *req = &j->op->req->make;
	bool rmdir = j->op->req->type == GNS_RMDIR;
	char name[GNS_NAME_MAX + 1];
	struct gns_fh fh = { 0 };
	int dir, fd, err = name_copy(&req->name, name);
	int kept = 0;

	if (!err)
		err = dir_of(j->po, &dir);
	if (err)
		return err;
	fd = open_as(j, dir, name, O_PATH, 0);
	if (fd < 0)
		return fd == -EXDEV ? -EBUSY : no_name(fd, dir, -1);
	err = child_fh(j, fd, &fh);
	if (!err) {
		kept = orphan_link(j, &fh, fd);
		err = kept < 0 ? kept : 0;
	}
	if (!err)
		err = cred_enter(&j->id);
	if (!err) {
		if (unlinkat(dir, name, rmdir ? AT_REMOVEDIR : 0))
			err = -errno;
		cred_leave(&j->id);
	}
	if (kept > 0)
		orphan_linked(j, &fh, fd, !err);
	if (err) {
		close(fd);
		return no_name(err, dir, -1);
	}
	j->changed = true;
	changed_self(j);
	/* Not every filesystem counts the links of a directory. */
	if (rmdir)
		gone(j, &fh);
	else
		changed_or_gone(j, &fh, fd);
	close(fd);
	return 0;
}

struct renaming {
	char name[2][GNS_NAME_MAX + 1];
	int dir[2];
	int fd[2]; /* what the names mean before; -1: nothing */
	struct gns_fh fh[2];
};

static int rename_open(struct job *j, struct renaming *r)
{
	const struct gns_m_rename *req = &j->op->req->rename;
	int i, err = name_copy(&req->oname, r->name[0]);

	if (!err)
		err = name_copy(&req->nname, r->name[1]);
	if (!err)
		err = dir_of(j->po, &r->dir[0]);
	if (!err)
		err = dir_of(j->po2, &r->dir[1]);
	for (i = 0; i < 2 && !err; i++) {
		r->fd[i] = open_as(j, r->dir[i], r->name[i], O_PATH, 0);
		if (r->fd[i] == -ENOENT && i) /* the new name is free */
			r->fd[i] = -1;
		else if (r->fd[i] < 0)
			err = r->fd[i];
		else
			err = child_fh(j, r->fd[i], &r->fh[i]);
	}
	/* A mount point is not to be moved. */
	return err == -EXDEV ? -EBUSY : err;
}

static int rename_run(struct job *j, struct renaming *r)
{
	u8 f = j->op->req->rename.flags;
	unsigned int flags = (f & GNS_RN_NOREPLACE ? RENAME_NOREPLACE : 0) |
			     (f & GNS_RN_EXCHANGE ? RENAME_EXCHANGE : 0);
	int err, kept = 0;

	if (r->fd[1] >= 0 && !(f & GNS_RN_EXCHANGE) &&
	    !gns_fh_eq(&r->fh[0], &r->fh[1]))
		kept = orphan_link(j, &r->fh[1], r->fd[1]);
	err = kept < 0 ? kept : cred_enter(&j->id);
	if (!err) {
		if (renameat2(r->dir[0], r->name[0], r->dir[1], r->name[1],
			      flags))
			err = -errno;
		cred_leave(&j->id);
	}
	if (kept > 0)
		orphan_linked(j, &r->fh[1], r->fd[1], !err);
	return err;
}

int do_rename(struct job *j)
{
	struct renaming r = { .dir = { -1, -1 }, .fd = { -1, -1 } };
	struct gns_attr attr;
	int i, err = rename_open(j, &r);

	if (!err)
		err = rename_run(j, &r);
	if (err) {
		if (r.dir[1] >= 0)
			err = no_name(err, r.dir[0], r.dir[1]);
		goto out;
	}
	j->changed = true;
	changed_self(j);
	if (j->po2 != j->po)
		changed_fd(j, &j->po2->fh, r.dir[1]);
	changed_fd(j, &r.fh[0], r.fd[0]);
	/* Exchanged, or replaced: a directory is gone then, a file may be. */
	if (r.fd[1] >= 0 && !gns_fh_eq(&r.fh[0], &r.fh[1])) {
		if (!(j->op->req->rename.flags & GNS_RN_EXCHANGE) &&
		    !fd_attr(r.fd[1], &attr) && S_ISDIR(attr.mode))
			gone(j, &r.fh[1]);
		else
			changed_or_gone(j, &r.fh[1], r.fd[1]);
	}
out:
	for (i = 0; i < 2; i++)
		if (r.fd[i] >= 0)
			close(r.fd[i]);
	return err;
}
