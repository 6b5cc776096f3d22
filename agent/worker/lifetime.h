/* SPDX-License-Identifier: MIT */
/*
 * lifetime.h - decide when an agent that a host started ends.  No I/O.
 *
 *	NEEDED     a socket is known.  Signals are ignored
 *	SETTLING   no socket is left, but services are on their way out of etcd: at most 1 s
 *	WAITING    for newcomers: 1 s, after the start 5 s
 *	RETIRED    the listening socket is closed; the agent serves the clients of its queue
 */
#ifndef ETCDREG_AGENT_WORKER_LIFETIME_H
#define ETCDREG_AGENT_WORKER_LIFETIME_H

#include <stdbool.h>
#include <stdint.h>

enum lifetime_phase { LIFETIME_NEEDED, LIFETIME_SETTLING, LIFETIME_WAITING, LIFETIME_RETIRED };

enum lifetime_verdict { LIFETIME_GO_ON, LIFETIME_RETIRE, LIFETIME_END };

struct lifetime {
	enum lifetime_phase phase;
	bool retired;         /* the listening socket is closed, in any phase */
	uint64_t deadline_ms; /* of SETTLING, WAITING and RETIRED */
};

void lifetime_init(struct lifetime *lifetime, uint64_t now_ms);

/* Notes that a client connected or announced something: WAITING and RETIRED last 1 s from now. */
void lifetime_arrival(struct lifetime *lifetime, uint64_t now_ms);

/*
 * Returns the verdict for now.  `needed`: a socket is known.  `settled`: nothing is on its way out
 * of etcd.  Call it in every turn, and at deadline_ms unless the phase is NEEDED.  After
 * LIFETIME_RETIRE the caller accepts the clients in the queue, stops listening, and asks again.
 */
enum lifetime_verdict lifetime_judge(struct lifetime *lifetime, bool needed, bool settled,
				     uint64_t now_ms);

/* Returns whether a SIGTERM, SIGINT or SIGHUP ends the agent now. */
bool lifetime_obeys(const struct lifetime *lifetime);

#endif
