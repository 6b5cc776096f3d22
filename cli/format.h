/* SPDX-License-Identifier: MIT */
/*
 * format.h - the language of --format: one line for each service.
 *
 *	{name} {hostname} {host} {port} {url}   as the document says; "" where it does not
 *	{json}                                  the whole document
 *	{change}                                of `watch`: found, added, changed, removed
 *	{.member} {.member.member}              of the document: a text as such, anything else as
 *	                                        JSON, "" where there is none
 *	{{ }} \t \\                             a brace, a tab, a backslash
 *
 * Anything else stands for itself.  A newline is refused, and values have none: a result is always
 * exactly one line.
 */
#ifndef ETCDREG_CLI_FORMAT_H
#define ETCDREG_CLI_FORMAT_H

#include <stdbool.h>

#include "lib/etcd-registry.h"

/*
 * Whether `format` is one.  `has_changes`: {change} may be in it.  Fails with ETCDREG_E_CONFIG, the
 * message quoting what is wrong and saying what there is.
 */
int format_check(const char *format, bool has_changes, struct etcdreg_err *err);

/* The line on stdout.  `format` must have been checked; `change` is the word for {change}. */
void format_print(const char *format, const struct etcdreg_entry *entry, const char *change);

#endif
