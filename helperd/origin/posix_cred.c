// SPDX-License-Identifier: GPL-2.0
/*
 * Who asks: squashing, and a thread that is somebody else for a moment.
 *
 * glibc's set*id() change all threads of the process; the system calls change
 * the calling one, which is what is wanted here. The effective ids are
 * switched and the real and saved ones stay, so there is a way back; leaving
 * effective uid 0 clears the effective capabilities, all of them, and coming
 * back restores them. Nobody can signal or trace a thread in that state who
 * could not before.
 *
 * Supplementary groups are left as they are after an operation: they give
 * nothing to root, and the next caller is often the same one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "origin/posix_int.h"

/* Means "leave it" to the kernel: never hand it on. */
#define NO_ID UINT32_MAX

static gid_t base_gid;

static _Thread_local struct {
	bool known;
	u32 n;
	u32 v[GNS_GROUPS_MAX];
} groups;

void cred_init(void)
{
	base_gid = getegid();
}

static int squash_all(const struct export *ex, struct gns_cred *out)
{
	out->uid = ex->anon_uid;
	out->gid = ex->anon_gid;
	out->ngroups = 0;
	return 0;
}

int cred_squash(const struct export *ex, const struct gns_cred *in,
		struct gns_cred *out)
{
	bool root = ex->squash == GNS_SQUASH_ROOT;
	u32 i;

	if (ex->squash == GNS_SQUASH_ALL)
		return squash_all(ex, out);
	if (in->ngroups > GNS_GROUPS_MAX || in->uid == NO_ID ||
	    in->gid == NO_ID)
		return -EINVAL;
	out->uid = root && !in->uid ? ex->anon_uid : in->uid;
	out->gid = root && !in->gid ? ex->anon_gid : in->gid;
	out->ngroups = in->ngroups;
	for (i = 0; i < in->ngroups; i++) {
		if (in->groups[i] == NO_ID)
			return -EINVAL;
		out->groups[i] = root && !in->groups[i] ? ex->anon_gid :
							  in->groups[i];
	}
	return 0;
}

static int set_groups(const struct gns_cred *id)
{
	size_t len = id->ngroups * sizeof(id->groups[0]);

	if (groups.known && groups.n == id->ngroups &&
	    !memcmp(groups.v, id->groups, len))
		return 0;
	groups.known = false;
	if (syscall(SYS_setgroups, (size_t)id->ngroups, id->groups))
		return -errno;
	groups.n = id->ngroups;
	memcpy(groups.v, id->groups, len);
	groups.known = true;
	return 0;
}

/*
 * Be @id until cred_leave(), which is to be called when this returned 0. What
 * needs root (handles, pipes) is done before.
 */
int cred_enter(const struct gns_cred *id)
{
	int err;

	if (id->uid) {
		err = set_groups(id);
		if (err)
			return err;
	}
	if (id->gid != base_gid && syscall(SYS_setresgid, -1, id->gid, -1))
		return -errno;
	if (id->uid && syscall(SYS_setresuid, -1, id->uid, -1)) {
		err = -errno;
		if (id->gid != base_gid &&
		    syscall(SYS_setresgid, -1, base_gid, -1))
			abort();
		return err;
	}
	return 0;
}

/* Root again. A thread that can not come back must do nothing more. */
void cred_leave(const struct gns_cred *id)
{
	if ((id->uid && syscall(SYS_setresuid, -1, 0, -1)) ||
	    (id->gid != base_gid && syscall(SYS_setresgid, -1, base_gid, -1))) {
		gns_err("a thread can not become root again");
		abort();
	}
}

/* May @id access what @fd (O_PATH will do) names? @mode is access(2)'s. */
int cred_access(const struct gns_cred *id, int fd, int mode)
{
	int err = cred_enter(id);

	if (err)
		return err;
	if (syscall(SYS_faccessat2, fd, "", mode, AT_EMPTY_PATH | AT_EACCESS))
		err = -errno;
	cred_leave(id);
	return err;
}

int cred_may_read(const struct gns_cred *id, int fd,
		  const struct gns_attr *attr)
{
	int err;

	if (!id->uid || id->uid == attr->uid)
		return 0;
	err = cred_access(id, fd, R_OK);
	if (err == -EACCES && S_ISREG(attr->mode))
		err = cred_access(id, fd, X_OK);
	return err;
}

int cred_may_write(const struct gns_cred *id, int fd,
		   const struct gns_attr *attr)
{
	if (!id->uid || id->uid == attr->uid)
		return 0;
	return cred_access(id, fd, W_OK);
}
