/* SPDX-License-Identifier: MIT */
/*
 * listens COUNT [PORT] - opens COUNT listening sockets, on ports that the kernel chooses or on PORT
 * and the ports after it.  It prints a line for each: its port, the nanoseconds that listen() took,
 * and when it returned (CLOCK_MONOTONIC).  On SIGUSR1 it ends with exit(0).  Its own exit handler
 * runs after those that listen() registered, and prints how long the exit took until then.
 */
#include "host.h"

#include <err.h>

struct opened {
	int fd;
	uint64_t took_ns;
	uint64_t returned_ns;
};

static uint64_t exit_began_ns;

static void tell_exit(void)
{
	printf("%llu\n", (unsigned long long)(host_now_ns() - exit_began_ns));
}

static int bound_socket(uint16_t port)
{
	const int on = 1;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		host_fail("bind");
	return fd;
}

static struct opened open_one(uint16_t port)
{
	struct opened opened = {.fd = bound_socket(port)};
	uint64_t begin = host_now_ns();

	if (listen(opened.fd, 16) < 0)
		host_fail("listen");
	opened.returned_ns = host_now_ns();
	opened.took_ns = opened.returned_ns - begin;
	return opened;
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned long port = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	struct opened *opened = calloc(count, sizeof(*opened));

	if (!opened || atexit(tell_exit) != 0)
		errx(1, "out of memory");
	host_block();
	for (size_t i = 0; i < count; i++)
		opened[i] = open_one((uint16_t)(port ? port + i : 0));
	for (size_t i = 0; i < count; i++)
		printf("%u %llu %llu\n", host_port(opened[i].fd),
		       (unsigned long long)opened[i].took_ns,
		       (unsigned long long)opened[i].returned_ns);
	fflush(stdout);
	free(opened);
	host_wait();
	exit_began_ns = host_now_ns();
	return 0;
}
