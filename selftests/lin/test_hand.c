// SPDX-License-Identifier: GPL-2.0
/* Hand-written histories, good and bad ones, in the file form. */
#include <stdlib.h>
#include <string.h>

#include "test_int.h"

static const struct hand cases[] = {
	/* register */
	{ "register: nothing happened", GOOD,
	  "model register\n" },
	{ "register: reads see initial value, then the write", GOOD,
	  "model register\n"
	  "10 20 c0 o0 read -> 0\n"
	  "30 40 c0 o0 write 7 -> ok\n"
	  "50 60 c1 o0 read -> 7\n" },
	{ "register: overlapping reads may see old and new in real-time order",
	  GOOD,
	  "model register\n"
	  "10 90 c0 o0 write 7 -> ok\n"
	  "20 30 c1 o0 read -> 0\n"
	  "40 50 c2 o0 read -> 7\n"
	  "60 70 c1 o0 read -> 7\n" },
	{ "register: overlapping reads see new and old", GOOD,
	  "model register\n"
	  "10 90 c0 o0 write 7 -> ok\n"
	  "20 50 c1 o0 read -> 7\n"
	  "40 60 c2 o0 read -> 0\n" },
	{ "register: stale read", 2,
	  "model register\n"
	  "10 20 c0 o0 write 7 -> ok\n"
	  "30 40 c0 o0 write 8 -> ok\n"
	  "50 60 c1 o0 read -> 7\n" },
	{ "register: read from the future", 0,
	  "model register\n"
	  "10 20 c1 o0 read -> 7\n"
	  "30 40 c0 o0 write 7 -> ok\n" },
	{ "register: new, then old, by two readers", 2,
	  "model register\n"
	  "10 90 c0 o0 write 7 -> ok\n"
	  "20 30 c1 o0 read -> 7\n"
	  "40 50 c2 o0 read -> 0\n" },
	{ "register: read of a value nobody wrote", 1,
	  "model register\n"
	  "10 20 c0 o0 write 7 -> ok\n"
	  "15 60 c1 o0 read -> 9\n" },
	{ "register: two writes in two orders", 5,
	  "model register\n"
	  "10 50 c0 o0 write 7 -> ok\n"
	  "10 50 c1 o0 write 8 -> ok\n"
	  "20 90 c2 o0 read -> 7\n"
	  "60 70 c3 o0 read -> 8\n"
	  "71 80 c3 o0 read -> 8\n"
	  "91 95 c2 o0 read -> 7\n" },
	{ "register: ambiguous write never seen", GOOD,
	  "model register\n"
	  "10 - c0 o0 write 7 -> ?\n"
	  "30 40 c1 o0 read -> 0\n"
	  "50 60 c1 o0 read -> 0\n" },
	{ "register: ambiguous write seen late", GOOD,
	  "model register\n"
	  "10 - c0 o0 write 7 -> ?\n"
	  "30 40 c1 o0 read -> 0\n"
	  "50 60 c1 o0 read -> 7\n"
	  "70 80 c2 o0 read -> 7\n" },
	{ "register: ambiguous write seen, then unseen", 2,
	  "model register\n"
	  "10 - c0 o0 write 7 -> ?\n"
	  "30 40 c1 o0 read -> 7\n"
	  "50 60 c2 o0 read -> 0\n" },
	{ "register: ambiguous write happens only once", 4,
	  "model register\n"
	  "10 - c0 o0 write 7 -> ?\n"
	  "20 30 c1 o0 read -> 7\n"
	  "40 50 c1 o0 write 8 -> ok\n"
	  "60 70 c1 o0 read -> 8\n"
	  "80 90 c1 o0 read -> 7\n" },
	{ "register: unknown outcome settled by its return", GOOD,
	  "model register\n"
	  "10 35 c0 o0 write 7 -> ?\n"
	  "20 30 c1 o0 read -> 0\n"
	  "40 50 c1 o0 read -> 7\n" },
	{ "register: unknown outcome takes effect after its return", 2,
	  "model register\n"
	  "10 35 c0 o0 write 7 -> ?\n"
	  "40 50 c1 o0 read -> 0\n"
	  "60 70 c1 o0 read -> 7\n" },
	{ "register: ambiguous reads tell nothing", GOOD,
	  "model register\n"
	  "10 - c0 o0 read -> ?\n"
	  "10 20 c1 o0 read -> ?\n" },
	{ "register: refused write seen", 1,
	  "model register\n"
	  "10 20 c0 o0 write 7 -> ENOSPC\n"
	  "30 40 c1 o0 read -> 7\n" },
	{ "register: size follows the largest end", GOOD,
	  "model register\n"
	  "10 20 c0 o0 write 7 100 -> ok\n"
	  "30 40 c0 o0 write 8 50 -> ok\n"
	  "50 60 c1 o0 stat -> 100\n"
	  "70 80 c0 o0 trunc -> ok\n"
	  "90 95 c1 o0 stat -> 0\n"
	  "96 97 c1 o0 read -> 0\n" },
	{ "register: stale size after the value was seen", 2,
	  "model register\n"
	  "10 90 c0 o0 write 7 100 -> ok\n"
	  "20 30 c1 o0 read -> 7\n"
	  "40 50 c2 o0 stat -> 0\n" },
	{ "register: revert brings back the old value", GOOD,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "30 40 c0 o0 write 8 8 -> ok\n"
	  "50 60 c9 o0 revert 7 8 -> ok\n"
	  "55 56 c1 o0 read -> 8\n"
	  "70 80 c1 o0 read -> 7\n" },
	{ "register: lost write comes back after the revert", 4,
	  "model register\n"
	  "10 20 c0 o0 write 7 8 -> ok\n"
	  "30 40 c0 o0 write 8 8 -> ok\n"
	  "50 60 c9 o0 revert 7 8 -> ok\n"
	  "61 62 c1 o0 read -> 7\n"
	  "70 80 c1 o0 read -> 8\n" },
	{ "register: objects are independent", GOOD,
	  "model register\n"
	  "10 20 c0 o1 write 7 -> ok\n"
	  "30 40 c1 o2 read -> 0\n" },
	{ "register: only the object concerned is blamed", 3,
	  "model register\n"
	  "10 20 c0 o1 write 7 -> ok\n"
	  "10 20 c0 o2 write 8 -> ok\n"
	  "30 40 c1 o1 read -> 7\n"
	  "30 40 c1 o2 read -> 7\n" },
	{ "register: same time counts as concurrent", GOOD,
	  "model register\n"
	  "10 20 c0 o0 write 7 -> ok\n"
	  "20 30 c1 o0 read -> 0\n" },
	/* log */
	{ "log: appends in either order", GOOD,
	  "model log\n"
	  "10 50 c0 o0 append 1 -> ok\n"
	  "10 50 c1 o0 append 2 -> 0\n"
	  "60 70 c2 o0 read -> [2 1]\n"
	  "60 70 c2 o0 stat -> 2\n" },
	{ "log: the order is the same for everybody", 3,
	  "model log\n"
	  "10 50 c0 o0 append 1 -> ok\n"
	  "10 50 c1 o0 append 2 -> ok\n"
	  "60 70 c2 o0 read -> [2 1]\n"
	  "60 71 c2 o0 read -> [1 2]\n" },
	{ "log: torn length against the list", 2,
	  "model log\n"
	  "10 90 c0 o0 append 1 -> ok\n"
	  "20 30 c1 o0 stat -> 1\n"
	  "40 50 c1 o0 read -> []\n" },
	{ "log: lost append", 3,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> ok\n"
	  "30 50 c0 o0 append 2 -> ok\n"
	  "30 50 c1 o0 append 3 -> ok\n"
	  "60 70 c2 o0 read -> [1 3]\n" },
	{ "log: two appends at one offset", 1,
	  "model log\n"
	  "10 50 c0 o0 append 1 -> 0\n"
	  "10 51 c1 o0 append 2 -> 0\n" },
	{ "log: append seen twice", 1,
	  "model log\n"
	  "10 50 c0 o0 append 1 -> 0\n"
	  "60 70 c1 o0 read -> [1 1]\n" },
	{ "log: ambiguous append in the middle", GOOD,
	  "model log\n"
	  "10 - c0 o0 append 1 -> ?\n"
	  "10 20 c1 o0 append 2 -> 0\n"
	  "30 40 c1 o0 append 3 -> 2\n"
	  "50 60 c2 o0 read -> [2 1 3]\n" },
	{ "log: ambiguous append seen, then unseen", 3,
	  "model log\n"
	  "10 - c0 o0 append 1 -> ?\n"
	  "10 20 c1 o0 append 2 -> 0\n"
	  "30 40 c1 o0 stat -> 2\n"
	  "50 60 c2 o0 read -> [2]\n" },
	{ "log: truncate, extend, append", GOOD,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> 0\n"
	  "30 40 c0 o0 trunc 3 -> ok\n"
	  "50 60 c0 o0 append 2 -> 3\n"
	  "70 80 c1 o0 read -> [1 0 0 2]\n"
	  "90 91 c1 o0 trunc -> ok\n"
	  "92 93 c1 o0 read -> []\n" },
	{ "log: truncated entry comes back", 3,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> 0\n"
	  "30 40 c0 o0 trunc 0 -> ok\n"
	  "50 60 c0 o0 trunc 1 -> ok\n"
	  "70 80 c1 o0 read -> [1]\n" },
	{ "log: revert loses what was not synced", GOOD,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> 0\n"
	  "30 40 c0 o0 append 2 -> 1\n"
	  "50 60 c9 o0 revert [1] -> ok\n"
	  "70 80 c1 o0 append 3 -> 1\n"
	  "90 95 c1 o0 read -> [1 3]\n" },
	{ "log: lost more than the revert says", 3,
	  "model log\n"
	  "10 20 c0 o0 append 1 -> 0\n"
	  "30 40 c0 o0 append 2 -> 1\n"
	  "50 60 c9 o0 revert [1] -> ok\n"
	  "90 95 c1 o0 read -> []\n" },
	/* tree */
	{ "tree: create, lookup, rename, unlink", GOOD,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c1 o0 lookup 0 1 -> 5\n"
	  "50 60 c1 o0 rename 0 1 2 3 -> ok\n"
	  "70 80 c0 o0 lookup 0 1 -> ENOENT\n"
	  "71 81 c0 o0 readdir 2 -> [0 0 0 5 0 0]\n"
	  "90 91 c1 o0 unlink 2 3 -> ok\n"
	  "92 93 c1 o0 unlink 2 3 -> ENOENT\n" },
	{ "tree: one of two creates wins", GOOD,
	  "model tree\n"
	  "10 50 c0 o0 create 0 1 5 -> EEXIST\n"
	  "10 50 c1 o0 create 0 1 6 -> ok\n"
	  "60 70 c1 o0 lookup 0 1 -> 6\n" },
	{ "tree: both creates win", 1,
	  "model tree\n"
	  "10 50 c0 o0 create 0 1 5 -> ok\n"
	  "10 55 c1 o0 create 0 1 6 -> ok\n" },
	{ "tree: EEXIST without any entry", 0,
	  "model tree\n"
	  "10 50 c0 o0 create 0 1 5 -> EEXIST\n" },
	{ "tree: EEXIST when only a later create made it", 0,
	  "model tree\n"
	  "10 50 c0 o0 create 0 1 5 -> EEXIST\n"
	  "60 70 c1 o0 create 0 1 6 -> ok\n" },
	{ "tree: EEXIST by an ambiguous create", GOOD,
	  "model tree\n"
	  "10 - c0 o0 create 0 1 5 -> ?\n"
	  "20 30 c1 o0 create 0 1 6 -> EEXIST\n"
	  "40 50 c1 o0 lookup 0 1 -> 5\n" },
	{ "tree: negative lookup after the create was answered", 1,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c1 o0 lookup 0 1 -> ENOENT\n" },
	{ "tree: negative readdir after a positive lookup", 2,
	  "model tree\n"
	  "10 90 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c1 o0 lookup 0 1 -> 5\n"
	  "50 60 c2 o0 readdir 0 -> [0 0 0 0 0 0]\n" },
	{ "tree: rename seen half, in no place", 3,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 90 c0 o0 rename 0 1 1 2 -> ok\n"
	  "40 50 c1 o0 lookup 0 1 -> ENOENT\n"
	  "60 70 c1 o0 lookup 1 2 -> ENOENT\n" },
	{ "tree: rename seen half, in both places", 3,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 90 c0 o0 rename 0 1 1 2 -> ok\n"
	  "40 50 c1 o0 lookup 1 2 -> 5\n"
	  "60 70 c1 o0 lookup 0 1 -> 5\n" },
	{ "tree: rename seen half within one dir", 2,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 90 c0 o0 rename 0 1 0 2 -> ok\n"
	  "40 50 c1 o0 readdir 0 -> [0 5 5 0 0 0]\n" },
	{ "tree: rename replaces", GOOD,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "21 25 c0 o0 create 0 2 6 -> ok\n"
	  "30 90 c0 o0 rename 0 1 0 2 -> ok\n"
	  "40 50 c1 o0 lookup 0 2 -> 6\n"
	  "60 70 c1 o0 lookup 0 2 -> 5\n"
	  "92 95 c1 o0 readdir 0 -> [0 0 5 0 0 0]\n" },
	{ "tree: target missing while it is replaced", 3,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "21 25 c0 o0 create 0 2 6 -> ok\n"
	  "30 90 c0 o0 rename 0 1 0 2 -> ok\n"
	  "40 50 c1 o0 lookup 0 2 -> ENOENT\n" },
	{ "tree: rename onto itself", GOOD,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c0 o0 rename 0 1 0 1 -> ok\n"
	  "50 60 c0 o0 lookup 0 1 -> 5\n" },
	{ "tree: a listing tied to two dirs by a rename", GOOD,
	  "model tree\n"
	  "10 20 c0 o0 create 0 0 5 -> ok\n"
	  "30 90 c0 o0 rename 0 0 1 0 -> ok\n"
	  "30 91 c1 o0 create 0 1 6 -> ok\n"
	  "31 92 c2 o0 readdir 0 -> [5 6 0 0 0 0]\n"
	  "40 50 c3 o0 lookup 1 0 -> 5\n" },
	{ "tree: unlink succeeds twice", 2,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 90 c0 o0 unlink 0 1 -> ok\n"
	  "30 91 c1 o0 unlink 0 1 -> ok\n" },
	{ "tree: ambiguous unlink never happens", GOOD,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 - c0 o0 unlink 0 1 -> ?\n"
	  "40 50 c1 o0 lookup 0 1 -> 5\n"
	  "60 70 c1 o0 unlink 0 1 -> ok\n" },
	{ "tree: ambiguous unlink seen, then unseen", 3,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 - c0 o0 unlink 0 1 -> ?\n"
	  "40 50 c1 o0 lookup 0 1 -> ENOENT\n"
	  "60 70 c1 o0 lookup 0 1 -> 5\n" },
	{ "tree: the result of an open operation is not held against others", 0,
	  "model tree\n"
	  "10 90 c0 o0 create 0 1 5 -> EEXIST\n"
	  "20 30 c1 o0 lookup 0 1 -> 5\n" },
	{ "tree: revert", GOOD,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c0 o0 create 1 2 6 -> ok\n"
	  "50 60 c9 o0 revert [0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0] -> ok\n"
	  "70 80 c1 o0 readdir 1 -> [0 0 0 0 0 0]\n"
	  "70 80 c1 o0 lookup 0 1 -> 5\n" },
	{ "tree: revert undone", 4,
	  "model tree\n"
	  "10 20 c0 o0 create 0 1 5 -> ok\n"
	  "30 40 c0 o0 create 1 2 6 -> ok\n"
	  "50 60 c9 o0 revert [0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0] -> ok\n"
	  "65 66 c1 o0 lookup 1 2 -> ENOENT\n"
	  "70 80 c1 o0 lookup 1 2 -> 6\n" },
};

/* Lines which must not be taken for an operation. */
static const char *const malformed[] = {
	"10 20 c0 o0 read -> 0\n",
	"model nothing\n",
	"model lock\n10 20 c0 o0 lock -> ok\n",
	"model lock\n10 20 c0 o0 lock 0 -> ok\n",
	"model lock\n10 20 c0 o0 lock 1 -> EAGAIN\n",
	"model lock\n10 20 c0 o0 unlock 1 -> EAGAIN\n",
	"model lock\n10 20 c0 o0 try 1 -> EIO\n",
	"model register\n10 20 c0 o0 read\n",
	"model register\n10 20 c0 o0 read ->\n",
	"model register\n10 20 c0 o0 read -> ok\n",
	"model register\n10 20 c0 o0 read -> 1 2\n",
	"model register\n10 20 c0 o0 read 1 -> 1\n",
	"model register\n10 20 c0 o0 read -> EIO\n",
	"model register\n10 20 c0 o0 read -> EWHAT\n",
	"model register\n10 20 c0 o0 read -> -1\n",
	"model register\n20 10 c0 o0 read -> 1\n",
	"model register\n10 x c0 o0 read -> 1\n",
	"model register\n10 20 c0 o65536 read -> 1\n",
	"model register\n10 20 c0 write 1 -> ok\n",
	"model register\n10 20 c0 o0 write -> ok\n",
	"model register\n10 20 c0 o0 create 0 0 1 -> ok\n",
	"model register\n10 20 c0 o0 read -> 99999999999999999999\n",
	"model log\n10 20 c0 o0 append 0 -> 0\n",
	"model log\n10 20 c0 o0 read -> [1 2\n",
	"model log\n10 20 c0 o0 read -> [1 x]\n",
	"model log\n10 20 c0 o0 revert -> ok\n",
	"model tree\n10 20 c0 o0 create 3 0 1 -> ok\n",
	"model tree\n10 20 c0 o0 create 0 6 1 -> ok\n",
	"model tree\n10 20 c0 o0 create 0 0 0 -> ok\n",
	"model tree\n10 20 c0 o0 create 0 0 1 -> ENOENT\n",
	"model tree\n10 20 c0 o0 readdir 0 -> [1 2]\n",
	"model tree\n10 20 c0 o0 readdir 0 -> ENOENT\n",
	"model tree\n10 20 c0 o0 mkdir 0 0 5 -> ok\n",
	"model tree\n10 20 c0 o0 create 0 0 1073741829 -> ok\n",
	"model tree\n10 20 c0 o0 unlink 0 0 -> ENOTDIR\n",
	"model tree\n10 20 c0 o0 sync 3 -> ok\n",
	"model tree\n10 20 c0 o0 lose [1 2] -> ok\n",
};

static int parse(const char *text, struct lin_hist *h, char *msg, size_t len)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int ret;

	memset(h, 0, sizeof(*h));
	if (!f)
		abort();
	ret = lin_parse(f, h, msg, len);
	fclose(f);
	return ret;
}

