/* SPDX-License-Identifier: MIT */
/*
 * permission.h - may a process announce that socket?  For an agent that serves several users: what
 * a client says of a socket must be what the kernel says of it, and the client must hold it.
 *
 * It holds it if /proc/PID/fd has it.  Where that cannot be told (another user's process, another
 * pid namespace, no /proc, a process that has ended, too many descriptors), the socket must have
 * been opened by the client's user.
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
	int pidfd;                    /* of that pid; -1: none, so the pid means nothing */
};

/*
 * Makes one dump of the socket's port, and a second one before it denies: a socket that closed
 * since the first is not found, rather than denied.  `budget` is that of holders_ask().  Fails with
 * ETCDREG_E_NOTFOUND (the agent's network namespace has no such socket), _DENIED (it is not the
 * process's), or what sockdiag_dump() fails with.
 */
int permission_check(struct sockdiag *diag, const struct permission_claim *claim, unsigned *budget,
		     struct etcdreg_err *err);

#endif
