/* SPDX-License-Identifier: MIT */
/* The agent's log, to syslog or a file. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/control_chars.h"
#include "lib/base/err.h"

enum { LINE_MAX_LEN = 1024 };

/* Written by log_open(), log_reopen() and log_close() only. */
static struct {
	enum log_level level;
	char *path; /* NULL: syslog */
	int fd;
} log_state = {.fd = -1};

static const char *const level_names[] = {"off", "error", "warn", "info", "debug"};
static const int syslog_levels[] = {LOG_DEBUG, LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

static int parse_level(const char *spec, size_t len, enum log_level *ret, struct etcdreg_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strlen(level_names[i]) == len && memcmp(level_names[i], spec, len) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return err_set(err, ETCDREG_E_CONFIG, "level '%.*s' is not off, error, warn, info or debug",
		       (int)len, spec);
}

static int open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

/* A hosted agent works in /, not in the folder of its host, so a relative path would mislead. */
static int open_target(const char *path, int *ret_fd, struct etcdreg_err *err)
{
	if (path[0] != '/')
		return err_set(err, ETCDREG_E_CONFIG, "'%s' is neither syslog nor an absolute path",
			       path);
	*ret_fd = open_file(path);
	if (*ret_fd < 0)
		return err_set(err, ETCDREG_E_SYSTEM, "cannot open '%s': %s", path,
			       strerror(errno));
	return 0;
}

int log_open(const char *spec, struct etcdreg_err *err)
{
	const char *target = strchr(spec, ':');
	bool is_file = target && strcmp(target + 1, "syslog") != 0;
	CLEANUP(free) char *path = is_file ? strdup(target + 1) : NULL;
	enum log_level level = LOG_LEVEL_WARN;
	int fd = -1;
	int r = parse_level(spec, target ? (size_t)(target - spec) : strlen(spec), &level, err);

	if (r == 0 && is_file)
		r = path ? open_target(path, &fd, err) : err_nomem(err);
	if (r < 0)
		return r;
	log_close();
	if (!is_file)
		openlog("etcd-registry", LOG_PID, LOG_DAEMON);
	log_state.level = level;
	log_state.path = STEAL(path);
	log_state.fd = fd;
	return 0;
}

void log_reopen(void)
{
	int fd = log_state.path ? open_file(log_state.path) : -1;

	if (fd < 0)
		return;
	close(log_state.fd);
	log_state.fd = fd;
}

void log_close(void)
{
	fd_release(&log_state.fd);
	free(log_state.path);
	log_state.fd = -1;
	log_state.path = NULL;
	log_state.level = LOG_LEVEL_OFF;
}

static void write_file(enum log_level level, const char *text)
{
	char stamp[32];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)dprintf(log_state.fd, "%s.%03ldZ etcd-registry[%d] %s: %s\n", stamp,
		      now.tv_nsec / 1000000, (int)getpid(), level_names[level], text);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX_LEN];
	va_list args;

	if (level > log_state.level)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	mask_controls(text);
	if (log_state.fd >= 0)
		write_file(level, text);
	else
		syslog(syslog_levels[level], "%s", text);
}
