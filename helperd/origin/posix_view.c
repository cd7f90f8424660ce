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

/* @to gets who stands for @ex, too. */
static u32 meant_add(const struct exported *ex, const struct exported **to,
		     u32 n, u32 max)
{
	u32 i;

	if (!ex || n == max)
		return n;
	for (i = 0; i < n; i++)
		if (to[i] == ex->stands)
			return n;
	to[n] = ex->stands;
	return n + 1;
}

/*
 * Up to @max exports that stand now for those that were of one filesystem with
 * @view in the life before: the first one for @view itself. Returns how many.
 */
static u32 meant(struct posix *p, u32 view, const struct exported **to, u32 max)
{
	u32 n = meant_add(by_id(p, view), to, 0, max);
	const struct gns_fs_view *was;
	u32 as, i;

	if (n == max)
		return n;
	was = was_of(p, view);
	as = was ? was->as : view;
	n = meant_add(by_id(p, as), to, n, max);
	for (i = 0; i < p->nwas && n < max; i++)
		if (p->was[i].as == as)
			n = meant_add(by_id(p, p->was[i].view), to, n, max);
	return n;
}

/* Whose handles stand for those of @view; NULL: nobody shows the same. */
static const struct exported *stands_for(struct posix *p, u32 view)
{
	const struct exported *ex;

	return meant(p, view, &ex, 1) ? ex : NULL;
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
	const struct exported *ex = NULL;
	u32 view;

	if (fh_has_view(fh, &view) && id)
		ex = stands_for(p, view);
	if (id)
		*id = *fh;
	if (ex && ex->id != view)
		restamp(p, id, ex->id);
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

/* The object @fh is gone for good: close what is open of it by any handle. */
void view_drop(struct posix *p, const struct gns_fh *fh)
{
	const struct exported *ex, *of;
	struct gns_fh other;
	u32 view;

	of = fh_has_view(fh, &view) ? by_id(p, view) : NULL;
	SLIST_FOREACH(ex, &p->exports, link) {
		if (!of || ex == of || ex->stands != of->stands)
			continue;
		posix_join(&p->fs, fh, ex->id, &other);
		pobj_drop(p, &other);
	}
	pobj_drop(p, fh);
}

/* What stands for the handles of @view. */
static u32 stand_in(struct posix *p, u32 view)
{
	const struct exported *ex = stands_for(p, view);

	return ex ? ex->id : view;
}

/*
 * Put @ex into the list. Not if handles that are out would stand for other
 * objects by that: their leases and locks are by what they stood for so far.
 */
bool view_add(struct posix *p, struct exported *ex)
{
	u32 before[VIEWS_MAX], i;
	bool moves = false;

	for (i = 0; i < p->nwas; i++)
		before[i] = stand_in(p, p->was[i].view);
	pthread_mutex_lock(&p->lock);
	SLIST_INSERT_HEAD(&p->exports, ex, link);
	pthread_mutex_unlock(&p->lock);
	/* Before the origin is there, nothing stands for anything. */
	for (i = 0; i < p->nwas && !moves; i++)
		moves = before[i] != stand_in(p, p->was[i].view);
	if (!moves)
		return true;
	pthread_mutex_lock(&p->lock);
	SLIST_REMOVE_HEAD(&p->exports, link);
	pthread_mutex_unlock(&p->lock);
	return false;
}

int posix_views_were(struct gns_fs *fs, const struct gns_fs_view *v, u32 n)
{
	struct posix *p = container_of(fs, struct posix, fs);

	n = (u32)min_u64(n, VIEWS_MAX);
	free(p->was);
	p->nwas = 0;
	p->was = calloc(n + 1, sizeof(*v));
	if (!p->was)
		return -ENOMEM;
	memcpy(p->was, v, n * sizeof(*v));
	p->nwas = n;
	return 0;
}

/* Those that were of one filesystem in the life before, as they are now. */
u32 posix_meant(struct gns_fs *fs, const struct gns_fh *fh, struct gns_fh *id,
		u32 max)
{
	struct posix *p = container_of(fs, struct posix, fs);
	const struct exported *to[VIEWS_MAX];
	u32 view, i, n;

	id[0] = *fh;
	/* No handle, or of another key: it is asked for, and gone. */
	if (!fh_is_ours(p, fh) || !fh_has_view(fh, &view))
		return 1;
	n = meant(p, view, to, (u32)min_u64(max, VIEWS_MAX));
	for (i = 0; i < n; i++) {
		id[i] = *fh;
		if (view != to[i]->id)
			restamp(p, &id[i], to[i]->id);
	}
	return n;
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
		ex = stands_for(p, v[n].view);
		if (ex)
			v[n].as = ex->id;
		n++;
	}
	return n;
}
