/* SPDX-License-Identifier: MIT */
/*
 * log.h - the agent's log.
 *
 * ETCD_REGISTRY_LOG is LEVEL, LEVEL:FILE or LEVEL:syslog.  The levels are off, error, warn, info
 * and debug.  Without a target, the log goes to syslog.
 *
 * A line is one event, in lower case, without a newline and without a secret.  Control characters
 * become '?'.  Each line is written at once; if that fails, the line is lost and the agent goes on.
 * Only the event loop's thread may log.
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
 * Opens the log that `spec` names, in the form of ETCD_REGISTRY_LOG.  Before, nothing is logged.
 * Fails with ETCDREG_E_CONFIG (and quotes the wrong part), _SYSTEM (cannot open the file) or
 * _NOMEM.  A log that was open before then stays open.
 */
int log_open(const char *spec, struct etcdreg_err *err);

/*
 * Opens the file again by its name, after logrotate has moved it.  If that fails, goes on with the
 * old file.
 */
void log_reopen(void);

void log_close(void);

/* Writes at most 1023 bytes of text; cuts a longer line. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
