/* SPDX-License-Identifier: MIT */
/*
 * pidfd.h - processes by descriptor.  Numbers of processes are used again, and mean nothing across
 * pid namespaces; a pidfd means one process for ever and is readable once it has ended.
 */
#ifndef ETCDREG_AGENT_KERNEL_PIDFD_H
#define ETCDREG_AGENT_KERNEL_PIDFD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A new pidfd, close-on-exec; -1: no such process, or the kernel or a filter refuses it. */
int pidfd_of(pid_t pid);

/*
 * A new pidfd of the process at the other end of a unix socket; -1: not to be had.  `pid` is that
 * of SO_PEERCRED.
 */
int pidfd_of_peer(int fd, pid_t pid);

/*
 * Whose pidfd is it?  *ret_pid is its number in this pid namespace, 0 where it has none (or has
 * ended); *ret_id is the same for all pidfds of one process and different for any other that runs,
 * 0 where the kernel cannot tell.  false: it is no pidfd at all, and nothing is written.
 */
bool pidfd_identify(int pidfd, pid_t *ret_pid, uint64_t *ret_id);

bool pidfd_has_ended(int pidfd);

/*
 * Is the process (with that pidfd and pid, both known) in the network namespace of this one?
 * false: no, or not known.
 */
bool pidfd_shares_network(int pidfd, pid_t pid);

#endif
