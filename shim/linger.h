/* SPDX-License-Identifier: MIT */
/*
 * linger.h - a host whose main() calls pthread_exit() ends with its last thread, and that must not
 * be ours: exit handlers would run on our small stack, and would find the host's file table gone
 * with the host's last thread (our thread has one of its own), so that what stdio holds back would
 * be lost.
 *
 * So when the main thread ends that way, it leaves a thread behind that is as the host's own: its
 * file table, its mask, a stack of the default size.  That one sleeps until ours finds that no
 * other runs and has ended, and then returns.
 */
#ifndef ETCDREG_SHIM_LINGER_H
#define ETCDREG_SHIM_LINGER_H

#include <signal.h>
#include <stdbool.h>

#include "symbols.h"

/* Take note if the calling thread, where it is the main thread, ends by pthread_exit(). */
void linger_arm(const struct symbols_threads *libc);

/*
 * Is the calling thread the only one of the process that still runs?  Reads /proc; false where it
 * cannot.
 */
bool linger_is_last(void);

/*
 * The calling thread is about to return: the process may end without it.  Where the main thread
 * left nobody behind (another thread called listen()), `last` has that done now, with the mask
 * `host`.
 */
void linger_release(const struct symbols_threads *libc, bool last, const sigset_t *host);

/* In a forked child. */
void linger_forget(void);

#endif
