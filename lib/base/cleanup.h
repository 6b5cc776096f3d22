/* SPDX-License-Identifier: MIT */
/*
 * cleanup.h - release a variable when it goes out of scope.
 *
 * CLEANUP(x) on a variable calls x_release(&variable) on every way out of its scope:
 *
 *	CLEANUP(free) char *text = strdup(s);           free(text)
 *	CLEANUP(fd) int fd = open(path, O_CLOEXEC);     close(fd), if it is not negative
 *	CLEANUP(buf) struct buf b = BUF_INIT(4096);     buf_release(&b), see buf.h
 *
 * The variable must be initialised before control can leave the scope.  STEAL(x) returns the value
 * of `x` and leaves zero behind: the caller owns the value, and its release does nothing.
 *
 * CLEANUP(fd) may change errno.
 */
#ifndef ETCDREG_LIB_BASE_CLEANUP_H
#define ETCDREG_LIB_BASE_CLEANUP_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLEANUP(x) __attribute__((cleanup(x##_release)))

#define STEAL(x)                                      \
	(__extension__({                              \
		__typeof__(x) *source_ = &(x);        \
		__typeof__(x) stolen_ = *source_;     \
		memset(source_, 0, sizeof(*source_)); \
		stolen_;                              \
	}))

/* For CLEANUP(free), whose variable is a pointer of any type. */
static inline void free_release(void *variable)
{
	void *p;

	memcpy(&p, variable, sizeof(p));
	free(p);
}

/* For CLEANUP(fd). */
static inline void fd_release(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Clears a text, then frees it.  NULL is fine. */
static inline void secret_free(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

#endif
