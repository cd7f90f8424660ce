// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: how they begin, are renewed and lost, and what happens near the
 * deadline; see session.h.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "file.h"
#include "lease.h"
#include "lock.h"
#include "size.h"
#include "trace.h"

#define TTL_MIN_NS (500 * NSEC_PER_MSEC)
#define TTL_MAX_NS (300 * NSEC_PER_SEC)

static void destroy(struct gns_session *s)
{
	/* A zap at work could start the timer again; see set_deadline(). */
	spin_lock(&s->lock);
	WRITE_ONCE(s->sid, 0);
	spin_unlock(&s->lock);
	hrtimer_cancel(&s->timer);
	cancel_work_sync(&s->zap);
	gns_lease_table_destroy(s);
	gns_unlocks_drop(s);
	kvfree(s->slot);
	kfree(s->origin);
	memzero_explicit(s->secret, sizeof(s->secret));
	memzero_explicit(s->new_secret, sizeof(s->new_secret));
	kfree(s);
}

static int word_fill(struct gns_word *w, struct sk_buff *skb)
{
	struct gns_session *s = container_of(w, struct gns_session, word);

	if (nla_put_u32(skb, GNS_A_ORIGIN, s->nr) ||
	    nla_put(skb, GNS_A_NAME, strlen(s->origin), s->origin))
		return -EMSGSIZE;
	return 0;
}

/* The last thing that is said of a session is that it is gone. */
static void word_put(struct gns_word *w)
{
	if (w->kind == GNS_WORD_ORIGIN_GONE)
		destroy(container_of(w, struct gns_session, word));
}

/* By the exact clock. Any context. */
static bool is_near(const struct gns_session *s)
{
	return ktime_get_boottime_ns() + READ_ONCE(s->ttl) / 4 >=
	       READ_ONCE(s->expires);
}

/*
 * Nearer to the deadline than this no page may stay mapped. A renewal moves
 * the deadline and starts the timer anew; one that came just now is seen here.
 * It fires a little after the coarse clock has shut the gate for faults, so
 * that none slips in behind the zap. Hard interrupt.
 */
static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct gns_session *s = container_of(timer, struct gns_session, timer);

	if (is_near(s))
		queue_work(s->inst->zap_wq, &s->zap);
	return HRTIMER_NORESTART;
}

/* s->lock held. A lost session is unmapped before another one counts. */
static void set_deadline(struct gns_session *s)
{
	u64 at = s->stamp + s->ttl - GNS_CLOCK_SLACK_NS;

	if (!s->sid || s->lost_sid) {
		WRITE_ONCE(s->expires, 0);
		return;
	}
	/* The generation first: see gns_lease_ok(). */
	smp_wmb();
	WRITE_ONCE(s->expires, at);
	WRITE_ONCE(s->shut, false);
	hrtimer_start(&s->timer,
		      ns_to_ktime(at - s->ttl / 4 + GNS_CLOCK_SLACK_NS),
		      HRTIMER_MODE_ABS);
}

/*
 * Every inode once: each that was looked at goes to the end of the list with
 * this pass's mark.
 */
static struct gns_inode *next_mapped(struct gns_session *s, u64 pass)
{
	struct gns_inode *gi;

	spin_lock(&s->mapped_lock);
	while ((gi = list_first_entry_or_null(&s->mapped, struct gns_inode,
					      mapped))) {
		if (gi->zap_pass == pass) {
			gi = NULL;
			break;
		}
		gi->zap_pass = pass;
		list_move_tail(&gi->mapped, &s->mapped);
		if (!gns_isb(&gi->vfs_inode)->closing && igrab(&gi->vfs_inode))
			break;
	}
	spin_unlock(&s->mapped_lock);
	return gi;
}

static void zap_each(struct gns_session *s,
		     void (*fn)(struct gns_inode *gi))
{
	struct gns_inode *gi;
	u64 pass = ++s->zap_pass;

	while ((gi = next_mapped(s, pass))) {
		fn(gi);
		iput(&gi->vfs_inode);
		cond_resched();
	}
}

