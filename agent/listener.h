/* SPDX-License-Identifier: MIT */
/*
 * listener.h - the agent's own socket: one that a host handed over, or one that an operator asks
 * for by name.
 */
#ifndef ETCDREG_AGENT_LISTENER_H
#define ETCDREG_AGENT_LISTENER_H

#include <sys/types.h>

#include "etcd-registry.h"

/*
 * Binds and listens on `name`: a path, or "@" and a name in the abstract namespace.  A path gets
 * `mode`; a socket that is there already is removed when nobody answers on it.  The caller owns
 * *ret_fd.  Fails with ETCDREG_E_CONFIG (the name is none) or _SYSTEM (it is taken, too).
 */
int listener_bind(const char *name, mode_t mode, int *ret_fd, struct etcdreg_err *err);

/* Removes the path, unless somebody listens on it (again); after the own socket was closed. */
void listener_remove(const char *name);

/*
 * Is `fd` a unix SOCK_SEQPACKET socket that listens?  Makes it close-on-exec and non-blocking.
 * Fails with ETCDREG_E_CONFIG.
 */
int listener_check(int fd, struct etcdreg_err *err);

/*
 * Tells whoever is in the queue of `fd` why it is not served, one after the other: takes one
 * descriptor, and at most a second for each.
 */
void listener_refuse(int fd, const char *why);

#endif
