/* SPDX-License-Identifier: MIT */
/*
 * log.h - the agent's log: ETCD_REGISTRY_LOG is LEVEL, LEVEL:FILE or LEVEL:syslog; the levels are
 * off, error, warn, info and debug, and without a target it is syslog.  A line is one event: lower
 * case, no newline (control characters become '?'), never a secret.  Lines go out at once.  Used by
 * the event loop's thread alone.  A log that cannot be written to is no reason to stop: the line is
 * lost.
 */
#ifndef ETCDREG_AGENT_BASE_LOG_H
#define ETCDREG_AGENT_BASE_LOG_H

#include "lib/etcd-registry.h"

enum log_level {
	LOG_LEVEL_OFF,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/*
 * Nothing is logged before.  Fails with ETCDREG_E_CONFIG (and quotes what is wrong), _SYSTEM (the
 * file cannot be opened) or _NOMEM; the log that was open before is then still open.
 */
int log_open(const char *spec, struct etcdreg_err *err);

/* Opens the file anew, by its name: after logrotate has moved it away. */
void log_reopen(void);

void log_close(void);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
