/* SPDX-License-Identifier: MIT */
/*
 * random.h - random numbers.  Do not use them as secrets: if the kernel gives none, both functions
 * return a number made from the clock.
 */
#ifndef ETCDREG_LIB_BASE_RANDOM_H
#define ETCDREG_LIB_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/random.h>

#include "clock.h"

/*
 * Returns 0 to n - 1, each equally likely; n is not 0.  Early at boot it blocks until the kernel
 * has collected enough entropy.
 */
static inline size_t random_below(size_t n)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = now_ms();
	return (size_t)(random % n);
}

/*
 * Returns a number that probably differs from that of any other process.  Never blocks: early at
 * boot, others can guess the number.
 */
static inline uint32_t any_number(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = (uint32_t)now_ms();
	return number;
}

#endif
