// SPDX-License-Identifier: GPL-2.0
/*
 * The state directory; see state.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/loop.h"
#include "state.h"

#define KEY "handle.key"
#define KEY_NEW "handle.key.new"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static int fail(const char *what, char *err, size_t size)
{
	int e = errno ? -errno : -EIO;

	snprintf(err, size, "%s: %s", what, strerror(-e));
	return e;
}

int gns_state_open(const char *path, char *err, size_t size)
{
	int fd, e;

	if (mkdir(path, 0700) && errno != EEXIST)
		return fail(path, err, size);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(path, err, size);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		e = -errno;
		if (e == -EWOULDBLOCK)
			snprintf(err, size,
				 "%s: in use by another gns-helperd", path);
		else
			fail(path, err, size);
		close(fd);
		return e;
	}
	/* It holds a secret, and what satellites have done. */
	if (fchmod(fd, 0700)) {
		e = fail(path, err, size);
		close(fd);
		return e;
	}
	return fd;
}

static int read_key(int dir, u8 key[GNS_POSIX_KEY_LEN])
{
	int fd = openat(dir, KEY, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	u8 buf[GNS_POSIX_KEY_LEN + 1];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf));
	close(fd);
	if (n != GNS_POSIX_KEY_LEN)
		return -EBADMSG;
	memcpy(key, buf, GNS_POSIX_KEY_LEN);
	explicit_bzero(buf, sizeof(buf));
	return 0;
}

/* There whole and durable, or not at all: handles are made with it at once. */
static int write_key(int dir, const u8 key[GNS_POSIX_KEY_LEN])
{
	int fd, err = 0;

	if (unlinkat(dir, KEY_NEW, 0) && errno != ENOENT)
		return -errno;
	fd = openat(dir, KEY_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	errno = EIO;
	if (write(fd, key, GNS_POSIX_KEY_LEN) != GNS_POSIX_KEY_LEN ||
	    fsync(fd))
		err = -errno;
	close(fd);
	if (!err && (renameat(dir, KEY_NEW, dir, KEY) || fsync(dir)))
		err = -errno;
	return err;
}

int gns_state_key(int dir, u8 key[GNS_POSIX_KEY_LEN], char *err, size_t size)
{
	int rc = read_key(dir, key);

	if (rc == -ENOENT) {
		gns_random_bytes(key, GNS_POSIX_KEY_LEN);
		rc = write_key(dir, key);
	}
	if (rc == -EBADMSG) {
		snprintf(err, size,
			 "state: " KEY " has not %u bytes: restore it or mount again",
			 GNS_POSIX_KEY_LEN);
		return rc;
	}
	errno = -rc;
	return rc ? fail("state: " KEY, err, size) : 0;
}

/* A UUID in hex, with dashes. */
int gns_boot_id(struct gns_id *id, char *err, size_t size)
{
	FILE *f = fopen(BOOT_ID, "re");
	u32 i, byte;
	int c;

	if (!f)
		return fail(BOOT_ID, err, size);
	for (i = 0; i < GNS_ID_LEN; i++) {
		c = fgetc(f);
		if (c != '-')
			ungetc(c, f);
		if (fscanf(f, "%2x", &byte) != 1) {
			fclose(f);
			errno = EINVAL;
			return fail(BOOT_ID, err, size);
		}
		id->b[i] = (u8)byte;
	}
	fclose(f);
	return 0;
}
