/* SPDX-License-Identifier: GPL-2.0 */
/*
 * inotify and fanotify for changes that others make.
 *
 * The VFS tells of what is done on this host. That somebody else changes a
 * file or directory which is watched here is heard by its REVOKE. What was
 * known of it is kept then, a worker asks for it anew, behind the change, and
 * tells what differs. By that it is leased again, so that the next change is
 * heard, too.
 *
 * Best effort. Watched is what has a mark itself, or is known here and is in a
 * directory that has one. Changes that follow each other quickly, or are made
 * while there is no session, show as one, or not at all. Names are compared in
 * directories of up to GNS_WATCH_NAMES; a larger one shows only IN_ATTRIB.
 *
 * Without a mark in the mount all of it costs one look.
 */
#ifndef GNS_WATCH_H
#define GNS_WATCH_H

#include "gns.h"

#define GNS_WATCH_NAMES 50000u

struct gns_watch;

/**
 * gns_watch_note() - an inode is about to be dropped: is it watched?
 * @gi: the inode
 *
 * Context: process, may sleep; gi->lease_mutex held; waits for no call.
 * Return: what is known of it, for gns_watch_look(); NULL: nobody watches it.
 */
struct gns_watch *gns_watch_note(struct gns_inode *gi);

/**
 * gns_watch_look() - somebody changes it: find out how, and tell
 * @w: of gns_watch_note(), taken over; NULL is ignored
 *
 * Context: process; does not sleep.
 */
void gns_watch_look(struct gns_watch *w);

/**
 * gns_watch_ready() - somebody may be about to watch a directory
 * @dir: it
 *
 * What is in it has to be known before it changes. Context: process, sleeps,
 * killable.
 */
void gns_watch_ready(struct inode *dir);

/**
 * gns_watch_renew() - what was known of a directory's names was forgotten
 * @gi: a directory that this host changes
 *
 * Context: process; does not sleep for long, waits for no call.
 */
void gns_watch_renew(struct gns_inode *gi);

/** gns_watch_drain() - a mount goes: wait until nothing looks at its inodes */
void gns_watch_drain(struct gns_sb *gsb);

int gns_watch_init(void);
void gns_watch_exit(void);

#endif
