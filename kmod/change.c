// SPDX-License-Identifier: GPL-2.0
/*
 * Changes: from the making to the end; see change.h.
 *
 * The answer is carried out by who waits for it, or, when he has left, by a
 * worker: never by the helper, which must not wait for the locks of readers.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "change.h"
#include "fence.h"
#include "file.h"
#include "instance.h"
#include "lock.h"
#include "slot.h"

enum change_bit {
	CHANGE_OVER, /* answered, or left by who waited: the second one acts */
	CHANGE_NOT_SENT, /* refused before anybody heard of it */
};

static struct gns_change *to_change(struct gns_call *c)
{
	return container_of(c, struct gns_change, c);
}

static const struct gns_uchanged *find_changed(const struct gns_change *ch,
					       const struct gns_fh *fh)
{
	u32 i;

	for (i = 0; i < ch->nchanged; i++)
		if (gns_fh_eq(&ch->changed[i].fh, fh))
			return &ch->changed[i];
	return NULL;
}

static bool is_of_name(u32 type)
{
	switch (type) {
	case GNS_CALL_CREATE:
	case GNS_CALL_MKDIR:
	case GNS_CALL_UNLINK:
	case GNS_CALL_RMDIR:
	case GNS_CALL_RENAME:
	case GNS_CALL_LINK:
	case GNS_CALL_SYMLINK:
	case GNS_CALL_MKNOD:
		return true;
	}
	return false;
}

static bool is_answered(const struct gns_change *ch)
{
	return test_bit(GNS_CALL_ANSWERED, &ch->c.state);
}

/* Answered, and by that nothing has changed of what is not listed. */
static bool left_alone(const struct gns_change *ch)
{
	const struct gns_answer *ans = &ch->c.ans;

	if (test_bit(CHANGE_NOT_SENT, &ch->state))
		return true;
	if (!is_of_name(ch->c.req.type) || !is_answered(ch))
		return false;
	/* EIO may stand for anything. */
	return ans->err ? ans->err != -EIO : !ch->nchanged;
}

u64 gns_change_after(const struct gns_change *ch, const struct gns_inode *gi)
{
	const struct gns_uchanged *e = find_changed(ch, &gi->fh);

	if (e)
		return e->after;
	return left_alone(ch) ? gi->version : 0;
}

/* Bytes of a file that are others now. */
static struct gns_written written(const struct gns_change *ch,
				  const struct gns_uchanged *e)
{
	const struct gns_answer *ans = &ch->c.ans;
	struct gns_written w = {
		.pos = ch->from,
		.len = ch->to - ch->from,
		.size = e->attr.size,
	};

	if (ch->c.req.type != GNS_CALL_WRITE)
		return w;
	w.pos = ans->off;
	w.len = U64_MAX - w.pos;
	/* The origin's word is checked again by who wrote. */
	if (ans->count <= ch->c.req.payload_len &&
	    ans->off <= MAX_LFS_FILESIZE - ans->count) {
		w.len = ans->count;
		w.buf = ch->buf;
	}
	return w;
}

static void settle(struct gns_change *ch, struct gns_inode *gi, bool left)
{
	const struct gns_uchanged *e = find_changed(ch, &gi->fh);
	struct gns_written w;

	mutex_lock(&gi->lease_mutex);
	if (e && !(left && S_ISDIR(gi->vfs_inode.i_mode))) {
		w = written(ch, e);
		gns_fence_step(gi, e, &w);
	} else if (e || !left_alone(ch)) {
		gns_fence_drop(gi);
	}
	mutex_unlock(&gi->lease_mutex);
	/* Nobody can make a new name for it, for nobody holds it by one. */
	if (!e || (e->attr.ino && e->attr.nlink))
		return;
	spin_lock(&gi->lock);
	clear_nlink(&gi->vfs_inode);
	spin_unlock(&gi->lock);
}

/*
 * fsync(2) and syncfs(2) ask for the life of the origin's disk that the oldest
 * change was sent to which is not known to be durable: after another one began
 * nobody can say that it is there.
 */
static void note_unsynced(struct gns_change *ch)
{
	struct gns_sb *gsb = ch->c.gsb;
	u32 i;

	if (ch->c.ans.err || !is_answered(ch) ||
	    (ch->c.req.type == GNS_CALL_WRITE &&
	     ch->c.req.flags & GNS_UW_SYNC))
		return;
	for (i = 0; i < ch->ngi; i++) {
		spin_lock(&ch->gi[i]->lock);
		if (!ch->gi[i]->unsynced)
			ch->gi[i]->unsynced = ch->incarnation;
		spin_unlock(&ch->gi[i]->lock);
	}
	spin_lock(&gsb->calls_lock);
	if (!gsb->unsynced)
		gsb->unsynced = ch->incarnation;
	spin_unlock(&gsb->calls_lock);
}

