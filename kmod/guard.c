// SPDX-License-Identifier: GPL-2.0
/*
 * Open files that have locks, and the session that these depend on; see lock.h.
 */
#include <linux/slab.h>
#include "listing.h"
#include "lock.h"

static struct gns_guard *guard_of(const struct file *file)
{
	struct gns_dir_at *at = READ_ONCE(file->private_data);

	if (S_ISDIR(file_inode(file)->i_mode))
		return &at->guard;
	return READ_ONCE(file->private_data);
}

static void lose(struct file *file, struct gns_guard *g)
{
	struct inode *inode = file_inode(file);

	if (READ_ONCE(g->lost))
		return;
	WRITE_ONCE(g->lost, true);
	gns_warn(gns_isb(inode), "inode %lu: locks were lost with the session; an open file gives errors until it is closed\n",
		 inode->i_ino);
}

static bool is_lost(struct file *file, struct gns_guard *g)
{
	const struct gns_session *s = gns_i(file_inode(file))->s;
	u64 gen = READ_ONCE(g->gen);

	if (gen && gen != READ_ONCE(s->gen))
		lose(file, g);
	return READ_ONCE(g->lost);
}

int gns_guard_check(struct file *file)
{
	struct gns_guard *g = guard_of(file);

	return g && is_lost(file, g) ? -EIO : 0;
}

int gns_guard_call(struct gns_call *c, struct file *file)
{
	struct gns_guard *g = guard_of(file);

	if (!g)
		return 0;
	/* If it is another one by now, that is seen when the call is sent. */
	c->guard = READ_ONCE(g->gen);
	return is_lost(file, g) ? -EIO : 0;
}

int gns_guard_make(struct file *file)
{
	struct gns_guard *g;

	if (guard_of(file))
		return 0;
	g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);
	if (!g)
		return -ENOMEM;
	if (cmpxchg(&file->private_data, NULL, (void *)g))
		kfree(g);
	return 0;
}

int gns_guard_add(struct file *file, u64 sid)
{
	struct gns_session *s = gns_i(file_inode(file))->s;
	struct gns_guard *g = guard_of(file);
	int err = 0;

	spin_lock(&s->lock);
	if (!s->sid || s->sid != sid)
		err = -ESTALE;
	else if (!g->gen)
		WRITE_ONCE(g->gen, s->gen);
	spin_unlock(&s->lock);
	return is_lost(file, g) ? -EIO : err;
}

void gns_guard_clear(struct file *file)
{
	struct gns_guard *g = guard_of(file);

	if (g && !is_lost(file, g))
		WRITE_ONCE(g->gen, 0);
}

void gns_guard_lose(struct file *file)
{
	struct gns_guard *g = guard_of(file);

	if (g)
		lose(file, g);
}

void gns_guard_release(struct file *file)
{
	kfree(file->private_data);
}
