/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that open(2) makes here are open before anybody has counted it.
 *
 * The origin gives a lease with the answer to CREATE, and may ask for it back
 * at once, when somebody else takes the name away: by a REVOKE that overtakes
 * the answer, on another connection. To say that nothing is open there would
 * make the file go, and the VFS make another one of that name. So from before
 * the change is sent until the file is open, who asks for an object that may be
 * it is told that it is open; and that it is not, when that is known.
 *
 * Locks: all of it under session->lock, but for the words to the origin.
 */
#ifndef GNS_MAKING_H
#define GNS_MAKING_H

#include "change.h"

/**
 * struct gns_making - a file that is being made to be opened
 * @s:    the session
 * @link: in s->making, in order
 * @nr:   counts them
 */
struct gns_making {
	struct gns_session *s;
	struct list_head link;
	u64 nr;
};

/** gns_making_begin() - a CREATE is about to be sent; @m is the caller's */
void gns_making_begin(struct gns_making *m, struct gns_session *s);

/**
 * gns_making_open() - gns_open_begin() of what was made
 * @m:    begun
 * @gi:   what the answer names
 * @cred: who opens it
 */
int gns_making_open(struct gns_making *m, struct gns_inode *gi,
		    const struct cred *cred);

/**
 * gns_making_end() - it is open, or will not be
 * @m: begun
 *
 * Context: process; waits for no call, and does not fail.
 */
void gns_making_end(struct gns_making *m);

/** gns_making_first() - of those under way, or U64_MAX; s->lock held */
u64 gns_making_first(struct gns_session *s);

/**
 * gns_making_asked() - a REVOKE for what is not open as far as is known
 * @s:    the session; s->lock held
 * @fh:   of an object without an inode, or with one that is younger than the
 *        first file that is being made
 * @upto: of the REVOKE
 *
 * Return: say that it is open. So it is remembered until that is certain; false
 * as well without room for that, which costs who makes it an EIO.
 */
bool gns_making_asked(struct gns_session *s, const struct gns_fh *fh, u64 upto);

#endif
