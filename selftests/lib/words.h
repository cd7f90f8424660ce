/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Content that says of itself what it is: each 8 bytes of a file hold the
 * number of the state that they belong to, and their own place.
 */
#ifndef GNS_TEST_WORDS_H
#define GNS_TEST_WORDS_H

#include "lib/types.h"

#define WORD 8u

static inline u64 word_make(u32 state, u64 off)
{
	return (u64)state << 32 | (u32)(off / WORD);
}

static inline u32 word_state(u64 word)
{
	return word >> 32;
}

/** words_fill() - @len bytes of state @state, which begin at @off of a file */
static inline void words_fill(void *buf, size_t len, u32 state, u64 off)
{
	u64 *p = buf;
	size_t i;

	for (i = 0; i < len / WORD; i++)
		p[i] = word_make(state, off + i * WORD);
}

/**
 * words_check() - of what state are these bytes?
 * @buf: as read
 * @len: bytes, a multiple of 8
 * @off: in the file
 * @bad: set to the offset of the first word that does not belong to the state
 *       of the first one, or is of another place
 *
 * Return: the state; -1: see @bad.
 */
static inline s64 words_check(const void *buf, size_t len, u64 off, u64 *bad)
{
	const u64 *p = buf;
	u32 state = word_state(p[0]);
	size_t i;

	for (i = 0; i < len / WORD; i++) {
		if (p[i] != word_make(state, off + i * WORD)) {
			*bad = off + i * WORD;
			return -1;
		}
	}
	return state;
}

#endif
