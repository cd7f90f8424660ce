// SPDX-License-Identifier: GPL-2.0
/*
 * Changes through the protocol; see change.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "../tree/client.h"
#include "lab.h"

struct changer {
	const char *netns;
	const char *addr;
	const char *export;
	struct client *client; /* the thread's */
	struct gns_fh root;
	u64 seq;
	pthread_t thread;
	int wake[2]; /* a byte: there is a change; the end: stop */
	pthread_mutex_t lock; /* of what follows, one change long */
	sem_t done;
	struct gns_msg msg; /* to be completed by handles and identity */
	const char *path;
	const char *to;
	u32 status;
	u64 when;
};

static u32 look(struct changer *c, struct gns_fh *at, const char *name,
		size_t len)
{
	struct gns_msg m = { .type = GNS_LOOKUP }, rep;
	u32 status;

	m.name.fh = *at;
	m.name.name = (struct gns_str){ name, len };
	status = client_call(c->client, &m, &rep);
	if (status)
		return status;
	*at = rep.r_lookup.child.fh;
	return rep.r_lookup.absent ? ENOENT : 0;
}

/* The directory that a path ends in, and the name there. */
static u32 parent(struct changer *c, const char *path, struct gns_fh *dir,
		  struct gns_str *name)
{
	const char *end;
	u32 status;

	*dir = c->root;
	while ((end = strchr(path, '/'))) {
		status = look(c, dir, path, end - path);
		if (status)
			return status;
		path = end + 1;
	}
	*name = (struct gns_str){ path, strlen(path) };
	return 0;
}

static u32 object(struct changer *c, const char *path, struct gns_fh *fh)
{
	struct gns_str name;
	u32 status = parent(c, path, fh, &name);

	return status ?: look(c, fh, name.p, name.len);
}

static u32 mount_export(struct changer *c)
{
	struct gns_msg m = { .type = GNS_MOUNT }, rep;
	u32 status;

	m.mount.export = (struct gns_str){ c->export, strlen(c->export) };
	status = client_call(c->client, &m, &rep);
	if (!status)
		c->root = rep.r_obj.fh;
	return status;
}

static u32 carry_out(struct changer *c)
{
	struct gns_msg *m = &c->msg, rep;
	u32 status;

	switch (m->type) {
	case GNS_WRITE:
		status = object(c, c->path, &m->write.fh);
		break;
	case GNS_SETATTR:
		status = object(c, c->path, &m->setattr.fh);
		break;
	case GNS_RENAME:
		status = parent(c, c->path, &m->rename.odir, &m->rename.oname);
		if (!status)
			status = parent(c, c->to, &m->rename.ndir,
					&m->rename.nname);
		break;
	default:
		status = parent(c, c->path, &m->make.dir, &m->make.name);
	}
	if (status)
		return status;
	*gns_msg_change(m) = (struct gns_change){ 0, ++c->seq };
	return client_call(c->client, m, &rep);
}

static void enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void *run(void *arg)
{
	struct changer *c = arg;
	u32 status;
	char byte;

	if (c->netns)
		enter_netns(c->netns);
	c->client = client_open(c->addr, 2);
	if (!c->client)
		die("no session with %s", c->addr);
	status = mount_export(c);
	if (status)
		die("mounting %s: %s", c->export, gns_status_str(status));
	sem_post(&c->done);
	for (;;) {
		while (!client_input(c->client, c->wake[0]))
			;
		if (read(c->wake[0], &byte, 1) != 1)
			break;
		c->status = carry_out(c);
		c->when = lab_now();
		sem_post(&c->done);
	}
	client_close(c->client);
	return NULL;
}

static void wait_done(struct changer *c)
{
	while (sem_wait(&c->done) && errno == EINTR)
		;
}

struct changer *changer_open(const char *netns, const char *addr,
			     const char *export)
{
	struct changer *c = calloc(1, sizeof(*c));

	if (!c || pipe2(c->wake, O_CLOEXEC))
		die("no memory for a changer");
	c->netns = netns;
	c->addr = addr;
	c->export = export;
	pthread_mutex_init(&c->lock, NULL);
	sem_init(&c->done, 0, 0);
	c->thread = lab_thread(run, c);
	wait_done(c);
	return c;
}

void changer_close(struct changer *c)
{
	close(c->wake[1]);
	pthread_join(c->thread, NULL);
	close(c->wake[0]);
	free(c);
}

static u32 change(struct changer *c, const struct gns_msg *msg,
		  const char *path, const char *to)
{
	u32 status;

	pthread_mutex_lock(&c->lock);
	c->msg = *msg;
	c->path = path;
	c->to = to;
	if (write(c->wake[1], "", 1) != 1)
		die("the changer's pipe: %s", strerror(errno));
	wait_done(c);
	status = c->status;
	pthread_mutex_unlock(&c->lock);
	return status;
}

u32 change_write(struct changer *c, const char *path, u64 off,
		 const void *data, u32 len)
{
	struct gns_msg m = { .type = GNS_WRITE };

	m.write.off = off;
	m.payload = data;
	m.payload_len = len;
	return change(c, &m, path, NULL);
}

u32 change_size(struct changer *c, const char *path, u64 size)
{
	struct gns_msg m = { .type = GNS_SETATTR };

	m.setattr.valid = GNS_SA_SIZE;
	m.setattr.size = size;
	return change(c, &m, path, NULL);
}

u32 change_mode(struct changer *c, const char *path, u32 mode)
{
	struct gns_msg m = { .type = GNS_SETATTR };

	m.setattr.valid = GNS_SA_MODE;
	m.setattr.mode = mode;
	return change(c, &m, path, NULL);
}

static u32 make(struct changer *c, u16 type, const char *path, u32 mode,
		u8 flags)
{
	struct gns_msg m = { .type = type };

	m.make.mode = mode;
	m.make.flags = flags;
	return change(c, &m, path, NULL);
}

u32 change_create(struct changer *c, const char *path, u32 mode)
{
	return make(c, GNS_CREATE, path, mode, GNS_CR_TRUNC);
}

u32 change_mkdir(struct changer *c, const char *path, u32 mode)
{
	return make(c, GNS_MKDIR, path, mode, 0);
}

u32 change_unlink(struct changer *c, const char *path)
{
	return make(c, GNS_UNLINK, path, 0, 0);
}

u32 change_rmdir(struct changer *c, const char *path)
{
	return make(c, GNS_RMDIR, path, 0, 0);
}

u32 change_rename(struct changer *c, const char *path, const char *to)
{
	struct gns_msg m = { .type = GNS_RENAME };

	return change(c, &m, path, to);
}

u64 change_when(const struct changer *c)
{
	return c->when;
}
