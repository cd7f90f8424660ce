/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names: which dentry counts, and for how long.
 *
 * d_time of a dentry holds its directory's dgen under which the origin said
 * what is behind the name, or that nothing is. It counts as long as that is
 * the directory's dgen and its lease is live; 0 never counts, and is asked for
 * each time. All names of a directory become void by one store.
 *
 * A dentry whose name is being changed has 0 from before that until it shows
 * how the name is afterwards (namei.c).
 */
#ifndef GNS_DIR_H
#define GNS_DIR_H

#include "gns.h"

/**
 * gns_names_stamp() - an answer about a directory came: may names be cached?
 * @gi:    the directory
 * @epoch: of its lease when the call was sent; 0: there was none
 * @sid:   session of the answer
 * @g:     the directory's version and grant in it, which is taken
 * @attr:  the directory's attributes in it; NULL: it has none
 *
 * Context: process, may sleep; waits for no call.
 * Return: the dgen that names of this answer are of; 0: they are of now only.
 */
u64 gns_names_stamp(struct gns_inode *gi, u64 epoch, u64 sid,
		    const struct gns_grant *g, const struct gns_uattr *attr);

/**
 * struct gns_found - what is behind a name
 * @name:  its qstr needs no hash
 * @fh:    of the object
 * @attr:  of the object
 * @grant: of the object
 * @sid:   session of the answer
 * @stamp: of gns_names_stamp(), not 0
 */
struct gns_found {
	struct qstr name;
	const struct gns_fh *fh;
	const struct gns_uattr *attr;
	struct gns_grant grant;
	u64 sid;
	u64 stamp;
};

/**
 * gns_name_prime() - a listing told of a name: no LOOKUP will have to
 * @parent: the directory, its i_rwsem held at least shared
 * @f:      what it told
 *
 * Best effort. Context: process, may sleep; may wait for a lookup of the same
 * name by somebody else.
 */
void gns_name_prime(struct dentry *parent, const struct gns_found *f);

/**
 * gns_name_ask() - ask the origin what is behind a name
 * @dir:   its directory
 * @name:  needs no hash; "..": the parent, absent at the export's root
 * @ans:   GNS_UF_ABSENT in its flags: nothing; else a handle and attributes
 * @stamp: of gns_names_stamp()
 *
 * Context: process, sleeps, killable. Return: 0; an errno, never -ENOENT.
 */
int gns_name_ask(struct inode *dir, const struct qstr *name,
		 struct gns_answer *ans, u64 *stamp);

/**
 * gns_lookup() - ->lookup(): ask what is behind a name
 * @dir:    its directory, i_rwsem held at least shared
 * @dentry: not hashed, negative
 * @flags:  not used
 *
 * Context: process, sleeps, killable. Return: NULL: @dentry is hashed, with
 * what was found or as absent; another dentry in its place, a reference; an
 * error.
 */
struct dentry *gns_lookup(struct inode *dir, struct dentry *dentry,
			  unsigned int flags);

/* namei.c: inode and dentry operations that change names */
int gns_create(gns_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
	       umode_t mode, bool excl);
int gns_atomic_open(struct inode *dir, struct dentry *dentry, struct file *file,
		    unsigned int flags, umode_t mode);
int gns_mknod(gns_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
	      umode_t mode, dev_t rdev);
int gns_symlink(gns_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
		const char *target);
gns_mkdir_t gns_mkdir(gns_idmap_t *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode);
int gns_link(struct dentry *old, struct inode *dir, struct dentry *dentry);
int gns_unlink(struct inode *dir, struct dentry *dentry);
int gns_rmdir(struct inode *dir, struct dentry *dentry);
int gns_rename(gns_idmap_t *idmap, struct inode *old_dir, struct dentry *old,
	       struct inode *new_dir, struct dentry *new, unsigned int flags);
int gns_tmpfile(gns_idmap_t *idmap, struct inode *dir, struct file *file,
		umode_t mode);
void gns_d_iput(struct dentry *dentry, struct inode *inode);

#endif
