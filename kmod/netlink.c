// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family "gns": its table, who may say what, BIND, PULL and the
 * doorbell. What the helper and tools say else is in netlink_*.c.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include "chardev.h"
#include "gns.h"
#include "netlink.h"
#include "session.h"

/* One answer to PULL; any one word fits. */
#define PULL_BYTES SKB_WITH_OVERHEAD(16384u)
#define PULL_WORDS 256

int gns_netlink_ring(struct gns_instance *inst, u32 portid)
{
	struct sk_buff *skb = genlmsg_new(0, GFP_ATOMIC);

	if (!skb)
		return -ENOMEM;
	if (!genlmsg_put(skb, 0, 0, &gns_family, 0, GNS_CMD_DOORBELL)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	return genlmsg_unicast(inst->net, skb, portid);
}

struct gns_instance *gns_netlink_helper(struct genl_info *info)
{
	struct gns_instance *inst = gns_instance_of(genl_info_net(info));

	if (READ_ONCE(inst->portid) == info->snd_portid)
		return inst;
	NL_SET_ERR_MSG(info->extack, "this socket is not bound: BIND first");
	return ERR_PTR(-ENOTCONN);
}

struct gns_session *gns_netlink_origin(struct genl_info *info)
{
	struct gns_instance *inst = gns_netlink_helper(info);
	struct gns_session *s;

	if (IS_ERR(inst))
		return ERR_CAST(inst);
	if (gns_netlink_missing(info, GNS_A_ORIGIN))
		return ERR_PTR(-EINVAL);
	s = gns_session_find(inst, nla_get_u32(info->attrs[GNS_A_ORIGIN]));
	if (s)
		return s;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[GNS_A_ORIGIN],
			    "nothing of that origin is mounted");
	return ERR_PTR(-ENOENT);
}

static const struct nla_policy bind_policy[GNS_A_FEATURES + 1] = {
	[GNS_A_FD] = { .type = NLA_U32 },
	[GNS_A_FEATURES] = { .type = NLA_U64 },
};

static int bind_answer(struct genl_info *info, struct gns_instance *inst,
		       u64 features)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &gns_family, 0, GNS_CMD_BIND);
	if (!hdr || gns_put_u64(skb, GNS_A_FEATURES, features) ||
	    nla_put(skb, GNS_A_INSTANCE, sizeof(inst->id), inst->id)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int bind_file(struct genl_info *info, struct gns_instance *inst,
		     struct file *file)
{
	struct gns_helper *h = gns_helper_of(file);
	u64 features = 0;
	int err;

	if (!h || gns_helper_instance(h) != inst) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[GNS_A_FD],
				    "not an open /dev/gns of this network namespace");
		return -EINVAL;
	}
	if (info->attrs[GNS_A_FEATURES])
		features = nla_get_u64(info->attrs[GNS_A_FEATURES]) & GNS_F_ALL;
	err = gns_helper_bind(inst, h, info->snd_portid, features);
	if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack, "another socket is bound to it");
	if (!err)
		err = bind_answer(info, inst, features);
	return err;
}

static int do_bind(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_instance *inst = gns_instance_of(genl_info_net(info));
	struct file *file;
	int err;

	if (gns_netlink_missing(info, GNS_A_FD))
		return -EINVAL;
	file = fget(nla_get_u32(info->attrs[GNS_A_FD]));
	if (!file) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[GNS_A_FD],
				    "not an open file");
		return -EBADF;
	}
	err = bind_file(info, inst, file);
	fput(file);
	return err;
}

/*
 * A message that can not be delivered took words with it that are said only
 * once: that is the same as the socket's end, and the helper has to begin
 * anew. It never happens to one that reads its answers.
 */
