/* SPDX-License-Identifier: MIT */
/*
 * futex.h - sleeping and waking on a word, and the clock that goes with it.  Any thread; errno is
 * left alone.
 */
#ifndef ETCDREG_SHIM_FUTEX_H
#define ETCDREG_SHIM_FUTEX_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "raw.h"

#define FUTEX_FOREVER UINT64_MAX

static inline uint64_t now_ms(void)
{
	struct raw_timespec now = {0};

	(void)raw(SYS_clock_gettime, CLOCK_MONOTONIC, raw_arg(&now));
	return (uint64_t)now.tv_sec * 1000 + (uint32_t)now.tv_nsec / 1000000;
}

/*
 * Sleep until `word` is woken, at most `timeout_ms`; not at all where it is not `value` any more.
 * May wake for no reason.
 */
static inline void futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ms)
{
	uint32_t ms = timeout_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)timeout_ms;
	const struct raw_timespec timeout = {
		.tv_sec = (long)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};
	long until = timeout_ms == FUTEX_FOREVER ? 0 : raw_arg(&timeout);

	(void)raw(SYS_futex, raw_arg(word), FUTEX_WAIT_PRIVATE, value, until);
}

static inline void futex_wake(_Atomic uint32_t *word)
{
	(void)raw(SYS_futex, raw_arg(word), FUTEX_WAKE_PRIVATE, INT32_MAX);
}

static inline void sleep_ms(uint32_t ms)
{
	_Atomic uint32_t nobody = 0;

	futex_wait(&nobody, 0, ms);
}

#endif
