// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of programs-onefile.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "onefile.h"

/* Mostly short; sometimes as long as it gets. */
static u64 some_len(void)
{
	u64 most = rnd_one_in(&dice, 20) ? BYTES_MAX :
		   rnd_one_in(&dice, 4)	 ? 100000 :
					   9000;

	return rnd_below(&dice, (most < file_max ? most : file_max) + 1);
}

/* A place in the file or a bit behind it, often at the edge of a page. */
static u64 some_off(u64 len)
{
	u64 most = size_now() + 3 * BLOCK, off;

	if (most > file_max - len)
		most = file_max - len;
	off = rnd_below(&dice, most + 1);
	return rnd_one_in(&dice, 3) ? off / BLOCK * BLOCK : off;
}

static int three(struct iovec *v, char *buf, u64 len)
{
	u64 a = len / 7, b = len / 2;

	v[0] = (struct iovec){ buf, a };
	v[1] = (struct iovec){ buf + a, b };
	v[2] = (struct iovec){ buf + a + b, len - a - b };
	return 3;
}

/* The same new bytes at both places. */
static void new_bytes(u64 len)
{
	rnd_fill(&dice, place[0].buf, len);
	memcpy(place[via].buf, place[0].buf, len);
}

static void do_write(void)
{
	u64 len = some_len(), off = some_off(len);
	struct iovec v[3];

	new_bytes(len);
	switch (rnd_below(&dice, 4)) {
	case 0:
		doing("pwritev %ju at %ju", len, off);
		BOTH(pwritev(p->fd, v, three(v, p->buf, len), off));
		break;
	case 1:
		doing("pwritev2 DSYNC %ju at %ju", len, off);
		BOTH(pwritev2(p->fd, v, three(v, p->buf, len), off, RWF_DSYNC));
		break;
	default:
		doing("pwrite %ju at %ju", len, off);
		BOTH(pwrite(p->fd, p->buf, len, off));
	}
}

static void do_append(void)
{
	u64 len = some_len(), size = size_now();
	struct iovec v[3];

	if (size + len > file_max)
		return;
	new_bytes(len);
	if (rnd_one_in(&dice, 3)) {
		doing("pwritev2 APPEND %ju to %ju", len, size);
		BOTH(pwritev2(p->fd, v, three(v, p->buf, len), 0, RWF_APPEND));
		return;
	}
	doing("append %ju to %ju", len, size);
	BOTH(write(p->append, p->buf, len));
	BOTH(lseek(p->append, 0, SEEK_CUR));
}

static void do_direct_write(void)
{
	u64 len = (some_len() + BLOCK) / BLOCK * BLOCK, off;

	if (len > BYTES_MAX || len > file_max)
		return;
	off = some_off(len) / BLOCK * BLOCK;
	new_bytes(len);
	doing("direct write %ju at %ju", len, off);
	BOTH(pwrite(p->direct, p->buf, len, off));
}

static void do_truncate(void)
{
	u64 size = rnd_one_in(&dice, 8) ? 0 : rnd_below(&dice, file_max + 1);

	if (rnd_one_in(&dice, 2)) {
		doing("truncate to %ju", size);
		BOTH(truncate(p->path, size));
	} else {
		doing("ftruncate to %ju", size);
		BOTH(ftruncate(p->fd, size));
	}
}

static void do_fallocate(void)
{
	static const int modes[] = {
		0,
		FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE,
		FALLOC_FL_INSERT_RANGE,
	};
	int mode = modes[rnd_below(&dice, ARRAY_SIZE(modes))];
	u64 len = some_len(), off = some_off(len);

	if (mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) {
		len = (1 + rnd_below(&dice, 8)) * BLOCK;
		off = off / BLOCK * BLOCK;
		if (mode & FALLOC_FL_INSERT_RANGE && size_now() + len > file_max)
			return;
	}
	doing("fallocate %#x %ju at %ju", mode, len, off);
	BOTH(fallocate(p->fd, mode, off, len));
}

/* Until all is copied, as the count of one call means nothing. */
static long copy_all(const struct place *p, u64 from, u64 to, u64 len)
{
	loff_t in = from, out = to;
	long n, done = 0;

	while (len) {
		n = copy_file_range(p->fd, &in, p->fd, &out, len, 0);
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += n;
		len -= n;
	}
	return done;
}

static void do_copy(void)
{
	u64 len = some_len(), from = some_off(len), to = some_off(len);
	u64 size = size_now();

	/* What is behind the end may overlap, as far as the VFS knows. */
	len = from < size ? len < size - from ? len : size - from : 0;
	doing("copy_file_range %ju from %ju to %ju", len, from, to);
	BOTH(copy_all(p, from, to, len));
}

static void do_reopen(void)
{
	int flags = rnd_one_in(&dice, 8) ? O_TRUNC : 0;

	doing("open again, %#x", flags);
	place_close(&place[0]);
	place_open(&place[0], flags);
	place_close(&place[via]);
	place_open(&place[via], flags);
}

static void do_sync(void)
{
	doing("sync");
	switch (rnd_below(&dice, 3)) {
	case 0:
		BOTH(fsync(p->fd));
		break;
	case 1:
		BOTH(fdatasync(p->fd));
		break;
	case 2:
		BOTH(sync_file_range(p->fd, 0, 0, SYNC_FILE_RANGE_WRITE));
		break;
	}
}

static void do_read(void)
{
	u64 len = some_len(), off = some_off(len);
	struct iovec v[3];
	long n;

	if (rnd_one_in(&dice, 3)) {
		doing("preadv %ju at %ju", len, off);
		BOTH(n = preadv(p->fd, v, three(v, p->buf, len), off));
	} else {
		doing("pread %ju at %ju", len, off);
		BOTH(n = pread(p->fd, p->buf, len, off));
	}
	same_bytes(n, off);
}

