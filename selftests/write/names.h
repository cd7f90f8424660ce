/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of write-names; each ends in a result. One thread. */
#ifndef GNS_TEST_NAMES_H
#define GNS_TEST_NAMES_H

/** check_rename() - files and directories, within one and across */
void check_rename(void);

/** check_rename_flags() - RENAME_NOREPLACE and RENAME_EXCHANGE */
void check_rename_flags(void);

/** check_rename_refused() - what rename(2) must not do */
void check_rename_refused(void);

#endif
