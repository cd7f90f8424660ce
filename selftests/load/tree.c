// SPDX-License-Identifier: GPL-2.0
/*
 * A tree in memory: directories are listed by as many threads as are wanted,
 * each entry is asked for its attributes, as ls -lR does.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

struct walk {
	struct tree *t;
	pthread_mutex_t lock;
	pthread_cond_t more;
	size_t *todo; /* directories, by their place in the tree */
	size_t ntodo;
	size_t cap_todo;
	size_t cap;
	u32 busy;
};

static void *bigger(void *p, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return p;
	*cap = need * 2 + 1024;
	p = realloc(p, *cap * size);
	if (!p)
		die("no memory");
	return p;
}

/* The caller has the lock. */
static void walk_add(struct walk *w, char *path, const struct stat *st)
{
	struct tree *t = w->t;

	t->v = bigger(t->v, &w->cap, t->n + 1, sizeof(*t->v));
	t->v[t->n] = (struct node){ path, st->st_size, st->st_mode };
	if (S_ISDIR(st->st_mode)) {
		t->dirs++;
		w->todo = bigger(w->todo, &w->cap_todo, w->ntodo + 1,
				 sizeof(*w->todo));
		w->todo[w->ntodo++] = t->n;
		pthread_cond_signal(&w->more);
	} else if (S_ISREG(st->st_mode)) {
		t->files++;
		t->bytes += st->st_size;
	}
	t->n++;
}

static u64 list_dir(struct walk *w, const char *dir)
{
	u64 errors = 0;
	struct dirent *e;
	struct stat st;
	char *path;
	DIR *d;
	int fd;

	fd = openat(w->t->fd, *dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		grumble(dir, strerror(errno));
		return 1;
	}
	while ((errno = 0, e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (asprintf(&path, "%s%s%s", dir, *dir ? "/" : "", e->d_name) < 0)
			die("no memory");
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
			grumble(path, strerror(errno));
			free(path);
			errors++;
			continue;
		}
		pthread_mutex_lock(&w->lock);
		walk_add(w, path, &st);
		pthread_mutex_unlock(&w->lock);
	}
	if (errno) {
		grumble(dir, strerror(errno));
		errors++;
	}
	closedir(d);
	return errors;
}

static void *walker(void *arg)
{
	struct walk *w = arg;
	const char *dir;
	u64 errors;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->ntodo && w->busy)
			pthread_cond_wait(&w->more, &w->lock);
		if (!w->ntodo)
			break;
		dir = w->t->v[w->todo[--w->ntodo]].path;
		w->busy++;
		pthread_mutex_unlock(&w->lock);
		errors = list_dir(w, dir);
		pthread_mutex_lock(&w->lock);
		w->t->errors += errors;
		w->busy--;
	}
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void run_threads(u32 n, void *(*fn)(void *), void *arg)
{
	pthread_t *t = calloc(n, sizeof(*t));
	pthread_attr_t attr;
	u32 i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	for (i = 0; i < n; i++)
		if (!t || pthread_create(&t[i], &attr, fn, arg))
			die("no thread");
	for (i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	pthread_attr_destroy(&attr);
	free(t);
}

static int by_size(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return strcmp(x->path, y->path);
}

struct tree tree_walk(const char *top, u32 threads)
{
	struct tree t = { .top = top };
	struct walk w = { .t = &t };
	struct stat st;
	char *root = strdup("");

	t.fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t.fd < 0 || fstat(t.fd, &st) || !root)
		die("%s: %s", top, strerror(errno));
	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.more, NULL);
	walk_add(&w, root, &st);
	run_threads(threads, walker, &w);
	free(w.todo);
	qsort(t.v, t.n, sizeof(*t.v), by_size);
	return t;
}

void tree_free(struct tree *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->v[i].path);
	free(t->v);
	close(t->fd);
}

struct each {
	struct tree *t;
	node_fn fn;
	void *arg;
	size_t next;
	u64 bytes;
	u64 errors;
};

static void *each_worker(void *arg)
{
	u64 bytes = 0, errors = 0;
	struct each *e = arg;
	int64_t got;
	char *buf;
	size_t i;

	/* Aligned, for O_DIRECT. */
	if (posix_memalign((void **)&buf, 4096, BUF_LEN))
		die("no memory");
	while ((i = __atomic_fetch_add(&e->next, 1, __ATOMIC_RELAXED)) < e->t->n) {
		got = e->fn(e->t, i, buf, e->arg);
		if (got < 0)
			errors++;
		else
			bytes += got;
	}
	free(buf);
	__atomic_fetch_add(&e->bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&e->errors, errors, __ATOMIC_RELAXED);
	return NULL;
}

u64 each_node(struct tree *t, u32 threads, node_fn fn, void *arg, u64 *bytes)
{
	struct each e = { .t = t, .fn = fn, .arg = arg };

	run_threads(threads, each_worker, &e);
	*bytes = e.bytes;
	return e.errors;
}
