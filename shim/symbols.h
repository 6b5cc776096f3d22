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

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

typedef int bind_fn(int, const struct sockaddr *, socklen_t);
typedef int listen_fn(int, int);

/* The definition behind ours, other interposers included; without one, the system call. */
bind_fn *symbols_bind(void);
listen_fn *symbols_listen(void);

/* The calling thread's errno; in a program without a libc, a place that nobody reads. */
int *symbols_errno(void);

const char *symbols_getenv(const char *name); /* NULL without a libc */
bool symbols_secure(void); /* AT_SECURE: a setuid program, or one with file capabilities */

/* Run `fn` in exit(), before what was registered earlier.  False: the libc cannot do that. */
bool symbols_at_exit(void (*fn)(void *));

/* Run `parent` and `child` after every fork() in the respective process.  False: as above. */
bool symbols_at_fork(void (*parent)(void), void (*child)(void));

/*
 * The signal that a library sends to every task in /proc/self/task, and then waits for its handler
 * in each: libpsx 2.72 on glibc, and musl before 1.1.22 itself.  No thread may block it.
 */
int symbols_signal_to_all_threads(void);

#endif
