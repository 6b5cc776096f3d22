/* SPDX-License-Identifier: MIT */
/*
 * backoff.h - the pause before the next attempt: exponential backoff with jitter.
 *
 * A caller keeps the pause without its jitter, and waits for the pause with it:
 *
 *	pause_ms = longer_ms(pause_ms, PAUSE_MIN_MS, PAUSE_MAX_MS);
 *	retry_ms = now_ms() + jittered_ms(pause_ms);
 */
#ifndef ETCDREG_LIB_BASE_BACKOFF_H
#define ETCDREG_LIB_BASE_BACKOFF_H

#include <stdint.h>

#include "random.h"

/*
 * Returns the pause that follows a pause of `ms`: twice as long, but at least `least` and at most
 * `most`.  After no pause (0) it is `least`.  All are in milliseconds; `least` is not greater than
 * `most`.
 */
static inline unsigned longer_ms(unsigned ms, unsigned least, unsigned most)
{
	unsigned doubled = ms > most / 2 ? most : ms * 2;

	return doubled < least ? least : doubled;
}

/*
 * Returns 75 % to 125 % of `ms`, chosen at random.  Without this jitter, many clients that failed
 * at the same time would all come back at the same time.
 */
static inline uint64_t jittered_ms(uint64_t ms)
{
	return ms * 3 / 4 + any_number() % (ms / 2 + 1);
}

#endif
