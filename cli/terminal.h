/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - texts that others have written, made harmless, and colours.
 *
 * Names, hosts, documents and error texts come from etcd, where anybody may have written them.
 * What people read has nothing that is not printable in the locale: each such character becomes
 * '?'.  What programs read is kept, but for what would end a line or steer the terminal that it
 * may end up on.
 *
 * Colours: on a stream that is a terminal, unless TERM is "dumb" or empty or NO_COLOR says no.
 *
 * Any thread, after terminal_init().
 */
#ifndef ETCDREG_CLI_TERMINAL_H
#define ETCDREG_CLI_TERMINAL_H

#include <stddef.h>
#include <stdio.h>

enum colour {
	COLOUR_NONE,
	COLOUR_BOLD,
	COLOUR_RED,
	COLOUR_GREEN,
	COLOUR_YELLOW,
};

/* Once, first: the locale, and what stdout and stderr are. */
void terminal_init(void);

/* For people.  Returns the columns that the text takes; `out` NULL: only that. */
size_t terminal_text(FILE *out, const char *text);

/*
 * One value on stdout: for people on a terminal; else byte for byte, with a '?' for each control
 * character and for what is not UTF-8, whatever the locale.
 */
void terminal_value(const char *text);

/*
 * JSON on stdout, byte for byte; on a terminal with \u escapes for what is not printable, which
 * are the same JSON.
 */
void terminal_json(const char *text);

/* What follows on `out` has that colour; COLOUR_NONE ends it. */
void terminal_colour(FILE *out, enum colour colour);

#endif