/*
 * At once what is mapped now; then what faults that had passed the gate have
 * mapped since. Fault-around looks at it in an RCU section, and maps in that;
 * others look again with the folio locked, which gns_lease_zap() waits for.
 */
void gns_session_zap_now(struct gns_session *s)
{
	mutex_lock(&s->zap_mutex);
	gns_size_hide_all(s);
	zap_each(s, gns_lease_unmap);
	synchronize_rcu_expedited();
	zap_each(s, gns_lease_zap);
	mutex_unlock(&s->zap_mutex);
}

struct fenced {
	struct gns_word word;
	struct gns_session *s;
	u64 sid;
};

static int fenced_fill(struct gns_word *w, struct sk_buff *skb)
{
	struct fenced *f = container_of(w, struct fenced, word);

	if (nla_put_u32(skb, GNS_A_ORIGIN, f->s->nr) ||
	    gns_put_u64(skb, GNS_A_SID, f->sid))
		return -EMSGSIZE;
	return 0;
}

static void fenced_put(struct gns_word *w)
{
	struct fenced *f = container_of(w, struct fenced, word);

	gns_session_put(f->s);
	kfree(f);
}

static void say_fenced(struct gns_session *s, u64 sid)
{
	struct fenced *f;

	/* One that goes waits for this work, and BYE says as much. */
	if (!kref_get_unless_zero(&s->ref))
		return;
	f = kzalloc(sizeof(*f), GFP_KERNEL | __GFP_NOFAIL);
	INIT_LIST_HEAD(&f->word.link);
	f->word.kind = GNS_WORD_FENCED;
	f->word.fill = fenced_fill;
	f->word.put = fenced_put;
	f->s = s;
	f->sid = sid;
	gns_word_post(s->inst, &f->word);
}

static void zap_work(struct work_struct *work)
{
	struct gns_session *s = container_of(work, struct gns_session, zap);
	u64 begun = ktime_get_ns(), sid;

	spin_lock(&s->lock);
	sid = s->lost_sid;
	/* Faults tell by the coarse clock, which may be late by more than its
	 * slack when a processor stands still: what one mapped behind the zap
	 * nobody would unmap again.
	 */
	if (is_near(s))
		WRITE_ONCE(s->shut, true);
	spin_unlock(&s->lock);
	gns_session_zap_now(s);
	trace_gns_zap(s->nr, sid, ktime_get_ns() - begun);
	if (!sid)
		return;
	spin_lock(&s->lock);
	/* Lost again meanwhile: what is queued now looks after that. */
	if (s->lost_sid == sid) {
		s->lost_sid = 0;
		set_deadline(s);
	}
	spin_unlock(&s->lock);
	wake_up_all(&s->wait);
	say_fenced(s, sid);
}

static struct gns_session *session_new(struct gns_instance *inst,
				       const char *origin)
{
	struct gns_session *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->origin = kstrdup(origin, GFP_KERNEL);
	s->slot = kvcalloc(GNS_USLOTS_MAX, sizeof(*s->slot), GFP_KERNEL);
	if (!s->origin || !s->slot || gns_lease_table_init(s)) {
		kvfree(s->slot);
		kfree(s->origin);
		kfree(s);
		return NULL;
	}
	kref_init(&s->ref);
	s->inst = inst;
	get_random_bytes(s->instance, sizeof(s->instance));
	get_random_bytes(&s->lock_key, sizeof(s->lock_key));
	s->gen = 1;
	INIT_LIST_HEAD(&s->by_inst);
	INIT_LIST_HEAD(&s->word.link);
	s->word.kind = GNS_WORD_ORIGIN;
	s->word.fill = word_fill;
	s->word.put = word_put;
	spin_lock_init(&s->lock);
	spin_lock_init(&s->cached_lock);
	INIT_LIST_HEAD(&s->cached);
	spin_lock_init(&s->mapped_lock);
	INIT_LIST_HEAD(&s->mapped);
	spin_lock_init(&s->sized_lock);
	INIT_LIST_HEAD(&s->sized);
	spin_lock_init(&s->opened_lock);
	INIT_LIST_HEAD(&s->opened);
	INIT_LIST_HEAD(&s->making);
	INIT_LIST_HEAD(&s->unlocks);
	mutex_init(&s->zap_mutex);
	hrtimer_setup(&s->timer, on_timer, CLOCK_BOOTTIME, HRTIMER_MODE_ABS);
	INIT_WORK(&s->zap, zap_work);
	init_waitqueue_head(&s->wait);
	return s;
}

