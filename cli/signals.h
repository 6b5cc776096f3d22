/* SPDX-License-Identifier: MIT */
/* signals.h - the signals that end a command which runs until it is told to end. */
#ifndef ETCDREG_CLI_SIGNALS_H
#define ETCDREG_CLI_SIGNALS_H

#include <signal.h>

/*
 * Block SIGINT, SIGTERM and, unless somebody (nohup) had it ignored, SIGHUP; to be called before
 * there is a second thread, so that they can only come to signals_wait().  Returns them.
 */
sigset_t signals_block(void);

/* Wait for one of them.  A cancellation point. */
void signals_wait(const sigset_t *signals);

#endif
