/* SPDX-License-Identifier: MIT */
/* The end of an agent that a host started. */
#include "lifetime.h"

enum {
	FIRST_WAIT_MS = 5000,
	SETTLE_MS = 1000,
	WAIT_MS = 1000,
};

static void enter(struct lifetime *lifetime, enum lifetime_phase phase, uint64_t deadline_ms)
{
	lifetime->phase = phase;
	lifetime->deadline_ms = deadline_ms;
}

void lifetime_init(struct lifetime *lifetime, uint64_t now_ms)
{
	*lifetime = (struct lifetime){0};
	enter(lifetime, LIFETIME_WAITING, now_ms + FIRST_WAIT_MS);
}

void lifetime_arrival(struct lifetime *lifetime, uint64_t now_ms)
{
	if (lifetime->phase == LIFETIME_WAITING || lifetime->phase == LIFETIME_RETIRED)
		lifetime->deadline_ms = now_ms + WAIT_MS;
}

enum lifetime_verdict lifetime_judge(struct lifetime *lifetime, bool needed, bool settled,
				     uint64_t now_ms)
{
	if (needed) {
		lifetime->phase = LIFETIME_NEEDED;
		return LIFETIME_GO_ON;
	}
	if (lifetime->phase == LIFETIME_NEEDED)
		enter(lifetime, LIFETIME_SETTLING, now_ms + SETTLE_MS);
	if (lifetime->phase == LIFETIME_SETTLING && (settled || now_ms >= lifetime->deadline_ms))
		enter(lifetime, lifetime->retired ? LIFETIME_RETIRED : LIFETIME_WAITING,
		      lifetime->retired ? now_ms : now_ms + WAIT_MS);
	if (now_ms < lifetime->deadline_ms)
		return LIFETIME_GO_ON;
	if (lifetime->phase == LIFETIME_RETIRED)
		return LIFETIME_END;
	lifetime->retired = true;
	enter(lifetime, LIFETIME_RETIRED, now_ms);
	return LIFETIME_RETIRE;
}

bool lifetime_obeys(const struct lifetime *lifetime)
{
	return lifetime->phase != LIFETIME_NEEDED;
}
