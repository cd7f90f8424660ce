// SPDX-License-Identifier: GPL-2.0
/*
 * For tools: STATUS lists origins, then mounts; DROP gives up what a mount has
 * cached.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "lease.h"
#include "mounts.h"
#include "netlink.h"

/* cb->args[]: where a dump goes on. */
enum {
	AT_PHASE, /* 0: origins, 1: mounts */
	AT_NR, /* the last one that was written */
};

static int put_trouble(struct sk_buff *skb, struct gns_session *s)
{
	char text[GNS_UTEXT_MAX + 1];

	spin_lock(&s->lock);
	strscpy(text, s->trouble, sizeof(text));
	spin_unlock(&s->lock);
	return text[0] ? nla_put_string(skb, GNS_S_TROUBLE, text) : 0;
}

static int put_helper(struct sk_buff *skb, struct gns_instance *inst)
{
	u32 pid;

	spin_lock_bh(&inst->lock);
	pid = pid_nr_ns(inst->tgid, task_active_pid_ns(current));
	spin_unlock_bh(&inst->lock);
	return pid ? nla_put_u32(skb, GNS_S_HELPER, pid) : 0;
}

static int put_session(struct sk_buff *skb, struct gns_session *s)
{
	if (nla_put_u32(skb, GNS_S_NR, s->nr) ||
	    nla_put_string(skb, GNS_S_NAME, s->origin) ||
	    gns_put_u64(skb, GNS_S_SID, READ_ONCE(s->sid)) ||
	    gns_put_u64(skb, GNS_S_LEFT, gns_stats_left(s)) ||
	    gns_put_u64(skb, GNS_S_TTL, READ_ONCE(s->ttl)) ||
	    gns_put_u64(skb, GNS_S_LEASES, gns_stats_leases(s)) ||
	    gns_put_u64(skb, GNS_S_CACHED, READ_ONCE(s->ncached)) ||
	    gns_put_u64(skb, GNS_S_PENDING, gns_stats_pending(s)) ||
	    put_trouble(skb, s) || put_helper(skb, s->inst))
		return -EMSGSIZE;
	return 0;
}

static int put_name(struct sk_buff *skb, struct gns_sb *gsb)
{
	char *name = kasprintf(GFP_KERNEL, "%s:/%s", gsb->s->origin,
			       gsb->export);
	int err;

	if (!name)
		return -ENOMEM;
	err = nla_put_string(skb, GNS_S_NAME, name);
	kfree(name);
	return err;
}

static int put_mount(struct sk_buff *skb, struct gns_sb *gsb)
{
	u64 counters[GNS_C_MAX];

	gns_stats_read(gsb, counters);
	if (nla_put_u32(skb, GNS_S_NR, gsb->nr) || put_name(skb, gsb) ||
	    nla_put_u32(skb, GNS_S_ORIGIN, gsb->s->nr) ||
	    nla_put_u32(skb, GNS_S_DEV, new_encode_dev(gsb->sb->s_dev)) ||
	    gns_put_u64(skb, GNS_S_PENDING, atomic_read(&gsb->ncalls)) ||
	    nla_put(skb, GNS_S_COUNTERS, sizeof(counters), counters))
		return -EMSGSIZE;
	return 0;
}

/* One message of the dump, an origin or a mount in it. */
static int put_one(struct sk_buff *skb, struct netlink_callback *cb,
		   struct gns_session *s, struct gns_sb *gsb)
{
	int type = s ? GNS_A_STATUS_ORIGIN : GNS_A_STATUS_MOUNT;
	struct nlattr *nest;
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &gns_family, NLM_F_MULTI, GNS_CMD_STATUS);
	if (!hdr)
		return -EMSGSIZE;
	nest = nla_nest_start(skb, type);
	if (!nest || (s ? put_session(skb, s) : put_mount(skb, gsb))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	return 0;
}

static int dump_origins(struct sk_buff *skb, struct netlink_callback *cb,
			struct gns_instance *inst)
{
	struct gns_session *s;
	int err = 0;

