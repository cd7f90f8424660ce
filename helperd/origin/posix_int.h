/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The nouns of the posix backend, private to posix*.c.
 *
 * An operation that can block becomes a job. A job holds the objects it is
 * about; a worker thread runs it; the loop's thread ends it. An object has up
 * to three descriptors, each opened by the first worker that needs it, never
 * changed after that, and closed when no job holds the object.
 *
 * Functions that return int return 0 or a negative errno unless they say
 * otherwise.
 *
 * Locks: everything of the loop's thread, except: the descriptors of an
 * object (atomic, set once), posix->lock (active, dead, links of exports),
 * posix->mac_lock, and what has locks of its own.
 */
#ifndef GNS_ORIGIN_POSIX_INT_H
#define GNS_ORIGIN_POSIX_INT_H

#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <uthash.h>

#include "origin/bulk.h"
#include "origin/posix.h"
#include "origin/window.h"

#define FH_MAC_LEN 8u
/* At the root of an export; nobody outside sees or uses this name. */
#define ORPHAN_DIR ".gns-orphans"
#define FD_NAME_MAX 32u /* bytes of what fd_name() writes */

struct posix;
struct job;
STAILQ_HEAD(job_list, job);

struct exported {
	SLIST_ENTRY(exported) link;
	char *name;
	u32 id;
	int root; /* the directory, readable: handles open relative to it */
	int mount_id;
	u64 sb; /* which filesystem; see posix_view.c */
	const struct exported *stands; /* whose handles stand for its own */
	bool read_only;
	bool acls; /* its filesystem has access control lists */
	enum gns_squash squash;
	u32 anon_uid;
	u32 anon_gid;
	struct gns_fh root_fh;
	atomic_bool root_touched; /* by us, for the hidden directory */
	struct job_list syncs; /* wait for a syncfs that begins after them */
	bool syncing;
};

enum pobj_fd {
	FD_PATH, /* O_PATH */
	FD_READ, /* regular files only */
	FD_WRITE, /* regular files only */
	FD_KINDS,
};

#define PERMITS 4u

/** struct permit - somebody may do something as long as the ctime stays */
struct permit {
	u64 who[2];
	s64 ctime;
	int mode; /* access(2)'s; 0: unused */
};

struct pobj {
	struct gns_fh fh;
	struct exported *ex;
	atomic_int fd[FD_KINDS]; /* -1: not open */
	u32 refs; /* jobs */
	u32 running; /* jobs in worker threads */
	struct job_list waiting;
	bool hashed;
	u64 used_at; /* loop time, ms */
	u64 written_at;
	struct gns_windows_of windows;
	atomic_ullong acls_seen; /* posix_acl.c; 0: nothing is known */
	struct permit permits[PERMITS];
	u32 next_permit;
	TAILQ_ENTRY(pobj) lru; /* hashed: oldest first */
	STAILQ_ENTRY(pobj) reap;
	UT_hash_handle hh;
};

TAILQ_HEAD(pobj_lru, pobj);
STAILQ_HEAD(pobj_reap, pobj);

/*
 * struct job - an operation in a worker thread
 * @op:       the operation; NULL: a sync()
 * @whole:    sync(): of the whole export
 * @served:   @whole: in line when the syncfs under way began
 * @id:       the caller after squashing
 * @changed:  something was changed: it can not be run again
 * @untouched: an error of it says that nothing was changed, not even in part
 * @child_fd: descriptor of @child that may join the cache, of kind
 *            @child_kind; -1: none
 * @gone:     objects that have lost their last name
 * @forget:   an orphan is to go
 */
struct job {
	uv_work_t work;
	struct posix *p;
	struct gns_fsop *op;
	struct exported *ex;
	struct pobj *po;
	struct pobj *po2;
	struct gns_cred id;
	int err;
	bool whole;
	bool served;
	bool queued; /* libuv has it */
	bool retried;
	bool changed;
	bool untouched;
	struct gns_fh child;
	int child_fd;
	enum pobj_fd child_kind;
	struct gns_fh gone[2];
	u32 ngone;
	bool forget;
	void (*synced)(void *arg, int err);
	void *arg;
	STAILQ_ENTRY(job) link; /* waiting, export->syncs */
	LIST_ENTRY(job) all;
};

