/* SPDX-License-Identifier: MIT */
/*
 * crowd COUNT COMMAND... - starts COMMAND COUNT times, all at once, without standard output.  It
 * prints when it began and when the last one was started (CLOCK_MONOTONIC, nanoseconds).  On
 * SIGUSR1 it kills all of them, and prints when it began to, when the last kill was sent, and when
 * the last one was waited for.  They end with it, however it ends.
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void print_time(void)
{
	printf("%llu\n", (unsigned long long)host_now_ns());
	fflush(stdout);
}

static pid_t start_one(char **command, int null, pid_t self)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != self ||
	    dup2(null, STDOUT_FILENO) < 0)
		_exit(126);
	execv(command[0], command);
	_exit(127);
}

static void start_all(pid_t *pids, size_t count, char **command)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t self = getpid();

	for (size_t i = 0; i < count; i++) {
		pids[i] = start_one(command, null, self);
		if (pids[i] < 0)
			err(1, "fork");
	}
}

int main(int argc, char **argv)
{
	size_t count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	pid_t *pids = calloc(count + 1, sizeof(*pids));

	if (count == 0 || !pids)
		errx(2, "usage: crowd COUNT COMMAND...");
	print_time();
	start_all(pids, count, argv + 2);
	host_block();
	print_time();
	host_wait();
	print_time();
	for (size_t i = 0; i < count; i++)
		if (kill(pids[i], SIGKILL) < 0)
			err(1, "kill");
	print_time();
	for (size_t i = 0; i < count; i++)
		if (waitpid(pids[i], NULL, 0) != pids[i])
			err(1, "waitpid");
	print_time();
	free(pids);
	return 0;
}