	while (!err && (s = gns_session_next(inst, cb->args[AT_NR]))) {
		err = put_one(skb, cb, s, NULL);
		if (!err)
			cb->args[AT_NR] = s->nr;
		gns_session_put(s);
	}
	return err;
}

static int dump_mounts(struct sk_buff *skb, struct netlink_callback *cb,
		       struct gns_instance *inst)
{
	struct gns_sb *gsb;
	int err = 0;

	mutex_lock(&gns_mounts_mutex);
	while (!err && (gsb = gns_mounts_next(inst, cb->args[AT_NR]))) {
		err = put_one(skb, cb, NULL, gsb);
		if (!err)
			cb->args[AT_NR] = gsb->nr;
	}
	mutex_unlock(&gns_mounts_mutex);
	return err;
}

int gns_dump_status(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct gns_instance *inst = gns_instance_of(sock_net(skb->sk));
	int err = 0;

	if (!cb->args[AT_PHASE]) {
		err = dump_origins(skb, cb, inst);
		if (!err) {
			cb->args[AT_PHASE] = 1;
			cb->args[AT_NR] = 0;
		}
	}
	if (!err)
		err = dump_mounts(skb, cb, inst);
	/* What did not fit comes in the next message; one always fits. */
	return skb->len ? skb->len : err;
}

/*
 * DROP. Fences sleep, and a doit must not: a worker does it, with the
 * superblock held. It waits for no call.
 */
struct drop {
	struct work_struct work;
	struct super_block *sb;
};

static struct workqueue_struct *drop_wq;

static struct inode *next_inode(struct super_block *sb, struct inode *last)
{
	struct inode *inode;

	spin_lock(&sb->s_inode_list_lock);
	inode = last ? list_next_entry(last, i_sb_list) :
		       list_first_entry(&sb->s_inodes, struct inode, i_sb_list);
	for (; !list_entry_is_head(inode, &sb->s_inodes, i_sb_list);
	     inode = list_next_entry(inode, i_sb_list)) {
		/* One that is new yet has nothing cached. */
		if (!(READ_ONCE(inode->i_state) & I_NEW) && igrab(inode)) {
			spin_unlock(&sb->s_inode_list_lock);
			return inode;
		}
	}
	spin_unlock(&sb->s_inode_list_lock);
	return NULL;
}

/* The inode before is let go of only after the next one is found from it. */
static void drop_work(struct work_struct *work)
{
	struct drop *d = container_of(work, struct drop, work);
	struct inode *inode = NULL, *next;

	while ((next = next_inode(d->sb, inode))) {
		iput(inode);
		inode = next;
		gns_lease_drop(gns_i(inode));
		cond_resched();
	}
	iput(inode);
	deactivate_super(d->sb);
	kfree(d);
}

const struct nla_policy gns_drop_policy[GNS_A_MOUNT + 1] = {
	[GNS_A_MOUNT] = { .type = NLA_U32 },
};

int gns_do_drop(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_instance *inst = gns_instance_of(genl_info_net(info));
	struct super_block *sb;
	struct drop *d;

	if (gns_netlink_missing(info, GNS_A_MOUNT))
		return -EINVAL;
	sb = gns_mounts_get(inst, nla_get_u32(info->attrs[GNS_A_MOUNT]));
	if (!sb) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[GNS_A_MOUNT],
				    "no such mount in this network namespace");
		return -ENOENT;
	}
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d) {
		deactivate_super(sb);
		return -ENOMEM;
	}
	INIT_WORK(&d->work, drop_work);
	d->sb = sb;
	queue_work(drop_wq, &d->work);
	return 0;
}

/* One at a time; drained at the end, so that no worker is left in here. */
int __init gns_drop_init(void)
{
	drop_wq = alloc_ordered_workqueue("gns_drop", 0);
	return drop_wq ? 0 : -ENOMEM;
}

void gns_drop_exit(void)
{
	destroy_workqueue(drop_wq);
}
