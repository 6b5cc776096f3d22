/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the clock that all times of the program are read from.
 *
 * It is CLOCK_MONOTONIC: nobody can set it, it stands still while the machine is suspended, and all
 * processes of the machine read the same.  Its zero means nothing.
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
