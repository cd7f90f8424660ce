// SPDX-License-Identifier: GPL-2.0
/*
 * READ: bytes of files; SEEK: where there are some.
 *
 * Four ways. What the page cache has, up to 64 KiB, is copied at once on the
 * loop's thread. A large read under a lease needs no copy, because no change
 * of the file begins before the lease is back, and it comes back after the
 * answer was dropped: a worker puts references to pages into a pipe. For a
 * reader on this host, what is in the page cache is sent from where it is
 * mapped, without a worker: send(2) copies then what splice(2) would not, but
 * the reader's core has to touch the bytes anyway, and finds them in its cache.
 * Without a lease the file may change while the answer is still on its way;
 * pages would change with it, so that is copied by a worker.
 *
 * Attributes are taken before the bytes: when the file changes beside gns in
 * between, they look too old, never too new, and the next read finds out.
 */
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "origin/posix_int.h"

#define FAST_MAX (64u << 10)
#define SPLICE_MIN (128u << 10)
/*
 * Bytes answered from windows in one round of the loop: what a satellite asks
 * for at once, and some ten milliseconds of copying. What is asked for beyond
 * that goes through the workers, and all the others get their turn.
 */
#define ROUND_MAX (64u << 20)

/* Bytes that are there of @len from @off on. */
static u32 there(const struct gns_attr *attr, u64 off, u32 len)
{
	return off >= attr->size ? 0 : (u32)min_u64(len, attr->size - off);
}

static void put_answer(struct gns_fsop *op, const struct gns_attr *attr,
		       struct gns_bulk *bulk, u32 len)
{
	const struct gns_m_range *req = &op->req->range;

	op->self = *attr;
	op->bulk = bulk;
	op->rep.payload_len = len;
	/* Less than asked for says that there was no more. */
	op->rep.r_obj.eof = len < req->len || req->off + len >= attr->size;
}

/* A copy, if the page cache has it all. */
static struct gns_bulk *copy_cached(struct posix *p, int fd, u64 off, u32 len)
{
	struct gns_bulk *bulk;
	struct iovec iov;
	u8 *data;

	bulk = gns_buf_new(len, &data);
	if (!bulk)
		return NULL;
	iov = (struct iovec){ data, len };
	if (preadv2(fd, &iov, 1, (off_t)off, RWF_NOWAIT) != (ssize_t)len) {
		bulk->release(bulk);
		return NULL;
	}
	atomic_fetch_add(&p->copy_bytes, len);
	return bulk;
}

/* The same without a copy, if this round may. */
static struct gns_bulk *map_cached(struct posix *p, struct pobj *po, int fd,
				   u64 off, u32 len)
{
	u64 now = uv_now(p->loop);
	struct gns_bulk *bulk;

	if (p->sent_at != now) {
		p->sent_at = now;
		p->sent = 0;
	}
	if (p->sent + len > ROUND_MAX)
		return NULL;
	bulk = gns_window_get(p->windows, &po->windows, fd, off, len);
	if (bulk) {
		p->sent += len;
		p->stats.mapped_bytes += len;
	}
	return bulk;
}

/* Answer from the page cache; false: a worker has to. */
bool read_fast(struct posix *p, struct pobj *po, const struct gns_cred *id,
	       struct gns_fsop *op)
{
	const struct gns_m_range *req = &op->req->range;
	bool map = op->leased && op->local && req->len > FAST_MAX;
	u32 max = map ? GNS_READ_MAX : FAST_MAX;
	int fd = atomic_load(&po->fd[FD_READ]);
	struct gns_bulk *bulk;
	struct gns_attr attr;
	u32 len;

