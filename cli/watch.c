/* SPDX-License-Identifier: MIT */
/* `etcd-registry watch`: a line for each change, until a signal ends it. */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "options.h"
#include "output.h"
#include "signals.h"

static const char *const words[] = {
	[ETCDREG_FOUND] = "found",
	[ETCDREG_ADDED] = "added",
	[ETCDREG_CHANGED] = "changed",
	[ETCDREG_REMOVED] = "removed",
};

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

/* Whoever reads wants it now. */
static bool print_change(const struct etcdreg_change *change, bool json)
{
	const char *word = words[change->type];

	if (json)
		printf("{\"change\":\"%s\",\"service\":%s}\n", word, change->entry->json);
	else
		output_change(word, change->entry);
	return fflush(stdout) == 0;
}

static void print_changes(struct etcdreg_watch *watch, bool json)
{
	const struct etcdreg_change *change;
	struct etcdreg_err err, told = {0};
	int r;

	while ((r = etcdreg_watch_next(watch, UINT_MAX, &change, &err)) != ETCDREG_E_STOPPED) {
		if (r == 0) {
			told.code = 0;
			if (!print_change(change, json))
				return;
		} else if (told.code == 0 || strcmp(told.msg, err.msg) != 0) {
			/* An outage is one line, not one an attempt. */
			output_message("%s; trying again", err.msg);
			told = err;
		}
	}
}

static int follow(struct ending *ending, bool json)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, await_end, ending) != 0) {
		output_message("no thread can be had");
		return STATUS_FAILED;
	}
	print_changes(ending->watch, json);
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
		status = follow(&ending, opts->own & OWN_JSON);
	else
		status = output_error(&err);
	etcdreg_watch_close(ending.watch);
	etcdreg_close(reg, 0);
	return status;
}
