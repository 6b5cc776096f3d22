/* SPDX-License-Identifier: MIT */
/*
 * hurried - listens, and prints how many milliseconds each of these then takes: listen() itself,
 * setgid() with setuid(), a fork() with the end of its child.
 */
#include "host.h"

#include <sys/wait.h>

#define A_LITTLE_US 20000 /* the object's thread is at the start of the agent */

static void print_ms_since(uint64_t begin_ns)
{
	host_print((unsigned)((host_now_ns() - begin_ns) / 1000000));
}

int main(void)
{
	uint64_t begin = host_now_ns();
	pid_t pid;

	(void)host_listen(0, 0);
	print_ms_since(begin);
	usleep(A_LITTLE_US);
	begin = host_now_ns();
	if (setgid(getgid()) < 0 || setuid(getuid()) < 0)
		host_fail("setuid");
	print_ms_since(begin);
	begin = host_now_ns();
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		host_fail("fork");
	print_ms_since(begin);
	return 0;
}
