/* SPDX-License-Identifier: MIT */
/*
 * pidfd.h - processes by file descriptor.
 *
 * The kernel reuses pids, and a pid means nothing in another pid namespace.  A pidfd stands for one
 * process for ever, and is readable once that process has ended.
 */
#ifndef ETCDREG_AGENT_KERNEL_PIDFD_H
#define ETCDREG_AGENT_KERNEL_PIDFD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Returns a new pidfd, close-on-exec; -1: there is no such process, or the kernel or a seccomp
 * filter refuses the call.
 */
int pidfd_of(pid_t pid);

/*
 * Returns a new pidfd of the process at the other end of a unix socket, or -1.  `pid` is the one of
 * SO_PEERCRED, for kernels without SO_PEERPIDFD.
 */
int pidfd_of_peer(int fd, pid_t pid);

/*
 * Identifies the process of a pidfd.  *ret_pid is its pid in this pid namespace; 0 if it has none
 * here, or has ended.  *ret_id is equal for all pidfds of one process, and different for every
 * other process that runs; 0 if the kernel cannot tell.  Returns false, and writes nothing, if
 * `pidfd` is not a pidfd.
 */
bool pidfd_identify(int pidfd, pid_t *ret_pid, uint64_t *ret_id);

bool pidfd_has_ended(int pidfd);

/*
 * Returns whether the process is in the network namespace of the calling process; false also if
 * that is unknown.  `pidfd` and `pid` are of the same process.
 */
bool pidfd_shares_network(int pidfd, pid_t pid);

#endif
