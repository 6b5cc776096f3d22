/* SPDX-License-Identifier: MIT */
/*
 * threadless.h - announce sockets without a thread: in the hook, or for inherited sockets in the
 * constructor.  The agent then goes by the kernel alone; there are no heartbeats, no outcomes and
 * no goodbye, and nothing is held afterwards.
 *
 * This is for hosts in which no thread can be created, or none is wanted or safe.  For some hundred
 * microseconds, or some milliseconds where an agent has to be started, one or two descriptors of
 * the host's table are in use.
 */
#ifndef ETCDREG_SHIM_THREADLESS_H
#define ETCDREG_SHIM_THREADLESS_H

/*
 * Announce every socket of the table that has not been, and take it out.  Any thread; a call
 * during another one leaves its socket to that one.  May change errno.
 */
void threadless_announce(void);

/* In a forked child. */
void threadless_forget(void);

#endif
