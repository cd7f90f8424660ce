// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on their way through the worker threads.
 *
 * An object has only so many of them there at once; the rest wait at the
 * object, so that a file on a slow disk leaves threads to the others. When
 * the process is out of descriptors, those of idle objects are closed and the
 * operation runs again, once, unless it has changed something by then.
 *
 * Syncs of a whole export are shared: one that begins after they were asked
 * for serves all of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/log.h"
#include "origin/posix_int.h"

static int do_create_or_dir(struct job *j)
{
	return j->op->req->type == GNS_MKDIR ? do_mkdir(j) : do_create(j);
}

static int (*const table[GNS_MSG_END])(struct job *j) = {
	[GNS_LOOKUP] = do_lookup,
	[GNS_GETATTR] = do_getattr,
	[GNS_READDIR] = do_readdir,
	[GNS_READLINK] = do_readlink,
	[GNS_READ] = do_read,
	[GNS_GETXATTR] = do_getxattr,
	[GNS_LISTXATTR] = do_listxattr,
	[GNS_STATFS] = do_statfs,
	[GNS_SEEK] = do_seek,
	[GNS_REVALIDATE] = do_revalidate,
	[GNS_FSYNC] = do_fsync,
	[GNS_WRITE] = do_write,
	[GNS_CREATE] = do_create_or_dir,
	[GNS_MKDIR] = do_create_or_dir,
	[GNS_UNLINK] = do_unlink,
	[GNS_RMDIR] = do_unlink,
	[GNS_RENAME] = do_rename,
	[GNS_SETATTR] = do_setattr,
	[GNS_LINK] = do_link,
	[GNS_SYMLINK] = do_symlink,
	[GNS_MKNOD] = do_mknod,
	[GNS_SETXATTR] = do_setxattr,
	[GNS_FALLOCATE] = do_fallocate,
	[GNS_COPY] = do_copy,
	[GNS_TMPFILE] = do_tmpfile,
};

/*
 * What a satellite is told. "No such name" is a fact that it acts upon, so
 * only those say it who looked a name up in a directory that was there.
 */
u32 posix_status(u16 type, int err)
{
	bool names = type == GNS_UNLINK || type == GNS_RMDIR ||
		     type == GNS_RENAME || type == GNS_LINK;

	switch (-err) {
	case ENOENT:
		if (names)
			return ENOENT;
		break;
	case EMFILE:
	case ENFILE:
		gns_err("too many open files: raise LimitNOFILE=");
		return EIO;
	case EBADF:
	case EFAULT:
	case EINTR:
		break;
	default:
		return (u32)-err;
	}
	gns_err("%s of an exported object: unexpected: %s", gns_msg_name(type),
		gns_status_str((u32)-err));
	return EIO;
}

static bool work_begin(struct posix *p)
{
	bool run;

	pthread_mutex_lock(&p->lock);
	run = !p->dead;
	p->active += run;
	pthread_mutex_unlock(&p->lock);
	return run;
}

static void work_end(struct posix *p)
{
	pthread_mutex_lock(&p->lock);
	if (!--p->active)
		pthread_cond_signal(&p->idle);
	pthread_mutex_unlock(&p->lock);
}

static void job_work(uv_work_t *work)
{
	struct job *j = container_of(work, struct job, work);

	if (!work_begin(j->p))
		return;
	if (j->whole)
		j->err = syncfs(j->ex->root) ? -errno : 0;
	else if (j->forget)
		j->err = do_forget(j);
	else if (!j->op)
		j->err = do_sync(j);
	else
		j->err = table[j->op->req->type](j);
	work_end(j->p);
}

static void job_run(struct job *j);

static void job_free(struct job *j)
{
	struct posix *p = j->p;

	LIST_REMOVE(j, all);
	if (j->child_fd >= 0)
		close(j->child_fd);
	pobj_put(p, j->po);
	pobj_put(p, j->po2);
	free(j);
	posix_put(p);
}

static void job_start(struct job *j)
{
	struct pobj *po = j->po;

	if (po && po->running >= j->p->cfg.per_object) {
		STAILQ_INSERT_TAIL(&po->waiting, j, link);
		return;
	}
	if (po)
		po->running++;
	job_run(j);
}

/* Its place is free for the next one. */
static void job_leave(struct job *j)
{
	struct pobj *po = j->po;
	struct job *next;

	if (!po)
		return;
	po->running--;
	next = STAILQ_FIRST(&po->waiting);
	if (next) {
		STAILQ_REMOVE_HEAD(&po->waiting, link);
		po->running++;
		job_run(next);
	}
}

static void sync_start(struct exported *ex)
{
	struct job *j = STAILQ_FIRST(&ex->syncs);

	/* All that wait by now are served by this one. */
	if (!j || ex->syncing)
		return;
	ex->syncing = true;
	job_run(j);
}

