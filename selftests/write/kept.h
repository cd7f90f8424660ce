/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files without a name: what the origin keeps, and who has them open where.
 */
#ifndef GNS_WRITE_KEPT_H
#define GNS_WRITE_KEPT_H

#include "view.h"

/** kept() - files that the origin keeps, or -1 */
int kept(void);

/** kept_gone() - a result, after a while: none is kept */
void kept_gone(const char *what);

/** kept_till_death() - a host's session dies, and keeps nothing; it is back then */
void kept_till_death(const char *host);

#endif
