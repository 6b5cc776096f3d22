/* SPDX-License-Identifier: MIT */
/*
 * holders.h - which processes have a socket open, by /proc/PID/fd.  Costs one readlink per
 * descriptor of every process that may be read (some ms on a small machine, more on a large one),
 * so it is asked once when nobody else can tell, never regularly.  Another user's processes may not
 * be readable; of a process whose main thread has ended nothing is seen.  A pid is a name only: who
 * acts on one opens its pidfd and then asks holders_holds() again.
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
 * descriptor. `inodes` is sorted.
 */
void holders_find(const uint64_t *inodes, size_t inodes_len, holders_found_fn *found, void *arg);

enum holders_answer { HOLDERS_NO, HOLDERS_YES, HOLDERS_UNKNOWN };

/*
 * The same, looking at no more descriptors than *budget, which is lowered by those that were looked
 * at.  UNKNOWN: it may not be read, shows no descriptor at all (it has ended, or its main thread
 * has), or has more of them than that.
 */
enum holders_answer holders_ask(pid_t pid, uint64_t inode, unsigned *budget);

/* Has that process the socket open?  false where it cannot be told. */
bool holders_holds(pid_t pid, uint64_t inode);

#endif
