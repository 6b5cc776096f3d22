/* SPDX-License-Identifier: MIT */
/*
 * follow.h - keeps the object's thread from being more than its host is.
 *
 * A libc does not take a thread along that it does not know.  Neither the kernel nor a libc takes
 * any other thread along in capset(), chroot(), unshare() or a seccomp filter.  So the thread
 * compares what the host's main thread may do with what it may do itself, as /proc shows both.
 * If the main thread has ended, another one stands for the host.
 *
 * Called by the object's thread alone.
 */
#ifndef ETCDREG_SHIM_FOLLOW_H
#define ETCDREG_SHIM_FOLLOW_H

#include <stdbool.h>

enum follow {
	FOLLOW_SAME, /* the thread is as the host is, or has just become so */
	FOLLOW_NOT,  /* the host has become what the thread cannot become: the thread must end */
	FOLLOW_LAST, /* no other thread of the process runs */
};

/* Before anything else in a thread: look at the thread itself, and open what is read later. */
void follow_begin(void);

/*
 * Compare, and take the user, the groups and the capabilities of the host.  Reads /proc: some 20
 * microseconds.  FOLLOW_NOT where the root, the mount, network or IPC namespace, no_new_privs, the
 * seccomp filters or the LSM label differ, where the host's user cannot be taken, and where /proc
 * does not tell.  Keeps the dumpable flag of the process.
 */
enum follow follow_host(void);

/* Have the main thread's capabilities changed since follow_host()?  One cheap system call. */
bool follow_is_due(void);

#endif
