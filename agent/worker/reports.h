/* SPDX-License-Identifier: MIT */
/*
 * reports.h - what clients are told, as soon as it is known.
 */
#ifndef ETCDREG_AGENT_WORKER_REPORTS_H
#define ETCDREG_AGENT_WORKER_REPORTS_H

struct worker;

/* Forgets the sockets that do not listen any more, and tells those who announced them. */
void reports_forget(struct worker *worker);

/* Sends every outcome that is new, and the answers to goodbyes. */
void reports_tell(struct worker *worker);

#endif
