/* SPDX-License-Identifier: MIT */
/*
 * heartbeat.h - the one thread of the object: it announces the process's sockets to the agent and
 * tells it every interval that the process runs.
 *
 * The kernel alone knows of the thread, and the thread calls the kernel alone.  So the host may
 * fork at any instant, and its libc goes on as without it.  The thread follows the host in what the
 * host may do (follow.h); where it cannot, it ends, and the next call of heartbeat_ring() starts
 * another.
 */
#ifndef ETCDREG_SHIM_HEARTBEAT_H
#define ETCDREG_SHIM_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * There is a new socket in the table: wake the thread, and start it in the first call.  Called by
 * hooks, in any thread of the host; never waits.  May change errno.
 */
void heartbeat_ring(void);

/*
 * Wait until the socket at `place` of the table is settled, at most `timeout_ms`; at once where
 * there is no thread.
 */
void heartbeat_wait(int place, uint32_t timeout_ms);

/*
 * The process is in exit(): have the thread say goodbye and wait until the agent has answered, at
 * most `timeout_ms`.  Returns at once where there is no thread or it has given up.
 */
void heartbeat_leave(uint32_t timeout_ms);

/*
 * In the parent after a fork: a child may hold the sockets now, and the parent may be about to
 * _exit(), as in daemon().  So wait for what has not been announced yet, at most 200 ms: that
 * is a fork in the first milliseconds after a listen(), or none.
 */
void heartbeat_note_fork(void);

/* In a forked child: the thread was the parent's. */
void heartbeat_forget(void);

#endif
