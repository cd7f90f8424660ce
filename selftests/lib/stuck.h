/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A watch for threads, of programs and of the kernel, that stand still: in state
 * D, killable or not, for longer than anybody should wait for an origin that
 * can be reached.
 *
 * Lifetime: stuck_watch() .. stuck_end(). Locks: its own.
 */
#ifndef GNS_TEST_STUCK_H
#define GNS_TEST_STUCK_H

/** stuck_watch() - begin, in a thread of its own */
void stuck_watch(void);

/** stuck_end() - end; who stood still was said by tap_bad() */
void stuck_end(void);

#endif
