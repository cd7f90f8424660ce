// SPDX-License-Identifier: GPL-2.0
/*
 * READDIR.
 *
 * A cookie is the kernel's own position behind an entry. Filesystems keep
 * those stable while entries come and go (ext4, xfs, btrfs; tmpfs from Linux
 * 6.6 on), so a listing needs no state here: every request opens the
 * directory anew.
 *
 * The caller's permission counts: reading the directory for the names,
 * searching it for what is behind them.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "origin/posix_int.h"

#define ENTRIES_MAX 4096u
#define KERNEL_BUF (32u << 10)
#define KERNEL_BUF_MIN 1024u
/* Of the kernel's entries, with the shortest names. */
#define KERNEL_ENTRY 24u
/* On the wire: cookie, type, has, length of the name; handle, grant and
 * attributes.
 */
#define ENTRY_BYTES (8u + 1 + 1 + 2)
#define ATTR_BYTES (1u + 16 + sizeof(struct gns_attr))

struct listing {
	struct job *j;
	int fd;
	struct gns_dirent *v;
	u32 n;
	u32 max;
	char *names;
	u32 used; /* bytes on the wire, at least those of the names */
	u32 cap;
	bool names_only;
	bool full;
	bool eof;
};

/* 0; -ENOENT: it has vanished; else its attributes are not to be had. */
static int add_attr(struct listing *l, struct gns_dirent *d, const char *name)
{
	int fd = name_open(l->fd, name, O_PATH, 0);
	int err;

	if (fd < 0)
		return fd;
	err = acl_stat(l->j->ex, fd, &d->attr);
	if (!err)
		err = fh_make(l->j->p, l->j->ex, fd, "", &d->fh);
	close(fd);
	return err == -ESTALE ? -ENOENT : err;
}

static void add_entry(struct listing *l, const struct dirent64 *e)
{
	struct gns_dirent *d = &l->v[l->n];
	u32 len = (u32)strlen(e->d_name);
	u32 bytes = ENTRY_BYTES + len;
	int err;

	if (!len || len > GNS_NAME_MAX || !strcmp(e->d_name, ".") ||
	    !strcmp(e->d_name, "..") || !strcmp(e->d_name, ORPHAN_DIR))
		return;
	*d = (struct gns_dirent){ .cookie = (u64)e->d_off, .type = e->d_type };
	if (l->names_only) {
		d->has = GNS_DE_INO;
		d->attr.ino = e->d_ino;
		bytes += sizeof(d->attr.ino);
	} else {
		err = add_attr(l, d, e->d_name);
		if (err == -ENOENT)
			return;
		d->has = err ? GNS_DE_NAME : GNS_DE_ATTR;
	}
	if (d->has == GNS_DE_ATTR) {
		bytes += ATTR_BYTES + d->fh.len;
		if (d->type == DT_UNKNOWN)
			d->type = IFTODT(d->attr.mode);
	}
	if (l->n == l->max || (l->n && l->used + bytes > l->cap)) {
		l->full = true;
		return;
	}
	d->name = (struct gns_str){ l->names, len };
	memcpy(l->names, e->d_name, len);
	l->names += len;
	l->used += bytes;
	l->n++;
}

/* Not many more than can be taken: who comes next has to read those again. */
static u64 room(const struct listing *l)
{
	u64 most = (u64)(l->max - l->n) * KERNEL_ENTRY;

	return min_u64(max_u64(most, KERNEL_BUF_MIN), KERNEL_BUF);
}

static int list(struct listing *l)
{
	char buf[KERNEL_BUF] __attribute__((aligned(8)));
	long n, pos;

	while (!l->full && !l->eof) {
		n = syscall(SYS_getdents64, l->fd, buf, room(l));
		if (n < 0)
			/* ENOENT: the directory was removed. */
			return errno == ENOENT ? -ESTALE : -errno;
		l->eof = !n;
		for (pos = 0; pos < n && !l->full;) {
			const struct dirent64 *e = (void *)(buf + pos);

			add_entry(l, e);
			pos += e->d_reclen;
		}
	}
	return 0;
}

static int list_as(struct listing *l, const struct gns_cred *id)
{
	int err = cred_enter(id);

	if (err)
		return err;
	err = list(l);
	cred_leave(id);
	return err;
}

static int dir_start(struct job *j, int fd)
{
	const struct gns_m_range *req = &j->op->req->range;
	int err = acl_pobj_stat(j->po, fd, &j->op->self);

	if (!err && j->id.uid)
		err = cred_access(&j->id, fd, R_OK);
	if (err)
		return err;
	if (req->off > INT64_MAX)
		return -EINVAL;
	if (req->off && lseek(fd, (off_t)req->off, SEEK_SET) < 0)
		return -errno;
	return 0;
}

static int dir_list(struct job *j, int fd)
{
	u32 cap = (u32)min_u64(max_u64(j->op->req->range.len, 4096),
			       GNS_DIR_MAX);
	struct listing l = { .j = j, .fd = fd, .cap = cap };
	struct gns_attr after;
	int err;

	l.names_only = j->op->req->range.want & GNS_WANT_NAMES;
	l.max = (u32)min_u64(ENTRIES_MAX, cap / (ENTRY_BYTES + 1));
	/* One more, to be looked at and not taken. */
	l.v = malloc((l.max + 1) * sizeof(*l.v) + cap + GNS_NAME_MAX);
	if (!l.v)
		return -ENOMEM;
	l.names = (char *)(l.v + l.max + 1);
	err = list_as(&l, &j->id);
	if (!err)
		err = fd_stat(fd, &after);
	if (err) {
		free(l.v);
		return err;
	}
	j->op->entries = l.v;
	j->op->nentries = l.n;
	j->op->rep.r_obj.eof = l.eof;
	return 0;
}

int do_readdir(struct job *j)
{
	int fd = fh_open(j->ex, &j->po->fh, O_RDONLY | O_DIRECTORY);
	int err;

	if (fd < 0)
		return fd;
	err = dir_start(j, fd);
	if (!err)
		err = dir_list(j, fd);
	close(fd);
	return err;
}
