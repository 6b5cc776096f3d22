/* SPDX-License-Identifier: MIT */
/*
 * listener.h - the agent's own socket: a host hands it over, or an operator asks for it by name.
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

/* Identifies the file that a path was.  All zero: no file. */
struct listener_file {
	dev_t device;
	ino_t inode;
};

/* Checks the form of a name.  Fails with ETCDREG_E_CONFIG. */
int listener_check_name(const char *name, struct etcdreg_err *err);

/*
 * Binds and listens on `options->name`.  A path has its mode and owner before anybody can connect.
 * Replaces a socket that exists if nobody listens on it.  The caller owns *ret_fd.  Fails with
 * ETCDREG_E_CONFIG (an invalid name) or _SYSTEM (also if the name is in use).
 */
int listener_bind(const struct listener_options *options, int *ret_fd,
		  struct listener_file *ret_file, struct etcdreg_err *err);

/*
 * Removes the path `name` after the agent has closed its socket, unless somebody listens on it
 * again.  If the agent may not connect to find that out (EACCES: the socket is another user's),
 * removes the path only if it is still `file`.
 */
void listener_remove(const char *name, const struct listener_file *file);

/*
 * Checks that `fd` is a listening unix SOCK_SEQPACKET socket.  Makes it close-on-exec and
 * non-blocking.  Fails with ETCDREG_E_CONFIG (not such a socket) or _SYSTEM.
 */
int listener_check(int fd, struct etcdreg_err *err);

/*
 * Refuses the clients in the queue of `fd`, one after the other, with the text `why`.  Needs one
 * descriptor, and blocks at most 1 s for each client.
 */
void listener_refuse(int fd, const char *why);

#endif