/* A syncfs has ended: tell all who were in line when it began. */
static void sync_done(struct job *first)
{
	struct posix *p = first->p;
	struct exported *ex = first->ex;
	int err = first->err;
	void (*synced)(void *arg, int err);
	struct job *j;
	void *arg;

	p->refs++;
	while ((j = STAILQ_FIRST(&ex->syncs)) && j->served) {
		STAILQ_REMOVE_HEAD(&ex->syncs, link);
		synced = j->synced;
		arg = j->arg;
		job_free(j);
		if (!p->dead)
			synced(arg, err);
	}
	ex->syncing = false;
	if (!p->dead)
		sync_start(ex);
	posix_put(p);
}

static void sync_whole(struct job *j)
{
	j->whole = true;
	STAILQ_INSERT_TAIL(&j->ex->syncs, j, link);
	sync_start(j->ex);
}

static void job_ended(struct job *j)
{
	struct posix *p = j->p;
	struct gns_fsop *op = j->op;
	u16 type = op ? op->req->type : 0;
	u32 i;

	if (type == GNS_WRITE || type == GNS_SETATTR ||
	    type == GNS_FALLOCATE || type == GNS_COPY)
		j->po->written_at = uv_now(p->loop);
	if (j->err == -ESTALE && j->po)
		pobj_drop(p, &j->po->fh);
	for (i = 0; i < j->ngone; i++)
		view_drop(p, &j->gone[i]);
	if (j->child_fd >= 0) {
		pobj_give_fd(p, &j->child, j->child_fd, j->child_kind);
		j->child_fd = -1;
	}
	/* Gone: where its name was has to be durable, wherever that is. */
	if (!op && j->err == -ESTALE) {
		sync_whole(j);
		return;
	}
	/* The callback may destroy the backend: be through with it before. */
	if (op) {
		op->rep.status = posix_status(type, j->err);
		op->untouched = j->err && j->untouched;
		job_free(j);
		op->done(op);
	} else {
		int err = j->err;
		void (*synced)(void *arg, int err) = j->synced;
		void *arg = j->arg;

		job_free(j);
		if (synced)
			synced(arg, err);
	}
}

static void job_done(uv_work_t *work, int status)
{
	struct job *j = container_of(work, struct job, work);
	struct posix *p = j->p;

	j->queued = false;
	if (j->whole) {
		sync_done(j);
		return;
	}
	if (p->dead) {
		job_free(j);
		return;
	}
	if ((j->err == -EMFILE || j->err == -ENFILE) && !j->retried &&
	    !j->changed) {
		j->retried = true;
		cache_evict_idle(p);
		job_run(j);
		return;
	}
	job_leave(j);
	job_ended(j);
}

static void job_run(struct job *j)
{
	struct job *k;

	if (j->whole)
		STAILQ_FOREACH(k, &j->ex->syncs, link)
			k->served = true;
	j->queued = true;
	j->p->stats.worker_ops++;
	/* Fails for lack of a function only. */
	if (uv_queue_work(j->p->loop, &j->work, job_work, job_done))
		abort();
}

static struct job *job_new(struct posix *p, struct pobj *po, struct pobj *po2)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->p = p;
	j->po = po;
	j->po2 = po2;
	j->ex = po ? po->ex : NULL;
	j->child_fd = -1;
	LIST_INSERT_HEAD(&p->jobs, j, all);
	p->refs++;
	return j;
}

void job_submit(struct posix *p, struct gns_fsop *op, struct pobj *po,
		struct pobj *po2, const struct gns_cred *id)
{
	u16 type = op->req->type;
	struct job *j = NULL;

	if (type < GNS_MSG_END && table[type])
		j = job_new(p, po, po2);
	if (!j) {
		pobj_put(p, po);
		pobj_put(p, po2);
		op->rep.status = type < GNS_MSG_END && table[type] ?
					 ENOMEM :
					 EOPNOTSUPP;
		op->untouched = true;
		op->done(op);
		return;
	}
	j->op = op;
	j->id = *id;
	job_start(j);
}

void job_sync(struct posix *p, struct exported *ex, struct pobj *po,
	      void (*done)(void *arg, int err), void *arg)
{
	struct job *j = job_new(p, po, NULL);

	if (!j) {
		pobj_put(p, po);
		done(arg, -ENOMEM);
		return;
	}
	j->ex = ex;
	j->synced = done;
	j->arg = arg;
	if (po)
		job_start(j);
	else
		sync_whole(j);
}

void job_forget(struct posix *p, struct pobj *po)
{
	struct job *j = job_new(p, po, NULL);

	if (!j) {
		pobj_put(p, po);
		return; /* the next start finds it */
	}
	j->forget = true;
	job_start(j);
}

/* The owner goes: what libuv has comes back later, the rest goes now. */
void job_drop_all(struct posix *p)
{
	struct job *j, *next;

	for (j = LIST_FIRST(&p->jobs); j; j = next) {
		next = LIST_NEXT(j, all);
		if (j->queued)
			continue;
		if (!j->whole)
			STAILQ_REMOVE(&j->po->waiting, j, job, link);
		else
			STAILQ_REMOVE(&j->ex->syncs, j, job, link);
		job_free(j);
	}
}
