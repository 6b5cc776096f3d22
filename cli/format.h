/* SPDX-License-Identifier: MIT */
/*
 * format.h - the language of --format: one line of text for each service.
 *
 *	{name} {hostname} {host} {port} {url}   the member of the document; "" if it has none
 *	{json}                                  the whole document
 *	{change}                                of `watch`: found, added, changed, removed
 *	{.member} {.member.member}              any member of the document: a string as it is,
 *	                                        anything else as JSON, "" if there is none
 *	{{ }} \t \\                             a brace, a tab, a backslash
 *
 * All other text stands for itself.  A format has no newline, and printed values have none either,
 * so a result is always exactly one line.
 */
#ifndef ETCDREG_CLI_FORMAT_H
#define ETCDREG_CLI_FORMAT_H

#include <stdbool.h>

#include "lib/etcd-registry.h"

/*
 * Checks a format.  `has_changes`: {change} is a field too.  Fails with ETCDREG_E_CONFIG; the
 * message quotes the wrong part and says what is valid.
 */
int format_check(const char *format, bool has_changes, struct etcdreg_err *err);

/*
 * Writes the line to stdout.  `format` must have passed format_check().  `change` is the word for
 * {change}; NULL if the format cannot contain it.
 */
void format_print(const char *format, const struct etcdreg_entry *entry, const char *change);

#endif
