/* SPDX-License-Identifier: MIT */
/*
 * handover.h - hand the state of a worker over to the next one, through the table (table.h).
 *
 * The next worker opens a new pidfd for each process, by its pid, and watches the process if it has
 * the same id as before.  A process that has ended is dead from the start.  So each socket has a
 * watched holder, or the survey searches /proc as for any socket that lost its process.
 *
 * If the kernel refuses the pidfd (another pid namespace), the worker trusts for a TTL that the
 * process runs.  A process that can says HELLO again in that time.
 *
 * Pidfds are not handed over: each one would have to go to the keeper and back, and a pid with an
 * id says the same.
 */
#ifndef ETCDREG_AGENT_WORKER_HANDOVER_H
#define ETCDREG_AGENT_WORKER_HANDOVER_H

struct worker;

/* Writes the state to the table, if there is one.  For every turn that decided anything. */
void handover_save(struct worker *worker);

/* Loads the state before the first turn, into an empty worker with a table.  Decides nothing. */
void handover_restore(struct worker *worker);

/* Buries the processes that the worker trusted for a TTL and that have not said HELLO again. */
void handover_expire(struct worker *worker);

#endif
