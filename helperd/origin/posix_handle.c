// SPDX-License-Identifier: GPL-2.0
/*
 * Objects by handle and by name.
 *
 * A handle on the wire:
 *
 *	u32  export, little-endian
 *	u8   type of the kernel's handle; 255: the next four bytes are it
 *	...  the kernel's handle
 *	u64  SipHash of all before, under the daemon's key
 *
 * A name is one component. It is opened with openat2(2), which refuses to
 * leave the directory, to follow a symbolic link and to cross into another
 * mount; the checks before it are there to tell why.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xxhash.h>

#include "origin/posix_int.h"

#define TYPE_LONG 0xffu
#define OPEN_TRIES 10
#define OPEN_PAUSE_US 1000u

union handle {
	struct file_handle h;
	u8 room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

int mac_init(struct posix *p)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);

	if (!mac)
		return -ENOSYS;
	p->mac = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (!p->mac)
		return -ENOMEM;
	pthread_mutex_init(&p->mac_lock, NULL);
	return 0;
}

void mac_free(struct posix *p)
{
	if (!p->mac)
		return;
	EVP_MAC_CTX_free(p->mac);
	pthread_mutex_destroy(&p->mac_lock);
}

static int mac_make(struct posix *p, const u8 *b, u32 len, u8 *out)
{
	size_t size = FH_MAC_LEN;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};
	size_t got = 0;
	bool ok;

	pthread_mutex_lock(&p->mac_lock);
	ok = EVP_MAC_init(p->mac, p->cfg.key, GNS_POSIX_KEY_LEN, params) &&
	     EVP_MAC_update(p->mac, b, len) &&
	     EVP_MAC_final(p->mac, out, &got, FH_MAC_LEN) &&
	     got == FH_MAC_LEN;
	pthread_mutex_unlock(&p->mac_lock);
	return ok ? 0 : -EIO;
}

/* Stable over restarts and whatever other exports there are. */
u32 export_id(const char *name)
{
	return XXH32(name, strlen(name), 0);
}

/* The number of the export that @fh says; false, and 0: it is no handle. */
bool fh_has_view(const struct gns_fh *fh, u32 *view)
{
	u32 i;

	*view = 0;
	if (fh->len < 4 + 1 + FH_MAC_LEN || fh->len > GNS_FH_MAX ||
	    (fh->b[4] == TYPE_LONG && fh->len < 4 + 5 + FH_MAC_LEN))
		return false;
	for (i = 0; i < 4; i++)
		*view |= (u32)fh->b[i] << 8 * i;
	return true;
}

/* It has no checksum after that before fh_seal(). */
void fh_set_view(struct gns_fh *fh, u32 view)
{
	u32 i;

	for (i = 0; i < 4; i++)
		fh->b[i] = view >> 8 * i;
}

int fh_seal(struct posix *p, struct gns_fh *fh)
{
	u32 len = fh->len - FH_MAC_LEN;

	return mac_make(p, fh->b, len, fh->b + len);
}

static bool mac_is_right(struct posix *p, const struct gns_fh *fh)
{
	u32 len = fh->len - FH_MAC_LEN;
	u8 mac[FH_MAC_LEN];

	return !mac_make(p, fh->b, len, mac) &&
	       !CRYPTO_memcmp(mac, fh->b + len, FH_MAC_LEN);
}

/* On the loop's thread: was it made by us? What is in use has been checked. */
bool fh_is_ours(struct posix *p, const struct gns_fh *fh)
{
	u32 view;

	return fh_has_view(fh, &view) &&
	       (pobj_find(p, fh) || mac_is_right(p, fh));
}

static int fh_pack(struct posix *p, const struct exported *ex,
		   const struct file_handle *h, struct gns_fh *fh)
{
	bool is_long = h->handle_type < 0 || (u32)h->handle_type >= TYPE_LONG;
	u32 head = 4 + 1 + (is_long ? 4 : 0), i;

	if (head + h->handle_bytes + FH_MAC_LEN > GNS_FH_MAX)
		return -EOVERFLOW;
	memset(fh, 0, sizeof(*fh));
	fh_set_view(fh, ex->id);
	for (i = 0; i < 4 && is_long; i++)
		fh->b[5 + i] = (u32)h->handle_type >> 8 * i;
	fh->b[4] = is_long ? TYPE_LONG : (u32)h->handle_type;
	memcpy(fh->b + head, h->f_handle, h->handle_bytes);
	fh->len = head + h->handle_bytes + FH_MAC_LEN;
	return fh_seal(p, fh);
}

/*
 * The handle of @name in @dir, or of @dir itself when @name is "". EXDEV when
 * it is not on the export's filesystem.
 */
int fh_make(struct posix *p, const struct exported *ex, int dir,
	    const char *name, struct gns_fh *fh)
{
	union handle u;
	int mount_id;

	u.h.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(dir, name, &u.h, &mount_id,
			      *name ? 0 : AT_EMPTY_PATH))
		return -errno;
	if (mount_id != ex->mount_id)
		return -EXDEV;
	return fh_pack(p, ex, &u.h, fh);
}

/* The export @fh is of, when it was made by us; NULL: it was not. */
struct exported *fh_check(struct posix *p, const struct gns_fh *fh)
{
	struct exported *ex;
	u32 id;

