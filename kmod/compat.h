/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that gns is built for, and nothing else.
 *
 * The code is written for the newest of them; this file, which is put in front
 * of every source file, teaches the older ones the newer forms. No other file
 * asks for a version. Each entry says what changed, when, and which kernel has
 * to be given up before the entry can go.
 */
#ifndef GNS_COMPAT_H
#define GNS_COMPAT_H

/* Also built into assembler and linker files by -include: C only from here. */
#ifndef __ASSEMBLY__

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "gns needs Linux 6.1 or newer"
#endif

/*
 * A newer kernel than those in the tests may build and still be wrong: say so
 * here, at build time, where the one who tries it can see it.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#pragma message("gns is tested on Linux 6.1 to 6.12; this kernel is newer")
#endif

#endif /* __ASSEMBLY__ */
#endif /* GNS_COMPAT_H */
