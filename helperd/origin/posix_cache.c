// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors of objects in use.
 *
 * Opening a handle takes a search in the inode cache, or the disk, so
 * descriptors are kept for a while. Not for long: an open descriptor keeps
 * the space of a file that was deleted beside gns, and one for writing keeps
 * the host from executing the file. close(2) can be what frees the space, so
 * a worker does it.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "origin/posix_int.h"

#define IDLE_MS 10000u
#define WRITE_IDLE_MS 1000u

struct pobj *pobj_find(struct posix *p, const struct gns_fh *fh)
{
	struct pobj *po;

	HASH_FIND(hh, p->objs, fh->b, fh->len, po);
	return po;
}

static void pobj_close(struct pobj *po)
{
	int i, fd;

	for (i = 0; i < FD_KINDS; i++) {
		fd = atomic_exchange(&po->fd[i], -1);
		if (fd >= 0)
			close(fd);
	}
	gns_windows_drop(&po->windows);
}

static void reap_work(uv_work_t *work)
{
	struct posix *p = container_of(work, struct posix, reap);
	struct pobj *po;

	STAILQ_FOREACH(po, &p->closing, reap)
		pobj_close(po);
}

static void reap_list(struct pobj_reap *list)
{
	struct pobj *po;

	while ((po = STAILQ_FIRST(list))) {
		STAILQ_REMOVE_HEAD(list, reap);
		pobj_close(po);
		free(po);
	}
}

static void reap_start(struct posix *p);

static void reap_done(uv_work_t *work, int status)
{
	struct posix *p = container_of(work, struct posix, reap);

	reap_list(&p->closing);
	p->reaping = false;
	reap_start(p);
	posix_put(p);
}

static void reap_start(struct posix *p)
{
	if (p->reaping || STAILQ_EMPTY(&p->dying) || p->dead)
		return;
	STAILQ_CONCAT(&p->closing, &p->dying);
	if (uv_queue_work(p->loop, &p->reap, reap_work, reap_done)) {
		reap_list(&p->closing);
		return;
	}
	p->reaping = true;
	p->refs++;
}

static void pobj_unhash(struct posix *p, struct pobj *po)
{
	HASH_DELETE(hh, p->objs, po);
	TAILQ_REMOVE(&p->lru, po, lru);
	po->hashed = false;
	p->nobjs--;
}

/* Nobody uses it: close it soon. */
static void pobj_end(struct posix *p, struct pobj *po)
{
	if (po->hashed)
		pobj_unhash(p, po);
	STAILQ_INSERT_TAIL(&p->dying, po, reap);
}

static void evict(struct posix *p, u32 keep)
{
	struct pobj *po, *next;

	for (po = TAILQ_FIRST(&p->lru); po && p->nobjs > keep; po = next) {
		next = TAILQ_NEXT(po, lru);
		if (!po->refs)
			pobj_end(p, po);
	}
}

static void pobj_used(struct posix *p, struct pobj *po)
{
	po->used_at = uv_now(p->loop);
	if (po->hashed) {
		TAILQ_REMOVE(&p->lru, po, lru);
		TAILQ_INSERT_TAIL(&p->lru, po, lru);
	}
}

static struct pobj *pobj_new(struct posix *p, const struct gns_fh *fh,
			     struct exported *ex)
{
	struct pobj *po = calloc(1, sizeof(*po));
	int i;

	if (!po)
		return NULL;
	po->fh = *fh;
	po->ex = ex;
	for (i = 0; i < FD_KINDS; i++)
		atomic_init(&po->fd[i], -1);
	STAILQ_INIT(&po->waiting);
	HASH_ADD_KEYPTR(hh, p->objs, po->fh.b, po->fh.len, po);
	TAILQ_INSERT_TAIL(&p->lru, po, lru);
	po->hashed = true;
	po->used_at = uv_now(p->loop);
	p->nobjs++;
	return po;
}

/* The object @fh names, held; NULL with @err set, which is 0 otherwise. */
struct pobj *pobj_get(struct posix *p, const struct gns_fh *fh, int *err)
{
	/* What is in the cache has been checked, its checksum too. */
	struct pobj *po = pobj_find(p, fh);
	struct exported *ex;

