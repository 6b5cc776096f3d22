/* SPDX-License-Identifier: MIT */
/*
 * stay.h - the process that stays as the agent's parent, where the host would be given the agent as
 * an orphan.
 *
 * It runs on the host's memory.  When the host has left that by execve() or has ended, the process
 * unmaps all of it but the object itself, so that nothing of the old image stays in memory.
 */
#ifndef ETCDREG_SHIM_STAY_H
#define ETCDREG_SHIM_STAY_H

#include <stdatomic.h>
#include <stdint.h>

/* In the thread that is about to create the process: take note of it. */
void stay_prepare(void);

/*
 * In the process, with all signals blocked: close every descriptor and return when `agent` has
 * ended.  *busy is not 0 while the agent still runs on this memory.
 */
void stay_until_end_of(long agent, _Atomic uint32_t *busy);

#endif
