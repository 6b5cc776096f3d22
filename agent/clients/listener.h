/* SPDX-License-Identifier: MIT */
/*
 * listener.h - the agent's own socket: one that a host handed over, or one that an operator asks
 * for by name.
 */
#ifndef ETCDREG_AGENT_CLIENTS_LISTENER_H
#define ETCDREG_AGENT_CLIENTS_LISTENER_H

#include <sys/types.h>

#include "lib/etcd-registry.h"
#include "owner.h"

/* The socket that an operator asks for.  Mode and owner apply to a path only. */
struct listener_options {
	const char *name; /* an absolute path, or "@" and a name in the abstract namespace */
	mode_t mode;
	struct owner owner;
};

/* Which file a path was.  All zero: none. */
struct listener_file {
	dev_t device;
	ino_t inode;
};

/*
 * Binds and listens on `options->name`.  A path gets its mode and owner before anybody can connect;
 * a socket that is there already is removed when nobody answers on it.  The caller owns *ret_fd.
 * Fails with ETCDREG_E_CONFIG (the name is none) or _SYSTEM (it is taken, too).
 */
int listener_bind(const struct listener_options *options, int *ret_fd,
		  struct listener_file *ret_file, struct etcdreg_err *err);

/*
 * Removes the path, unless somebody listens on it (again); after the own socket was closed.  Where
 * that may not be tried, because the socket is another user's, only if it is still `file`.
 */
void listener_remove(const char *name, const struct listener_file *file);

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
