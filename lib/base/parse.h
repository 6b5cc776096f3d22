/* SPDX-License-Identifier: MIT */
/*
 * parse.h - text to number, whole and in range, or not at all.
 *
 * `s` need not be NUL-terminated.  Nothing may stand before or after the number: no sign, no
 * space. *ret is written only on success.
 */
#ifndef ETCDREG_LIB_BASE_PARSE_H
#define ETCDREG_LIB_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits, min <= *ret <= max. */
bool parse_uint(const char *s, size_t len, uint64_t min, uint64_t max, uint64_t *ret);

/* "200ms", "3s", "1.5s", and a plain number is seconds: "3", "0.25".  Rounded down to milliseconds.
 */
bool parse_duration_ms(const char *s, size_t len, uint64_t *ret);

/* "%41" becomes "A".  A new string, or NULL: a bad escape, an encoded NUL, or no memory. */
char *parse_percent(const char *s, size_t len);

#endif
