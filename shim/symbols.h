/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - what the object uses of the libc it finds itself in, if any.
 *
 * The object has no DT_NEEDED and no strong reference, so that it loads into every libc and into
 * programs without one. Every symbol is looked up at run time; each accessor says what stands in
 * for a missing one.
 */
#ifndef ETCDREG_SHIM_SYMBOLS_H
#define ETCDREG_SHIM_SYMBOLS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

typedef int bind_fn(int, const struct sockaddr *, socklen_t);
typedef int listen_fn(int, int);

/* The definition behind ours, other interposers included; without one, the system call. */
bind_fn *symbols_bind(void);
listen_fn *symbols_listen(void);

/* Where the calling thread's errno lives; a place that nobody reads in a program without a libc. */
int *symbols_errno(void);

const char *symbols_getenv(const char *name); /* NULL without a libc */
bool symbols_secure(void); /* AT_SECURE: a setuid program, or one with file capabilities */

/* Run `fn` in exit(), before what was registered earlier.  False: not to be had. */
bool symbols_at_exit(void (*fn)(void *));

/* Run `parent` and `child` after every fork() in the respective process.  False: not to be had. */
bool symbols_at_fork(void (*parent)(void), void (*child)(void));

/* What a thread needs. */
struct symbols_threads {
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	int (*attr_init)(pthread_attr_t *);
	int (*attr_destroy)(pthread_attr_t *);
	int (*attr_setstacksize)(pthread_attr_t *, size_t);
	int (*attr_setdetachstate)(pthread_attr_t *, int);
	int (*mask)(int, const sigset_t *, sigset_t *);
	int (*key_create)(pthread_key_t *, void (*)(void *));
	int (*setspecific)(pthread_key_t, const void *);
};

/* clone() of the libc, which knows how to start on another stack; NULL without one. */
typedef int clone_fn(int (*)(void *), void *, int, void *, ...);
clone_fn *symbols_clone(void);

/* All of it, or false.  glibc before 2.34 has threads only in processes that load libpthread. */
bool symbols_threads(struct symbols_threads *ret);

/* glibc keeps signals 32 and 33 for itself, musl 32 to 34: a thread must not block those. */
int symbols_first_rt_signal(void);

#endif
