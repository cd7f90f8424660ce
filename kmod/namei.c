// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of names; see dir.h for which dentry counts, and change.h for how a
 * change is made.
 *
 * A dentry that a change is about does not count from before the change is
 * sent: its d_time is 0, and who meets it asks the origin. It counts again once
 * it shows what the answer says. After an error it stays so, whatever became
 * of the change. The i_rwsem of each directory is held all the time.
 *
 * The VFS has checked what the caller may do, by attributes that were fresh
 * when it looked; the origin checks it again, as the caller, and it decides.
 */
#include <linux/dcache.h>
#include <linux/kdev_t.h>
#include <linux/namei.h>
#include "change.h"
#include "dir.h"
#include "file.h"
#include "making.h"

/* How often a name may be gone again that was there a moment ago. */
#define OPEN_TRIES 5

/* A change of one name. */
static struct gns_change *change_of(struct inode *dir, u32 type,
				    const struct dentry *dentry)
{
	struct gns_change *ch;
	int err;

	ch = gns_change_new(dir->i_sb, type, current_cred(), 0);
	if (!ch)
		return ERR_PTR(-ENOMEM);
	err = gns_change_name(ch, dir, &dentry->d_name);
	if (!err)
		return ch;
	gns_change_put(ch);
	return ERR_PTR(err);
}

/* The umask is left to the origin: a directory's default list is above it. */
static void set_mode(struct gns_change *ch, umode_t mode)
{
	ch->c.req.mode = mode;
	ch->c.req.umask = current_umask();
}

static int run(struct gns_change *ch, struct dentry *dentry)
{
	WRITE_ONCE(dentry->d_time, 0);
	return gns_change_run(ch);
}

/*
 * Put what the change made behind @dentry, which is hashed then. As ->lookup():
 * returns a dentry that is in use instead, a reference; NULL: @dentry itself;
 * or an error.
 */
static struct dentry *take_made(struct gns_change *ch, struct inode *dir,
				struct dentry *dentry)
{
	struct inode *inode = gns_change_made(ch, dir->i_sb);
	struct dentry *alias;
	u64 stamp;

	d_drop(dentry);
	/* An origin that found the change in its log knows only that it ran. */
	if (IS_ERR(inode) && PTR_ERR(inode) == -EIO)
		return gns_lookup(dir, dentry, 0);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	stamp = gns_change_stamp(ch, dir);
	WRITE_ONCE(dentry->d_time, stamp);
	alias = d_splice_alias(inode, dentry);
	if (!IS_ERR_OR_NULL(alias))
		WRITE_ONCE(alias->d_time, stamp);
	return alias;
}

/*
 * For callers that go on with @dentry: it is positive when this returns 0. No
 * other one takes its place, for that happens to directories only.
 */
static int make(struct gns_change *ch, struct inode *dir, struct dentry *dentry)
{
	struct dentry *other;
	int err = run(ch, dentry);

	if (err)
		return err;
	other = take_made(ch, dir, dentry);
	if (IS_ERR(other))
		return PTR_ERR(other);
	dput(other);
	/* It was made, and somebody took it away again. */
	return d_really_is_negative(dentry) ? -EIO : 0;
}

/*
 * The VFS comes here when it has seen for itself that there is no such name,
 * and does not check what the caller may do with a file that is found.
 */
int gns_create(gns_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
	       umode_t mode, bool excl)
{
	struct gns_change *ch = change_of(dir, GNS_CALL_CREATE, dentry);
	int err;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	set_mode(ch, mode & 07777);
	ch->c.req.flags = GNS_UC_EXCL;
	err = make(ch, dir, dentry);
	gns_change_put(ch);
	return err;
}

/*
 * What was made is opened here: the VFS would take an ESTALE for a reason to
 * make it once more.
 */
static int open_made(struct gns_change *ch, struct gns_making *m,
		     struct dentry *dentry, struct file *file)
{
	struct inode *inode = d_inode(dentry);
	struct gns_inode *gi;
	int err;

	if (!inode)
		return -EIO;
	gi = gns_i(inode);
	/*
	 * Where the answer comes late, see take_made(), another host may have
	 * taken the name away by now, or given it to something else: that is
	 * not what was made, and nobody asked whether the caller may open it.
	 */
	if (!gns_fh_eq(&gi->fh, &ch->c.ans.fh))
		return -EIO;
	err = gns_making_open(m, gi, file->f_cred);
	if (!err) {
		err = finish_open(file, dentry, NULL);
		gns_open_end(gi);
	}
	/* Gone with a session that was lost meanwhile. */
	return err == -ESTALE ? -EIO : err;
}

