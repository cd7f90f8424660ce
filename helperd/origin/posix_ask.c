// SPDX-License-Identifier: GPL-2.0
/*
 * Questions that are answered with attributes, names or a few bytes.
 *
 * Attributes of the object asked about are taken first, as with READ.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "origin/posix_int.h"

#define LOOKUP_TRIES 100
/* More than a path can have. */
#define PARENTS_MAX 4096u

static int self(struct job *j, int *fd)
{
	*fd = pobj_path(j->po);
	return *fd < 0 ? *fd : acl_pobj_stat(j->po, *fd, &j->op->self);
}

bool getattr_fast(struct pobj *po, struct gns_fsop *op, int *err)
{
	int fd = atomic_load(&po->fd[FD_PATH]);

	if (fd < 0)
		return false;
	*err = acl_pobj_stat(po, fd, &op->self);
	return true;
}

int do_getattr(struct job *j)
{
	int fd;

	return self(j, &fd);
}

static int name_open_as(const struct gns_cred *id, int dir, const char *name)
{
	int fd, err = cred_enter(id);

	if (err)
		return err;
	fd = name_open(dir, name, O_PATH, 0);
	cred_leave(id);
	return fd;
}

/* The kernel knows no such name. In a directory that is gone that is no news. */
static int absent(struct gns_fsop *op, int dir)
{
	struct gns_attr attr;
	int err = fd_stat(dir, &attr);

	if (!err)
		op->rep.r_lookup.absent = 1;
	return err;
}

static int found(struct posix *p, struct exported *ex, struct gns_fsop *op,
		 int fd)
{
	struct gns_r_obj *child = &op->rep.r_lookup.child;
	int err = acl_stat(ex, fd, &child->attr);

	return err ? err : fh_make(p, ex, fd, "", &child->fh);
}

/*
 * Answer from what the kernel has in memory. As root: that the caller may
 * search the directory has been seen before, and nothing else is checked.
 */
bool lookup_fast(struct posix *p, struct pobj *po, const struct gns_cred *id,
		 struct gns_fsop *op, int *err)
{
	int fd, dir = atomic_load(&po->fd[FD_PATH]);
	char name[GNS_NAME_MAX + 1];

	if (dir < 0 || name_copy(&op->req->name.name, name) ||
	    acl_pobj_stat(po, dir, &op->self) || !S_ISDIR(op->self.mode) ||
	    !cred_known(po, id, dir, &op->self, X_OK))
		return false;
	fd = name_open_cached(dir, name);
	if (fd == -ENOENT) {
		*err = absent(op, dir);
		return true;
	}
	if (fd < 0)
		return false;
	if (found(p, po->ex, op, fd)) {
		close(fd);
		return false;
	}
	pobj_give_fd(p, &op->rep.r_lookup.child.fh, fd, FD_PATH);
	return true;
}

static bool is_dotdot(const struct gns_str *s)
{
	return s->len == 2 && !memcmp(s->p, "..", 2);
}

/* The directory that @fd is in; -errno. */
static int up(int fd)
{
	int ret = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return ret < 0 ? -errno : ret;
}

/* Is @fd, a directory, the export's root, or somewhere below it? 1, 0, -errno */
static int is_exported(const struct exported *ex, int fd)
{
	struct stat root, st, above = { 0 };
	int ret = 0, at = fd, next;
	u32 depth;

	if (fstat(ex->root, &root))
		return -errno;
	for (depth = 0; depth < PARENTS_MAX; depth++) {
		if (fstat(at, &st)) {
			ret = -errno;
			break;
		}
		ret = st.st_ino == root.st_ino && st.st_dev == root.st_dev;
		/* The root of all is its own parent. */
		if (ret ||
		    (st.st_ino == above.st_ino && st.st_dev == above.st_dev))
			break;
		above = st;
		next = up(at);
		if (at != fd)
			close(at);
		at = next;
		if (at < 0)
			return at;
	}
	if (at != fd)
		close(at);
	return ret;
}

/*
 * LOOKUP of "..". As root: who has a directory's handle came by its parent, or
 * was given both by somebody who did.
 */
static int do_parent(struct job *j)
{
	int dir, fd, err = self(j, &dir);

	if (!err && !S_ISDIR(j->op->self.mode))
		err = -ENOTDIR;
	if (err)
		return err;
	if (gns_fh_eq(&j->po->fh, &j->ex->root_fh))
		return absent(j->op, dir);
	fd = up(dir);
	if (fd < 0)
		return fd == -ENOENT ? -ESTALE : fd;
	err = is_exported(j->ex, fd);
	if (err > 0)
		err = found(j->p, j->ex, j->op, fd);
	else if (!err)
		err = absent(j->op, dir);
	close(fd);
	return err;
}

