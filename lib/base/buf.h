/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growing string with a ceiling.
 *
 * Invariants: `s` is never NULL after buf_init() and always NUL-terminated at s[len]; len <= max.
 * Do not write to s while cap is 0: it is then a shared constant.
 *
 * Failure is sticky: when an addition does not fit into `max` or memory runs out, the buffer is
 * emptied, `failed` is set, and everything added later is ignored.  So a chain of additions is
 * checked once, at its end, with buf_failed().
 *
 * Requests carry passwords, so memory is cleared before it is given back, on growth too.
 */
#ifndef ETCDREG_LIB_BASE_BUF_H
#define ETCDREG_LIB_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *s;
	size_t len;
	size_t cap; /* bytes allocated; 0: none */
	size_t max; /* bytes that it may hold, the NUL not counted */
	bool failed;
};

/*
 * Life cycle.  No memory is taken before the first addition.  A zeroed struct may be released.  A
 * local one is initialised where it is declared, so that no return can come before it:
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

/* Empty it, keep its memory, forget a failure. */
void buf_reset(struct buf *b);

/*
 * The text as the caller's own (free it), the buffer is empty then.  NULL where it failed or memory
 * ran out.
 */
char *buf_detach(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Drop the first `len` bytes; at most what is there. */
void buf_drop(struct buf *b, size_t len);

/* Make it fail, where the caller itself could not make what was to be added. */
void buf_fail(struct buf *b);

static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}

#endif
