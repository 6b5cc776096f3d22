/* SPDX-License-Identifier: MIT */
/*
 * parse.h - numbers from text.
 *
 * The whole text must be a number in range: no sign, no space.  Otherwise a function returns false
 * and leaves *ret alone.  `s` need not be NUL-terminated.
 */
#ifndef ETCDREG_LIB_BASE_PARSE_H
#define ETCDREG_LIB_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads decimal digits; min <= *ret <= max. */
bool parse_uint(const char *s, size_t len, uint64_t min, uint64_t max, uint64_t *ret);

/* Reads "200ms", "3s", "1.5s".  A plain number is in seconds: "3", "0.25".  Rounds down to 1 ms. */
bool parse_duration_ms(const char *s, size_t len, uint64_t *ret);

/*
 * Decodes percent escapes: "%41" becomes "A".  Returns a new string.  NULL: a bad escape, an
 * encoded NUL, or no memory.
 */
char *parse_percent(const char *s, size_t len);

#endif
