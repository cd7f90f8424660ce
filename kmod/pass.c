// SPDX-License-Identifier: GPL-2.0
/*
 * Reads past the page cache: O_DIRECT, and where no lease is to be had. Pieces
 * of up to GNS_UREAD_MAX go straight to the origin, several at once, and from
 * the helper's buffer by way of one of ours to the reader's memory, which may
 * fault.
 *
 * They are sent with epoch 0: nobody shares their answers, so each shows the
 * object as it is after the read began. What is of the version that is held by
 * a lease is kept on the cache's devices, and nowhere else.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "async.h"
#include "cache/cache.h"
#include "file.h"
#include "lock.h"

/* Pieces in flight: of one read; of a mount, before a read has to do with one. */
#define PIECES_MAX 8u
#define PIECES_MOUNT 32

/* How often a piece is asked for again that makes no sense. */
#define PIECE_TRIES 3u

/**
 * struct pass - one read past the cache
 * @file:    read from
 * @gsb:     its mount
 * @gi:      its inode
 * @version: newest that was seen; what is older is asked for again
 * @size:    of the file, as far as is known; only guides how much is asked for
 * @next:    where the next piece begins
 * @end:     of the read
 * @first:   oldest piece in flight
 * @n:       pieces in flight
 * @piece:   a ring of them
 */
struct pass {
	struct file *file;
	struct gns_sb *gsb;
	struct gns_inode *gi;
	u64 version;
	u64 size;
	u64 next;
	u64 end;
	u32 first;
	u32 n;
	struct gns_bufcall *piece[PIECES_MAX];
};

static void pass_init(struct pass *p, struct file *file, u64 pos, u64 len)
{
	struct inode *inode = file_inode(file);

	memset(p, 0, sizeof(*p));
	p->file = file;
	p->gsb = gns_isb(inode);
	p->gi = gns_i(inode);
	p->size = READ_ONCE(p->gi->size);
	p->next = pos;
	p->end = pos + len;
}

static struct gns_bufcall *piece_new(struct pass *p, u64 pos, u32 len)
{
	struct gns_bufcall *b;

	b = gns_bufcall_new(p->gi->s, p->gsb, GNS_CALL_READ, p->file->f_cred,
			    len);
	if (!b)
		return NULL;
	b->c.req.fh = p->gi->fh;
	b->c.req.off = pos;
	return b;
}

/*
 * Is it what was asked for? 0; -EAGAIN: older than what this read has shown
 * already, or the object changed around it; -EIO: the origin is wrong.
 */
static int piece_judge(struct pass *p, const struct gns_call *c)
{
	const struct gns_answer *ans = &c->ans;
	u64 left = ans->attr.size > c->req.off ? ans->attr.size - c->req.off :
						 0;

	if (ans->grant.version && ans->grant.version < p->version)
		return -EAGAIN;
	if (ans->len == min_t(u64, left, c->req.len)) {
		p->version = max(p->version, ans->grant.version);
		p->size = ans->attr.size;
		return 0;
	}
	return ans->grant.version ? -EIO : -EAGAIN;
}

/* Ask, wait, ask again where that may help. The call is the caller's. */
static int piece_sync(struct pass *p, u64 pos, u32 len, struct gns_bufcall **ret)
{
	struct gns_bufcall *b;
	bool answered;
	u32 tries = 0;
	int err;

	do {
		b = piece_new(p, pos, len);
		if (!b)
			return -ENOMEM;
		err = gns_not_absent(gns_call_sync(&b->c));
		answered = !err;
		if (answered)
			err = piece_judge(p, &b->c);
		if (!err) {
			*ret = b;
			return 0;
		}
		if (err == -EIO && answered)
			gns_err(p->gsb,
				"READ at %llu: %u of %u bytes, size %llu; look at the origin's log\n",
				pos, b->c.ans.len, len, b->c.ans.attr.size);
		gns_call_put(&b->c);
	} while (err == -EAGAIN && ++tries < PIECE_TRIES);
	return err == -EAGAIN ? -EIO : err;
}

static bool more_wanted(const struct pass *p)
{
	if (p->next >= p->end || p->n == PIECES_MAX)
		return false;
	/* The first one finds out where the file ends. */
	if (!p->n)
		return true;
	return p->next < p->size &&
	       atomic_read(&p->gsb->pieces) < PIECES_MOUNT;
}

