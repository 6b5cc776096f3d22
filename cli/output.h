/* SPDX-License-Identifier: MIT */
/*
 * output.h - messages on stderr, and the state of stdout.  What is printed there: show.h.
 *
 * Errors of writing to stdout are left to stdio's error flag and found by output_flush() and
 * output_finish().
 */
#ifndef ETCDREG_CLI_OUTPUT_H
#define ETCDREG_CLI_OUTPUT_H

#include <stdbool.h>

#include "lib/etcd-registry.h"

/* Once, first: terminal_init(), and closed standard descriptors become harmless. */
void output_init(void);

/* One line on stderr, "etcd-registry: " before it.  From any thread. */
void output_message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same for what ends the command: in red, and returns `status`. */
int output_failure(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The failure of `err`; returns the exit status (enum status) that goes with its code. */
int output_error(const struct etcdreg_err *err);

/*
 * "...; trying again", unless *told says the same: an outage is one line, not one an attempt.
 * told->code is to be 0 at first, and again once something has worked.
 */
void output_retry(const struct etcdreg_err *err, struct etcdreg_err *told);

/* Write out what is on its way to stdout.  False: it cannot be. */
bool output_flush(void);

/* The same, last.  Returns `status`, or after a message STATUS_FAILED if not all could be written.
 */
int output_finish(int status);

#endif
