/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results of a test program as TAP, with the plan at their end.
 *
 * Locks: its own; any thread may call it.
 */
#ifndef GNS_TEST_TAP_H
#define GNS_TEST_TAP_H

#include <stdbool.h>

/**
 * tap_ok() - one result
 * @good: did it hold?
 * @fmt:  what was to hold, as printf
 *
 * Return: @good.
 */
bool tap_ok(bool good, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** tap_note() - a line for people, as printf */
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * tap_bad() - something is wrong that belongs to the result to come
 * @fmt: what, as printf; only the first ones are printed
 */
void tap_bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * tap_good() - the result of all tap_bad() since the one before
 * @fmt: what was to hold, as printf
 *
 * Return: true when tap_bad() was not called.
 */
bool tap_good(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** tap_is_bad() - was tap_bad() called since the last result? */
bool tap_is_bad(void);

/** tap_end() - the plan; Return: exit status of the program */
int tap_end(void);

#endif
