// SPDX-License-Identifier: GPL-2.0
/*
 * The store on SQLite: one table, a write-ahead log, one writing thread.
 *
 * Group commit: while a transaction is on its way to the disk, batches queue
 * up, and the next transaction takes them all. It is made durable if one of
 * them wants that; one without leaves its pages to the kernel, which keeps
 * them when only the process dies.
 *
 * Prefix: batches go into the file in order. When a transaction fails, its
 * puts stay ahead of all later ones ("backlog") and go into the next
 * transaction first, so the file never has a gap. What may have lost pages
 * that were written before (a failed fsync: the kernel drops the pages and
 * forgets) ends the store for good: every later batch fails, and a restart
 * finds what the disk really has.
 *
 * Locks: store->lock guards the lists between the two threads; the connection
 * belongs to the writing thread once the first batch is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "origin/store.h"

/* Puts of failed transactions that wait for the disk to have room again. */
#define BACKLOG_MAX (64u << 20) /* bytes */
/* "gns" and the version of the file's layout; in schema[] too. */
#define APPLICATION_ID 0x676e7301

struct put {
	STAILQ_ENTRY(put) link;
	u32 klen;
	u32 vlen; /* 0: delete */
	u8 b[]; /* key, value */
};

STAILQ_HEAD(put_list, put);

struct batch {
	STAILQ_ENTRY(batch) link;
	struct put_list puts;
	bool sync;
	int err;
	void (*done)(void *arg, int err);
	void *arg;
};

STAILQ_HEAD(batch_list, batch);

struct store {
	struct gns_db db;
	uv_async_t async;
	u32 pending; /* loop: not called back yet */
	struct put_list open; /* loop: the open batch */
	int broken; /* loop: a put was lost, errno */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct batch_list closed;
	struct batch_list finished;
	bool stop;

	/* of the writing thread */
	sqlite3 *sql;
	sqlite3_stmt *set;
	sqlite3_stmt *del;
	sqlite3_stmt *barrier;
	struct put_list backlog;
	u64 backlog_bytes;
	int failed; /* for good; errno */
	bool full; /* PRAGMA synchronous as it is now */
	bool unsynced; /* something was committed without an fsync */
};

static void puts_free(struct put_list *list)
{
	struct put *p;

	while ((p = STAILQ_FIRST(list))) {
		STAILQ_REMOVE_HEAD(list, link);
		free(p);
	}
}

/* What a caller can understand of an error of SQLite's. */
static int store_errno(struct store *s)
{
	int rc = sqlite3_extended_errcode(s->sql);
	int sys = sqlite3_system_errno(s->sql);

	if (rc == SQLITE_FULL)
		return sys == EDQUOT ? -EDQUOT : -ENOSPC;
	if ((rc & 0xff) == SQLITE_NOMEM)
		return -ENOMEM;
	if (sys == ENOSPC || sys == EDQUOT || sys == EROFS)
		return -sys;
	return -EIO;
}

/* Can the same transaction be tried again without having lost anything? */
static bool store_may_retry(struct store *s)
{
	switch (sqlite3_extended_errcode(s->sql)) {
	case SQLITE_IOERR_WRITE:
	case SQLITE_IOERR_TRUNCATE:
	case SQLITE_IOERR_NOMEM:
		return true;
	}
	switch (sqlite3_errcode(s->sql)) {
	case SQLITE_FULL:
	case SQLITE_NOMEM:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return true;
	}
	return false;
}

static int run(struct store *s, const char *text)
{
	return sqlite3_exec(s->sql, text, NULL, NULL, NULL);
}

static int step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int write_puts(struct store *s, const struct put_list *list)
{
	const struct put *p;
	int rc = SQLITE_OK;

	STAILQ_FOREACH(p, list, link) {
		sqlite3_stmt *st = p->vlen ? s->set : s->del;

		rc = sqlite3_bind_blob(st, 1, p->b, (int)p->klen,
				       SQLITE_STATIC);
		if (rc == SQLITE_OK && p->vlen)
			rc = sqlite3_bind_blob(st, 2, p->b + p->klen,
					       (int)p->vlen, SQLITE_STATIC);
		if (rc == SQLITE_OK)
			rc = step(st);
		if (rc != SQLITE_OK)
			break;
	}
	return rc;
}

