/* SPDX-License-Identifier: MIT */
/* Pauses between attempts while etcd does not answer. */
#define _GNU_SOURCE
#include "outage.h"

#include "lib/base/backoff.h"

#define PAUSE_MAX_MS 4000 /* 5 s with jitter */

static unsigned longest_pause_ms(unsigned ttl_s)
{
	unsigned interval_ms = ttl_s * 500;

	return interval_ms * 4 / 5 < PAUSE_MAX_MS ? interval_ms * 4 / 5 : PAUSE_MAX_MS;
}

void outage_fail(struct outage *o, uint64_t now_ms, unsigned ttl_s)
{
	unsigned longest = longest_pause_ms(ttl_s);

	if (!o->lasts)
		*o = (struct outage){
			.lasts = true, .since_ms = now_ms, .pause_ms = OUTAGE_PROBE_MS};
	else if (now_ms - o->since_ms >= (uint64_t)ttl_s * 1000)
		o->pause_ms = longer_ms(o->pause_ms, 0, longest);
	o->failed_ms = now_ms;
	o->retry_ms = now_ms + jittered_ms(o->pause_ms);
}