int do_lookup(struct job *j)
{
	char name[GNS_NAME_MAX + 1];
	int dir, fd, tries = 0;
	bool hidden;
	int err;

	if (is_dotdot(&j->op->req->name.name))
		return do_parent(j);
	err = name_copy(&j->op->req->name.name, name);
	hidden = err == -EPERM;
	if (!err || hidden)
		err = self(j, &dir);
	if (!err && !S_ISDIR(j->op->self.mode))
		err = -ENOTDIR;
	if (err)
		return err;
	if (hidden)
		return absent(j->op, dir);
	do {
		fd = name_open_as(&j->id, dir, name);
		if (fd == -ENOENT)
			return absent(j->op, dir);
		if (fd < 0)
			return fd;
		/* Without a name by now: the next look finds another, or none. */
		err = found(j->p, j->ex, j->op, fd);
		if (err)
			close(fd);
	} while (err == -ESTALE && ++tries < LOOKUP_TRIES);
	if (err)
		return err == -ENOENT || err == -ESTALE ? -EIO : err;
	j->child = j->op->rep.r_lookup.child.fh;
	j->child_fd = fd;
	j->child_kind = FD_PATH;
	return 0;
}

int do_readlink(struct job *j)
{
	struct gns_bulk *bulk;
	int fd, err = self(j, &fd);
	ssize_t n;
	u8 *data;

	if (err)
		return err;
	if (!S_ISLNK(j->op->self.mode))
		return -EINVAL;
	bulk = gns_buf_new(GNS_PATH_MAX, &data);
	if (!bulk)
		return -ENOMEM;
	n = readlinkat(fd, "", (char *)data, GNS_PATH_MAX);
	err = n < 0 ? -errno : 0;
	if (!err && n == GNS_PATH_MAX)
		err = -ENAMETOOLONG;
	if (err) {
		bulk->release(bulk);
		return err == -ENOENT ? -ESTALE : err;
	}
	j->op->bulk = bulk;
	j->op->rep.payload_len = (u32)n;
	return 0;
}

/* Extended attributes. @name NULL: list the names. */
static int xattr(struct job *j, const char *name)
{
	char path[FD_NAME_MAX];
	struct gns_bulk *bulk;
	int fd, err = self(j, &fd);
	ssize_t n;
	u8 *data;

	if (err)
		return err;
	bulk = gns_buf_new(GNS_XATTR_MAX, &data);
	if (!bulk)
		return -ENOMEM;
	fd_name(fd, path);
	err = cred_enter(&j->id);
	if (!err) {
		if (name)
			n = getxattr(path, name, data, GNS_XATTR_MAX);
		else
			n = listxattr(path, (char *)data, GNS_XATTR_MAX);
		err = n < 0 ? -errno : 0;
		cred_leave(&j->id);
	}
	if (err) {
		bulk->release(bulk);
		return err;
	}
	j->op->bulk = bulk;
	j->op->rep.payload_len = (u32)n;
	return 0;
}

int do_getxattr(struct job *j)
{
	const struct gns_str *s = &j->op->req->name.name;
	char name[GNS_NAME_MAX + 1];

	if (!s->len || s->len > GNS_NAME_MAX || memchr(s->p, 0, s->len))
		return -ERANGE;
	memcpy(name, s->p, s->len);
	name[s->len] = 0;
	return xattr(j, name);
}

int do_listxattr(struct job *j)
{
	return xattr(j, NULL);
}

int do_statfs(struct job *j)
{
	struct gns_r_statfs *r = &j->op->rep.r_statfs;
	int fd, err = self(j, &fd);
	struct statfs st;

	if (err)
		return err;
	if (fstatfs(fd, &st))
		return -errno;
	r->bsize = (u64)(st.f_frsize ? st.f_frsize : st.f_bsize);
	r->blocks = st.f_blocks;
	r->bfree = st.f_bfree;
	r->bavail = st.f_bavail;
	r->files = st.f_files;
	r->ffree = st.f_ffree;
	r->namelen = (u32)min_u64((u64)st.f_namelen, GNS_NAME_MAX);
	return 0;
}

static int reval_one(struct job *j, struct gns_reval *v)
{
	struct exported *ex = fh_check(j->p, &v->fh);
	int fd, err;

	if (!ex)
		return -ESTALE;
	fd = fh_open(ex, &v->fh, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return fd;
	err = acl_stat(ex, fd, &v->attr);
	close(fd);
	return err;
}

int do_revalidate(struct job *j)
{
	struct gns_fsop *op = j->op;
	int err;
	u32 i;

	for (i = 0; i < op->nreval; i++) {
		err = reval_one(j, &op->reval[i]);
		if (err == -EMFILE || err == -ENFILE)
			return err;
		op->reval[i].status = posix_status(op->req->type, err);
	}
	return 0;
}

static int sync_fd(int fd, bool datasync)
{
	int rc;

	do {
		rc = datasync ? fdatasync(fd) : fsync(fd);
	} while (rc && errno == EINTR);
	return rc ? -errno : 0;
}

static int sync_object(struct job *j, bool datasync)
{
	struct gns_attr attr;
	int path = pobj_path(j->po);
	int fd, err = path < 0 ? path : fd_stat(path, &attr);

	if (err)
		return err;
	if (S_ISREG(attr.mode)) {
		fd = pobj_data(j->po, FD_READ);
		return fd < 0 ? fd : sync_fd(fd, datasync);
	}
	/* Links and devices become durable with their directory. */
	if (!S_ISDIR(attr.mode))
		return 0;
	fd = fh_open(j->ex, &j->po->fh, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	err = sync_fd(fd, datasync);
	close(fd);
	return err;
}

int do_fsync(struct job *j)
{
	return sync_object(j, j->op->req->obj.datasync == GNS_FS_DATA);
}

int do_sync(struct job *j)
{
	return sync_object(j, false);
}
