/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers for people: three digits or so, and a unit.
 */
#ifndef GNS_TOOLS_UNITS_H
#define GNS_TOOLS_UNITS_H

#include <stdbool.h>

#include "lib/types.h"

#define UNITS_LEN 24u

/**
 * units_parse() - "500G", "64M", or bytes
 * @text:  a number, with K, M, G or T behind it or without
 * @bytes: set
 *
 * Return: false: it is none, or too large.
 */
bool units_parse(const char *text, u64 *bytes);

/** units_bytes() - "0 B", "1023 B", "1.5 KiB", "12.3 GiB"; Return: @buf */
char *units_bytes(char *buf, u64 bytes);

/** units_ns() - "0 s", "250 ms", "8.4 s", "5 min"; Return: @buf */
char *units_ns(char *buf, u64 ns);

/** units_percent() - @part of @whole: "97.6 %", "-" of nothing; Return: @buf */
char *units_percent(char *buf, u64 part, u64 whole);

#endif
