/* SPDX-License-Identifier: MIT */
/*
 * span.h - a part of a text that somebody else owns.
 *
 * It is not NUL-terminated, and is valid as long as the text is.  Print it with "%.*s":
 *
 *	err_set(err, ETCDREG_E_CONFIG, "unknown option '%.*s'", SPAN_ARGS(key));
 */
#ifndef ETCDREG_LIB_BASE_SPAN_H
#define ETCDREG_LIB_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *s;
	size_t len;
};

#define SPAN_ARGS(span) (int)(span).len, (span).s

static inline bool span_equals(struct span span, const char *text)
{
	return strlen(text) == span.len && memcmp(text, span.s, span.len) == 0;
}

#endif