	if (!po) {
		ex = fh_check(p, fh);
		*err = -ESTALE;
		if (!ex)
			return NULL;
		po = pobj_new(p, fh, ex);
		*err = -ENOMEM;
		if (!po)
			return NULL;
	}
	*err = 0;
	po->refs++;
	pobj_used(p, po);
	if (p->nobjs > p->cfg.max_objects) {
		evict(p, p->cfg.max_objects);
		reap_start(p);
	}
	return po;
}

void pobj_put(struct posix *p, struct pobj *po)
{
	if (!po || --po->refs)
		return;
	if (!po->hashed) {
		pobj_end(p, po);
		reap_start(p);
	}
}

/* @fh is gone for good: close its descriptors when the last user is done. */
void pobj_drop(struct posix *p, const struct gns_fh *fh)
{
	struct pobj *po = pobj_find(p, fh);

	if (!po)
		return;
	if (po->refs)
		pobj_unhash(p, po);
	else
		pobj_end(p, po);
	reap_start(p);
}

/* A worker came by a descriptor of @fh: keep it or close it. */
void pobj_give_fd(struct posix *p, const struct gns_fh *fh, int fd,
		  enum pobj_fd kind)
{
	struct pobj *po = pobj_find(p, fh);
	int none = -1;

	if (!po) {
		struct exported *ex = fh_check(p, fh);

		evict(p, p->cfg.max_objects - 1);
		if (ex && p->nobjs < p->cfg.max_objects)
			po = pobj_new(p, fh, ex);
		reap_start(p);
	}
	if (!po || !atomic_compare_exchange_strong(&po->fd[kind], &none, fd)) {
		close(fd);
		return;
	}
	if (kind == FD_WRITE)
		po->written_at = uv_now(p->loop);
}

static int pobj_fd(struct pobj *po, enum pobj_fd kind, int flags)
{
	int none = -1, fd = fh_open(po->ex, &po->fh, flags);

	if (fd < 0)
		return fd;
	/* Another worker may have been faster. */
	if (!atomic_compare_exchange_strong(&po->fd[kind], &none, fd)) {
		close(fd);
		fd = none;
	}
	return fd;
}

/* A worker's: the object's O_PATH descriptor, opened if need be. */
int pobj_path(struct pobj *po)
{
	int fd = atomic_load(&po->fd[FD_PATH]);

	return fd >= 0 ? fd : pobj_fd(po, FD_PATH, O_PATH | O_NOFOLLOW);
}

/*
 * A worker's: a descriptor for data. Opening a FIFO or a device would do
 * things, so what it is gets looked at first; a handle never changes that.
 */
int pobj_data(struct pobj *po, enum pobj_fd kind)
{
	int flags = kind == FD_WRITE ? O_RDWR : O_RDONLY;
	int fd = atomic_load(&po->fd[kind]);
	struct gns_attr attr;
	int err;

	if (fd >= 0)
		return fd;
	fd = pobj_path(po);
	if (fd < 0)
		return fd;
	err = fd_stat(fd, &attr);
	if (err)
		return err;
	if (!S_ISREG(attr.mode))
		return S_ISDIR(attr.mode) ? -EISDIR : -EINVAL;
	fd = pobj_fd(po, kind, flags | O_NONBLOCK);
	/* Somebody on the host holds a lease: wait for its end. */
	if (fd == -EWOULDBLOCK)
		fd = pobj_fd(po, kind, flags);
	return fd;
}

/* Out of descriptors: close all that can be, at once. */
void cache_evict_idle(struct posix *p)
{
	evict(p, 0);
	reap_list(&p->dying);
}

void cache_timer(uv_timer_t *timer)
{
	struct posix *p = container_of(timer, struct posix, timer);
	u64 now = uv_now(p->loop);
	struct pobj *po, *next;
	int fd;

	for (po = TAILQ_FIRST(&p->lru); po; po = next) {
		next = TAILQ_NEXT(po, lru);
		if (po->refs)
			continue;
		if (po->used_at + IDLE_MS < now) {
			pobj_end(p, po);
		} else if (atomic_load(&po->fd[FD_WRITE]) >= 0 &&
			   po->written_at + WRITE_IDLE_MS < now) {
			/* It has names, or it would have been dropped. */
			fd = atomic_exchange(&po->fd[FD_WRITE], -1);
			close(fd);
		}
	}
	reap_start(p);
}

void cache_destroy(struct posix *p)
{
	struct pobj *po, *tmp;

	HASH_ITER(hh, p->objs, po, tmp)
		pobj_end(p, po);
	reap_list(&p->dying);
	reap_list(&p->closing);
}
