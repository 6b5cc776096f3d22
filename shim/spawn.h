/* SPDX-License-Identifier: MIT */
/*
 * spawn.h - start an agent that the host cannot notice: no SIGCHLD, no child for its wait(), no
 * descriptor, no copy of its memory.  One caller at a time.
 */
#ifndef ETCDREG_SHIM_SPAWN_H
#define ETCDREG_SHIM_SPAWN_H

/*
 * Run `etcd-registry agent --listen-fd 3` in a session of its own, where 3 is a copy of `listener`,
 * with the environment of settings_agent_environment(), default signal dispositions and an empty
 * mask, and no other descriptor.  Returns when the new program runs: 0, or the negative errno of
 * what failed (-ENOENT: no such file anywhere; -ECHILD: no process can be had).
 */
int spawn_agent(int listener);

/*
 * Collect the helper that stays behind where the host is a reaper of orphans, if it has ended.
 * Never blocks.
 */
void spawn_reap(void);

#endif
