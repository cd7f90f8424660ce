// SPDX-License-Identifier: GPL-2.0
/*
 * The size that the VFS may see; see size.h.
 */
#include <linux/sched/signal.h>
#include "file.h"
#include "lock.h"
#include "size.h"

void gns_size_set(struct gns_inode *gi, u64 size)
{
	struct inode *inode = &gi->vfs_inode;

	lockdep_assert_held(&gi->lock);
	size = min_t(u64, size, MAX_LFS_FILESIZE);
	spin_lock(&gi->s->sized_lock);
	WRITE_ONCE(gi->size, size);
	if (!S_ISREG(inode->i_mode) || !list_empty(&gi->sized))
		i_size_write(inode, size);
	else
		i_size_write(inode, GNS_SIZE_HIDDEN);
	spin_unlock(&gi->s->sized_lock);
}

/*
 * Looked at with the lock held: who shuts the gate takes it afterwards, and
 * finds what was shown before.
 */
void gns_size_show_slow(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;

	spin_lock(&s->sized_lock);
	if (list_empty(&gi->sized) && gns_attr_ok(gi) &&
	    gns_lease_may_map(gi)) {
		list_add_tail(&gi->sized, &s->sized);
		i_size_write(&gi->vfs_inode, gi->size);
	}
	spin_unlock(&s->sized_lock);
}

/* s->sized_lock held. */
static void hide(struct gns_inode *gi)
{
	list_del_init(&gi->sized);
	i_size_write(&gi->vfs_inode, GNS_SIZE_HIDDEN);
}

void gns_size_hide(struct gns_inode *gi)
{
	struct gns_session *s = gi->s;

	spin_lock(&s->sized_lock);
	if (!list_empty(&gi->sized))
		hide(gi);
	spin_unlock(&s->sized_lock);
}

void gns_size_hide_all(struct gns_session *s)
{
	struct gns_inode *gi;
	LIST_HEAD(shown);

	spin_lock(&s->sized_lock);
	list_splice_init(&s->sized, &shown);
	while ((gi = list_first_entry_or_null(&shown, struct gns_inode,
					      sized))) {
		hide(gi);
		cond_resched_lock(&s->sized_lock);
	}
	spin_unlock(&s->sized_lock);
}

int gns_size_may_be(const struct gns_inode *gi, u64 old, u64 size)
{
	if (size <= old)
		return 0;
	if (size > rlimit(RLIMIT_FSIZE)) {
		send_sig(SIGXFSZ, current, 0);
		return -EFBIG;
	}
	return size > gi->vfs_inode.i_sb->s_maxbytes ? -EFBIG : 0;
}

static bool is_counted(loff_t pos)
{
	return pos >= GNS_SIZE_HIDDEN - GNS_SIZE_NEAR &&
	       pos <= GNS_SIZE_HIDDEN + GNS_SIZE_NEAR;
}

static int move(loff_t *pos, loff_t end)
{
	*pos -= GNS_SIZE_HIDDEN;
	if (*pos < -end)
		return -EINVAL;
	return check_add_overflow(*pos, end, pos) ? -EOVERFLOW : 0;
}

int gns_size_of_lock(struct file *file, struct file_lock *fl)
{
	loff_t end;
	int err;

	if (!is_counted(fl->fl_start))
		return 0;
	err = gns_file_size(file, &end);
	if (!err)
		err = move(&fl->fl_start, end);
	/* Or it has no end. */
	if (!err && fl->fl_end != OFFSET_MAX)
		err = move(&fl->fl_end, end);
	return err;
}
