/* SPDX-License-Identifier: MIT */
/*
 * caller HOW - calls listen() in an unsafe or unusual place, then listens in main() as other
 * servers do, and lives on.  It prints the port of the latter, and a number that HOW has found out.
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#define FORKS 100
#define CANCELS 100
#define EVERY_US 1000

static volatile sig_atomic_t forks;

static void expect_end(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		err(1, "child");
}

/* The child shares this memory: its changes stay. */
static unsigned in_vfork(int socket)
{
	pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */

	if (pid == 0) {
		listen(socket, 1); /* NOLINT(clang-analyzer-unix.Vfork): this call is the test */
		_exit(0);
	}
	expect_end(pid);
	return 0;
}

/* Listens in a child that libc does not know of. */
static unsigned in_clone(int socket)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(listen(socket, 1) < 0);
	expect_end(pid);
	return 0;
}

/* NOLINTBEGIN(bugprone-signal-handler,cert-sig30-c): _Fork() is made for this */
static void on_alarm(int signal)
{
	int saved = errno;
	pid_t pid = _Fork();

	(void)signal;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	forks++;
	errno = saved;
}
/* NOLINTEND(bugprone-signal-handler,cert-sig30-c) */

static unsigned with_forks_in_a_handler(int socket)
{
	const struct itimerval often = {{0, EVERY_US}, {0, EVERY_US}}, never = {0};

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	while (forks < FORKS)
		if (listen(socket, 1) < 0)
			err(1, "listen");
	setitimer(ITIMER_REAL, &never, NULL);
	return 0;
}

static void *listen_for_ever(void *socket)
{
	while (listen(*(int *)socket, 1) == 0)
		pthread_testcancel();
	return NULL;
}

static unsigned in_cancelled_threads(int socket)
{
	for (int i = 0; i < CANCELS; i++) {
		pthread_t thread;
		void *result;

		if (pthread_create(&thread, NULL, listen_for_ever, &socket) != 0 ||
		    pthread_cancel(thread) != 0 || pthread_join(thread, &result) != 0 ||
		    result != PTHREAD_CANCELED)
			errx(1, "cancel");
	}
	return 0;
}

/* Forks children that listen too, whatever the other thread is doing at that moment. */
static unsigned in_forked_children(int socket)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, listen_for_ever, &socket) != 0)
		errx(1, "pthread_create");
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(listen(socket, 1) < 0);
		expect_end(pid);
	}
	if (pthread_cancel(thread) != 0 || pthread_join(thread, NULL) != 0)
		errx(1, "cancel");
	return 0;
}

/* The kernel reaps the children, so wait() reports none. */
static unsigned without_sigchld(int socket)
{
	signal(SIGCHLD, SIG_IGN);
	if (listen(socket, 1) < 0)
		err(1, "listen");
	return wait(NULL) != -1 || errno != ECHILD;
}

/* Returns 1 if there is a thread: the kernel then refuses the process a user namespace. */
static unsigned before_unshare(int socket)
{
	if (listen(socket, 1) < 0)
		err(1, "listen");
	return unshare(CLONE_NEWUSER) < 0;
}

static const struct {
	const char *name;
	unsigned (*call)(int socket);
} ways[] = {
	{"vfork", in_vfork},
	{"clone", in_clone},
	{"handler", with_forks_in_a_handler},
	{"cancel", in_cancelled_threads},
	{"fork", in_forked_children},
	{"ignore", without_sigchld},
	{"unshare", before_unshare},
};

int main(int argc, char **argv)
{
	int socket_of_its_own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	host_block();
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		unsigned found;

		if (argc < 2 || strcmp(argv[1], ways[i].name) != 0)
			continue;
		found = ways[i].call(socket_of_its_own);
		close(socket_of_its_own);
		host_print(host_port(host_listen(0, 0)));
		host_print(found);
		host_wait();
		return 0;
	}
	errx(2, "usage: caller HOW");
}
