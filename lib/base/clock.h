/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the clock for all times in the program.
 *
 * It is CLOCK_MONOTONIC: nobody can set it, it stops while the machine is suspended, and all
 * processes of the machine read the same time.  Only the difference of two times has a meaning.
 */
#ifndef ETCDREG_LIB_BASE_CLOCK_H
#define ETCDREG_LIB_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Returns the time in milliseconds. */
static inline uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

#endif
