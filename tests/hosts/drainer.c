/* SPDX-License-Identifier: MIT */
/*
 * drainer SECONDS - listens.  After SIGTERM it goes on for that time and exits, as a server does
 * that finishes its requests.
 */
#include "host.h"

int main(int argc, char **argv)
{
	unsigned drain_s = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		host_fail("sigprocmask");
	host_print(host_port(host_listen(0, 0)));
	if (sigwait(&set, &signal) != 0)
		host_fail("sigwait");
	sleep(drain_s);
	return 0;
}
