// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a directory. One getdents(2) is served by the cached listing, or by
 * one answer of the origin: its entries are of one version.
 *
 * An answer has the attributes, and leases, of the children with it, so that
 * "ls -lR" asks once for each directory. It is kept in the listing if the
 * directory's lease covers it, else it serves this call and no other. In a large
 * directory only those get them who look at the children: names alone take a
 * fraction of the time.
 */
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "dir.h"
#include "file.h"
#include "listing.h"
#include "sets.h"

/* Bytes of one answer, with some 200 for an entry. Most directories are small;
 * who comes for more gets all that one answer can have. Of a large one nobody
 * may want but the names, and on a cold disk each object's attributes are as
 * dear to the origin as a hundred names.
 */
#define FIRST_LEN (32u << 10)
#define NEXT_LEN GNS_UDIR_MAX
/* For one call: about what a reader's buffer takes. */
#define PASS_LEN (128u << 10)

/* Names that are asked for one by one, in no order, before many are. */
#define MISSES 16
/* How many that is: it costs an origin about what the misses did. Twice as many
 * each time while it is of use.
 */
#define BEHIND_MIN 256u
#define BEHIND_MAX 8192u
#define BEHIND_BYTES 256u

/* Of a mount; each has NEXT_LEN bytes, until its directory is closed. */
#define AHEAD_CALLS 16

#define GOT 1

/**
 * struct reply - an answer on its way to the reader
 * @cookie: what is asked for is behind it
 * @len:    bytes
 * @names:  they will do
 * @cred:   who has opened the directory, or asks without that
 * @c:      the call
 * @chunk:  what it brought
 * @stamp:  dgen that it is of; 0: it is of now only
 */
struct reply {
	u64 cookie;
	u32 len;
	bool names;
	const struct cred *cred;
	struct gns_bufcall *c;
	struct gns_chunk *chunk;
	u64 stamp;
};

static u32 ask_len(u64 cookie)
{
	return cookie ? NEXT_LEN : FIRST_LEN;
}

static struct gns_bufcall *call_new(struct gns_inode *gi, const struct reply *r)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	struct gns_bufcall *c;

	c = gns_bufcall_new(gi->s, gsb, GNS_CALL_READDIR, r->cred,
			    r->len);
	if (!c)
		return NULL;
	c->c.req.fh = gi->fh;
	c->c.req.off = r->cookie;
	c->c.req.want = GNS_UWANT_LEASE | (r->names ? GNS_UWANT_NAMES : 0);
	gns_count(gsb, GNS_C_READDIRS, 1);
	return c;
}

/* @epoch: of the directory's lease when r->c was sent. */
static int answered(struct gns_inode *gi, u64 epoch, struct reply *r)
{
	const struct gns_answer *ans = &r->c->c.ans;
	struct gns_chunk *chunk;

	chunk = gns_chunk_new(gi, r->c->buf, ans->len, r->cookie,
			      ans->flags & GNS_UF_EOF);
	if (IS_ERR(chunk))
		return PTR_ERR(chunk);
	r->chunk = chunk;
	r->stamp = gns_names_stamp(gi, epoch, ans->sid, &ans->grant,
				   &ans->attr);
	return 0;
}

static int ask(struct gns_inode *gi, struct reply *r)
{
	u64 epoch;
	int err;

	r->c = call_new(gi, r);
	if (!r->c)
		return -ENOMEM;
	if (!r->names) {
		WRITE_ONCE(gi->used, 0);
		WRITE_ONCE(gi->missed, 0);
	}
	if (!gns_lease_enter(gi, &epoch))
		epoch = 0;
	err = gns_call_sync(&r->c->c);
	return err ? gns_not_absent(err) : answered(gi, epoch, r);
}

static void reply_free(struct reply *r)
{
	gns_chunk_free(r->chunk);
	if (r->c)
		gns_call_put(&r->c->c);
	r->chunk = NULL;
	r->c = NULL;
}

/* No call any more that is ahead of the reader; the caller puts it. */
static struct gns_bufcall *ahead_end(struct gns_dir_at *at)
{
	struct gns_bufcall *c = at->ahead;

	at->ahead = NULL;
	if (c)
		atomic_dec(&c->c.gsb->aheads);
	return c;
}

static void ahead_drop(struct gns_dir_at *at)
{
	struct gns_bufcall *c = ahead_end(at);

	if (!c)
		return;
	gns_call_abort(&c->c, -EINTR);
	gns_call_put(&c->c);
}

/*
 * Who has come for names comes for the next ones: the origin looks for them
 * while he looks at these. No answer is waited for here, and none is of use but
 * under the lease.
 */
static void ahead_ask(struct gns_inode *gi, struct gns_dir_at *at,
		      const struct reply *r)
{
	struct reply next = { .cookie = r->chunk->last,
			      .names = true,
			      .cred = r->cred };
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	struct gns_bufcall *c;

	if (!r->names || r->chunk->eof)
		return;
	ahead_drop(at);
	if (!atomic_add_unless(&gsb->aheads, 1, AHEAD_CALLS))
		return;
	next.len = NEXT_LEN;
	c = call_new(gi, &next);
	if (c && gns_lease_enter(gi, &at->ahead_epoch) &&
	    !gns_call_submit(&c->c)) {
		at->ahead = c;
		return;
	}
	atomic_dec(&gsb->aheads);
	if (c)
		gns_call_put(&c->c);
}

