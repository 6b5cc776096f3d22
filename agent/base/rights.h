/* SPDX-License-Identifier: MIT */
/*
 * rights.h - limits and privileges of the agent's process: file descriptors, capabilities, core
 * dumps.
 *
 * The agent inherits all of them from the host that started it, which may have very few descriptors
 * or be root.  Call these functions before the first thread starts: later threads and children
 * inherit the result.
 */
#ifndef ETCDREG_AGENT_BASE_RIGHTS_H
#define ETCDREG_AGENT_BASE_RIGHTS_H

#include "lib/etcd-registry.h"

/*
 * Raises RLIMIT_NOFILE to the hard limit.  If that is less than the greatest number of clients
 * needs, CAP_SYS_RESOURCE raises the hard limit too; so call this before rights_drop().  Fails with
 * ETCDREG_E_SYSTEM if the result is too low to serve one client.
 */
int rights_raise_descriptors(struct etcdreg_err *err);

/*
 * Gives up all capabilities but the two that reading /proc/PID/fd of other processes requires, and
 * the means to gain new ones (no_new_privs).  Turns off core dumps and ptrace by others, since the
 * settings hold secrets.  Ignores a step that the kernel refuses.  Does not touch the capabilities
 * under a seccomp filter.
 *
 * The two capabilities stay permitted but not effective.  The keeper's workers make them effective
 * with rights_take().
 */
void rights_drop(void);

/* Makes the two capabilities effective that rights_drop() left permitted. */
void rights_take(void);

#endif
