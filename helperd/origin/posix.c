// SPDX-License-Identifier: GPL-2.0
/*
 * The posix backend from outside: create, destroy, submit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"
#include "origin/posix_int.h"

#define MAX_OBJECTS 1024u
#define MAX_PIPES 64u
#define PER_OBJECT 8u
#define MAX_MAPPED (4ull << 30)
/* Descriptors for connections, pipes and all the rest of the daemon. */
#define OTHER_FDS 512u
#define TIMER_MS 1000u

static const struct gns_cred nobody;

/* What a request is about and who asks; fh NULL: it names no object. */
struct about {
	const struct gns_fh *fh;
	const struct gns_fh *fh2;
	const struct gns_cred *cred;
};

static struct about about_what(const struct gns_msg *req)
{
	switch (req->type) {
	case GNS_LOOKUP:
	case GNS_GETXATTR:
		return (struct about){ &req->name.fh, NULL, &req->name.cred };
	case GNS_READ:
	case GNS_READDIR:
		return (struct about){ &req->range.fh, NULL,
				       &req->range.cred };
	case GNS_SEEK:
		return (struct about){ &req->seek.fh, NULL, &req->seek.cred };
	case GNS_WRITE:
		return (struct about){ &req->write.fh, NULL,
				       &req->write.cred };
	case GNS_CREATE:
	case GNS_MKDIR:
	case GNS_UNLINK:
	case GNS_RMDIR:
	case GNS_TMPFILE:
		return (struct about){ &req->make.dir, NULL, &req->make.cred };
	case GNS_RENAME:
		return (struct about){ &req->rename.odir, &req->rename.ndir,
				       &req->rename.cred };
	case GNS_SETATTR:
		return (struct about){ &req->setattr.fh, NULL,
				       &req->setattr.cred };
	case GNS_LINK:
		return (struct about){ &req->link.dir, &req->link.fh,
				       &req->link.cred };
	case GNS_SYMLINK:
		return (struct about){ &req->symlink.dir, NULL,
				       &req->symlink.cred };
	case GNS_MKNOD:
		return (struct about){ &req->mknod.dir, NULL,
				       &req->mknod.cred };
	case GNS_SETXATTR:
		return (struct about){ &req->setxattr.fh, NULL,
				       &req->setxattr.cred };
	case GNS_FALLOCATE:
		return (struct about){ &req->fallocate.fh, NULL,
				       &req->fallocate.cred };
	case GNS_COPY:
		return (struct about){ &req->copy.fh, &req->copy.from,
				       &req->copy.cred };
	case GNS_MOUNT:
	case GNS_REVALIDATE:
		return (struct about){ NULL, NULL, &nobody };
	}
	return (struct about){ &req->obj.fh, NULL, &req->obj.cred };
}

static void answer(struct posix *p, struct gns_fsop *op, int err)
{
	op->rep.status = posix_status(op->req->type, err);
	op->done(op);
}

/* The root of an export is open, so this does not block. */
static int mount_answer(struct posix *p, struct gns_fsop *op)
{
	struct exported *ex = export_find(p, &op->req->mount.export);

	if (!ex)
		return -GNS_ST_NOEXPORT;
	op->rep.r_obj.fh = ex->root_fh;
	return acl_stat(ex, ex->root, &op->self);
}

static void all_synced(void *arg, int err)
{
	struct gns_fsop *op = arg;

	op->rep.status = posix_status(op->req->type, err);
	op->done(op);
}

/* Answer at once what does not block. */
static bool submit_fast(struct posix *p, struct gns_fsop *op, struct pobj *po,
			const struct gns_cred *id)
{
	int err = 0;
	bool fast = false;

	if (op->req->type == GNS_GETATTR)
		fast = getattr_fast(po, op, &err);
	else if (op->req->type == GNS_LOOKUP)
		fast = lookup_fast(p, po, id, op, &err);
	else if (op->req->type == GNS_READ)
		fast = read_fast(p, po, id, op);
	if (!fast)
		return false;
	p->stats.inline_ops++;
	if (err == -ESTALE)
		pobj_drop(p, &po->fh);
	pobj_put(p, po);
	answer(p, op, err);
	return true;
}

/* What the export says to it: who asks, after squashing, or an error. */
static int admit(const struct about *a, const struct gns_msg *req,
		 const struct exported *ex, const struct exported *ex2,
		 struct gns_cred *id)
{
	int err = cred_squash(ex, a->cred, id);

	if (!err && ex->read_only && gns_msg_is_change(req->type))
		err = -EROFS;
	if (!err && a->fh2 && ex2 != ex)
		err = -EXDEV;
	return err;
}

