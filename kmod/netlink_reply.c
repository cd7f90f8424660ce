// SPDX-License-Identifier: GPL-2.0
/*
 * REPLY: the answer of a call without bytes.
 */
#include "gns.h"
#include "netlink.h"

#define CHANGED_MIN sizeof(struct gns_uchanged)
#define CHANGED_MAX (GNS_UCHANGED_MAX * sizeof(struct gns_uchanged))

const struct nla_policy gns_reply_policy[GNS_A_LOCK + 1] = {
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
	[GNS_A_COUNT] = { .type = NLA_U64 },
	[GNS_A_CHANGED] = NLA_POLICY_RANGE(NLA_BINARY, CHANGED_MIN, CHANGED_MAX),
	[GNS_A_LOCK] = NLA_POLICY_EXACT_LEN(sizeof(struct gns_ulock)),
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
	ans->count = get_u64(info, GNS_A_COUNT);
	if (info->attrs[GNS_A_FH])
		ans->fh.len = nla_len(info->attrs[GNS_A_FH]);
	get_bytes(info, GNS_A_FH, ans->fh.b, sizeof(ans->fh.b));
	get_bytes(info, GNS_A_ATTR, &ans->attr, sizeof(ans->attr));
	get_bytes(info, GNS_A_STATFS, &ans->statfs, sizeof(ans->statfs));
	get_bytes(info, GNS_A_LOCK, &ans->lock, sizeof(ans->lock));
	ans->found = info->attrs[GNS_A_LOCK];
}

/* What a change touched, copied to @to: an attribute's bytes are not aligned. */
static int parse_changed(struct genl_info *info, struct gns_answer *ans,
			 struct gns_uchanged to[GNS_UCHANGED_MAX])
{
	struct nlattr *a = info->attrs[GNS_A_CHANGED];
	u32 i;

	if (!a)
		return 0;
	if (nla_len(a) % sizeof(*to)) {
		NL_SET_ERR_MSG_ATTR(info->extack, a,
				    "not a whole number of struct gns_uchanged");
		return -EINVAL;
	}
	ans->nchanged = nla_memcpy(to, a, CHANGED_MAX) / sizeof(*to);
	ans->changed = to;
	for (i = 0; i < ans->nchanged; i++) {
		if (to[i].fh.len && to[i].fh.len <= GNS_UFH_MAX)
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack, a,
				    "a handle that has not 1 to 63 bytes");
		return -EINVAL;
	}
	return 0;
}

static int check_lock(struct genl_info *info, const struct gns_answer *ans)
{
	const struct gns_ulock *lk = &ans->lock;

	if (lk->start <= lk->end && lk->op <= GNS_ULK_WRITE && lk->own <= 1 &&
	    !lk->seq && !lk->owner && !lk->kind && !lk->how)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[GNS_A_LOCK],
			    "not a lock that somebody has");
	return -EINVAL;
}

int gns_do_reply(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_instance *inst = gns_netlink_helper(info);
	struct gns_uchanged changed[GNS_UCHANGED_MAX];
	struct gns_answer ans;
	int err;

	if (IS_ERR(inst))
		return PTR_ERR(inst);
	/* An error of the helper's own is of no session. */
	if (gns_netlink_missing(info, GNS_A_ID))
		return -EINVAL;
	parse(info, &ans);
	err = parse_changed(info, &ans, changed);
	if (!err)
		err = check_lock(info, &ans);
	if (err)
		return err;
	return gns_call_answer(inst, get_u64(info, GNS_A_ID), &ans, NULL);
}
