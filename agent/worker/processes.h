/* SPDX-License-Identifier: MIT */
/*
 * processes.h - apply the messages of clients to the model.
 */
#ifndef ETCDREG_AGENT_WORKER_PROCESSES_H
#define ETCDREG_AGENT_WORKER_PROCESSES_H

#include "agent/clients/clients.h"

struct worker;

/* For clients_init(), with the worker as the clients' arg. */
extern const struct clients_ops processes_ops;

/* Looks again for an address for every announced socket that has none. */
void processes_advertise(struct worker *worker);

/* Marks each process as stopped that is connected but has been silent for a TTL. */
void processes_judge_beats(struct worker *worker);

/* Drops the idle processes (process_is_idle()), and closes the connections of dead ones. */
void processes_sweep(struct worker *worker);

#endif
