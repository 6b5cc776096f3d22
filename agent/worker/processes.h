/* SPDX-License-Identifier: MIT */
/*
 * processes.h - what the messages of clients mean for the model.
 */
#ifndef ETCDREG_AGENT_WORKER_PROCESSES_H
#define ETCDREG_AGENT_WORKER_PROCESSES_H

#include "agent/clients/clients.h"

struct worker;

/* For clients_init(); the clients' arg is the worker. */
extern const struct clients_ops processes_ops;

/* Looks again for the address of every socket that has none. */
void processes_advertise(struct worker *worker);

/* A process that is connected and silent for a TTL is stopped. */
void processes_judge_beats(struct worker *worker);

/* Frees the processes that nobody needs. */
void processes_sweep(struct worker *worker);

#endif
