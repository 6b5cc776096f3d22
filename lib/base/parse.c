/* SPDX-License-Identifier: MIT */
/* Numbers from text, and percent-decoding. */
#define _GNU_SOURCE
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#define MS_PER_S 1000

bool parse_uint(const char *s, size_t len, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)s[i] - '0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n < min || n > max)
		return false;
	*ret = n;
	return true;
}

static bool has_suffix(const char *s, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len >= n && memcmp(s + len - n, suffix, n) == 0;
}

/* Reads the digits after the point as thousandths. */
static bool parse_thousandths(const char *s, size_t len, uint64_t *ret)
{
	uint64_t n = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len || i < 3; i++) {
		unsigned digit = i < len ? (unsigned)(unsigned char)s[i] - '0' : 0;

		if (digit > 9)
			return false;
		if (i < 3)
			n = n * 10 + digit;
	}
	*ret = n;
	return true;
}

bool parse_duration_ms(const char *s, size_t len, uint64_t *ret)
{
	uint64_t whole, thousandths = 0;
	const char *point;

	if (has_suffix(s, len, "ms"))
		return parse_uint(s, len - 2, 0, UINT64_MAX, ret);
	if (has_suffix(s, len, "s"))
		len--;
	point = memchr(s, '.', len);
	if (point) {
		size_t fraction = (size_t)(point - s) + 1;

		if (!parse_thousandths(s + fraction, len - fraction, &thousandths))
			return false;
		len = fraction - 1;
	}
	if (!parse_uint(s, len, 0, UINT64_MAX / MS_PER_S - 1, &whole))
		return false;
	*ret = whole * MS_PER_S + thousandths;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *parse_percent(const char *s, size_t len)
{
	char *out = malloc(len + 1);
	size_t n = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (s[i] != '%') {
			out[n++] = s[i];
			continue;
		}
		high = i + 2 < len ? hex_digit(s[i + 1]) : -1;
		low = i + 2 < len ? hex_digit(s[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0) {
			free(out);
			return NULL;
		}
		out[n++] = (char)(high * 16 + low);
		i += 2;
	}
	out[n] = '\0';
	return out;
}