/* Put pieces on their way. Only the first one has to succeed. */
static int pass_send(struct pass *p)
{
	struct gns_bufcall *b;
	u32 len;
	int err;

	while (more_wanted(p)) {
		len = min_t(u64, p->end - p->next, GNS_UREAD_MAX);
		b = piece_new(p, p->next, len);
		err = b ? gns_call_submit(&b->c) : -ENOMEM;
		if (err) {
			if (b)
				gns_call_put(&b->c);
			return p->n ? 0 : err;
		}
		atomic_inc(&p->gsb->pieces);
		p->piece[(p->first + p->n++) % PIECES_MAX] = b;
		p->next += len;
	}
	return 0;
}

static struct gns_bufcall *pass_shift(struct pass *p)
{
	struct gns_bufcall *b = p->piece[p->first];

	p->first = (p->first + 1) % PIECES_MAX;
	p->n--;
	atomic_dec(&p->gsb->pieces);
	return b;
}

/* The next piece in order, answered. */
static int pass_next(struct pass *p, struct gns_bufcall **ret)
{
	struct gns_bufcall *b;
	u64 pos;
	u32 len;
	int err;

	err = pass_send(p);
	if (err == -EBUSY) {
		/* Too many calls wait: so does this one, without company. */
		pos = p->next;
		len = min_t(u64, p->end - pos, GNS_UREAD_MAX);
		p->next += len;
		return piece_sync(p, pos, len, ret);
	}
	if (err)
		return err;
	b = pass_shift(p);
	err = gns_not_absent(gns_call_wait(&b->c)) ?: piece_judge(p, &b->c);
	if (!err) {
		*ret = b;
		return 0;
	}
	pos = b->c.req.off;
	len = b->c.req.len;
	/* A wrong answer is worth another question. */
	if (err == -EAGAIN || err == -EBUSY || (err == -EIO && !b->c.ans.err))
		err = piece_sync(p, pos, len, ret);
	gns_call_put(&b->c);
	return err;
}

/* Bytes have their version for a name: an old one's are of no use to anybody. */
static void piece_keep(struct gns_inode *gi, const struct gns_call *c,
		       const void *buf)
{
	if (c->ans.grant.version == READ_ONCE(gi->version) && gns_lease_ok(gi))
		gns_cobj_keep_copy(gi->cobj, c->ans.grant.version,
				   c->ans.attr.size, c->req.off, buf,
				   c->ans.len);
}

static void count(const struct kiocb *iocb, size_t bytes)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	gns_count(gns_isb(inode), GNS_C_PASS_BYTES, bytes);
	if (iocb->ki_flags & IOCB_DIRECT && gns_i(inode)->cobj)
		gns_count(gns_isb(inode), GNS_C_DIRECT_COPIED, bytes);
}

static void pass_drop(struct pass *p)
{
	struct gns_bufcall *b;

	while (p->n) {
		b = pass_shift(p);
		gns_call_abort(&b->c, -EINTR);
		gns_call_put(&b->c);
	}
}

ssize_t gns_pass_read(struct kiocb *iocb, struct iov_iter *to, size_t len)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	u64 most = inode->i_sb->s_maxbytes;
	struct gns_bufcall *b;
	ssize_t total = 0;
	struct pass p;
	u32 got, asked;
	size_t copied;
	int err = 0;

	if (iocb->ki_pos >= most)
		return 0;
	pass_init(&p, iocb->ki_filp, iocb->ki_pos,
		  min_t(u64, len, most - iocb->ki_pos));
	while (iocb->ki_pos < p.end) {
		err = pass_next(&p, &b);
		if (err)
			break;
		got = b->c.ans.len;
		asked = b->c.req.len;
		copied = copy_to_iter(b->buf, got, to);
		piece_keep(p.gi, &b->c, b->buf);
		gns_call_put(&b->c);
		iocb->ki_pos += copied;
		total += copied;
		if (copied < got)
			err = -EFAULT;
		/* As of that piece the file ends here. */
		if (copied < asked || iocb->ki_pos >= p.size)
			break;
		cond_resched();
	}
	pass_drop(&p);
	count(iocb, total);
	return gns_read_result(iocb, to, total, err);
}

