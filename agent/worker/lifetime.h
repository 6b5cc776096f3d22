/* SPDX-License-Identifier: MIT */
/*
 * lifetime.h - how long an agent that a host started goes on.  Pure: facts and the time in, verdict
 * out.
 *
 *	NEEDED     a socket is known.  Signals are ignored
 *	SETTLING   none is left, but services are on their way out of etcd: at most 1 s
 *	WAITING    newcomers have 1 s (the first one, after the start, 5 s)
 *	RETIRED    the listening socket is closed, and who was still in its queue is being served
 */
#ifndef ETCDREG_AGENT_WORKER_LIFETIME_H
#define ETCDREG_AGENT_WORKER_LIFETIME_H

#include <stdbool.h>
#include <stdint.h>

enum lifetime_phase { LIFETIME_NEEDED, LIFETIME_SETTLING, LIFETIME_WAITING, LIFETIME_RETIRED };

enum lifetime_verdict { LIFETIME_GO_ON, LIFETIME_RETIRE, LIFETIME_END };

struct lifetime {
	enum lifetime_phase phase;
	bool retired;         /* the listening socket is closed, whatever the phase */
	uint64_t deadline_ms; /* of SETTLING, WAITING and RETIRED */
};

void lifetime_init(struct lifetime *lifetime, uint64_t now_ms);

/* Somebody connected or said something. */
void lifetime_arrival(struct lifetime *lifetime, uint64_t now_ms);

/*
 * needed: a socket is known.  settled: nothing is on its way out of etcd.  To be asked in every
 * turn, and again at deadline_ms unless NEEDED.  After LIFETIME_RETIRE the caller stops listening
 * and accepts who is in the queue.
 */
enum lifetime_verdict lifetime_judge(struct lifetime *lifetime, bool needed, bool settled,
				     uint64_t now_ms);

/* A SIGTERM, SIGINT or SIGHUP came: does it end the agent now? */
bool lifetime_obeys(const struct lifetime *lifetime);

#endif
