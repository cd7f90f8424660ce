// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a cache device that nobody else uses.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache_dev.h"
#include "gnsctl.h"

static int refuse_open(const char *path, int err)
{
	switch (err) {
	case EBUSY:
		return ctl_fail("%s is in use: mounted, part of a device, or a mount's cache",
				path);
	case EWOULDBLOCK:
		return ctl_fail("%s is in use by another gnsctl", path);
	case EROFS:
		return ctl_fail("%s can not be written", path);
	}
	return ctl_fail("%s: %s", path, strerror(err));
}

static int measure(struct cache_dev *d, const struct stat *st)
{
	d->size = st->st_size;
	if (d->block && ioctl(d->fd, BLKGETSIZE64, &d->size))
		return refuse_open(d->path, errno);
	return CTL_OK;
}

int cache_dev_open(struct cache_dev *d, const char *path, bool write)
{
	int flags = (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;
	struct stat st;

	*d = (struct cache_dev){ .path = path, .fd = -1 };
	if (stat(path, &st))
		return refuse_open(path, errno);
	d->block = S_ISBLK(st.st_mode);
	if (!d->block && !S_ISREG(st.st_mode))
		return ctl_fail("%s is neither a block device nor a file",
				path);
	/* What is read here should not push anything out of the page cache. */
	if (d->block)
		flags |= write ? O_EXCL : O_EXCL | O_DIRECT;
	d->fd = open(path, flags);
	if (d->fd < 0)
		return refuse_open(path, errno);
	if (!d->block && flock(d->fd, LOCK_EX | LOCK_NB))
		return refuse_open(path, errno);
	if (fstat(d->fd, &st))
		return refuse_open(path, errno);
	return measure(d, &st);
}

void cache_dev_close(struct cache_dev *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

int cache_dev_read(const struct cache_dev *d, void *buf, size_t len, u64 at)
{
	ssize_t n;

	while (len) {
		n = pread(d->fd, buf, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		buf = (u8 *)buf + n;
		at += n;
		len -= n;
	}
	return 0;
}

int cache_dev_super(struct cache_dev *d, const char **why)
{
	void *block = aligned_alloc(GNS_MEDIA_BLOCK, GNS_MEDIA_BLOCK);
	int err = -ENOMEM;

	*why = "no memory";
	if (!block)
		return err;
	if (d->size < GNS_MEDIA_BLOCK) {
		*why = "the device is too small";
		err = -ENODATA;
	} else {
		err = cache_dev_read(d, block, GNS_MEDIA_BLOCK, 0);
		*why = "the first block can not be read";
	}
	if (!err)
		err = gns_media_super_check(block, d->size, &d->geo, why);
	free(block);
	return err;
}

/* Blocks from @at in the region on; NULL: *err says why. */
static void *read_blocks(const struct cache_dev *d, u32 nr, u64 at, u64 len,
			 int *err)
{
	void *buf = aligned_alloc(GNS_MEDIA_BLOCK,
				  ALIGN(len, (u64)GNS_MEDIA_BLOCK));

	if (!buf) {
		*err = -ENOMEM;
		return NULL;
	}
	*err = cache_dev_read(d, buf, ALIGN(len, (u64)GNS_MEDIA_BLOCK),
			      gns_media_region_at(&d->geo, nr) + at);
	if (!*err)
		return buf;
	free(buf);
	return NULL;
}

static int unreadable(struct cache_region *r, int err)
{
	if (err == -ENOMEM)
		return err;
	r->state = CACHE_UNREADABLE;
	r->why = "the device can not read it";
	return 0;
}

static int read_table(const struct cache_dev *d, struct cache_region *r)
{
	u64 len = gns_media_table_len(r->life.extents, r->life.sums);
	int err;

	r->table = read_blocks(d, r->nr, r->life.table, len, &err);
	if (!r->table)
		return unreadable(r, err);
	err = gns_media_table_check(r->table, &r->life, &r->why);
	r->state = err ? CACHE_DAMAGED : CACHE_SEALED;
	r->x = r->table;
	r->sums = (const __le32 *)(r->x + r->life.extents);
	return 0;
}

int cache_region_read(const struct cache_dev *d, u32 nr, struct cache_region *r)
{
	void *block;
	int err;

	*r = (struct cache_region){ .nr = nr };
	block = read_blocks(d, nr, d->geo.region_size - GNS_MEDIA_BLOCK,
			    GNS_MEDIA_BLOCK, &err);
	if (!block)
		return unreadable(r, err);
	err = gns_media_foot_check(block, &d->geo, nr, &r->life, &r->why);
	free(block);
	if (err)
		r->state = err == -ENODATA ? CACHE_UNUSED : CACHE_TORN;
	else if (!r->life.sealed)
		r->state = CACHE_OPEN;
	else
		return read_table(d, r);
	return 0;
}

void cache_region_free(struct cache_region *r)
{
	free(r->table);
	r->table = NULL;
}

char *cache_uuid(char buf[static 37], const u8 *uuid)
{
	char *p = buf;
	u32 i;

	for (i = 0; i < GNS_MEDIA_UUID_LEN; i++)
		p += sprintf(p, "%s%02x",
			     i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			     uuid[i]);
	return buf;
}

char *cache_obj(char buf[static 2 * GNS_MEDIA_OBJ_LEN + 1], const u8 *obj)
{
	u32 i;

	for (i = 0; i < GNS_MEDIA_OBJ_LEN; i++)
		sprintf(buf + 2 * i, "%02x", obj[i]);
	return buf;
}