int gns_pass_probe(struct file *file, u64 pos, struct gns_probed *probed)
{
	struct gns_bufcall *b;
	struct pass p;
	int err;

	pass_init(&p, file, pos, PAGE_SIZE);
	err = piece_sync(&p, pos, PAGE_SIZE, &b);
	if (err)
		return err;
	probed->version = b->c.ans.grant.version;
	probed->size = b->c.ans.attr.size;
	gns_call_put(&b->c);
	return 0;
}

/**
 * struct async_read - a read past the cache that nobody waits for
 * @c:     READ
 * @async: its kiocb
 * @buf:   the answer
 * @to:    the reader's memory, each page with a reference
 * @n:     of @to
 * @user:  the pages are of a process
 * @tries: answers that made no sense
 * @work:  begun by the end of the call
 */
struct async_read {
	struct gns_call c;
	struct gns_async async;
	void *buf;
	struct bio_vec *to;
	u32 n;
	bool user;
	u32 tries;
	struct delayed_work work;
};

static int async_deliver(struct gns_call *c, const struct gns_bytes *bytes)
{
	struct async_read *r = container_of(c, struct async_read, c);

	gns_bytes_copy(bytes, 0, r->buf, bytes->len);
	return 0;
}

static void async_end(struct gns_call *c)
{
	struct async_read *r = container_of(c, struct async_read, c);
	bool busy = c->ans.err == -EBUSY || c->ans.err == -EAGAIN;

	gns_call_get(c);
	queue_delayed_work(c->s->inst->wq, &r->work,
			   busy ? msecs_to_jiffies(GNS_BUSY_MS) : 0);
}

static void async_free(struct gns_call *c)
{
	struct async_read *r = container_of(c, struct async_read, c);
	u32 i;

	for (i = 0; i < r->n; i++)
		put_page(r->to[i].bv_page);
	kvfree(r->to);
	kvfree(r->buf);
	kfree(r);
}

static const struct gns_call_ops async_ops = {
	.deliver = async_deliver,
	.end = async_end,
	.free = async_free,
};

static size_t async_copy(struct async_read *r)
{
	struct iov_iter to;
	size_t copied;
	u32 i;

	iov_iter_bvec(&to, READ, r->to, r->n, r->c.req.len);
	copied = copy_to_iter(r->buf, r->c.ans.len, &to);
	for (i = 0; r->user && i < r->n; i++)
		set_page_dirty_lock(r->to[i].bv_page);
	return copied;
}

/*
 * True: it ends, and the work is done then. Where too many calls wait it is as
 * if the origin had said that it has no time.
 */
static bool async_submit(struct async_read *r, ssize_t *err)
{
	*err = gns_call_submit(&r->c);
	/* Or it was cancelled just now, and ends by that. */
	if (!*err || test_and_set_bit(GNS_CALL_CLAIMED, &r->c.state))
		return true;
	if (*err != -EBUSY)
		return false;
	r->c.ans.err = *err;
	complete(&r->c.done);
	async_end(&r->c);
	return true;
}

/* Ask once more? Else *@ret is what the read gives. */
static bool async_again(struct async_read *r, ssize_t *ret)
{
	struct pass p = {};
	int err = gns_not_absent(r->c.ans.err);

	if (err == -EBUSY || err == -EAGAIN)
		return true;
	if (!err) {
		err = piece_judge(&p, &r->c);
		if (err && ++r->tries < PIECE_TRIES)
			return true;
	}
	*ret = err == -EAGAIN ? -EIO : err;
	return false;
}

static void async_work(struct work_struct *work)
{
	struct async_read *r = container_of(to_delayed_work(work),
					    struct async_read, work);
	struct kiocb *iocb = r->async.iocb;
	ssize_t ret = 0;

	/* Its end may still be looking at it. */
	wait_for_completion(&r->c.done);
	if (!gns_async_is_over(&r->async) && async_again(r, &ret)) {
		gns_call_reset(&r->c);
		if (async_submit(r, &ret))
			goto out;
	}
	if (gns_async_claim(&r->async)) {
		if (!ret)
			ret = gns_guard_check(iocb->ki_filp);
		if (!ret) {
			ret = async_copy(r);
			iocb->ki_pos += ret;
			count(iocb, ret);
			gns_count(r->c.gsb, GNS_C_READ_BYTES, ret);
		}
		if (ret > 0)
			piece_keep(gns_i(file_inode(iocb->ki_filp)), &r->c,
				   r->buf);
		iocb->ki_complete(iocb, ret);
	}
	gns_call_put(&r->c);
out:
	gns_call_put(&r->c);
}

