/* SPDX-License-Identifier: MIT */
/*
 * reaper - listens as a child subreaper, or as PID 1 if it is started so.  On SIGUSR1 it prints the
 * number of SIGCHLDs so far, then whether it has children (1) or not (0), and exits.
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static volatile sig_atomic_t signals;

static void on_child(int signal)
{
	(void)signal;
	signals++;
}

/* waitid() fails if there are no children.  WNOHANG counts a child that still runs. */
static unsigned count_children(void)
{
	siginfo_t info;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0)
		return 1;
	if (errno != ECHILD)
		err(1, "waitid");
	return 0;
}

int main(void)
{
	const struct sigaction action = {.sa_handler = on_child};

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || sigaction(SIGCHLD, &action, NULL) < 0)
		err(1, "subreaper");
	host_block();
	host_print(host_port(host_listen(0, 0)));
	host_wait();
	host_print((unsigned)signals);
	host_print(count_children());
	exit(0);
}