/* inst->lock held. */
static struct gns_session *by_origin(struct gns_instance *inst,
				     const char *origin)
{
	struct gns_session *s;

	list_for_each_entry(s, &inst->sessions, by_inst)
		if (!strcmp(s->origin, origin) && kref_get_unless_zero(&s->ref))
			return s;
	return NULL;
}

struct gns_session *gns_session_get_origin(struct gns_instance *inst,
					   const char *origin)
{
	struct gns_session *s, *new;

	spin_lock_bh(&inst->lock);
	s = by_origin(inst, origin);
	spin_unlock_bh(&inst->lock);
	if (s)
		return s;
	new = session_new(inst, origin);
	if (!new)
		return ERR_PTR(-ENOMEM);
	spin_lock_bh(&inst->lock);
	s = by_origin(inst, origin);
	if (!s) {
		new->nr = ++inst->next_nr;
		list_add_tail(&new->by_inst, &inst->sessions);
	}
	spin_unlock_bh(&inst->lock);
	if (s) {
		destroy(new);
		return s;
	}
	gns_word_post(inst, &new->word);
	return new;
}

struct gns_session *gns_session_find(struct gns_instance *inst, u32 nr)
{
	struct gns_session *s;

	spin_lock_bh(&inst->lock);
	list_for_each_entry(s, &inst->sessions, by_inst)
		if (s->nr == nr && kref_get_unless_zero(&s->ref)) {
			spin_unlock_bh(&inst->lock);
			return s;
		}
	spin_unlock_bh(&inst->lock);
	return NULL;
}

void gns_session_get(struct gns_session *s)
{
	kref_get(&s->ref);
}

/* The helper of now knows it, unless its word is in line still. */
static void session_last(struct kref *ref)
{
	struct gns_session *s = container_of(ref, struct gns_session, ref);
	struct gns_instance *inst = s->inst;
	bool known;

	spin_lock_bh(&inst->lock);
	list_del(&s->by_inst);
	known = inst->portid && list_empty(&s->word.link);
	/* In one step: else it could be pulled, and never be taken back. */
	list_del_init(&s->word.link);
	spin_unlock_bh(&inst->lock);
	if (!known) {
		destroy(s);
		return;
	}
	s->word.kind = GNS_WORD_ORIGIN_GONE;
	gns_word_post(inst, &s->word);
}

void gns_session_put(struct gns_session *s)
{
	kref_put(&s->ref, session_last);
}

static int check_term(u64 stamp, u64 ttl)
{
	return stamp && stamp <= ktime_get_boottime_ns() &&
			       ttl >= TTL_MIN_NS && ttl <= TTL_MAX_NS ?
		       0 :
		       -EINVAL;
}

/* s->lock held. No lease of before counts from here on. */
static void next_gen(struct gns_session *s)
{
	WRITE_ONCE(s->gen, s->gen + 1);
	s->newest = 0;
	s->nheld = 0;
	s->nrevoked = 0;
	s->floor = 0;
	s->nmaybe = 0;
}

