// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a directory. One getdents(2) is served by the cached listing, or by
 * one answer of the origin: its entries are of one version.
 *
 * An answer has the attributes, and leases, of the children with it, so that
 * "ls -lR" asks once for each directory. It is kept in the listing if the
 * directory's lease covers it, else it serves this call and no other.
 */
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "dir.h"
#include "file.h"
#include "listing.h"

/* Bytes of one answer, with some 200 for an entry. Most directories are small;
 * who comes for more gets all that one answer can have.
 */
#define FIRST_LEN (256u << 10)
#define NEXT_LEN GNS_UDIR_MAX
/* For one call: about what a reader's buffer takes. */
#define PASS_LEN (128u << 10)

#define GOT 1

/** struct reply - an answer on its way to the reader */
struct reply {
	struct gns_bufcall *c;
	struct gns_chunk *chunk;
	u64 stamp;
};

static int ask(struct gns_inode *gi, u64 cookie, u32 len, struct reply *r)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	struct gns_bufcall *c;
	u64 epoch;
	int err;

	c = gns_bufcall_new(gi->s, gsb, GNS_CALL_READDIR, current_cred(), len);
	if (!c)
		return -ENOMEM;
	r->c = c;
	c->c.req.fh = gi->fh;
	c->c.req.off = cookie;
	c->c.req.want = GNS_UWANT_LEASE;
	if (!gns_lease_enter(gi, &epoch))
		epoch = 0;
	gns_count(gsb, GNS_C_READDIRS, 1);
	err = gns_call_sync(&c->c);
	if (err)
		return gns_not_absent(err);
	r->chunk = gns_chunk_new(gi, c->buf, c->c.ans.len, cookie,
				 c->c.ans.flags & GNS_UF_EOF);
	if (IS_ERR(r->chunk)) {
		err = PTR_ERR(r->chunk);
		r->chunk = NULL;
		return err;
	}
	r->stamp = gns_names_stamp(gi, epoch, c->c.ans.sid, &c->c.ans.grant,
				   &c->c.ans.attr);
	return 0;
}

static void reply_free(struct reply *r)
{
	gns_chunk_free(r->chunk);
	if (r->c)
		gns_call_put(&r->c->c);
}

/*
 * Names without anything behind them are what somebody gets who may read the
 * directory and not search it; others shall see more.
 */
static bool is_worth_keeping(const struct reply *r)
{
	const void *buf = r->c->buf;
	const struct gns_udirent *d;
	u32 pos;

	for (pos = 0; pos < r->c->c.ans.len; pos += d->reclen) {
		d = buf + pos;
		if (d->flags & GNS_UD_ATTR)
			return true;
	}
	return !pos;
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
	u32 len = cookie ? NEXT_LEN : FIRST_LEN;
	bool turns = !at->pass;
	int err = GOT;

	if (turns && mutex_lock_killable(&gi->ask))
		return -EINTR;
	if (!turns || !goes_on(gi, at, cookie))
		err = ask(gi, cookie, turns ? len : PASS_LEN, r);
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
	struct reply r = {};
	u32 off = 0;
	int err;

	err = ask_and_keep(file, cookie, &r, &l);
	if (err)
		goto out;
	at->pass = !l;
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
	struct gns_listing *l = NULL;
	struct reply r = {};
	int err;

	if (mutex_lock_killable(&gi->ask))
		return -EINTR;
	err = ask(gi, cookie, cookie ? NEXT_LEN : FIRST_LEN, &r);
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

static int dir_open(struct inode *inode, struct file *file)
{
	struct gns_dir_at *at = kzalloc(sizeof(*at), GFP_KERNEL_ACCOUNT);

	file->private_data = at;
	return at ? 0 : -ENOMEM;
}

static int dir_release(struct inode *inode, struct file *file)
{
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
	.fsync = gns_fsync,
	.lock = gns_lock,
	.flock = gns_flock,
};
