// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl drop: the cached data of a mount is forgotten, its leases given up.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "gnsctl.h"
#include "status.h"

static int drop_one(struct gns_genl *g, const struct status_mount *m)
{
	struct nl_msg *msg = gns_genl_msg(g, GNS_CMD_DROP, 0);
	int err;

	if (!msg || nla_put_u32(msg, GNS_A_MOUNT, m->nr)) {
		nlmsg_free(msg);
		return ctl_fail("out of memory");
	}
	err = gns_genl_call(g, msg, NULL, NULL);
	if (err)
		return ctl_refused(g, m->name, err);
	printf("dropped %s\n", m->name);
	return CTL_OK;
}

/* A source may have several mounts of its own; each of them is meant. */
static int drop(struct gns_genl *g, const struct status *s, const char *what)
{
	char path[PATH_MAX];
	const char *dir = realpath(what, path);
	int ret = CTL_OK;
	bool any = false;
	size_t i;

	for (i = 0; i < s->nmounts; i++) {
		if (!status_is(&s->mounts[i], what) &&
		    !(dir && status_is(&s->mounts[i], dir)))
			continue;
		any = true;
		if (drop_one(g, &s->mounts[i]))
			ret = CTL_FAILED;
	}
	return any ? ret : ctl_fail("%s: not a gns mount", what);
}

int cmd_drop(int argc, char **argv)
{
	struct gns_genl *g;
	struct status s;
	int ret = CTL_OK, err, i;

	if (argc < 2 || argv[1][0] == '-')
		return ctl_usage(argv[0]);
	g = ctl_open();
	if (!g)
		return CTL_FAILED;
	err = status_read(g, &s);
	if (err)
		ret = ctl_refused(g, "drop", err);
	for (i = 1; ret != CTL_FAILED && i < argc; i++)
		ret = drop(g, &s, argv[i]);
	status_free(&s);
	gns_genl_close(g);
	return ret;
}
