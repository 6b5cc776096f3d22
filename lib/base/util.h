/* SPDX-License-Identifier: MIT */
/*
 * util.h - the few macros that all parts share.
 *
 * CLEANUP(x) on a variable calls x_release(&variable) when it goes out of scope:
 *
 *	CLEANUP(free) char *text = strdup(s);           free(text)
 *	CLEANUP(fd) int fd = open(path, O_CLOEXEC);     close(fd), where it is not negative
 *	CLEANUP(buf) struct buf b = BUF_INIT(4096);     buf_release(&b), see buf.h
 *
 * The variable must be initialised before the scope can be left.  STEAL(x) gives its value away
 * and leaves zero behind.
 */
#ifndef ETCDREG_LIB_BASE_UTIL_H
#define ETCDREG_LIB_BASE_UTIL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define CLEANUP(x) __attribute__((cleanup(x##_release)))

#define STEAL(x)                                      \
	(__extension__({                              \
		__typeof__(x) *source_ = &(x);        \
		__typeof__(x) stolen_ = *source_;     \
		memset(source_, 0, sizeof(*source_)); \
		stolen_;                              \
	}))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline void free_release(void *variable)
{
	void *p;

	memcpy(&p, variable, sizeof(p));
	free(p);
}

static inline void fd_release(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Frees a text after clearing it.  NULL is fine. */
static inline void secret_free(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

/* CLOCK_MONOTONIC. */
static inline uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* 0 to n - 1, each as likely. */
static inline size_t random_below(size_t n)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = now_ms();
	return (size_t)(random % n);
}

/* What need not surprise anybody: only others in the same position shall have another. */
static inline uint32_t any_number(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = (uint32_t)now_ms();
	return number;
}

/* 75 % to 125 % of `ms`, so that many who failed at one time do not come back in step. */
static inline uint64_t jittered_ms(uint64_t ms)
{
	return ms * 3 / 4 + any_number() % (ms / 2 + 1);
}

#endif
