/* SPDX-License-Identifier: MIT */
/*
 * host.h - the parts that the small hosts share.  A host listens, prints its port on a line of its
 * own, waits for SIGUSR1, and then does its one thing.  Any failure ends it with a message and
 * status 1.
 */
#ifndef ETCDREG_TESTS_HOSTS_HOST_H
#define ETCDREG_TESTS_HOSTS_HOST_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* One thing that a host can do, and its name on the command line. */
struct deed {
	const char *name;
	void (*run)(int listener);
};

static inline _Noreturn void host_fail(const char *what)
{
	perror(what);
	exit(1);
}

/* CLOCK_MONOTONIC, in nanoseconds */
static inline uint64_t host_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Listens on an address in host byte order.  Executed programs inherit the socket. */
static inline int host_listen_at(in_addr_t host, int protocol, uint16_t port)
{
	const int on = 1;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(host),
	};
	int fd = socket(AF_INET, SOCK_STREAM, protocol);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		host_fail("listen");
	return fd;
}

static inline int host_listen(int protocol, uint16_t port)
{
	return host_listen_at(INADDR_ANY, protocol, port);
}

static inline uint16_t host_port(int fd)
{
	struct sockaddr_in address = {0};
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		host_fail("getsockname");
	return ntohs(address.sin_port);
}

/* Prints without stdio, so that a host may use stdio as it likes. */
static inline void host_print(unsigned number)
{
	char line[16];
	int len = snprintf(line, sizeof(line), "%u\n", number);

	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		host_fail("write");
}

/* Call this before the first host_wait(), and before anybody can send the signal. */
static inline void host_block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		host_fail("sigprocmask");
}

static inline void host_wait(void)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigwait(&set, &signal) != 0)
		host_fail("sigwait");
}

static inline const struct deed *host_find(const struct deed *deeds, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++)
		if (name && strcmp(deeds[i].name, name) == 0)
			return &deeds[i];
	fprintf(stderr, "'%s' is not a known word\n", name ? name : "");
	exit(2);
}

#endif
