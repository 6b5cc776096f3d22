/* SPDX-License-Identifier: MIT */
/*
 * isolate.h - what sets the object's thread apart from the host that it runs in.  Called by that
 * thread alone, unless said otherwise.
 */
#ifndef ETCDREG_SHIM_ISOLATE_H
#define ETCDREG_SHIM_ISOLATE_H

#include <stdbool.h>

/*
 * Give the calling thread a root and a working folder of its own: a later chroot() of the host does
 * not move it, so that it can still start an agent, the host may enter another mount namespace
 * (setns() refuses a process whose threads share their folders), and no folder that the host leaves
 * stays in use.  Best effort.
 */
void isolate_folders(void);

/*
 * Has the calling thread, any one, the privilege that chroot() and setns() take (CAP_SYS_CHROOT)?
 */
bool isolate_host_may_change_root(void);

/* Is the calling thread, any one, the only one of its process? */
bool isolate_is_alone(void);

/*
 * The other way round: the calling thread, which was the only one before it created the object's,
 * goes on with a copy of its folders and its umask, and leaves them to that.  False: not possible.
 */
bool isolate_leave_folders(void);

/*
 * Give the calling thread a file table of its own, empty but for descriptor 2: the host's
 * descriptors keep their numbers, closing them all closes none of ours, and a child inherits
 * nothing of ours. Returns 0 or a negative errno; then the table is still the host's and nothing
 * may be opened.
 */
int isolate_descriptors(void);

/* Close every descriptor from `first` on in the calling thread's table. */
void isolate_close_from(int first);

/* A real-time thread becomes an ordinary one: it must not compete with the host's.  Best effort. */
void isolate_scheduling(void);

#endif
