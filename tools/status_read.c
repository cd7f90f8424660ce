// SPDX-License-Identifier: GPL-2.0
/*
 * The status as it comes from the kernel: a dump of origins, then mounts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <netlink/attr.h>

#include "mount_info.h"
#include "status.h"

static struct nla_policy policy[GNS_S_MAX + 1] = {
	[GNS_S_NR] = { .type = NLA_U32 },
	[GNS_S_ORIGIN] = { .type = NLA_U32 },
	[GNS_S_SID] = { .type = NLA_U64 },
	[GNS_S_LEFT] = { .type = NLA_U64 },
	[GNS_S_TTL] = { .type = NLA_U64 },
	[GNS_S_LEASES] = { .type = NLA_U64 },
	[GNS_S_CACHED] = { .type = NLA_U64 },
	[GNS_S_PENDING] = { .type = NLA_U64 },
	[GNS_S_HELPER] = { .type = NLA_U32 },
	[GNS_S_DEV] = { .type = NLA_U32 },
};

static u32 get_u32(struct nlattr **a, int type)
{
	return a[type] ? nla_get_u32(a[type]) : 0;
}

static u64 get_u64(struct nlattr **a, int type)
{
	return a[type] ? nla_get_u64(a[type]) : 0;
}

/* What is not there is "". */
static char *get_text(struct nlattr **a, int type)
{
	if (!a[type])
		return strdup("");
	return strndup(nla_data(a[type]), nla_len(a[type]));
}

static int add_origin(struct status *s, struct nlattr **a)
{
	struct status_origin *o;

	o = reallocarray(s->origins, s->norigins + 1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	s->origins = o;
	o += s->norigins++;
	*o = (struct status_origin){
		.nr = get_u32(a, GNS_S_NR),
		.name = get_text(a, GNS_S_NAME),
		.trouble = get_text(a, GNS_S_TROUBLE),
		.sid = get_u64(a, GNS_S_SID),
		.left = get_u64(a, GNS_S_LEFT),
		.ttl = get_u64(a, GNS_S_TTL),
		.leases = get_u64(a, GNS_S_LEASES),
		.cached = get_u64(a, GNS_S_CACHED),
		.pending = get_u64(a, GNS_S_PENDING),
		.helper = get_u32(a, GNS_S_HELPER),
	};
	if (!o->name || !o->trouble)
		return -ENOMEM;
	if (!*o->trouble) {
		free(o->trouble);
		o->trouble = NULL;
	}
	return 0;
}

static int add_mount(struct status *s, struct nlattr **a)
{
	struct nlattr *v = a[GNS_S_COUNTERS];
	struct status_mount *m;

	m = reallocarray(s->mounts, s->nmounts + 1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	s->mounts = m;
	m += s->nmounts++;
	*m = (struct status_mount){
		.nr = get_u32(a, GNS_S_NR),
		.origin = get_u32(a, GNS_S_ORIGIN),
		.dev = get_u32(a, GNS_S_DEV),
		.name = get_text(a, GNS_S_NAME),
	};
	if (!m->name)
		return -ENOMEM;
	/* An older module has fewer, a newer one more. */
	if (v) {
		m->known = min_u64(nla_len(v) / sizeof(u64), GNS_C_MAX);
		memcpy(m->v, nla_data(v), m->known * sizeof(u64));
	}
	return 0;
}

static int one(void *arg, u8 cmd, struct nlattr **attrs)
{
	struct nlattr *a[GNS_S_MAX + 1];
	struct status *s = arg;
	int err = 0;

	if (attrs[GNS_A_STATUS_ORIGIN]) {
		if (nla_parse_nested(a, GNS_S_MAX, attrs[GNS_A_STATUS_ORIGIN],
				     policy))
			return -EBADMSG;
		err = add_origin(s, a);
	}
	if (!err && attrs[GNS_A_STATUS_MOUNT]) {
		if (nla_parse_nested(a, GNS_S_MAX, attrs[GNS_A_STATUS_MOUNT],
				     policy))
			return -EBADMSG;
		err = add_mount(s, a);
	}
	return err;
}

static int add_dir(struct status_mount *m, const char *dir)
{
	char **dirs;

	dirs = reallocarray(m->dirs, m->ndirs + 1, sizeof(*dirs));
	if (!dirs)
		return -ENOMEM;
	m->dirs = dirs;
	dirs[m->ndirs] = strdup(dir);
	if (!dirs[m->ndirs])
		return -ENOMEM;
	m->ndirs++;
	return 0;
}

static bool see(const struct mount_entry *e, void *ctx)
{
	struct status *s = ctx;
	size_t i;

	for (i = 0; i < s->nmounts; i++) {
		if (s->mounts[i].dev == makedev(e->major, e->minor) &&
		    add_dir(&s->mounts[i], e->dir))
			return false;
	}
	return true;
}

int status_read(struct gns_genl *g, struct status *s)
{
	int err;

	*s = (struct status){ .origins = NULL };
	err = gns_genl_call(g, gns_genl_msg(g, GNS_CMD_STATUS, NLM_F_DUMP), one,
			    s);
	/* Without /proc the mounts have no directories, and that is all. */
	if (!err)
		mount_info_each(see, s);
	return err;
}
