// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache_sys.h"
#include "gnsctl.h"
#include "status.h"

/* More than there can be of devices, or of sets. */
#define NUMBERS 256u

/* The first mount that has a cache: all of a namespace have the same. */
static int find(char **mount, char **sys)
{
	char path[64], real[PATH_MAX];
	struct gns_genl *g = ctl_open();
	const struct status_mount *m;
	struct status s;
	int err, ret = -1;
	size_t i;

	if (!g)
		return -1;
	err = status_read(g, &s);
	if (err)
		ctl_refused(g, "cache", err);
	for (i = 0; !err && ret && i < s.nmounts; i++) {
		m = &s.mounts[i];
		snprintf(path, sizeof(path), "/sys/fs/gns/%u/cache", m->nr);
		if (!realpath(path, real) || (mount && !m->ndirs))
			continue;
		if (mount)
			*mount = strdup(m->dirs[0]);
		if (sys)
			*sys = strdup(real);
		ret = 0;
	}
	if (!err && ret)
		ctl_fail("no mount here has a cache: mount -o cache=DEVICE");
	status_free(&s);
	gns_genl_close(g);
	return ret;
}

char *cache_sys_mount(void)
{
	char *dir = NULL;

	return find(&dir, NULL) ? NULL : dir;
}

char *cache_sys_dir(void)
{
	char *dir = NULL;

	return find(NULL, &dir) ? NULL : dir;
}

u32 cache_sys_each(const char *dir, const char *kind,
		   void (*see)(const char *path, void *ctx), void *ctx)
{
	char path[PATH_MAX];
	u32 i, n = 0;

	for (i = 0; i < NUMBERS; i++) {
		snprintf(path, sizeof(path), "%s/%s%u", dir, kind, i);
		if (access(path, F_OK))
			continue;
		see(path, ctx);
		n++;
	}
	return n;
}

void cache_sys_text(const char *path, const char *file, char *buf, size_t size)
{
	char name[PATH_MAX];
	ssize_t n = -1;
	int fd;

	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

u64 cache_sys_number(const char *path, const char *file)
{
	char text[32];

	cache_sys_text(path, file, text, sizeof(text));
	return strtoull(text, NULL, 10);
}
