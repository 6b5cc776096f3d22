/* SPDX-License-Identifier: MIT */
/*
 * agent.h - the process beside the servers, `etcd-registry agent`.  It holds in etcd what the
 * preloaded processes of one machine (or pod) listen on: worker.h.  This part is the process around
 * it: settings, privileges, signals; it alone prints, and nothing below it exits.  The command line
 * is parsed in cli/.  The worker runs in a child (keeper.h) and knows nothing of the command line.
 */
#ifndef ETCDREG_AGENT_AGENT_H
#define ETCDREG_AGENT_AGENT_H

#include <sys/types.h>

#include "agent/clients/owner.h"
#include "lib/config/config.h"

/* Exactly one of `socket` and `listen_fd` is given. */
struct agent_options {
	const char *socket; /* listen there until a signal: a path, or "@" and an abstract name;
			       NULL: not given */
	int listen_fd;      /* serve this socket until nobody needs it; -1: not given */
	mode_t mode;        /* of the path */
	struct owner owner; /* of the path */

	/*
	 * The defaults, with the command line's settings over them; borrowed.  Each worker adds
	 * the environment and the connection string's query, to its own copy.
	 */
	struct config *config;
};

#define AGENT_OPTIONS_INIT                     \
	{                                      \
		.listen_fd = -1, .mode = 0660, \
		.owner = {                     \
			OWNER_SAME_UID,        \
			OWNER_SAME_GID,        \
		},                             \
	}

/*
 * Runs the agent until it ends.  Returns the exit status: 0; 2 for invalid settings, or a socket
 * that is none; 3 if the agent could not start.  It returns in the keeper and in each worker, which
 * is a fork of the caller; both return from main() with that status.
 */
int agent_main(const struct agent_options *options);

#endif
