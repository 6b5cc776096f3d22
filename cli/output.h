/* SPDX-License-Identifier: MIT */
/*
 * output.h - messages on stderr, and errors of stdout.  show.h prints the services.
 *
 * Code that prints to stdout checks nothing: output_flush() and output_finish() find the errors in
 * stdio's error flag.
 */
#ifndef ETCDREG_CLI_OUTPUT_H
#define ETCDREG_CLI_OUTPUT_H

#include <stdbool.h>

#include "lib/etcd-registry.h"

/* Makes closed standard descriptors harmless, then calls terminal_init().  Call it once, first. */
void output_init(void);

/* Writes one line to stderr, after "etcd-registry: ".  Any thread may call it. */
void output_message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Writes the message in red, and returns `status`: for a failure that ends the command. */
int output_failure(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes the message of `err`, and returns the exit status (enum status) of its code. */
int output_error(const struct etcdreg_err *err);

/*
 * Writes "MESSAGE; trying again" and copies `err` to *told, unless *told has that message already:
 * an outage is one line, not one for each attempt.  Set told->code to 0 at first, and again after
 * each success.
 */
void output_retry(const struct etcdreg_err *err, struct etcdreg_err *told);

/* Flushes stdout.  False: some output could not be written. */
bool output_flush(void);

/*
 * Flushes stdout at the end.  Returns `status`; after a failure it writes a message and returns
 * STATUS_FAILED.
 */
int output_finish(int status);

#endif
