// SPDX-License-Identifier: GPL-2.0
/*
 * What access control lists add to messages, and how a peer without them is
 * spoken to.
 */
#include <string.h>

#include "proto/msg.h"

static bool is_named(const struct gns_str *s, const char *name)
{
	return s->len == strlen(name) && !memcmp(s->p, name, s->len);
}

bool gns_msg_is_acl(const struct gns_msg *msg)
{
	const struct gns_str *s;

	if (msg->reply)
		return false;
	if (msg->type == GNS_SETXATTR)
		s = &msg->setxattr.name;
	else if (msg->type == GNS_GETXATTR)
		s = &msg->name.name;
	else
		return false;
	return is_named(s, "system.posix_acl_access") ||
	       is_named(s, "system.posix_acl_default");
}

/* Where mode and umask of what is made are; NULL: it makes nothing. */
static u32 *mode_of(struct gns_msg *msg, u32 **umask)
{
	switch (msg->type) {
	case GNS_CREATE:
	case GNS_MKDIR:
	case GNS_TMPFILE:
		*umask = &msg->make.umask;
		return &msg->make.mode;
	case GNS_MKNOD:
		*umask = &msg->mknod.umask;
		return &msg->mknod.mode;
	}
	*umask = NULL;
	return NULL;
}

static void strip_request(struct gns_msg *msg)
{
	u32 *umask, *mode = mode_of(msg, &umask);

	if (!mode)
		return;
	*mode &= ~*umask;
	*umask = 0;
}

void gns_msg_strip(struct gns_msg *msg)
{
	u32 i;

	if (!msg->reply) {
		strip_request(msg);
		return;
	}
	if (msg->status)
		return;
	if (gns_msg_is_change(msg->type)) {
		for (i = 0; i < msg->r_change.changed.n; i++)
			msg->r_change.changed.v[i].attr.mode &= ~GNS_AM_ALL;
		return;
	}
	switch (msg->type) {
	case GNS_LOOKUP:
		msg->r_lookup.child.attr.mode &= ~GNS_AM_ALL;
		break;
	case GNS_MOUNT:
	case GNS_GETATTR:
	case GNS_READDIR:
	case GNS_READLINK:
	case GNS_READ:
	case GNS_GETXATTR:
	case GNS_LISTXATTR:
		msg->r_obj.attr.mode &= ~GNS_AM_ALL;
		break;
	}
}
