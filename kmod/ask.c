// SPDX-License-Identifier: GPL-2.0
/*
 * Asking for a lease: one object by GETATTR, or, after a session was lost, all
 * that was cached near it by one REVALIDATE.
 *
 * What was cached under a lost session is not thrown away: a version that is
 * still the object's opens it again without a byte moved. Objects were put
 * into session->cached in the order they came, and are likely to be wanted
 * again in that order.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "fence.h"
#include "file.h"
#include "trace.h"

/* Between two times of asking without memory. */
#define PAUSE_MS 100u

struct batch {
	struct gns_session *s;
	u32 n;
	bool shared; /* the first one is in another batch, too */
	struct gns_inode *gi[GNS_UREVAL_MAX];
};

/* An inode whose lease was of an older session, not of a revoked one. */
static bool is_stale(const struct gns_inode *gi)
{
	u64 gen = READ_ONCE(gi->held_gen);

	return READ_ONCE(gi->version) && gen && gen != READ_ONCE(gi->s->gen);
}

static bool batch_fits(const struct gns_inode *gi,
		       const struct gns_inode *first)
{
	return gi == first ||
	       (!gi->in_batch && gi->vfs_inode.i_sb == first->vfs_inode.i_sb);
}

/*
 * From @first on, round the list, those of the same mount: their calls end
 * with it. With references. Many who read at once would all ask for the same
 * objects: each takes what nobody else is asking for.
 */
static void batch_collect(struct batch *b, struct gns_inode *first)
{
	struct gns_session *s = first->s;
	struct list_head *pos;
	struct gns_inode *gi;
	u32 looked = 0;
	bool shared;

	spin_lock(&s->cached_lock);
	shared = first->in_batch;
	if (!list_empty(&first->cached)) {
		pos = &first->cached;
		do {
			if (pos != &s->cached) {
				gi = list_entry(pos, struct gns_inode, cached);
				if (is_stale(gi) && batch_fits(gi, first) &&
				    igrab(&gi->vfs_inode)) {
					gi->in_batch = true;
					b->gi[b->n++] = gi;
				}
			}
			pos = pos->next;
		} while (pos != &first->cached && b->n < GNS_UREVAL_MAX &&
			 ++looked < 4 * GNS_UREVAL_MAX);
	}
	b->shared = shared && b->n && b->gi[0] == first;
	spin_unlock(&s->cached_lock);
}

static void batch_put(struct batch *b)
{
	u32 i;

	spin_lock(&b->s->cached_lock);
	for (i = b->shared; i < b->n; i++)
		b->gi[i]->in_batch = false;
	spin_unlock(&b->s->cached_lock);
	for (i = 0; i < b->n; i++)
		iput(&b->gi[i]->vfs_inode);
	kvfree(b);
}

static void batch_apply(struct batch *b, const struct gns_answer *ans,
			const struct gns_ureval *v)
{
	struct gns_sb *gsb = gns_isb(&b->gi[0]->vfs_inode);
	struct gns_grant g;
	u32 i, kept = 0;
	u64 before;

	for (i = 0; i < b->n; i++) {
		if (v[i].status || !gns_fh_eq(&v[i].fh, &b->gi[i]->fh))
			continue;
		g = (struct gns_grant){ v[i].version, v[i].number,
					ans->grant.asked };
		before = READ_ONCE(b->gi[i]->version);
		if (gns_lease_grant(b->gi[i], ans->sid, &g, &v[i].attr))
			kept += before == g.version;
		cond_resched();
	}
	gns_count(gsb, GNS_C_REVALIDATED, b->n);
	gns_count(gsb, GNS_C_KEPT, kept);
}

/* The payload is the answer's buffer: the same objects in the same order. */
static int batch_ask(struct batch *b, const struct cred *cred)
{
	u32 size = b->n * sizeof(struct gns_ureval), i;
	struct gns_ureval *v = kvcalloc(b->n, sizeof(*v), GFP_KERNEL);
	struct gns_bufcall *c;
	int err = -ENOMEM;

	c = gns_bufcall_new(b->s, gns_isb(&b->gi[0]->vfs_inode),
			    GNS_CALL_REVALIDATE, cred, size);
	if (!v || !c)
		goto out;
	for (i = 0; i < b->n; i++) {
		v[i].fh = b->gi[i]->fh;
		v[i].version = READ_ONCE(b->gi[i]->version);
	}
	c->c.req.payload = v;
	c->c.req.payload_len = size;
	err = gns_call_sync(&c->c);
	if (!err && c->c.ans.len != size)
		err = -EIO;
	if (!err)
		batch_apply(b, &c->c.ans, c->buf);
out:
	if (c)
		gns_call_put(&c->c);
	kvfree(v);
	return err;
}

