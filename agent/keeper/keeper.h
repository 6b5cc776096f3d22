/* SPDX-License-Identifier: MIT */
/*
 * keeper.h - the process that was started as the agent, and keeps a worker running.
 *
 * The keeper forks the worker and waits.  If the worker is killed, another one starts at once, and
 * finds in the table what the one before knew.
 *
 *	the worker exits with 0             the keeper ends with 0
 *	the first worker exits otherwise    the keeper ends with the same status: the agent could
 *	                                    not start
 *	anything else                       another worker
 *
 * A worker ends quickly if it exits, or if it is killed within 100 ms.  From the fourth quick end
 * in a row on, the keeper pauses before the next worker: 10 ms, doubled up to 1 s.  After 60 it
 * ends.
 *
 * The keeper reads no message of a client, opens no connection and starts no thread.  It keeps the
 * environment, the table and the listening socket.  So each worker has what the first one had: uid,
 * root, namespaces, settings.
 *
 * SIGTERM, SIGINT and SIGHUP must be blocked before keeper_run(); the keeper passes them on to the
 * worker.  A signal to the whole process group reaches the worker twice, which has the same effect.
 * After a SIGTERM or SIGINT, the keeper of an operator's agent does not replace the worker.
 *
 * If the keeper itself is killed, the worker sees `control_fd` close and goes on alone.  No
 * registration is lost, unless the worker is killed as well.
 */
#ifndef ETCDREG_AGENT_KEEPER_KEEPER_H
#define ETCDREG_AGENT_KEEPER_KEEPER_H

#include <stdbool.h>

#include "table.h"

/* The keeper passes this to a worker, which then owns the descriptors. */
struct keeper_task {
	int listen_fd;       /* -1: an earlier worker has stopped listening for good */
	int control_fd;      /* -1: there is no keeper */
	struct table *table; /* NULL: there is no keeper */
	bool takes_over;     /* from a worker that was killed or failed */
	int status;          /* the wait status of that worker */
};

enum keeper_role { KEEPER_WORKER, KEEPER_DONE };

/*
 * Returns KEEPER_WORKER and *ret_task in every worker.  Returns KEEPER_DONE and *ret_status once in
 * the keeper, which must then end: the exit status of the last worker, or -1 if that was killed.
 * Takes ownership of `listen_fd`.  If it cannot create the first process or the table, the caller
 * becomes a worker without a keeper.
 */
enum keeper_role keeper_run(int listen_fd, bool hosted, struct keeper_task *ret_task,
			    int *ret_status);

/*
 * Tells the worker's keeper to close its descriptor of the listening socket, so that the name is
 * free when the worker closes its own.  Blocks until the keeper has done so, at most 1 s.  Does
 * nothing if `control_fd` is -1: there is no keeper.
 */
void keeper_stop_listening(int control_fd);

#endif
