/* SPDX-License-Identifier: MIT */
/*
 * spawner TIMES - listens.  Then, TIMES times, it starts /bin/true through posix_spawn() and
 * through vfork(), and listens on another socket in between.  It must be able to wait for each
 * child.  It prints 0 when all is done, and lives on.
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

static char *const command[] = {(char[]){"true"}, NULL};

static pid_t spawn(void)
{
	pid_t pid;

	if (posix_spawn(&pid, "/bin/true", NULL, NULL, command, environ) != 0)
		errx(1, "posix_spawn");
	return pid;
}

static pid_t spawn_by_vfork(void)
{
	pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */

	if (pid < 0)
		err(1, "vfork");
	if (pid == 0) {
		execv("/bin/true", command);
		_exit(127);
	}
	return pid;
}

static void expect_end(pid_t pid)
{
	int status;

	if (waitpid(-1, &status, 0) != pid || status != 0)
		errx(1, "waited for another child, or the child failed");
}

int main(int argc, char **argv)
{
	unsigned long times = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;

	host_block();
	host_print(host_port(host_listen(0, 0)));
	for (unsigned long i = 0; i < times; i++) {
		expect_end(spawn());
		expect_end(spawn_by_vfork());
		close(host_listen(0, 0));
	}
	if (waitpid(-1, NULL, __WALL) != -1 || errno != ECHILD)
		errx(1, "a child that was not started here");
	host_print(0);
	host_wait();
	return 0;
}
