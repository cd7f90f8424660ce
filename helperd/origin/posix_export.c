// SPDX-License-Identifier: GPL-2.0
/*
 * Exports: which directories, under which names, and whether they can be.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "origin/posix_int.h"

static int fail(int err, char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(int err, char *out, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, size, fmt, ap);
	va_end(ap);
	return err;
}

struct exported *export_find(struct posix *p, const struct gns_str *name)
{
	struct exported *ex;

	SLIST_FOREACH(ex, &p->exports, link)
		if (strlen(ex->name) == name->len &&
		    !memcmp(ex->name, name->p, name->len))
			return ex;
	return NULL;
}

static void export_free(struct exported *ex)
{
	if (ex->root >= 0)
		close(ex->root);
	free(ex->name);
	free(ex);
}

void export_free_all(struct posix *p)
{
	struct exported *ex;

	while ((ex = SLIST_FIRST(&p->exports))) {
		SLIST_REMOVE_HEAD(&p->exports, link);
		export_free(ex);
	}
}

static int check_names(struct posix *p, const struct gns_posix_export *cfg,
		       char *err, size_t size)
{
	const char *name = cfg->name;
	struct exported *ex;

	if (!name || !*name || strlen(name) > GNS_NAME_MAX)
		return fail(-EINVAL, err, size,
			    "an export's name has 1 to %u bytes",
			    GNS_NAME_MAX);
	if (!cfg->path || *cfg->path != '/')
		return fail(-EINVAL, err, size,
			    "export %s: its path must be absolute", name);
	if (cfg->anon_uid == UINT32_MAX || cfg->anon_gid == UINT32_MAX)
		return fail(-EINVAL, err, size,
			    "export %s: %u is no uid or gid", name,
			    UINT32_MAX);
	SLIST_FOREACH(ex, &p->exports, link) {
		if (!strcmp(ex->name, name))
			return fail(-EEXIST, err, size,
				    "export %s: there is one of that name",
				    name);
		if (ex->id == export_id(name))
			return fail(-EEXIST, err, size,
				    "exports %s and %s have the same number: rename one of them",
				    name, ex->name);
	}
	return 0;
}

static int open_root(struct exported *ex, const char *path, char *err,
		     size_t size)
{
	int e;

	ex->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ex->root < 0) {
		e = -errno;
		return fail(e, err, size, "export %s: %s: %s", ex->name, path,
			    strerror(errno));
	}
	return 0;
}

/* Make the root's handle, and open it again: all the rest depends on both. */
static int try_handles(struct posix *p, struct exported *ex, const char *path,
		       char *err, size_t size)
{
	union {
		struct file_handle h;
		u8 room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u;
	int e = 0, fd;

	u.h.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(ex->root, "", &u.h, &ex->mount_id,
			      AT_EMPTY_PATH))
		e = -errno;
	if (!e)
		e = fh_make(p, ex, ex->root, "", &ex->root_fh);
	if (e == -EOVERFLOW)
		return fail(e, err, size,
			    "export %s: the file handles of %s's filesystem are too long: export a directory of the filesystem below it",
			    ex->name, path);
	if (e)
		return fail(e, err, size,
			    "export %s: %s's filesystem gives no file handles (%s): export a directory of ext4, xfs, btrfs or tmpfs",
			    ex->name, path, strerror(-e));
	fd = fh_open(ex, &ex->root_fh, O_PATH);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (fd == -EPERM)
		return fail(fd, err, size,
			    "export %s: opening file handles needs CAP_DAC_READ_SEARCH: run the daemon as root with that capability",
			    ex->name);
	return fail(fd, err, size,
		    "export %s: %s's filesystem can not open its file handles (%s): export a directory of ext4, xfs, btrfs or tmpfs",
		    ex->name, path, strerror(-fd));
}

int gns_posix_export(struct gns_fs *fs, const struct gns_posix_export *cfg,
		     char *err, size_t size)
{
	struct posix *p = container_of(fs, struct posix, fs);
	int rc = check_names(p, cfg, err, size);
	struct exported *ex;

	if (rc)
		return rc;
	if (access("/proc/self/fd", X_OK))
		return fail(-ENODEV, err, size,
			    "export %s: /proc is needed: mount it", cfg->name);
	ex = calloc(1, sizeof(*ex));
	if (!ex)
		return fail(-ENOMEM, err, size, "no memory");
	ex->root = -1;
	ex->name = strdup(cfg->name);
	if (!ex->name) {
		free(ex);
		return fail(-ENOMEM, err, size, "no memory");
	}
	ex->id = export_id(cfg->name);
	ex->read_only = cfg->read_only;
	ex->squash = cfg->squash;
	ex->anon_uid = cfg->anon_uid;
	ex->anon_gid = cfg->anon_gid;
	STAILQ_INIT(&ex->syncs);
	rc = open_root(ex, cfg->path, err, size);
	if (!rc)
		rc = try_handles(p, ex, cfg->path, err, size);
	if (rc) {
		export_free(ex);
		return rc;
	}
	ex->acls = acl_supported(ex->root);
	ex->sb = view_filesystem(ex);
	ex->stands = view_first(p, ex);
	if (view_add(p, ex))
		return 0;
	export_free(ex);
	return fail(-EBUSY, err, size,
		    "export %s: there was one of that name, and others show its files: restart the daemon to add it",
		    cfg->name);
}
