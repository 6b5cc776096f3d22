/* SPDX-License-Identifier: MIT */
/*
 * outage.h - when to try again while no node of etcd answers.
 *
 * Every half second at first: services are in etcd still, and an answer in time keeps them there.
 * When a time to live has gone there is nothing left to save, and the pause doubles, up to 5 s or
 * an interval between two heartbeats, whichever is shorter: so soon after etcd is back that no
 * lease can expire that it still has.  All pauses have a jitter, which spreads out those who lost
 * etcd in the same moment.
 *
 * It has no clock: `now_ms` is the caller's.
 */
#ifndef ETCDREG_LIB_REGISTRY_OUTAGE_H
#define ETCDREG_LIB_REGISTRY_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#define OUTAGE_PROBE_MS 500

/* Zeroed: etcd answers, as far as is known. */
struct outage {
	bool lasts;
	uint64_t since_ms;  /* the first attempt that failed */
	uint64_t failed_ms; /* the latest */
	uint64_t retry_ms;
	unsigned pause_ms; /* without its jitter */
};

/* An attempt has failed. */
void outage_fail(struct outage *o, uint64_t now_ms, unsigned ttl_s);

#endif
