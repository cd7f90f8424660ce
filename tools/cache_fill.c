// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl cache fill: files are read by O_DIRECT, so that they are in the cache and
 * take no memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cache.h"
#include "gnsctl.h"
#include "units.h"

#define GNS_SUPER_MAGIC 0x676e7366
/* One call to the origin has at most so many bytes. */
#define PIECE (2u << 20)
#define JOBS_DEFAULT 8u
#define JOBS_MAX 256u

/**
 * struct fill - what is to be read
 * @lock:   of all below
 * @fts:    where it goes on
 * @files:  that were read
 * @bytes:  of them
 * @failed: could not be read
 */
struct fill {
	pthread_mutex_t lock;
	FTS *fts;
	u64 files;
	u64 bytes;
	u64 failed;
};

static int complain(const char *path, int err)
{
	fprintf(stderr, "gnsctl: %s: %s\n", path, strerror(err));
	return err;
}

/* The next regular file; freed by the caller; NULL: no more. */
static char *next_file(struct fill *f)
{
	char *path = NULL;
	FTSENT *e;

	pthread_mutex_lock(&f->lock);
	while (!path) {
		errno = 0;
		e = fts_read(f->fts);
		if (!e && errno) {
			complain("looking for files", errno);
			f->failed++;
		}
		if (!e)
			break;
		if (e->fts_info == FTS_F) {
			path = strdup(e->fts_path);
			f->failed += !path;
		} else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR ||
			   e->fts_info == FTS_NS) {
			complain(e->fts_path, e->fts_errno);
			f->failed++;
		}
	}
	pthread_mutex_unlock(&f->lock);
	return path;
}

static int read_file(const char *path, void *buf, u64 *bytes)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC), err = 0;
	ssize_t n;

	if (fd < 0)
		return complain(path, errno);
	while ((n = read(fd, buf, PIECE)) > 0)
		*bytes += n;
	if (n < 0)
		err = complain(path, errno);
	close(fd);
	return err;
}

static void *work(void *arg)
{
	void *buf = aligned_alloc(4096, PIECE);
	struct fill *f = arg;
	u64 bytes;
	char *path;
	int err;

	while (buf && (path = next_file(f))) {
		bytes = 0;
		err = read_file(path, buf, &bytes);
		free(path);
		pthread_mutex_lock(&f->lock);
		f->bytes += bytes;
		f->files += !err;
		f->failed += !!err;
		pthread_mutex_unlock(&f->lock);
	}
	free(buf);
	return buf ? NULL : f;
}

static int are_gns(char **paths)
{
	struct statfs st;

	for (; *paths; paths++) {
		if (statfs(*paths, &st))
			return ctl_fail("%s: %s", *paths, strerror(errno));
		if (st.f_type != GNS_SUPER_MAGIC)
			return ctl_fail("%s: not on a gns mount", *paths);
	}
	return CTL_OK;
}

static int fill_all(struct fill *f, u32 jobs)
{
	pthread_t thread[JOBS_MAX];
	bool memory = true;
	u32 i, n = 0;
	void *ret;

	while (n < jobs && !pthread_create(&thread[n], NULL, work, f))
		n++;
	for (i = 0; i < n; i++) {
		pthread_join(thread[i], &ret);
		memory &= !ret;
	}
	if (!n || !memory)
		return ctl_fail("out of memory");
	return CTL_OK;
}

int cache_fill(int argc, char **argv)
{
	static const struct option options[] = {
		{ "jobs", required_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct fill f = { .fts = NULL };
	char size[UNITS_LEN];
	u32 jobs = JOBS_DEFAULT;
	int c, ret;

	while ((c = getopt_long(argc, argv, "j:", options, NULL)) != -1) {
		if (c == '?')
			return ctl_usage("cache");
		jobs = strtoul(optarg, NULL, 10);
		if (!jobs || jobs > JOBS_MAX)
			return ctl_fail("--jobs: give 1 to %u", JOBS_MAX);
	}
	if (optind == argc)
		return ctl_usage("cache");
	ret = are_gns(argv + optind);
	if (ret)
		return ret;
	f.fts = fts_open(argv + optind, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV,
			 NULL);
	if (!f.fts)
		return ctl_fail("%s", strerror(errno));
	pthread_mutex_init(&f.lock, NULL);
	ret = fill_all(&f, jobs);
	fts_close(f.fts);
	printf("%llu files, %s; %llu failed\n", (unsigned long long)f.files,
	       units_bytes(size, f.bytes), (unsigned long long)f.failed);
	return ret ?: f.failed ? CTL_FAILED :
				 CTL_OK;
}