int gns_session_up(struct gns_session *s, const struct gns_up *up)
{
	int err = up->sid ? check_term(up->stamp, up->ttl) : -EINVAL;
	bool mapped;

	if (err)
		return err;
	spin_lock(&s->lock);
	next_gen(s);
	/* A session that nobody said was lost: unmapped as one that was. */
	mapped = s->sid && !s->lost_sid;
	if (mapped)
		s->lost_sid = s->sid;
	WRITE_ONCE(s->sid, up->sid);
	memcpy(s->secret, s->new_secret, sizeof(s->secret));
	s->stamp = up->stamp;
	WRITE_ONCE(s->ttl, up->ttl);
	s->slots = min(up->slots, GNS_USLOTS_MAX);
	s->incarnation = up->incarnation;
	s->features = up->features;
	s->trouble[0] = '\0';
	s->trouble_err = 0;
	set_deadline(s);
	spin_unlock(&s->lock);
	if (mapped) {
		gns_call_abort_lost(s);
		queue_work(s->inst->zap_wq, &s->zap);
	}
	trace_gns_session(s->nr, up->sid, up->stamp, up->ttl, "up");
	wake_up_all(&s->wait);
	gns_open_again(s);
	return 0;
}

int gns_session_renewed(struct gns_session *s, u64 sid, u64 stamp, u64 ttl)
{
	int err = check_term(stamp, ttl);

	if (err)
		return err;
	spin_lock(&s->lock);
	if (!sid || sid != s->sid) {
		err = -ESTALE;
	} else if (stamp > s->stamp) {
		/* An older stamp is overtaken, whatever it promised. */
		s->stamp = stamp;
		WRITE_ONCE(s->ttl, ttl);
		set_deadline(s);
	}
	spin_unlock(&s->lock);
	trace_gns_session(s->nr, sid, stamp, ttl, "renewed");
	wake_up_all(&s->wait);
	return err;
}

int gns_session_lost(struct gns_session *s, u64 sid)
{
	spin_lock(&s->lock);
	if (!sid || (s->sid && s->sid != sid)) {
		spin_unlock(&s->lock);
		return -ESTALE;
	}
	next_gen(s);
	WRITE_ONCE(s->sid, 0);
	s->lost_sid = sid;
	set_deadline(s);
	spin_unlock(&s->lock);
	/* Before the helper can ask for another session. */
	gns_call_abort_lost(s);
	trace_gns_session(s->nr, sid, 0, 0, "lost");
	queue_work(s->inst->zap_wq, &s->zap);
	wake_up_all(&s->wait);
	return 0;
}

void gns_session_secret(struct gns_session *s, u8 *secret)
{
	u8 fresh[GNS_UID_LEN];

	get_random_bytes(fresh, sizeof(fresh));
	spin_lock(&s->lock);
	memcpy(s->new_secret, fresh, sizeof(fresh));
	spin_unlock(&s->lock);
	memcpy(secret, fresh, sizeof(fresh));
	memzero_explicit(fresh, sizeof(fresh));
}

void gns_session_trouble(struct gns_session *s, int err, const char *text)
{
	spin_lock(&s->lock);
	s->trouble_err = err;
	strscpy(s->trouble, text, sizeof(s->trouble));
	s->trouble_gen++;
	spin_unlock(&s->lock);
	wake_up_all(&s->wait);
}

void gns_session_note_revoked(struct gns_session *s, const struct gns_fh *fh,
			      u64 upto)
{
	u64 n = min_t(u64, s->nrevoked, GNS_REVOKED_MAX), i;
	struct gns_revoked *r;

	lockdep_assert_held(&s->lock);
	for (i = 0; i < n; i++) {
		r = &s->revoked[i];
		if (gns_fh_eq(&r->fh, fh)) {
			r->upto = max(r->upto, upto);
			return;
		}
	}
	r = &s->revoked[s->nrevoked++ % GNS_REVOKED_MAX];
	if (n == GNS_REVOKED_MAX)
		s->floor = max(s->floor, r->upto);
	r->fh = *fh;
	r->upto = upto;
}

u64 gns_session_revoked_upto(const struct gns_session *s,
			     const struct gns_fh *fh)
{
	u64 n = min_t(u64, s->nrevoked, GNS_REVOKED_MAX), i, upto = s->floor;

	lockdep_assert_held(&s->lock);
	for (i = 0; i < n; i++)
		if (gns_fh_eq(&s->revoked[i].fh, fh))
			upto = max(upto, s->revoked[i].upto);
	return upto;
}