/* The reader's pages, or the error that the read gives. */
static int async_pin(struct async_read *r, struct iov_iter *to, size_t len)
{
	struct page **pages;
	size_t start, left = len, n;
	ssize_t got;
	u32 i, room = iov_iter_npages(to, INT_MAX);

	r->to = kvmalloc_array(room, sizeof(*r->to), GFP_KERNEL);
	if (!r->to)
		return -ENOMEM;
	r->user = user_backed_iter(to);
	while (left) {
		got = iov_iter_get_pages_alloc2(to, &pages, left, &start);
		if (got <= 0)
			return got ? got : -EFAULT;
		left -= got;
		for (i = 0; got; i++) {
			n = min_t(size_t, got, PAGE_SIZE - start);
			if (WARN_ON_ONCE(r->n == room))
				put_page(pages[i]);
			else
				r->to[r->n++] = (struct bio_vec){
					pages[i], n, start
				};
			got -= n;
			start = 0;
		}
		kvfree(pages);
	}
	return 0;
}

static struct async_read *async_new(struct kiocb *iocb, size_t len)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct async_read *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	gns_call_init(&r->c, &async_ops, gns_i(inode)->s, gns_isb(inode),
		      GNS_CALL_READ, iocb->ki_filp->f_cred);
	r->c.req.fh = gns_i(inode)->fh;
	r->c.req.off = iocb->ki_pos;
	r->c.req.len = len;
	INIT_DELAYED_WORK(&r->work, async_work);
	r->buf = kvmalloc(len, GFP_KERNEL_ACCOUNT);
	if (r->buf)
		return r;
	gns_call_put(&r->c);
	return NULL;
}

ssize_t gns_pass_async(struct kiocb *iocb, struct iov_iter *to)
{
	size_t len = iov_iter_count(to);
	struct async_read *r;
	ssize_t err;

	if (iocb->ki_pos >= file_inode(iocb->ki_filp)->i_sb->s_maxbytes)
		return 0;
	r = async_new(iocb, len);
	if (!r)
		return -ENOMEM;
	err = async_pin(r, to, len);
	iov_iter_revert(to, len - iov_iter_count(to));
	if (err) {
		gns_call_put(&r->c);
		/* A device's memory: it can be written to, and not held. */
		return iocb->ki_flags & IOCB_NOWAIT ?
			       -EAGAIN :
			       gns_pass_read(iocb, to, len);
	}
	gns_async_begin(&r->async, iocb, &r->c);
	if (async_submit(r, &err))
		return -EIOCBQUEUED;
	err = gns_async_failed(&r->async, err);
	gns_call_put(&r->c);
	return err;
}

int gns_pass_again(struct kiocb *iocb, const struct bio_vec *to, u32 n,
		   bool user)
{
	struct async_read *r;
	size_t len = 0;
	ssize_t err;
	u32 i;

	/* Nobody would look at the time. */
	if (READ_ONCE(gns_isb(file_inode(iocb->ki_filp))->opt.soft))
		return -EIO;
	for (i = 0; i < n; i++)
		len += to[i].bv_len;
	r = len <= GNS_UREAD_MAX ? async_new(iocb, len) : NULL;
	if (r)
		r->to = kvmalloc_array(n, sizeof(*to), GFP_KERNEL);
	if (!r || !r->to) {
		if (r)
			gns_call_put(&r->c);
		return -EIO;
	}
	memcpy(r->to, to, n * sizeof(*to));
	for (i = 0; i < n; i++)
		get_page(to[i].bv_page);
	r->n = n;
	r->user = user;
	/* By now it can not be cancelled: there was a device that worked on it. */
	r->async.iocb = iocb;
	r->async.c = &r->c;
	if (async_submit(r, &err))
		return -EIOCBQUEUED;
	gns_call_put(&r->c);
	return err;
}
