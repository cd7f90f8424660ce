// SPDX-License-Identifier: GPL-2.0
/*
 * Status of a host; see host.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../tree/client.h"
#include "host.h"
#include "lib/genl.h"

#define HOSTS 8

static pthread_mutex_t lock;
static struct {
	char name[16];
	struct gns_genl *g;
} hosts[HOSTS];

__attribute__((constructor)) static void init(void)
{
	pthread_mutex_init(&lock, NULL);
}

static int open_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

/* A socket stays in the namespace that it was made in. */
static struct gns_genl *open_there(const char *host)
{
	struct gns_genl *g;
	char path[64];
	int old, new;

	snprintf(path, sizeof(path), "/run/netns/%s", host);
	old = open_netns("/proc/thread-self/ns/net");
	new = open_netns(path);
	if (setns(new, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	g = gns_genl_open(NULL, NULL);
	if (!g)
		die("netlink on %s: %s", host, strerror(errno));
	if (setns(old, CLONE_NEWNET))
		die("the way back from %s: %s", path, strerror(errno));
	close(old);
	close(new);
	return g;
}

static struct gns_genl *socket_of(const char *host)
{
	unsigned int i;

	for (i = 0; i < HOSTS && *hosts[i].name; i++)
		if (!strcmp(hosts[i].name, host))
			return hosts[i].g;
	if (i == HOSTS)
		die("too many hosts");
	snprintf(hosts[i].name, sizeof(hosts[i].name), "%s", host);
	hosts[i].g = open_there(host);
	return hosts[i].g;
}

static u64 get(struct nlattr **a, int type)
{
	u64 v = 0;

	if (a[type])
		nla_memcpy(&v, a[type], sizeof(v));
	return v;
}

static int one(void *arg, u8 cmd, struct nlattr **attrs)
{
	struct nlattr *a[GNS_S_MAX + 1], *nest;
	struct host_status *st = arg;
	u64 v[GNS_C_MAX] = { 0 };
	unsigned int i;

	(void)cmd;
	nest = attrs[GNS_A_STATUS_ORIGIN];
	if (nest) {
		nla_parse_nested(a, GNS_S_MAX, nest, NULL);
		st->leases += get(a, GNS_S_LEASES);
		st->cached += get(a, GNS_S_CACHED);
		st->pending += get(a, GNS_S_PENDING);
		if (get(a, GNS_S_SID)) {
			st->sid = get(a, GNS_S_SID);
			st->left = get(a, GNS_S_LEFT);
			st->ttl = get(a, GNS_S_TTL);
		}
	}
	nest = attrs[GNS_A_STATUS_MOUNT];
	if (nest) {
		nla_parse_nested(a, GNS_S_MAX, nest, NULL);
		if (a[GNS_S_COUNTERS])
			nla_memcpy(v, a[GNS_S_COUNTERS], sizeof(v));
		for (i = 0; i < GNS_C_MAX; i++)
			st->v[i] += v[i];
		st->mounts++;
	}
	return 0;
}

void host_status(const char *host, struct host_status *st)
{
	struct gns_genl *g;
	int err;

	*st = (struct host_status){ 0 };
	pthread_mutex_lock(&lock);
	g = socket_of(host);
	err = gns_genl_call(g, gns_genl_msg(g, GNS_CMD_STATUS, NLM_F_DUMP), one, st);
	if (err)
		die("status of %s: %s", host, gns_genl_why(g));
	pthread_mutex_unlock(&lock);
}

u64 host_count(const char *host, enum gns_counter c)
{
	struct host_status st;

	host_status(host, &st);
	return st.v[c];
}
