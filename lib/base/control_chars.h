/* SPDX-License-Identifier: MIT */
/*
 * control_chars.h - control characters in text from outside.
 *
 * They are the bytes 0x00 to 0x1f and 0x7f.  They can steer a terminal, and end a line or a header.
 * The C1 controls do not count, since their bytes are parts of UTF-8 characters.
 */
#ifndef ETCDREG_LIB_BASE_CONTROL_CHARS_H
#define ETCDREG_LIB_BASE_CONTROL_CHARS_H

#include <stdbool.h>

static inline bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Replaces each control character of `text` with '?', so that the text is one line. */
static inline void mask_controls(char *text)
{
	for (; *text != '\0'; text++) {
		if (is_control(*text))
			*text = '?';
	}
}

#endif