/*
 * Best effort: whatever comes of it, the caller looks at its lease, and asks
 * for it alone if it must.
 */
static int revalidate(struct gns_inode *gi, const struct cred *cred)
{
	struct batch *b = kvzalloc(sizeof(*b), GFP_KERNEL);
	int err = 0;

	if (!b)
		return 0;
	b->s = gi->s;
	batch_collect(b, gi);
	if (b->n > 1)
		err = batch_ask(b, cred);
	batch_put(b);
	return err == -EINTR || err == -ERESTARTSYS ? err : 0;
}

static int getattr(struct gns_inode *gi, u32 want, const struct cred *cred,
		   struct gns_answer *ans)
{
	struct gns_sb *gsb = gns_isb(&gi->vfs_inode);
	struct gns_bufcall *c = gns_bufcall_new(gi->s, gsb, GNS_CALL_GETATTR,
						cred, 0);
	int err;

	if (!c)
		return -ENOMEM;
	c->c.req.fh = gi->fh;
	c->c.req.want = want;
	gns_count(gsb, GNS_C_GETATTRS, 1);
	err = gns_not_absent(gns_call_sync(&c->c));
	if (!err) {
		*ans = c->c.ans;
		gns_lease_grant(gi, ans->sid, &ans->grant, &ans->attr);
	}
	gns_call_put(&c->c);
	return err;
}

int gns_lease_get(struct gns_inode *gi, u32 want, const struct cred *cred,
		  struct gns_answer *ans)
{
	struct gns_answer mine;
	int err;

	if (!ans)
		ans = &mine;
	memset(ans, 0, sizeof(*ans));
	if (mutex_lock_killable(&gi->ask))
		return -EINTR;
	err = 0;
	if (!gns_attr_ok(gi) && is_stale(gi))
		err = revalidate(gi, cred);
	if (!err && !gns_attr_ok(gi))
		err = getattr(gi, want, cred, ans);
	mutex_unlock(&gi->ask);
	return err;
}

/*
 * Open files of the mount that have not been asked for in this session. The
 * first that was ends the list. With references.
 */
static void batch_opened(struct batch *b, struct gns_sb *gsb)
{
	struct gns_session *s = b->s;
	u64 gen = READ_ONCE(s->gen);
	struct gns_inode *gi;

	spin_lock(&s->opened_lock);
	while (b->n < GNS_UREVAL_MAX) {
		gi = list_first_entry_or_null(&gsb->opened, struct gns_inode,
					      opened);
		if (!gi || gi->regained == gen)
			break;
		if (gns_open_closed(gi)) {
			cond_resched_lock(&s->opened_lock);
			continue;
		}
		gi->regained = gen;
		list_move_tail(&gi->opened, &gsb->opened);
		if (READ_ONCE(gi->held_gen) != gen && igrab(&gi->vfs_inode))
			b->gi[b->n++] = gi;
	}
	spin_unlock(&s->opened_lock);
}

/* Nobody else asks in its place: what is short for now is waited for. */
static int ask_one(struct gns_inode *gi)
{
	u32 want = GNS_UWANT_LEASE | GNS_UWANT_TURN;
	u64 gen = READ_ONCE(gi->s->gen);
	int err;

	for (;;) {
		err = gns_lease_get(gi, want, current_cred(), NULL);
		if (err != -ENOMEM || READ_ONCE(gi->s->gen) != gen)
			return err;
		msleep(PAUSE_MS);
	}
}

/* Those that the batch has not brought, one by one. 0, or nothing can be asked. */
static int ask_rest(struct batch *b)
{
	u32 i;
	int err;

	for (i = 0; i < b->n; i++) {
		if (gns_lease_ok(b->gi[i]))
			continue;
		err = ask_one(b->gi[i]);
		if (err && err != -ESTALE)
			return err;
	}
	return 0;
}

void gns_lease_regain(struct work_struct *work)
{
	struct gns_sb *gsb = container_of(work, struct gns_sb, regain);
	struct batch *b;
	int err;

	do {
		b = kvzalloc(sizeof(*b), GFP_KERNEL | __GFP_NOFAIL);
		b->s = gsb->s;
		batch_opened(b, gsb);
		err = b->n ? batch_ask(b, current_cred()) : -ENOENT;
		if (!err || err == -ENOMEM)
			err = ask_rest(b);
		batch_put(b);
	} while (!err);
}
