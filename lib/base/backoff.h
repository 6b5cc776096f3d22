/* SPDX-License-Identifier: MIT */
/* backoff.h - how long to wait before the next attempt. */
#ifndef ETCDREG_LIB_BASE_BACKOFF_H
#define ETCDREG_LIB_BASE_BACKOFF_H

#include <stdint.h>

#include "random.h"

/*
 * Returns 75 % to 125 % of `ms`, chosen at random.  Without this jitter, many clients that failed
 * at the same time would all come back at the same time.
 */
static inline uint64_t jittered_ms(uint64_t ms)
{
	return ms * 3 / 4 + any_number() % (ms / 2 + 1);
}

#endif
