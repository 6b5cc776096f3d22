/* SPDX-License-Identifier: MIT */
/* symbols.c - the libc as it is found, by weak references, dlsym, and the link map. */
#define _GNU_SOURCE
#include "symbols.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "linkmap.h"
#include "raw.h"

#pragma weak dlsym
#pragma weak getenv
#pragma weak getauxval

/* Each has one version only, so that an unversioned reference cannot bind to an old ABI. */
extern int __cxa_atexit(void (*)(void *), void *, void *) __attribute__((weak));
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *)
	__attribute__((weak));
extern int *__errno_location(void) __attribute__((weak));
extern const char *gnu_get_libc_version(void) __attribute__((weak));
#pragma weak pthread_atfork

static void *find_next(const char *name)
{
	return dlsym ? dlsym(RTLD_NEXT, name) : linkmap_next(name);
}

static int plain_errno(long ret)
{
	if (ret >= 0)
		return (int)ret;
	*symbols_errno() = (int)-ret;
	return -1;
}

static int plain_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	return plain_errno(raw(SYS_bind, fd, raw_arg(address), len));
}

static int plain_listen(int fd, int backlog)
{
	return plain_errno(raw(SYS_listen, fd, backlog));
}

/*
 * One at a time and at the first call, not all in the constructor, which runs before the hosts'
 * other objects are ready. Two threads that get here together find the same address.
 */
bind_fn *symbols_bind(void)
{
	static _Atomic(bind_fn *) next;
	bind_fn *fn = atomic_load_explicit(&next, memory_order_relaxed);

	if (!fn) {
		fn = (bind_fn *)find_next("bind");
		if (!fn)
			fn = plain_bind;
		atomic_store_explicit(&next, fn, memory_order_relaxed);
	}
	return fn;
}

listen_fn *symbols_listen(void)
{
	static _Atomic(listen_fn *) next;
	listen_fn *fn = atomic_load_explicit(&next, memory_order_relaxed);

	if (!fn) {
		fn = (listen_fn *)find_next("listen");
		if (!fn)
			fn = plain_listen;
		atomic_store_explicit(&next, fn, memory_order_relaxed);
	}
	return fn;
}

int *symbols_errno(void)
{
	static int nowhere;

	return __errno_location ? __errno_location() : &nowhere;
}

const char *symbols_getenv(const char *name)
{
	return getenv ? getenv(name) : NULL;
}

bool symbols_secure(void)
{
	if (getauxval)
		return getauxval(AT_SECURE) != 0;
	return raw(SYS_getuid) != raw(SYS_geteuid) || raw(SYS_getgid) != raw(SYS_getegid);
}

bool symbols_at_exit(void (*fn)(void *))
{
	return __cxa_atexit && __cxa_atexit(fn, NULL, NULL) == 0;
}

bool symbols_at_fork(void (*parent)(void), void (*child)(void))
{
	if (__register_atfork)
		return __register_atfork(NULL, parent, child, NULL) == 0;
	return pthread_atfork && pthread_atfork(NULL, parent, child) == 0;
}

int symbols_signal_to_all_threads(void)
{
	return gnu_get_libc_version ? 33 : 34;
}
