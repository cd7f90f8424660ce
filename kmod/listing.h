/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What READDIR said: chunks, each one answer; and the listing of a directory,
 * the chunks of one version in a row.
 *
 * A chunk does not change once it is made. A listing only grows, at its end,
 * and is thrown away as a whole when the directory's names become void; who
 * walks it has a reference, and sees the version that was right when the walk
 * began. A listing is taken for a walk only under a live lease.
 *
 * The first answer brings attributes, and so does each that comes after names
 * in the directory were looked up; the others bring names only. Once lookups
 * miss, the attributes of those names are asked for in the order of the listing.
 *
 * Memory: at most GNS_LISTING_MAX bytes for a directory, charged to the cgroup
 * of who read it. What is behind is asked for each time. The mount's shrinker
 * takes whole listings, those first that nobody has read since it came by last.
 *
 * Positions of an open directory: 0 and 1 are "." and "..", 2 is the start,
 * else it is the origin's cookie of the last entry. Cookies 1 and 2, which
 * would be taken for those, are moved to places near the end of the range.
 *
 * Locks: gi->lock guards gi->listing and its end; chunks are linked so that a
 * walk needs no lock.
 */
#ifndef GNS_LISTING_H
#define GNS_LISTING_H

#include "lock.h"

struct gns_order;

#define GNS_LISTING_MAX (64u << 20)

/* The start of the entries: behind "." and "..". */
#define GNS_POS_START 2

/** struct gns_entry - one name; the next one begins at a multiple of 8 */
struct gns_entry {
	u64 cookie;
	u64 ino;
	u8 type;
	u8 namelen;
	char name[];
};

/** gns_entry_size() - from one entry to the next, bytes */
static inline u32 gns_entry_size(u32 namelen)
{
	return ALIGN(offsetof(struct gns_entry, name) + namelen, 8);
}

/**
 * struct gns_chunk - one answer
 * @next:  R of a listing; set once
 * @after: cookie that was asked for
 * @last:  cookie of the last entry; @after without any
 * @used:  bytes of @data
 * @n:     entries
 * @eof:   nothing is behind it
 * @bare:  none of them had attributes
 * @data:  struct gns_entry
 */
struct gns_chunk {
	struct gns_chunk *next;
	u64 after;
	u64 last;
	u32 used;
	u32 n;
	bool eof;
	bool bare;
	u8 data[] __aligned(8);
};

/**
 * struct gns_listing - see above
 * @ref:   the directory, walks
 * @id:    never used twice
 * @first: I
 * @tail:  gi->lock
 * @bytes: gi->lock, of all chunks
 * @n:     gi->lock, entries in them
 * @known: gi->lock, cookie up to which attributes were asked for
 * @bare:  gi->lock, the chunk behind that one
 * @off:   gi->lock, of the entry behind it, in @bare
 * @gi:    I the directory; valid while @by_sb is in a list
 * @by_sb: gsb->listings_lock, in gsb->listings while it is @gi's listing
 * @read:  R somebody did since the shrinker came by
 * @order: of a whole listing; set once, see order.h
 * @smalls: R small files that were read before there was one, roughly
 * @ordered: R somebody makes it, or has, or could not
 */
struct gns_listing {
	refcount_t ref;
	u64 id;
	struct gns_chunk *first;
	struct gns_chunk *tail;
	size_t bytes;
	u64 n;
	u64 known;
	const struct gns_chunk *bare;
	u32 off;
	struct gns_inode *gi;
	struct list_head by_sb;
	bool read;
	struct gns_order *order;
	u32 smalls;
	bool ordered;
};

/**
 * struct gns_dir_at - where an open directory is, so that nobody searches
 * @id:     listing; 0: none
 * @cookie: where in it
 * @chunk:  of that listing, valid as long as somebody has a reference on it
 * @off:    of the next entry in @chunk
 * @pass:   the last answer could not be kept
 * @guard:  of its locks
 * @ahead:  asks for what is behind the last answer, or has; NULL
 * @ahead_epoch: of the directory's lease when that was asked
 */
struct gns_dir_at {
	u64 id;
	u64 cookie;
	const struct gns_chunk *chunk;
	u32 off;
	bool pass;
	struct gns_guard guard;
	struct gns_bufcall *ahead;
	u64 ahead_epoch;
};

/** gns_pos_to_cookie() - of a position from GNS_POS_START on; 0: the start */
u64 gns_pos_to_cookie(loff_t pos);

/**
 * gns_chunk_new() - check an answer, and keep its names
 * @gi:    the directory, for messages
 * @buf:   a private copy of struct gns_udirent
 * @len:   bytes
 * @after: cookie that was asked for
 * @eof:   nothing is behind it
 *
 * Afterwards every record of @buf is known to be good. Return: freed by
 * gns_chunk_free(); ERR_PTR(-EIO): it makes no sense; ERR_PTR(-ENOMEM).
 */
struct gns_chunk *gns_chunk_new(const struct gns_inode *gi, const void *buf,
				u32 len, u64 after, bool eof);
void gns_chunk_free(struct gns_chunk *c);

