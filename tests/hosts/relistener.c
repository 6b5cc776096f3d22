/* SPDX-License-Identifier: MIT */
/*
 * relistener STEP... - listens, and takes one step at each SIGUSR1; what it listens on then, it
 * prints (0: nothing).
 *
 *	close, shutdown      listens no more, and lives on
 *	same, other          listens again, on the port that it had or on another
 *	dup                  the listener gets another number, and the one that it had is closed
 *	exec, exec-cloexec   becomes another program, with or without the socket
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>

static uint16_t port;
static int current;

static void step_close(int listener)
{
	close(listener);
}

static void step_shutdown(int listener)
{
	shutdown(listener, SHUT_RDWR);
}

static void step_same(int listener)
{
	(void)listener;
	current = host_listen(0, port);
}

static void step_other(int listener)
{
	(void)listener;
	current = host_listen(0, 0);
}

static void step_dup(int listener)
{
	current = fcntl(listener, F_DUPFD_CLOEXEC, 100);
	close(listener);
}

static void step_exec(int listener)
{
	(void)listener;
	execlp("sleep", "sleep", "600", NULL);
	err(1, "sleep");
}

static void step_exec_without(int listener)
{
	fcntl(listener, F_SETFD, FD_CLOEXEC);
	step_exec(listener);
}

static const struct deed steps[] = {
	{ "close", step_close }, { "shutdown", step_shutdown }, { "same", step_same },
	{ "other", step_other }, { "dup", step_dup },		{ "exec", step_exec },
	{ "exec-cloexec", step_exec_without },
};

static bool listens(int fd)
{
	int is_listening = 0;
	socklen_t len = sizeof(is_listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) == 0 && is_listening;
}

int main(int argc, char **argv)
{
	host_block();
	current = host_listen(0, 0);
	port = host_port(current);
	host_print(port);
	for (int i = 1; i < argc; i++) {
		const struct deed *step =
			host_find(steps, sizeof(steps) / sizeof(*steps), argv[i]);

		host_wait();
		step->run(current);
		host_print(listens(current) ? host_port(current) : 0);
	}
	host_wait();
	return 0;
}
