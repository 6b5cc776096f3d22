/* SPDX-License-Identifier: MIT */
/*
 * agent.h - the process beside the servers, `etcd-registry agent`.  It holds in etcd what the
 * preloaded processes of one machine (or pod) listen on: worker.h.  This part is the process around
 * it: options, settings, privileges, signals; it alone prints, and nothing below it exits.  What is
 * under worker_run() knows nothing of the command line and runs in a child: keeper.h.
 */
#ifndef ETCDREG_AGENT_AGENT_H
#define ETCDREG_AGENT_AGENT_H

/*
 * `argv[0]` is the command's name.  Returns the exit status: 0; 2 for the command line and for
 * invalid settings; 3 when it could not start.
 */
int agent_main(int argc, char **argv);

#endif
