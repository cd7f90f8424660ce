/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GNS_TEST_RACE_H
#define GNS_TEST_RACE_H

/** check_races() - both hosts do the same at the same time: one of them wins */
void check_races(void);

#endif