/* The level can not be changed inside of a transaction. */
static int set_sync(struct store *s, bool full)
{
	int rc;

	if (s->full == full)
		return SQLITE_OK;
	rc = run(s, full ? "PRAGMA synchronous=FULL" :
			   "PRAGMA synchronous=NORMAL");
	if (rc == SQLITE_OK)
		s->full = full;
	return rc;
}

static int transaction(struct store *s, const struct batch_list *list,
		       bool sync, bool empty)
{
	const struct batch *b;
	int rc = set_sync(s, sync);

	if (rc == SQLITE_OK)
		rc = run(s, "BEGIN IMMEDIATE");
	if (rc != SQLITE_OK)
		return rc;
	rc = write_puts(s, &s->backlog);
	STAILQ_FOREACH(b, list, link) {
		if (rc == SQLITE_OK)
			rc = write_puts(s, &b->puts);
	}
	/* An empty transaction would not reach the disk. */
	if (rc == SQLITE_OK && empty)
		rc = step(s->barrier);
	if (rc == SQLITE_OK)
		rc = run(s, "COMMIT");
	return rc;
}

/* Keep the puts of @list ahead of all to come; or end it all. */
static void keep_for_later(struct store *s, struct batch_list *list)
{
	struct batch *b;
	struct put *p;

	STAILQ_FOREACH(b, list, link) {
		STAILQ_FOREACH(p, &b->puts, link)
			s->backlog_bytes += sizeof(*p) + p->klen + p->vlen;
		STAILQ_CONCAT(&s->backlog, &b->puts);
	}
	if (s->backlog_bytes > BACKLOG_MAX) {
		gns_err("store: too much waits for the disk; restart the daemon when there is room");
		s->failed = -ENOSPC;
	}
}

/* Write @list as one. Returns 0 or a negative errno for all of it. */
static int write_group(struct store *s, struct batch_list *list)
{
	bool sync = false, empty = STAILQ_EMPTY(&s->backlog);
	struct batch *b;
	int err;

	if (s->failed)
		return s->failed;
	STAILQ_FOREACH(b, list, link) {
		sync |= b->sync;
		if (!STAILQ_EMPTY(&b->puts))
			empty = false;
	}
	if (empty && !(sync && s->unsynced))
		return 0;
	if (transaction(s, list, sync, empty) == SQLITE_OK) {
		s->unsynced = !sync;
		puts_free(&s->backlog);
		s->backlog_bytes = 0;
		return 0;
	}
	err = store_errno(s);
	gns_err("store: can not be written: %s", sqlite3_errmsg(s->sql));
	if (!store_may_retry(s)) {
		gns_err("store: given up; changes fail until the daemon is restarted");
		s->failed = err;
	}
	if (!sqlite3_get_autocommit(s->sql))
		run(s, "ROLLBACK");
	keep_for_later(s, list);
	return err;
}

static void *store_thread(void *arg)
{
	struct store *s = arg;
	struct batch_list list;
	struct batch *b;
	bool stop;
	int err;

	for (;;) {
		STAILQ_INIT(&list);
		pthread_mutex_lock(&s->lock);
		while (STAILQ_EMPTY(&s->closed) && !s->stop)
			pthread_cond_wait(&s->wake, &s->lock);
		STAILQ_CONCAT(&list, &s->closed);
		stop = s->stop;
		pthread_mutex_unlock(&s->lock);
		if (STAILQ_EMPTY(&list) && stop)
			break;
		err = write_group(s, &list);
		STAILQ_FOREACH(b, &list, link) {
			if (!b->err)
				b->err = err;
			puts_free(&b->puts);
		}
		pthread_mutex_lock(&s->lock);
		STAILQ_CONCAT(&s->finished, &list);
		pthread_mutex_unlock(&s->lock);
		uv_async_send(&s->async);
	}
	return NULL;
}

static void store_finished(uv_async_t *async)
{
	struct store *s = container_of(async, struct store, async);
	struct batch *b;

	/* done() may close the store, so look at it anew every time. */
	while (!uv_is_closing((uv_handle_t *)async)) {
		pthread_mutex_lock(&s->lock);
		b = STAILQ_FIRST(&s->finished);
		if (b)
			STAILQ_REMOVE_HEAD(&s->finished, link);
		pthread_mutex_unlock(&s->lock);
		if (!b)
			return;
		if (!--s->pending)
			uv_unref((uv_handle_t *)async);
		if (b->done)
			b->done(b->arg, b->err);
		free(b);
	}
}

