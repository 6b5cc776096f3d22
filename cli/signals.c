/* SPDX-License-Identifier: MIT */
/* The signals that end a command. */
#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <stddef.h>

sigset_t signals_block(void)
{
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return set;
}

void signals_wait(const sigset_t *signals)
{
	while (sigwaitinfo(signals, NULL) < 0 && errno == EINTR)
		;
}
