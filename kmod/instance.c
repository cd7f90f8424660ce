// SPDX-License-Identifier: GPL-2.0
/*
 * Instances: made and gone with network namespaces; what the host's sleep
 * means for them. The line of words is in words.c.
 */
#include <linux/random.h>
#include <linux/suspend.h>
#include <net/netns/generic.h>
#include "session.h"

static unsigned int net_id;
static struct workqueue_struct *wq;
static struct workqueue_struct *zap_wq;
static LIST_HEAD(instances);
static DEFINE_MUTEX(instances_mutex); /* the list; members stay while held */
static bool asleep; /* instances_mutex: the host is about to sleep */

struct gns_instance *gns_instance_of(const struct net *net)
{
	return net_generic(net, net_id);
}

u32 gns_new_nr(void)
{
	static atomic_t last = ATOMIC_INIT(0);

	return atomic_inc_return(&last);
}

/* Numbers only grow, and the list is in their order. */
struct gns_session *gns_session_next(struct gns_instance *inst, u32 after)
{
	struct gns_session *s;

	spin_lock_bh(&inst->lock);
	list_for_each_entry(s, &inst->sessions, by_inst)
		if (s->nr > after && kref_get_unless_zero(&s->ref)) {
			spin_unlock_bh(&inst->lock);
			return s;
		}
	spin_unlock_bh(&inst->lock);
	return NULL;
}

static void for_sessions(struct gns_instance *inst,
			 void (*fn)(struct gns_session *s))
{
	struct gns_session *s;
	u32 nr = 0;

	while ((s = gns_session_next(inst, nr))) {
		nr = s->nr;
		fn(s);
		gns_session_put(s);
	}
}

/* Faults wait for a session that lets them in. */
static void wake(struct gns_session *s)
{
	wake_up_all(&s->wait);
}

/*
 * While the host sleeps leases run out, and when it wakes up tasks may run
 * before a timer does: so nothing is left mapped, and no fault is let in.
 */
static void sleep_begins(void)
{
	struct gns_instance *inst;

	mutex_lock(&instances_mutex);
	asleep = true;
	list_for_each_entry(inst, &instances, link) {
		WRITE_ONCE(inst->suspending, true);
		/* Faults see it, or the zap sees their pages. */
		smp_mb();
		for_sessions(inst, gns_session_zap_now);
	}
	mutex_unlock(&instances_mutex);
}

static void sleep_ends(void)
{
	struct gns_instance *inst;

	mutex_lock(&instances_mutex);
	asleep = false;
	list_for_each_entry(inst, &instances, link) {
		WRITE_ONCE(inst->suspending, false);
		for_sessions(inst, wake);
	}
	mutex_unlock(&instances_mutex);
}

static int on_pm(struct notifier_block *nb, unsigned long event, void *unused)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		sleep_begins();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		sleep_ends();
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block pm_notifier = {
	.notifier_call = on_pm,
};

static int __net_init net_begins(struct net *net)
{
	struct gns_instance *inst = gns_instance_of(net);

	inst->net = net;
	get_random_bytes(inst->id, sizeof(inst->id));
	spin_lock_init(&inst->lock);
	xa_init_flags(&inst->calls, XA_FLAGS_LOCK_BH);
	init_waitqueue_head(&inst->bound);
	mutex_init(&inst->cache_mutex);
	INIT_LIST_HEAD(&inst->sessions);
	inst->wq = wq;
	inst->zap_wq = zap_wq;
	gns_words_init(inst);
	mutex_lock(&instances_mutex);
	inst->suspending = asleep;
	list_add_tail(&inst->link, &instances);
	mutex_unlock(&instances_mutex);
	return 0;
}

/* Mounts and the helper hold the namespace: there are none any more. */
static void __net_exit net_ends(struct net *net)
{
	struct gns_instance *inst = gns_instance_of(net);

	mutex_lock(&instances_mutex);
	list_del(&inst->link);
	mutex_unlock(&instances_mutex);
	/* A zap that is through may be about to say so. */
	flush_workqueue(zap_wq);
	gns_words_exit(inst);
	WARN_ON_ONCE(!list_empty(&inst->sessions));
	WARN_ON_ONCE(!xa_empty(&inst->calls));
	xa_destroy(&inst->calls);
}

static struct pernet_operations net_ops = {
	.init = net_begins,
	.exit = net_ends,
	.id = &net_id,
	.size = sizeof(struct gns_instance),
};

int __init gns_instance_init(void)
{
	int err;

	wq = alloc_workqueue("gns", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!wq)
		return -ENOMEM;
	err = -ENOMEM;
	zap_wq = alloc_workqueue("gns_zap",
				 WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_HIGHPRI, 0);
	if (!zap_wq)
		goto out_wq;
	err = register_pernet_subsys(&net_ops);
	if (err)
		goto out_zap_wq;
	err = register_pm_notifier(&pm_notifier);
	if (err)
		goto out_pernet;
	return 0;

out_pernet:
	unregister_pernet_subsys(&net_ops);
out_zap_wq:
	destroy_workqueue(zap_wq);
out_wq:
	destroy_workqueue(wq);
	return err;
}

void gns_instance_exit(void)
{
	unregister_pm_notifier(&pm_notifier);
	unregister_pernet_subsys(&net_ops);
	destroy_workqueue(zap_wq);
	destroy_workqueue(wq);
}
