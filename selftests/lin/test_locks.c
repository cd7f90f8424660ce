// SPDX-License-Identifier: GPL-2.0
/* Hand-written histories of locks, and of locks that are lost. */
#include "test_int.h"

const struct hand hand_locks[] = {
	{ "lock: one after the other", GOOD,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "15 60 c1 o0 lock 2 -> ok\n"
	  "30 40 c0 o0 held 1 -> ok\n"
	  "50 55 c0 o0 unlock 1 -> ok\n"
	  "70 80 c1 o0 held 2 -> ok\n" },
	{ "lock: given while another one has it", 1,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "30 40 c1 o0 lock 2 -> ok\n"
	  "50 60 c0 o0 unlock 1 -> ok\n" },
	{ "lock: given while another one unlocks", GOOD,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "30 50 c0 o0 unlock 1 -> ok\n"
	  "35 40 c1 o0 lock 2 -> ok\n" },
	{ "lock: used after it was given to another one", 3,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "30 70 c0 o0 unlock 1 -> ?\n"
	  "35 40 c1 o0 lock 2 -> ok\n"
	  "50 60 c0 o0 held 1 -> ok\n" },
	{ "lock: objects have nothing to do with each other", GOOD,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "30 40 c1 o1 lock 2 -> ok\n"
	  "50 60 c0 o0 held 1 -> ok\n"
	  "50 60 c1 o1 held 2 -> ok\n" },
	{ "lock: a try is refused while it is held", GOOD,
	  "model lock\n"
	  "10 20 c0 o0 try 1 -> ok\n"
	  "30 40 c1 o0 try 2 -> EAGAIN\n"
	  "50 60 c0 o0 unlock 1 -> ok\n"
	  "70 80 c1 o0 try 3 -> ok\n" },
	{ "lock: a try is refused while it is free", 2,
	  "model lock\n"
	  "10 20 c0 o0 try 1 -> ok\n"
	  "30 40 c0 o0 unlock 1 -> ok\n"
	  "50 60 c1 o0 try 2 -> EAGAIN\n" },
	{ "lock: a try is refused that nobody was before", 0,
	  "model lock\n"
	  "10 20 c1 o0 try 2 -> EAGAIN\n"
	  "30 40 c0 o0 try 1 -> ok\n" },
	{ "lock: two tries at once", GOOD,
	  "model lock\n"
	  "10 40 c0 o0 try 1 -> ok\n"
	  "10 20 c1 o0 try 2 -> EAGAIN\n" },
	{ "lock: two tries at once, both get it", 1,
	  "model lock\n"
	  "10 40 c0 o0 try 1 -> ok\n"
	  "10 50 c1 o0 try 2 -> ok\n" },
	{ "lock: unlocked by who has it not", 1,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "30 40 c1 o0 unlock 2 -> ok\n" },
	{ "lock: lost, and another one gets it some time later", GOOD,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "20 - c0 o0 unlock 1 -> ?\n"
	  "30 40 c0 o0 held 1 -> ok\n"
	  "50 60 c1 o0 try 2 -> EAGAIN\n"
	  "70 80 c1 o0 try 3 -> ok\n"
	  "90 95 c1 o0 held 3 -> ok\n" },
	{ "lock: lost too early", 3,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "20 - c0 o0 unlock 1 -> ?\n"
	  "30 40 c1 o0 lock 2 -> ok\n"
	  "50 60 c0 o0 held 1 -> ok\n" },
	{ "lock: lost, given away, and seen held by nobody", 4,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "20 - c0 o0 unlock 1 -> ?\n"
	  "30 40 c1 o0 lock 2 -> ok\n"
	  "50 60 c1 o0 unlock 2 -> ok\n"
	  "70 80 c0 o0 try 3 -> EAGAIN\n" },
	{ "lock: lost once only", 4,
	  "model lock\n"
	  "10 20 c0 o0 lock 1 -> ok\n"
	  "20 - c0 o0 unlock 1 -> ?\n"
	  "30 40 c1 o0 lock 2 -> ok\n"
	  "50 60 c1 o0 held 2 -> ok\n"
	  "70 80 c2 o0 lock 3 -> ok\n" },
	{ "lock: asked for in vain, had all the same for a while", GOOD,
	  "model lock\n"
	  "10 60 c0 o0 lock 1 -> ?\n"
	  "10 - c0 o0 unlock 1 -> ?\n"
	  "20 30 c1 o0 try 2 -> EAGAIN\n"
	  "70 80 c1 o0 try 3 -> ok\n" },
	{ "lock: asked for in vain, and had afterwards", 3,
	  "model lock\n"
	  "10 60 c0 o0 lock 1 -> ?\n"
	  "10 - c0 o0 unlock 1 -> ?\n"
	  "62 68 c1 o0 lock 2 -> ok\n"
	  "70 80 c0 o0 held 1 -> ok\n" },
};

const unsigned int hand_nlocks = ARRAY_SIZE(hand_locks);
