// SPDX-License-Identifier: GPL-2.0
/*
 * The compiler has checked layout.h already; this says so, a case a fact.
 */
#include <stdio.h>

#include "layout.h"

static int cases, bad;

static void fact(const char *what, unsigned long is, unsigned long expected)
{
	cases++;
	bad += is != expected;
	printf("%sok %d - %s is %lu\n", is == expected ? "" : "not ", cases,
	       what, expected);
}

#define AT(t, m, n) fact("struct " #t ", " #m, offsetof(struct t, m), n)
#define SIZE(t, n) fact("size of struct " #t, sizeof(struct t), n)
#define NUMBER(name, n) fact(#name, name, n)

int main(void)
{
	puts("TAP version 13");
#include "layout.def"
	printf("1..%d\n", cases);
	return bad ? 1 : 0;
}