/*
 * It was asked for before the reader came. So it is right only if no change has
 * come since, which the lease tells; else he asks again.
 */
static bool ahead_take(struct gns_inode *gi, struct gns_dir_at *at,
		       struct reply *r)
{
	struct gns_bufcall *c = at->ahead;

	if (!c || !r->names || c->c.req.off != r->cookie)
		return false;
	r->c = ahead_end(at);
	if (!gns_call_wait(&c->c) && !answered(gi, at->ahead_epoch, r) &&
	    r->stamp)
		return true;
	reply_free(r);
	return false;
}

/*
 * Names without anything behind them are what somebody gets who may read the
 * directory and not search it; others shall see more.
 */
static bool is_worth_keeping(const struct reply *r)
{
	return r->names || !r->chunk->bare || !r->chunk->n;
}

static void prime(struct dentry *parent, const struct reply *r)
{
	struct gns_found f = { .sid = r->c->c.ans.sid, .stamp = r->stamp };
	const void *buf = r->c->buf;
	const struct gns_udirent *d;
	u32 pos;

	for (pos = 0; pos < r->c->c.ans.len; pos += d->reclen) {
		d = buf + pos;
		if (!(d->flags & GNS_UD_ATTR))
			continue;
		if (fatal_signal_pending(current))
			return;
		f.name = (struct qstr)QSTR_INIT((const char *)(d + 1),
						d->namelen);
		f.fh = &d->fh;
		f.attr = &d->attr;
		f.grant = (struct gns_grant){ d->version, d->number,
					      r->c->c.ans.grant.asked };
		gns_name_prime(parent, &f);
		cond_resched();
	}
}

/* Does the listing go on behind @cookie, by now? */
static bool goes_on(struct gns_inode *gi, struct gns_dir_at *at, u64 cookie)
{
	struct gns_listing *l = gns_listing_live(gi);
	bool ret;

	if (!l)
		return false;
	ret = gns_listing_walk(l, at, NULL, cookie) == GNS_WALK_ENOUGH;
	gns_listing_free(l);
	return ret;
}

/*
 * Ask for what is behind @cookie, and keep it if that is right. Readers of one
 * directory take turns, and the next one finds what the first has got. Where
 * answers can not be kept nobody waits for another.
 *
 * Return: 0; GOT: somebody else has got it.
 */
static int ask_and_keep(struct file *file, u64 cookie, struct reply *r,
			struct gns_listing **l)
{
	struct gns_inode *gi = gns_i(file_inode(file));
	struct gns_dir_at *at = file->private_data;
	bool turns = !at->pass;
	int err = GOT;

	r->cookie = cookie;
	r->len = turns ? ask_len(cookie) : PASS_LEN;
	r->names = cookie && READ_ONCE(gi->used) < GNS_USED_ENOUGH;
	if (turns && mutex_lock_killable(&gi->ask))
		return -EINTR;
	if (!turns || !goes_on(gi, at, cookie))
		err = ahead_take(gi, at, r) ? 0 : ask(gi, r);
	if (!err && r->stamp && is_worth_keeping(r))
		*l = gns_listing_add(gi, r->stamp, r->chunk);
	if (turns)
		mutex_unlock(&gi->ask);
	return err;
}

/* Serve one call from one answer. */
static int serve(struct file *file, struct dir_context *ctx, u64 cookie)
{
	struct gns_dir_at *at = file->private_data;
	struct gns_listing *l = NULL;
	struct reply r = { .cred = file->f_cred };
	u32 off = 0;
	int err;

	err = ask_and_keep(file, cookie, &r, &l);
	if (err)
		goto out;
	at->pass = !l;
	if (l)
		ahead_ask(gns_i(file_inode(file)), at, &r);
	if (r.stamp)
		prime(file->f_path.dentry, &r);
	gns_chunk_emit(r.chunk, &off, ctx);
	if (l) {
		at->id = l->id;
		at->cookie = gns_pos_to_cookie(ctx->pos);
		at->chunk = r.chunk;
		at->off = off;
		r.chunk = NULL;
		gns_listing_free(l);
	}
out:
	reply_free(&r);
	return err;
}

static int gns_iterate(struct file *file, struct dir_context *ctx)
{
	struct gns_inode *gi = gns_i(file_inode(file));
	struct gns_dir_at *at = file->private_data;
	struct gns_listing *l;
	enum gns_walk walk;
	loff_t begun;
	int err;

	err = gns_guard_check(file);
	if (err)
		return err;
	if (!dir_emit_dots(file, ctx))
		return 0;
	begun = ctx->pos;
	if (begun == GNS_POS_START)
		gns_listing_cool(gi);
	do {
		l = gns_listing_live(gi);
		if (l) {
			walk = gns_listing_walk(l, at, ctx,
						gns_pos_to_cookie(begun));
			gns_listing_free(l);
			/* The rest may be of another version. */
			if (walk == GNS_WALK_ENOUGH || ctx->pos != begun)
				return 0;
		}
		err = serve(file, ctx, gns_pos_to_cookie(begun));
	} while (err == GOT);
	return err;
}

