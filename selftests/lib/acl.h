/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access control lists in the form of getxattr(2), made by hand.
 *
 * Locks: none; plain memory.
 */
#ifndef GNS_TEST_ACL_H
#define GNS_TEST_ACL_H

#include <endian.h>
#include <linux/posix_acl.h>

#include "lib/types.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"
#define ACL_ROOM 64
#define ACL_NOBODY UINT32_MAX /* id of entries without one */

#define ACL_VERSION 2u

/* As the kernel has them: all little-endian. */
struct acl_entry {
	u16 tag;
	u16 perm;
	u32 id;
};

/** struct acl - a list; entries in the order that the kernel wants */
struct acl {
	u32 version;
	struct acl_entry e[ACL_ROOM];
	u32 n;
};

static inline void acl_add(struct acl *a, u16 tag, u16 perm, u32 id)
{
	a->version = htole32(ACL_VERSION);
	a->e[a->n++] = (struct acl_entry){ htole16(tag), htole16(perm),
					   htole32(id) };
}

/** acl_size() - bytes of its value, which begins at @a */
static inline u32 acl_size(const struct acl *a)
{
	return sizeof(a->version) + a->n * sizeof(a->e[0]);
}

/** acl_one() - @mode, and an entry for user @uid with @perm; mask: rwx */
static inline struct acl acl_one(u32 mode, u32 uid, u16 perm)
{
	struct acl a = { .n = 0 };

	acl_add(&a, ACL_USER_OBJ, mode >> 6 & 7, ACL_NOBODY);
	acl_add(&a, ACL_USER, perm, uid);
	acl_add(&a, ACL_GROUP_OBJ, mode >> 3 & 7, ACL_NOBODY);
	acl_add(&a, ACL_MASK, 7, ACL_NOBODY);
	acl_add(&a, ACL_OTHER, mode & 7, ACL_NOBODY);
	return a;
}

/** acl_mode() - nothing but @mode: no list is kept of it */
static inline struct acl acl_mode(u32 mode)
{
	struct acl a = { .n = 0 };

	acl_add(&a, ACL_USER_OBJ, mode >> 6 & 7, ACL_NOBODY);
	acl_add(&a, ACL_GROUP_OBJ, mode >> 3 & 7, ACL_NOBODY);
	acl_add(&a, ACL_OTHER, mode & 7, ACL_NOBODY);
	return a;
}

#endif