/* One try: the file is made, and open, or is there. As take_made(). */
static struct dentry *create_or_find(struct inode *dir, struct dentry *dentry,
				     struct file *file, unsigned int flags,
				     umode_t mode)
{
	struct gns_change *ch = change_of(dir, GNS_CALL_CREATE, dentry);
	struct gns_making m;
	struct dentry *ret;
	int err;

	if (IS_ERR(ch))
		return ERR_CAST(ch);
	set_mode(ch, mode & 07777);
	if (flags & O_EXCL)
		ch->c.req.flags = GNS_UC_EXCL;
	gns_making_begin(&m, ch->c.s);
	err = run(ch, dentry);
	if (err) {
		ret = ERR_PTR(err);
	} else if (ch->c.ans.flags & GNS_UF_CREATED) {
		file->f_mode |= FMODE_CREATED;
		ret = take_made(ch, dir, dentry);
		if (!IS_ERR(ret))
			err = open_made(ch, &m, ret ?: dentry, file);
		if (err) {
			dput(ret);
			ret = ERR_PTR(err);
		}
	} else {
		/* What it is comes with leases from a lookup. */
		d_drop(dentry);
		ret = gns_lookup(dir, dentry, 0);
	}
	gns_making_end(&m);
	gns_change_put(ch);
	return ret;
}

static struct dentry *create_or_open(struct inode *dir, struct dentry *dentry,
				     struct file *file, unsigned int flags,
				     umode_t mode)
{
	struct dentry *ret;
	int i;

	for (i = 0; i < OPEN_TRIES; i++) {
		ret = create_or_find(dir, dentry, file, flags, mode);
		if (IS_ERR(ret) || d_really_is_positive(ret ?: dentry))
			return ret;
		dput(ret);
	}
	return ERR_PTR(-ESTALE);
}

/*
 * One round trip for a new file. What is there, whatever it is, the VFS opens; it
 * only learns that the file was not made (then it has rights to check, and may
 * have something to cut).
 *
 * O_CREAT is among the flags only if the caller may write to the directory.
 */
int gns_atomic_open(struct inode *dir, struct dentry *dentry, struct file *file,
		    unsigned int flags, umode_t mode)
{
	struct dentry *ret = NULL;

	if (flags & O_CREAT)
		ret = create_or_open(dir, dentry, file, flags, mode);
	else if (d_in_lookup(dentry))
		ret = gns_lookup(dir, dentry, 0);
	if (IS_ERR(ret))
		return PTR_ERR(ret);
	return file->f_mode & FMODE_OPENED ? 0 : finish_no_open(file, ret);
}

int gns_mknod(gns_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
	      umode_t mode, dev_t rdev)
{
	struct gns_change *ch = change_of(dir, GNS_CALL_MKNOD, dentry);
	int err;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	set_mode(ch, mode & (S_IFMT | 07777));
	ch->c.req.rdev = new_encode_dev(rdev);
	err = make(ch, dir, dentry);
	gns_change_put(ch);
	return err;
}

int gns_symlink(gns_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
		const char *target)
{
	struct gns_change *ch;
	size_t len = strlen(target);
	int err;

	/* As many as READLINK has room for, with an end mark. */
	if (len >= GNS_UPATH_MAX)
		return -ENAMETOOLONG;
	ch = change_of(dir, GNS_CALL_SYMLINK, dentry);
	if (IS_ERR(ch))
		return PTR_ERR(ch);
	err = gns_change_text2(ch, target, len);
	if (!err)
		err = make(ch, dir, dentry);
	gns_change_put(ch);
	return err;
}

/* Without an error @dentry may be negative: it is not hashed then. */
gns_mkdir_t gns_mkdir(gns_idmap_t *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode)
{
	struct gns_change *ch = change_of(dir, GNS_CALL_MKDIR, dentry);
	struct dentry *ret;
	int err;

	if (IS_ERR(ch))
		return gns_mkdir_result(ERR_CAST(ch));
	set_mode(ch, mode & 07777);
	err = run(ch, dentry);
	if (!err) {
		ret = take_made(ch, dir, dentry);
		/* It is there all the same: the next lookup finds it. */
		if (IS_ERR(ret))
			ret = NULL;
	} else {
		ret = ERR_PTR(err);
	}
	gns_change_put(ch);
	return gns_mkdir_result(ret);
}

/* One that was made without: the answer may be from a log, and not say so. */
static void given_name(struct gns_inode *gi)
{
	spin_lock(&gi->lock);
	if (!gi->vfs_inode.i_nlink)
		set_nlink(&gi->vfs_inode, 1);
	spin_unlock(&gi->lock);
}

