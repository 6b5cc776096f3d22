/* SPDX-License-Identifier: MIT */
/*
 * keeper.h - the process that was started as the agent.  It forks the worker and waits: a worker
 * that is killed is followed at once by another one, which finds in the table what the one before
 * knew.  It reads no message, speaks to nobody outside and starts no thread; in its memory are the
 * environment, the table and the listening socket, so a new worker has what the first one had: uid,
 * root, namespaces, settings.
 *
 *	the worker exits with 0             the keeper ends with 0
 *	the first worker exits otherwise    the keeper ends with the same: it could not start
 *	anything else                       another worker; after three that fell within 100 ms,
 *	                                    with a pause of 10 ms that doubles up to 1 s; after 60,
 *	                                    the end
 *
 * SIGTERM, SIGINT and SIGHUP must be blocked before; sent to the keeper, they are passed on.  Sent
 * to a whole group they reach the worker twice, which means the same to it.  After a SIGTERM or
 * SIGINT the worker of an operator's agent is not replaced.
 *
 * When the keeper itself is killed, the worker sees `control_fd` close and goes on alone: nothing
 * that is registered is lost, only a second kill would be noticed.
 */
#ifndef ETCDREG_AGENT_KEEPER_KEEPER_H
#define ETCDREG_AGENT_KEEPER_KEEPER_H

#include <stdbool.h>

#include "table.h"

/* What a worker gets from its keeper; it owns the descriptors. */
struct keeper_task {
	int listen_fd;       /* -1: an earlier worker has stopped listening for good */
	int control_fd;      /* -1: there is no keeper */
	struct table *table; /* NULL: there is no keeper */
	bool takes_over;     /* from a worker that ended badly: */
	int status;          /* as wait() told it */
};

enum keeper_role { KEEPER_WORKER, KEEPER_DONE };

/*
 * Returns in every worker with KEEPER_WORKER and *ret_task, and once in the keeper, when it is to
 * end, with KEEPER_DONE and *ret_status: the worker's exit status, -1 if it did not end by itself.
 * Takes over `listen_fd`.  Where no process can be had, the caller becomes a worker without keeper.
 */
enum keeper_role keeper_run(int listen_fd, bool hosted, struct keeper_task *ret_task,
			    int *ret_status);

/*
 * For the worker: the keeper closes its descriptor of the listening socket too, so that the name is
 * free when the worker closes its own.  Waits for that, at most 1 s.  -1: there is no keeper.
 */
void keeper_stop_listening(int control_fd);

#endif