static void do_direct_read(void)
{
	u64 len = (some_len() + BLOCK) / BLOCK * BLOCK, off;
	long n;

	if (len > BYTES_MAX || len > file_max)
		return;
	off = some_off(len) / BLOCK * BLOCK;
	doing("direct read %ju at %ju", len, off);
	BOTH(n = pread(p->direct, p->buf, len, off));
	same_bytes(n, off);
}

/* What is behind the end in the last page has to be zeros. */
static void do_mapped(void)
{
	u64 size = size_now(), len = some_len(), off = some_off(len), i;
	u64 end = (size + BLOCK - 1) / BLOCK * BLOCK;
	const char *map = place[via].map;
	long n;

	if (size > file_max)
		wrong("the file has %ju bytes", size);
	doing("mapped %ju at %ju of %ju", len, off, size);
	n = pread(place[0].fd, place[0].buf, len, off);
	if (n <= 0)
		return;
	memcpy(place[via].buf, map + off, n);
	same_bytes(n, off);
	for (i = size; i < end && i < file_max; i++)
		if (map[i])
			wrong("byte %ju behind the end is %#x", i - size, map[i]);
}

static long through_pipe(const struct place *p, u64 off, u64 len)
{
	loff_t pos = off;
	int fd[2];
	long n, m = 0;

	if (pipe(fd))
		return -1;
	n = splice(p->fd, &pos, fd[1], NULL, len, 0);
	if (n > 0)
		m = read(fd[0], p->buf, n);
	close(fd[0]);
	close(fd[1]);
	return n < 0 ? n : m;
}

/* As long as a pipe; how much of it comes at once is not for us to say. */
static void do_splice(void)
{
	u64 len = 1 + rnd_below(&dice, 16 * BLOCK), off = some_off(len);
	long n, m;

	doing("splice %ju at %ju", len, off);
	n = through_pipe(&place[0], off, len);
	m = through_pipe(&place[via], off, len);
	if (n < 0 || m < 0 || !n != !m)
		wrong("splice returned %ld, not %ld, errno %d", m, n, errno);
	same_bytes(n < m ? n : m, off);
}

static void do_stat(void)
{
	struct stat a, b;

	doing("stat");
	if (fstat(place[0].fd, &a) || fstat(place[via].fd, &b))
		wrong("fstat: errno %d", errno);
	if (a.st_size != b.st_size)
		wrong("size is %lld, not %lld", (long long)b.st_size,
		      (long long)a.st_size);
	if (stat(place[via].path, &b) || a.st_size != b.st_size)
		wrong("size by name is %lld, not %lld", (long long)b.st_size,
		      (long long)a.st_size);
	BOTH(lseek(p->fd, 0, SEEK_END));
}

/* Where holes are is the filesystem's to say; but they are zeros. */
static void do_seek(void)
{
	u64 off = some_off(0), size = size_now(), i;
	off_t data;
	long n;

	doing("seek from %ju of %ju", off, size);
	data = lseek(place[via].fd, off, SEEK_DATA);
	if (data < 0 && errno != ENXIO)
		wrong("SEEK_DATA: errno %d", errno);
	if (data >= 0 && (off >= size || data < (off_t)off))
		wrong("SEEK_DATA is %lld", (long long)data);
	if (data < 0)
		data = size;
	if (data <= (off_t)off)
		return;
	n = data - off < BYTES_MAX ? data - off : BYTES_MAX;
	n = pread(place[0].fd, place[0].buf, n, off);
	for (i = 0; (long)i < n; i++)
		if (place[0].buf[i])
			wrong("byte %ju is no hole", off + i);
}

static void do_drop(void)
{
	doing("advice");
	switch (rnd_below(&dice, 3)) {
	case 0:
		BOTH(posix_fadvise(p->fd, 0, 0, POSIX_FADV_DONTNEED));
		break;
	case 1:
		BOTH(posix_fadvise(p->fd, 0, 0, POSIX_FADV_WILLNEED));
		break;
	case 2:
		BOTH(readahead(p->fd, 0, file_max));
		break;
	}
}

static void do_sendfile(void)
{
	off_t end = lseek(place[0].fd, 0, SEEK_END), pos = 0;

	/* To its own end: a read and a write of one file at the same time. */
	if (!end || end > BLOCK || end * 2 > (off_t)file_max)
		return;
	doing("sendfile %lld to the end", (long long)end);
	BOTH((lseek(p->fd, 0, SEEK_END), pos = 0,
	      sendfile(p->fd, p->fd, &pos, end)));
}

struct op {
	unsigned int weight;
	void (*fn)(void);
};

static void pick(const struct op *ops)
{
	const struct op *o;
	u64 sum = 0, n;

	for (o = ops; o->fn; o++)
		sum += o->weight;
	n = rnd_below(&dice, sum);
	for (o = ops; n >= o->weight; o++)
		n -= o->weight;
	o->fn();
}

void one_read(void)
{
	static const struct op ops[] = {
		{ 8, do_read },
		{ 3, do_direct_read },
		{ 5, do_mapped },
		{ 2, do_splice },
		{ 4, do_stat },
		{ 2, do_seek },
		{ 1, do_drop },
		{},
	};

	pick(ops);
}

void one_change(void)
{
	static const struct op ops[] = {
		{ 10, do_write },
		{ 5, do_append },
		{ 3, do_direct_write },
		{ 4, do_truncate },
		{ 5, do_fallocate },
		{ 3, do_copy },
		{ 1, do_sendfile },
		{ 1, do_reopen },
		{ 2, do_sync },
		{},
	};

	pick(ops);
}