struct posix {
	struct gns_fs fs;
	uv_loop_t *loop;
	struct gns_posix_config cfg;
	struct gns_posix_stats stats;
	SLIST_HEAD(, exported) exports;
	struct gns_fs_view *was; /* of the life before */
	u32 nwas;
	struct pobj *objs;
	struct pobj_lru lru;
	u32 nobjs;
	struct pobj_reap dying; /* to be closed by the next reap */
	struct pobj_reap closing; /* being closed by a worker */
	uv_work_t reap;
	bool reaping;
	uv_timer_t timer;
	LIST_HEAD(, job) jobs;
	LIST_HEAD(, sync_all) sync_alls;
	struct gns_pipes *pipes;
	struct gns_windows *windows;
	u64 sent_at; /* loop time of ... */
	u64 sent; /* bytes answered from windows */
	u32 refs; /* the owner, jobs, a reap, the timer */
	pthread_mutex_t lock;
	pthread_cond_t idle;
	u32 active; /* workers inside of a job */
	bool dead;
	pthread_mutex_t mac_lock;
	EVP_MAC_CTX *mac;
	atomic_ullong splice_bytes;
	atomic_ullong copy_bytes;
};

/* posix.c */
void posix_put(struct posix *p);

/* posix_export.c */
struct exported *export_find(struct posix *p, const struct gns_str *name);
void export_free_all(struct posix *p);

/* posix_job.c */
u32 posix_status(u16 type, int err);
void job_submit(struct posix *p, struct gns_fsop *op, struct pobj *po,
		struct pobj *po2, const struct gns_cred *id);
void job_sync(struct posix *p, struct exported *ex, struct pobj *po,
	      void (*done)(void *arg, int err), void *arg);
void job_forget(struct posix *p, struct pobj *po);
void job_drop_all(struct posix *p);

/* posix_view.c */
u64 view_filesystem(const struct exported *ex);
const struct exported *view_first(struct posix *p, const struct exported *ex);
void view_drop(struct posix *p, const struct gns_fh *fh);
bool view_add(struct posix *p, struct exported *ex);
u32 posix_split(struct gns_fs *fs, const struct gns_fh *fh, struct gns_fh *id);
void posix_join(struct gns_fs *fs, const struct gns_fh *id, u32 view,
		struct gns_fh *fh);
int posix_views_were(struct gns_fs *fs, const struct gns_fs_view *v, u32 n);
u32 posix_meant(struct gns_fs *fs, const struct gns_fh *fh, struct gns_fh *id,
		u32 max);
u32 posix_views(struct gns_fs *fs, struct gns_fs_view *v, u32 max);

/* posix_handle.c */
int mac_init(struct posix *p);
void mac_free(struct posix *p);
u32 export_id(const char *name);
int fh_make(struct posix *p, const struct exported *ex, int dir,
	    const char *name, struct gns_fh *fh);
struct exported *fh_check(struct posix *p, const struct gns_fh *fh);
bool fh_has_view(const struct gns_fh *fh, u32 *view);
void fh_set_view(struct gns_fh *fh, u32 view);
int fh_seal(struct posix *p, struct gns_fh *fh);
bool fh_is_ours(struct posix *p, const struct gns_fh *fh);
int fh_open(const struct exported *ex, const struct gns_fh *fh, int flags);
int name_copy(const struct gns_str *name, char *out);
int name_open(int dir, const char *name, u64 flags, u32 mode);
int name_open_cached(int dir, const char *name);
int fd_attr(int fd, struct gns_attr *attr);
int fd_stat(int fd, struct gns_attr *attr);
int name_stat(int dir, const char *name, struct gns_attr *attr);
void fd_name(int fd, char *path);

