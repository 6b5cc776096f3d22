/* SPDX-License-Identifier: MIT */
/* signals.h - the signals that end a long-running command. */
#ifndef ETCDREG_CLI_SIGNALS_H
#define ETCDREG_CLI_SIGNALS_H

#include <signal.h>

/*
 * Blocks SIGINT and SIGTERM, and SIGHUP unless it is ignored (nohup).  Returns the blocked set.
 * Call it before the first thread starts, so that signals_wait() alone receives them.
 */
sigset_t signals_block(void);

/* Waits for one of the signals.  It is a cancellation point. */
void signals_wait(const sigset_t *signals);

#endif
