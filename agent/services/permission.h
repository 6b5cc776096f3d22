/* SPDX-License-Identifier: MIT */
/*
 * permission.h - decide whether a process may announce a socket, for an agent that serves several
 * users.  The client must describe the socket as the kernel does, and must hold it.
 *
 * A client holds a socket if /proc/PID/fd has it.  If the agent cannot read that, the client's user
 * must have opened the socket.  Reasons are another user's process, another pid namespace, no
 * /proc, a process that has ended, and too many descriptors.
 */
#ifndef ETCDREG_AGENT_SERVICES_PERMISSION_H
#define ETCDREG_AGENT_SERVICES_PERMISSION_H

#include <sys/types.h>

#include "agent/kernel/sockdiag.h"
#include "lib/etcd-registry.h"
#include "lib/wire.h"

struct permission_claim {
	const struct wire_socket *id; /* as announced */
	uid_t uid;                    /* of the client */
	pid_t pid;                    /* 0: not known */
	int pidfd;                    /* of that pid; -1: none, and the pid proves nothing */
};

/*
 * Returns 0 if the process may announce the socket.  Makes one dump of the socket's port, and a
 * second one before it denies: a socket that closed since the first is NOTFOUND, not DENIED.
 * `budget` is that of holders_ask().  Fails with ETCDREG_E_NOTFOUND (the agent's network namespace
 * has no such socket), _DENIED (it does not belong to the process), or as sockdiag_dump() does.
 */
int permission_check(struct sockdiag *diag, const struct permission_claim *claim, unsigned *budget,
		     struct etcdreg_err *err);

#endif