/* Printed and parsed again it has to print the same. */
static bool round_trip(const struct lin_hist *h)
{
	char *a = NULL, *b = NULL;
	size_t na, nb;
	struct lin_hist again;
	char msg[128];
	FILE *f = open_memstream(&a, &na);
	bool same;

	lin_print(f, h->m, h->ops, h->n);
	fclose(f);
	if (parse(a, &again, msg, sizeof(msg))) {
		tap_note("%s", msg);
		lin_hist_free(&again);
		free(a);
		return false;
	}
	f = open_memstream(&b, &nb);
	lin_print(f, again.m, again.ops, again.n);
	fclose(f);
	same = na == nb && !memcmp(a, b, na);
	lin_hist_free(&again);
	free(a);
	free(b);
	return same;
}

static bool run_case(const struct hand *c)
{
	struct lin_result r;
	struct lin_hist h;
	char msg[128];
	bool want = c->bad == GOOD;
	bool good;

	if (parse(c->text, &h, msg, sizeof(msg))) {
		tap_note("%s", msg);
		lin_hist_free(&h);
		return false;
	}
	r = lin_check(h.m, h.ops, h.n, 0);
	if (want)
		good = r.status == LIN_OK;
	else
		good = r.status == LIN_VIOLATION && r.bad == c->bad;
	if (!good)
		tap_note("%s, operation %zu", lin_status_name(r.status), r.bad);
	if (h.n <= 7 && brute(h.m, h.ops, h.n) != want) {
		tap_note("the permutations do not agree");
		good = false;
	}
	if (!round_trip(&h)) {
		tap_note("does not survive printing and parsing");
		good = false;
	}
	lin_hist_free(&h);
	return good;
}

static void run_cases(const struct hand *c, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		tap(run_case(&c[i]), "%s: %s",
		    c[i].bad == GOOD ? "good" : "bad", c[i].name);
}

unsigned int hand_count(void)
{
	return ARRAY_SIZE(cases) + hand_nlosses + hand_nlocks + 1;
}

void hand_run(void)
{
	bool good = true;
	struct lin_hist h;
	char msg[128];
	size_t i;

	run_cases(cases, ARRAY_SIZE(cases));
	run_cases(hand_losses, hand_nlosses);
	run_cases(hand_locks, hand_nlocks);
	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		if (!parse(malformed[i], &h, msg, sizeof(msg))) {
			tap_note("accepted: %s", malformed[i]);
			good = false;
		}
		lin_hist_free(&h);
	}
	tap(good, "malformed files are refused");
}