static struct exported *export_of(struct posix *p, const struct gns_fh *fh)
{
	struct pobj *po = pobj_find(p, fh);

	return po ? po->ex : fh_check(p, fh);
}

/* Only the owner may, and root. */
static int refuse_owner(struct posix *p, const struct gns_m_setattr *sa,
			const struct gns_cred *id)
{
	struct pobj *po = pobj_find(p, &sa->fh);
	int fd = po ? atomic_load(&po->fd[FD_PATH]) : -1;
	struct gns_attr attr;

	if (!id->uid || fd < 0 ||
	    !(sa->valid & (GNS_SA_MODE | GNS_SA_UID | GNS_SA_GID |
			   GNS_SA_ATIME | GNS_SA_MTIME)))
		return 0;
	return !fd_stat(fd, &attr) && attr.uid != id->uid ? -EPERM : 0;
}

static u32 posix_refuses(struct gns_fs *fs, const struct gns_msg *req)
{
	struct posix *p = container_of(fs, struct posix, fs);
	struct about a = about_what(req);
	struct exported *ex = export_of(p, a.fh);
	struct exported *ex2 = a.fh2 ? export_of(p, a.fh2) : NULL;
	struct gns_cred id = nobody;
	int err = -ESTALE;

	if (ex && (ex2 || !a.fh2))
		err = admit(&a, req, ex, ex2, &id);
	if (!err && req->type == GNS_SETATTR)
		err = refuse_owner(p, &req->setattr, &id);
	return err ? posix_status(req->type, err) : 0;
}

static void posix_submit(struct gns_fs *fs, struct gns_fsop *op)
{
	struct posix *p = container_of(fs, struct posix, fs);
	const struct gns_msg *req = op->req;
	struct about a = about_what(req);
	struct pobj *po = NULL, *po2 = NULL;
	struct gns_cred id = nobody;
	int err = 0;

	if (req->type == GNS_MOUNT) {
		answer(p, op, mount_answer(p, op));
		return;
	}
	if (a.fh)
		po = pobj_get(p, a.fh, &err);
	if (!err && a.fh2)
		po2 = pobj_get(p, a.fh2, &err);
	if (!po || (a.fh2 && !po2)) {
		if (a.fh)
			goto fail;
		job_submit(p, op, NULL, NULL, &id);
		return;
	}
	err = admit(&a, req, po->ex, po2 ? po2->ex : NULL, &id);
	if (err)
		goto fail;
	if (req->type == GNS_FSYNC && req->obj.datasync == GNS_FS_ALL) {
		struct exported *ex = po->ex;

		pobj_put(p, po);
		job_sync(p, ex, NULL, all_synced, op);
	} else if (!submit_fast(p, op, po, &id)) {
		job_submit(p, op, po, po2, &id);
	}
	return;
fail:
	pobj_put(p, po);
	pobj_put(p, po2);
	op->untouched = true;
	answer(p, op, err);
}

struct sync_all {
	void (*done)(void *arg, int err);
	void *arg;
	u32 left;
	int err;
	LIST_ENTRY(sync_all) link; /* posix->sync_alls */
};

static void sync_one_done(void *arg, int err)
{
	struct sync_all *s = arg;

	if (err && !s->err)
		s->err = err;
	if (--s->left)
		return;
	LIST_REMOVE(s, link);
	s->done(s->arg, s->err);
	free(s);
}

static void posix_sync_all(struct posix *p, void (*done)(void *arg, int err),
			   void *arg)
{
	struct sync_all *s = calloc(1, sizeof(*s));
	struct exported *ex;

	if (!s) {
		done(arg, -ENOMEM);
		return;
	}
	/* One too many until all have been asked. */
	*s = (struct sync_all){ .done = done, .arg = arg, .left = 1 };
	LIST_INSERT_HEAD(&p->sync_alls, s, link);
	SLIST_FOREACH(ex, &p->exports, link) {
		s->left++;
		job_sync(p, ex, NULL, sync_one_done, s);
	}
	sync_one_done(s, 0);
}

static void posix_sync(struct gns_fs *fs, const struct gns_fh *fh,
		       void (*done)(void *arg, int err), void *arg)
{
	struct posix *p = container_of(fs, struct posix, fs);
	struct pobj *po;
	int err;

	if (!fh) {
		posix_sync_all(p, done, arg);
		return;
	}
	po = pobj_get(p, fh, &err);
	if (po)
		job_sync(p, po->ex, po, done, arg);
	else
		done(arg, err);
}

