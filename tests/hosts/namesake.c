/* SPDX-License-Identifier: MIT */
/*
 * namesake - a host that exports functions with names that libraries use too, and its own
 * allocator.  Only the host's own thread may call the allocator, except to create a thread.  Any
 * other call aborts.
 */
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>

#define NAMESAKE(name)   \
	void name(void); \
	void name(void)  \
	{                \
		abort(); \
	}

typedef int pthread_create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static pthread_create_fn *real_pthread_create;
static long own_thread;
static bool strict, creating;

NAMESAKE(SSL_CTX_new)
NAMESAKE(SSL_new)
NAMESAKE(inflate)
NAMESAKE(deflate)
NAMESAKE(curl_easy_init)
NAMESAKE(curl_global_init)
NAMESAKE(cJSON_Parse)
NAMESAKE(cJSON_Delete)

static void check_caller(void)
{
	if (own_thread && syscall(SYS_gettid) != own_thread)
		abort();
	if (strict && !creating)
		abort();
}

void *malloc(size_t size)
{
	check_caller();
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	check_caller();
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	check_caller();
	return __libc_realloc(old, size);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *argument)
{
	int result;

	creating = true;
	result = real_pthread_create(thread, attributes, run, argument);
	creating = false;
	return result;
}

int main(void)
{
	uint16_t port;

	real_pthread_create = (pthread_create_fn *)dlsym(RTLD_NEXT, "pthread_create");
	own_thread = syscall(SYS_gettid);
	host_block();
	strict = true;
	port = host_port(host_listen(0, 0));
	host_print(port);
	host_wait();
	exit(0);
}
