/* SPDX-License-Identifier: MIT */
/*
 * outage.h - when to try again while no node of etcd answers.
 *
 * For one TTL after the first failure there is an attempt every half second.  The services are
 * still in etcd during that time, and an answer keeps them there.  Afterwards the pause doubles, up
 * to 5 s or the interval between two heartbeats, whichever is shorter.  So when etcd is back, an
 * attempt comes before any lease can expire that etcd still has.
 *
 * All pauses have a jitter, which spreads the clients that lost etcd at the same time.
 *
 * The module reads no clock; the caller passes `now_ms`.
 */
#ifndef ETCDREG_LIB_REGISTRY_OUTAGE_H
#define ETCDREG_LIB_REGISTRY_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#define OUTAGE_PROBE_MS 500

/* Zeroed: no outage is known. */
struct outage {
	bool lasts;
	uint64_t since_ms;  /* time of the first failed attempt */
	uint64_t failed_ms; /* time of the latest one */
	uint64_t retry_ms;  /* time of the next attempt */
	unsigned pause_ms;  /* without jitter */
};

/* Notes a failed attempt and sets the time of the next one. */
void outage_fail(struct outage *o, uint64_t now_ms, unsigned ttl_s);

#endif
