/* SPDX-License-Identifier: MIT */
/* A growing string with a ceiling and a sticky failure. */
#define _GNU_SOURCE
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAP_MIN 256

char buf_empty[1];

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void buf_release(struct buf *b)
{
	if (b->cap > 0) {
		explicit_bzero(b->s, b->cap);
		free(b->s);
	}
	b->s = buf_empty;
	b->len = 0;
	b->cap = 0;
}

void buf_drop(struct buf *b, size_t len)
{
	if (len > b->len)
		len = b->len;
	if (len == 0)
		return;
	b->len -= len;
	memmove(b->s, b->s + len, b->len + 1);
}

void buf_fail(struct buf *b)
{
	buf_release(b);
	b->failed = true;
}

/* Makes room for `len` more bytes and the NUL, or makes the buffer fail. */
static bool reserve(struct buf *b, size_t len)
{
	size_t cap = b->cap > 0 ? b->cap : CAP_MIN;
	char *s;

	if (b->failed)
		return false;
	if (len > b->max - b->len) {
		buf_fail(b);
		return false;
	}
	if (b->len + len < b->cap)
		return true;
	while (cap <= b->len + len)
		cap *= 2;
	s = malloc(cap);
	if (!s) {
		buf_fail(b);
		return false;
	}
	memcpy(s, b->s, b->len + 1);
	len = b->len;
	buf_release(b);
	b->s = s;
	b->len = len;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0 || !reserve(b, len))
		return;
	memcpy(b->s + b->len, bytes, len);
	b->len += len;
	b->s[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	if (len < 0) {
		buf_fail(b);
	} else if (reserve(b, (size_t)len)) {
		vsnprintf(b->s + b->len, (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

char *buf_detach(struct buf *b)
{
	char *s;

	if (b->failed)
		return NULL;
	if (b->cap == 0)
		return strdup("");
	s = b->s;
	b->s = buf_empty;
	b->len = 0;
	b->cap = 0;
	return s;
}
