// SPDX-License-Identifier: GPL-2.0
/*
 * Access control lists: whether an object has some, and the umask, which does
 * not count in a directory with a default one.
 *
 * The lists themselves are extended attributes as any others (posix_ask.c,
 * posix_change.c), and the kernel here obeys them. A satellite's kernel has to
 * obey them as well, so attributes say that there are some. Asking for that
 * takes no disk as a rule: filesystems know from the inode that there are no
 * attributes, and the kernel keeps the lists that were looked at.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>

#include "origin/posix_int.h"

#define ACCESS_NAME "system.posix_acl_access"
#define DEFAULT_NAME "system.posix_acl_default"

/* What a pobj remembers: the ctime, and instead of its lowest bits: */
#define SEEN_ACL 1ull
#define SEEN_DEFACL 2ull
#define SEEN_BITS 3ull

static _Thread_local bool own_umask;

typedef ssize_t (*get_fn)(const char *path, const char *name, void *value,
			  size_t size);

/* 1: there is one; 0: there is none; a negative errno. */
static int has_one(get_fn get, const char *path, const char *name)
{
	if (get(path, name, NULL, 0) >= 0)
		return 1;
	return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
}

static int ask(get_fn get, const char *path, struct gns_attr *attr)
{
	int ret = has_one(get, path, ACCESS_NAME);

	if (ret > 0)
		attr->mode |= GNS_AM_ACL;
	if (ret < 0 || !S_ISDIR(attr->mode))
		return ret < 0 ? ret : 0;
	ret = has_one(get, path, DEFAULT_NAME);
	if (ret > 0)
		attr->mode |= GNS_AM_DEFACL;
	return ret < 0 ? ret : 0;
}

/* Has the filesystem of an export any? */
bool acl_supported(int root)
{
	char path[FD_NAME_MAX];

	fd_name(root, path);
	return getxattr(path, ACCESS_NAME, NULL, 0) >= 0 || errno != EOPNOTSUPP;
}

/* fd_stat(), and which lists there are. */
int acl_stat(const struct exported *ex, int fd, struct gns_attr *attr)
{
	char path[FD_NAME_MAX];
	int err = fd_stat(fd, attr);

	if (err || !ex->acls || S_ISLNK(attr->mode))
		return err;
	fd_name(fd, path);
	return ask(getxattr, path, attr);
}

/* The same of @name in @dir, as name_stat(). */
int acl_name_stat(const struct exported *ex, int dir, const char *name,
		  struct gns_attr *attr)
{
	char path[FD_NAME_MAX + GNS_NAME_MAX + 1];
	int err = name_stat(dir, name, attr);

	if (err || !ex->acls || S_ISLNK(attr->mode))
		return err;
	fd_name(dir, path);
	strcat(path, "/");
	strncat(path, name, GNS_NAME_MAX);
	return ask(lgetxattr, path, attr);
}

/*
 * The same of an object that is kept, whose answer is remembered as long as the
 * ctime stays. One of this very moment may stay through another change, so it
 * counts from the next second on. Any thread.
 */
int acl_pobj_stat(struct pobj *po, int fd, struct gns_attr *attr)
{
	int err = fd_stat(fd, attr);
	struct timespec ts;
	u64 seen, now;

	if (err || !po->ex->acls || S_ISLNK(attr->mode))
		return err;
	now = (u64)attr->ctime & ~SEEN_BITS;
	seen = atomic_load(&po->acls_seen);
	if (now && (seen & ~SEEN_BITS) == now) {
		attr->mode |= (seen & SEEN_ACL ? GNS_AM_ACL : 0) |
			      (seen & SEEN_DEFACL ? GNS_AM_DEFACL : 0);
		return 0;
	}
	err = acl_stat(po->ex, fd, attr);
	clock_gettime(CLOCK_REALTIME, &ts);
	if (err || ((u64)attr->ctime & ~SEEN_BITS) != now ||
	    attr->ctime / (s64)NSEC_PER_SEC + 1 >= ts.tv_sec)
		return err;
	atomic_store(&po->acls_seen,
		     now | (attr->mode & GNS_AM_ACL ? SEEN_ACL : 0) |
			     (attr->mode & GNS_AM_DEFACL ? SEEN_DEFACL : 0));
	return 0;
}

/*
 * What the worker that calls this makes is made under the umask @mask; with 0
 * as everything else. The kernel applies it, unless the directory says what is
 * to be allowed.
 */
int acl_umask(u32 mask)
{
	if (!mask && !own_umask)
		return 0;
	/* Until then it is that of all threads. */
	if (!own_umask && unshare(CLONE_FS))
		return -errno;
	own_umask = true;
	umask(mask);
	return 0;
}