static enum gns_slot_end how_it_ended(const struct gns_change *ch)
{
	if (!is_answered(ch))
		return GNS_SLOT_UNKNOWN;
	/* The helper says so by itself where the origin would not understand. */
	if (ch->c.ans.err == -EOPNOTSUPP)
		return GNS_SLOT_UNSENT;
	return GNS_SLOT_ANSWERED;
}

/* What is cached here becomes as after the change, or goes. */
static void carry_out(struct gns_change *ch, bool left)
{
	struct gns_uchanged *e;
	u32 i, j;

	note_unsynced(ch);
	for (i = 0; i < ch->ngi; i++) {
		settle(ch, ch->gi[i], left);
		gns_slot_each_other(ch, &ch->gi[i]->fh, gns_lease_drop);
	}
	/* What it touched and nobody here had expected. */
	for (i = 0; i < ch->nchanged; i++) {
		e = &ch->changed[i];
		for (j = 0; j < ch->ngi; j++)
			if (gns_fh_eq(&ch->gi[j]->fh, &e->fh))
				break;
		if (j == ch->ngi)
			gns_slot_each_other(ch, &e->fh, gns_lease_drop);
	}
	gns_slot_give(ch, how_it_ended(ch));
}

/* Of the file that has the lock; of others nobody knows what it is for. */
static void hold_lock(struct gns_change *ch, bool hold)
{
	if (!ch->c.guard || !ch->ngi)
		return;
	if (hold)
		gns_lockq_hold(ch->gi[0]);
	else
		gns_lockq_release(ch->gi[0]);
}

static void work(struct work_struct *w)
{
	struct gns_change *ch = container_of(w, struct gns_change, work);

	carry_out(ch, true);
	hold_lock(ch, false);
	complete_all(&ch->carried);
	if (ch->over)
		ch->over(ch);
	gns_change_put(ch);
}

static void change_end(struct gns_call *c)
{
	struct gns_change *ch = to_change(c);

	ch->nchanged = c->ans.nchanged;
	if (ch->nchanged)
		memcpy(ch->changed, c->ans.changed,
		       ch->nchanged * sizeof(ch->changed[0]));
	/* Its waiter has left. */
	if (!test_and_set_bit(CHANGE_OVER, &ch->state))
		return;
	gns_call_get(c);
	queue_work(c->s->inst->wq, &ch->work);
}

static void change_free(struct gns_call *c)
{
	struct gns_change *ch = to_change(c);
	u32 i;

	for (i = 0; i < ch->ngi; i++)
		iput(&ch->gi[i]->vfs_inode);
	kfree(ch->name);
	kfree(ch->name2);
	kvfree(ch->buf);
	kfree(ch);
}

static const struct gns_call_ops change_ops = {
	.end = change_end,
	.free = change_free,
};

struct gns_change *gns_change_new(struct super_block *sb, u32 type,
				  const struct cred *cred, u32 payload)
{
	struct gns_sb *gsb = gns_sb(sb);
	struct gns_change *ch = kzalloc(sizeof(*ch), GFP_KERNEL_ACCOUNT);

	if (!ch)
		return NULL;
	if (payload) {
		ch->buf = kvmalloc(payload, GFP_KERNEL_ACCOUNT);
		if (!ch->buf) {
			kfree(ch);
			return NULL;
		}
	}
	gns_call_init(&ch->c, &change_ops, gsb->s, gsb, type, cred);
	ch->c.req.payload = ch->buf;
	ch->c.req.payload_len = payload;
	INIT_WORK(&ch->work, work);
	init_completion(&ch->carried);
	return ch;
}

void gns_change_put(struct gns_change *ch)
{
	gns_call_put(&ch->c);
}

void gns_change_touches(struct gns_change *ch, struct inode *inode)
{
	u32 i;

	if (!inode)
		return;
	for (i = 0; i < ch->ngi; i++)
		if (&ch->gi[i]->vfs_inode == inode)
			return;
	if (WARN_ON_ONCE(ch->ngi == GNS_UCHANGED_MAX))
		return;
	ihold(inode);
	ch->gi[ch->ngi++] = gns_i(inode);
}

