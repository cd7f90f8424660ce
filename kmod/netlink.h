/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The netlink family: between netlink*.c and words.c only.
 *
 * A doit runs under genetlink's own lock, shared by all families of the host:
 * none waits for the helper, or for anything that a helper does.
 */
#ifndef GNS_NETLINK_H
#define GNS_NETLINK_H

#include <net/genetlink.h>
#include "call.h"

extern struct genl_family gns_family;

/**
 * gns_netlink_ring() - send the doorbell
 * @inst:   the instance
 * @portid: the helper's socket
 *
 * Context: any but a hard interrupt. Return: 0; a negative errno: not sent.
 */
int gns_netlink_ring(struct gns_instance *inst, u32 portid);

/**
 * gns_netlink_helper() - the instance whose helper sent a request
 * @info: the request
 *
 * Return: the instance; ERR_PTR(-ENOTCONN) when its helper is another one.
 */
struct gns_instance *gns_netlink_helper(struct genl_info *info);

/**
 * gns_netlink_origin() - the session that a request of the helper names
 * @info: the request, with GNS_A_ORIGIN
 *
 * Return: a reference; ERR_PTR(-ENOTCONN) as above, -ENOENT: no such origin.
 */
struct gns_session *gns_netlink_origin(struct genl_info *info);

/**
 * gns_netlink_missing() - is an attribute missing that must be there?
 * @info: the request; its error says which
 * @type: the attribute
 */
#define gns_netlink_missing(info, type) GENL_REQ_ATTR_CHECK(info, type)

/*
 * What the family's table names; each with the policy of its attributes.
 */
extern const struct nla_policy gns_origin_policy[GNS_A_ORIGIN + 1];
extern const struct nla_policy gns_up_policy[GNS_A_ORIGIN_FEATURES + 1];
extern const struct nla_policy gns_renewed_policy[GNS_A_TTL + 1];
extern const struct nla_policy gns_lost_policy[GNS_A_SID + 1];
extern const struct nla_policy gns_revoke_policy[GNS_A_UPTO + 1];
extern const struct nla_policy gns_unlocked_policy[GNS_A_FH + 1];
extern const struct nla_policy gns_trouble_policy[GNS_A_TEXT + 1];
int gns_do_session(struct sk_buff *skb, struct genl_info *info);
int gns_do_secret(struct sk_buff *skb, struct genl_info *info);
int gns_do_up(struct sk_buff *skb, struct genl_info *info);
int gns_do_renewed(struct sk_buff *skb, struct genl_info *info);
int gns_do_lost(struct sk_buff *skb, struct genl_info *info);
int gns_do_revoke(struct sk_buff *skb, struct genl_info *info);
int gns_do_unlocked(struct sk_buff *skb, struct genl_info *info);
int gns_do_trouble(struct sk_buff *skb, struct genl_info *info);

extern const struct nla_policy gns_reply_policy[GNS_A_LOCK + 1];
int gns_do_reply(struct sk_buff *skb, struct genl_info *info);

extern const struct nla_policy gns_drop_policy[GNS_A_MOUNT + 1];
int gns_dump_status(struct sk_buff *skb, struct netlink_callback *cb);
int gns_do_drop(struct sk_buff *skb, struct genl_info *info);
int gns_drop_init(void);
void gns_drop_exit(void);

#endif