/* posix_cache.c */
struct pobj *pobj_find(struct posix *p, const struct gns_fh *fh);
struct pobj *pobj_get(struct posix *p, const struct gns_fh *fh, int *err);
void pobj_put(struct posix *p, struct pobj *po);
void pobj_drop(struct posix *p, const struct gns_fh *fh);
void pobj_give_fd(struct posix *p, const struct gns_fh *fh, int fd,
		  enum pobj_fd kind);
int pobj_path(struct pobj *po);
int pobj_data(struct pobj *po, enum pobj_fd kind);
void cache_evict_idle(struct posix *p);
void cache_timer(uv_timer_t *timer);
void cache_destroy(struct posix *p);

/* posix_cred.c */
void cred_init(void);
int cred_squash(const struct exported *ex, const struct gns_cred *in,
		struct gns_cred *out);
int cred_enter(const struct gns_cred *id);
void cred_leave(const struct gns_cred *id);
int cred_access(const struct gns_cred *id, int fd, int mode);
int cred_may_read(const struct gns_cred *id, int fd,
		  const struct gns_attr *attr);
int cred_may_write(const struct gns_cred *id, int fd,
		   const struct gns_attr *attr);

bool cred_known(struct pobj *po, const struct gns_cred *id, int fd,
		const struct gns_attr *attr, int mode);

/* posix_acl.c */
bool acl_supported(int root);
int acl_stat(const struct exported *ex, int fd, struct gns_attr *attr);
int acl_name_stat(const struct exported *ex, int dir, const char *name,
		  struct gns_attr *attr);
int acl_pobj_stat(struct pobj *po, int fd, struct gns_attr *attr);
int acl_umask(u32 mask);

/* posix_read.c */
bool read_fast(struct posix *p, struct pobj *po, const struct gns_cred *id,
	       struct gns_fsop *op);
int do_read(struct job *j);
int do_seek(struct job *j);

/* posix_ask.c */
bool getattr_fast(struct pobj *po, struct gns_fsop *op, int *err);
bool lookup_fast(struct posix *p, struct pobj *po, const struct gns_cred *id,
		 struct gns_fsop *op, int *err);
int do_getattr(struct job *j);
int do_lookup(struct job *j);
int do_readlink(struct job *j);
int do_getxattr(struct job *j);
int do_listxattr(struct job *j);
int do_statfs(struct job *j);
int do_revalidate(struct job *j);
int do_fsync(struct job *j);
int do_sync(struct job *j);

/* posix_dir.c */
int do_readdir(struct job *j);

/* posix_change.c */
int do_write(struct job *j);
bool is_refusal(int err);
int do_setattr(struct job *j);
int do_setxattr(struct job *j);
void changed_fd(struct job *j, const struct gns_fh *fh, int fd);
void changed_self(struct job *j);

/* posix_range.c */
int do_fallocate(struct job *j);
int do_copy(struct job *j);

/* posix_orphan.c */
bool orphan_is(const struct statx *st);
int orphan_link(struct job *j, const struct gns_fh *fh, int fd);
void orphan_linked(struct job *j, const struct gns_fh *fh, int fd, bool gone);
int orphan_begin(struct job *j, const struct gns_fh *fh, int fd, bool nameable);
bool orphan_may_be_named(const struct gns_fh *fh);
void orphan_named(struct job *j, const struct gns_fh *fh);
int do_forget(struct job *j);
void posix_orphans(struct gns_fs *fs,
		   void (*each)(void *arg, const struct gns_fh *fh), void *arg);
void orphans_drop_all(struct posix *p);
bool posix_own(struct gns_fs *fs, const struct gns_fh *fh);

/* posix_name.c */
int do_create(struct job *j);
int do_mkdir(struct job *j);
int do_symlink(struct job *j);
int do_mknod(struct job *j);
int do_link(struct job *j);
int do_unlink(struct job *j);
int do_rename(struct job *j);
int do_tmpfile(struct job *j);

#endif
