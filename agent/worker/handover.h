/* SPDX-License-Identifier: MIT */
/*
 * handover.h - what a worker leaves to the one that comes after it, through the table (table.h),
 * and how that one makes it its own.  Without a table nothing happens.
 *
 * A process that still runs is watched by a new pidfd, opened by its number and taken only if it
 * has the same id; one that has ended is dead from the start.  So every socket has holders that are
 * watched, or they are looked up in /proc as those of any socket that lost its process.  Pidfds are
 * not handed on: they would have to be sent to the keeper and taken back one by one, and a number
 * with an id says the same.  One that cannot be opened (another pid namespace) is believed to run
 * for a TTL, in which it says HELLO again if it can.
 */
#ifndef ETCDREG_AGENT_WORKER_HANDOVER_H
#define ETCDREG_AGENT_WORKER_HANDOVER_H

struct worker;

/* At the end of every turn that decided anything. */
void handover_save(struct worker *worker);

/* Before the first turn, with everything empty.  Decides nothing. */
void handover_restore(struct worker *worker);

/* Buries the processes that were believed in and have not come back. */
void handover_expire(struct worker *worker);

#endif