int gns_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct gns_change *ch = change_of(dir, GNS_CALL_LINK, dentry);
	struct inode *inode = d_inode(old);
	int err;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	ch->c.req.fh2 = gns_i(inode)->fh;
	gns_change_touches(ch, inode);
	err = run(ch, dentry);
	if (!err) {
		d_drop(dentry);
		WRITE_ONCE(dentry->d_time, gns_change_stamp(ch, dir));
		given_name(gns_i(inode));
		ihold(inode);
		d_add(dentry, inode);
	}
	gns_change_put(ch);
	return err;
}

/*
 * The VFS takes the directory behind the name for dead from now on. If it was
 * another one that the origin has taken away, this one lives, by another name
 * that somebody has given it: whoever comes by that gets an inode of its own.
 */
static void forget_dead(struct gns_change *ch, struct inode *dir)
{
	if (S_ISDIR(dir->i_mode) && !gns_change_has(ch, gns_i(dir)))
		remove_inode_hash(dir);
}

/*
 * The VFS makes the dentry negative later, and until then it must not count.
 * So its stamp waits in d_fsdata; gns_d_iput() puts it into force.
 */
static int take_away(struct inode *dir, struct dentry *dentry, u32 type)
{
	struct gns_change *ch = change_of(dir, type, dentry);
	int err;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	gns_change_touches(ch, d_inode(dentry));
	if (type == GNS_CALL_UNLINK)
		ch->victim = gns_i(d_inode(dentry));
	err = run(ch, dentry);
	if (!err) {
		dentry->d_fsdata = (void *)gns_change_stamp(ch, dir);
		forget_dead(ch, d_inode(dentry));
	}
	gns_change_put(ch);
	return err;
}

int gns_unlink(struct inode *dir, struct dentry *dentry)
{
	return take_away(dir, dentry, GNS_CALL_UNLINK);
}

int gns_rmdir(struct inode *dir, struct dentry *dentry)
{
	return take_away(dir, dentry, GNS_CALL_RMDIR);
}

void gns_d_iput(struct dentry *dentry, struct inode *inode)
{
	u64 stamp = (u64)dentry->d_fsdata;

	dentry->d_fsdata = NULL;
	WRITE_ONCE(dentry->d_time, stamp);
	iput(inode);
}

/*
 * d_exchange() is not for modules. @place is a dentry that nobody knows, with
 * the name that @old has: @old goes to where @new is, and @new into its place.
 */
static void exchange(struct dentry *old, struct dentry *new,
		     struct dentry *place)
{
	d_move(old, new);
	d_move(new, place);
}

/*
 * Another host may have given the name to another object before the change
 * ran: what was moved then is not what is behind the dentry, and the next
 * lookup asks.
 */
static u64 moved_stamp(struct gns_change *ch, struct dentry *dentry,
		       struct inode *dir)
{
	if (!gns_change_has(ch, gns_i(d_inode(dentry))))
		return 0;
	return gns_change_stamp(ch, dir);
}

/* FS_RENAME_DOES_D_MOVE: a stamp counts in one directory only. */
static void renamed(struct gns_change *ch, struct dentry *old,
		    struct dentry *new, struct dentry *place)
{
	struct inode *old_dir = d_inode(old->d_parent);
	struct inode *new_dir = d_inode(new->d_parent);

	if (place) {
		exchange(old, new, place);
		WRITE_ONCE(new->d_time, moved_stamp(ch, new, old_dir));
	} else {
		d_move(old, new);
	}
	WRITE_ONCE(old->d_time, moved_stamp(ch, old, new_dir));
}

static int rename(struct inode *old_dir, struct dentry *old,
		  struct inode *new_dir, struct dentry *new, unsigned int flags,
		  struct dentry *place)
{
	struct gns_change *ch = change_of(old_dir, GNS_CALL_RENAME, old);
	int err;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	err = gns_change_name2(ch, new_dir, &new->d_name);
	if (!err) {
		ch->c.req.flags = flags;
		gns_change_touches(ch, d_inode(old));
		gns_change_touches(ch, d_inode(new));
		if (d_is_positive(new) && !(flags & RENAME_EXCHANGE))
			ch->victim = gns_i(d_inode(new));
		WRITE_ONCE(new->d_time, 0);
		err = run(ch, old);
	}
	if (!err) {
		if (d_is_positive(new) && !place)
			forget_dead(ch, d_inode(new));
		renamed(ch, old, new, place);
	}
	gns_change_put(ch);
	return err;
}

int gns_rename(gns_idmap_t *idmap, struct inode *old_dir, struct dentry *old,
	       struct inode *new_dir, struct dentry *new, unsigned int flags)
{
	struct dentry *place = NULL;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE) {
		place = d_alloc(old->d_parent, &old->d_name);
		if (!place)
			return -ENOMEM;
	}
	err = rename(old_dir, old, new_dir, new, flags, place);
	dput(place);
	return err;
}
