/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is done twice, at a place that is right by definition (0) and at another
 * one: the operations so far, and what they returned.
 *
 * Locks: none; one thread.
 */
#ifndef GNS_TEST_TWIN_H
#define GNS_TEST_TWIN_H

#include <errno.h>

#include "lib/types.h"

extern unsigned int via; /* that the operation goes to, beside 0 */
extern u64 op; /* its number */
extern u64 seed; /* that it was drawn with */

/** who() - of the program: where it works, for wrong() */
const char *who(void);

/** wrong() - it is not the same: say what was done before, and end */
void wrong(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/** doing() - what the operation is, for wrong() */
void doing(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** took() - what a call returned at place 0 and at place @via, with errno */
void took(long a, int aerr, long b, int berr, const char *call);

/** err_name() - of an errno, for people */
const char *err_name(int err);

#endif
