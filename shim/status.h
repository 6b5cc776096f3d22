/* SPDX-License-Identifier: MIT */
/*
 * status.h - the lines of /proc/PID/status.  No allocation.
 */
#ifndef ETCDREG_SHIM_STATUS_H
#define ETCDREG_SHIM_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text of one status file, NUL-terminated.  Too large for a small stack: keep it static. */
struct status {
	char text[4096];
};

/*
 * Read an open status file from its beginning.  False: it cannot be read, or is longer than there
 * is room (a task with more than some 250 groups); then the text is empty.
 */
bool status_read(struct status *ret, int fd);

/* The same of the file at `path`, which is opened for a moment. */
bool status_read_at(struct status *ret, const char *path);

/* The value on the line that begins with `name` and a colon, up to the end of line; NULL: none. */
const char *status_value(const struct status *status, const char *name);

/* Do both have the same line of that name, or both none? */
bool status_same(const struct status *a, const struct status *b, const char *name);

/* A value in base 10 or 16; 0 without such a line. */
uint64_t status_number(const struct status *status, const char *name, unsigned base);

/*
 * Read the next number of a list in base `base` at *at, and move *at behind it.  False: the line
 * ends.
 */
bool status_next(const char **at, unsigned base, uint64_t *ret);

#endif