/**
 * gns_chunk_emit() - give entries to who reads the directory
 * @c:   the chunk; the caller's, or of a listing with a reference
 * @off: of the first one; moved on
 * @ctx: its position follows
 *
 * Context: process, may fault; no locks of gns.
 * Return: true: all were taken; false: the reader has had enough.
 */
bool gns_chunk_emit(const struct gns_chunk *c, u32 *off,
		    struct dir_context *ctx);

/**
 * gns_listing_live() - the listing, if there is one and it counts now
 * @gi: a directory
 *
 * Return: a reference, put by gns_listing_free(); NULL.
 */
struct gns_listing *gns_listing_live(struct gns_inode *gi);

/**
 * gns_listing_whole() - the names of a directory, if all of them are known
 * @gi:   a directory
 * @last: NULL; or set to the cookie to go on behind when they are not
 *
 * Whether they count now is another question. Return: a reference, put by
 * gns_listing_free(); NULL.
 */
struct gns_listing *gns_listing_whole(struct gns_inode *gi, u64 *last);

/**
 * gns_listing_fetch() - have all names of a directory
 * @dir:  without its i_rwsem
 * @most: names; of a larger directory there will be a part
 * @wait: for i_rwsem; without it: give up
 *
 * Best effort, as a listing that is read. Context: process, sleeps, killable.
 * Return: the whole listing, a reference, put by gns_listing_free(); NULL.
 */
struct gns_listing *gns_listing_fetch(struct inode *dir, u64 most, bool wait);

/**
 * gns_listing_cool() - a listing is begun: forget a cached one that is cold
 * @gi: a directory
 *
 * Reclaim takes children first and their directory last. Then names alone are
 * no help: a new listing brings the children back with one call for many, and
 * lookups would with one call for each.
 */
void gns_listing_cool(struct gns_inode *gi);

/**
 * gns_listing_add() - keep an answer
 * @gi:    the directory
 * @stamp: dgen that the answer is of
 * @c:     taken over if kept
 *
 * Return: the listing that it is in now, a reference; NULL: it is the caller's
 * still, for it does not follow on what is there, or is too much.
 */
struct gns_listing *gns_listing_add(struct gns_inode *gi, u64 stamp,
				    struct gns_chunk *c);

/**
 * gns_listing_take() - a directory has no listing any more
 * @gi: the directory; gi->lock held
 *
 * Return: the one that it had, to be freed by gns_listing_free() without the
 * lock; NULL.
 */
struct gns_listing *gns_listing_take(struct gns_inode *gi);

/* What the shrinker counts, and gives back. */
unsigned long gns_listings_count(struct gns_sb *gsb);
unsigned long gns_listings_shrink(struct gns_sb *gsb, unsigned long most);

/**
 * gns_listing_unknown() - has it names that came without attributes?
 * @gi:    the directory
 * @l:     with a reference
 * @after: set to the cookie of the last one before them
 */
bool gns_listing_unknown(struct gns_inode *gi, struct gns_listing *l,
			 u64 *after);

/** gns_listing_know() - @c is an answer with the attributes behind @after */
void gns_listing_know(struct gns_inode *gi, struct gns_listing *l,
		      const struct gns_chunk *c);

/**
 * gns_listing_is_next() - is @name the first one that came without attributes?
 * @gi:   the directory
 * @name: needs no hash
 */
bool gns_listing_is_next(struct gns_inode *gi, const struct qstr *name);

/**
 * gns_listing_missed() - a name was found that had to be asked for
 * @dir:  where, its i_rwsem held at least shared; no name in it is being looked
 *        up by the caller
 * @next: gns_listing_is_next() of it: somebody goes through the listing
 *
 * When it is @next, or that happens often, what is behind more names of the
 * listing is asked for. Best effort. Context: process, sleeps, killable.
 */
void gns_listing_missed(struct dentry *dir, bool next);

/** struct gns_names - some entries of a listing, by name */
struct gns_names {
	const struct gns_entry **entry;
	u32 n;
};

/**
 * gns_names_differ() - in what two listings of a directory differ
 * @old:  whole
 * @new:  whole
 * @most: names that are looked at, in each
 * @gone: what is only in @old, or means something else in @new
 * @made: the other way round
 *
 * Both are freed by gns_names_free(), and are of no use without the listings.
 * Context: process, may sleep. Return: 0; -E2BIG, -ENOMEM: nothing is to be
 * freed.
 */
int gns_names_differ(const struct gns_listing *old,
		     const struct gns_listing *new, u64 most,
		     struct gns_names *gone, struct gns_names *made);
void gns_names_free(struct gns_names *names);

enum gns_walk {
	GNS_WALK_ENOUGH, /* the reader's memory is full, or that was all */
	GNS_WALK_SHORT, /* the listing ends here, the directory does not */
	GNS_WALK_LOST, /* no such place in it */
};

/**
 * gns_listing_walk() - give entries to who reads the directory
 * @l:   with a reference
 * @at:  where the reader was before; moved on
 * @ctx: its position says where to begin, and follows; NULL: only look what
 *       would come of it
 * @cookie: of the position
 */
enum gns_walk gns_listing_walk(const struct gns_listing *l,
			       struct gns_dir_at *at, struct dir_context *ctx,
			       u64 cookie);

#endif