/* A put that is lost would leave a gap: nothing after it may be written. */
static void store_break(struct store *s, int err, const char *why)
{
	if (!s->broken)
		gns_err("store: %s; changes fail until the daemon is restarted",
			why);
	s->broken = err;
	puts_free(&s->open);
}

static void store_put(struct gns_db *db, const void *key, u32 klen,
		      const void *val, u32 vlen)
{
	struct store *s = container_of(db, struct store, db);
	struct put *p;

	if (s->broken)
		return;
	if (!klen || klen > GNS_DB_KEY_MAX || vlen > GNS_DB_VAL_MAX) {
		store_break(s, -EMSGSIZE, "a key or value is over its limit");
		return;
	}
	p = malloc(sizeof(*p) + klen + vlen);
	if (!p) {
		store_break(s, -ENOMEM, "no memory");
		return;
	}
	p->klen = klen;
	p->vlen = vlen;
	memcpy(p->b, key, klen);
	if (vlen)
		memcpy(p->b + klen, val, vlen);
	STAILQ_INSERT_TAIL(&s->open, p, link);
}

static void store_commit(struct gns_db *db, bool sync,
			 void (*done)(void *arg, int err), void *arg)
{
	struct store *s = container_of(db, struct store, db);
	struct batch *b = calloc(1, sizeof(*b));

	if (!b) {
		/* Too little memory to say when: nothing is written any more. */
		store_break(s, -ENOMEM, "no memory");
		if (done)
			done(arg, -ENOMEM);
		return;
	}
	STAILQ_INIT(&b->puts);
	STAILQ_CONCAT(&b->puts, &s->open);
	b->sync = sync;
	b->err = s->broken;
	b->done = done;
	b->arg = arg;
	if (!s->pending++)
		uv_ref((uv_handle_t *)&s->async);
	pthread_mutex_lock(&s->lock);
	STAILQ_INSERT_TAIL(&s->closed, b, link);
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static int store_load(struct gns_db *db,
		      int (*each)(void *arg, const u8 *key, u32 klen,
				  const u8 *val, u32 vlen),
		      void *arg)
{
	struct store *s = container_of(db, struct store, db);
	sqlite3_stmt *st;
	int rc, err = 0;

	rc = sqlite3_prepare_v2(s->sql, "SELECT k, v FROM kv", -1, &st, NULL);
	if (rc != SQLITE_OK)
		return store_errno(s);
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		u32 klen = (u32)sqlite3_column_bytes(st, 0);
		u32 vlen = (u32)sqlite3_column_bytes(st, 1);

		if (!klen || klen > GNS_DB_KEY_MAX || !vlen ||
		    vlen > GNS_DB_VAL_MAX)
			err = -EINVAL;
		else
			err = each(arg, sqlite3_column_blob(st, 0), klen,
				   sqlite3_column_blob(st, 1), vlen);
	}
	if (!err && rc != SQLITE_DONE)
		err = store_errno(s);
	sqlite3_finalize(st);
	if (err)
		gns_err("store: can not be read: %s", strerror(-err));
	return err;
}

static const struct gns_db_ops store_ops = { store_put, store_commit,
					     store_load };

/* SQLite would make the file with the process's umask. */
static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
		      0600);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600))
		err = -errno;
	close(fd);
	return err;
}

/* Is it ours, or empty? 0, or an error of SQLite's with @err set. */
static int check_id(struct store *s, char *err, size_t errlen)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->sql, "PRAGMA application_id", -1, &st,
				    NULL);
	int id = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		id = sqlite3_column_int(st, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_OK || !id || id == APPLICATION_ID)
		return rc;
	snprintf(err, errlen,
		 "it is of another program, or of another version of gns");
	return SQLITE_MISMATCH;
}

static int prepare(struct store *s, const char *text, sqlite3_stmt **st)
{
	return sqlite3_prepare_v3(s->sql, text, -1, SQLITE_PREPARE_PERSISTENT,
				  st, NULL);
}

