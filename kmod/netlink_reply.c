// SPDX-License-Identifier: GPL-2.0
/*
 * REPLY: the answer of a call without bytes.
 */
#include "gns.h"
#include "netlink.h"

const struct nla_policy gns_reply_policy[GNS_A_STATFS + 1] = {
	[GNS_A_SID] = { .type = NLA_U64 },
	[GNS_A_FH] = NLA_POLICY_RANGE(NLA_BINARY, 1, GNS_UFH_MAX),
	[GNS_A_ID] = { .type = NLA_U64 },
	[GNS_A_OFF] = { .type = NLA_U64 },
	[GNS_A_STATUS] = { .type = NLA_U32 },
	[GNS_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, GNS_UF_ALL),
	[GNS_A_ATTR] = NLA_POLICY_EXACT_LEN(sizeof(struct gns_uattr)),
	[GNS_A_VERSION] = { .type = NLA_U64 },
	[GNS_A_NUMBER] = { .type = NLA_U64 },
	[GNS_A_DIR_VERSION] = { .type = NLA_U64 },
	[GNS_A_DIR_NUMBER] = { .type = NLA_U64 },
	[GNS_A_STATFS] = NLA_POLICY_EXACT_LEN(sizeof(struct gns_ustatfs)),
};

static u64 get_u64(struct genl_info *info, int type)
{
	return info->attrs[type] ? nla_get_u64(info->attrs[type]) : 0;
}

static u32 get_u32(struct genl_info *info, int type)
{
	return info->attrs[type] ? nla_get_u32(info->attrs[type]) : 0;
}

static void get_bytes(struct genl_info *info, int type, void *to, size_t len)
{
	if (info->attrs[type])
		nla_memcpy(to, info->attrs[type], len);
}

static void parse(struct genl_info *info, struct gns_answer *ans)
{
	memset(ans, 0, sizeof(*ans));
	ans->err = gns_status_errno(get_u32(info, GNS_A_STATUS));
	ans->sid = get_u64(info, GNS_A_SID);
	ans->flags = get_u32(info, GNS_A_FLAGS);
	ans->dir.version = get_u64(info, GNS_A_DIR_VERSION);
	ans->dir.number = get_u64(info, GNS_A_DIR_NUMBER);
	ans->grant.version = get_u64(info, GNS_A_VERSION);
	ans->grant.number = get_u64(info, GNS_A_NUMBER);
	ans->off = get_u64(info, GNS_A_OFF);
	if (info->attrs[GNS_A_FH])
		ans->fh.len = nla_len(info->attrs[GNS_A_FH]);
	get_bytes(info, GNS_A_FH, ans->fh.b, sizeof(ans->fh.b));
	get_bytes(info, GNS_A_ATTR, &ans->attr, sizeof(ans->attr));
	get_bytes(info, GNS_A_STATFS, &ans->statfs, sizeof(ans->statfs));
}

int gns_do_reply(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_instance *inst = gns_netlink_helper(info);
	struct gns_answer ans;

	if (IS_ERR(inst))
		return PTR_ERR(inst);
	/* An error of the helper's own is of no session. */
	if (gns_netlink_missing(info, GNS_A_ID))
		return -EINVAL;
	parse(info, &ans);
	return gns_call_answer(inst, get_u64(info, GNS_A_ID), &ans, NULL);
}
