/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access control lists: the origin's, obeyed here.
 *
 * Attributes say which lists an object has (gi->acls). What a list says is asked
 * for as an extended attribute, by whoever needs it first, and is known for
 * that life of the lease (gi->acl). The kernel's own cache of lists is not
 * used: nothing there ends with a lease.
 */
#ifndef GNS_ACL_H
#define GNS_ACL_H

#include <linux/fs.h>
#include <linux/posix_acl.h>
#include "lease.h"

/** struct gns_acl - a list that is known */
struct gns_acl {
	u64 epoch; /* life of the lease in which it is so */
	struct posix_acl *acl; /* a reference; never NULL */
	struct rcu_head rcu;
};

/**
 * gns_get_acl() - ->get_inode_acl()
 * @inode: any but a symbolic link
 * @type:  ACL_TYPE_*
 * @rcu:   in RCU walk: the list comes without a reference, and nobody is asked
 *
 * Without a live lease, or when the list is not known, the origin is asked:
 * killable, no lock held but what the VFS holds.
 * Return: a reference; NULL: there is none; an error, -ECHILD in RCU walk.
 */
struct posix_acl *gns_get_acl(struct inode *inode, int type, bool rcu);

/** gns_set_acl() - ->set_acl(): a change as any other; NULL takes it away */
int gns_set_acl(gns_idmap_t *idmap, gns_acl_of_t *of, struct posix_acl *acl,
		int type);

/**
 * gns_acl_ask() - the list of an object, and its attributes of that moment
 * @inode: the object
 * @ans:   filled with an answer that has attributes
 *
 * For checks without a lease. Context: process; waits for the origin, killable.
 * Return: a reference; NULL: it has none any more, and @ans is not to be used;
 * an error.
 */
struct posix_acl *gns_acl_ask(struct inode *inode, struct gns_answer *ans);

/**
 * gns_acl_allows() - posix_acl_permission() for who is not the owner, by
 * attributes that are in no inode
 * @gsb:  the mount
 * @acl:  the list
 * @attr: of the same moment
 * @want: MAY_READ, MAY_WRITE, MAY_EXEC
 */
bool gns_acl_allows(const struct gns_sb *gsb, const struct posix_acl *acl,
		    const struct gns_uattr *attr, int want);

/** gns_acl_forget() - an inode goes; readers in RCU walk may still be there */
void gns_acl_forget(struct gns_inode *gi);

/* xattr.c */

/**
 * gns_xattr_ask() - an extended attribute, or the names of all
 * @inode: whose
 * @type:  GNS_CALL_GETXATTR, GNS_CALL_LISTXATTR
 * @name:  NULL: none
 * @err:   of the answer
 *
 * Return: the call, put by gns_call_put(); NULL without memory, with @err.
 */
struct gns_bufcall *gns_xattr_ask(struct inode *inode, u32 type,
				  const char *name, int *err);

/**
 * gns_xattr_change() - set an extended attribute
 * @inode: whose
 * @name:  full
 * @value: NULL: take it away
 * @size:  bytes of @value
 * @flags: XATTR_*
 */
int gns_xattr_change(struct inode *inode, const char *name, const void *value,
		     size_t size, int flags);

#endif
