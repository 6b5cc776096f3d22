/* SPDX-License-Identifier: MIT */
/*
 * outcomes.h - what a process is to be told of its sockets and of its goodbye.  Pure.
 */
#ifndef ETCDREG_AGENT_WORKER_OUTCOMES_H
#define ETCDREG_AGENT_WORKER_OUTCOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/services/endpoints.h"
#include "lib/wire.h"

/*
 * An enum wire_outcome_what, or 0 when it is not known yet.  A socket with several names is
 * registered when all of them are.  For WIRE_FAILED `text` is a line of at most WIRE_TEXT_MAX
 * bytes, else "".
 */
unsigned outcome_of(const struct endpoints *endpoints, const struct holding *holding,
		    uint64_t now_ms, char text[static WIRE_TEXT_MAX]);

/*
 * Is all done that a goodbye of the process can wait for?  What fails is not waited for, and
 * nothing is while etcd is known to be down.
 */
bool outcome_left(const struct endpoints *endpoints, const struct process *process);

#endif
