/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process must not do that the kernel waits for.
 */
#ifndef GNS_LIB_PROCESS_H
#define GNS_LIB_PROCESS_H

/**
 * gns_process_harden() - be there when memory is short
 *
 * Others wait for this process while they hold locks and memory: it is not
 * swapped out, not the one that is killed for memory, and its own allocations
 * do not wait for filesystems. Needs root or CAP_IPC_LOCK and
 * CAP_SYS_RESOURCE; what is not allowed is said in the log and left.
 */
void gns_process_harden(void);

#endif
