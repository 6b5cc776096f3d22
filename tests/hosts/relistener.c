/* SPDX-License-Identifier: MIT */
/*
 * relistener [=FD] STEP... - listens (on FD, a socket that already listens), and takes one step at
 * each SIGUSR1.  After each step it prints the port on which it then listens (0: none).
 *
 *	close, shutdown      stops listening, and lives on
 *	same, other          listens again, on the same port or on another
 *	dup                  gives the listener another number, and closes the old one
 *	exec, exec-cloexec   becomes another program, with or without the socket
 *	again, again-cloexec becomes itself anew, with or without the socket, and listens again
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

static _Noreturn void become_anew(char *word)
{
	char *const command[] = {(char[]){"relistener"}, word, NULL};

	execv("/proc/self/exe", command);
	err(1, "/proc/self/exe");
}

static void step_again(int listener)
{
	char word[16];

	snprintf(word, sizeof(word), "=%d", listener);
	become_anew(word);
}

static void step_again_without(int listener)
{
	fcntl(listener, F_SETFD, FD_CLOEXEC);
	become_anew(NULL);
}

static const struct deed steps[] = {
	{"close", step_close},
	{"shutdown", step_shutdown},
	{"same", step_same},
	{"other", step_other},
	{"dup", step_dup},
	{"exec", step_exec},
	{"exec-cloexec", step_exec_without},
	{"again", step_again},
	{"again-cloexec", step_again_without},
};

static bool listens(int fd)
{
	int is_listening = 0;
	socklen_t len = sizeof(is_listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) == 0 && is_listening;
}

static int listen_again(const char *word)
{
	int fd = (int)strtol(word + 1, NULL, 10);

	if (listen(fd, 16) < 0)
		host_fail("listen");
	return fd;
}

int main(int argc, char **argv)
{
	int first = argc > 1 && argv[1][0] == '=' ? 2 : 1;

	host_block();
	current = first > 1 ? listen_again(argv[1]) : host_listen(0, 0);
	port = host_port(current);
	host_print(port);
	for (int i = first; i < argc; i++) {
		const struct deed *step = host_find(steps, sizeof(steps) / sizeof(*steps), argv[i]);

		host_wait();
		step->run(current);
		host_print(listens(current) ? host_port(current) : 0);
	}
	host_wait();
	return 0;
}
