/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of write-attrs in xattrs.c; each ends in a result. One thread. */
#ifndef GNS_TEST_ATTRS_H
#define GNS_TEST_ATTRS_H

/** check_xattrs() - set, replaced, taken away; and who may */
void check_xattrs(void);

/** check_caps() - capabilities of a program, and what ends them */
void check_caps(void);

#endif
