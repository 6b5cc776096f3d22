/* SPDX-License-Identifier: MIT */
/*
 * reports.h - answer clients as soon as there is something to tell.
 */
#ifndef ETCDREG_AGENT_WORKER_REPORTS_H
#define ETCDREG_AGENT_WORKER_REPORTS_H

struct worker;

/* Forgets the sockets that no longer listen, and tells the processes that announced them. */
void reports_forget(struct worker *worker);

/* Sends every new outcome, and the answers to goodbyes. */
void reports_tell(struct worker *worker);

#endif
