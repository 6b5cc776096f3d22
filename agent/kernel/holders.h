/* SPDX-License-Identifier: MIT */
/*
 * holders.h - find the processes that have a socket open, through /proc/PID/fd.
 *
 * A search costs one readlink per descriptor of every readable process: some ms on a small machine,
 * more on a large one.  So callers search only if nothing else can tell, and never regularly.
 * Processes of another user may be unreadable.  A process whose main thread has ended shows no
 * descriptor.
 *
 * The kernel reuses pids.  Before you act on one, open its pidfd, then call holders_holds() again.
 */
#ifndef ETCDREG_AGENT_KERNEL_HOLDERS_H
#define ETCDREG_AGENT_KERNEL_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef void holders_found_fn(pid_t pid, uint64_t inode, void *arg);

/*
 * Calls `found` for every process that has one of the sockets open, once per process and
 * descriptor.  `inodes` must be in ascending order.
 */
void holders_find(const uint64_t *inodes, size_t inodes_len, holders_found_fn *found, void *arg);

enum holders_answer { HOLDERS_NO, HOLDERS_YES, HOLDERS_UNKNOWN };

/*
 * Tells whether the process has the socket open.  Reads at most *budget descriptors, and subtracts
 * those that it has read.  UNKNOWN: the process is unreadable, has more descriptors than *budget,
 * or shows none at all (it has ended, or its main thread has).
 */
enum holders_answer holders_ask(pid_t pid, uint64_t inode, unsigned *budget);

/* Returns whether the process has the socket open; false also if that is unknown. */
bool holders_holds(pid_t pid, uint64_t inode);

#endif
