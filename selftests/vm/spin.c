// SPDX-License-Identifier: GPL-2.0
/*
 * Executes 2 x COUNT instructions in a loop, and prints how many nanoseconds
 * that took:
 *
 *	spin COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	long long start;

	if (!n) {
		fprintf(stderr, "usage: spin COUNT\n");
		return 2;
	}
	start = now_ns();
	asm volatile("1: dec %0; jnz 1b"
		     : "+r"(n)::"cc");
	printf("%lld\n", now_ns() - start);
	return 0;
}