static const char schema[] =
	"PRAGMA cell_size_check=ON;"
	"PRAGMA wal_autocheckpoint=4096;"
	"PRAGMA journal_size_limit=67108864;"
	"PRAGMA cache_size=-16384;"
	"PRAGMA temp_store=MEMORY;"
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS kv(k BLOB PRIMARY KEY NOT NULL,"
	" v BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS barrier(id INTEGER PRIMARY KEY, n INTEGER);"
	"INSERT OR IGNORE INTO barrier VALUES(0, 0);"
	"PRAGMA application_id=0x676e7301;"
	"COMMIT;";

static int open_sql(struct store *s, const char *path, char *err, size_t errlen)
{
	int rc = make_file(path);

	if (rc) {
		snprintf(err, errlen, "%s: %s", path, strerror(-rc));
		return rc;
	}
	*err = 0;
	rc = sqlite3_open_v2(path, &s->sql,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW |
				     SQLITE_OPEN_NOMUTEX,
			     NULL);
	sqlite3_extended_result_codes(s->sql, 1);
	/* Exclusive before WAL: its index is in memory then, not in a file. */
	if (rc == SQLITE_OK)
		rc = run(s, "PRAGMA locking_mode=EXCLUSIVE");
	if (rc == SQLITE_OK)
		rc = check_id(s, err, errlen);
	if (rc == SQLITE_OK)
		rc = run(s, "PRAGMA journal_mode=WAL");
	if (rc == SQLITE_OK)
		rc = run(s, "PRAGMA synchronous=FULL");
	if (rc == SQLITE_OK)
		rc = run(s, schema);
	if (rc == SQLITE_OK)
		rc = prepare(s, "INSERT OR REPLACE INTO kv VALUES(?, ?)",
			     &s->set);
	if (rc == SQLITE_OK)
		rc = prepare(s, "DELETE FROM kv WHERE k = ?", &s->del);
	if (rc == SQLITE_OK)
		rc = prepare(s, "UPDATE barrier SET n = n + 1", &s->barrier);
	if (rc == SQLITE_OK) {
		s->full = true;
		return 0;
	}
	if (!*err)
		snprintf(err, errlen, "%s: %s%s", path,
			 sqlite3_errmsg(s->sql),
			 (rc & 0xff) == SQLITE_BUSY ?
				 " by another process; is a daemon running?" :
				 "");
	return -EIO;
}

static void close_sql(struct store *s)
{
	sqlite3_finalize(s->set);
	sqlite3_finalize(s->del);
	sqlite3_finalize(s->barrier);
	sqlite3_close(s->sql);
}

/* Signals are for the loop's thread. */
static int start_thread(struct store *s)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, store_thread, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static void store_free(uv_handle_t *h)
{
	struct store *s = container_of((uv_async_t *)h, struct store, async);

	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	free(s);
}

struct gns_db *gns_store_open(uv_loop_t *loop, const char *path, char *err,
			      size_t errlen)
{
	struct store *s = calloc(1, sizeof(*s));
	int rc;

	if (!s) {
		snprintf(err, errlen, "no memory");
		return NULL;
	}
	s->db.ops = &store_ops;
	STAILQ_INIT(&s->open);
	STAILQ_INIT(&s->closed);
	STAILQ_INIT(&s->finished);
	STAILQ_INIT(&s->backlog);
	if (open_sql(s, path, err, errlen)) {
		close_sql(s);
		free(s);
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	rc = uv_async_init(loop, &s->async, store_finished);
	if (rc) {
		snprintf(err, errlen, "event loop: %s", uv_strerror(rc));
		close_sql(s);
		free(s);
		return NULL;
	}
	uv_unref((uv_handle_t *)&s->async);
	rc = start_thread(s);
	if (!rc)
		return &s->db;
	snprintf(err, errlen, "thread: %s", strerror(rc));
	close_sql(s);
	uv_close((uv_handle_t *)&s->async, store_free);
	return NULL;
}

void gns_store_close(struct gns_db *db)
{
	struct store *s;
	struct batch *b;

	if (!db)
		return;
	s = container_of(db, struct store, db);
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	while ((b = STAILQ_FIRST(&s->finished))) {
		STAILQ_REMOVE_HEAD(&s->finished, link);
		free(b);
	}
	puts_free(&s->open);
	puts_free(&s->backlog);
	close_sql(s);
	uv_close((uv_handle_t *)&s->async, store_free);
}
