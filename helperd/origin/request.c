// SPDX-License-Identifier: GPL-2.0
/*
 * What the request for a change is about: who asks, which objects it names by
 * their handles and which by names, and what a second run of it would do.
 */
#include <linux/falloc.h>
#include <string.h>

#include "origin/core.h"

/* Who asks for the change. */
const struct gns_cred *request_cred(const struct gns_msg *req)
{
	switch (req->type) {
	case GNS_WRITE:
		return &req->write.cred;
	case GNS_SETATTR:
		return &req->setattr.cred;
	case GNS_RENAME:
		return &req->rename.cred;
	case GNS_LINK:
		return &req->link.cred;
	case GNS_SYMLINK:
		return &req->symlink.cred;
	case GNS_MKNOD:
		return &req->mknod.cred;
	case GNS_SETXATTR:
		return &req->setxattr.cred;
	case GNS_FALLOCATE:
		return &req->fallocate.cred;
	case GNS_COPY:
		return &req->copy.cred;
	}
	return &req->make.cred;
}

/*
 * The objects that are named by handle, at most REQUEST_FHS; returns how many.
 * The last one of COPY is the one that is only read.
 */
u32 request_fhs(const struct gns_msg *req, const struct gns_fh **fh)
{
	switch (req->type) {
	case GNS_WRITE:
		fh[0] = &req->write.fh;
		return 1;
	case GNS_SETATTR:
		fh[0] = &req->setattr.fh;
		return 1;
	case GNS_SETXATTR:
		fh[0] = &req->setxattr.fh;
		return 1;
	case GNS_FALLOCATE:
		fh[0] = &req->fallocate.fh;
		return 1;
	case GNS_COPY:
		fh[0] = &req->copy.fh;
		fh[1] = &req->copy.from;
		return 2;
	case GNS_RENAME:
		fh[0] = &req->rename.odir;
		fh[1] = &req->rename.ndir;
		return 2;
	case GNS_LINK:
		fh[0] = &req->link.dir;
		fh[1] = &req->link.fh;
		return 2;
	case GNS_SYMLINK:
		fh[0] = &req->symlink.dir;
		return 1;
	case GNS_MKNOD:
		fh[0] = &req->mknod.dir;
		return 1;
	case GNS_TMPFILE:
		/* Nothing of its directory changes. */
		return 0;
	}
	fh[0] = &req->make.dir;
	return 1;
}

/* How many names it is about: those of directories, not of attributes. */
u32 request_names(const struct gns_msg *req)
{
	switch (req->type) {
	case GNS_WRITE:
	case GNS_SETATTR:
	case GNS_SETXATTR:
	case GNS_FALLOCATE:
	case GNS_COPY:
	case GNS_TMPFILE:
		return 0;
	case GNS_RENAME:
		return 2;
	}
	return 1;
}

/* Make @ask the question what the name @i means, as who asks for @req. */
void request_lookup(const struct gns_msg *req, u32 i, struct gns_msg *ask)
{
	struct gns_m_name *m = &ask->name;

	*ask = (struct gns_msg){ .type = GNS_LOOKUP };
	/* Root may be squashed to a nobody: the answer is to be the caller's. */
	m->cred = *request_cred(req);
	switch (req->type) {
	case GNS_RENAME:
		m->fh = i ? req->rename.ndir : req->rename.odir;
		m->name = i ? req->rename.nname : req->rename.oname;
		break;
	case GNS_LINK:
		m->fh = req->link.dir;
		m->name = req->link.name;
		break;
	case GNS_SYMLINK:
		m->fh = req->symlink.dir;
		m->name = req->symlink.name;
		break;
	case GNS_MKNOD:
		m->fh = req->mknod.dir;
		m->name = req->mknod.name;
		break;
	default:
		m->fh = req->make.dir;
		m->name = req->make.name;
	}
}

/* An attribute's presence before and after it tells whether it ran. */
bool request_moves_xattr(const struct gns_msg *req)
{
	return req->type == GNS_SETXATTR &&
	       req->setxattr.flags & (GNS_XA_CREATE | GNS_XA_REMOVE);
}

/* Make @ask the question which extended attributes there are. */
void request_listxattr(const struct gns_msg *req, struct gns_msg *ask)
{
	*ask = (struct gns_msg){ .type = GNS_LISTXATTR };
	ask->obj.cred = *request_cred(req);
	ask->obj.fh = req->setxattr.fh;
}

/* Is the attribute of @req in the answer to that question? */
bool request_has_xattr(const struct gns_msg *req, const struct gns_fsop *op)
{
	const struct gns_str *name = &req->setxattr.name;
	const char *p = op->bulk ? (const char *)op->bulk->data : NULL;
	size_t left = p ? op->rep.payload_len : 0, n;

	for (; left; p += n, left -= n) {
		n = strnlen(p, left);
		if (n == name->len && !memcmp(p, name->p, n))
			return true;
		n += n < left;
	}
	return false;
}

/* What is behind the range moves: another run would move it once more. */
bool request_shifts(const struct gns_msg *req)
{
	return req->type == GNS_FALLOCATE &&
	       req->fallocate.mode &
		       (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE);
}

/* An error of it says that nothing was changed. */
bool request_all_or_nothing(const struct gns_msg *req)
{
	if (req->type == GNS_CREATE)
		return !(req->make.flags & GNS_CR_TRUNC);
	return request_names(req);
}

/* A power loss must not make forget that it may have run. */
bool request_wants_sync(const struct gns_msg *req)
{
	/* A synchronous write makes durable that those before it ran, too. */
	if (req->type == GNS_WRITE)
		return req->write.flags & (GNS_WR_APPEND | GNS_WR_SYNC);
	return request_names(req) || request_moves_xattr(req) ||
	       request_shifts(req);
}
