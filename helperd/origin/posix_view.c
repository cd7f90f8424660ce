// SPDX-License-Identifier: GPL-2.0
/*
 * Exports of one filesystem show the same objects: the first one's handles
 * stand for those of all.
 *
 * A handle is the same in each of them but for the number of the export, and
 * the checksum over that. An export that is not there any more may have stood
 * for others: then one of those stands for it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/log.h"
#include "origin/posix_int.h"

/* A mount that is not listed, for it is not below the root of this process. */
#define SB_UNSEEN (1ull << 63)

/* Exports, and some that there were. */
#define VIEWS_MAX 1000u

/*
 * The number of the filesystem that @ex is of. What stat(2) says is another
 * thing: a btrfs has a device number for each subvolume.
 */
u64 view_filesystem(const struct exported *ex)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned int major, minor;
	u64 sb = SB_UNSEEN;
	char *line = NULL;
	size_t size = 0;
	struct stat st;
	int id;

	if (!fstat(ex->root, &st))
		sb |= st.st_dev;
	while (f && getline(&line, &size, f) > 0) {
		if (sscanf(line, "%d %*d %u:%u", &id, &major, &minor) == 3 &&
		    id == ex->mount_id) {
			sb = makedev(major, minor);
			break;
		}
	}
	free(line);
	if (f)
		fclose(f);
	return sb;
}

/* The export whose handles stand for those of @ex, which is not in the list. */
const struct exported *view_first(struct posix *p, const struct exported *ex)
{
	const struct exported *e;

	SLIST_FOREACH(e, &p->exports, link)
		if (e->sb == ex->sb)
			return e->stands;
	return ex;
}

static const struct exported *by_id(struct posix *p, u32 id)
{
	const struct exported *ex;

	SLIST_FOREACH(ex, &p->exports, link)
		if (ex->id == id)
			break;
	return ex;
}

static const struct gns_fs_view *was_of(struct posix *p, u32 view)
{
	u32 i;

	for (i = 0; i < p->nwas; i++)
		if (p->was[i].view == view)
			return &p->was[i];
	return NULL;
}

/* Who stands for an export that is gone; NULL: nobody has shown the same. */
static const struct exported *heir(struct posix *p, u32 view)
{
	const struct gns_fs_view *was = was_of(p, view);
	u32 as = was ? was->as : view, i;
	const struct exported *ex = by_id(p, as);

	for (i = 0; !ex && i < p->nwas; i++)
		if (p->was[i].as == as)
			ex = by_id(p, p->was[i].view);
	return ex ? ex->stands : NULL;
}

/* In place; what has a wrong checksum, and so is no handle, stays as it is. */
static void restamp(struct posix *p, struct gns_fh *fh, u32 view)
{
	struct gns_fh made = *fh;

	if (!fh_is_ours(p, fh))
		return;
	fh_set_view(&made, view);
	/* Without a checksum it is no handle, and the same as all such. */
	if (fh_seal(p, &made)) {
		gns_err("handles can not be made: no memory");
		made.len = 0;
	}
	*fh = made;
}

u32 posix_split(struct gns_fs *fs, const struct gns_fh *fh, struct gns_fh *id)
{
	struct posix *p = container_of(fs, struct posix, fs);
	const struct exported *ex, *to;
	u32 view;

	*id = *fh;
	if (!fh_has_view(fh, &view))
		return 0;
	ex = by_id(p, view);
	to = ex ? ex->stands : heir(p, view);
	if (to && to != ex)
		restamp(p, id, to->id);
	return view;
}

void posix_join(struct gns_fs *fs, const struct gns_fh *id, u32 view,
		struct gns_fh *fh)
{
	struct posix *p = container_of(fs, struct posix, fs);
	u32 now;

	*fh = *id;
	if (fh_has_view(id, &now) && now != view && by_id(p, view))
		restamp(p, fh, view);
}

/* Two that showed the same show different objects now. */
static bool parted(struct posix *p, const struct gns_fs_view *a,
		   const struct gns_fs_view *b)
{
	const struct exported *x = by_id(p, a->view), *y = by_id(p, b->view);

	return a->as == b->as && x && y && x->stands != y->stands;
}

bool posix_views_were(struct gns_fs *fs, const struct gns_fs_view *v, u32 n)
{
	struct posix *p = container_of(fs, struct posix, fs);
	u32 i, k;

	free(p->was);
	p->was = calloc(n + 1, sizeof(*v));
	/* Without knowing it, the worst is taken for true. */
	p->nwas = 0;
	if (!p->was)
		return false;
	memcpy(p->was, v, n * sizeof(*v));
	p->nwas = n;
	/* Full: there may have been more. */
	if (n >= VIEWS_MAX)
		return false;
	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (parted(p, &v[i], &v[k]))
				return false;
	return true;
}

u32 posix_views(struct gns_fs *fs, struct gns_fs_view *v, u32 max)
{
	struct posix *p = container_of(fs, struct posix, fs);
	const struct exported *ex;
	u32 n = 0, i;

	max = min_u64(max, VIEWS_MAX);
	SLIST_FOREACH(ex, &p->exports, link)
		if (n < max)
			v[n++] = (struct gns_fs_view){ ex->id, ex->stands->id };
	for (i = 0; i < p->nwas && n < max; i++) {
		if (by_id(p, p->was[i].view))
			continue;
		v[n] = p->was[i];
		ex = heir(p, v[n].view);
		if (ex)
			v[n].as = ex->id;
		n++;
	}
	return n;
}
