/* SPDX-License-Identifier: MIT */
/* passing - another object that interposes listen() and bind(), and calls the next one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

typedef int bind_fn(int, const struct sockaddr *, socklen_t);
typedef int listen_fn(int, int);

int listen(int fd, int backlog)
{
	listen_fn *next = (listen_fn *)dlsym(RTLD_NEXT, "listen");

	fputs("listen\n", stderr);
	return next(fd, backlog);
}

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
	bind_fn *next = (bind_fn *)dlsym(RTLD_NEXT, "bind");

	fputs("bind\n", stderr);
	return next(fd, address, len);
}
