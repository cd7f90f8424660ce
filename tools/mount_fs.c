// SPDX-License-Identifier: GPL-2.0
/*
 * The system calls of a mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount_fs.h"

/* Those that a remount turns off unless they are named. */
#define ATTRS \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | \
	 MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW)

static int failed(struct mount_result *r, enum mount_step step,
		  const char *what)
{
	r->err = errno;
	r->step = step;
	snprintf(r->what, sizeof(r->what), "%s", what);
	return r->err;
}

/* One message a read: a letter for its kind, a blank, the text. */
static void read_log(int fd, const struct mount_job *job,
		     struct mount_result *r)
{
	size_t used = strlen(r->log);
	char buf[1024], *text;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		buf[strcspn(buf, "\n")] = '\0';
		if (buf[0] == 'i' && !job->verbose)
			continue;
		text = strlen(buf) > 2 && buf[1] == ' ' ? buf + 2 : buf;
		n = snprintf(r->log + used, sizeof(r->log) - used, "%s\n", text);
		if (n < 0 || (size_t)n >= sizeof(r->log) - used) {
			r->log[used] = '\0';
			return;
		}
		used += n;
	}
}

static void say(const struct mount_job *job, const char *key,
		const char *value)
{
	if (job->verbose)
		printf("mount.gns: option %s%s%s\n", key, value ? "=" : "",
		       value ? value : "");
}

static int set_params(int fd, const struct mount_job *job,
		      struct mount_result *r)
{
	const struct mount_opts *o = job->opts;
	const struct mount_param *p;

	for (p = o->params; p < o->params + o->nparams; p++) {
		say(job, p->key, p->value);
		if (!fsconfig(fd, p->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			      p->key, p->value, 0))
			continue;
		if (job->sloppy && errno == EINVAL)
			continue;
		return failed(r, MOUNT_OPTION, p->key);
	}
	return 0;
}

/*
 * No O_DIRECTORY: that would set off an automount there, which waits for the
 * very mount that this is.
 */
static int open_dir(const struct mount_job *job, struct mount_result *r)
{
	struct stat st;
	int fd = open(job->dir, O_PATH | O_CLOEXEC);

	if (fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode))
		return fd;
	if (fd >= 0) {
		close(fd);
		errno = ENOTDIR;
	}
	failed(r, MOUNT_DIR, job->dir);
	return -1;
}

static int attach(int fs, int dir, const struct mount_job *job,
		  struct mount_result *r)
{
	const struct mount_opts *o = job->opts;
	int mnt;

	mnt = fsmount(fs, FSMOUNT_CLOEXEC, o->attrs);
	if (mnt < 0)
		return failed(r, MOUNT_ATTACH, "fsmount");
	if (move_mount(mnt, "", dir, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		failed(r, MOUNT_ATTACH, job->dir);
	else if (o->propagation &&
		 mount(NULL, job->dir, NULL, o->propagation, NULL))
		failed(r, MOUNT_ATTACH, "propagation");
	close(mnt);
	return r->err;
}

int mount_fs_new(const struct mount_job *job, struct mount_result *r)
{
	int fs = -1, dir;

	*r = (struct mount_result){ .step = MOUNT_DONE };
	dir = open_dir(job, r);
	if (dir < 0)
		return r->err;
	fs = fsopen("gns", FSOPEN_CLOEXEC);
	if (fs < 0) {
		failed(r, MOUNT_OPEN, "fsopen");
	} else if (fsconfig(fs, FSCONFIG_SET_STRING, "source", job->source, 0)) {
		failed(r, MOUNT_OPTION, "source");
	} else if (!set_params(fs, job, r)) {
		if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
			failed(r, MOUNT_CREATE, "mount");
		else
			attach(fs, dir, job, r);
	}
	if (fs >= 0) {
		read_log(fs, job, r);
		close(fs);
	}
	close(dir);
	return r->err;
}

int mount_fs_tell(const char *dir, const char *key, const char *value,
		  struct mount_result *r)
{
	const struct mount_job job = { .dir = dir };
	int fs;

	*r = (struct mount_result){ .step = MOUNT_DONE };
	fs = fspick(AT_FDCWD, dir, FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT);
	if (fs < 0)
		return failed(r, MOUNT_DIR, dir);
	if (fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0))
		failed(r, MOUNT_OPTION, key);
	else if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		failed(r, MOUNT_CREATE, "remount");
	read_log(fs, &job, r);
	close(fs);
	return r->err;
}

/* As mount(2) does it: what is not named is off, but access times stay. */
static int set_attrs(const struct mount_job *job, struct mount_result *r)
{
	const struct mount_opts *o = job->opts;
	struct mount_attr a = {
		.attr_set = o->attrs,
		.attr_clr = ATTRS & ~o->attrs,
	};

	if (o->atime)
		a.attr_clr |= MOUNT_ATTR__ATIME |
			      (MOUNT_ATTR_NODIRATIME & ~o->attrs);
	if (mount_setattr(AT_FDCWD, job->dir, AT_NO_AUTOMOUNT, &a, sizeof(a)))
		return failed(r, MOUNT_ATTACH, "mount_setattr");
	return 0;
}

/* A superblock that is not told stays as it is; mount(2) would tell it. */
static int set_rw(int fd, const struct mount_job *job, struct mount_result *r)
{
	if (job->opts->attrs & MOUNT_ATTR_RDONLY)
		return 0;
	say(job, "rw", NULL);
	if (fsconfig(fd, FSCONFIG_SET_FLAG, "rw", NULL, 0))
		return failed(r, MOUNT_OPTION, "rw");
	return 0;
}

int mount_fs_remount(const struct mount_job *job, struct mount_result *r)
{
	int fs;

	*r = (struct mount_result){ .step = MOUNT_DONE };
	fs = fspick(AT_FDCWD, job->dir, FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT);
	if (fs < 0)
		return failed(r, MOUNT_DIR, job->dir);
	if (!set_params(fs, job, r) && !set_rw(fs, job, r)) {
		if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
			failed(r, MOUNT_CREATE, "remount");
		else
			set_attrs(job, r);
	}
	read_log(fs, job, r);
	close(fs);
	return r->err;
}
