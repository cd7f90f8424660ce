/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attributes that count: those of an inode under a live lease, or of an answer
 * that was asked for just now. Between attr.c, setattr.c and acl.c only.
 */
#ifndef GNS_ATTR_H
#define GNS_ATTR_H

#include "lease.h"

/** gns_attr_enter() - as gns_lease_enter(), for attributes; any context */
static inline bool gns_attr_enter(const struct gns_inode *gi, u64 *epoch)
{
	*epoch = READ_ONCE(gi->epoch);
	smp_rmb(); /* as gns_lease_enter(); the clock is read once */
	return gns_attr_ok(gi);
}

/** gns_attr_is_answer() - has gns_attr_ask() brought any attributes? */
static inline bool gns_attr_is_answer(const struct gns_answer *ans)
{
	return ans->sid || ans->attr.mode;
}

/**
 * gns_attr_ask() - the attributes of an inode without a usable lease
 * @gi:  the inode
 * @ans: gns_attr_is_answer(): they are there; else look at the inode again
 *
 * Context: process; waits for the origin, killable. Return: 0; an errno,
 * -ESTALE when the object is gone, or has become something else.
 */
int gns_attr_ask(struct gns_inode *gi, struct gns_answer *ans);

/**
 * gns_attr_capable() - capable_wrt_inode_uidgid(), for attributes in no inode
 * @gsb:  the mount
 * @attr: of the object
 * @cap:  CAP_*
 */
bool gns_attr_capable(const struct gns_sb *gsb, const struct gns_uattr *attr,
		      int cap);

#endif
