// SPDX-License-Identifier: GPL-2.0
/*
 * What the helper says of its sessions: it is checked here, and handed on.
 */
#include <linux/ctype.h>
#include "gns.h"
#include "lease.h"
#include "lock.h"
#include "netlink.h"

const struct nla_policy gns_origin_policy[GNS_A_ORIGIN + 1] = {
	[GNS_A_ORIGIN] = { .type = NLA_U32 },
};

static int put_session(struct sk_buff *skb, const struct gns_instance *inst,
		       struct gns_session *s)
{
	u8 secret[GNS_UID_LEN];
	u64 sid, features;
	bool had_slots;
	int err;

	spin_lock(&s->lock);
	sid = s->sid;
	memcpy(secret, s->secret, sizeof(secret));
	had_slots = s->had_slots;
	features = s->features;
	spin_unlock(&s->lock);
	err = nla_put_u32(skb, GNS_A_ORIGIN, s->nr) ||
			      nla_put(skb, GNS_A_INSTANCE,
				      sizeof(s->instance), s->instance) ||
			      gns_put_u64(skb, GNS_A_SID, sid) ||
			      nla_put(skb, GNS_A_SECRET, sizeof(secret),
				      secret) ||
			      gns_put_u64(skb, GNS_A_ORIGIN_FEATURES,
					  features) ||
			      (had_slots &&
			       nla_put_flag(skb, GNS_A_HAD_SLOTS)) ?
		      -EMSGSIZE :
		      0;
	memzero_explicit(secret, sizeof(secret));
	return err;
}

static int put_secret(struct sk_buff *skb, const struct gns_instance *inst,
		      struct gns_session *s)
{
	u8 secret[GNS_UID_LEN];
	int err;

	gns_session_secret(s, secret);
	err = nla_put_u32(skb, GNS_A_ORIGIN, s->nr) ||
			      nla_put(skb, GNS_A_SECRET, sizeof(secret),
				      secret) ?
		      -EMSGSIZE :
		      0;
	memzero_explicit(secret, sizeof(secret));
	return err;
}

/* Answers with what @put writes of the session. */
static int answer(struct genl_info *info,
		  int (*put)(struct sk_buff *skb, const struct gns_instance *inst,
			     struct gns_session *s))
{
	struct gns_session *s = gns_netlink_origin(info);
	struct sk_buff *skb;
	void *hdr;
	int err = -ENOMEM;

	if (IS_ERR(s))
		return PTR_ERR(s);
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		goto out;
	err = -EMSGSIZE;
	hdr = genlmsg_put_reply(skb, info, &gns_family, 0,
				info->genlhdr->cmd);
	if (hdr)
		err = put(skb, s->inst, s);
	if (err) {
		nlmsg_free(skb);
		goto out;
	}
	genlmsg_end(skb, hdr);
	err = genlmsg_reply(skb, info);
out:
	gns_session_put(s);
	return err;
}

int gns_do_session(struct sk_buff *skb, struct genl_info *info)
{
	return answer(info, put_session);
}

int gns_do_secret(struct sk_buff *skb, struct genl_info *info)
{
	return answer(info, put_secret);
}

static u64 get_u64(struct genl_info *info, int type)
{
	return info->attrs[type] ? nla_get_u64(info->attrs[type]) : 0;
}

/* Says which field a session did not like. */
static int refused(struct genl_info *info, int err)
{
	if (err == -ESTALE)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[GNS_A_SID],
				    "not the present session");
	else if (err == -EINVAL && info->attrs[GNS_A_TTL])
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[GNS_A_TTL],
				    "ttl out of range, stamp from the future, or no session");
	return err;
}

const struct nla_policy gns_up_policy[GNS_A_ORIGIN_FEATURES + 1] = {
	[GNS_A_ORIGIN] = { .type = NLA_U32 },
	[GNS_A_SID] = { .type = NLA_U64 },
	[GNS_A_STAMP] = { .type = NLA_U64 },
	[GNS_A_TTL] = { .type = NLA_U64 },
	[GNS_A_SLOTS] = { .type = NLA_U32 },
	[GNS_A_SLOTS_KNOWN] = { .type = NLA_FLAG },
	[GNS_A_INCARNATION] = { .type = NLA_U64 },
	[GNS_A_ORIGIN_FEATURES] = { .type = NLA_U64 },
};

int gns_do_up(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_session *s = gns_netlink_origin(info);
	struct gns_up up = {};
	int err = -EINVAL;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (!gns_netlink_missing(info, GNS_A_SID) &&
	    !gns_netlink_missing(info, GNS_A_STAMP) &&
	    !gns_netlink_missing(info, GNS_A_TTL)) {
		up.sid = get_u64(info, GNS_A_SID);
		up.stamp = get_u64(info, GNS_A_STAMP);
		up.ttl = get_u64(info, GNS_A_TTL);
		up.incarnation = get_u64(info, GNS_A_INCARNATION);
		up.features = get_u64(info, GNS_A_ORIGIN_FEATURES);
		if (info->attrs[GNS_A_SLOTS])
			up.slots = nla_get_u32(info->attrs[GNS_A_SLOTS]);
		up.slots_known = nla_get_flag(info->attrs[GNS_A_SLOTS_KNOWN]);
		err = refused(info, gns_session_up(s, &up));
	}
	gns_session_put(s);
	return err;
}

