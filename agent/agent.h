/* SPDX-License-Identifier: MIT */
/*
 * agent.h - run `etcd-registry agent`, the process beside the servers.
 *
 * The agent registers in etcd the sockets on which the preloaded processes of one machine (or pod)
 * listen.  The worker (worker.h) does that, in a child of the keeper (keeper.h).  This module is
 * the process around them: settings, privileges, signals.  It alone prints, and nothing below it
 * exits.  cli/ parses the command line, of which the worker knows nothing.
 */
#ifndef ETCDREG_AGENT_AGENT_H
#define ETCDREG_AGENT_AGENT_H

#include <sys/types.h>

#include "agent/clients/owner.h"
#include "lib/config/config.h"

/* The caller sets exactly one of `socket` and `listen_fd`. */
struct agent_options {
	const char *socket; /* listen on this path, or "@" and abstract name, until a signal;
			       NULL: not given */
	int listen_fd;      /* serve this socket until no host needs it; -1: not given */
	mode_t mode;        /* of the path `socket` */
	struct owner owner; /* of the path `socket` */

	/*
	 * The defaults, with the settings of the command line over them; borrowed.  Each worker is
	 * a fork, and adds the environment and the connection string's query to its own copy.
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
 * Runs the agent until it ends.  Returns the exit status: 0; 2 for an invalid setting or socket; 3
 * if the agent could not start or go on.  It returns in the keeper, which is the calling process,
 * and in each worker, which is a fork of it.  Both must return from main() with that status.
 */
int agent_main(const struct agent_options *options);

#endif
