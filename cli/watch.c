/* SPDX-License-Identifier: MIT */
/* `etcd-registry watch`: print a line for each change, until a signal. */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "command.h"
#include "options.h"
#include "output.h"
#include "show.h"
#include "signals.h"

struct ending {
	sigset_t signals;
	struct etcdreg_watch *watch;
};

static void *await_end(void *arg)
{
	const struct ending *ending = arg;

	signals_wait(&ending->signals);
	etcdreg_watch_stop(ending->watch);
	return NULL;
}

static void print_changes(struct etcdreg_watch *watch, const struct options *opts)
{
	const struct etcdreg_change *change;
	struct etcdreg_err err, told = {0};
	int r;

	while ((r = etcdreg_watch_next(watch, UINT_MAX, &change, &err)) != ETCDREG_E_STOPPED) {
		if (r < 0) {
			output_retry(&err, &told);
			continue;
		}
		told.code = 0;
		show_change(opts, change);
		/* A pipe is fully buffered, and its reader wants the change now. */
		if (!output_flush())
			return;
	}
}

static int follow(struct ending *ending, const struct options *opts)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, await_end, ending);

	if (r != 0)
		return output_failure(STATUS_FAILED, "cannot create a thread: %s", strerror(r));
	print_changes(ending->watch, opts);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	return STATUS_OK;
}

int watch_command(struct options *opts)
{
	struct ending ending = {.signals = signals_block()};
	struct etcdreg *reg;
	struct etcdreg_err err;
	int status;

	if (options_open(opts, NULL, NULL, &reg, &err) < 0)
		return output_error(&err);
	if (etcdreg_watch(reg, opts->operands[0], &ending.watch, &err) == 0)
		status = follow(&ending, opts);
	else
		status = output_error(&err);
	etcdreg_watch_close(ending.watch);
	etcdreg_close(reg, 0);
	return status;
}
