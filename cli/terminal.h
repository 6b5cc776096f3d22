/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - make texts from etcd harmless, and colour text.
 *
 * Names, hosts, documents and error texts come from etcd, where anybody may have written them.
 * Text for people is printable in the locale: '?' replaces every other character.  Text for
 * programs is exact, but '?' replaces control characters: these could end a line, or control a
 * terminal that shows the text later.
 *
 * A stream has colours if it is a terminal, unless TERM is "dumb" or empty, or NO_COLOR is set and
 * not empty.
 *
 * After terminal_init() any thread may call these functions.
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

/* Sets the locale, and looks at stdout, stderr and the environment.  Call it once, first. */
void terminal_init(void);

/* Writes text for people.  Returns its width in columns.  `out` NULL: writes nothing. */
size_t terminal_text(FILE *out, const char *text);

/*
 * Writes one value to stdout.  On a terminal it is text for people.  Elsewhere it is exact, in any
 * locale, with '?' for each control character and each byte that is not UTF-8.
 */
void terminal_value(const char *text);

/*
 * Writes JSON to stdout, byte for byte.  On a terminal a \u escape replaces each character that is
 * not printable; the JSON means the same.
 */
void terminal_json(const char *text);

/* Sets the colour of the text that follows on `out`; COLOUR_NONE resets it. */
void terminal_colour(FILE *out, enum colour colour);

#endif