int gns_change_name(struct gns_change *ch, struct inode *dir,
		    const struct qstr *name)
{
	if (name->len > GNS_UNAME_MAX)
		return -ENAMETOOLONG;
	ch->name = kmemdup(name->name, name->len, GFP_KERNEL_ACCOUNT);
	if (!ch->name)
		return -ENOMEM;
	ch->c.req.name = ch->name;
	ch->c.req.namelen = name->len;
	ch->c.req.fh = gns_i(dir)->fh;
	gns_change_touches(ch, dir);
	return 0;
}

int gns_change_text2(struct gns_change *ch, const char *text, u32 len)
{
	ch->name2 = kmemdup(text, len, GFP_KERNEL_ACCOUNT);
	if (!ch->name2)
		return -ENOMEM;
	ch->c.req.name2 = ch->name2;
	ch->c.req.namelen2 = len;
	return 0;
}

int gns_change_name2(struct gns_change *ch, struct inode *dir,
		     const struct qstr *name)
{
	if (name->len > GNS_UNAME_MAX)
		return -ENAMETOOLONG;
	ch->c.req.fh2 = gns_i(dir)->fh;
	gns_change_touches(ch, dir);
	return gns_change_text2(ch, name->name, name->len);
}

/* Not sent: as if there had been none. */
static int not_sent(struct gns_change *ch, int err)
{
	set_bit(CHANGE_NOT_SENT, &ch->state);
	gns_slot_give(ch, GNS_SLOT_UNSENT);
	return err;
}

static int submit(struct gns_change *ch, bool nowait)
{
	int err;

	/* Too many calls wait. */
	while ((err = gns_call_submit(&ch->c)) == -EBUSY) {
		if (nowait)
			return -EAGAIN;
		schedule_timeout_killable(msecs_to_jiffies(GNS_BUSY_MS));
		if (fatal_signal_pending(current))
			return -EINTR;
		gns_call_reset(&ch->c);
	}
	return err;
}

/* As long as the mount's patience allows. */
static int wait_for(const struct gns_change *ch, struct completion *done)
{
	long left = gns_patience(ch->c.gsb);

	return gns_waited(wait_for_completion_killable_timeout(done, left));
}

static int wait(struct gns_change *ch)
{
	int err = wait_for(ch, &ch->c.done);

	if (!err)
		return 0;
	hold_lock(ch, true);
	/* It goes on without us, unless it is over just now. */
	if (!test_and_set_bit(CHANGE_OVER, &ch->state))
		return err;
	hold_lock(ch, false);
	wait_for_completion(&ch->c.done);
	return 0;
}

int gns_change_run(struct gns_change *ch)
{
	int err = gns_slot_take(ch, false);

	if (err)
		return err;
	gns_count(ch->c.gsb, GNS_C_CHANGES, 1);
	err = submit(ch, false);
	if (err)
		return not_sent(ch, err);
	err = wait(ch);
	if (err)
		return err;
	carry_out(ch, false);
	return ch->c.ans.err;
}

int gns_change_start(struct gns_change *ch, bool nowait)
{
	int err = gns_slot_take(ch, nowait);

	if (err)
		return err;
	gns_count(ch->c.gsb, GNS_C_CHANGES, 1);
	/* As if somebody had waited, and left. */
	hold_lock(ch, true);
	set_bit(CHANGE_OVER, &ch->state);
	err = submit(ch, nowait);
	if (!err)
		return 0;
	hold_lock(ch, false);
	return not_sent(ch, err);
}

int gns_change_wait(struct gns_change *ch)
{
	return wait_for(ch, &ch->carried) ?: ch->c.ans.err;
}

bool gns_change_has(const struct gns_change *ch, const struct gns_inode *gi)
{
	return find_changed(ch, &gi->fh);
}

u64 gns_change_stamp(struct gns_change *ch, struct inode *dir)
{
	struct gns_inode *gi = gns_i(dir);
	u64 after = gns_change_after(ch, gi), stamp = 0;

	spin_lock(&gi->lock);
	if (after && gi->version == after)
		stamp = gi->dgen;
	spin_unlock(&gi->lock);
	return stamp;
}

struct inode *gns_change_made(struct gns_change *ch, struct super_block *sb)
{
	const struct gns_answer *ans = &ch->c.ans;
	const struct gns_uchanged *e = find_changed(ch, &ans->fh);
	struct gns_grant g = ans->grant;
	struct inode *inode;

	if (!ans->fh.len || !e || !e->attr.ino)
		return ERR_PTR(-EIO);
	inode = gns_inode_get(sb, &ans->fh, &e->attr);
	if (IS_ERR(inode))
		return inode;
	g.version = e->after;
	if (!gns_lease_grant(gns_i(inode), ans->sid, &g, &e->attr))
		gns_lease_learn(gns_i(inode), e);
	return inode;
}
