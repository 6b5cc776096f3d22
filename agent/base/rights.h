/* SPDX-License-Identifier: MIT */
/*
 * rights.h - what the kernel lets the agent do and have: file descriptors, capabilities, core
 * dumps.
 *
 * All of it is inherited from the host that started the agent: a host may have very few
 * descriptors, or be root.  Call these before the first thread starts; later threads and children
 * inherit the result.
 */
#ifndef ETCDREG_AGENT_BASE_RIGHTS_H
#define ETCDREG_AGENT_BASE_RIGHTS_H

#include "lib/etcd-registry.h"

/*
 * Raises the limit of descriptors (RLIMIT_NOFILE) as far as possible: to the hard limit, and with
 * CAP_SYS_RESOURCE to what the greatest number of clients needs.  So it comes before rights_drop().
 * Fails with ETCDREG_E_SYSTEM if that is too few to serve one client.
 */
int rights_raise_descriptors(struct etcdreg_err *err);

/*
 * Gives up what the agent does not need: every capability but the two that it takes to read
 * /proc/PID/fd of other processes, and the way to new ones (no_new_privs).  Turns off core dumps
 * and ptrace by others, since the settings hold secrets.  What the kernel refuses stays as it is;
 * under a seccomp filter the capabilities do.
 *
 * The two capabilities stay permitted but have no effect, for children that want them: the keeper's
 * workers.
 */
void rights_drop(void);

/* Puts the two capabilities that rights_drop() left permitted into effect. */
void rights_take(void);

#endif
