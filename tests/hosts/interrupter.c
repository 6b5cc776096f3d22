/* SPDX-License-Identifier: MIT */
/*
 * interrupter [threads] - listens for the first time in a signal handler that interrupts malloc(),
 * in many children at many moments, with another thread beside or without.  Prints how many of the
 * children have crashed or hung.
 */
#include "host.h"

#include <err.h>
#include <pthread.h>
#include <sys/time.h>
#include <sys/wait.h>

#define CHILDREN 40
#define FIRST_US 1000
#define STEP_US 37
#define WORK_NS 50000000u
#define HANGS_NS 3000000000u

static int listener;

static void on_alarm(int signal)
{
	(void)signal;
	if (listen(listener, 1) < 0)
		_exit(9);
}

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void allocate_for_a_while(void)
{
	uint64_t begin = host_now_ns(), now;
	void *held[64] = {0};

	while ((now = host_now_ns()) - begin < WORK_NS) {
		size_t i = now % 64;

		free(held[i]);
		held[i] = malloc(2000 + now / 64 % 30000);
	}
}

static void child(int number, int with_thread)
{
	struct itimerval once = {{0, 0}, {0, FIRST_US + number * STEP_US}};
	pthread_t thread;

	if (with_thread && pthread_create(&thread, NULL, idle, NULL) != 0)
		errx(1, "pthread_create");
	listener = socket(AF_INET, SOCK_STREAM, 0);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &once, NULL);
	allocate_for_a_while();
	_exit(0);
}

static int has_failed(pid_t pid)
{
	uint64_t begin = host_now_ns();
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (host_now_ns() - begin > HANGS_NS) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return 1;
		}
		usleep(2000);
	}
	return status != 0;
}

int main(int argc, char **argv)
{
	unsigned failed = 0;

	(void)argv;
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		if (pid == 0)
			child(i, argc > 1);
		failed += (unsigned)has_failed(pid);
	}
	host_print(failed);
	return 0;
}
