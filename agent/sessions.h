/* SPDX-License-Identifier: MIT */
/*
 * sessions.h - what the messages of clients mean for the model.
 */
#ifndef ETCDREG_AGENT_SESSIONS_H
#define ETCDREG_AGENT_SESSIONS_H

#include "clients.h"

struct worker;

/* For clients_init(); the clients' arg is the worker. */
extern const struct clients_ops sessions_ops;

/* Looks again for the address of every socket that has none. */
void sessions_advertise(struct worker *worker);

/* A process that is connected and silent for a TTL is stopped. */
void sessions_judge_beats(struct worker *worker);

/* Frees the processes that nobody needs. */
void sessions_sweep(struct worker *worker);

#endif
