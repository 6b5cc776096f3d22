/* SPDX-License-Identifier: MIT */
/*
 * output.h - what the command prints: services on stdout, messages on stderr.
 *
 * Names, hosts and error texts come from etcd, where anybody may have written them.  Whatever goes
 * to people (the table, the messages) is stripped of what is not printable in the locale: each such
 * character becomes '?'.  JSON is for programs and goes out byte for byte as the registry holds it.
 *
 * Errors of writing to stdout are left to stdio's error flag and found by output_finish().
 */
#ifndef ETCDREG_OUTPUT_H
#define ETCDREG_OUTPUT_H

#include <stddef.h>

#include "etcd-registry.h"

/* Once, first: makes the locale's characters known, and closed standard descriptors harmless. */
void output_init(void);

/* One line on stderr, "etcd-registry: " before it.  From any thread. */
void output_message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The message of `err`; returns the exit status (enum status) that goes with its code. */
int output_error(const struct etcdreg_err *err);

/* An aligned table with a heading. */
void output_table(const struct etcdreg_entry *entries, size_t len);

/* "added  web  192.0.2.2:80  http://192.0.2.2:80", for lines that come one by one. */
void output_change(const char *word, const struct etcdreg_entry *entry);

/* A JSON array, one document to a line. */
void output_array(const struct etcdreg_entry *entries, size_t len);

/* Flush stdout.  Returns `status`, or after a message STATUS_FAILED if not all could be written. */
int output_finish(int status);

#endif
