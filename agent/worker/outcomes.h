/* SPDX-License-Identifier: MIT */
/*
 * outcomes.h - decide the answers to a process about its sockets and its goodbye.  No I/O.
 */
#ifndef ETCDREG_AGENT_WORKER_OUTCOMES_H
#define ETCDREG_AGENT_WORKER_OUTCOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/services/endpoints.h"
#include "lib/wire.h"

/*
 * Returns the enum wire_outcome_what of the socket, or 0 if it is not known yet.  A socket with
 * several names is registered when all of them are.  Writes a line to `text` for WIRE_FAILED, else
 * "".
 */
unsigned outcome_of(const struct endpoints *endpoints, const struct holding *holding,
		    uint64_t now_ms, char text[static WIRE_TEXT_MAX]);

/*
 * Returns whether the agent can answer the process's goodbye: the services that the process left
 * are out of etcd.  The goodbye does not wait for a service that fails to leave, nor for anything
 * while etcd is known to be down.
 */
bool outcome_left(const struct endpoints *endpoints, const struct process *process);

#endif
