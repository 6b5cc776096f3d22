/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growing string with a ceiling.
 *
 * Invariants: `s` is never NULL after buf_init() and always NUL-terminated at s[len]; len <= max.
 * While cap is 0, `s` is a shared constant: do not write to it.
 *
 * Failure is sticky.  If an addition does not fit into `max`, or memory runs out, the buffer
 * becomes empty, `failed` is set, and later additions do nothing.  So check a chain of additions
 * once, at its end, with buf_failed().
 *
 * Requests carry passwords, so a buffer clears its memory before it frees it, also when it grows.
 */
#ifndef ETCDREG_LIB_BASE_BUF_H
#define ETCDREG_LIB_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *s;
	size_t len;
	size_t cap; /* bytes allocated; 0: none */
	size_t max; /* bytes that it may hold, without the NUL */
	bool failed;
};

/*
 * Life cycle.  The first addition allocates memory.  buf_release() accepts a zeroed struct.
 * Initialise a local buffer in its declaration, so that no return can come before:
 *
 *	CLEANUP(buf) struct buf b = BUF_INIT(4096);
 */
#define BUF_INIT(limit)                        \
	{                                      \
		.s = buf_empty, .max = (limit) \
	}

extern char buf_empty[1];

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);

/*
 * Returns the text, which the caller frees, and leaves the buffer empty.  Returns NULL if the
 * buffer has failed or memory runs out.
 */
char *buf_detach(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Removes the first `len` bytes, or all if there are fewer. */
void buf_drop(struct buf *b, size_t len);

/* Makes the buffer fail: for a caller that cannot produce the bytes that it has to add. */
void buf_fail(struct buf *b);

static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}

#endif