static int fetch(struct dentry *dentry, u64 cookie)
{
	struct gns_inode *gi = gns_i(d_inode(dentry));
	struct reply r = { .cookie = cookie, .cred = current_cred() };
	struct gns_listing *l = NULL;
	int err;

	r.len = ask_len(cookie);
	if (mutex_lock_killable(&gi->ask))
		return -EINTR;
	err = ask(gi, &r);
	if (!err && r.stamp && is_worth_keeping(&r))
		l = gns_listing_add(gi, r.stamp, r.chunk);
	mutex_unlock(&gi->ask);
	if (l) {
		prime(dentry, &r);
		r.chunk = NULL;
		gns_listing_free(l);
	}
	reply_free(&r);
	return l ? 0 : -EAGAIN;
}

static struct gns_listing *fetch_all(struct dentry *dentry, u64 most)
{
	struct gns_inode *gi = gns_i(d_inode(dentry));
	struct gns_listing *l, *whole;
	u64 cookie, n;

	for (;;) {
		l = gns_listing_live(gi);
		n = l ? READ_ONCE(l->n) : 0;
		whole = gns_listing_whole(gi, &cookie);
		gns_listing_free(l);
		/* The one that is live is it that is whole. */
		if (whole && whole == l)
			return whole;
		gns_listing_free(whole);
		if (n > most || fetch(dentry, l ? cookie : 0) ||
		    fatal_signal_pending(current))
			return NULL;
	}
}

struct gns_listing *gns_listing_fetch(struct inode *dir, u64 most, bool wait)
{
	struct dentry *dentry = d_find_any_alias(dir);
	struct gns_listing *l = NULL;

	if (!dentry)
		return NULL;
	if (wait)
		inode_lock_shared(dir);
	else if (!inode_trylock_shared(dir))
		goto out;
	if (!IS_DEADDIR(dir))
		l = fetch_all(dentry, most);
	inode_unlock_shared(dir);
out:
	dput(dentry);
	return l;
}

/* Bytes of an answer for as many names as shall be asked for at a miss. */
static u32 behind(struct gns_inode *gi)
{
	lockdep_assert_held(&gi->ask);
	gi->behind = READ_ONCE(gi->used) ? min(gi->behind * 2, BEHIND_MAX) : 0;
	gi->behind = max(gi->behind, BEHIND_MIN);
	return min(gi->behind * BEHIND_BYTES, NEXT_LEN);
}

/* What is behind the next names of the listing. */
static void know_more(struct dentry *dentry)
{
	struct gns_inode *gi = gns_i(d_inode(dentry));
	struct gns_listing *l;
	struct reply r = { .cred = current_cred() };
	bool known = false;

	/* Somebody else is at it, or lists more names. */
	if (!mutex_trylock(&gi->ask))
		return;
	l = gns_listing_live(gi);
	if (l && gns_listing_unknown(gi, l, &r.cookie)) {
		r.len = behind(gi);
		known = !ask(gi, &r) && r.stamp;
		if (known)
			gns_listing_know(gi, l, r.chunk);
	}
	mutex_unlock(&gi->ask);
	if (known)
		prime(dentry, &r);
	reply_free(&r);
	gns_listing_free(l);
}

void gns_listing_missed(struct dentry *dir, bool next)
{
	struct gns_inode *gi = gns_i(d_inode(dir));
	u32 n = READ_ONCE(gi->missed) + 1;

	WRITE_ONCE(gi->missed, n);
	if ((next || n >= MISSES) && READ_ONCE(gi->listing))
		know_more(dir);
}

static int dir_open(struct inode *inode, struct file *file)
{
	struct gns_dir_at *at = kzalloc(sizeof(*at), GFP_KERNEL_ACCOUNT);

	file->private_data = at;
	return at ? 0 : -ENOMEM;
}

static int dir_release(struct inode *inode, struct file *file)
{
	ahead_drop(file->private_data);
	kfree(file->private_data);
	return 0;
}

/* Any position that was told before may be gone to; there is no known end. */
static loff_t dir_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence == SEEK_CUR && check_add_overflow(offset, file->f_pos,
						     &offset))
		return -EOVERFLOW;
	if ((whence != SEEK_SET && whence != SEEK_CUR) || offset < 0)
		return -EINVAL;
	return vfs_setpos(file, offset, S64_MAX);
}

const struct file_operations gns_dir_fops = {
	.open = dir_open,
	.release = dir_release,
	.read = generic_read_dir,
	.iterate_shared = gns_iterate,
	.llseek = dir_llseek,
	.unlocked_ioctl = gns_dir_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.fsync = gns_fsync,
	.lock = gns_lock,
	.flock = gns_flock,
};