static int pull(struct genl_info *info, struct gns_instance *inst,
		struct gns_word **pulled)
{
	struct sk_buff *skb = nlmsg_new(PULL_BYTES - NLMSG_HDRLEN, GFP_KERNEL);
	void *hdr;
	int n, err;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &gns_family, 0, GNS_CMD_PULL);
	if (!hdr) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	n = gns_words_pull(inst, info->snd_portid, skb, pulled, PULL_WORDS);
	if (n < 0) {
		nlmsg_free(skb);
		return n;
	}
	genlmsg_end(skb, hdr);
	err = genlmsg_reply(skb, info);
	if (err && n)
		gns_helper_unbound(inst, info->snd_portid);
	gns_words_sent(pulled, n);
	return err;
}

static int do_pull(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_instance *inst = gns_netlink_helper(info);
	struct gns_word **pulled;
	int err;

	if (IS_ERR(inst))
		return PTR_ERR(inst);
	pulled = kmalloc_array(PULL_WORDS, sizeof(*pulled), GFP_KERNEL);
	if (!pulled)
		return -ENOMEM;
	mutex_lock(&inst->pulling);
	err = pull(info, inst, pulled);
	mutex_unlock(&inst->pulling);
	kfree(pulled);
	return err;
}

/* Command, function, policy, its last attribute; for administrators only. */
#define OP(c, fn, p, last) \
	{ \
		.cmd = GNS_CMD_##c, \
		.doit = fn, \
		.policy = p, \
		.maxattr = last, \
		.flags = GENL_ADMIN_PERM, \
	}

static const struct genl_ops ops[] = {
	OP(BIND, do_bind, bind_policy, GNS_A_FEATURES),
	{
		.cmd = GNS_CMD_PULL,
		.doit = do_pull,
		.flags = GENL_ADMIN_PERM,
	},
	OP(SESSION, gns_do_session, gns_origin_policy, GNS_A_ORIGIN),
	OP(SECRET, gns_do_secret, gns_origin_policy, GNS_A_ORIGIN),
	OP(UP, gns_do_up, gns_up_policy, GNS_A_ORIGIN_FEATURES),
	OP(RENEWED, gns_do_renewed, gns_renewed_policy, GNS_A_TTL),
	OP(LOST, gns_do_lost, gns_lost_policy, GNS_A_SID),
	OP(REVOKE, gns_do_revoke, gns_revoke_policy, GNS_A_UPTO),
	OP(REPLY, gns_do_reply, gns_reply_policy, GNS_A_LOCK),
	OP(TROUBLE, gns_do_trouble, gns_trouble_policy, GNS_A_TEXT),
	{
		.cmd = GNS_CMD_STATUS,
		.dumpit = gns_dump_status,
		.flags = GENL_ADMIN_PERM,
	},
	OP(DROP, gns_do_drop, gns_drop_policy, GNS_A_MOUNT),
	OP(UNLOCKED, gns_do_unlocked, gns_unlocked_policy, GNS_A_FH),
};

struct genl_family gns_family __ro_after_init = {
	.name = GNS_GENL_NAME,
	.version = GNS_GENL_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = GNS_CMD_BIND,
};

/* The second sign of a helper's death; the first is chardev.c's. */
static int on_netlink(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct netlink_notify *n = ptr;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC)
		gns_helper_unbound(gns_instance_of(n->net), n->portid);
	return NOTIFY_DONE;
}

static struct notifier_block netlink_notifier = {
	.notifier_call = on_netlink,
};

MODULE_ALIAS_GENL_FAMILY(GNS_GENL_NAME);

int __init gns_netlink_init(void)
{
	int err = gns_drop_init();

	if (err)
		return err;
	err = netlink_register_notifier(&netlink_notifier);
	if (err)
		goto out_drop;
	err = genl_register_family(&gns_family);
	if (err)
		goto out_notifier;
	return 0;

out_notifier:
	netlink_unregister_notifier(&netlink_notifier);
out_drop:
	gns_drop_exit();
	return err;
}

void gns_netlink_exit(void)
{
	genl_unregister_family(&gns_family);
	netlink_unregister_notifier(&netlink_notifier);
	gns_drop_exit();
}
