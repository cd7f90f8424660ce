// SPDX-License-Identifier: GPL-2.0
/*
 * Files without a name that somebody has open.
 *
 * Such a file has one name more, in a hidden directory at the root of its
 * export: the digits of its handle. It gets that before it loses its last own
 * name, so a crash in between leaves a file with two names, which the next
 * start sets right. With NAMEABLE behind the digits it has never had another
 * name, and may get one, before it loses this one. Nobody outside sees the
 * directory, in whichever export it may lie, and the hidden name does not count
 * as a link.
 *
 * Which files these are is asked with each stat, by device and inode, for they
 * keep those as long as they have the hidden name.
 *
 * Locks: @lock, of the table; from any thread.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/log.h"
#include "origin/posix_int.h"

#define NAMEABLE '+'
#define NAME_LEN (2 * GNS_FH_MAX + 2)

struct kept_key {
	u64 dev;
	u64 ino;
};

/** struct kept - an orphan of one of the backends of this process */
struct kept {
	struct kept_key key;
	struct gns_fh fh;
	struct posix *p;
	bool nameable;
	UT_hash_handle hh; /* by key */
	UT_hash_handle by_fh;
};

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct kept *kept;
static struct kept *kept_by_fh;
static atomic_uint nkept;

static struct kept_key key_of(const struct statx *st)
{
	return (struct kept_key){
		.dev = makedev(st->stx_dev_major, st->stx_dev_minor),
		.ino = st->stx_ino,
	};
}

/* Is one of its links the hidden one? */
bool orphan_is(const struct statx *st)
{
	struct kept_key key = key_of(st);
	struct kept *k;

	if (!atomic_load(&nkept))
		return false;
	pthread_rwlock_rdlock(&lock);
	HASH_FIND(hh, kept, &key, sizeof(key), k);
	pthread_rwlock_unlock(&lock);
	return k;
}

static void drop(struct kept *k)
{
	HASH_DELETE(hh, kept, k);
	HASH_DELETE(by_fh, kept_by_fh, k);
	atomic_fetch_sub(&nkept, 1);
	free(k);
}

static int enter(struct posix *p, const struct gns_fh *fh, int fd,
		 bool nameable)
{
	struct kept *k = calloc(1, sizeof(*k)), *old;
	struct statx st;

	if (!k)
		return -ENOMEM;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st)) {
		free(k);
		return -errno;
	}
	k->key = key_of(&st);
	k->fh = *fh;
	k->p = p;
	k->nameable = nameable;
	pthread_rwlock_wrlock(&lock);
	HASH_FIND(hh, kept, &k->key, sizeof(k->key), old);
	if (old)
		drop(old);
	HASH_FIND(by_fh, kept_by_fh, fh->b, fh->len, old);
	if (old)
		drop(old);
	HASH_ADD(hh, kept, key, sizeof(k->key), k);
	HASH_ADD_KEYPTR(by_fh, kept_by_fh, k->fh.b, k->fh.len, k);
	atomic_fetch_add(&nkept, 1);
	pthread_rwlock_unlock(&lock);
	return 0;
}

static void leave(const struct gns_fh *fh)
{
	struct kept *k;

	pthread_rwlock_wrlock(&lock);
	HASH_FIND(by_fh, kept_by_fh, fh->b, fh->len, k);
	if (k)
		drop(k);
	pthread_rwlock_unlock(&lock);
}

void orphans_drop_all(struct posix *p)
{
	struct kept *k, *tmp;

	pthread_rwlock_wrlock(&lock);
	HASH_ITER(hh, kept, k, tmp)
		if (k->p == p)
			drop(k);
	pthread_rwlock_unlock(&lock);
}

static void name_of(const struct gns_fh *fh, bool nameable, char *name)
{
	u32 i;

	for (i = 0; i < fh->len; i++)
		snprintf(name + 2 * i, 3, "%02x", fh->b[i]);
	name[2 * i] = nameable ? NAMEABLE : 0;
	name[2 * i + 1] = 0;
}

