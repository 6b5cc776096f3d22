/* SPDX-License-Identifier: MIT */
/*
 * privileges.h - what the agent does not need, it gives up.  For a process with one thread: later
 * ones inherit it.
 */
#ifndef ETCDREG_AGENT_BASE_PRIVILEGES_H
#define ETCDREG_AGENT_BASE_PRIVILEGES_H

/*
 * Drops every capability but the two that reading /proc/PID/fd of other processes takes, and the
 * way to new ones (no_new_privs); core dumps and ptrace by others are off, since the settings hold
 * secrets.  What cannot be dropped, or is not there, stays as it is; under a seccomp filter the
 * capabilities do.  The two are put aside, for children that want them: the keeper's workers.
 */
void privileges_drop(void);

/* Takes the two that were put aside. */
void privileges_take(void);

#endif
