/* SPDX-License-Identifier: MIT */
/*
 * listener - a server that opens the given sockets and answers every connection with one fixed HTTP
 * response.
 *
 *	listener [-6] [-o] [-r] [-u] [-a ADDRESS] [-k PID | -t PID] [PORT...]
 *
 * It opens one socket per PORT, in that order, or one on port 0 if none is given: -6 on IPv6
 * (dual-stack; -o: IPv6 only), -r with SO_REUSEPORT, -u UDP, -a bound to ADDRESS.  As soon as
 * all are open it kills process PID (-k) or sends it SIGTERM (-t), and prints each port on a line
 * of its own.  SIGTERM ends it with exit(0).  SIGUSR1 makes it close the first socket that is still
 * open.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MAX 64

static const char response[] = "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nlistener\n";

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct options {
	int family;
	int type;
	bool v6only;
	bool reuse_port;
	const char *address;
	pid_t predecessor;
	int end; /* the signal for the predecessor; 0: none */
};

static volatile sig_atomic_t ending;
static volatile sig_atomic_t closing;

static void on_signal(int signal)
{
	if (signal == SIGTERM)
		ending = 1;
	else
		closing = 1;
}

/* Signals arrive only while ppoll() waits with the returned mask. */
static sigset_t catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked, before;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &blocked, &before) < 0 ||
	    sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGUSR1, &action, NULL) < 0)
		err(1, "signals");
	return before;
}

static int parse_options(int argc, char **argv, struct options *ret)
{
	int option;

	*ret = (struct options){.family = AF_INET, .type = SOCK_STREAM};
	while ((option = getopt(argc, argv, "6orua:k:t:")) != -1) {
		switch (option) {
		case '6':
			ret->family = AF_INET6;
			break;
		case 'o':
			ret->v6only = true;
			break;
		case 'r':
			ret->reuse_port = true;
			break;
		case 'u':
			ret->type = SOCK_DGRAM;
			break;
		case 'a':
			ret->address = optarg;
			break;
		case 'k':
		case 't':
			ret->predecessor = (pid_t)strtol(optarg, NULL, 10);
			ret->end = option == 'k' ? SIGKILL : SIGTERM;
			break;
		default:
			errx(2,
			     "usage: listener [-6] [-o] [-r] [-u] [-a ADDRESS] [-k PID | -t PID] "
			     "[PORT...]");
		}
	}
	return optind;
}

static socklen_t fill_address(const struct options *options, in_port_t port, union address *ret)
{
	bool is_v6 = options->family == AF_INET6;
	void *address = is_v6 ? (void *)&ret->v6.sin6_addr : (void *)&ret->v4.sin_addr;

	*ret = (union address){.v6.sin6_family = (sa_family_t)options->family};
	ret->v6.sin6_port = htons(port); /* at the same place in both */
	if (options->address && inet_pton(options->family, options->address, address) != 1)
		errx(2, "'%s' is not an address of that family", options->address);
	return is_v6 ? sizeof(ret->v6) : sizeof(ret->v4);
}

static int open_socket(const struct options *options, const char *port)
{
	const int on = 1, v6only = options->v6only;
	union address address;
	socklen_t len = fill_address(options, (in_port_t)strtoul(port, NULL, 10), &address);
	int fd = socket(options->family, options->type | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (options->reuse_port &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
	    (options->family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0) ||
	    bind(fd, &address.any, len) < 0 || (options->type == SOCK_STREAM && listen(fd, 16) < 0))
		err(1, "port %s", port);
	return fd;
}

static void print_port(int fd)
{
	union address address = {0};
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) < 0)
		err(1, "getsockname");
	printf("%u\n", ntohs(address.v6.sin6_port));
}

static void answer(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char request[1024];

	if (fd < 0)
		return;
	if (read(fd, request, sizeof(request)) > 0 && write(fd, response, sizeof(response) - 1) < 0)
		warn("write");
	close(fd);
}

static void close_first(struct pollfd *sockets, nfds_t len)
{
	closing = 0;
	for (nfds_t i = 0; i < len; i++) {
		if (sockets[i].fd < 0)
			continue;
		close(sockets[i].fd);
		sockets[i].fd = -1;
		return;
	}
}

static void serve(struct pollfd *sockets, nfds_t len, const sigset_t *mask)
{
	while (!ending) {
		int ready = ppoll(sockets, len, NULL, mask);

		if (closing)
			close_first(sockets, len);
		for (nfds_t i = 0; ready > 0 && i < len; i++)
			if (sockets[i].fd >= 0 && sockets[i].revents & POLLIN)
				answer(sockets[i].fd);
	}
}

int main(int argc, char **argv)
{
	struct pollfd sockets[SOCKETS_MAX];
	char any[] = "0", *any_port[] = {any};
	struct options options;
	sigset_t mask = catch_signals();
	int first = parse_options(argc, argv, &options);
	char **ports = first < argc ? argv + first : any_port;
	nfds_t len = first < argc ? (nfds_t)(argc - first) : 1;

	if (len > SOCKETS_MAX)
		errx(2, "more than %d ports", SOCKETS_MAX);
	for (nfds_t i = 0; i < len; i++)
		sockets[i] =
			(struct pollfd){.fd = open_socket(&options, ports[i]), .events = POLLIN};
	if (options.end && kill(options.predecessor, options.end) < 0)
		err(1, "kill");
	for (nfds_t i = 0; i < len; i++)
		print_port(sockets[i].fd);
	fflush(stdout);
	serve(sockets, len, &mask);
	exit(0);
}
