/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The compiler compares linux/gns.h with layout.def, for 32 bit as well.
 */
#ifndef GNS_SELFTESTS_LAYOUT_H
#define GNS_SELFTESTS_LAYOUT_H

#include <stddef.h>
#include <linux/gns.h>

#define AT(t, m, n) _Static_assert(offsetof(struct t, m) == (n), #t "." #m)
#define SIZE(t, n) _Static_assert(sizeof(struct t) == (n), #t)
#define NUMBER(name, n) _Static_assert((name) == (n), #name)

#include "layout.def"

#undef AT
#undef SIZE
#undef NUMBER

#endif
