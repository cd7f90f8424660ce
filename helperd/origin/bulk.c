// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers and pipes for payload bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <unistd.h>

#include "origin/bulk.h"

struct buf {
	struct gns_bulk bulk;
	u8 data[];
};

struct pipe {
	struct gns_bulk bulk; /* fd: the end to read from */
	int wr;
	u32 slots;
	struct gns_pipes *pool;
	LIST_ENTRY(pipe) idle;
};

struct gns_pipes {
	pthread_mutex_t lock;
	LIST_HEAD(, pipe) idle;
	u32 max;
	u32 total;
	u32 page;
	bool closed; /* the owner is gone */
};

static void buf_release(struct gns_bulk *bulk)
{
	free(container_of(bulk, struct buf, bulk));
}

struct gns_bulk *gns_buf_new(u32 len, u8 **data)
{
	struct buf *b = malloc(sizeof(*b) + len);

	if (!b)
		return NULL;
	b->bulk = (struct gns_bulk){ b->data, -1, buf_release };
	*data = b->data;
	return &b->bulk;
}

static void pipe_close(struct pipe *p)
{
	close(p->bulk.fd);
	close(p->wr);
	free(p);
}

/* The last one out frees the pool. Called with the lock, returns without. */
static void pool_unlock(struct gns_pipes *pool)
{
	bool last = pool->closed && !pool->total;

	pthread_mutex_unlock(&pool->lock);
	if (last) {
		pthread_mutex_destroy(&pool->lock);
		free(pool);
	}
}

static void pipe_release(struct gns_bulk *bulk)
{
	struct pipe *p = container_of(bulk, struct pipe, bulk);
	struct gns_pipes *pool = p->pool;
	int left = -1;

	if (ioctl(bulk->fd, FIONREAD, &left))
		left = -1;
	pthread_mutex_lock(&pool->lock);
	if (!left && !pool->closed) {
		LIST_INSERT_HEAD(&pool->idle, p, idle);
		p = NULL;
	} else {
		pool->total--;
	}
	pool_unlock(pool);
	if (p)
		pipe_close(p);
}

struct gns_pipes *gns_pipes_create(u32 max)
{
	struct gns_pipes *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	LIST_INIT(&pool->idle);
	pool->max = max;
	pool->page = (u32)sysconf(_SC_PAGESIZE);
	return pool;
}

void gns_pipes_destroy(struct gns_pipes *pool)
{
	struct pipe *p;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	while ((p = LIST_FIRST(&pool->idle))) {
		LIST_REMOVE(p, idle);
		pool->total--;
		pipe_close(p);
	}
	pool->closed = true;
	pool_unlock(pool);
}

static struct pipe *pipe_new(struct gns_pipes *pool)
{
	struct pipe *p = calloc(1, sizeof(*p));
	int fd[2];

	if (!p)
		return NULL;
	/* The reader's end must not block the loop; the writer's is spliced to. */
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK)) {
		free(p);
		return NULL;
	}
	p->bulk = (struct gns_bulk){ NULL, fd[0], pipe_release };
	p->wr = fd[1];
	p->pool = pool;
	return p;
}

struct gns_bulk *gns_pipe_get(struct gns_pipes *pool, u32 slots, int *wr)
{
	struct pipe *p;
	int size;

	pthread_mutex_lock(&pool->lock);
	p = LIST_FIRST(&pool->idle);
	if (p) {
		LIST_REMOVE(p, idle);
	} else if (pool->total < pool->max) {
		p = pipe_new(pool);
		pool->total += !!p;
	}
	pthread_mutex_unlock(&pool->lock);
	if (!p)
		return NULL;
	if (p->slots < slots) {
		size = fcntl(p->wr, F_SETPIPE_SZ, (int)(slots * pool->page));
		if (size < 0) {
			pipe_release(&p->bulk);
			return NULL;
		}
		p->slots = (u32)size / pool->page;
	}
	*wr = p->wr;
	return &p->bulk;
}
