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
 * A switch costs microseconds, and the next caller is often the same one. So
 * groups, and in workers the effective gid, are left as they are after an
 * operation; they give nothing to root, who makes no files there but through
 * cred_enter(). And on the loop's thread what an object's ctime has not
 * changed since is remembered: who may read it or search it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "lib/log.h"
#include "origin/posix_int.h"

/* Means "leave it" to the kernel: never hand it on. */
#define NO_ID UINT32_MAX

static gid_t base_gid;
static u64 hash_seed;

static _Thread_local struct {
	bool loop; /* not a worker: gid is taken back */
	bool gid_known; /* else it is base_gid */
	bool known; /* groups */
	gid_t gid;
	u32 n;
	u32 v[GNS_GROUPS_MAX];
} now;

/* On the loop's thread, before all the others. */
void cred_init(void)
{
	base_gid = getegid();
	now.loop = true;
	if (getrandom(&hash_seed, sizeof(hash_seed), 0) < 0)
		hash_seed = (u64)(uintptr_t)&now;
}

static int squash_all(const struct exported *ex, struct gns_cred *out)
{
	out->uid = ex->anon_uid;
	out->gid = ex->anon_gid;
	out->ngroups = 0;
	return 0;
}

int cred_squash(const struct exported *ex, const struct gns_cred *in,
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

	if (now.known && now.n == id->ngroups &&
	    !memcmp(now.v, id->groups, len))
		return 0;
	now.known = false;
	if (syscall(SYS_setgroups, (size_t)id->ngroups, id->groups))
		return -errno;
	now.n = id->ngroups;
	memcpy(now.v, id->groups, len);
	now.known = true;
	return 0;
}

static int set_gid(gid_t gid)
{
	if (gid == (now.gid_known ? now.gid : base_gid))
		return 0;
	if (syscall(SYS_setresgid, -1, gid, -1))
		return -errno;
	now.gid = gid;
	now.gid_known = true;
	return 0;
}

/*
 * Be @id until cred_leave(), which is to be called when this returned 0. What
 * needs root (handles, pipes) is done before.
 */
int cred_enter(const struct gns_cred *id)
{
	int err = id->uid ? set_groups(id) : 0;

	if (!err)
		err = set_gid(id->gid);
	if (!err && id->uid && syscall(SYS_setresuid, -1, id->uid, -1))
		err = -errno;
	if (err && now.loop && set_gid(base_gid))
		abort();
	return err;
}

/* Root again. A thread that can not come back must do nothing more. */
void cred_leave(const struct gns_cred *id)
{
	if ((id->uid && syscall(SYS_setresuid, -1, 0, -1)) ||
	    (now.loop && set_gid(base_gid))) {
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

/* A client's user can not aim at a hash whose seed it does not know. */
static u64 who(const struct gns_cred *id, u64 seed)
{
	return XXH64(id,
		     offsetof(struct gns_cred, groups) +
			     id->ngroups * sizeof(id->groups[0]),
		     seed);
}

/*
 * On the loop's thread: has @id the permission @mode (R_OK, X_OK) on the
 * object behind @fd, whose attributes are @attr? Remembers a yes as long as
 * the ctime stays. A ctime of this very moment may stay through another
 * change, so it counts from the next second on.
 */
bool cred_known(struct pobj *po, const struct gns_cred *id, int fd,
		const struct gns_attr *attr, int mode)
{
	struct permit *v = po->permits;
	struct permit yes = { .mode = mode, .ctime = attr->ctime };
	struct timespec ts;
	u32 i;

	if (!id->uid)
		return true;
	yes.who[0] = who(id, hash_seed);
	yes.who[1] = who(id, ~hash_seed);
	for (i = 0; i < PERMITS; i++)
		if (v[i].mode == mode && v[i].ctime == attr->ctime &&
		    v[i].who[0] == yes.who[0] && v[i].who[1] == yes.who[1])
			return true;
	if (mode == R_OK ? cred_may_read(id, fd, attr) :
			   cred_access(id, fd, mode))
		return false;
	clock_gettime(CLOCK_REALTIME, &ts);
	if (attr->ctime / (s64)NSEC_PER_SEC + 1 < ts.tv_sec) {
		v[po->next_permit] = yes;
		po->next_permit = (po->next_permit + 1) % PERMITS;
	}
	return true;
}