	if (fd < 0 || req->len > max || req->off > (u64)INT64_MAX - max)
		return false;
	if (acl_pobj_stat(po, fd, &attr) ||
	    !cred_known(po, id, fd, &attr, R_OK))
		return false;
	len = there(&attr, req->off, req->len);
	if (!len) {
		put_answer(op, &attr, NULL, 0);
		return true;
	}
	if (map)
		bulk = map_cached(p, po, fd, req->off, len);
	else
		bulk = copy_cached(p, fd, req->off, len);
	if (!bulk)
		return false;
	put_answer(op, &attr, bulk, len);
	return true;
}

/* Returns the bytes read, less than @len at the end of the file only. */
static s64 read_bytes(int fd, u8 *data, u32 len, u64 off)
{
	u32 got = 0;
	ssize_t n;

	while (got < len) {
		n = pread(fd, data + got, len - got, (off_t)(off + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		got += (u32)n;
	}
	return got;
}

static int read_copy(struct job *j, int fd, const struct gns_attr *attr,
		     u32 len)
{
	struct gns_bulk *bulk;
	u8 *data;
	s64 n;

	bulk = gns_buf_new(len, &data);
	if (!bulk)
		return -ENOMEM;
	n = read_bytes(fd, data, len, j->op->req->range.off);
	if (n < 0) {
		bulk->release(bulk);
		return (int)n;
	}
	put_answer(j->op, attr, bulk, (u32)n);
	atomic_fetch_add(&j->p->copy_bytes, (u64)n);
	return 0;
}

/* False: the bytes have to be copied after all. */
static bool read_splice(struct job *j, int fd, const struct gns_attr *attr,
			u32 len)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	off_t off = (off_t)j->op->req->range.off;
	struct gns_bulk *bulk;
	u32 got = 0, slots;
	ssize_t n = 0;
	int wr;

	/* Every page touched takes a slot, however little of it is used. */
	slots = (u32)(((u64)off % page + len + page - 1) / page);
	bulk = gns_pipe_get(j->p->pipes, slots, &wr);
	if (!bulk)
		return false;
	while (got < len) {
		/* A full pipe must not stop the thread for good. */
		n = splice(fd, &off, wr, NULL, len - got, SPLICE_F_NONBLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (u32)n;
	}
	if (n < 0) {
		bulk->release(bulk);
		return false;
	}
	put_answer(j->op, attr, bulk, got);
	atomic_fetch_add(&j->p->splice_bytes, got);
	return true;
}

int do_read(struct job *j)
{
	const struct gns_m_range *req = &j->op->req->range;
	int fd = pobj_data(j->po, FD_READ);
	struct gns_attr attr;
	u32 len;
	int err;

	if (fd < 0)
		return fd;
	if (req->len > GNS_READ_MAX || req->off > INT64_MAX - GNS_READ_MAX)
		return -EINVAL;
	err = acl_pobj_stat(j->po, fd, &attr);
	if (!err)
		err = cred_may_read(&j->id, fd, &attr);
	if (err)
		return err;
	len = there(&attr, req->off, req->len);
	if (!len) {
		put_answer(j->op, &attr, NULL, 0);
		return 0;
	}
	if (j->op->leased && len >= SPLICE_MIN &&
	    read_splice(j, fd, &attr, len))
		return 0;
	return read_copy(j, fd, &attr, len);
}

/*
 * The descriptor is shared, its offset with it: nobody reads by that.
 */
int do_seek(struct job *j)
{
	const struct gns_m_seek *req = &j->op->req->seek;
	int whence = req->whence == GNS_SK_HOLE ? SEEK_HOLE : SEEK_DATA;
	int fd = pobj_data(j->po, FD_READ);
	struct gns_attr attr;
	off_t at;
	int err;

	if (fd < 0)
		return fd;
	if (req->off > INT64_MAX)
		return -ENXIO;
	err = fd_stat(fd, &attr);
	if (!err)
		err = cred_may_read(&j->id, fd, &attr);
	if (err)
		return err;
	at = lseek(fd, (off_t)req->off, whence);
	if (at < 0)
		return -errno;
	j->op->rep.r_seek.off = (u64)at;
	return 0;
}
