/* SPDX-License-Identifier: MIT */
/*
 * spawn.h - start an agent that the host does not notice: no SIGCHLD, no child for its wait(), no
 * descriptor, no copy of its memory.  One caller at a time.
 */
#ifndef ETCDREG_SHIM_SPAWN_H
#define ETCDREG_SHIM_SPAWN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Run `etcd-registry agent --listen-fd 3` in a session of its own, where 3 is a copy of `listener`,
 * with the environment of settings_agent_environment(), default signal dispositions and an empty
 * mask, and no other descriptor.  Returns as soon as nothing that happens to the host can prevent
 * the start, and does not wait for the program to be read.  0, or
 *   -ECHILD  no process can be created
 *   -EXDEV   children of the host belong to another pid namespace
 *   -EAGAIN  an earlier start has not got so far
 */
int spawn_agent(int listener);

/*
 * Why the latest start failed, as a negative errno (-ENOENT: no such file anywhere), once; 0: it
 * did not, or not yet.
 */
int spawn_error(void);

/* Wait until the program runs or the start has failed, at most `timeout_ms`. */
void spawn_wait(uint32_t timeout_ms);

/* Collect the process between host and agent, if it has ended.  Never blocks. */
void spawn_reap(void);

#endif