static void posix_forget(struct gns_fs *fs, const struct gns_fh *fh)
{
	struct posix *p = container_of(fs, struct posix, fs);
	struct pobj *po;
	int err;

	po = pobj_get(p, fh, &err);
	if (po)
		job_forget(p, po);
}

static const struct gns_fs_ops posix_ops = {
	.submit = posix_submit,
	.sync = posix_sync,
	.orphans = posix_orphans,
	.forget = posix_forget,
	.refuses = posix_refuses,
	.own = posix_own,
	.split = posix_split,
	.join = posix_join,
	.views_were = posix_views_were,
	.views = posix_views,
	.meant = posix_meant,
};

static u64 memory_size(void)
{
	return (u64)sysconf(_SC_PHYS_PAGES) * (u64)sysconf(_SC_PAGESIZE);
}

/* Not more objects than there are descriptors for. */
static void set_limits(struct posix *p)
{
	struct gns_posix_config *cfg = &p->cfg;
	struct rlimit rl;
	u64 room;

	if (!cfg->max_objects)
		cfg->max_objects = MAX_OBJECTS;
	if (!cfg->per_object)
		cfg->per_object = PER_OBJECT;
	if (!cfg->max_pipes)
		cfg->max_pipes = MAX_PIPES;
	if (!cfg->max_mapped)
		cfg->max_mapped = min_u64(MAX_MAPPED, memory_size() / 8);
	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur == RLIM_INFINITY)
		return;
	room = rl.rlim_cur > OTHER_FDS ? rl.rlim_cur - OTHER_FDS : 0;
	room = max_u64(room / FD_KINDS, 16);
	if (room < cfg->max_objects) {
		gns_warn("files open at once are limited to %llu: raise it (LimitNOFILE=) for more speed",
			 (unsigned long long)rl.rlim_cur);
		cfg->max_objects = (u32)room;
	}
}

struct gns_fs *gns_posix_create(uv_loop_t *loop,
				const struct gns_posix_config *cfg)
{
	struct posix *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return NULL;
	p->fs.ops = &posix_ops;
	p->loop = loop;
	p->cfg = *cfg;
	set_limits(p);
	TAILQ_INIT(&p->lru);
	STAILQ_INIT(&p->dying);
	STAILQ_INIT(&p->closing);
	p->pipes = gns_pipes_create(p->cfg.max_pipes);
	p->windows = gns_windows_create(p->cfg.max_mapped);
	err = p->pipes && p->windows ? mac_init(p) : -ENOMEM;
	if (!err)
		err = uv_timer_init(loop, &p->timer);
	if (err) {
		gns_pipes_destroy(p->pipes);
		gns_windows_destroy(p->windows);
		mac_free(p);
		free(p);
		errno = -err;
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->idle, NULL);
	p->refs = 2; /* the owner, the timer */
	uv_timer_start(&p->timer, cache_timer, TIMER_MS, TIMER_MS);
	uv_unref((uv_handle_t *)&p->timer);
	cred_init();
	umask(0);
	return &p->fs;
}

void posix_put(struct posix *p)
{
	struct sync_all *s;

	if (--p->refs)
		return;
	while ((s = LIST_FIRST(&p->sync_alls))) {
		LIST_REMOVE(s, link);
		free(s);
	}
	cache_destroy(p);
	orphans_drop_all(p);
	gns_windows_destroy(p->windows);
	export_free_all(p);
	free(p->was);
	mac_free(p);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->idle);
	OPENSSL_cleanse(p->cfg.key, sizeof(p->cfg.key));
	free(p);
}

static void timer_closed(uv_handle_t *h)
{
	posix_put(container_of((uv_timer_t *)h, struct posix, timer));
}

void gns_posix_destroy(struct gns_fs *fs)
{
	struct posix *p;

	if (!fs)
		return;
	p = container_of(fs, struct posix, fs);
	pthread_mutex_lock(&p->lock);
	p->dead = true;
	while (p->active)
		pthread_cond_wait(&p->idle, &p->lock);
	pthread_mutex_unlock(&p->lock);
	job_drop_all(p);
	gns_pipes_destroy(p->pipes);
	p->pipes = NULL;
	uv_close((uv_handle_t *)&p->timer, timer_closed);
	posix_put(p);
}

void gns_posix_stats(struct gns_fs *fs, struct gns_posix_stats *stats)
{
	struct posix *p = container_of(fs, struct posix, fs);

	*stats = p->stats;
	stats->objects = p->nobjs;
	stats->splice_bytes = atomic_load(&p->splice_bytes);
	stats->copy_bytes = atomic_load(&p->copy_bytes);
}