static bool fh_of(const char *name, struct gns_fh *fh, bool *nameable)
{
	size_t len = strspn(name, "0123456789abcdef"), i;
	unsigned int b;

	memset(fh, 0, sizeof(*fh));
	*nameable = name[len] == NAMEABLE;
	if (!len || len % 2 || len / 2 > GNS_FH_MAX || name[len + *nameable])
		return false;
	for (i = 0; i < len / 2; i++) {
		if (sscanf(name + 2 * i, "%2x", &b) != 1)
			return false;
		fh->b[i] = (u8)b;
	}
	fh->len = (u8)(len / 2);
	return true;
}

static int make_dir(struct exported *ex)
{
	if (mkdirat(ex->root, ORPHAN_DIR, 0700))
		return errno == EEXIST ? 0 : -errno;
	atomic_store(&ex->root_touched, true);
	return 0;
}

/* The root has another ctime since the hidden directory is there. */
bool posix_own(struct gns_fs *fs, const struct gns_fh *fh)
{
	struct posix *p = container_of(fs, struct posix, fs);
	struct gns_fh id, root;
	struct exported *ex;
	bool ret = false;

	posix_split(fs, fh, &id);
	SLIST_FOREACH(ex, &p->exports, link) {
		posix_split(fs, &ex->root_fh, &root);
		if (gns_fh_eq(&root, &id))
			ret |= atomic_exchange(&ex->root_touched, false);
	}
	return ret;
}

/* The hidden directory, readable. */
static int open_dir(const struct exported *ex)
{
	struct statx st;
	int fd;

	fd = name_open(ex->root, ORPHAN_DIR, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	/* Who else may write there could take names away, and make some. */
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) ||
	    st.stx_uid != geteuid() || st.stx_mode & 077) {
		close(fd);
		gns_err("export %s: %s is not root's, or not 0700; deleted open files are lost",
			ex->name, ORPHAN_DIR);
		return -EPERM;
	}
	return fd;
}

static int link_at(int fd, int dir, const char *name)
{
	char path[FD_NAME_MAX];

	fd_name(fd, path);
	if (!linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW))
		return 0;
	if (errno != EEXIST)
		return -errno;
	/* Of a crash, perhaps: whatever it is, it is not this. */
	if (unlinkat(dir, name, 0) ||
	    linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW))
		return -errno;
	return 0;
}

static int link_hidden(struct job *j, const struct gns_fh *fh, int fd,
		       bool nameable)
{
	char name[NAME_LEN];
	int dir, err = make_dir(j->ex);

	dir = err ? err : open_dir(j->ex);
	if (dir < 0)
		return dir;
	name_of(fh, nameable, name);
	err = link_at(fd, dir, name);
	close(dir);
	return err;
}

/*
 * What @fd means is about to lose a name: if that is its last one, and the
 * request says so, it gets the hidden one. 1: it did; 0; -EMFILE or -ENFILE.
 */
int orphan_link(struct job *j, const struct gns_fh *fh, int fd)
{
	struct gns_attr attr;
	int err;

	if (!j->op->keep || fd_attr(fd, &attr) || !S_ISREG(attr.mode) ||
	    attr.nlink != 1)
		return 0;
	err = link_hidden(j, fh, fd, false);
	if (err == -EMFILE || err == -ENFILE)
		return err;
	if (err)
		gns_debug("a deleted file can not be kept: %s", strerror(-err));
	return !err;
}

static void unlink_hidden(const struct exported *ex, const struct gns_fh *fh,
			  bool nameable)
{
	char name[NAME_LEN];
	int dir = open_dir(ex);

	name_of(fh, nameable, name);
	if (dir < 0)
		return;
	if (unlinkat(dir, name, 0) && errno != ENOENT)
		gns_err("export %s: " ORPHAN_DIR "/%s can not be removed: %s",
			ex->name, name, strerror(errno));
	close(dir);
}

/* orphan_link() was right: the other name is gone. Or not: as before. */
void orphan_linked(struct job *j, const struct gns_fh *fh, int fd, bool gone)
{
	if (gone && !enter(j->p, fh, fd, false))
		return;
	unlink_hidden(j->ex, fh, false);
}

/*
 * What @fd means was made without a name. EOPNOTSUPP: nothing can be kept in
 * this export, or not what is made in that directory of it.
 */
