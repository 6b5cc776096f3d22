/* SPDX-License-Identifier: MIT */
/*
 * thread.h - create a thread that does not disturb the host.
 */
#ifndef ETCDREG_SHIM_THREAD_H
#define ETCDREG_SHIM_THREAD_H

#include <signal.h>

#include "symbols.h"

/*
 * Run `fn` in a new thread: detached, on the smallest stack that this libc takes, with every signal
 * blocked from its first instruction on, but for those that a fault raises and those that the libc
 * keeps for itself.  *ret_mask is the mask of the calling thread, which it has again afterwards.
 * Allocates through the host's malloc (the libc does, for its own data).  Returns 0 or an errno.
 */
int thread_create(const struct symbols_threads *libc, void *(*fn)(void *), sigset_t *ret_mask);

#endif
