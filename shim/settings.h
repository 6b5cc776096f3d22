/* SPDX-License-Identifier: MIT */
/*
 * settings.h - what the environment asks of the object, copied out of it once.
 *
 * Servers clobber and free their environment (setproctitle, clearenv), so everything is copied at
 * the first call, by the constructor or by the first hook, whichever comes first.  Afterwards it
 * does not change: it may be read from any thread, and in a forked child.
 */
#ifndef ETCDREG_SHIM_SETTINGS_H
#define ETCDREG_SHIM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define SETTINGS_PATH_MAX 1152

/*
 * Read the environment, if that has not been done.  True: this process is to register.  False, and
 * nothing else of the object may run: no ETCD_REGISTRY_NAME, ETCD_REGISTRY_DISABLE, another program
 * than ETCD_REGISTRY_EXE, or a secure one.
 */
bool settings_active(void);

/* The line for stderr that says what is wrong, as far as seen here; NULL: nothing is. */
const char *settings_error(void);

bool settings_want_udp(void);            /* some name asks for a udp port */
bool settings_thread(void);              /* a thread in the host is allowed */
bool settings_thread_is_asked_for(void); /* ... and ETCD_REGISTRY_THREAD says so itself */
bool settings_valgrind(void);            /* the program runs under valgrind */
bool settings_in_unit(void);             /* systemd has started it, or what started it */
uint32_t settings_inherited(void);       /* descriptors from 3 on that systemd passed to us */
uint32_t settings_wait_ms(void);
uint32_t settings_exit_timeout_ms(void);
const char *settings_operator_agent(void); /* path or @name; "": none */

/* The settings of this process for its HELLO, NUL-terminated strings one behind the other. */
void settings_service_block(struct text *block);

/*
 * The environment for an agent: settings of etcd and of the agent, nothing of the host's.
 * NULL-terminated, static.
 */
char *const *settings_agent_environment(void);

/* The files to try as the agent, best first; NULL-terminated, static. */
const char *const *settings_agent_files(void);

/*
 * The name (without its leading NUL) of the abstract socket where the agent of these settings
 * listens.  It depends on the user, the namespaces, the cgroup and how etcd is reached, so that
 * whoever shares an agent may share it.  Opens files in /proc: only for a thread with a file table
 * of its own.
 */
void settings_agent_name(struct text *name);

#endif