const struct nla_policy gns_renewed_policy[GNS_A_TTL + 1] = {
	[GNS_A_ORIGIN] = { .type = NLA_U32 },
	[GNS_A_SID] = { .type = NLA_U64 },
	[GNS_A_STAMP] = { .type = NLA_U64 },
	[GNS_A_TTL] = { .type = NLA_U64 },
};

int gns_do_renewed(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_session *s = gns_netlink_origin(info);
	int err = -EINVAL;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (!gns_netlink_missing(info, GNS_A_SID) &&
	    !gns_netlink_missing(info, GNS_A_STAMP) &&
	    !gns_netlink_missing(info, GNS_A_TTL))
		err = refused(info, gns_session_renewed(s, get_u64(info, GNS_A_SID),
							get_u64(info, GNS_A_STAMP),
							get_u64(info, GNS_A_TTL)));
	gns_session_put(s);
	return err;
}

const struct nla_policy gns_lost_policy[GNS_A_SID + 1] = {
	[GNS_A_ORIGIN] = { .type = NLA_U32 },
	[GNS_A_SID] = { .type = NLA_U64 },
};

int gns_do_lost(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_session *s = gns_netlink_origin(info);
	int err = -EINVAL;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (!gns_netlink_missing(info, GNS_A_SID))
		err = refused(info, gns_session_lost(s, get_u64(info, GNS_A_SID)));
	gns_session_put(s);
	return err;
}

const struct nla_policy gns_revoke_policy[GNS_A_UPTO + 1] = {
	[GNS_A_ORIGIN] = { .type = NLA_U32 },
	[GNS_A_SID] = { .type = NLA_U64 },
	[GNS_A_FH] = NLA_POLICY_RANGE(NLA_BINARY, 1, GNS_UFH_MAX),
	[GNS_A_UPTO] = { .type = NLA_U64 },
};

int gns_do_revoke(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_session *s = gns_netlink_origin(info);
	struct gns_fh fh = {};
	int err = -EINVAL;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (!gns_netlink_missing(info, GNS_A_SID) &&
	    !gns_netlink_missing(info, GNS_A_FH) &&
	    !gns_netlink_missing(info, GNS_A_UPTO)) {
		fh.len = nla_len(info->attrs[GNS_A_FH]);
		nla_memcpy(fh.b, info->attrs[GNS_A_FH], sizeof(fh.b));
		err = refused(info, gns_lease_revoke(s, get_u64(info, GNS_A_SID),
						     &fh,
						     get_u64(info, GNS_A_UPTO)));
	}
	gns_session_put(s);
	return err;
}

const struct nla_policy gns_unlocked_policy[GNS_A_FH + 1] = {
	[GNS_A_ORIGIN] = { .type = NLA_U32 },
	[GNS_A_FH] = NLA_POLICY_RANGE(NLA_BINARY, 1, GNS_UFH_MAX),
};

int gns_do_unlocked(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_session *s = gns_netlink_origin(info);
	struct gns_fh fh = {};
	int err = -EINVAL;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (!gns_netlink_missing(info, GNS_A_FH)) {
		fh.len = nla_len(info->attrs[GNS_A_FH]);
		nla_memcpy(fh.b, info->attrs[GNS_A_FH], sizeof(fh.b));
		gns_lock_unlocked(s, &fh);
		err = 0;
	}
	gns_session_put(s);
	return err;
}

const struct nla_policy gns_trouble_policy[GNS_A_TEXT + 1] = {
	[GNS_A_ORIGIN] = { .type = NLA_U32 },
	[GNS_A_STATUS] = { .type = NLA_U32 },
	[GNS_A_TEXT] = { .type = NLA_NUL_STRING, .len = GNS_UTEXT_MAX },
};

/* Part of it may be an origin's words: it is shown to people, on one line. */
int gns_do_trouble(struct sk_buff *skb, struct genl_info *info)
{
	struct gns_session *s = gns_netlink_origin(info);
	char text[GNS_UTEXT_MAX + 1] = "";
	u32 status = EIO;
	char *p;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (info->attrs[GNS_A_STATUS])
		status = nla_get_u32(info->attrs[GNS_A_STATUS]);
	if (info->attrs[GNS_A_TEXT])
		nla_strscpy(text, info->attrs[GNS_A_TEXT], sizeof(text));
	for (p = text; *p; p++)
		if (!isascii(*p) || !isprint(*p))
			*p = '?';
	gns_session_trouble(s, gns_status_errno(status), text);
	gns_session_put(s);
	return 0;
}