	if (!fh_has_view(fh, &id) || !mac_is_right(p, fh))
		return NULL;
	pthread_mutex_lock(&p->lock);
	SLIST_FOREACH(ex, &p->exports, link)
		if (ex->id == id)
			break;
	pthread_mutex_unlock(&p->lock);
	return ex;
}

/* Open a checked handle; needs root. Returns a descriptor. */
int fh_open(const struct exported *ex, const struct gns_fh *fh, int flags)
{
	u32 head = 5, type = fh->b[4], i;
	union handle u;
	int fd, tries = 0;

	if (type == TYPE_LONG) {
		for (type = 0, i = 0; i < 4; i++)
			type |= (u32)fh->b[5 + i] << 8 * i;
		head += 4;
	}
	u.h.handle_type = (int)type;
	u.h.handle_bytes = fh->len - head - FH_MAC_LEN;
	memcpy(u.h.f_handle, fh->b + head, u.h.handle_bytes);
	/*
	 * ext4 says ENOMEM, too, while a new file is being made under the
	 * inode number of the one asked for. That is over in no time.
	 */
	while ((fd = open_by_handle_at(ex->root, &u.h,
				       flags | O_CLOEXEC | O_NOCTTY)) < 0 &&
	       (errno == ENOMEM || errno == EINTR) && ++tries < OPEN_TRIES)
		usleep(OPEN_PAUSE_US);
	if (fd >= 0)
		return fd;
	/* There is no name here that could be absent. */
	return errno == ENOENT ? -ESTALE : -errno;
}

/*
 * Check a name and copy it into @out, GNS_NAME_MAX + 1 bytes. EPERM: it is not
 * for clients.
 */
int name_copy(const struct gns_str *name, char *out)
{
	if (name->len > GNS_NAME_MAX)
		return -ENAMETOOLONG;
	if (!name->len || memchr(name->p, '/', name->len) ||
	    memchr(name->p, 0, name->len))
		return -EINVAL;
	memcpy(out, name->p, name->len);
	out[name->len] = 0;
	if (!strcmp(out, ORPHAN_DIR))
		return -EPERM;
	return !strcmp(out, ".") || !strcmp(out, "..") ? -EINVAL : 0;
}

/* Returns a descriptor of @name in @dir, never of anything else. */
int name_open(int dir, const char *name, u64 flags, u32 mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	int fd, tries = 0;

	/* EAGAIN: a rename or mount somewhere made the kernel unsure. */
	do {
		fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));
	} while (fd < 0 && (errno == EAGAIN || errno == EINTR) &&
		 ++tries < 100);
	return fd < 0 ? -errno : fd;
}

/* The same with O_PATH, and only if the kernel has it in memory: EAGAIN. */
int name_open_cached(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV |
			   RESOLVE_CACHED,
	};
	int fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static s64 to_ns(const struct statx_timestamp *t)
{
	s64 ns;

	if (__builtin_mul_overflow(t->tv_sec, (s64)NSEC_PER_SEC, &ns) ||
	    __builtin_add_overflow(ns, (s64)t->tv_nsec, &ns))
		return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static int stat_at(int dir, const char *name, int flags, struct gns_attr *attr,
		   bool *orphan)
{
	struct statx st;

	if (statx(dir, name, flags | AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW,
		  STATX_BASIC_STATS | STATX_BTIME, &st))
		return -errno;
	*attr = (struct gns_attr){
		.ino = st.stx_ino,
		.size = st.stx_size,
		.blocks = st.stx_blocks,
		.atime = to_ns(&st.stx_atime),
		.mtime = to_ns(&st.stx_mtime),
		.ctime = to_ns(&st.stx_ctime),
		.mode = st.stx_mode,
		.nlink = st.stx_nlink,
		.uid = st.stx_uid,
		.gid = st.stx_gid,
		.blksize = st.stx_blksize,
	};
	if (st.stx_mask & STATX_BTIME)
		attr->btime = to_ns(&st.stx_btime);
	if (orphan)
		*orphan = orphan_is(&st);
	/* The kernel's own 32-bit form: 12 bits major, 20 bits minor. */
	attr->rdev = (st.stx_rdev_minor & 0xff) |
		     (st.stx_rdev_major & 0xfff) << 8 |
		     (st.stx_rdev_minor & 0xfff00) << 12;
	return 0;
}

/* Attributes, also of what has lost its last name; links as they are. */
int fd_attr(int fd, struct gns_attr *attr)
{
	return stat_at(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, attr, NULL);
}

/*
 * Attributes as the world sees them; -ESTALE when the last name is gone. An
 * orphan has none that counts, and is there.
 */
int fd_stat(int fd, struct gns_attr *attr)
{
	bool orphan;
	int err = stat_at(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, attr,
			  &orphan);

	if (err == -ENOENT)
		return -ESTALE;
	if (!err && !attr->nlink)
		return -ESTALE;
	if (!err && orphan)
		attr->nlink--;
	return err;
}

int name_stat(int dir, const char *name, struct gns_attr *attr)
{
	return stat_at(dir, name, 0, attr, NULL);
}

/*
 * A name of what @fd means, into FD_NAME_MAX bytes, for the calls that take no
 * O_PATH descriptor. It leads to the object and no further, symbolic links
 * included.
 */
void fd_name(int fd, char *path)
{
	snprintf(path, FD_NAME_MAX, "/proc/self/fd/%d", fd);
}
