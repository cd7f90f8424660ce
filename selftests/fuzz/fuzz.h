/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzz targets share.
 */
#ifndef GNS_FUZZ_H
#define GNS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/msg.h"

/* A rule that a target found broken: libFuzzer keeps the input. */
#define FUZZ_CHECK(cond, ...) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "broken: %s: ", #cond); \
			fprintf(stderr, __VA_ARGS__); \
			fprintf(stderr, "\n"); \
			abort(); \
		} \
	} while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* An input that is taken byte by byte; zeros at its end. */
struct fuzz_in {
	const u8 *p;
	size_t left;
};

static inline u64 fuzz_take(struct fuzz_in *in, u32 n)
{
	u64 v = 0;
	u32 i;

	for (i = 0; i < n && in->left; i++, in->p++, in->left--)
		v |= (u64)*in->p << (8 * i);
	return v;
}

/* Its own heap block of the exact size, so that ASan sees one byte too far. */
static inline void *fuzz_copy(const void *p, size_t n)
{
	void *to = malloc(n ? n : 1);

	FUZZ_CHECK(to, "no memory");
	if (n)
		memcpy(to, p, n);
	return to;
}

static inline u64 fuzz_hash(u64 h, const void *p, size_t n)
{
	const u8 *b = p;

	for (; n; n--)
		h = (h ^ *b++) * 0x100000001b3ull;
	return h;
}

#endif
