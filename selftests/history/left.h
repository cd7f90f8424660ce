/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a loss of power left on the origin's disk. It is looked at where the disk
 * is, which may be another machine than where the history is: so it can be
 * written as a line of text.
 */
#ifndef GNS_HISTORY_LEFT_H
#define GNS_HISTORY_LEFT_H

#include "hist.h"

/**
 * struct left - plain values, the same on both machines
 * @failed: errno of what could not be read
 * @torn:   a bit for each register that had two states
 * @size:   of registers
 * @value:  of registers
 * @nlog:   entries
 * @log:    they
 * @id:     of what a name is; 0: there is none
 * @tag:    of its mode
 */
struct left {
	u32 failed;
	u32 torn;
	u64 size[REGS];
	u64 value[REGS];
	u32 nlog[LOGS];
	u32 log[LOGS][LOG_LEN];
	u32 id[DIRS * NAMES];
	u32 tag[DIRS * NAMES];
};

/** left_look() - at an export, before the origin starts again */
void left_look(const char *dir, struct left *left);

/** left_print() - a line on standard output */
void left_print(const struct left *left);

/** left_parse() - it was printed; Return: is it all there? */
bool left_parse(const char *line, struct left *left);

#endif
