/* SPDX-License-Identifier: MIT */
/*
 * text.h - strings without a libc: a bounded builder and the few comparisons that the object needs.
 *
 * A struct text writes into storage of its caller, keeps it NUL-terminated, and never past its end:
 * what does not fit sets `full` and is left out from there on.  No allocation, any thread.
 */
#ifndef ETCDREG_SHIM_TEXT_H
#define ETCDREG_SHIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *s;
	size_t len; /* without the NUL */
	size_t cap; /* bytes at s, the NUL included */
	bool full;  /* something did not fit */
};

#define TEXT_OF(array)                             \
	{                                          \
		.s = (array), .cap = sizeof(array) \
	}

void text_add(struct text *t, const char *s, size_t len);
void text_puts(struct text *t, const char *s);
void text_uint(struct text *t, uint32_t v);
void text_hex(struct text *t, uint64_t v); /* 16 digits */

bool text_equal(const char *a, const char *b);
bool text_starts(const char *s, const char *prefix);

/* The part of a path behind its last slash. */
const char *text_basename(const char *path);

/*
 * Does `s` match the glob `pattern`?  `*` is any run of characters, `?` any one; there is nothing
 * else.
 */
bool text_matches(const char *pattern, const char *s);

#endif
