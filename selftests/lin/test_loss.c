// SPDX-License-Identifier: GPL-2.0
/*
 * Hand-written histories of what a loss of power leaves, and of directories and
 * links; see test_hand.c.
 */
#include "test_int.h"

const struct hand hand_losses[] = {
	{ "register: a loss undoes what was not synced", GOOD,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "30 40 c0 o0 write 8 8 -> ok\n"
	  "45 46 c1 o0 read -> 8\n"
	  "50 60 c9 o0 lose 7 8 -> ok\n"
	  "70 80 c1 o0 read -> 7\n" },
	{ "register: a loss may undo all of it", GOOD,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "30 40 c0 o0 write 8 8 -> ok\n"
	  "50 60 c9 o0 lose 0 0 -> ok\n"
	  "70 80 c1 o0 read -> 0\n" },
	{ "register: a loss may undo nothing", GOOD,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "30 40 c0 o0 write 8 8 -> ok\n"
	  "50 60 c9 o0 lose 8 8 -> ok\n"
	  "70 80 c1 o0 read -> 8\n" },
	{ "register: a loss undoes what was synced", 2,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "30 40 c0 o0 sync -> ok\n"
	  "50 60 c9 o0 lose 0 0 -> ok\n" },
	{ "register: what a loss left does not go any more", 3,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "30 40 c0 o0 write 8 8 -> ok\n"
	  "50 60 c9 o0 lose 7 8 -> ok\n"
	  "70 80 c9 o0 lose 0 0 -> ok\n" },
	{ "register: a loss undoes a write that is synced", 1,
	  "model register\n"
	  "10 20 c0 o0 put 7 8 -> ok\n"
	  "50 60 c9 o0 lose 0 0 -> ok\n" },
	{ "register: a loss goes behind a sync to what was before", 3,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "22 24 c0 o0 write 8 8 -> ok\n"
	  "30 40 c0 o0 sync -> ok\n"
	  "50 60 c9 o0 lose 7 8 -> ok\n" },
	{ "register: a loss leaves what was written after a sync", GOOD,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "22 24 c0 o0 sync -> ok\n"
	  "30 40 c0 o0 write 8 8 -> ok\n"
	  "50 60 c9 o0 lose 8 8 -> ok\n" },
	{ "register: a sync under way does not hold yet", GOOD,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "30 - c0 o0 sync -> ?\n"
	  "50 60 c9 o0 lose 0 0 -> ok\n" },
	{ "register: a sync beside a write may be the earlier one", GOOD,
	  "model register\n"
	  "10 40 c0 o0 write 7 8 -> ok\n"
	  "10 40 c1 o0 sync -> ok\n"
	  "50 60 c9 o0 lose 0 0 -> ok\n" },
	{ "register: a loss leaves what never was there", 1,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "50 60 c9 o0 lose 9 8 -> ok\n" },
	{ "register: a loss leaves the value with another size", 2,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "30 40 c0 o0 trunc -> ok\n"
	  "50 60 c9 o0 lose 7 0 -> ok\n" },
	{ "register: what was lost is read", 3,
	  "model register\n"
	  "10 20 c0 o0 put 7 8 -> ok\n"
	  "30 40 c0 o0 write 8 8 -> ok\n"
	  "50 60 c9 o0 lose 7 8 -> ok\n"
	  "70 80 c1 o0 read -> 8\n" },
	{ "log: a loss cuts off what was not synced", GOOD,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> 0\n"
	  "30 40 c0 o0 append 2 -> 1\n"
	  "50 60 c9 o0 lose [1] -> ok\n"
	  "70 80 c1 o0 append 3 -> 1\n"
	  "81 82 c1 o0 read -> [1 3]\n" },
	{ "log: a loss leaves what was before a truncation", GOOD,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> 0\n"
	  "30 40 c0 o0 trunc -> ok\n"
	  "50 60 c9 o0 lose [1] -> ok\n" },
	{ "log: a loss leaves a hole in what was appended", 2,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> 0\n"
	  "30 40 c0 o0 append 2 -> 1\n"
	  "50 60 c9 o0 lose [2] -> ok\n" },
	{ "log: a loss cuts off what was synced", 3,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> 0\n"
	  "30 40 c0 o0 append 2 -> 1\n"
	  "42 44 c0 o0 sync -> ok\n"
	  "50 60 c9 o0 lose [1] -> ok\n" },
	{ "log: an append is done again after a loss", 4,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> 0\n"
	  "30 40 c0 o0 append 2 -> 1\n"
	  "50 60 c9 o0 lose [1] -> ok\n"
	  "61 62 c1 o0 stat -> 1\n"
	  "70 80 c1 o0 read -> [1 2]\n" },
	{ "tree: each name is lost by itself", GOOD,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c0 o0 create 1 2 6 -> ok\n"
	  "50 60 c9 o0 lose [0 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0 0 0] -> ok\n"
	  "65 66 c1 o0 lookup 1 2 -> 6\n"
	  "70 80 c1 o0 lookup 0 1 -> ENOENT\n" },
	{ "tree: a loss takes a name that was synced", 2,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c0 o0 sync 0 -> ok\n"
	  "50 60 c9 o0 lose [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0] -> ok\n" },
	{ "tree: the sync of another directory does not hold a name", GOOD,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c0 o0 sync 1 -> ok\n"
	  "50 60 c9 o0 lose [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0] -> ok\n" },
	{ "tree: a loss brings back what was unlinked before a sync", 3,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "21 22 c0 o0 unlink 0 1 -> ok\n"
	  "30 40 c0 o0 sync 0 -> ok\n"
	  "50 60 c9 o0 lose [0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0] -> ok\n" },
	{ "tree: a name is there after a loss that undid it", 3,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c0 o0 create 1 2 6 -> ok\n"
	  "50 60 c9 o0 lose [0 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0 0 0] -> ok\n"
	  "65 66 c1 o0 lookup 0 1 -> 5\n" },
	{ "tree: directories and files are made and taken away", GOOD,
	  "model tree\n"
	  "10 11 c0 o0 mkdir 0 1 1073741831 -> ok\n"
	  "12 13 c0 o0 unlink 0 1 -> EISDIR\n"
	  "14 15 c0 o0 lookup 0 1 -> 1073741831\n"
	  "16 17 c0 o0 rmdir 0 1 -> ok\n"
	  "18 19 c0 o0 create 0 1 9 -> ok\n"
	  "20 21 c0 o0 rmdir 0 1 -> ENOTDIR\n"
	  "22 23 c0 o0 rmdir 0 2 -> ENOENT\n" },
	{ "tree: a file is taken away as a directory", 1,
	  "model tree\n"
	  "10 11 c0 o0 create 0 1 7 -> ok\n"
	  "12 13 c0 o0 rmdir 0 1 -> ok\n" },
	{ "tree: a directory replaces a file", 2,
	  "model tree\n"
	  "10 11 c0 o0 create 0 1 7 -> ok\n"
	  "12 13 c0 o0 mkdir 0 2 1073741833 -> ok\n"
	  "14 15 c0 o0 rename 0 2 0 1 -> ok\n" },
	{ "tree: a second name", GOOD,
	  "model tree\n"
	  "10 11 c0 o0 create 0 1 7 -> ok\n"
	  "12 13 c0 o0 link 1 1 7 -> ok\n"
	  "14 15 c0 o0 rename 0 1 1 1 -> ok\n"
	  "16 17 c0 o0 lookup 0 1 -> 7\n"
	  "18 19 c0 o0 unlink 0 1 -> ok\n"
	  "20 21 c0 o0 lookup 1 1 -> 7\n"
	  "22 23 c0 o0 link 1 1 7 -> EEXIST\n" },
	{ "tree: a name for what has none", 2,
	  "model tree\n"
	  "10 11 c0 o0 create 0 1 7 -> ok\n"
	  "12 13 c0 o0 unlink 0 1 -> ok\n"
	  "14 15 c0 o0 link 1 1 7 -> ok\n" },
	{ "tree: a link comes and goes", 3,
	  "model tree\n"
	  "10 11 c0 o0 create 0 1 7 -> ok\n"
	  "12 13 c0 o0 link 1 1 7 -> ok\n"
	  "14 15 c0 o0 lookup 1 1 -> 7\n"
	  "16 17 c0 o0 lookup 1 1 -> ENOENT\n" },
};

const unsigned int hand_nlosses = ARRAY_SIZE(hand_losses);