int orphan_begin(struct job *j, const struct gns_fh *fh, int fd, bool nameable)
{
	int err = link_hidden(j, fh, fd, nameable);

	if (err == -EPERM || err == -EXDEV)
		return -EOPNOTSUPP;
	if (!err)
		err = enter(j->p, fh, fd, nameable);
	if (err)
		unlink_hidden(j->ex, fh, nameable);
	return err;
}

bool orphan_may_be_named(const struct gns_fh *fh)
{
	struct kept *k;
	bool ret;

	pthread_rwlock_rdlock(&lock);
	HASH_FIND(by_fh, kept_by_fh, fh->b, fh->len, k);
	ret = k && k->nameable;
	pthread_rwlock_unlock(&lock);
	return ret;
}

/* It has got a name of its own. */
void orphan_named(struct job *j, const struct gns_fh *fh)
{
	leave(fh);
	unlink_hidden(j->ex, fh, true);
}

/* A worker's: it goes for good. */
int do_forget(struct job *j)
{
	/* Held open: nothing else gets its number before it is out of here. */
	pobj_path(j->po);
	unlink_hidden(j->ex, &j->po->fh, orphan_may_be_named(&j->po->fh));
	leave(&j->po->fh);
	j->gone[j->ngone++] = j->po->fh;
	return 0;
}

/*
 * @fh is of an export that is gone, and in the directory of @ex, which shows the
 * same: from now on it is one of @ex. False: nobody shows it any more.
 */
static bool adopt(struct posix *p, const struct exported *ex, int dir,
		  char *name, struct gns_fh *fh, bool nameable)
{
	struct gns_fh id;
	char own[NAME_LEN];

	posix_split(&p->fs, fh, &id);
	if (gns_fh_eq(&id, fh))
		return false;
	posix_join(&p->fs, &id, ex->id, fh);
	name_of(fh, nameable, own);
	if (renameat(dir, name, dir, own))
		return false;
	snprintf(name, NAME_LEN, "%s", own);
	return true;
}

/*
 * One name of the life before; false: it is of no use. One directory may be
 * exported by several names: each has orphans of its own.
 */
static bool found(struct posix *p, struct exported *ex, int dir,
		  const char *entry)
{
	const struct exported *of;
	struct gns_attr attr, other;
	char name[NAME_LEN];
	struct gns_fh fh;
	bool nameable, ok;
	int fd;

	if (!fh_of(entry, &fh, &nameable))
		return false;
	snprintf(name, sizeof(name), "%s", entry);
	of = fh_check(p, &fh);
	if (!of && adopt(p, ex, dir, name, &fh, nameable))
		of = ex;
	if (of != ex)
		return of;
	fd = fh_open(ex, &fh, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return false;
	/* With another name it was not lost after all. */
	ok = !fd_attr(fd, &attr) && !name_stat(dir, name, &other) &&
	     attr.ino == other.ino && attr.nlink == 1 &&
	     !enter(p, &fh, fd, nameable);
	close(fd);
	return ok;
}

static void find(struct posix *p, struct exported *ex)
{
	int fd = open_dir(ex);
	struct dirent *e;
	DIR *d;

	if (fd < 0)
		return;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return;
	}
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (!found(p, ex, fd, e->d_name) &&
		    unlinkat(fd, e->d_name, 0))
			gns_warn("export %s: " ORPHAN_DIR "/%s can not be removed: %s",
				 ex->name, e->d_name, strerror(errno));
	}
	closedir(d);
}

/* What is there from the life before. Blocks; for the start. */
void posix_orphans(struct gns_fs *fs,
		   void (*each)(void *arg, const struct gns_fh *fh), void *arg)
{
	struct posix *p = container_of(fs, struct posix, fs);
	struct exported *ex;
	struct kept *k, *tmp;

	SLIST_FOREACH(ex, &p->exports, link)
		find(p, ex);
	pthread_rwlock_rdlock(&lock);
	HASH_ITER(hh, kept, k, tmp)
		if (k->p == p)
			each(arg, &k->fh);
	pthread_rwlock_unlock(&lock);
}
