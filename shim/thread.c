/* SPDX-License-Identifier: MIT */
/* thread.c - a thread with a small stack and a full mask. */
#include "thread.h"

#include <asm-generic/errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define STACK_FIRST 65536
#define STACK_MOST 1048576

/*
 * Everything but what a fault raises, and what the libc needs for setuid() and cancellation in all
 * threads.
 */
static sigset_t blocked_signals(void)
{
	static const int open[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
	uint64_t mask = ~(uint64_t)0;
	sigset_t set;

	for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++)
		mask &= ~((uint64_t)1 << (open[i] - 1));
	for (int sig = 32; sig < symbols_first_rt_signal(); sig++)
		mask &= ~((uint64_t)1 << (sig - 1));
	memset(&set, 0, sizeof(set));
	memcpy(&set, &mask, sizeof(mask));
	return set;
}

/* The smallest stack that this libc takes: its own data is in it, and that depends on the host. */
static int create_with_small_stack(const struct symbols_threads *libc, void *(*fn)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc = libc->attr_init(&attr);

	if (rc != 0)
		return rc;
	(void)libc->attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (size_t size = STACK_FIRST; size <= STACK_MOST; size *= 2) {
		rc = libc->attr_setstacksize(&attr, size);
		if (rc == 0)
			rc = libc->create(&thread, &attr, fn, NULL);
		if (rc != EINVAL)
			break;
	}
	(void)libc->attr_destroy(&attr);
	return rc;
}

int thread_create(const struct symbols_threads *libc, void *(*fn)(void *), sigset_t *ret_mask)
{
	sigset_t blocked = blocked_signals();
	int rc;

	(void)libc->mask(SIG_SETMASK, &blocked, ret_mask);
	rc = create_with_small_stack(libc, fn);
	(void)libc->mask(SIG_SETMASK, ret_mask, NULL);
	return rc;
}
